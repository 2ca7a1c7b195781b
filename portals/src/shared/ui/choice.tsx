/** A field that takes one of several values. */

import { Button, FieldError, Label, ListBox, ListBoxItem, Popover, Select, SelectValue } from "react-aria-components";

export interface Choice {
  id: string;
  label: string;
}

interface ChoiceProps {
  name: string;
  label: string;
  choices: readonly Choice[];
  defaultValue?: string | undefined;
  isRequired?: boolean;
  placeholder?: string;
  onChange?: (id: string) => void;
}

export function ChoiceField({
  name,
  label,
  choices,
  defaultValue,
  isRequired = false,
  placeholder,
  onChange,
}: ChoiceProps) {
  return (
    <Select
      className="field"
      name={name}
      isRequired={isRequired}
      placeholder={placeholder ?? "Choose…"}
      {...(defaultValue ? { defaultValue } : {})}
      onChange={(key) => key !== null && onChange?.(String(key))}
    >
      <Label>{label}</Label>
      <Button className="select-button">
        <SelectValue />
        <span aria-hidden="true">▾</span>
      </Button>
      <FieldError className="field-error" />
      <Popover className="popover">
        <ListBox className="listbox" items={choices}>
          {(choice) => (
            <ListBoxItem className="option" id={choice.id}>
              {choice.label}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}
