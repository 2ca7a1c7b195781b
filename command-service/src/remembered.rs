//! Commands that an aggregate has done already, so that the same again is answered and not done again.

use std::collections::VecDeque;
use std::hash::Hasher;
use std::time::Duration;

use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use uuid::Uuid;

/// How many of an aggregate's commands are remembered however old they are.
const ALWAYS: usize = 16;
/// For how long every command is remembered, by the time of its events.
const SPAN: Duration = Duration::from_mins(2);

/// The last commands of one aggregate that wrote something. Rebuilt from the headers of their events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Remembered {
    done: VecDeque<Done>,
}

/// One command that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    id: Fingerprint,
    asked: Asked,
    /// Seconds since 1970, rounded up: nothing is forgotten too soon.
    at: i64,
    /// Version of the aggregate after the command.
    pub(crate) version: u64,
    /// The command's first event: tells its own write from one of the same command by somebody else.
    pub(crate) first_event: Mark,
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

/// The secret by which the owner of a partition knows commands again. Whoever sends commands must not know it, or could
/// look for two that agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key([u8; 16]);

/// A keyed hash (SipHash-1-3) of 64 bits. Two texts of one user that share one are nothing that can be looked for, only
/// met with, once in 10^18 tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(u64);

/// Half of such a hash, for what is compared once the ids agree: a client that uses an id twice for different things is
/// told so, but once in 10^9 times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked(u32);

const ALMOST_A_SECOND: Duration = Duration::from_micros(999_999);

/// An event, by the last bits of its `UUIDv7`, which are random. Compared with one other event, that of the same command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Mark(u32);

impl From<Uuid> for Mark {
    fn from(event: Uuid) -> Self {
        let [.., a, b, c, d] = event.into_bytes();
        Self(u32::from_le_bytes([a, b, c, d]))
    }
}

/// A command at rest. What is random has a fixed length, the rest is the shorter the nearer it is to
/// the command after it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Packed {
    id: [u8; 8],
    asked: [u8; 4],
    first_event: [u8; 4],
    /// Seconds after the command before it; of the first, since 1970.
    later: i64,
    /// Versions after the command before it.
    further: u64,
}

impl Remembered {
    /// Its form at rest.
    pub(crate) fn pack(&self) -> Vec<Packed> {
        let (mut at, mut version) = (0_i64, 0_u64);
        let pack = |done: &Done| {
            let packed = Packed {
                id: done.id.0.to_le_bytes(),
                asked: done.asked.0.to_le_bytes(),
                first_event: done.first_event.0.to_le_bytes(),
                later: done.at.wrapping_sub(at),
                further: done.version.wrapping_sub(version),
            };
            (at, version) = (done.at, done.version);
            packed
        };
        self.done.iter().map(pack).collect()
    }

    /// From its form at rest.
    pub(crate) fn unpack(packed: Vec<Packed>) -> Self {
        let (mut at, mut version) = (0_i64, 0_u64);
        let unpack = |packed: Packed| {
            at = at.wrapping_add(packed.later);
            version = version.wrapping_add(packed.further);
            Done {
                id: Fingerprint(u64::from_le_bytes(packed.id)),
                asked: Asked(u32::from_le_bytes(packed.asked)),
                first_event: Mark(u32::from_le_bytes(packed.first_event)),
                at,
                version,
            }
        };
        Self { done: packed.into_iter().map(unpack).collect() }
    }

    /// Takes in one event of a command.
    pub(crate) fn note(&mut self, id: Fingerprint, asked: Asked, event: Uuid, at: Timestamp, version: u64) {
        let seconds = (at + ALMOST_A_SECOND).micros().div_euclid(1_000_000);
        match self.done.back_mut() {
            Some(last) if last.id == id && last.asked == asked => {
                last.version = version;
                last.at = seconds;
            }
            _ => self.done.push_back(Done { id, asked, at: seconds, version, first_event: event.into() }),
        }
        let span = SPAN.as_secs().cast_signed();
        while self.done.len() > ALWAYS && self.done.front().is_some_and(|oldest| oldest.at < seconds - span) {
            self.done.pop_front();
        }
    }

    /// Looks a command up.
    pub(crate) fn look_up(&self, id: Fingerprint, asked: Asked) -> Seen {
        match self.done.iter().rev().find(|done| done.id == id) {
            None => Seen::New,
            Some(done) if done.asked == asked => Seen::Done(*done),
            Some(_) => Seen::Reused,
        }
    }
}

impl Key {
    /// One that nobody has.
    pub(crate) fn random() -> Self {
        let mut key = [0; 16];
        getrandom::fill(&mut key).expect("the operating system gives randomness");
        Self(key)
    }

    /// A command, by the id that its client gave it.
    pub(crate) fn command(&self, id: &str) -> Fingerprint {
        self.fingerprint([id, ""])
    }

    /// What makes two commands of one id the same: who asked, and the digest of what was asked.
    pub(crate) fn asked(&self, actor: &str, digest: &str) -> Asked {
        let [a, b, c, d, ..] = self.fingerprint([actor, digest]).0.to_le_bytes();
        Asked(u32::from_le_bytes([a, b, c, d]))
    }

    fn fingerprint(&self, parts: [&str; 2]) -> Fingerprint {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        for part in parts {
            hasher.write(part.as_bytes());
            // No text has this byte in it.
            hasher.write_u8(0xff);
        }
        Fingerprint(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key([7; 16]);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn remember(count: u64, seconds_apart: i64) -> Remembered {
        let mut remembered = Remembered::default();
        for (n, second) in (1..=count).zip(0..) {
            let event = Uuid::from_u128(n.into());
            remembered.note(
                KEY.command(&format!("c{n}")),
                KEY.asked("user_1", "d"),
                event,
                at(second * seconds_apart),
                n,
            );
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
        assert_eq!(version(&remembered.look_up(KEY.command("c2"), KEY.asked("user_1", "d"))), Some(2));
        assert!(matches!(remembered.look_up(KEY.command("c9"), KEY.asked("user_1", "d")), Seen::New));
    }

    #[test]
    fn the_events_of_one_command_are_one() {
        let mut remembered = remember(1, 1);
        remembered.note(KEY.command("c1"), KEY.asked("user_1", "d"), Uuid::nil(), at(0), 2);
        assert_eq!(version(&remembered.look_up(KEY.command("c1"), KEY.asked("user_1", "d"))), Some(2));
        assert_eq!(remembered.done.len(), 1);
    }

    #[test]
    fn what_is_remembered_survives_rest_without_a_change() {
        for remembered in
            [remember(0, 1), remember(3, 7), remember(40, 1), remember(20, 3_600), remember(9, -5)]
        {
            assert_eq!(Remembered::unpack(remembered.pack()), remembered);
        }
    }

    #[test]
    fn commands_that_need_not_be_remembered_take_no_place() {
        assert_eq!(remember(1_000, 3_600).done.len(), ALWAYS);
        assert_eq!(remember(1_000, 1).done.len(), 121);
    }

    #[test]
    fn another_actor_or_another_request_under_the_same_id_is_seen() {
        let remembered = remember(3, 1);
        assert!(matches!(remembered.look_up(KEY.command("c2"), KEY.asked("user_2", "d")), Seen::Reused));
        assert!(matches!(remembered.look_up(KEY.command("c2"), KEY.asked("user_1", "e")), Seen::Reused));
    }

    #[test]
    fn sixteen_are_remembered_however_old_and_all_of_two_minutes() {
        assert!(matches!(
            remember(17, 3_600).look_up(KEY.command("c1"), KEY.asked("user_1", "d")),
            Seen::New
        ));
        assert!(matches!(
            remember(17, 3_600).look_up(KEY.command("c2"), KEY.asked("user_1", "d")),
            Seen::Done(_)
        ));
        assert!(matches!(
            remember(100, 1).look_up(KEY.command("c1"), KEY.asked("user_1", "d")),
            Seen::Done(_)
        ));
    }
}
