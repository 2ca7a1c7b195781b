/** One user: where they stand, what can be done with them, and tabs for what they have. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover, Text } from "react-aria-components";
import { groupsQuery } from "#admin/groups-query";
import * as commands from "#admin/user-commands";
import { StateMark } from "#admin/users/columns";
import type { Action as ServerAction } from "#graphql/graphql";
import { announce } from "#shared/ui/announce";
import { ChoiceField } from "#shared/ui/choice";
import { FormDialog, type OnceShown, SecretDialog } from "#shared/ui/dialog";
import { Field } from "#shared/ui/field";
import { flag, text } from "#shared/ui/form";
import { PageHead } from "#shared/ui/shell";
import { Empty, ErrorBox, Loading } from "#shared/ui/states";
import { CheckField } from "#shared/ui/switches";
import { userQuery } from "./query";

type Action =
  | "approve"
  | "reject"
  | "reconsider"
  | "suspend"
  | "reactivate"
  | "reset"
  | "group"
  | "grant"
  | "revoke"
  | "delete";

/** What an administrator does to a user, in the order in which it is offered, by the server's name of it. */
const ACTIONS: readonly (readonly [Action, ServerAction])[] = [
  ["approve", "APPROVE_USER"],
  ["reject", "REJECT_USER"],
  ["reconsider", "RECONSIDER_USER"],
  ["reactivate", "REACTIVATE_USER"],
  ["reset", "RESET_PASSWORD"],
  ["group", "CHANGE_GROUP"],
  ["suspend", "SUSPEND_USER"],
  ["grant", "GRANT_ROLE"],
  ["revoke", "REVOKE_ROLE"],
  ["delete", "DELETE_USER"],
];

/** Actions that stand beside the menu, at most. */
const BESIDE = 3;

const LABELS: Record<Action, string> = {
  approve: "Approve",
  reject: "Reject",
  reconsider: "Reconsider",
  suspend: "Suspend",
  reactivate: "Reactivate",
  reset: "Reset password",
  group: "Change group",
  grant: "Make administrator",
  revoke: "Take administrator away",
  delete: "Delete",
};

const DANGEROUS = new Set<Action>(["reject", "suspend", "revoke", "delete"]);

const TABS = [
  { to: "/users/$username", label: "Profile" },
  { to: "/users/$username/config", label: "UFA Config" },
  { to: "/users/$username/rules", label: "Agent Rules" },
  { to: "/users/$username/tokens", label: "Auth Tokens" },
  { to: "/users/$username/mailboxes", label: "Mailboxes" },
  { to: "/users/$username/sessions", label: "Sessions" },
  { to: "/users/$username/history", label: "History" },
] as const;

export default function UserPage() {
  const { username } = useParams({ strict: false }) as { username: string };
  const queries = useQueryClient();
  const { data: groups = [] } = useQuery(groupsQuery);
  const { data: user, error, isPending, refetch } = useQuery(userQuery(username));
  const [action, setAction] = useState<Action | null>(null);
  const [secret, setSecret] = useState<OnceShown | null>(null);
  if (isPending) return <Loading />;
  if (error) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (!user) return <Empty title={`There is no user ${username}`} />;

  const isAdministrator = user.roles.includes("ADMINISTRATOR");
  // The server says what it would accept, and why not.
  const known = ACTIONS.map(([action, name]) => {
    const { allowed = false, reason = null } = user.actions.find((one) => one.action === name) ?? {};
    return { action, allowed, reason };
  }).filter(({ action }) => (action === "grant" ? !isAdministrator : action === "revoke" ? isAdministrator : true));
  const beside = known.filter(({ allowed }) => allowed).slice(0, BESIDE);
  const others = known.filter((one) => !beside.includes(one));
  const submit = async (form: FormData) => {
    if (!action) return [];
    const run: Record<Action, () => Promise<commands.Outcome>> = {
      approve: () => commands.approve(user, text(form, "groupId")),
      reject: () => commands.reject(user, text(form, "reason")),
      reconsider: () => commands.reconsider(user),
      suspend: () => commands.suspend(user, text(form, "reason")),
      reactivate: () => commands.reactivate(user),
      reset: () => commands.reset(user, flag(form, "revokeTokens")),
      group: () => commands.changeGroup(user, text(form, "groupId")),
      grant: () => commands.grantAdministrator(user),
      revoke: () => commands.revokeAdministrator(user),
      delete: () => commands.remove(user),
    };
    const outcome = await run[action]();
    if (outcome.refusals.length === 0) {
      announce(`${LABELS[action]}: done.`);
      setSecret(outcome.secret);
      await queries.invalidateQueries({ queryKey: ["user"] });
      void queries.invalidateQueries({ queryKey: ["users"] });
    }
    return outcome.refusals;
  };
  return (
    <>
      <PageHead title={user.username} crumbs={[{ label: "Users", to: "/users" }, { label: user.username }]}>
        <StateMark state={user.state} />
        {user.group && <span>{user.group.name}</span>}
        {isAdministrator && <span className="badge">Administrator</span>}
      </PageHead>
      {user.stateReason && <p className="hint">Reason: {user.stateReason}</p>}
      {user.mustChangePassword && (
        <p className="hint">Has a temporary password that is to be changed at the next sign-in.</p>
      )}
      <div className="actions">
        {beside.map(({ action }) => (
          <Button
            key={action}
            className="button"
            data-kind={action === "approve" ? "primary" : undefined}
            onPress={() => setAction(action)}
          >
            {LABELS[action]}
          </Button>
        ))}
        <MenuTrigger>
          <Button className="button">
            More <span aria-hidden="true">▾</span>
          </Button>
          <Popover className="popover">
            <Menu className="menu" onAction={(key) => setAction(key as Action)}>
              {others.map(({ action, allowed, reason }) => (
                <MenuItem key={action} id={action} className="option" textValue={LABELS[action]} isDisabled={!allowed}>
                  <Text slot="label">{LABELS[action]}</Text>
                  {reason && (
                    <Text slot="description" className="hint">
                      {reason}
                    </Text>
                  )}
                </MenuItem>
              ))}
            </Menu>
          </Popover>
        </MenuTrigger>
      </div>
      <nav className="tablist" aria-label={`Parts of ${user.username}`}>
        {TABS.map(({ to, label }) => (
          <Link
            key={to}
            className="tab"
            to={to}
            params={{ username }}
            activeOptions={{ exact: true }}
            activeProps={{ "aria-current": "page" }}
          >
            {label}
          </Link>
        ))}
      </nav>
      <Outlet />
      {action && (
        <FormDialog
          title={`${LABELS[action]}: ${user.username}`}
          action={LABELS[action]}
          isDangerous={DANGEROUS.has(action)}
          onClose={() => setAction(null)}
          onSubmit={submit}
        >
          {(action === "approve" || action === "group") && (
            <ChoiceField
              name="groupId"
              label="Group"
              isRequired
              choices={groups.filter((group) => !group.closed).map(({ id, name }) => ({ id, label: name }))}
            />
          )}
          {(action === "reject" || action === "suspend") && <Field name="reason" label="Reason" isRequired autoFocus />}
          {action === "reset" && (
            <>
              <p>A temporary password is made and shown once. The user's sessions end.</p>
              <CheckField name="revokeTokens" value="on" label="Revoke the auth tokens as well" />
            </>
          )}
          {action === "delete" && (
            <p>The user gets in nowhere any more. The name stays taken. This can't be taken back.</p>
          )}
        </FormDialog>
      )}
      {secret && <SecretDialog title="Temporary password" secrets={[secret]} onClose={() => setSecret(null)} />}
    </>
  );
}
