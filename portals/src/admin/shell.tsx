/** The frame of the admin portal. Whoever is no administrator learns here that it is not theirs. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet, useRouter } from "@tanstack/react-router";
import { useCallback } from "react";
import { ask } from "#shared/api/ask";
import { graphql } from "#shared/api/graphql";
import { signOut, viewerQuery } from "#shared/api/session";
import type { PaletteEntry } from "#shared/ui/palette";
import { Shell } from "#shared/ui/shell";
import { Forbidden } from "#shared/ui/states";

const PendingCount = graphql(`
  query PendingCount { users(filter: { state: [PENDING] }, first: 0) { totalCount } }
`);

const Find = graphql(`
  query Find($search: String!) {
    users(filter: { search: $search }, first: 8) { nodes { id username firstName lastName state } }
    groups(filter: { search: $search }, first: 4) { nodes { id name } }
  }
`);

export function AdminShell() {
  const queries = useQueryClient();
  const router = useRouter();
  const { data: viewer } = useQuery(viewerQuery);
  const isAdministrator = viewer?.roles.includes("ADMINISTRATOR") ?? false;
  const { data: pending } = useQuery({
    queryKey: ["pending-count"],
    queryFn: ({ signal }) => ask(PendingCount, {}, signal),
    enabled: isAdministrator,
    refetchInterval: 15_000,
  });
  const search = useCallback(
    async (text: string, signal: AbortSignal): Promise<PaletteEntry[]> => {
      const found = await ask(Find, { search: text }, signal);
      const users = found.users?.nodes ?? [];
      const groups = found.groups?.nodes ?? [];
      return [
        ...users.map((user) => ({
          id: user.id,
          label: user.username,
          kind: `User, ${user.state.toLowerCase()}`,
          run: () => void router.navigate({ to: "/users/$username", params: { username: user.username } }),
        })),
        ...groups.map((group) => ({
          id: group.id,
          label: group.name,
          kind: "Group",
          run: () => void router.navigate({ to: "/users", search: { group: [group.id] } }),
        })),
      ];
    },
    [router],
  );
  const leave = () =>
    void signOut()
      .finally(() => queries.clear())
      .then(() => location.assign("/admin/"));
  const entries = [
    { to: "/", label: "Overview" },
    { to: "/users", label: "Users" },
    { to: "/pending", label: "Pending", badge: pending?.users?.totalCount },
    { to: "/groups", label: "Groups" },
    { to: "/audit", label: "Audit" },
  ];
  return (
    <Shell
      title="Muster admin"
      home="/"
      entries={isAdministrator ? entries : []}
      name={viewer?.username ?? ""}
      onSignOut={leave}
      search={search}
    >
      {isAdministrator ? <Outlet /> : <Forbidden />}
    </Shell>
  );
}
