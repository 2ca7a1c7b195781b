/** Mailboxes of a user: where files wait. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "react-aria-components";
import type { MailboxesQuery } from "#graphql/graphql";
import { ask } from "#shared/api/ask";
import { refusalsOf, send } from "#shared/api/commands";
import { graphql } from "#shared/api/graphql";
import { ago } from "#shared/format";
import { announce } from "#shared/ui/announce";
import { FormDialog } from "#shared/ui/dialog";
import { Field } from "#shared/ui/field";
import { optional, text } from "#shared/ui/form";
import { Grid, type GridColumn } from "#shared/ui/grid";
import { Empty, ErrorBox, Loading } from "#shared/ui/states";

const Mailboxes = graphql(`
  query Mailboxes($id: ID!) {
    user(id: $id) { id version mailboxes(first: 100) { nodes { id name description topic createdAt } } }
  }
`);
const Create = graphql(`
  mutation CreateMailbox($input: CreateMailboxInput!) { createMailbox(input: $input) { userErrors { code message field } } }
`);
const Delete = graphql(`
  mutation DeleteMailbox($input: DeleteMailboxInput!) { deleteMailbox(input: $input) { userErrors { code message field } } }
`);

type Mailbox = NonNullable<MailboxesQuery["user"]>["mailboxes"]["nodes"][number];

export function MailboxesTab({ userId }: { userId: string }) {
  const queries = useQueryClient();
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<Mailbox | null>(null);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["user", userId, "mailboxes"],
    queryFn: ({ signal }) => ask(Mailboxes, { id: userId }, signal),
  });
  if (isPending) return <Loading rows={3} />;
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  const mailboxes = data.user?.mailboxes.nodes ?? [];
  const done = async (refusals: ReturnType<typeof refusalsOf>, sentence: string) => {
    if (refusals.length === 0) {
      announce(sentence);
      await queries.invalidateQueries({ queryKey: ["user", userId] });
    }
    return refusals;
  };
  const create = async (form: FormData) => {
    const input = { userId, name: text(form, "name"), description: optional(form, "description") };
    const { createMailbox } = await send((commandId) => ask(Create, { input: { ...input, commandId } }));
    return done(refusalsOf(createMailbox), `Mailbox ${input.name} created.`);
  };
  const remove = async () => {
    if (!deleting) return [];
    const { deleteMailbox } = await send((commandId) =>
      ask(Delete, { input: { userId, mailboxId: deleting.id, commandId } }),
    );
    return done(refusalsOf(deleteMailbox), `Mailbox ${deleting.name} deleted.`);
  };
  const columns: GridColumn<Mailbox>[] = [
    { id: "name", header: "Name", isRowHeader: true, cell: (mailbox) => mailbox.name },
    { id: "description", header: "Description", isSecondary: true, cell: (mailbox) => mailbox.description },
    { id: "topic", header: "Topic", cell: (mailbox) => <code>{mailbox.topic}</code> },
    { id: "created", header: "Created", isSecondary: true, cell: (mailbox) => ago(mailbox.createdAt) },
    {
      id: "do",
      header: "Actions",
      cell: (mailbox) => (
        <Button className="button" aria-label={`Delete ${mailbox.name}`} onPress={() => setDeleting(mailbox)}>
          Delete
        </Button>
      ),
    },
  ];
  return (
    <>
      <div className="actions">
        <Button className="button" data-kind="primary" onPress={() => setCreating(true)}>
          New mailbox
        </Button>
      </div>
      {mailboxes.length === 0 ? (
        <Empty title="No mailboxes">They come with the approval.</Empty>
      ) : (
        <Grid label="Mailboxes" rows={mailboxes} columns={columns} rowLabel={(mailbox) => mailbox.name} />
      )}
      {creating && (
        <FormDialog title="New mailbox" action="Create" onClose={() => setCreating(false)} onSubmit={create}>
          <Field name="name" label="Name" isRequired autoFocus />
          <Field name="description" label="Description" />
        </FormDialog>
      )}
      {deleting && (
        <FormDialog
          title={`Delete ${deleting.name}`}
          action="Delete"
          isDangerous
          onClose={() => setDeleting(null)}
          onSubmit={remove}
        >
          <p>The mailbox goes from Muster. A rule that uses it has to go first.</p>
        </FormDialog>
      )}
    </>
  );
}
