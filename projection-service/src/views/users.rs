//! Users: one row a user.

use domain::actor::Roles;
use domain::user::Event;
use domain::user::UserStatus;
use domain::user::agent::UfaConfig;
use domain::user::onboarding::Registered;
use read_model::users::UserRow;

use super::At;

/// The row after the event. `None` for an event of a user who was never registered.
pub(crate) fn fold(before: Option<UserRow>, event: &Event, at: At) -> Option<UserRow> {
    // Never before that of an earlier event: the history is ordered by it, and clocks may go back.
    let updated_at = before.as_ref().map_or(at.time, |row| row.updated_at.max(at.time));
    let mut row = match event {
        Event::Registered(registered) => return Some(UserRow { updated_at, ..anew(registered, at) }),
        _ => before?,
    };
    row.version = at.sequence;
    row.log_offset = at.offset;
    row.updated_at = updated_at;
    match event {
        Event::Registered(_)
        | Event::MailboxCreated(_)
        | Event::MailboxDeleted(_)
        | Event::AuthTokenIssued(_)
        | Event::AuthTokenRevoked(_) => {}
        Event::Approved(approved) => {
            stand(&mut row, UserStatus::Active, None);
            row.group.clone_from(&approved.group);
        }
        Event::Rejected(rejected) => stand(&mut row, UserStatus::Rejected, Some(&rejected.reason)),
        Event::Reconsidered(_) => stand(&mut row, UserStatus::Pending, None),
        Event::Suspended(suspended) => stand(&mut row, UserStatus::Suspended, Some(&suspended.reason)),
        Event::Reactivated(_) => stand(&mut row, UserStatus::Active, None),
        Event::Deleted(_) => row = emptied(row, at),
        Event::ProfileUpdated(updated) => {
            let personal = &updated.personal.new;
            row.first_name.clone_from(&personal.first_name);
            row.last_name.clone_from(&personal.last_name);
            row.phone.clone_from(&personal.phone);
        }
        Event::EmailChanged(changed) => row.email.clone_from(&changed.personal.new.email),
        Event::GroupChanged(changed) => row.group = Some(changed.group.new.clone()),
        Event::PasswordReset(_) => row.must_change_password = true,
        Event::PasswordChanged(_) => row.must_change_password = false,
        Event::UfaConfigEdited(edited) => {
            row.config = edited.config.new.clone();
            agent_changed(&mut row, at);
        }
        // Mailboxes don't count: a rule only uses existing ones, and a used one can't be deleted.
        Event::AgentRuleAdded(_) | Event::AgentRuleEdited(_) | Event::AgentRuleRemoved(_) => {
            agent_changed(&mut row, at);
        }
        Event::RoleGranted(granted) => row.roles = row.roles.with(granted.role),
        Event::RoleRevoked(revoked) => row.roles = row.roles.without(revoked.role),
    }
    Some(row)
}

/// Whether the user starts anew with this event, without earlier rules, mailboxes and tokens.
pub(crate) fn clears(event: &Event) -> bool {
    matches!(event, Event::Registered(_) | Event::Deleted(_))
}

fn anew(registered: &Registered, at: At) -> UserRow {
    let personal = registered.personal.clone();
    UserRow {
        id: at.user,
        username: registered.username.clone(),
        first_name: personal.first_name,
        last_name: personal.last_name,
        phone: personal.phone,
        email: personal.email,
        group: None,
        state: UserStatus::Pending,
        state_reason: None,
        roles: Roles::BASE,
        must_change_password: false,
        registered_at: at.time,
        updated_at: at.time,
        version: at.sequence,
        partition: at.partition,
        log_offset: at.offset,
        config: UfaConfig::default(),
        ufa_version: at.sequence,
        ufa_updated_at: at.time,
    }
}

/// The row of a deleted user. The name stays, because it stays taken.
fn emptied(row: UserRow, at: At) -> UserRow {
    UserRow {
        first_name: None,
        last_name: None,
        phone: None,
        email: None,
        group: None,
        state: UserStatus::Deleted,
        state_reason: None,
        roles: Roles::BASE,
        must_change_password: false,
        config: UfaConfig::default(),
        ufa_version: at.sequence,
        ufa_updated_at: at.time,
        ..row
    }
}

fn stand(row: &mut UserRow, state: UserStatus, reason: Option<&String>) {
    row.state = state;
    row.state_reason = reason.cloned();
}

fn agent_changed(row: &mut UserRow, at: At) {
    row.ufa_version = at.sequence;
    row.ufa_updated_at = at.time;
}
