/** The fields of a change of password. The server judges its strength; here only the length is counted along. */

import { useState } from "react";
import { Field } from "#shared/ui/field";

/** Characters that a password needs at least. */
const LEAST = 15;

export function PasswordFields({ currentLabel }: { currentLabel: string }) {
  const [length, setLength] = useState(0);
  return (
    <div
      onInput={(event) => {
        const input = event.target as HTMLInputElement;
        if (input.name === "newPassword") setLength([...input.value].length);
      }}
    >
      <Field
        name="currentPassword"
        label={currentLabel}
        type="password"
        autoComplete="current-password"
        isRequired
        autoFocus
      />
      <Field
        name="newPassword"
        label="New password"
        type="password"
        autoComplete="new-password"
        isRequired
        hint={`At least ${LEAST} characters: a few words that do not belong together are easy to keep in mind and hard to guess. No name, no address, no well-known phrase.`}
      />
      <label className="meter">
        <span className="hint">{length < LEAST ? `${LEAST - length} more` : "Long enough"}</span>
        <meter min={0} max={LEAST} value={Math.min(length, LEAST)} aria-label="Length of the new password" />
      </label>
    </div>
  );
}
