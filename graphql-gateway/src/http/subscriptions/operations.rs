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
    /// Answers with the ids of their operations; `None` is the end of one.
    running: SelectAll<BoxStream<'static, (String, Option<OperationAnswer>)>>,
    handles: HashMap<String, AbortHandle>,
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
        let (answers, handle) = abortable(answers.map(Some).chain(once(async { None })));
        self.handles.insert(id.clone(), handle);
        self.running.push(answers.map(move |answer| (id.clone(), answer)).boxed());
    }

    /// Ends an operation, whether it runs or not.
    pub(super) fn end(&mut self, id: &str) {
        if let Some(handle) = self.handles.remove(id) {
            handle.abort();
        }
    }

    /// The next message of any operation. Waits without an end while none is running.
    pub(super) async fn next(&mut self) -> String {
        let Some((id, answer)) = self.running.next().await else {
            return std::future::pending().await;
        };
        match answer {
            Some(OperationAnswer { body, is_refusal: false }) => message::next(&id, &body.to_text()),
            Some(OperationAnswer { body, is_refusal: true }) => {
                self.end(&id);
                let errors = serde_json::to_string(body.errors()).expect("errors have text keys alone");
                message::error(&id, &errors)
            }
            None => {
                self.end(&id);
                message::complete(&id)
            }
        }
    }
}
