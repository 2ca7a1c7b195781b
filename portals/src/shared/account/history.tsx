/** What happened to a user, the newest first. */

import { useInfiniteQuery } from "@tanstack/react-query";
import { Button } from "react-aria-components";
import { ask } from "#shared/api/ask";
import { graphql } from "#shared/api/graphql";
import { Empty, ErrorBox, Loading } from "#shared/ui/states";
import { Entries } from "./entries";

const History = graphql(`
  query History($id: ID!, $after: String) {
    user(id: $id) {
      id
      history(first: 50, after: $after) {
        nodes { id time actorName action targetName outcome clientAddress userAgent commandId correlationId position changes { field old new } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);

export function HistoryTab({ userId }: { userId: string }) {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ["user", userId, "history"],
    queryFn: ({ pageParam, signal }) => ask(History, { id: userId, after: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) =>
      page.user?.history.pageInfo.hasNextPage ? page.user.history.pageInfo.endCursor : undefined,
  });
  if (isPending) return <Loading rows={5} />;
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  const entries = data.pages.flatMap((page) => page.user?.history.nodes ?? []);
  return (
    <>
      {entries.length === 0 ? <Empty title="Nothing happened yet" /> : <Entries entries={entries} />}
      {hasNextPage && (
        <div className="pager">
          <Button className="button" onPress={() => void fetchNextPage()}>
            Older
          </Button>
        </div>
      )}
    </>
  );
}
