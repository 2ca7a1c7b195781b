/** Where a user is signed in, and how to end that. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button } from "react-aria-components";
import type { SessionsQuery } from "#graphql/graphql";
import { ask } from "#shared/api/ask";
import { graphql } from "#shared/api/graphql";
import { ago, dateTime } from "#shared/format";
import { announce } from "#shared/ui/announce";
import { Grid, type GridColumn } from "#shared/ui/grid";
import { Empty, ErrorBox, Loading } from "#shared/ui/states";

const Sessions = graphql(`
  query Sessions($id: ID!) {
    user(id: $id) { id sessions(first: 100) { nodes { id createdAt lastSeenAt expiresAt clientAddress userAgent current } } }
  }
`);
const End = graphql(`
  mutation EndSession($input: EndSessionInput!) { endSession(input: $input) { userErrors { code message field } } }
`);
const EndAll = graphql(`
  mutation EndSessions($input: EndSessionsInput!) { endSessions(input: $input) { ended userErrors { code message field } } }
`);

type Session = NonNullable<SessionsQuery["user"]>["sessions"]["nodes"][number];

export function SessionsTab({ userId }: { userId: string }) {
  const queries = useQueryClient();
  const key = ["user", userId, "sessions"];
  const { data, error, isPending, refetch } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => ask(Sessions, { id: userId }, signal),
  });
  if (isPending) return <Loading rows={3} />;
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  const sessions = data.user?.sessions.nodes ?? [];
  const end = async (session: Session) => {
    await ask(End, { input: { sessionId: session.id } });
    announce("Session ended.");
    await queries.invalidateQueries({ queryKey: key });
  };
  const endOthers = async () => {
    const { endSessions } = await ask(EndAll, { input: { userId, exceptCurrent: true } });
    announce(`${endSessions?.ended ?? 0} sessions ended.`);
    await queries.invalidateQueries({ queryKey: key });
  };
  const columns: GridColumn<Session>[] = [
    { id: "agent", header: "With", isRowHeader: true, cell: (session) => session.userAgent ?? "Unknown" },
    { id: "address", header: "From", cell: (session) => session.clientAddress ?? "Unknown" },
    { id: "since", header: "Since", isSecondary: true, cell: (session) => dateTime(session.createdAt) },
    { id: "seen", header: "Last seen", cell: (session) => ago(session.lastSeenAt) },
    {
      id: "do",
      header: "Actions",
      cell: (session) =>
        session.current ? (
          "This one"
        ) : (
          <Button
            className="button"
            aria-label={`End the session from ${session.clientAddress ?? "unknown"}`}
            onPress={() => void end(session)}
          >
            End
          </Button>
        ),
    },
  ];
  if (sessions.length === 0) return <Empty title="Signed in nowhere" />;
  return (
    <>
      <div className="actions">
        <Button className="button" onPress={() => void endOthers()}>
          End all others
        </Button>
      </div>
      <Grid
        label="Sessions"
        rows={sessions}
        columns={columns}
        rowLabel={(session) => session.userAgent ?? session.id}
      />
    </>
  );
}
