/** The audit log: who did what, the newest first. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Button, Input, Label, TextField } from "react-aria-components";
import { auditRoute } from "#admin/routes";
import type { AuditOutcome } from "#graphql/graphql";
import { Entries } from "#shared/account/entries";
import { ask } from "#shared/api/ask";
import { graphql } from "#shared/api/graphql";
import { ChoiceField } from "#shared/ui/choice";
import { PageHead } from "#shared/ui/shell";
import { Empty, ErrorBox, Loading } from "#shared/ui/states";

const Audit = graphql(`
  query Audit($filter: AuditFilter, $first: Int, $after: String, $last: Int, $before: String) {
    auditLog(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      nodes { id time actorName action targetName outcome clientAddress userAgent commandId correlationId position changes { field old new } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`);

const OUTCOMES = [
  { id: "ANY", label: "Any" },
  { id: "ALLOWED", label: "Allowed" },
  { id: "DENIED", label: "Denied" },
  { id: "FAILED", label: "Failed" },
];

export default function AuditPage() {
  const search = auditRoute.useSearch();
  const navigate = useNavigate({ from: "/audit" });
  const filter = {
    ...(search.action ? { action: [search.action] } : {}),
    ...(search.outcome ? { outcome: [search.outcome as AuditOutcome] } : {}),
  };
  const variables = {
    filter,
    ...(search.before
      ? { last: 50, before: search.before }
      : { first: 50, ...(search.after ? { after: search.after } : {}) }),
  };
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["audit", variables],
    queryFn: ({ signal }) => ask(Audit, variables, signal),
    placeholderData: keepPreviousData,
  });
  const entries = data?.auditLog?.nodes ?? [];
  const page = data?.auditLog?.pageInfo;
  const { after: _after, before: _before, ...kept } = search;
  return (
    <>
      <PageHead title="Audit">
        <Button className="button" onPress={() => void refetch()}>
          Refresh
        </Button>
      </PageHead>
      <search className="toolbar">
        <ChoiceField
          name="outcome"
          label="Outcome"
          choices={OUTCOMES}
          defaultValue={search.outcome ?? "ANY"}
          onChange={(id) => {
            const { outcome: _outcome, ...rest } = kept;
            void navigate({ search: id === "ANY" ? rest : { ...rest, outcome: id }, replace: true });
          }}
        />
        <TextField
          className="field grow"
          defaultValue={search.action ?? ""}
          onBlur={(event) => {
            const action = (event.target as HTMLInputElement).value.trim();
            const { action: _action, ...rest } = kept;
            void navigate({ search: action ? { ...rest, action } : rest, replace: true });
          }}
        >
          <Label>Action</Label>
          <Input className="search" placeholder="muster.user.approved" />
        </TextField>
      </search>
      {isPending && <Loading />}
      {error && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {data && entries.length === 0 && <Empty title="No entry matches" />}
      {entries.length > 0 && <Entries entries={entries} />}
      <div className="pager">
        <span className="top-space" />
        <Button
          className="button"
          isDisabled={!page?.hasPreviousPage}
          onPress={() => void navigate({ search: { ...kept, before: page?.startCursor ?? "" } })}
        >
          Newer
        </Button>
        <Button
          className="button"
          isDisabled={!page?.hasNextPage}
          onPress={() => void navigate({ search: { ...kept, after: page?.endCursor ?? "" } })}
        >
          Older
        </Button>
      </div>
    </>
  );
}
