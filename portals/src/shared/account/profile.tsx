/** Name and address of a user, as a form. */

import { useQueryClient } from "@tanstack/react-query";
import { Button, Form } from "react-aria-components";
import { ask } from "#shared/api/ask";
import { refusalsOf, send } from "#shared/api/commands";
import { graphql } from "#shared/api/graphql";
import { viewerQuery } from "#shared/api/session";
import { announce } from "#shared/ui/announce";
import { Field } from "#shared/ui/field";
import { optional, useFormState } from "#shared/ui/form";

const Update = graphql(`
  mutation UpdateProfile($input: UpdateProfileInput!) { updateProfile(input: $input) { userErrors { code message field } } }
`);

export interface Profile {
  id: string;
  version: number;
  firstName?: string | null;
  lastName?: string | null;
  email?: string | null;
  phone?: string | null;
}

export function ProfileForm({ user }: { user: Profile }) {
  const queries = useQueryClient();
  const form = useFormState(async (form) => {
    const input = {
      userId: user.id,
      firstName: optional(form, "firstName"),
      lastName: optional(form, "lastName"),
      email: optional(form, "email"),
      phone: optional(form, "phone"),
      expectedVersion: user.version,
    };
    const { updateProfile } = await send((commandId) => ask(Update, { input: { ...input, commandId } }));
    const refusals = refusalsOf(updateProfile);
    if (refusals.length === 0) {
      announce("Profile saved.");
      await Promise.all([
        queries.invalidateQueries({ queryKey: ["user"] }),
        queries.invalidateQueries({ queryKey: viewerQuery.queryKey }),
      ]);
    }
    return refusals;
  });
  return (
    <Form className="stack" key={user.version} validationErrors={form.errors} onSubmit={form.submit}>
      <div>
        <Field name="firstName" label="First name" defaultValue={user.firstName ?? ""} autoComplete="given-name" />
        <Field name="lastName" label="Last name" defaultValue={user.lastName ?? ""} autoComplete="family-name" />
        <Field name="email" label="E-mail" type="email" defaultValue={user.email ?? ""} autoComplete="email" />
        <Field name="phone" label="Phone" type="tel" defaultValue={user.phone ?? ""} autoComplete="tel" />
        {form.message && (
          <p role="alert" className="form-error">
            {form.message}
          </p>
        )}
        <Button className="button" data-kind="primary" type="submit" data-pending={form.isSending || undefined}>
          Save
        </Button>
      </div>
    </Form>
  );
}
