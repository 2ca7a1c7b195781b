/** The sign-in page, and the forced change of a temporary password. Both portals use them. */

import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button, Form } from "react-aria-components";
import { changePassword, signIn, signOut, viewerQuery } from "#shared/api/session";
import icon from "#shared/icon.svg";
import { Field } from "#shared/ui/field";
import { text, useFormState } from "#shared/ui/form";
import { PasswordFields } from "./password";

export function Door({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="door">
      <div className="card">
        <h1 tabIndex={-1} className="brand">
          <img src={icon} alt="" />
          {title}
        </h1>
        {children}
      </div>
    </main>
  );
}

export function SignIn({ title, more }: { title: string; more?: ReactNode }) {
  const queries = useQueryClient();
  const form = useFormState(async (form) => {
    // The password goes as it was typed: blanks at its ends are part of it.
    const refusals = await signIn(text(form, "username"), String(form.get("password") ?? ""));
    if (refusals.length === 0) await queries.resetQueries({ queryKey: viewerQuery.queryKey });
    return refusals;
  });
  return (
    <Door title={title}>
      <Form validationErrors={form.errors} onSubmit={form.submit}>
        <Field name="username" label="Username" autoComplete="username" isRequired autoFocus />
        <Field name="password" label="Password" type="password" autoComplete="current-password" isRequired />
        {form.message && (
          <p role="alert" className="form-error">
            {form.message}
          </p>
        )}
        <Button className="button" data-kind="primary" type="submit" data-pending={form.isSending || undefined}>
          Sign in
        </Button>
      </Form>
      {more}
    </Door>
  );
}

/** What a session with a temporary password can do: choose a password, or end. */
export function ForcedChange({ username }: { username: string }) {
  const queries = useQueryClient();
  const form = useFormState(async (form) => {
    const refusals = await changePassword(
      String(form.get("currentPassword") ?? ""),
      String(form.get("newPassword") ?? ""),
    );
    if (refusals.length === 0) await queries.resetQueries({ queryKey: viewerQuery.queryKey });
    return refusals;
  });
  const leave = () => signOut().then(() => queries.resetQueries({ queryKey: viewerQuery.queryKey }));
  return (
    <Door title="Choose your password">
      <p>The password you signed in with was made for handing over. Choose one that only you know.</p>
      <Form validationErrors={form.errors} onSubmit={form.submit}>
        <input type="hidden" name="username" autoComplete="username" value={username} />
        <PasswordFields currentLabel="Temporary password" />
        {form.message && (
          <p role="alert" className="form-error">
            {form.message}
          </p>
        )}
        <div className="dialog-actions">
          <Button className="button" onPress={leave}>
            Sign out
          </Button>
          <Button className="button" data-kind="primary" type="submit" data-pending={form.isSending || undefined}>
            Change password
          </Button>
        </div>
      </Form>
    </Door>
  );
}
