//! Where a serving owner takes its commands from: the ones it has set aside, then the queue.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use crate::queued_command::{QueuedCommand, TakenCommand};

/// The commands that wait for an owner, in the order in which it decides them.
pub(super) struct Inbox<'a> {
    queue: &'a mut mpsc::Receiver<QueuedCommand>,
    /// Commands taken already that have to be decided, or decided again, before the queue is read any further. That
    /// keeps the order. They are in doubt since an earlier takeover, were part of an aborted batch, or can't be decided
    /// before the commands ahead of them are committed.
    set_aside: VecDeque<TakenCommand>,
    /// Whether the queue is empty and no more commands will come.
    closed: bool,
}

impl<'a> Inbox<'a> {
    /// Begins with the commands in doubt: the log holds them, or they are decided again.
    pub(super) fn new(queue: &'a mut mpsc::Receiver<QueuedCommand>, in_doubt: Vec<TakenCommand>) -> Self {
        Self { queue, set_aside: in_doubt.into(), closed: false }
    }

    /// The next command, if there is one now. Skips commands whose callers have given up.
    pub(super) fn take(&mut self) -> Option<TakenCommand> {
        loop {
            let taken = match self.set_aside.pop_front() {
                None => TakenCommand::take(self.queued()?),
                set_aside => set_aside,
            };
            if let Some(taken) = taken
                && !taken.is_given_up()
            {
                return Some(taken);
            }
        }
    }

    /// Blocks until a command arrives or the queue is closed. Only for an inbox without commands set aside.
    pub(super) fn wait(&mut self) {
        match self.queue.blocking_recv() {
            Some(queued) => self.set_aside.extend(TakenCommand::take(queued)),
            None => self.closed = true,
        }
    }

    /// Makes a command the next one to be taken.
    pub(super) fn put_back(&mut self, taken: TakenCommand) {
        self.set_aside.push_front(taken);
    }

    /// Makes these commands, in their order, the next ones to be taken.
    pub(super) fn put_all_back(&mut self, commands: impl DoubleEndedIterator<Item = TakenCommand>) {
        commands.rev().for_each(|taken| self.put_back(taken));
    }

    /// Sets queued commands aside until there are `most`, or the queue is empty.
    pub(super) fn set_aside_queued(&mut self, most: usize) {
        while self.set_aside.len() < most
            && let Some(queued) = self.queued()
        {
            self.set_aside.extend(TakenCommand::take(queued));
        }
    }

    /// The commands set aside.
    pub(super) fn set_aside_mut(&mut self) -> impl Iterator<Item = &mut TakenCommand> {
        self.set_aside.iter_mut()
    }

    /// Removes the commands set aside.
    pub(super) fn drain_set_aside(&mut self) -> impl Iterator<Item = TakenCommand> {
        self.set_aside.drain(..)
    }

    pub(super) fn has_set_aside(&self) -> bool {
        !self.set_aside.is_empty()
    }

    /// Whether the queue is known to be empty and closed.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    fn queued(&mut self) -> Option<QueuedCommand> {
        let queued = self.queue.try_recv();
        self.closed |= matches!(queued, Err(TryRecvError::Disconnected));
        queued.ok()
    }
}
