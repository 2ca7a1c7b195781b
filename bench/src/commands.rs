//! The commands that are measured, each made in one place.

use std::time::Duration;

use anyhow::{Result, bail};
use domain::actor::{Actor, Client, Role, Roles};
use domain::address::EmailReservation;
use domain::command::{Answer, Ask, Command};
use domain::decision_context::Prepared;
use domain::group::{self, CreateGroup};
use domain::id::{AddressId, GroupId, ReservationId, UserId};
use domain::names::GroupName;
use domain::names::Username;
use domain::patch::Patch;
use domain::testing;
use domain::timestamp::Timestamp;
use domain::user::{self, lifecycle, onboarding, password, profile};
use load::Turn;
use log_model::Position;
use uuid::Uuid;

/// For how long made passwords would work.
const VALID: Duration = Duration::from_hours(72);

/// A registration under a name that `run` and `number` make unique.
pub fn register(run: &str, number: u64) -> Command {
    let name = format!("{run}-{number}");
    let asked = registration(&name);
    of_user(&name, &name, Actor::Anonymous, asked, None)
}

/// What somebody with this name asks who wants to be let in.
pub fn registration(name: &str) -> user::Command {
    user::Command::RegisterUser(onboarding::RegisterUser {
        first_name: "Alexandra".to_owned(),
        last_name: "Montgomery".to_owned(),
        phone: Some("+49 30 1234567".to_owned()),
        ..testing::registration(name)
    })
}

/// Letting somebody in, with a temporary password.
pub fn approval(group: &Group) -> (user::Command, Prepared) {
    (user::Command::ApproveUser(onboarding::ApproveUser { group_id: group.id }), temporary_password())
}

/// A new temporary password.
pub fn reset() -> (user::Command, Prepared) {
    let asked = user::Command::ResetPassword(password::ResetPassword { revoke_tokens: false });
    (asked, temporary_password())
}

/// Another last name.
pub fn rename(name: &str) -> user::Command {
    let last_name = Patch::Set(name.to_owned());
    user::Command::UpdateProfile(profile::UpdateProfile { last_name, ..Default::default() })
}

/// A suspension.
pub fn suspension() -> user::Command {
    user::Command::SuspendUser(lifecycle::SuspendUser { reason: "A benchmark asked for it.".to_owned() })
}

/// A rejection.
pub fn rejection() -> user::Command {
    user::Command::RejectUser(onboarding::RejectUser { reason: "A benchmark asked for it.".to_owned() })
}

/// A command of an administrator, asked under an id of its own.
pub fn administered(
    name: &str,
    id: &str,
    asked: user::Command,
    prepared: Option<Prepared>,
    group: &Group,
) -> Command {
    let mut command = of_user(name, id, administrator(), asked, prepared);
    command.seen = group.seen.clone();
    command
}

/// The group that users are approved into, and what of the log shows it.
#[derive(Debug, Clone)]
pub struct Group {
    id: GroupId,
    seen: Position,
}

impl Group {
    /// The command that makes it.
    pub fn creation(run: &str) -> Command {
        let name = GroupName::parse(run).expect("letters and digits");
        let command = group::Command::CreateGroup(CreateGroup { name: run.to_owned(), ..Default::default() });
        envelope(
            run,
            administrator(),
            Ask::Group { id: GroupId::of(&name), expected_version: None, command },
            None,
        )
    }

    /// The group once [`Self::creation`] was answered.
    pub fn created(run: &str, answer: Answer) -> Result<Self> {
        let name = GroupName::parse(run).expect("letters and digits");
        match answer {
            Answer::Accepted { position, .. } => Ok(Self { id: GroupId::of(&name), seen: position }),
            other => bail!("{other:?}"),
        }
    }
}

/// What a client asks in its turn: it registers a user, then approves it, then registers the next.
pub fn onboarding(run: &str, turn: Turn, group: &Group) -> Command {
    let user = format!("{run}-{}-{}", turn.client, turn.count / 2);
    let id = format!("{run}-{}", turn.number);
    if turn.count.is_multiple_of(2) {
        return of_user(&user, &id, Actor::Anonymous, registration(&user), None);
    }
    let (asked, prepared) = approval(group);
    administered(&user, &id, asked, Some(prepared), group)
}

/// A word that no earlier run on the same servers had: the microsecond it began.
pub fn run_name() -> String {
    let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
    format!("b{now}")
}

/// A command about the user of this name. Everything that is asked of users is put together here.
pub fn of_user(
    name: &str,
    id: &str,
    actor: Actor,
    asked: user::Command,
    prepared: Option<Prepared>,
) -> Command {
    let username = Username::parse(name).expect("letters, digits and a dash");
    envelope(
        id,
        actor,
        Ask::User { id: UserId::of(&username), expected_version: None, command: asked },
        prepared,
    )
}

fn envelope(id: &str, actor: Actor, ask: Ask, prepared: Option<Prepared>) -> Command {
    // As if it had been granted: what is measured is the owner of the user.
    let reservation = match &ask {
        Ask::User { command: user::Command::RegisterUser(asked), .. } => Some(EmailReservation {
            id: ReservationId::from_uuid(Uuid::now_v7()),
            address: AddressId::of(&asked.email),
        }),
        _ => None,
    };
    Command {
        id: id.to_owned(),
        actor,
        client: Client { address: Some("127.0.0.1".to_owned()), agent: Some("bench".to_owned()) },
        correlation_id: id.to_owned(),
        prepared,
        reservation,
        ..testing::command(ask)
    }
}

fn administrator() -> Actor {
    let name = Username::parse("administrator").expect("letters alone");
    let roles = Roles::BASE.with(Role::Administrator);
    Actor::User { id: UserId::of(&name), name: name.to_string(), roles }
}

fn temporary_password() -> Prepared {
    let expires_at = Timestamp::from(time::OffsetDateTime::now_utc()) + VALID;
    Prepared::TemporaryPassword { digest: "5e".repeat(32), expires_at }
}
