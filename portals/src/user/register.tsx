/** Registration. The answer is the same whether or not the name or the address is known already. */

import { useState } from "react";
import { Button, Form } from "react-aria-components";
import { ask } from "#shared/api/ask";
import { refusalsOf, send } from "#shared/api/commands";
import { graphql } from "#shared/api/graphql";
import { Door } from "#shared/door/sign-in";
import { Field } from "#shared/ui/field";
import { optional, text, useFormState } from "#shared/ui/form";

const RegisterUser = graphql(`
  mutation RegisterUser($input: RegisterUserInput!) { registerUser(input: $input) { accepted userErrors { code message field } } }
`);

export default function Register({ onBack }: { onBack: () => void }) {
  const [accepted, setAccepted] = useState(false);
  const form = useFormState(async (form) => {
    const input = {
      username: text(form, "username"),
      firstName: text(form, "firstName"),
      lastName: text(form, "lastName"),
      email: text(form, "email"),
      phone: optional(form, "phone"),
    };
    const { registerUser } = await send((commandId) => ask(RegisterUser, { input: { ...input, commandId } }));
    const refusals = refusalsOf(registerUser);
    if (refusals.length === 0) setAccepted(true);
    return refusals;
  });
  if (accepted) {
    return (
      <Door title="Registration received">
        <p role="status">
          An administrator looks at it. If it is approved, you are handed a temporary password, by which you sign in for
          the first time.
        </p>
        <p>If the name or the address was registered before, nothing changes.</p>
        <Button className="button" autoFocus onPress={onBack}>
          Back to the sign-in
        </Button>
      </Door>
    );
  }
  return (
    <Door title="Register">
      <Form validationErrors={form.errors} onSubmit={form.submit}>
        <Field
          name="username"
          label="Username"
          isRequired
          autoFocus
          autoComplete="username"
          hint="Small letters, digits and . _ - ; it never changes."
        />
        <Field name="firstName" label="First name" isRequired autoComplete="given-name" />
        <Field name="lastName" label="Last name" isRequired autoComplete="family-name" />
        <Field name="email" label="E-mail" type="email" isRequired autoComplete="email" />
        <Field name="phone" label="Phone" type="tel" autoComplete="tel" />
        {form.message && (
          <p role="alert" className="form-error">
            {form.message}
          </p>
        )}
        <div className="dialog-actions">
          <Button className="button" onPress={onBack}>
            Back
          </Button>
          <Button className="button" data-kind="primary" type="submit" data-pending={form.isSending || undefined}>
            Register
          </Button>
        </div>
      </Form>
    </Door>
  );
}
