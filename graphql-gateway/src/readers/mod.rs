//! Those who read events as they happen: how many there may be, for how long they may, and the feeds they read.

mod rights;
mod sockets;

use std::sync::Arc;

use event_feed::{FeedKind, Feeds};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::access::AccessCheck;
use crate::config::Config;

pub(crate) use rights::{Ended, ReaderRights, RightsWatch};
pub(crate) use sockets::{OpenSocket, Sockets};

/// One stream that is open: counted, and holding its place.
pub(crate) struct OpenStream {
    gauge: metrics::Gauge,
    events: metrics::Counter,
    _permit: OwnedSemaphorePermit,
}

impl OpenStream {
    /// The reader got this many events.
    pub(crate) fn delivered(&self, events: usize) {
        self.events.increment(events as u64);
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.gauge.decrement(1.0);
    }
}

/// What readers share.
pub(crate) struct Readers {
    pub(crate) feeds: Feeds,
    pub(crate) rights: RightsWatch,
    /// Permits of the streams that may be open.
    open: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
    pub(crate) sockets: Sockets,
}

impl Readers {
    pub(crate) fn new(feeds: Feeds, access: Arc<AccessCheck>, config: &Config) -> Self {
        let stopping = watch::Sender::new(false);
        let rights = RightsWatch::new(access, config.access_staleness, stopping.subscribe());
        let open = Arc::new(Semaphore::new(config.event_streams.get()));
        Self { feeds, rights, open, stopping, sockets: Sockets::new(config.event_streams.get()) }
    }

    /// A place for one more stream, in a form that metrics name; `None` while as many as may be are open.
    pub(crate) fn admit(&self, feed: FeedKind, form: &'static str) -> Option<OpenStream> {
        let permit = Arc::clone(&self.open).try_acquire_owned().ok()?;
        let gauge = metrics::gauge!("muster_feed_readers", "feed" => feed.name(), "form" => form);
        gauge.increment(1.0);
        let events = metrics::counter!("muster_feed_events_total", "feed" => feed.name(), "form" => form);
        Some(OpenStream { gauge, events, _permit: permit })
    }

    /// Whether every stream is to end.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Ready when every stream is to end.
    pub(crate) async fn stopped(&self) {
        // It fails only without a sender, which `self` has.
        let mut stopping = self.stopping.subscribe();
        let _stopping = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Ends every stream.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }
}
