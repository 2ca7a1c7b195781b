/** A new user, with the temporary password that is handed over. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { groupsQuery } from "#admin/groups-query";
import { ask } from "#shared/api/ask";
import { refusalsOf, send } from "#shared/api/commands";
import { graphql } from "#shared/api/graphql";
import { dateTime } from "#shared/format";
import { ChoiceField } from "#shared/ui/choice";
import { FormDialog, type OnceShown, SecretDialog } from "#shared/ui/dialog";
import { Field } from "#shared/ui/field";
import { optional, text } from "#shared/ui/form";

const Create = graphql(`
  mutation CreateUser($input: CreateUserInput!) {
    createUser(input: $input) {
      user { id username }
      temporaryPassword
      expiresAt
      userErrors { code message field }
    }
  }
`);

export default function CreateUser({ onClose, onCreated }: { onClose: () => void; onCreated: () => void }) {
  const queries = useQueryClient();
  const { data: groups = [] } = useQuery(groupsQuery);
  const [secret, setSecret] = useState<OnceShown | null>(null);
  const create = async (form: FormData) => {
    const username = text(form, "username");
    const input = {
      username,
      groupId: text(form, "groupId"),
      firstName: optional(form, "firstName"),
      lastName: optional(form, "lastName"),
      email: optional(form, "email"),
      phone: optional(form, "phone"),
    };
    const { createUser } = await send((commandId) => ask(Create, { input: { ...input, commandId } }));
    const refusals = refusalsOf(createUser);
    if (refusals.length === 0) {
      onCreated();
      void queries.invalidateQueries({ queryKey: ["users"] });
      if (createUser?.temporaryPassword) {
        setSecret({
          name: username,
          secret: createUser.temporaryPassword,
          until: createUser.expiresAt ? dateTime(createUser.expiresAt) : null,
        });
      }
    }
    return refusals;
  };
  if (secret) return <SecretDialog title="Temporary password" secrets={[secret]} onClose={onClose} />;
  return (
    <FormDialog title="New user" action="Create" onClose={() => secret ?? onClose()} onSubmit={create} staysOpen>
      <Field
        name="username"
        label="Username"
        isRequired
        autoFocus
        hint="Small letters, digits and . _ - ; it never changes."
      />
      <ChoiceField
        name="groupId"
        label="Group"
        isRequired
        choices={groups.filter((group) => !group.closed).map(({ id, name }) => ({ id, label: name }))}
      />
      <Field name="firstName" label="First name" />
      <Field name="lastName" label="Last name" />
      <Field name="email" label="E-mail" type="email" />
      <Field name="phone" label="Phone" type="tel" />
    </FormDialog>
  );
}
