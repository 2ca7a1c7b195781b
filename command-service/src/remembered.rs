//! Commands that an aggregate has done already, so that the same again is answered and not done again.

use std::collections::VecDeque;
use std::time::Duration;

use domain::timestamp::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How many of an aggregate's commands are remembered however old they are.
const ALWAYS: usize = 16;
/// For how long every command is remembered, by the time of its events.
const SPAN: Duration = Duration::from_mins(2);

/// The last commands of one aggregate that wrote something. Rebuilt from the headers of their events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remembered {
    done: VecDeque<Done>,
}

/// One command that was done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    id: Fingerprint,
    asked: Fingerprint,
    at: Timestamp,
    /// Version of the aggregate after the command.
    pub(crate) version: u64,
    /// Id of the command's first event: tells its own write from one of the same command by somebody else.
    pub(crate) first_event: Uuid,
}

/// What is known of a command that comes.
#[derive(Debug)]
pub(crate) enum Seen {
    /// It was not done before, as far as is remembered.
    New,
    /// It was done before.
    Done(Done),
    /// Another command, or another actor, had this id.
    Reused,
}

/// The first half of a SHA-256: long enough that nobody finds two texts with the same one.
type Fingerprint = [u8; 16];

impl Remembered {
    /// Takes in one event of a command.
    pub(crate) fn note(
        &mut self,
        command: &str,
        asked: Fingerprint,
        event: Uuid,
        at: Timestamp,
        version: u64,
    ) {
        let id = fingerprint(&[command]);
        match self.done.back_mut() {
            Some(last) if last.id == id && last.asked == asked => {
                last.version = version;
                last.at = at;
            }
            _ => self.done.push_back(Done { id, asked, at, version, first_event: event }),
        }
        while self.done.len() > ALWAYS && self.done.front().is_some_and(|oldest| oldest.at < at - SPAN) {
            self.done.pop_front();
        }
    }

    /// Looks a command up.
    pub(crate) fn look_up(&self, command: &str, asked: Fingerprint) -> Seen {
        let id = fingerprint(&[command]);
        match self.done.iter().rev().find(|done| done.id == id) {
            None => Seen::New,
            Some(done) if done.asked == asked => Seen::Done(*done),
            Some(_) => Seen::Reused,
        }
    }
}

/// What makes two commands of one id the same: who asked, and the digest of what was asked.
pub(crate) fn asked(actor: &str, digest: &str) -> Fingerprint {
    fingerprint(&[actor, digest])
}

fn fingerprint(parts: &[&str]) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut first = Fingerprint::default();
    first.copy_from_slice(&hash.finalize()[..16]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn remember(count: u64, seconds_apart: i64) -> Remembered {
        let mut remembered = Remembered::default();
        for (n, second) in (1..=count).zip(0..) {
            let event = Uuid::from_u128(n.into());
            remembered.note(&format!("c{n}"), asked("user_1", "d"), event, at(second * seconds_apart), n);
        }
        remembered
    }

    fn version(seen: &Seen) -> Option<u64> {
        match seen {
            Seen::Done(done) => Some(done.version),
            Seen::New | Seen::Reused => None,
        }
    }

    #[test]
    fn the_same_command_is_found_with_its_outcome() {
        let remembered = remember(3, 1);
        assert_eq!(version(&remembered.look_up("c2", asked("user_1", "d"))), Some(2));
        assert!(matches!(remembered.look_up("c9", asked("user_1", "d")), Seen::New));
    }

    #[test]
    fn the_events_of_one_command_are_one() {
        let mut remembered = remember(1, 1);
        remembered.note("c1", asked("user_1", "d"), Uuid::nil(), at(0), 2);
        assert_eq!(version(&remembered.look_up("c1", asked("user_1", "d"))), Some(2));
        assert_eq!(remembered.done.len(), 1);
    }

    #[test]
    fn another_actor_or_another_request_under_the_same_id_is_seen() {
        let remembered = remember(3, 1);
        assert!(matches!(remembered.look_up("c2", asked("user_2", "d")), Seen::Reused));
        assert!(matches!(remembered.look_up("c2", asked("user_1", "e")), Seen::Reused));
    }

    #[test]
    fn sixteen_are_remembered_however_old_and_all_of_two_minutes() {
        assert!(matches!(remember(17, 3_600).look_up("c1", asked("user_1", "d")), Seen::New));
        assert!(matches!(remember(17, 3_600).look_up("c2", asked("user_1", "d")), Seen::Done(_)));
        assert!(matches!(remember(100, 1).look_up("c1", asked("user_1", "d")), Seen::Done(_)));
    }
}
