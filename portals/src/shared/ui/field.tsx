/** A text field with its label, hint and error. The name is that of the field in the mutation's input. */

import type { ReactNode } from "react";
import { FieldError, Input, Label, Text, TextArea, TextField } from "react-aria-components";

interface FieldProps {
  name: string;
  label: string;
  hint?: ReactNode;
  defaultValue?: string | undefined;
  isRequired?: boolean;
  autoFocus?: boolean;
  autoComplete?: string;
  type?: "text" | "email" | "password" | "tel" | "search";
  maxLength?: number;
}

export function Field({ name, label, hint, ...input }: FieldProps & { isLong?: boolean }) {
  const { isLong, isRequired = false, defaultValue, autoFocus = false, autoComplete, type = "text", maxLength } = input;
  const props = {
    name,
    isRequired,
    type,
    ...(autoComplete ? { autoComplete } : {}),
    ...(maxLength ? { maxLength } : {}),
  };
  return (
    <TextField className="field" {...props} defaultValue={defaultValue ?? ""} autoFocus={autoFocus} spellCheck="false">
      <Label>{label}</Label>
      {isLong ? <TextArea rows={3} /> : <Input />}
      {hint && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="field-error" />
    </TextField>
  );
}
