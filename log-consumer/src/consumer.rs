//! The loop: reads in order, applies a batch with its checkpoints, halts where a record can't be applied.

mod skipping;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use event_log::{EventLog, Follow, Read, Skips};
use log_model::StreamPartition;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::batch::{Folded, Pending};
use crate::clock::now;
use crate::config::ConsumerConfig;
use crate::consumed::Consumed;
use crate::lag;
use crate::metrics::Metrics;
use crate::outage::Outage;
use crate::sink::{ApplyError, Halt, Move, Sink, SinkUnavailable};
use crate::standing::{ForeignLog, Standing};

/// How often met ends are confirmed, and halts looked at.
const CONFIRM_EVERY: Duration = Duration::from_secs(1);
/// After as many reports in a row the log was away and not only slow, and may come back as another one.
const AWAY: u32 = 2;

/// Consumes stream partitions of a log into a sink. The [crate] says what it guarantees.
pub struct Consumer<S> {
    /// Weak: a consumer ends with its log instead of keeping it open.
    log: Weak<dyn EventLog>,
    places: Vec<StreamPartition>,
    sink: S,
    config: ConsumerConfig,
    metrics: Metrics,
    standing: Standing,
    /// The records to pass over, as they were known when the reading began.
    skips: Skips,
    skips_read: Instant,
    /// Where each halted stream partition stands still.
    halted: BTreeMap<StreamPartition, u64>,
    /// Ends met and not confirmed yet, and when each was met.
    at_end: BTreeMap<StreamPartition, OffsetDateTime>,
    consumed: watch::Sender<Consumed>,
    confirmed: Instant,
    sink_outage: Outage,
    log_outage: Outage,
    /// Reports in a row that the log can't be reached.
    unreachable: u32,
}

/// What follows from a step.
enum Then {
    GoOn,
    /// The stream partitions have to be followed anew, from their checkpoints.
    FollowAnew,
}

impl<S: Sink> Consumer<S> {
    /// A consumer of these stream partitions. Nothing happens before it is run.
    pub fn new(
        log: &Arc<dyn EventLog>,
        places: impl IntoIterator<Item = StreamPartition>,
        sink: S,
        config: ConsumerConfig,
    ) -> Self {
        Self {
            log: Arc::downgrade(log),
            places: places.into_iter().collect(),
            sink,
            metrics: Metrics::of(&config),
            standing: Standing::default(),
            skips: Skips::default(),
            skips_read: Instant::now(),
            halted: BTreeMap::new(),
            at_end: BTreeMap::new(),
            consumed: watch::Sender::default(),
            confirmed: Instant::now(),
            sink_outage: Outage::of(config.sink, &config),
            log_outage: Outage::of("the log", &config),
            unreachable: 0,
            config,
        }
    }

    /// How far the consumer is. Changes after the sink has applied a batch.
    pub fn consumed(&self) -> watch::Receiver<Consumed> {
        self.consumed.subscribe()
    }

    /// Consumes until the log is closed. Outages of the log or the sink don't end it. Dropping the future ends it at any
    /// point; a later run goes on from the checkpoints.
    pub async fn run(self) {
        self.metrics.describe(self.config.sink);
        let (log, metrics, consumed) = (self.log.clone(), self.metrics, self.consumed());
        if self.config.metrics.is_none() {
            return self.follow().await;
        }
        tokio::select! {
            () = self.follow() => {}
            () = lag::measure(log, metrics, consumed) => {}
        }
    }

    async fn follow(mut self) {
        while self.log.strong_count() > 0 {
            self.stand().await;
            self.learn_skips().await;
            if self.resume_skipped().await {
                self.stand().await;
            }
            self.halt_ahead_of_log().await;
            let from = self.standing.from();
            let Some(mut follow) = self.log.upgrade().map(|log| log.follow(from)) else { return };
            while let Then::GoOn = self.step(&mut follow).await {}
        }
    }

    /// Reads where the checkpoints stand, as soon as the sink can be asked.
    async fn stand(&mut self) {
        loop {
            match self.try_stand().await {
                Ok(()) => return self.sink_outage.over(),
                Err(SinkUnavailable(reason)) => self.sink_outage.wait(&reason).await,
            }
        }
    }

    async fn try_stand(&mut self) -> Result<(), SinkUnavailable> {
        let all = self.sink.checkpoints(&self.places).await?;
        self.at_end.clear();
        self.standing = Standing::at(all.iter().filter(|seen| seen.halted.is_none()));
        self.halted = all.iter().filter_map(|seen| Some((seen.place, seen.halted?))).collect();
        for seen in &all {
            self.metrics.halted(seen.place, seen.halted.is_some());
        }
        self.consumed.send_modify(|consumed| {
            for seen in &all {
                consumed.advance(seen.place, seen.next);
            }
        });
        Ok(())
    }

    /// Halts each stream partition that the sink has read further than the log reaches. The log was replaced by an older
    /// one, and its next records would not continue what the sink holds.
    async fn halt_ahead_of_log(&mut self) {
        if self.standing.from().iter().all(|(_, from)| *from == 0) {
            return;
        }
        let Some(log) = self.log.upgrade() else { return };
        // A log that can't be asked says so to its followers. Nothing is confirmed before it was asked.
        let Ok(ends) = log.ends().await else { return };
        drop(log);
        for (place, end) in ends {
            if self.standing.next(place).is_some_and(|next| next > end) {
                self.halt_foreign(place, ForeignLog::Ends(end)).await;
            }
        }
    }

    /// Halts a stream partition whose log is not the one that the sink was filled from.
    async fn halt_foreign(&mut self, place: StreamPartition, log: ForeignLog) {
        let Some(next) = self.standing.next(place) else { return };
        self.halt(place, next, log.reason(self.config.sink, next)).await;
    }

    /// Waits for something and does what follows from it.
    async fn step(&mut self, follow: &mut Follow) -> Then {
        let confirm_at = self.confirmed + CONFIRM_EVERY;
        let read = tokio::select! {
            read = follow.next() => read,
            () = tokio::time::sleep_until(confirm_at) => return self.tick().await,
            () = self.sink.resumed(&self.halted), if !self.halted.is_empty() => return Then::FollowAnew,
        };
        let Some(first) = read else {
            if self.log.strong_count() > 0 {
                self.log_outage.wait("it was closed").await;
            }
            return Then::FollowAnew;
        };
        let mut pending = Pending::default();
        self.take(&mut pending, first).await;
        while pending.records.len() < self.config.max_batch {
            let Some(read) = follow.try_next() else { break };
            self.take(&mut pending, read).await;
        }
        if self.unreachable >= AWAY && !pending.is_empty() {
            // Compared again before anything more is applied: a broker may have come back with an older log.
            self.unreachable = 0;
            return Then::FollowAnew;
        }
        self.apply(pending).await
    }

    async fn take(&mut self, pending: &mut Pending, read: Read) {
        match read {
            Read::Records(place, records) if self.standing.next(place).is_some() => {
                self.log_is_reached();
                pending.records.extend(records);
            }
            Read::End(place, next) if self.standing.next(place).is_some() => {
                self.log_is_reached();
                pending.ends.insert(place, next);
            }
            Read::Unreachable(reason) => {
                self.log_outage.begins(&reason);
                self.unreachable += 1;
                self.tell_log_unreachable(&reason).await;
            }
            Read::Records(..) | Read::End(..) => {}
        }
    }

    fn log_is_reached(&mut self) {
        self.log_outage.over();
        if self.unreachable < AWAY {
            self.unreachable = 0;
        }
    }

    async fn tell_log_unreachable(&mut self, reason: &str) {
        let places = self.standing.places();
        if let Err(SinkUnavailable(away)) = self.sink.log_unreachable(&places, now()).await {
            // A sink that can't be told is away itself, and those who ask it notice.
            tracing::debug!(reason, away, "{} can't be told that the log is away", self.config.sink);
        }
    }

    /// Applies what was read, however many attempts that takes.
    async fn apply(&mut self, mut pending: Pending) -> Then {
        let mut most = usize::MAX;
        let consumed = self.consumed.borrow().clone();
        loop {
            for (place, log) in self.standing.prove(&pending.records, &pending.ends) {
                self.halt_foreign(place, log).await;
            }
            pending.drop_applied(&self.standing);
            if pending.is_empty() {
                return self.confirm_if_new().await;
            }
            let folded =
                Folded::new(&mut self.sink, &pending, &self.standing, &self.skips, &consumed, most).await;
            let Folded { batch, moves, counts, first, misfits } = match folded {
                Ok(folded) => folded,
                Err(SinkUnavailable(reason)) => {
                    self.sink_outage.wait(&reason).await;
                    continue;
                }
            };
            let start = Instant::now();
            let applied = if moves.is_empty() { Ok(()) } else { self.sink.apply(batch, moves.clone()).await };
            match applied {
                Ok(()) => {
                    if counts.total() > 0 {
                        self.metrics.applied(&counts, start.elapsed());
                    }
                    self.sink_outage.over();
                    self.advance(&moves);
                    for (place, offset, reason) in misfits {
                        self.halt(place, offset, reason).await;
                    }
                    for place in pending.take_reached(&self.standing) {
                        self.at_end.insert(place, now());
                    }
                }
                Err(ApplyError::Conflict) => {
                    tracing::debug!("another {} has moved a checkpoint", self.config.name);
                    if self.catch_up().await {
                        return Then::FollowAnew;
                    }
                }
                // One of several records is at fault. Applied one by one, they show which.
                Err(ApplyError::Refused(_)) if most > 1 => most = 1,
                Err(ApplyError::Refused(reason)) => {
                    let (place, offset) = first;
                    self.halt(place, offset, reason).await;
                }
                Err(ApplyError::Unavailable(reason)) => {
                    self.sink_outage.wait(&reason).await;
                    // The batch may have been applied all the same.
                    if self.catch_up().await {
                        return Then::FollowAnew;
                    }
                }
            }
        }
    }

    fn advance(&mut self, moves: &[Move]) {
        for moved in moves {
            self.standing.advance(moved);
        }
        self.consumed.send_if_modified(|consumed| {
            for moved in moves {
                consumed.advance(moved.place, moved.to);
            }
            !moves.is_empty()
        });
    }

    /// Adopts the checkpoints as they stand now. Returns whether the stream partitions have to be followed anew.
    async fn catch_up(&mut self) -> bool {
        let before = std::mem::take(&mut self.standing);
        self.stand().await;
        self.standing.keep_proofs(&before);
        self.standing.is_behind(&before)
    }

    /// Leaves a stream partition at a record that can't be applied.
    async fn halt(&mut self, place: StreamPartition, offset: u64, reason: String) {
        tracing::error!(log.place = %place, log.offset = offset, reason, "{}", self.config.halted);
        let halt = Halt { place, offset, reason, at: now() };
        while let Err(SinkUnavailable(reason)) = self.sink.halt(&halt).await {
            self.sink_outage.wait(&reason).await;
        }
        self.metrics.halted(place, true);
        self.standing.remove(place);
        self.at_end.remove(&place);
        self.halted.insert(place, offset);
    }

    async fn tick(&mut self) -> Then {
        self.confirm().await;
        if !self.standing.all_proven() {
            // Asked again where the log could not be asked at first.
            self.halt_ahead_of_log().await;
        }
        if self.halted.is_empty() {
            return Then::GoOn;
        }
        // Not every sink hears of a halt that another process takes back.
        let Ok(all) = self.sink.checkpoints(&self.places).await else { return Then::GoOn };
        if all.iter().any(|seen| seen.halted.is_none() && self.halted.contains_key(&seen.place)) {
            return Then::FollowAnew;
        }
        if self.are_new_halts_skipped().await { Then::FollowAnew } else { Then::GoOn }
    }

    /// Confirms at once when an end was met for the first time, because others may wait for that.
    async fn confirm_if_new(&mut self) -> Then {
        let met = &self.at_end;
        let is_new = self.consumed.send_if_modified(|consumed| {
            let mut is_new = false;
            for place in met.keys() {
                is_new |= consumed.meet_end(*place);
            }
            is_new
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
        match self.sink.confirm(&places, *earliest).await {
            Ok(()) => self.sink_outage.over(),
            Err(SinkUnavailable(reason)) => self.sink_outage.begins(&reason),
        }
    }
}
