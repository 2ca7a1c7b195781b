//! The operations that run on one socket, by their ids.

use std::collections::HashMap;

use futures_util::StreamExt;
use futures_util::stream::{AbortHandle, BoxStream, SelectAll, abortable, once};

use super::execution::OperationAnswer;
use super::message;

/// Most operations of one socket at the same time.
pub(super) const MOST: usize = 100;

/// The running operations of a socket.
#[derive(Default)]
pub(super) struct RunningOperations {
    running: SelectAll<BoxStream<'static, (String, OperationStep)>>,
    handles: HashMap<String, AbortHandle>,
}

/// A step of an operation.
enum OperationStep {
    OperationAnswer(OperationAnswer),
    End,
}

impl RunningOperations {
    /// Whether an operation of this id is running.
    pub(super) fn has(&self, id: &str) -> bool {
        self.handles.contains_key(id)
    }

    pub(super) fn len(&self) -> usize {
        self.handles.len()
    }

    /// Runs an operation.
    pub(super) fn begin(&mut self, id: String, answers: BoxStream<'static, OperationAnswer>) {
        let steps = answers.map(OperationStep::OperationAnswer).chain(once(async { OperationStep::End }));
        let (steps, handle) = abortable(steps);
        self.handles.insert(id.clone(), handle);
        self.running.push(steps.map(move |step| (id.clone(), step)).boxed());
    }

    /// Ends an operation, whether it runs or not.
    pub(super) fn end(&mut self, id: &str) {
        if let Some(handle) = self.handles.remove(id) {
            handle.abort();
        }
    }

    /// The next message of any operation. Waits without an end while none is running.
    pub(super) async fn next(&mut self) -> String {
        loop {
            let Some((id, step)) = self.running.next().await else {
                return std::future::pending().await;
            };
            // A step that was on its way when its operation ended, or gave way to another of the same id.
            if !self.has(&id) {
                continue;
            }
            match step {
                OperationStep::OperationAnswer(OperationAnswer { body, is_refusal: false }) => {
                    return message::next(&id, &body.to_text());
                }
                OperationStep::OperationAnswer(OperationAnswer { body, is_refusal: true }) => {
                    self.end(&id);
                    let errors = serde_json::to_string(body.errors()).expect("errors have text keys alone");
                    return message::error(&id, &errors);
                }
                OperationStep::End => {
                    self.end(&id);
                    return message::complete(&id);
                }
            }
        }
    }
}
