/** Search and filters of the users grid. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import {
  Button,
  Input,
  Label,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  SearchField,
  type Selection,
  TextField,
} from "react-aria-components";
import { groupsQuery } from "#admin/groups-query";
import type { UserState } from "#graphql/graphql";
import { word } from "#shared/format";
import type { Choice } from "#shared/ui/choice";
import { columns } from "./columns";
import { STATES, type UsersSearch } from "./search";

/** How long typing pauses before the grid follows, in milliseconds. */
const PAUSE = 150;

export function Filters({ search, onChange }: { search: UsersSearch; onChange: (search: UsersSearch) => void }) {
  // Groups are asked for when somebody chooses among them, or their names are shown.
  const [choosing, setChoosing] = useState(false);
  const { data: groups } = useQuery({ ...groupsQuery, enabled: choosing || search.group !== undefined });
  return (
    <search className="toolbar">
      <SearchText value={search.q ?? ""} onChange={(q) => onChange(q ? { ...search, q } : without(search, "q"))} />
      <ManyOf
        label="State"
        choices={STATES.map((id) => ({ id, label: word(id) }))}
        chosen={search.state ?? []}
        onChange={(state) =>
          onChange(state.length ? { ...search, state: state as UserState[] } : without(search, "state"))
        }
      />
      <ManyOf
        label="Group"
        choices={(groups ?? []).map((group) => ({ id: group.id, label: group.name }))}
        chosen={search.group ?? []}
        onOpen={() => setChoosing(true)}
        onChange={(group) => onChange(group.length ? { ...search, group } : without(search, "group"))}
      />
      <Day
        label="Registered from"
        value={search.from}
        onChange={(from) => onChange(from ? { ...search, from } : without(search, "from"))}
      />
      <Day
        label="Registered before"
        value={search.to}
        onChange={(to) => onChange(to ? { ...search, to } : without(search, "to"))}
      />
      <ManyOf
        label="Hidden columns"
        choices={columns.filter((column) => !column.isRowHeader).map(({ id, header }) => ({ id, label: header }))}
        chosen={search.hide ?? []}
        onChange={(hide) => onChange(hide.length ? { ...search, hide } : without(search, "hide"))}
      />
    </search>
  );
}

const without = (search: UsersSearch, name: keyof UsersSearch): UsersSearch => {
  const { [name]: _left, ...rest } = search;
  return rest;
};

/** Keeps what is typed, and follows the address when that changes from elsewhere, such as by the back button. */
function SearchText({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is typed starts the pause
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), PAUSE);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <SearchField className="field grow" value={typed} onChange={setTyped}>
      <Label>Search</Label>
      <Input className="search" placeholder="Beginning of a name or an address" />
    </SearchField>
  );
}

interface ManyOfProps {
  label: string;
  choices: readonly Choice[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
  onOpen?: () => void;
}

function ManyOf({ label, choices, chosen, onChange, onOpen }: ManyOfProps) {
  const names = choices.filter(({ id }) => chosen.includes(id)).map(({ label }) => label);
  const select = (keys: Selection) => onChange(keys === "all" ? choices.map(({ id }) => id) : [...keys].map(String));
  return (
    <MenuTrigger onOpenChange={(isOpen) => isOpen && onOpen?.()}>
      <Button className="button" aria-label={`${label}: ${names.join(", ") || "any"}`}>
        {label}
        {names.length > 0 ? `: ${names.join(", ")}` : ""} <span aria-hidden="true">▾</span>
      </Button>
      <Popover className="popover">
        <Menu
          className="menu"
          aria-label={label}
          selectionMode="multiple"
          selectedKeys={chosen}
          onSelectionChange={select}
          items={choices}
          renderEmptyState={() => <p className="hint">Nothing to choose.</p>}
        >
          {(choice) => (
            <MenuItem className="option" id={choice.id} textValue={choice.label}>
              {({ isSelected }) => (
                <>
                  <span aria-hidden="true">{isSelected ? "☑" : "☐"}</span> {choice.label}
                </>
              )}
            </MenuItem>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function Day({
  label,
  value,
  onChange,
}: {
  label: string;
  value?: string | undefined;
  onChange: (day: string) => void;
}) {
  return (
    <TextField className="field" value={value ?? ""} onChange={onChange}>
      <Label>{label}</Label>
      <Input type="date" />
    </TextField>
  );
}
