/** The frame of the user portal. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { signOut, viewerQuery } from "#shared/api/session";
import { Shell } from "#shared/ui/shell";

const ENTRIES = [
  { to: "/", label: "Home" },
  { to: "/profile", label: "Profile" },
  { to: "/password", label: "Password" },
  { to: "/tokens", label: "Auth tokens" },
  { to: "/mailboxes", label: "Mailboxes" },
  { to: "/rules", label: "Agent rules" },
  { to: "/config", label: "UFA config" },
  { to: "/sessions", label: "Sessions" },
  { to: "/history", label: "History" },
];

export function UserShell() {
  const queries = useQueryClient();
  const { data: viewer } = useQuery(viewerQuery);
  const leave = () =>
    void signOut()
      .finally(() => queries.clear())
      .then(() => location.assign("/"));
  return (
    <Shell title="Muster" home="/" entries={ENTRIES} name={viewer?.username ?? ""} onSignOut={leave}>
      <Outlet />
    </Shell>
  );
}
