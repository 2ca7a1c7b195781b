/** The user of a page, by the name in its address. */

import { queryOptions, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ask } from "#shared/api/ask";
import { graphql } from "#shared/api/graphql";

const UserPage = graphql(`
  query UserPage($username: String!) {
    user(username: $username) {
      id username firstName lastName email phone state stateReason roles mustChangePassword registeredAt updatedAt version
      group { id name }
      actions { action allowed reason }
    }
  }
`);

export const userQuery = (username: string) =>
  queryOptions({
    queryKey: ["user", "by-name", username],
    queryFn: async ({ signal }) => (await ask(UserPage, { username }, signal)).user ?? null,
  });

/** The user of the page that a tab belongs to; the page has loaded it. */
export function useUser() {
  const { username } = useParams({ strict: false }) as { username: string };
  return useQuery(userQuery(username)).data ?? null;
}
