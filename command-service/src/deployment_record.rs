//! Events of the deployment as records, with nobody but the operator as their actor.

use domain::actor::{Actor, Client};
use domain::deployment::{self, Event};
use event_log::Record;
use event_log::envelope::Envelope;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

/// The record of an event of the deployment that follows from no command.
pub(crate) fn of(event: &Event, sequence: u64) -> Record {
    let command_id = Uuid::now_v7().to_string();
    let body = event.to_json();
    let envelope = Envelope {
        id: Uuid::now_v7(),
        time: OffsetDateTime::now_utc().into(),
        subject: deployment::SUBJECT.to_owned(),
        sequence,
        // There was no command. Owners of earlier releases can't read an event without a digest.
        command_digest: hex::encode(Sha256::digest(&body)),
        correlation_id: command_id.clone(),
        command_id,
        actor: String::new(),
        actor_name: String::new(),
        actor_role: None,
        client: Client::default(),
        traceparent: None,
    };
    envelope.asked_by(&Actor::System).record(event.wire_name(), body)
}
