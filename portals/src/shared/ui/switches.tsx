/** Fields that are on or off: a switch, and a box among several. */

import { Checkbox, Switch } from "react-aria-components";

export function SwitchField({
  name,
  label,
  defaultSelected,
}: {
  name: string;
  label: string;
  defaultSelected: boolean;
}) {
  return (
    <Switch className="switch" name={name} value="on" defaultSelected={defaultSelected}>
      <span className="switch-track" aria-hidden="true" />
      {label}
    </Switch>
  );
}

export function CheckField({
  name,
  value,
  label,
  defaultSelected = false,
}: {
  name: string;
  value: string;
  label: string;
  defaultSelected?: boolean;
}) {
  return (
    <Checkbox className="check" name={name} value={value} defaultSelected={defaultSelected}>
      <span className="check-box" aria-hidden="true" />
      {label}
    </Checkbox>
  );
}
