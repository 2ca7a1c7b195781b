//! The access policy: one table says who may do what to a user, and in which state; two functions cover groups and reading.
//!
//! Owners decide commands by it, gateways turn callers away by it, and portals learn from it what they can offer.

use crate::actor::{Actor, Roles};
use crate::id::UserId;
use crate::refusal::{Code, Refusal};
use crate::user::{Action, UserStatus};

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

/// The state in which a user takes a command.
#[derive(Clone, Copy)]
enum Required {
    /// Any, even none: the command's own rule says whether the name is free.
    AnyOrNone,
    /// Waits for approval.
    Pending,
    /// Active.
    Active,
    /// Approved: active or suspended.
    Approved,
    /// Suspended.
    Suspended,
    /// Rejected.
    Rejected,
    /// Pending, active or suspended.
    Editable,
    /// Everything but deleted.
    NotDeleted,
}

/// The table: who may do it, whether to themselves, and in which state the user has to be.
#[expect(clippy::match_same_arms, reason = "a table has one row per action")]
fn policy(action: Action) -> (Callers, AboutOneself, Required) {
    use AboutOneself::{Allowed, Refused};
    use Action as A;
    use Callers::{Administrator, Anyone, Oneself, OneselfOrAdministrator, Operator};
    use Required::{Active, AnyOrNone, Approved, Editable, NotDeleted, Pending, Rejected, Suspended};
    match action {
        A::RegisterUser => (Anyone, Allowed, AnyOrNone),
        A::CreateUser => (Administrator, Allowed, AnyOrNone),
        A::MakeFirstAdministrator => (Operator, Allowed, AnyOrNone),
        A::ApproveUser => (Administrator, Allowed, Pending),
        A::RejectUser => (Administrator, Allowed, Pending),
        A::ReconsiderUser => (Administrator, Allowed, Rejected),
        A::SuspendUser => (Administrator, Refused, Active),
        A::ReactivateUser => (Administrator, Allowed, Suspended),
        A::DeleteUser => (Administrator, Refused, NotDeleted),
        A::UpdateProfile => (OneselfOrAdministrator, Allowed, Editable),
        A::ChangeGroup => (Administrator, Allowed, Approved),
        A::ResetPassword => (Administrator, Refused, Active),
        A::ChangePassword => (Oneself, Allowed, Active),
        A::RehashPassword => (Oneself, Allowed, Active),
        A::EditUfaConfig => (OneselfOrAdministrator, Allowed, Editable),
        A::AddAgentRule => (OneselfOrAdministrator, Allowed, Editable),
        A::EditAgentRule => (OneselfOrAdministrator, Allowed, Editable),
        A::RemoveAgentRule => (OneselfOrAdministrator, Allowed, Editable),
        A::CreateMailbox => (OneselfOrAdministrator, Allowed, Editable),
        A::DeleteMailbox => (OneselfOrAdministrator, Allowed, Editable),
        A::IssueAuthToken => (OneselfOrAdministrator, Allowed, Active),
        A::RevokeAuthToken => (OneselfOrAdministrator, Allowed, Active),
        A::GrantRole => (Administrator, Allowed, Active),
        A::RevokeRole => (Administrator, Refused, Active),
    }
}

/// A user, as far as the policy looks at one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Which user.
    pub id: UserId,
    /// The roles that the user holds.
    pub roles: Roles,
    /// The status.
    pub status: UserStatus,
}

/// Whether the actor may do this to the user now. An owner answers a command in the same way, unless what the command asks
/// for is refused: a value, an object that the user doesn't have, a limit that is reached.
pub fn may_now(actor: &Actor, action: Action, subject: &Subject) -> Result<(), Denial> {
    may(actor, action, subject.id, subject.roles)?;
    require_state(action, Some(subject.status)).map_err(Denial::Refused)
}

/// Whether the actor may ask this of such a user at all. Says nothing about whether the user exists.
pub fn may_ask(actor: &Actor, action: Action, target: UserId) -> bool {
    let (is_oneself, is_administrator) = match actor {
        Actor::System => return true,
        Actor::Anonymous => (false, false),
        Actor::User { id, roles, .. } => (*id == target, roles.may_administer()),
    };
    match policy(action).0 {
        Callers::Anyone => true,
        Callers::Oneself => is_oneself,
        Callers::OneselfOrAdministrator => is_oneself || is_administrator,
        Callers::Administrator => is_administrator,
        Callers::Operator => false,
    }
}

/// Whether the actor may do this to the user, who holds `roles`, whatever state the user is in.
///
/// Beside the table, one rule holds for everything but registering. If another user holds a role that the actor does
/// not hold, the actor may do nothing to that user.
pub fn may(actor: &Actor, action: Action, target: UserId, roles: Roles) -> Result<(), Denial> {
    if !may_ask(actor, action, target) {
        return Err(Denial::Forbidden);
    }
    let (callers, about_oneself, _) = policy(action);
    let Actor::User { id, .. } = actor else { return Ok(()) };
    if matches!(callers, Callers::Anyone) {
        return Ok(());
    }
    if *id == target && about_oneself == AboutOneself::Refused {
        let message = refused_about_oneself(action);
        return Err(Denial::Refused(Refusal::new(Code::NotOnYourself, message).at("userId")));
    }
    require_rank(actor, target, roles)
}

/// Whether the actor may end the sessions of this user, who holds `roles`: their own, or as an administrator those of others.
pub fn may_end_sessions(actor: &Actor, target: UserId, roles: Roles) -> Result<(), Denial> {
    if !may_see(actor, target) {
        return Err(Denial::Forbidden);
    }
    require_rank(actor, target, roles)
}

/// Refuses what an actor asks of another user who holds a role that the actor does not hold.
fn require_rank(actor: &Actor, target: UserId, roles: Roles) -> Result<(), Denial> {
    match actor {
        Actor::User { id, roles: held, .. } if *id != target && !held.covers(roles) => {
            let message = "This user holds a right that you do not hold.";
            Err(Denial::Refused(Refusal::new(Code::Outranked, message).at("userId")))
        }
        _ => Ok(()),
    }
}

fn refused_about_oneself(action: Action) -> &'static str {
    match action {
        // Nobody else may be there to hand the temporary password over, or to reset it again.
        Action::ResetPassword => "Nobody resets their own password: change it.",
        _ => "Nobody suspends, deletes or takes a role from themselves.",
    }
}

/// Requires the state in which a user takes the command. `None` is a name that nobody has registered.
pub fn require_state(action: Action, status: Option<UserStatus>) -> Result<(), Refusal> {
    use UserStatus::{Active, Deleted, Pending, Rejected, Suspended};
    let required = policy(action).2;
    if matches!(required, Required::AnyOrNone) {
        return Ok(());
    }
    let status = status.ok_or_else(unknown_user)?;
    let (code, message) = match (required, status) {
        (Required::AnyOrNone, _)
        | (Required::Pending, Pending)
        | (Required::Active, Active)
        | (Required::Approved, Active | Suspended)
        | (Required::Suspended, Suspended)
        | (Required::Rejected, Rejected)
        | (Required::Editable, Pending | Active | Suspended)
        | (Required::NotDeleted, Pending | Active | Suspended | Rejected) => return Ok(()),
        (Required::Pending, Active | Suspended) => {
            (Code::AlreadyApproved, "This user has been approved already.")
        }
        (Required::Pending, Rejected | Deleted) => {
            (Code::NotPending, "This user does not wait for approval.")
        }
        (Required::Active, _) => (Code::NotActive, "This user is not active."),
        (Required::Approved, _) => (Code::NotActive, "Only an approved user can change groups."),
        (Required::Suspended, _) => (Code::NotSuspended, "This user is not suspended."),
        (Required::Rejected, _) => (Code::NotRejected, "This user is not rejected."),
        (Required::Editable, _) => (Code::NotEditable, "A rejected or deleted user can't be edited."),
        (Required::NotDeleted, _) => (Code::AlreadyDeleted, "This user has been deleted already."),
    };
    Err(Refusal::new(code, message))
}

/// The refusal of a command about a user who does not exist.
pub(crate) fn unknown_user() -> Refusal {
    Refusal::new(Code::UnknownUser, "There is no such user.").at("userId")
}

/// Whether the actor may ask commands of groups and webhooks, and read what concerns everybody: users, groups, webhooks,
/// the audit log.
pub fn may_administer(actor: &Actor) -> bool {
    match actor {
        Actor::System => true,
        Actor::Anonymous => false,
        Actor::User { roles, .. } => roles.may_administer(),
    }
}

/// Whether the actor may read this user's data.
pub fn may_see(actor: &Actor, user: UserId) -> bool {
    may_administer(actor) || actor.user() == Some(user)
}
