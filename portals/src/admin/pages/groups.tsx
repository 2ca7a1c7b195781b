/** Groups: what there is, and how to create, edit, close and open them again. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "react-aria-components";
import { groupsQuery } from "#admin/groups-query";
import { ask } from "#shared/api/ask";
import { refusalsOf, send } from "#shared/api/commands";
import { graphql } from "#shared/api/graphql";
import { count } from "#shared/format";
import { FormDialog } from "#shared/ui/dialog";
import { Field } from "#shared/ui/field";
import { optional, text } from "#shared/ui/form";
import { Grid, type GridColumn } from "#shared/ui/grid";
import { PageHead } from "#shared/ui/shell";
import { Empty, ErrorBox, Loading } from "#shared/ui/states";

const Create = graphql(`
  mutation CreateGroup($input: CreateGroupInput!) { createGroup(input: $input) { userErrors { code message field } } }
`);
const Edit = graphql(`
  mutation EditGroup($input: EditGroupInput!) { editGroup(input: $input) { userErrors { code message field } } }
`);
const Close = graphql(`
  mutation CloseGroup($input: CloseGroupInput!) { closeGroup(input: $input) { userErrors { code message field } } }
`);
const Reopen = graphql(`
  mutation ReopenGroup($input: ReopenGroupInput!) { reopenGroup(input: $input) { userErrors { code message field } } }
`);

type GroupRow = Awaited<ReturnType<NonNullable<typeof groupsQuery.queryFn>>>[number];
type Asked = { what: "create" } | { what: "edit" | "close" | "reopen"; group: GroupRow };

export default function GroupsPage() {
  const queries = useQueryClient();
  const { data: groups, error, isPending, refetch } = useQuery(groupsQuery);
  const [asked, setAsked] = useState<Asked | null>(null);
  const submit = async (form: FormData) => {
    if (!asked) return [];
    const details = {
      description: optional(form, "description"),
      phone: optional(form, "phone"),
      email: optional(form, "email"),
    };
    const payload = await send(async (commandId) => {
      if (asked.what === "create")
        return (await ask(Create, { input: { name: text(form, "name"), ...details, commandId } })).createGroup;
      const known = { groupId: asked.group.id, expectedVersion: asked.group.version, commandId };
      if (asked.what === "edit") return (await ask(Edit, { input: { ...known, ...details } })).editGroup;
      if (asked.what === "close") return (await ask(Close, { input: known })).closeGroup;
      return (await ask(Reopen, { input: known })).reopenGroup;
    });
    const refusals = refusalsOf(payload);
    if (refusals.length === 0) await queries.invalidateQueries({ queryKey: groupsQuery.queryKey });
    return refusals;
  };
  const columns: GridColumn<GroupRow>[] = [
    {
      id: "name",
      header: "Name",
      isRowHeader: true,
      cell: (group) => (
        <Link to="/users" search={{ group: [group.id] }} tabIndex={-1}>
          {group.name}
        </Link>
      ),
    },
    { id: "members", header: "Members", cell: (group) => count(group.memberCount) },
    { id: "description", header: "Description", isSecondary: true, cell: (group) => group.description },
    { id: "state", header: "State", cell: (group) => (group.closed ? "Closed" : "Open") },
    {
      id: "do",
      header: "Actions",
      cell: (group) => (
        <>
          <Button
            className="button"
            aria-label={`Edit ${group.name}`}
            onPress={() => setAsked({ what: "edit", group })}
          >
            Edit
          </Button>{" "}
          <Button
            className="button"
            aria-label={`${group.closed ? "Reopen" : "Close"} ${group.name}`}
            onPress={() => setAsked({ what: group.closed ? "reopen" : "close", group })}
          >
            {group.closed ? "Reopen" : "Close"}
          </Button>
        </>
      ),
    },
  ];
  const group = asked && asked.what !== "create" ? asked.group : null;
  const titles = {
    create: "New group",
    edit: `Edit ${group?.name}`,
    close: `Close ${group?.name}`,
    reopen: `Reopen ${group?.name}`,
  };
  return (
    <>
      <PageHead title="Groups">
        <Button className="button" data-kind="primary" onPress={() => setAsked({ what: "create" })}>
          New group
        </Button>
      </PageHead>
      {isPending && <Loading />}
      {error && <ErrorBox error={error} onRetry={() => void refetch()} />}
      {groups?.length === 0 && (
        <Empty title="No groups yet">Users are approved into a group, so the first step is to create one.</Empty>
      )}
      {groups && groups.length > 0 && (
        <Grid
          label="Groups"
          rows={groups}
          columns={columns}
          onOpen={(group) => setAsked({ what: "edit", group })}
          rowLabel={(group) => group.name}
        />
      )}
      {asked && (
        <FormDialog
          title={titles[asked.what]}
          action={asked.what === "close" ? "Close the group" : "Save"}
          isDangerous={asked.what === "close"}
          onClose={() => setAsked(null)}
          onSubmit={submit}
        >
          {asked.what === "create" && <Field name="name" label="Name" isRequired autoFocus />}
          {(asked.what === "create" || asked.what === "edit") && (
            <>
              <Field name="description" label="Description" isLong defaultValue={group?.description ?? ""} />
              <Field name="phone" label="Phone" type="tel" defaultValue={group?.phone ?? ""} />
              <Field name="email" label="E-mail" type="email" defaultValue={group?.email ?? ""} />
            </>
          )}
          {asked.what === "close" && (
            <p>Nobody can be put into a closed group. Its {count(group?.memberCount ?? 0)} members stay in it.</p>
          )}
          {asked.what === "reopen" && <p>Users can be put into the group again.</p>}
        </FormDialog>
      )}
    </>
  );
}
