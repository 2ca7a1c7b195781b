/** The users grid: search, filters, order and place are in the address, so that it can be sent to somebody. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { RowSelectionState } from "@tanstack/react-table";
import { lazy, Suspense, useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { usersRoute } from "#admin/routes";
import { ask } from "#shared/api/ask";
import { graphql } from "#shared/api/graphql";
import { count } from "#shared/format";
import { Grid } from "#shared/ui/grid";
import { PageHead } from "#shared/ui/shell";
import { Empty, ErrorBox, Loading } from "#shared/ui/states";
import { columns, type UserInGrid } from "./columns";
import { Filters } from "./filters";
import { fromStart, sortOf, type UsersSearch, variablesOf } from "./search";

// Loaded when they are first used: the grid itself comes sooner.
const BulkBar = lazy(() => import("./bulk"));
const CreateUser = lazy(() => import("./create"));

const Users = graphql(`
  query Users($filter: UserFilter, $orderBy: UserOrder, $first: Int, $after: String, $last: Int, $before: String) {
    users(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
      nodes { id username firstName lastName email phone state stateReason registeredAt updatedAt version mustChangePassword group { id name } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      totalCount
      totalCountCapped
    }
  }
`);

export default function UsersPage() {
  const search = usersRoute.useSearch();
  const navigate = useNavigate({ from: "/users" });
  const [selection, setSelection] = useState<RowSelectionState>({});
  const [creating, setCreating] = useState(false);
  const variables = variablesOf(search);
  const { data, error, isPending, isPlaceholderData, refetch } = useQuery({
    queryKey: ["users", variables],
    queryFn: ({ signal }) => ask(Users, variables, signal),
    placeholderData: keepPreviousData,
  });
  const filterKey = JSON.stringify(variables.filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter shows other rows, and what was selected is out of sight
  useEffect(() => setSelection({}), [filterKey]);

  const show = (next: UsersSearch, replace = false) => void navigate({ search: next, replace });
  const open = (user: UserInGrid) => void navigate({ to: "/users/$username", params: { username: user.username } });
  const users = data?.users;
  const rows = users?.nodes ?? [];
  const selected = rows.filter((row) => selection[row.id]);
  const isFiltered = Object.keys(variables.filter).length > 0;
  const page = users?.pageInfo;
  return (
    <>
      <PageHead title="Users">
        <Button className="button" data-kind="primary" onPress={() => setCreating(true)}>
          New user
        </Button>
      </PageHead>
      <Filters search={search} onChange={(next) => show(fromStart(next), true)} />
      {selected.length > 0 && (
        <Suspense fallback={<div className="selection-bar">{selected.length} selected</div>}>
          <BulkBar
            users={selected}
            onDone={() => {
              setSelection({});
              void refetch();
            }}
          />
        </Suspense>
      )}
      {isPending && <Loading />}
      {error && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {users && rows.length === 0 && (
        <Empty title={isFiltered ? "No user matches" : "No users yet"}>
          {isFiltered ? (
            <Button className="button" onPress={() => show({})}>
              Clear the filter
            </Button>
          ) : (
            <Button className="button" onPress={() => setCreating(true)}>
              Create the first
            </Button>
          )}
        </Empty>
      )}
      {users && rows.length > 0 && (
        <Grid
          label="Users"
          rows={rows}
          columns={columns}
          hidden={new Set(search.hide)}
          sort={sortOf(search)}
          onSort={(sort) =>
            show(fromStart({ ...search, sort: sort.key as NonNullable<UsersSearch["sort"]>, desc: sort.descending }))
          }
          selection={selection}
          onSelection={setSelection}
          onOpen={open}
          isStale={isPlaceholderData}
          rowLabel={(row) => row.username}
        />
      )}
      {users && (
        <div className="pager">
          <span role="status">
            {count(users.totalCount)}
            {users.totalCountCapped ? " or more" : ""} {users.totalCount === 1 ? "user" : "users"}
          </span>
          <span className="top-space" />
          <Button className="button" isDisabled={!page?.hasPreviousPage} onPress={() => show(fromStart(search))}>
            First
          </Button>
          <Button
            className="button"
            isDisabled={!page?.hasPreviousPage}
            onPress={() => show({ ...fromStart(search), before: page?.startCursor ?? "" })}
          >
            Previous
          </Button>
          <Button
            className="button"
            isDisabled={!page?.hasNextPage}
            onPress={() => show({ ...fromStart(search), after: page?.endCursor ?? "" })}
          >
            Next
          </Button>
          <Button
            className="button"
            isDisabled={!page?.hasNextPage}
            onPress={() => show({ ...fromStart(search), last: true })}
          >
            Last
          </Button>
        </div>
      )}
      {creating && (
        <Suspense>
          <CreateUser onClose={() => setCreating(false)} onCreated={() => void refetch()} />
        </Suspense>
      )}
    </>
  );
}
