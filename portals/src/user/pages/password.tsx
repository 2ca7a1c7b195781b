/** A change of one's own password. */

import { useState } from "react";
import { Button, Form } from "react-aria-components";
import { changePassword } from "#shared/api/session";
import { PasswordFields } from "#shared/door/password";
import { announce } from "#shared/ui/announce";
import { useFormState } from "#shared/ui/form";
import { PageHead } from "#shared/ui/shell";

export default function Page() {
  const [times, setTimes] = useState(0);
  const form = useFormState(async (form) => {
    const refusals = await changePassword(
      String(form.get("currentPassword") ?? ""),
      String(form.get("newPassword") ?? ""),
    );
    if (refusals.length === 0) {
      announce("Password changed. Your other sessions have ended.");
      setTimes((times) => times + 1);
    }
    return refusals;
  });
  return (
    <>
      <PageHead title="Password" />
      {times > 0 && <p>Password changed. Your other sessions have ended.</p>}
      <Form className="stack" key={times} validationErrors={form.errors} onSubmit={form.submit}>
        <div>
          <PasswordFields currentLabel="Current password" />
          {form.message && (
            <p role="alert" className="form-error">
              {form.message}
            </p>
          )}
          <Button className="button" data-kind="primary" type="submit" data-pending={form.isSending || undefined}>
            Change password
          </Button>
        </div>
      </Form>
    </>
  );
}
