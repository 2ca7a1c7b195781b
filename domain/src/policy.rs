//! Who may do what to whom: one pure function for commands, one for reading.

use crate::actor::{Actor, Role, Roles};
use crate::id::UserId;
use crate::refusal::{Code, Refusal};
use crate::user;

#[cfg(test)]
#[path = "policy_spec.rs"]
mod spec;

/// Why somebody may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// It is not theirs to ask. What it was about may not even exist.
    Forbidden,
    /// They may ask such things, but not of this user.
    Refused(Refusal),
}

/// Who may ask a command at all.
enum Whose {
    /// Anybody, signed in or not.
    Anybodys,
    /// The user alone.
    Own,
    /// The user and administrators.
    OwnOrAdministrators,
    /// Administrators.
    Administrators,
    /// The operator at the command line.
    Operators,
}

/// Whether the actor may ask this of the user, who holds `roles`.
pub fn may(actor: &Actor, command: &user::Command, target: UserId, roles: Roles) -> Result<(), Denial> {
    let (own, administrator, held) = match actor {
        Actor::System => return Ok(()),
        Actor::Anonymous => (false, false, None),
        Actor::User { id, roles, .. } => (*id == target, roles.contains(Role::Administrator), Some(*roles)),
    };
    let allowed = match whose(command) {
        Whose::Anybodys => return Ok(()),
        Whose::Own => own,
        Whose::OwnOrAdministrators => own || administrator,
        Whose::Administrators => administrator,
        Whose::Operators => false,
    };
    if !allowed {
        return Err(Denial::Forbidden);
    }
    if own && is_not_for_oneself(command) {
        let message = "Nobody suspends, deletes or takes a role from themselves.";
        return Err(Denial::Refused(Refusal::new(Code::NotOnYourself, message).at("userId")));
    }
    if !own && held.is_some_and(|held| !held.covers(roles)) {
        let message = "This user holds a right that you do not hold.";
        return Err(Denial::Refused(Refusal::new(Code::Outranked, message).at("userId")));
    }
    Ok(())
}

/// Whether the actor may ask anything of groups, and read what is about everybody: users, groups, the audit log.
pub fn may_administer(actor: &Actor) -> bool {
    match actor {
        Actor::System => true,
        Actor::Anonymous => false,
        Actor::User { roles, .. } => roles.contains(Role::Administrator),
    }
}

/// Whether the actor may read what is about this user.
pub fn may_see(actor: &Actor, user: UserId) -> bool {
    may_administer(actor) || actor.user() == Some(user)
}

fn whose(command: &user::Command) -> Whose {
    use user::Command as C;
    match command {
        C::RegisterUser(_) => Whose::Anybodys,
        C::ChangePassword | C::RehashPassword => Whose::Own,
        C::UpdateProfile(_)
        | C::EditUfaConfig(_)
        | C::AddAgentRule(_)
        | C::EditAgentRule(_)
        | C::RemoveAgentRule(_)
        | C::CreateMailbox(_)
        | C::DeleteMailbox(_)
        | C::IssueAuthToken(_)
        | C::RevokeAuthToken(_) => Whose::OwnOrAdministrators,
        C::CreateUser(_)
        | C::ApproveUser(_)
        | C::RejectUser(_)
        | C::ReconsiderUser
        | C::SuspendUser(_)
        | C::ReactivateUser
        | C::DeleteUser
        | C::ChangeGroup(_)
        | C::ResetPassword(_)
        | C::GrantRole(_)
        | C::RevokeRole(_) => Whose::Administrators,
        C::MakeFirstAdministrator(_) => Whose::Operators,
    }
}

fn is_not_for_oneself(command: &user::Command) -> bool {
    use user::Command as C;
    matches!(command, C::SuspendUser(_) | C::DeleteUser | C::RevokeRole(_))
}
