/** The commands that an administrator gives about one user, each answered with refusals and at times a secret. */

import { ask } from "#shared/api/ask";
import { refusalsOf, send } from "#shared/api/commands";
import type { Refusal } from "#shared/api/errors";
import { graphql } from "#shared/api/graphql";
import { dateTime } from "#shared/format";
import type { OnceShown } from "#shared/ui/dialog";

const Approve = graphql(`
  mutation ApproveUser($input: ApproveUserInput!) {
    approveUser(input: $input) { temporaryPassword expiresAt userErrors { code message field } }
  }
`);
const Reject = graphql(`
  mutation RejectUser($input: RejectUserInput!) { rejectUser(input: $input) { userErrors { code message field } } }
`);
const Reconsider = graphql(`
  mutation ReconsiderUser($input: ReconsiderUserInput!) { reconsiderUser(input: $input) { userErrors { code message field } } }
`);
const Suspend = graphql(`
  mutation SuspendUser($input: SuspendUserInput!) { suspendUser(input: $input) { userErrors { code message field } } }
`);
const Reactivate = graphql(`
  mutation ReactivateUser($input: ReactivateUserInput!) { reactivateUser(input: $input) { userErrors { code message field } } }
`);
const Delete = graphql(`
  mutation DeleteUser($input: DeleteUserInput!) { deleteUser(input: $input) { userErrors { code message field } } }
`);
const Reset = graphql(`
  mutation ResetPassword($input: ResetPasswordInput!) {
    resetPassword(input: $input) { temporaryPassword expiresAt userErrors { code message field } }
  }
`);
const ChangeGroup = graphql(`
  mutation ChangeGroup($input: ChangeGroupInput!) { changeGroup(input: $input) { userErrors { code message field } } }
`);
const GrantRole = graphql(`
  mutation GrantRole($input: GrantRoleInput!) { grantRole(input: $input) { userErrors { code message field } } }
`);
const RevokeRole = graphql(`
  mutation RevokeRole($input: RevokeRoleInput!) { revokeRole(input: $input) { userErrors { code message field } } }
`);

export interface Target {
  id: string;
  username: string;
}

export interface Outcome {
  refusals: readonly Refusal[];
  secret: OnceShown | null;
}

interface Payload {
  userErrors: readonly Refusal[];
  temporaryPassword?: string | null;
  expiresAt?: string | null;
}

function outcome(user: Target, payload: Payload | null | undefined): Outcome {
  const refusals = refusalsOf(payload);
  const secret = payload?.temporaryPassword
    ? {
        name: user.username,
        secret: payload.temporaryPassword,
        until: payload.expiresAt ? dateTime(payload.expiresAt) : null,
      }
    : null;
  return { refusals, secret };
}

export const approve = async (user: Target, groupId: string): Promise<Outcome> =>
  outcome(
    user,
    (await send((commandId) => ask(Approve, { input: { userId: user.id, groupId, commandId } }))).approveUser,
  );
export const reset = async (user: Target, revokeTokens: boolean): Promise<Outcome> =>
  outcome(
    user,
    (await send((commandId) => ask(Reset, { input: { userId: user.id, revokeTokens, commandId } }))).resetPassword,
  );
export const reject = async (user: Target, reason: string): Promise<Outcome> =>
  outcome(user, (await send((commandId) => ask(Reject, { input: { userId: user.id, reason, commandId } }))).rejectUser);
export const reconsider = async (user: Target): Promise<Outcome> =>
  outcome(user, (await send((commandId) => ask(Reconsider, { input: { userId: user.id, commandId } }))).reconsiderUser);
export const suspend = async (user: Target, reason: string): Promise<Outcome> =>
  outcome(
    user,
    (await send((commandId) => ask(Suspend, { input: { userId: user.id, reason, commandId } }))).suspendUser,
  );
export const reactivate = async (user: Target): Promise<Outcome> =>
  outcome(user, (await send((commandId) => ask(Reactivate, { input: { userId: user.id, commandId } }))).reactivateUser);
export const remove = async (user: Target): Promise<Outcome> =>
  outcome(user, (await send((commandId) => ask(Delete, { input: { userId: user.id, commandId } }))).deleteUser);
export const changeGroup = async (user: Target, groupId: string): Promise<Outcome> =>
  outcome(
    user,
    (await send((commandId) => ask(ChangeGroup, { input: { userId: user.id, groupId, commandId } }))).changeGroup,
  );
export const grantAdministrator = async (user: Target): Promise<Outcome> =>
  outcome(
    user,
    (await send((commandId) => ask(GrantRole, { input: { userId: user.id, role: "ADMINISTRATOR", commandId } })))
      .grantRole,
  );
export const revokeAdministrator = async (user: Target): Promise<Outcome> =>
  outcome(
    user,
    (await send((commandId) => ask(RevokeRole, { input: { userId: user.id, role: "ADMINISTRATOR", commandId } })))
      .revokeRole,
  );
