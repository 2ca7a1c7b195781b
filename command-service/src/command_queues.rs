//! The queues in front of the owners in this process: a command in, its answer out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use domain::command::{Answer, Command, Failure};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::queued_command::{QueuedCommand, Ticket};

/// The way to the owners in this process. Clones share the queues.
#[derive(Clone)]
pub struct CommandQueues(Arc<Queues>);

struct Queues {
    /// Number of partitions of the deployment.
    partitions: u32,
    /// The queue of each partition with an owner in this process.
    open: RwLock<BTreeMap<u32, PartitionQueue>>,
    /// Whether the group has assigned partitions to this process, even if none.
    joined: AtomicBool,
}

/// The queue of one partition.
pub(crate) struct PartitionQueue {
    commands: mpsc::Sender<QueuedCommand>,
    /// Whether the owner accepts commands.
    accepting: Arc<AtomicBool>,
    /// Whether the partition is assigned to this process. If not, its owner serves until another process claims it.
    assigned: bool,
}

impl PartitionQueue {
    /// A queue for up to `capacity` commands, and the owner's end of it. The owner sets `accepting`.
    pub(crate) fn new(capacity: usize, accepting: Arc<AtomicBool>) -> (Self, mpsc::Receiver<QueuedCommand>) {
        let (commands, receiver) = mpsc::channel(capacity);
        (Self { commands, accepting, assigned: true }, receiver)
    }
}

impl CommandQueues {
    pub(crate) fn new(partitions: u32) -> Self {
        Self(Arc::new(Queues { partitions, open: RwLock::default(), joined: AtomicBool::new(false) }))
    }

    /// Queues a command for its owner and waits for the answer until the deadline.
    ///
    /// [`Failure::NotOwner`] and [`Failure::Unavailable`] mean that nothing was written and nothing will be. After
    /// [`Failure::UnknownOutcome`] the caller may send the same command again under the same id.
    pub async fn submit(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        let partition = command.ask.route_key().partition(self.0.partitions);
        let (reply, answer) = oneshot::channel();
        let ticket = Ticket::default();
        self.enqueue(partition, QueuedCommand { command, reply, ticket: ticket.clone() })?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => answer,
            // The caller gives up before the owner has taken the command.
            Ok(Err(_)) if ticket.try_take() => Err(Failure::NotOwner),
            Err(_) if ticket.try_take() => Err(Failure::Unavailable { retry_after_ms: 1_000 }),
            Ok(Err(_)) | Err(_) => Err(Failure::UnknownOutcome),
        }
    }

    fn enqueue(&self, partition: u32, queued: QueuedCommand) -> Result<(), Failure> {
        let open = self.read();
        let queue = open.get(&partition).ok_or(Failure::NotOwner)?;
        if !queue.accepting.load(Ordering::Acquire) {
            return Err(Failure::NotOwner);
        }
        queue.commands.try_send(queued).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Failure::Unavailable { retry_after_ms: 200 },
            mpsc::error::TrySendError::Closed(_) => Failure::NotOwner,
        })
    }

    /// Whether this process has joined the group and serves every partition assigned to it. There may be none.
    pub fn is_serving(&self) -> bool {
        let open = self.read();
        self.0.joined.load(Ordering::Acquire)
            && open.values().all(|queue| !queue.assigned || queue.accepting.load(Ordering::Acquire))
    }

    /// Notes that the group has assigned partitions to this process.
    pub(crate) fn set_joined(&self) {
        self.0.joined.store(true, Ordering::Release);
    }

    /// Sends commands for the partition into this queue from now on.
    pub(crate) fn open(&self, partition: u32, queue: PartitionQueue) {
        self.write().insert(partition, queue);
    }

    /// Notes that the partition goes to another process. Its queue stays open until that process serves it.
    pub(crate) fn yield_up(&self, partition: u32) {
        if let Some(queue) = self.write().get_mut(&partition) {
            queue.assigned = false;
        }
    }

    /// Takes no more commands for the partition. Its owner still answers what is in the queue.
    pub(crate) fn close(&self, partition: u32) {
        self.write().remove(&partition);
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<u32, PartitionQueue>> {
        self.0.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<u32, PartitionQueue>> {
        self.0.open.write().unwrap_or_else(PoisonError::into_inner)
    }
}
