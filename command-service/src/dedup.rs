//! Deduplication: an aggregate remembers its recent commands, so that a repeated one is answered and not executed again.
//!
//! What is remembered is rebuilt from the headers of the events (docs/adr/0001-one-writer-per-partition.md). It is kept
//! as fingerprints, because it takes most of the memory of a user.

use std::collections::VecDeque;
use std::time::Duration;

use domain::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::fingerprint::{CommandFingerprint, EventFingerprint, RequestFingerprint};

#[cfg(test)]
#[path = "dedup_spec.rs"]
mod spec;

/// An aggregate's last commands are remembered however old they are: this many.
const ALWAYS_KEPT: usize = 16;
/// For how long every command is remembered, measured from the time of its last event to that of the newest one.
const KEPT_FOR: Duration = Duration::from_mins(2);
const ALMOST_A_SECOND: Duration = Duration::from_micros(999_999);

/// The recent commands of one aggregate that wrote events, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecentCommands {
    commands: VecDeque<DoneCommand>,
}

/// A command that was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DoneCommand {
    id: CommandFingerprint,
    request: RequestFingerprint,
    /// Time of its last event in seconds since 1970, rounded up so that nothing is forgotten too soon.
    at: i64,
    /// Version of the aggregate after the command.
    pub(crate) version: u64,
    /// The command's first event. Tells the write of one request from that of another with the same command.
    pub(crate) first_event: EventFingerprint,
}

/// What is known of a command that arrives.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// Nothing: it was not executed, or so long ago that it is forgotten.
    New,
    /// It was executed before.
    Done(DoneCommand),
    /// Its id was used for another request, or by another actor.
    IdReused,
}

/// The packed form of a [`DoneCommand`], as postcard writes it. Random values have a fixed length. The others are stored
/// as differences to the command before, because small numbers take fewer bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PackedCommand {
    id: [u8; 8],
    request: [u8; 4],
    first_event: [u8; 4],
    /// Seconds since the command before; for the first one, since 1970.
    seconds: i64,
    /// Versions since the command before; for the first one, since 0.
    versions: u64,
}

impl RecentCommands {
    pub(crate) fn pack(&self) -> Vec<PackedCommand> {
        let (mut at, mut version) = (0_i64, 0_u64);
        let pack = |done: &DoneCommand| {
            let packed = PackedCommand {
                id: done.id.0.to_le_bytes(),
                request: done.request.0.to_le_bytes(),
                first_event: done.first_event.0.to_le_bytes(),
                seconds: done.at.wrapping_sub(at),
                versions: done.version.wrapping_sub(version),
            };
            (at, version) = (done.at, done.version);
            packed
        };
        self.commands.iter().map(pack).collect()
    }

    pub(crate) fn unpack(packed: Vec<PackedCommand>) -> Self {
        let (mut at, mut version) = (0_i64, 0_u64);
        let unpack = |packed: PackedCommand| {
            at = at.wrapping_add(packed.seconds);
            version = version.wrapping_add(packed.versions);
            DoneCommand {
                id: CommandFingerprint(u64::from_le_bytes(packed.id)),
                request: RequestFingerprint(u32::from_le_bytes(packed.request)),
                first_event: EventFingerprint(u32::from_le_bytes(packed.first_event)),
                at,
                version,
            }
        };
        Self { commands: packed.into_iter().map(unpack).collect() }
    }

    /// Remembers an event of a command. Events of one command that follow each other are one entry. Forgets commands
    /// that are neither recent nor among the last ones.
    pub(crate) fn record(
        &mut self,
        id: CommandFingerprint,
        request: RequestFingerprint,
        event: Uuid,
        at: Timestamp,
        version: u64,
    ) {
        let seconds = (at + ALMOST_A_SECOND).micros().div_euclid(1_000_000);
        match self.commands.back_mut() {
            Some(last) if last.id == id && last.request == request => {
                last.version = version;
                last.at = seconds;
            }
            _ => self.commands.push_back(DoneCommand {
                id,
                request,
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

    /// Looks up a command, newest first.
    pub(crate) fn look_up(&self, id: CommandFingerprint, request: RequestFingerprint) -> Lookup {
        match self.commands.iter().rev().find(|done| done.id == id) {
            None => Lookup::New,
            Some(done) if done.request == request => Lookup::Done(*done),
            Some(_) => Lookup::IdReused,
        }
    }
}
