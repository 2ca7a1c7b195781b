//! The access policy: one table says who may ask each command of a user; two functions cover groups and reading.

use crate::actor::{Actor, Role, Roles};
use crate::id::UserId;
use crate::refusal::{Code, Refusal};
use crate::user;

#[cfg(test)]
#[path = "policy_spec.rs"]
mod spec;

/// Why an actor is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// The actor may not ask this command of the user. The answer doesn't say whether the user exists.
    Forbidden,
    /// The actor may ask such commands, but not of this user.
    Refused(Refusal),
}

/// Who may ask a command. The system itself may ask every one.
enum Callers {
    /// Everybody, signed in or not.
    Anyone,
    /// The user whom the command is about, and nobody else.
    Oneself,
    /// The user whom the command is about, and administrators.
    OneselfOrAdministrator,
    /// Administrators.
    Administrator,
    /// Nobody but the system: an operator at the command line.
    Operator,
}

/// Whether callers may ask a command about themselves.
#[derive(PartialEq, Eq)]
enum AboutOneself {
    Allowed,
    Refused,
}

/// The table: who may ask a command, and whether about themselves.
#[expect(clippy::match_same_arms, reason = "a table has one row per command")]
fn policy(command: &user::Command) -> (Callers, AboutOneself) {
    use AboutOneself::{Allowed, Refused};
    use Callers::{Administrator, Anyone, Oneself, OneselfOrAdministrator, Operator};
    use user::Command as C;
    match command {
        C::RegisterUser(_) => (Anyone, Allowed),
        C::CreateUser(_) => (Administrator, Allowed),
        C::MakeFirstAdministrator(_) => (Operator, Allowed),
        C::ApproveUser(_) => (Administrator, Allowed),
        C::RejectUser(_) => (Administrator, Allowed),
        C::ReconsiderUser => (Administrator, Allowed),
        C::SuspendUser(_) => (Administrator, Refused),
        C::ReactivateUser => (Administrator, Allowed),
        C::DeleteUser => (Administrator, Refused),
        C::UpdateProfile(_) => (OneselfOrAdministrator, Allowed),
        C::ChangeGroup(_) => (Administrator, Allowed),
        C::ResetPassword(_) => (Administrator, Refused),
        C::ChangePassword => (Oneself, Allowed),
        C::RehashPassword => (Oneself, Allowed),
        C::EditUfaConfig(_) => (OneselfOrAdministrator, Allowed),
        C::AddAgentRule(_) => (OneselfOrAdministrator, Allowed),
        C::EditAgentRule(_) => (OneselfOrAdministrator, Allowed),
        C::RemoveAgentRule(_) => (OneselfOrAdministrator, Allowed),
        C::CreateMailbox(_) => (OneselfOrAdministrator, Allowed),
        C::DeleteMailbox(_) => (OneselfOrAdministrator, Allowed),
        C::IssueAuthToken(_) => (OneselfOrAdministrator, Allowed),
        C::RevokeAuthToken(_) => (OneselfOrAdministrator, Allowed),
        C::GrantRole(_) => (Administrator, Allowed),
        C::RevokeRole(_) => (Administrator, Refused),
    }
}

/// Whether the actor may ask this of the user, who holds `roles`.
///
/// Beside the table, one rule holds for every command but registering. If another user holds a role that the actor does
/// not hold, the actor may do nothing to that user.
pub fn may(actor: &Actor, command: &user::Command, target: UserId, roles: Roles) -> Result<(), Denial> {
    let (is_oneself, is_administrator, held) = match actor {
        Actor::System => return Ok(()),
        Actor::Anonymous => (false, false, None),
        Actor::User { id, roles, .. } => (*id == target, roles.contains(Role::Administrator), Some(*roles)),
    };
    let (callers, about_oneself) = policy(command);
    let is_allowed = match callers {
        Callers::Anyone => return Ok(()),
        Callers::Oneself => is_oneself,
        Callers::OneselfOrAdministrator => is_oneself || is_administrator,
        Callers::Administrator => is_administrator,
        Callers::Operator => false,
    };
    if !is_allowed {
        return Err(Denial::Forbidden);
    }
    if is_oneself && about_oneself == AboutOneself::Refused {
        let message = refused_about_oneself(command);
        return Err(Denial::Refused(Refusal::new(Code::NotOnYourself, message).at("userId")));
    }
    if !is_oneself && held.is_some_and(|held| !held.covers(roles)) {
        let message = "This user holds a right that you do not hold.";
        return Err(Denial::Refused(Refusal::new(Code::Outranked, message).at("userId")));
    }
    Ok(())
}

fn refused_about_oneself(command: &user::Command) -> &'static str {
    match command {
        // Nobody else may be there to hand the temporary password over, or to reset it again.
        user::Command::ResetPassword(_) => "Nobody resets their own password: change it.",
        _ => "Nobody suspends, deletes or takes a role from themselves.",
    }
}

/// Whether the actor may ask commands of groups and read what concerns everybody: users, groups, the audit log.
pub fn may_administer(actor: &Actor) -> bool {
    match actor {
        Actor::System => true,
        Actor::Anonymous => false,
        Actor::User { roles, .. } => roles.contains(Role::Administrator),
    }
}

/// Whether the actor may read this user's data.
pub fn may_see(actor: &Actor, user: UserId) -> bool {
    may_administer(actor) || actor.user() == Some(user)
}
