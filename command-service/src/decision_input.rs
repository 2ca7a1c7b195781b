//! A command as an aggregate decides it, with everything that is derived from it once.

use domain::command::{Ask, Command};
use domain::decision_context::DecisionContext;
use domain::timestamp::Timestamp;
use event_log::envelope::Envelope;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::fingerprint::{CommandFingerprint, FingerprintKey, RequestFingerprint};

/// A command, what is derived from it, and the context of its decision.
pub(crate) struct DecisionInput<'a> {
    pub(crate) command: &'a Command,
    /// The aggregate the command is for, as the `subject` of its events.
    subject: String,
    digest: String,
    pub(crate) context: DecisionContext,
    /// Key of the fingerprints by which a repeated command is recognised.
    pub(crate) key: FingerprintKey,
}

impl<'a> DecisionInput<'a> {
    pub(crate) fn new(command: &'a Command, context: DecisionContext, key: FingerprintKey) -> Self {
        Self { command, subject: command.ask.subject(), digest: digest(&command.ask), context, key }
    }

    /// The fingerprint of the command's id.
    pub(crate) fn command_fingerprint(&self) -> CommandFingerprint {
        self.key.command_id(&self.command.id)
    }

    /// The fingerprint of who asks for what.
    pub(crate) fn request_fingerprint(&self) -> RequestFingerprint {
        self.key.request(&self.command.actor.id_text(), &self.digest)
    }

    /// The envelope of the command's event with this sequence number.
    pub(crate) fn envelope(&self, sequence: u64) -> Envelope {
        envelope(self.command, &self.subject, &self.digest, sequence, self.context.now)
    }
}

/// The envelope of an event that follows from a command.
pub(crate) fn envelope(
    command: &Command,
    subject: &str,
    digest: &str,
    sequence: u64,
    time: Timestamp,
) -> Envelope {
    Envelope {
        id: Uuid::now_v7(),
        time,
        subject: subject.to_owned(),
        sequence,
        command_id: command.id.clone(),
        command_digest: digest.to_owned(),
        correlation_id: command.correlation_id.clone(),
        actor: String::new(),
        actor_name: String::new(),
        actor_role: None,
        client: command.client.clone(),
        traceparent: command.traceparent.clone(),
    }
    .asked_by(&command.actor)
}

/// Hex SHA-256 of the JSON of what a command asks for. What the gateway prepared is not part of it, because a retry
/// brings a new temporary password under the same command id.
pub(crate) fn digest(ask: &Ask) -> String {
    let json = serde_json::to_vec(ask).expect("what is asked is plain data");
    hex::encode(Sha256::digest(json))
}
