/** The queue of those who wait for approval, the oldest first, worked through by keyboard. */

import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { Button } from "react-aria-components";
import { groupsQuery } from "#admin/groups-query";
import { approve, reject, type Target } from "#admin/user-commands";
import { Instant } from "#admin/users/columns";
import { ask } from "#shared/api/ask";
import { graphql } from "#shared/api/graphql";
import { fullName } from "#shared/format";
import { announce } from "#shared/ui/announce";
import { ChoiceField } from "#shared/ui/choice";
import { FormDialog, type OnceShown, SecretDialog } from "#shared/ui/dialog";
import { Field } from "#shared/ui/field";
import { text } from "#shared/ui/form";
import { Grid, type GridColumn } from "#shared/ui/grid";
import { PageHead } from "#shared/ui/shell";
import { Empty, ErrorBox, Loading } from "#shared/ui/states";

const Pending = graphql(`
  query Pending($after: String) {
    users(filter: { state: [PENDING] }, orderBy: { field: REGISTERED_AT }, first: 50, after: $after) {
      nodes { id username firstName lastName email phone registeredAt }
      pageInfo { hasNextPage endCursor }
      totalCount
    }
  }
`);

interface Waiting extends Target {
  firstName?: string | null;
  lastName?: string | null;
  email?: string | null;
  phone?: string | null;
  registeredAt: string;
}

const columns: readonly GridColumn<Waiting>[] = [
  { id: "username", header: "Username", isRowHeader: true, cell: (user) => user.username },
  { id: "name", header: "Name", cell: fullName },
  { id: "email", header: "E-mail", isSecondary: true, cell: (user) => user.email },
  { id: "phone", header: "Phone", isSecondary: true, cell: (user) => user.phone },
  { id: "since", header: "Waiting since", cell: (user) => <Instant at={user.registeredAt} /> },
];

export default function PendingPage() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { data: groups = [] } = useQuery(groupsQuery);
  const [asked, setAsked] = useState<{ what: "approve" | "reject"; user: Waiting } | null>(null);
  const [secret, setSecret] = useState<OnceShown | null>(null);
  const lastGroup = useRef<string | undefined>(undefined);
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ["users", "pending"],
    queryFn: ({ pageParam, signal }) => ask(Pending, { after: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => (page.users?.pageInfo.hasNextPage ? page.users.pageInfo.endCursor : undefined),
  });
  const rows = data?.pages.flatMap((page) => page.users?.nodes ?? []) ?? [];

  const decided = (user: Waiting, what: string) => {
    announce(`${user.username} ${what}.`);
    void queries.invalidateQueries({ queryKey: ["users"] });
    void queries.invalidateQueries({ queryKey: ["pending-count"] });
  };
  const submit = async (form: FormData) => {
    if (!asked) return [];
    const { user, what } = asked;
    if (what === "approve") lastGroup.current = text(form, "groupId");
    const outcome =
      what === "approve" ? await approve(user, text(form, "groupId")) : await reject(user, text(form, "reason"));
    if (outcome.refusals.length === 0) {
      decided(user, what === "approve" ? "approved" : "rejected");
      setSecret(outcome.secret);
    }
    return outcome.refusals;
  };
  return (
    <>
      <PageHead title="Pending" />
      <p className="hint">
        <kbd>j</kbd> <kbd>k</kbd> move, <kbd>a</kbd> approves, <kbd>r</kbd> rejects, <kbd>Enter</kbd> opens.
      </p>
      {isPending && <Loading />}
      {error && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {data && rows.length === 0 && <Empty title="Nobody waits">New registrations appear here.</Empty>}
      {rows.length > 0 && (
        <Grid
          label="Users who wait for approval"
          rows={rows}
          columns={[
            ...columns,
            {
              id: "decide",
              header: "Decide",
              cell: (user) => (
                <span className="actions-inline">
                  <Button
                    className="button"
                    aria-label={`Approve ${user.username}`}
                    onPress={() => setAsked({ what: "approve", user })}
                  >
                    Approve
                  </Button>{" "}
                  <Button
                    className="button"
                    aria-label={`Reject ${user.username}`}
                    onPress={() => setAsked({ what: "reject", user })}
                  >
                    Reject
                  </Button>
                </span>
              ),
            },
          ]}
          onOpen={(user) => void navigate({ to: "/users/$username", params: { username: user.username } })}
          rowKeys={{
            a: (user) => setAsked({ what: "approve", user }),
            r: (user) => setAsked({ what: "reject", user }),
          }}
          rowLabel={(user) => user.username}
        />
      )}
      {hasNextPage && (
        <Button className="button" onPress={() => void fetchNextPage()}>
          More
        </Button>
      )}
      {asked && (
        <FormDialog
          title={asked.what === "approve" ? `Approve ${asked.user.username}` : `Reject ${asked.user.username}`}
          action={asked.what === "approve" ? "Approve" : "Reject"}
          isDangerous={asked.what === "reject"}
          onClose={() => setAsked(null)}
          onSubmit={submit}
        >
          {asked.what === "approve" ? (
            <ChoiceField
              name="groupId"
              label="Group"
              isRequired
              defaultValue={lastGroup.current}
              choices={groups.filter((group) => !group.closed).map(({ id, name }) => ({ id, label: name }))}
            />
          ) : (
            <Field name="reason" label="Reason" isRequired autoFocus />
          )}
        </FormDialog>
      )}
      {secret && <SecretDialog title="Temporary password" secrets={[secret]} onClose={() => setSecret(null)} />}
    </>
  );
}
