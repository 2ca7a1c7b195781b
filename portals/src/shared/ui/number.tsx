/** A field that takes a whole number. */

import { FieldError, Input, Label, NumberField, Text } from "react-aria-components";

interface NumberProps {
  name: string;
  label: string;
  hint?: string;
  defaultValue: number;
  min: number;
  max?: number;
}

export function NumberInput({ name, label, hint, defaultValue, min, max }: NumberProps) {
  return (
    <NumberField
      className="field"
      name={name}
      defaultValue={defaultValue}
      minValue={min}
      {...(max ? { maxValue: max } : {})}
      isRequired
      formatOptions={{ useGrouping: false }}
    >
      <Label>{label}</Label>
      <Input />
      {hint && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="field-error" />
    </NumberField>
  );
}
