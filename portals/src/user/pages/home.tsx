/** Where one stands, and what needs attention: tokens that expire soon. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ask } from "#shared/api/ask";
import { graphql } from "#shared/api/graphql";
import { ago, fullName } from "#shared/format";
import { PageHead } from "#shared/ui/shell";
import { ErrorBox, Loading } from "#shared/ui/states";

const Home = graphql(`
  query Home {
    viewer {
      id username firstName lastName state group { id name }
      mailboxes(first: 100) { nodes { id } }
      authTokens(first: 100) { nodes { id name expiresAt revoked } }
      agentRules(first: 100) { nodes { id active } }
    }
  }
`);

/** Tokens that end within this many days are named. */
const SOON = 14;

export default function Page() {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["home"],
    queryFn: ({ signal }) => ask(Home, {}, signal),
  });
  const viewer = data?.viewer;
  const soon = Date.now() + SOON * 86_400_000;
  const living =
    viewer?.authTokens.nodes.filter(
      (token) => !token.revoked && (!token.expiresAt || Date.parse(token.expiresAt) > Date.now()),
    ) ?? [];
  const ending = living.filter((token) => token.expiresAt && Date.parse(token.expiresAt) < soon);
  return (
    <>
      <PageHead title={viewer ? `Hello ${fullName(viewer) || viewer.username}` : "Home"} />
      {isPending && <Loading rows={3} />}
      {error && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {viewer && (
        <div className="cards">
          <section className="card" aria-label="Account">
            <h2>Account</h2>
            <p>
              {viewer.username}, {viewer.state.toLowerCase()}
              {viewer.group ? `, in the group ${viewer.group.name}` : ""}.
            </p>
            <Link to="/profile">Profile</Link>
          </section>
          <section className="card" aria-label="Auth tokens">
            <h2>Auth tokens</h2>
            <p className="figure">{living.length}</p>
            {ending.map((token) => (
              <p key={token.id}>
                {token.name} expires {ago(token.expiresAt ?? "")}.
              </p>
            ))}
            <Link to="/tokens">Tokens</Link>
          </section>
          <section className="card" aria-label="Mailboxes">
            <h2>Mailboxes</h2>
            <p className="figure">{viewer.mailboxes.nodes.length}</p>
            <Link to="/mailboxes">Mailboxes</Link>
          </section>
          <section className="card" aria-label="Agent rules">
            <h2>Agent rules</h2>
            <p className="figure">{viewer.agentRules.nodes.filter((rule) => rule.active).length} active</p>
            <Link to="/rules">Rules</Link>
          </section>
        </div>
      )}
    </>
  );
}
