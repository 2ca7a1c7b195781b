//! Churn: everything about a population changes but its size, so memory has no reason to grow.
//!
//! Each client looks after users of its own, so none of its commands is refused. Most users are approved at first
//! and then renamed, reset, suspended and reactivated in turn. Of each hundred, ten register and are rejected over and
//! over under the same names, and five are approved and deleted at the beginning, since a deleted name is not free again.

use domain::actor::Actor;
use domain::command::Command;
use domain::user;
use load::Turn;

use crate::commands::{self, Group};

/// Who lives in the deployment.
#[derive(Debug, Clone)]
pub struct Population {
    run: String,
    clients: u64,
    each: u64,
    group: Group,
}

/// What becomes of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Approved, then changed until the end.
    Changing,
    /// Registered and rejected again and again.
    Rejected,
    /// Approved and deleted.
    Deleted,
}

impl Life {
    fn of(user: u64) -> Self {
        match user % 20 {
            0 | 1 => Self::Rejected,
            2 => Self::Deleted,
            _ => Self::Changing,
        }
    }

    /// How many commands it takes to get every user where changing begins.
    const BEGINNING: u64 = 3;
}

impl Population {
    /// About `users` users, shared among the clients.
    pub fn new(run: String, users: u64, clients: u64, group: Group) -> Self {
        // Whole twenties hold every kind of user, and each deleted one has a neighbour.
        Self { run, clients, each: (users / clients).next_multiple_of(20).max(20), group }
    }

    /// How many commands it takes until every user is there.
    pub fn beginning(&self) -> u64 {
        self.each * Life::BEGINNING * self.clients
    }

    /// How many users there are.
    pub fn users(&self) -> u64 {
        self.each * self.clients
    }

    /// What a client asks in its turn.
    pub fn command(&self, turn: Turn) -> Command {
        let (user, round) = (turn.count % self.each, turn.count / self.each);
        match Life::of(user) {
            Life::Rejected => self.rejected(turn, user, round),
            Life::Deleted if round < Life::BEGINNING => self.deleted(turn, user, round),
            // There is nothing to do for the deleted any more: the next one is changed twice as often.
            Life::Deleted => self.changing(turn, user + 1, round, 1),
            // One step of a round after its deleted neighbour has taken the one before.
            Life::Changing if Life::of(user - 1) == Life::Deleted => self.changing(turn, user, round, 2),
            Life::Changing => self.changing(turn, user, round, 0),
        }
    }

    fn rejected(&self, turn: Turn, user: u64, round: u64) -> Command {
        if round.is_multiple_of(2) {
            self.register(turn, user)
        } else {
            self.ask(turn, user, commands::rejection())
        }
    }

    fn deleted(&self, turn: Turn, user: u64, round: u64) -> Command {
        match round {
            0 => self.register(turn, user),
            1 => self.approve(turn, user),
            _ => self.ask(turn, user, user::Command::DeleteUser),
        }
    }

    /// `shares`: 0 when only this user's own turn changes it; 1 and 2 for the first and second of two turns a round.
    fn changing(&self, turn: Turn, user: u64, round: u64, shares: u64) -> Command {
        match round {
            0 => return self.register(turn, user),
            1 => return self.approve(turn, user),
            2 => return self.ask(turn, user, commands::rename("Montgomery-Smith")),
            _ => {}
        }
        let step = match shares {
            0 => round - Life::BEGINNING,
            shares => 2 * (round - Life::BEGINNING) + shares - 1,
        };
        match step % 4 {
            0 => {
                let (asked, prepared) = commands::reset();
                commands::administered(
                    &self.name(turn, user),
                    &self.id(turn),
                    asked,
                    Some(prepared),
                    &self.group,
                )
            }
            1 => self.ask(turn, user, commands::suspension()),
            2 => self.ask(turn, user, user::Command::ReactivateUser),
            _ => {
                let name = if (step / 4).is_multiple_of(2) { "Montgomery" } else { "Smith" };
                self.ask(turn, user, commands::rename(name))
            }
        }
    }

    fn register(&self, turn: Turn, user: u64) -> Command {
        let name = self.name(turn, user);
        commands::of_user(&name, &self.id(turn), Actor::Anonymous, commands::registration(&name), None)
    }

    fn approve(&self, turn: Turn, user: u64) -> Command {
        let (asked, prepared) = commands::approval(&self.group);
        commands::administered(&self.name(turn, user), &self.id(turn), asked, Some(prepared), &self.group)
    }

    fn ask(&self, turn: Turn, user: u64, asked: user::Command) -> Command {
        commands::administered(&self.name(turn, user), &self.id(turn), asked, None, &self.group)
    }

    fn name(&self, turn: Turn, user: u64) -> String {
        format!("{}-{}-{user}", self.run, turn.client)
    }

    fn id(&self, turn: Turn) -> String {
        format!("{}-{}", self.run, turn.number)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use event_log::sqlite::SqliteLog;

    use super::*;
    use crate::muster::Owners;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_that_is_asked_in_many_rounds_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let owners = Owners::start(SqliteLog::open(directory.path()).await.unwrap()).await.unwrap();
        let way = owners.way();
        let run = commands::run_name();
        let group = Group::created(&run, way.submit(Group::creation(&run)).await.unwrap()).unwrap();
        let population = Arc::new(Population::new(run, 40, 2, group));
        let client = |client: u64| {
            let (way, population) = (way.clone(), population.clone());
            tokio::spawn(async move {
                for count in 0..population.each * 15 {
                    let turn = Turn { client, count, number: count * 2 + client };
                    way.clone().accept(population.command(turn)).await.unwrap();
                }
            })
        };
        let (one, two) = (client(0), client(1));
        one.await.unwrap();
        two.await.unwrap();
        owners.stop().await.unwrap();
    }
}
