//! What clients ask: commands for a pool of users, often of the same ones, drawn at random.

use std::sync::{Arc, Mutex};

use domain::actor::{Actor, Client, Roles};
use domain::command::{Ask, Command};
use domain::decision_context::Prepared;
use domain::group;
use domain::id::{GroupId, UserId};
use domain::names::GroupName;
use domain::names::Username;
use domain::patch::Patch;
use domain::testing;
use domain::timestamp::Timestamp;
use domain::user::{self, agent, lifecycle, onboarding, password, profile};
use fastrand::Rng;
use log_model::Position;
use log_model::partition;

/// Users of a partition that are asked about at any time. The first half stays, the rest makes place for new ones.
const USERS: usize = 12;

/// The users of one partition that its clients ask about.
pub(crate) struct Pool {
    partition: u32,
    partitions: u32,
    users: Mutex<Vec<Slot>>,
    next: Mutex<u64>,
}

#[derive(Clone)]
struct Slot {
    username: Username,
    /// The version that was acknowledged last.
    version: Option<u64>,
}

impl Pool {
    pub(crate) fn new(partition: u32, partitions: u32) -> Arc<Self> {
        let pool = Self { partition, partitions, users: Mutex::default(), next: Mutex::new(0) };
        let users = (0..USERS).map(|_| pool.fresh()).collect();
        *pool.users.lock().unwrap() = users;
        Arc::new(pool)
    }

    /// A name that nobody had, whose user lives in this partition.
    fn fresh(&self) -> Slot {
        let mut next = self.next.lock().unwrap();
        loop {
            *next += 1;
            let username = Username::parse(&format!("user-{}", *next)).unwrap();
            if partition::of(UserId::of(&username).uuid(), self.partitions) == self.partition {
                return Slot { username, version: None };
            }
        }
    }

    fn draw(&self, random: &mut Rng) -> Slot {
        let index = random.usize(..USERS);
        let renew = index >= USERS / 2 && random.u32(..100) < 3;
        let fresh = renew.then(|| self.fresh());
        let mut users = self.users.lock().unwrap();
        if let Some(fresh) = fresh {
            users[index] = fresh;
        }
        users[index].clone()
    }

    /// Notes the version that a client was told.
    pub(crate) fn saw(&self, user: UserId, version: u64) {
        let mut users = self.users.lock().unwrap();
        if let Some(slot) = users.iter_mut().find(|slot| UserId::of(&slot.username) == user) {
            slot.version = Some(version);
        }
    }
}

/// Where one client takes its commands from.
pub(crate) struct Deck {
    client: String,
    drawn: u64,
    random: Rng,
    pool: Arc<Pool>,
    group: GroupId,
    /// What of the groups has been seen.
    seen: Position,
}

impl Deck {
    pub(crate) fn new(client: String, random: Rng, pool: Arc<Pool>, group: GroupId, seen: Position) -> Self {
        Self { client, drawn: 0, random, pool, group, seen }
    }

    /// The next command.
    pub(crate) fn draw(&mut self) -> Command {
        // Groups live beside the users of partition 0.
        if self.pool.partition == 0 && self.random.u32(..100) < 10 {
            return self.about_the_group();
        }
        let slot = self.pool.draw(&mut self.random);
        let asked = self.about(&slot.username);
        let careful = self.random.u32(..100) < 15;
        let expected_version = slot.version.filter(|_| careful && !is_an_entrance(&asked));
        let actor = self.actor(&asked);
        let prepared = needs_a_password(&asked).then(|| self.temporary_password());
        let ask = Ask::User { id: UserId::of(&slot.username), expected_version, command: asked };
        self.command(ask, actor, prepared)
    }

    /// Another question under the id of a command.
    pub(crate) fn under_the_id_of(&mut self, command: &Command) -> Option<Command> {
        let Ask::User { id, .. } = &command.ask else { return None };
        let asked = user::Command::EditUfaConfig(agent::EditUfaConfig {
            log_file: Patch::Set(format!("/var/log/{}-{}", self.client, self.drawn)),
            ..agent::EditUfaConfig::default()
        });
        let ask = Ask::User { id: *id, expected_version: None, command: asked };
        Some(Command { ask, prepared: None, ..command.clone() })
    }

    fn about(&mut self, username: &Username) -> user::Command {
        use user::Command as C;
        let reason = || "for a while".to_owned();
        match self.random.u32(..100) {
            0..12 => C::CreateUser(onboarding::CreateUser {
                first_name: Some("Alexandra".to_owned()),
                ..testing::creation(username.as_str(), self.group)
            }),
            12..18 => C::RegisterUser(onboarding::RegisterUser {
                first_name: "Alexandra".to_owned(),
                last_name: "Montgomery".to_owned(),
                ..testing::registration(username.as_str())
            }),
            18..26 => C::ApproveUser(onboarding::ApproveUser { group_id: self.group }),
            26..30 => C::RejectUser(onboarding::RejectUser { reason: reason() }),
            30..33 => C::ReconsiderUser,
            33..38 => C::SuspendUser(lifecycle::SuspendUser { reason: reason() }),
            38..46 => C::ReactivateUser,
            46..68 => C::EditUfaConfig(agent::EditUfaConfig {
                // From few numbers, so that some edits change nothing.
                max_jobs: Patch::Set(self.random.i32(1..=4)),
                ..agent::EditUfaConfig::default()
            }),
            68..82 => C::ResetPassword(password::ResetPassword { revoke_tokens: self.random.bool() }),
            _ => C::UpdateProfile(profile::UpdateProfile {
                first_name: Patch::Set(format!("Name{}", self.random.u32(..6))),
                ..profile::UpdateProfile::default()
            }),
        }
    }

    fn about_the_group(&mut self) -> Command {
        let edit = group::EditGroup {
            description: Patch::Set(format!("description {}", self.random.u32(..6))),
            ..group::EditGroup::default()
        };
        let ask =
            Ask::Group { id: self.group, expected_version: None, command: group::Command::EditGroup(edit) };
        self.command(ask, administrator(), None)
    }

    fn actor(&mut self, asked: &user::Command) -> Actor {
        if matches!(asked, user::Command::RegisterUser(_)) {
            return Actor::Anonymous;
        }
        match self.random.u32(..100) {
            0..3 => somebody(Roles::BASE),
            3..10 => Actor::System,
            _ => administrator(),
        }
    }

    fn temporary_password(&mut self) -> Prepared {
        let digest = format!("{:032x}{:032x}", self.random.u128(..), self.random.u128(..));
        let expires_at = Timestamp::from_micros(4_000_000_000_000_000 + self.random.i64(..1_000_000_000));
        Prepared::TemporaryPassword { digest, expires_at }
    }

    fn command(&mut self, ask: Ask, actor: Actor, prepared: Option<Prepared>) -> Command {
        self.drawn += 1;
        let id = format!("{}-{}", self.client, self.drawn);
        command(id, ask, actor, prepared, self.seen.clone())
    }
}

/// The command that makes the group in which all users are.
pub(crate) fn create_group() -> (Command, GroupId) {
    let id = GroupId::of(&GroupName::parse("staff").unwrap());
    let create = group::CreateGroup { name: "staff".to_owned(), ..group::CreateGroup::default() };
    let ask = Ask::Group { id, expected_version: None, command: group::Command::CreateGroup(create) };
    (command("the-group".to_owned(), ask, administrator(), None, Position::new()), id)
}

fn command(id: String, ask: Ask, actor: Actor, prepared: Option<Prepared>, seen: Position) -> Command {
    let client = Client { address: Some("127.0.0.1".to_owned()), agent: Some("faults".to_owned()) };
    Command { correlation_id: id.clone(), id, actor, client, prepared, seen, ..testing::command(ask) }
}

fn administrator() -> Actor {
    somebody(Roles::EVERY)
}

fn somebody(roles: Roles) -> Actor {
    let name = format!("somebody-{}", roles.bits());
    Actor::User { id: UserId::of(&Username::parse(&name).unwrap()), name, roles }
}

fn is_an_entrance(asked: &user::Command) -> bool {
    matches!(asked, user::Command::CreateUser(_) | user::Command::RegisterUser(_))
}

fn needs_a_password(asked: &user::Command) -> bool {
    use user::Command as C;
    matches!(asked, C::CreateUser(_) | C::ApproveUser(_) | C::ResetPassword(_))
}

/// Whether a command that was accepted has written something for certain.
pub(crate) fn always_writes(command: &Command) -> bool {
    use user::Command as C;
    let Ask::User { command, .. } = &command.ask else { return false };
    !matches!(command, C::EditUfaConfig(_) | C::UpdateProfile(_))
}
