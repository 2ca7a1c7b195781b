/** What can be done with the selected rows at once. Every user is a command of its own, and each refusal is named. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { groupsQuery } from "#admin/groups-query";
import { approve, changeGroup, type Outcome, reset, suspend } from "#admin/user-commands";
import type { Refusal } from "#shared/api/errors";
import { ChoiceField } from "#shared/ui/choice";
import { FormDialog, type OnceShown, SecretDialog } from "#shared/ui/dialog";
import { Field } from "#shared/ui/field";
import { text } from "#shared/ui/form";
import type { UserInGrid } from "./columns";

type Bulk = "approve" | "suspend" | "group" | "reset";

const TITLES: Record<Bulk, string> = {
  approve: "Approve",
  suspend: "Suspend",
  group: "Change the group of",
  reset: "Reset the passwords of",
};

/** Commands under way at a time. */
const AT_ONCE = 8;

export default function BulkBar({ users, onDone }: { users: readonly UserInGrid[]; onDone: () => void }) {
  const [action, setAction] = useState<Bulk | null>(null);
  const [secrets, setSecrets] = useState<OnceShown[]>([]);
  const { data: groups = [] } = useQuery(groupsQuery);
  const choices = groups.filter((group) => !group.closed).map(({ id, name }) => ({ id, label: name }));

  const run = async (form: FormData): Promise<readonly Refusal[]> => {
    const one: Record<Bulk, (user: UserInGrid) => Promise<Outcome>> = {
      approve: (user) => approve(user, text(form, "groupId")),
      suspend: (user) => suspend(user, text(form, "reason")),
      group: (user) => changeGroup(user, text(form, "groupId")),
      reset: (user) => reset(user, false),
    };
    const shown: OnceShown[] = [];
    const refusals: Refusal[] = [];
    const waiting = [...users];
    const worker = async () => {
      for (let user = waiting.shift(); user && action; user = waiting.shift()) {
        const { refusals: refused, secret } = await one[action](user);
        if (secret) shown.push(secret);
        refusals.push(
          ...refused.map((refusal) => ({ ...refusal, field: null, message: `${user?.username}: ${refusal.message}` })),
        );
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    } finally {
      // What was made is shown even if something went wrong on the way.
      setSecrets(shown.sort((a, b) => a.name.localeCompare(b.name)));
    }
    return refusals;
  };

  const names = users.length === 1 ? users[0]?.username : `${users.length} users`;
  return (
    <div className="selection-bar">
      <strong>{users.length} selected</strong>
      <MenuTrigger>
        <Button className="button">
          Do with them <span aria-hidden="true">▾</span>
        </Button>
        <Popover className="popover">
          <Menu className="menu" onAction={(key) => setAction(key as Bulk)}>
            <MenuItem className="option" id="approve">
              Approve…
            </MenuItem>
            <MenuItem className="option" id="suspend">
              Suspend…
            </MenuItem>
            <MenuItem className="option" id="group">
              Change group…
            </MenuItem>
            <MenuItem className="option" id="reset">
              Reset passwords…
            </MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      {action && secrets.length === 0 && (
        <FormDialog
          title={`${TITLES[action]} ${names}`}
          action={action === "suspend" ? "Suspend" : "Do it"}
          isDangerous={action === "suspend"}
          onClose={() => {
            setAction(null);
            onDone();
          }}
          onSubmit={run}
          staysOpen={action === "approve" || action === "reset"}
        >
          {(action === "approve" || action === "group") && (
            <ChoiceField name="groupId" label="Group" choices={choices} isRequired />
          )}
          {action === "suspend" && <Field name="reason" label="Reason" isRequired autoFocus />}
          {action === "reset" && <p>Each gets a temporary password, and their sessions end.</p>}
        </FormDialog>
      )}
      {secrets.length > 0 && (
        <SecretDialog
          title="Temporary passwords"
          secrets={secrets}
          onClose={() => {
            setSecrets([]);
            setAction(null);
            onDone();
          }}
        />
      )}
    </div>
  );
}
