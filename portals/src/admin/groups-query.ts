/** The groups that users can be put into, for pickers. */

import { queryOptions } from "@tanstack/react-query";
import { ask } from "#shared/api/ask";
import { graphql } from "#shared/api/graphql";

const Groups = graphql(`
  query GroupChoices($after: String) {
    groups(first: 100, after: $after) {
      nodes { id name description phone email closed memberCount closed version }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const groupsQuery = queryOptions({
  queryKey: ["groups"],
  queryFn: async ({ signal }) => {
    const groups = [];
    let after: string | null = null;
    do {
      const { groups: page }: { groups?: Awaited<ReturnType<typeof load>>["groups"] } = await load(after, signal);
      groups.push(...(page?.nodes ?? []));
      after = page?.pageInfo.hasNextPage ? (page.pageInfo.endCursor ?? null) : null;
    } while (after !== null);
    return groups;
  },
  staleTime: 30_000,
});

const load = (after: string | null, signal: AbortSignal) => ask(Groups, { after }, signal);
