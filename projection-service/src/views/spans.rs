//! Spans of users: each event begins one, and so ends the one before.

use std::collections::HashMap;

use domain::id::UserId;
use domain::timestamp::Timestamp;
use domain::user::Event;
use read_model::user_spans::{SpanEnd, SpanRow};
use read_model::users::UserRow;

/// The span that begins with an event of this time and leaves the user like this.
pub(crate) fn begin(event: &Event, after: &UserRow, time: Timestamp) -> SpanRow {
    SpanRow {
        user_id: after.id,
        sequence: after.version,
        // Never before that of an earlier event: spans of a user follow each other as the events do.
        since: after.updated_at,
        until: None,
        time,
        state: after.state,
        group: after.group.as_ref().map(|group| group.id),
        event: event.clone(),
    }
}

/// The spans of a batch, each ended by the next one of its user, and the ends of spans that are in the views already.
pub(crate) fn joined(mut spans: Vec<SpanRow>) -> (Vec<SpanRow>, Vec<SpanEnd>) {
    let mut ends = Vec::new();
    let mut last: HashMap<UserId, usize> = HashMap::new();
    for index in 0..spans.len() {
        let SpanRow { user_id, sequence, since, .. } = spans[index];
        match last.insert(user_id, index) {
            Some(before) => spans[before].until = Some(since),
            None if sequence > 1 => ends.push(SpanEnd { user_id, sequence: sequence - 1, until: since }),
            None => {}
        }
    }
    (spans, ends)
}
