//! Commands that an aggregate has done already, so that the same again is answered and not done again.

use std::collections::VecDeque;
use std::hash::Hasher;
use std::time::Duration;

use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use uuid::Uuid;

/// How many of an aggregate's commands are remembered however old they are.
const ALWAYS_KEPT: usize = 16;
/// For how long every command is remembered, by the time of its events.
const KEPT_FOR: Duration = Duration::from_mins(2);

/// The last commands of one aggregate that wrote something. Rebuilt from the headers of their events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecentCommands {
    commands: VecDeque<DoneCommand>,
}

/// One command that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DoneCommand {
    id: CommandFingerprint,
    asked: RequestFingerprint,
    /// Seconds since 1970, rounded up: nothing is forgotten too soon.
    at: i64,
    /// Version of the aggregate after the command.
    pub(crate) version: u64,
    /// The command's first event: tells its own write from one of the same command by somebody else.
    pub(crate) first_event: EventFingerprint,
}

/// What is known of a command that comes.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// It was not done before, as far as is remembered.
    New,
    /// It was done before.
    Done(DoneCommand),
    /// Another command, or another actor, had this id.
    IdReused,
}

/// The secret by which the owner of a partition knows commands again. Whoever sends commands must not know it, or could
/// look for two that agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FingerprintKey([u8; 16]);

/// A keyed hash (SipHash-1-3) of 64 bits. Two texts of one user that share one are nothing that can be looked for, only
/// met with, once in 10^18 tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommandFingerprint(u64);

/// Half of such a hash, for what is compared once the ids agree: a client that uses an id twice for different things is
/// told so, but once in 10^9 times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestFingerprint(u32);

const ALMOST_A_SECOND: Duration = Duration::from_micros(999_999);

/// An event, by the last bits of its `UUIDv7`, which are random. Compared with one other event, that of the same command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct EventFingerprint(u32);

impl From<Uuid> for EventFingerprint {
    fn from(event: Uuid) -> Self {
        let [.., a, b, c, d] = event.into_bytes();
        Self(u32::from_le_bytes([a, b, c, d]))
    }
}

/// A command at rest. What is random has a fixed length, the rest is the shorter the nearer it is to
/// the command after it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PackedCommand {
    id: [u8; 8],
    asked: [u8; 4],
    first_event: [u8; 4],
    /// Seconds after the command before it; of the first, since 1970.
    later: i64,
    /// Versions after the command before it.
    further: u64,
}

impl RecentCommands {
    /// Its form at rest.
    pub(crate) fn pack(&self) -> Vec<PackedCommand> {
        let (mut at, mut version) = (0_i64, 0_u64);
        let pack = |done: &DoneCommand| {
            let packed = PackedCommand {
                id: done.id.0.to_le_bytes(),
                asked: done.asked.0.to_le_bytes(),
                first_event: done.first_event.0.to_le_bytes(),
                later: done.at.wrapping_sub(at),
                further: done.version.wrapping_sub(version),
            };
            (at, version) = (done.at, done.version);
            packed
        };
        self.commands.iter().map(pack).collect()
    }

    /// From its form at rest.
    pub(crate) fn unpack(packed: Vec<PackedCommand>) -> Self {
        let (mut at, mut version) = (0_i64, 0_u64);
        let unpack = |packed: PackedCommand| {
            at = at.wrapping_add(packed.later);
            version = version.wrapping_add(packed.further);
            DoneCommand {
                id: CommandFingerprint(u64::from_le_bytes(packed.id)),
                asked: RequestFingerprint(u32::from_le_bytes(packed.asked)),
                first_event: EventFingerprint(u32::from_le_bytes(packed.first_event)),
                at,
                version,
            }
        };
        Self { commands: packed.into_iter().map(unpack).collect() }
    }

    /// Takes in one event of a command.
    pub(crate) fn record(
        &mut self,
        id: CommandFingerprint,
        asked: RequestFingerprint,
        event: Uuid,
        at: Timestamp,
        version: u64,
    ) {
        let seconds = (at + ALMOST_A_SECOND).micros().div_euclid(1_000_000);
        match self.commands.back_mut() {
            Some(last) if last.id == id && last.asked == asked => {
                last.version = version;
                last.at = seconds;
            }
            _ => self.commands.push_back(DoneCommand {
                id,
                asked,
                at: seconds,
                version,
                first_event: event.into(),
            }),
        }
        let span = KEPT_FOR.as_secs().cast_signed();
        while self.commands.len() > ALWAYS_KEPT
            && self.commands.front().is_some_and(|oldest| oldest.at < seconds - span)
        {
            self.commands.pop_front();
        }
    }

    /// Looks a command up.
    pub(crate) fn look_up(&self, id: CommandFingerprint, asked: RequestFingerprint) -> Lookup {
        match self.commands.iter().rev().find(|done| done.id == id) {
            None => Lookup::New,
            Some(done) if done.asked == asked => Lookup::Done(*done),
            Some(_) => Lookup::IdReused,
        }
    }
}

impl FingerprintKey {
    /// One that nobody has.
    pub(crate) fn random() -> Self {
        let mut key = [0; 16];
        getrandom::fill(&mut key).expect("the operating system gives randomness");
        Self(key)
    }

    /// A command, by the id that its client gave it.
    pub(crate) fn command_id(&self, id: &str) -> CommandFingerprint {
        self.fingerprint([id, ""])
    }

    /// What makes two commands of one id the same: who asked, and the digest of what was asked.
    pub(crate) fn request(&self, actor: &str, digest: &str) -> RequestFingerprint {
        let [a, b, c, d, ..] = self.fingerprint([actor, digest]).0.to_le_bytes();
        RequestFingerprint(u32::from_le_bytes([a, b, c, d]))
    }

    fn fingerprint(&self, parts: [&str; 2]) -> CommandFingerprint {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        for part in parts {
            hasher.write(part.as_bytes());
            // No text has this byte in it.
            hasher.write_u8(0xff);
        }
        CommandFingerprint(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: FingerprintKey = FingerprintKey([7; 16]);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn recent_commands(count: u64, seconds_apart: i64) -> RecentCommands {
        let mut recent = RecentCommands::default();
        for (n, second) in (1..=count).zip(0..) {
            let event = Uuid::from_u128(n.into());
            recent.record(
                KEY.command_id(&format!("c{n}")),
                KEY.request("user_1", "d"),
                event,
                at(second * seconds_apart),
                n,
            );
        }
        recent
    }

    fn version(seen: &Lookup) -> Option<u64> {
        match seen {
            Lookup::Done(done) => Some(done.version),
            Lookup::New | Lookup::IdReused => None,
        }
    }

    #[test]
    fn the_same_command_is_found_with_its_outcome() {
        let recent = recent_commands(3, 1);
        assert_eq!(version(&recent.look_up(KEY.command_id("c2"), KEY.request("user_1", "d"))), Some(2));
        assert!(matches!(recent.look_up(KEY.command_id("c9"), KEY.request("user_1", "d")), Lookup::New));
    }

    #[test]
    fn the_events_of_one_command_are_one() {
        let mut recent = recent_commands(1, 1);
        recent.record(KEY.command_id("c1"), KEY.request("user_1", "d"), Uuid::nil(), at(0), 2);
        assert_eq!(version(&recent.look_up(KEY.command_id("c1"), KEY.request("user_1", "d"))), Some(2));
        assert_eq!(recent.commands.len(), 1);
    }

    #[test]
    fn what_is_remembered_survives_rest_without_a_change() {
        for recent in [
            recent_commands(0, 1),
            recent_commands(3, 7),
            recent_commands(40, 1),
            recent_commands(20, 3_600),
            recent_commands(9, -5),
        ] {
            assert_eq!(RecentCommands::unpack(recent.pack()), recent);
        }
    }

    #[test]
    fn commands_that_need_not_be_remembered_take_no_place() {
        assert_eq!(recent_commands(1_000, 3_600).commands.len(), ALWAYS_KEPT);
        assert_eq!(recent_commands(1_000, 1).commands.len(), 121);
    }

    #[test]
    fn another_actor_or_another_request_under_the_same_id_is_seen() {
        let recent = recent_commands(3, 1);
        assert!(matches!(recent.look_up(KEY.command_id("c2"), KEY.request("user_2", "d")), Lookup::IdReused));
        assert!(matches!(recent.look_up(KEY.command_id("c2"), KEY.request("user_1", "e")), Lookup::IdReused));
    }

    #[test]
    fn sixteen_are_remembered_however_old_and_all_of_two_minutes() {
        assert!(matches!(
            recent_commands(17, 3_600).look_up(KEY.command_id("c1"), KEY.request("user_1", "d")),
            Lookup::New
        ));
        assert!(matches!(
            recent_commands(17, 3_600).look_up(KEY.command_id("c2"), KEY.request("user_1", "d")),
            Lookup::Done(_)
        ));
        assert!(matches!(
            recent_commands(100, 1).look_up(KEY.command_id("c1"), KEY.request("user_1", "d")),
            Lookup::Done(_)
        ));
    }
}
