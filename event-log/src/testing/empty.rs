//! A log without content, for tests that need none.

use async_trait::async_trait;
use log_model::StreamPartition;
use log_model::record::Record;
use tokio::sync::watch;

use crate::error::{ClaimError, Unavailable};
use crate::follow::Follow;
use crate::membership::Membership;
use crate::owners::Owners;
use crate::port::{EventLog, Writer};
use crate::replay::Replay;

/// A log of one partition that holds nothing, can't be claimed and forgets what is appended.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmptyLog;

#[async_trait]
impl EventLog for EmptyLog {
    fn partitions(&self) -> u32 {
        1
    }

    fn claim(&self, _: u32, _: &mut dyn Replay) -> Result<Box<dyn Writer>, ClaimError> {
        Err(ClaimError::Unavailable("nobody writes here".to_owned()))
    }

    fn join(&self) -> Membership {
        Membership::channel().1
    }

    async fn append_access(&self, _: Vec<Record>) -> Result<(), Unavailable> {
        Ok(())
    }

    fn follow(&self, _: Vec<(StreamPartition, u64)>) -> Follow {
        Follow::channel(1).1
    }

    async fn ends(&self) -> Result<Vec<(StreamPartition, u64)>, Unavailable> {
        Ok(Vec::new())
    }

    fn owners(&self) -> watch::Receiver<Owners> {
        watch::channel(Owners::new()).1
    }
}
