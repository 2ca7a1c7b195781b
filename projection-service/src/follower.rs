//! Reads in order, applies a batch, moves the checkpoints with it.
//!
//! What a place holds is applied once: the checkpoint moves in the same transaction and only from where it stood. So
//! whatever fails, the answer is the same: look where the checkpoints stand and go on from there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::timestamp::Timestamp;
use event_log::{EventLog, Follow, Read, Recorded};
use log_model::StreamPartition;
use read_model::apply::ApplyError;
use read_model::checkpoint::Halt;
use read_model::{Error, ReadModel};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;

mod batch;
mod outage;

use self::batch::{Folded, Pending};
use self::outage::Outage;
use crate::cause::text;

/// How often the ends that were met are confirmed, and halted places looked at.
const CONFIRM_EVERY: Duration = Duration::from_secs(1);

/// Follows every place of the log.
pub(crate) struct Follower {
    log: Arc<dyn EventLog>,
    read_model: ReadModel,
    places: Vec<StreamPartition>,
    most: usize,
    /// Where each place stands that is followed.
    next: BTreeMap<StreamPartition, u64>,
    halted: BTreeSet<StreamPartition>,
    /// Places whose end was met and not confirmed yet, and when it was met.
    at_end: BTreeMap<StreamPartition, Timestamp>,
    ended: watch::Sender<BTreeSet<StreamPartition>>,
    confirmed: Instant,
    views: Outage,
    log_outage: Outage,
}

/// What follows from a step.
enum Then {
    GoOn,
    /// The places have to be followed anew, from their checkpoints.
    FollowAnew,
}

impl Follower {
    pub(crate) fn new(
        log: Arc<dyn EventLog>,
        read_model: ReadModel,
        places: Vec<StreamPartition>,
        most: usize,
        ended: watch::Sender<BTreeSet<StreamPartition>>,
    ) -> Self {
        Self {
            log,
            read_model,
            places,
            most,
            next: BTreeMap::new(),
            halted: BTreeSet::new(),
            at_end: BTreeMap::new(),
            ended,
            confirmed: Instant::now(),
            views: Outage::of("the views"),
            log_outage: Outage::of("the log"),
        }
    }

    /// Follows for ever.
    pub(crate) async fn run(mut self) {
        batch::describe_metrics();
        loop {
            self.stand().await;
            self.halt_ahead_of_log().await;
            let from = self.next.iter().map(|(place, next)| (*place, *next)).collect();
            let mut follow = self.log.follow(from);
            while let Then::GoOn = self.step(&mut follow).await {}
        }
    }

    /// Reads where the checkpoints stand, as soon as the views can be asked.
    async fn stand(&mut self) {
        loop {
            match self.try_stand().await {
                Ok(()) => return self.views.over(),
                Err(error) => self.views.wait(&text(&error)).await,
            }
        }
    }

    /// Halts places of which the views have seen more than the log holds: it was replaced by an older one, and what
    /// comes next would not follow from what the views show.
    async fn halt_ahead_of_log(&mut self) {
        // A log that can't be asked says so to the follower.
        let Ok(ends) = self.log.ends().await else { return };
        for (place, end) in ends {
            if let Some(next) = self.next.get(&place).copied().filter(|next| *next > end) {
                let reason = format!(
                    "the log ends at {end}, but the views have seen it up to {next}: it is not the log that they \
                     were filled from; restore that one, or remove the views to have them filled anew"
                );
                self.halt(place, next, &reason).await;
            }
        }
    }

    async fn try_stand(&mut self) -> Result<(), Error> {
        let mut all = self.read_model.checkpoints().await?;
        if !self.places.iter().all(|place| all.iter().any(|seen| seen.place == *place)) {
            self.read_model.begin(&self.places).await?;
            all = self.read_model.checkpoints().await?;
        }
        self.next.clear();
        self.halted.clear();
        self.at_end.clear();
        for seen in all.into_iter().filter(|seen| self.places.contains(&seen.place)) {
            if seen.halted.is_some() {
                self.halted.insert(seen.place);
            } else {
                self.next.insert(seen.place, seen.next);
            }
            batch::gauge_halted(seen.place, seen.halted.is_some());
        }
        Ok(())
    }

    /// Waits for something and does what follows from it.
    async fn step(&mut self, follow: &mut Follow) -> Then {
        let confirm_at = self.confirmed + CONFIRM_EVERY;
        let read = tokio::select! {
            read = follow.next() => read,
            () = tokio::time::sleep_until(confirm_at) => return self.tick().await,
            () = self.read_model.progress().changed(), if !self.halted.is_empty() => return self.look_at_halted(),
        };
        let Some(first) = read else {
            self.log_outage.wait("it was closed").await;
            return Then::FollowAnew;
        };
        let mut pending = Pending::default();
        self.take(&mut pending, first).await;
        while pending.records.len() < self.most {
            let Some(read) = follow.try_next() else { break };
            self.take(&mut pending, read).await;
        }
        self.apply(pending).await
    }

    async fn take(&mut self, pending: &mut Pending, read: Read) {
        match read {
            Read::Records(place, records) if self.next.contains_key(&place) => {
                self.log_outage.over();
                pending.records.extend(records);
            }
            Read::End(place, next) if self.next.contains_key(&place) => {
                self.log_outage.over();
                pending.ends.insert(place, next);
            }
            Read::Unreachable(reason) => {
                self.log_outage.begins(&reason);
                self.tell_unreachable().await;
            }
            Read::Records(..) | Read::End(..) => {}
        }
    }

    async fn tell_unreachable(&self) {
        let progress = self.read_model.progress();
        let is_told = |place: &StreamPartition| {
            progress.checkpoint(*place).is_some_and(|it| it.unreachable_since.is_some())
        };
        let places: Vec<_> = self.next.keys().filter(|place| !is_told(place)).copied().collect();
        if !places.is_empty()
            && let Err(error) = self.read_model.unreachable(&places, now()).await
        {
            // Views that can't be told are away themselves, and whoever asks them notices.
            tracing::debug!(reason = text(&error), "the views can't be told that the log is away");
        }
    }

    /// Applies what was read, however often that takes.
    async fn apply(&mut self, mut pending: Pending) -> Then {
        let mut most = usize::MAX;
        let ended = self.ended.borrow().clone();
        loop {
            pending.pass(&self.next);
            if pending.is_empty() {
                return self.confirm_if_new().await;
            }
            let folded = match Folded::new(&self.read_model, &pending, &self.next, most).await {
                Ok(folded) => folded,
                Err(error) => {
                    self.views.wait(&text(&error)).await;
                    continue;
                }
            };
            match folded.apply(&self.read_model, &ended).await {
                Ok(()) => {
                    self.views.over();
                    self.applied(&mut pending, &folded).await;
                }
                Err(ApplyError::Conflict) => {
                    tracing::debug!("another projection has moved a checkpoint");
                    if self.catch_up().await {
                        return Then::FollowAnew;
                    }
                }
                // One of many records is at fault: alone it shows which.
                Err(ApplyError::Views(Error::Refused(_))) if most > 1 => most = 1,
                Err(ApplyError::Views(error @ Error::Refused(_))) => {
                    let (place, offset) = folded.first;
                    self.halt(place, offset, &text(&error)).await;
                }
                Err(ApplyError::Views(error)) => {
                    self.views.wait(&text(&error)).await;
                    // What was under way may have been committed.
                    if self.catch_up().await {
                        return Then::FollowAnew;
                    }
                }
            }
        }
    }

    async fn applied(&mut self, pending: &mut Pending, folded: &Folded) {
        for moved in &folded.batch.moves {
            self.next.insert(moved.place, moved.to);
        }
        for (place, offset, reason) in &folded.misfits {
            self.halt(*place, *offset, reason).await;
        }
        for place in pending.ended(&self.next) {
            self.at_end.insert(place, now());
        }
    }

    /// Takes over where the checkpoints stand. Says whether the places have to be followed anew.
    async fn catch_up(&mut self) -> bool {
        let before = self.next.clone();
        self.stand().await;
        let went_back =
            |(place, next): (&StreamPartition, &u64)| self.next.get(place).is_none_or(|now| now < next);
        before.iter().any(went_back) || self.next.len() != before.len()
    }

    /// Leaves a place at a record that can't be applied.
    async fn halt(&mut self, place: StreamPartition, offset: u64, reason: &str) {
        tracing::error!(
            log.place = %place, log.offset = offset, reason,
            "the record can't be applied; nothing behind it in this place is, until it is retried"
        );
        let halt = Halt { offset, reason: reason.to_owned(), at: now() };
        while let Err(error) = self.read_model.halt(place, &halt).await {
            self.views.wait(&text(&error)).await;
        }
        batch::gauge_halted(place, true);
        self.next.remove(&place);
        self.at_end.remove(&place);
        self.halted.insert(place);
    }

    /// Goes on with places whose halt was taken back.
    fn look_at_halted(&self) -> Then {
        let progress = self.read_model.progress();
        let is_halted =
            |place: &StreamPartition| progress.checkpoint(*place).is_none_or(|seen| seen.halted.is_some());
        if self.halted.iter().all(is_halted) { Then::GoOn } else { Then::FollowAnew }
    }

    async fn tick(&mut self) -> Then {
        self.confirm().await;
        if self.halted.is_empty() {
            return Then::GoOn;
        }
        // A halt that another process takes back is not always heard here.
        match self.read_model.checkpoints().await {
            Ok(_) => self.look_at_halted(),
            Err(_) => Then::GoOn,
        }
    }

    /// Confirms now when an end was met for the first time, because somebody may wait for that; else it has time.
    async fn confirm_if_new(&mut self) -> Then {
        let met = &self.at_end;
        let is_new = self.ended.send_if_modified(|ended| {
            let before = ended.len();
            ended.extend(met.keys());
            ended.len() > before
        });
        if is_new || self.confirmed.elapsed() >= CONFIRM_EVERY {
            self.confirm().await;
        }
        Then::GoOn
    }

    async fn confirm(&mut self) {
        self.confirmed = Instant::now();
        let met = std::mem::take(&mut self.at_end);
        let Some(earliest) = met.values().min() else { return };
        let places: Vec<_> = met.keys().copied().collect();
        match self.read_model.confirm(&places, *earliest).await {
            Ok(()) => self.views.over(),
            Err(error) => {
                self.views.begins(&text(&error));
            }
        }
    }
}

fn now() -> Timestamp {
    OffsetDateTime::now_utc().into()
}

/// The offset behind a record.
fn behind(recorded: &Recorded) -> u64 {
    recorded.offset + 1
}
