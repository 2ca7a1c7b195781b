//! Groups: one row a group. Members are counted by `counts`.

use domain::group::Event;
use domain::id::GroupId;
use domain::timestamp::Timestamp;
use read_model::groups::GroupRow;

/// The row after the event. `None` for an event of a group that was never created.
pub(crate) fn fold(
    before: Option<GroupRow>,
    event: &Event,
    id: GroupId,
    sequence: u64,
    time: Timestamp,
) -> Option<GroupRow> {
    // Never before that of an earlier event: the history is ordered by it, and clocks may go back.
    let updated_at = before.as_ref().map_or(time, |row| row.updated_at.max(time));
    let mut row = match event {
        Event::Created(created) => GroupRow {
            id,
            name: created.name.clone(),
            description: created.description.clone(),
            phone: created.personal.phone.clone(),
            email: created.personal.email.clone(),
            closed: false,
            deleted: false,
            version: sequence,
            updated_at,
            member_count: 0,
        },
        _ => before?,
    };
    row.version = sequence;
    row.updated_at = updated_at;
    match event {
        Event::Created(_) => {}
        Event::Edited(edited) => {
            if let Some(description) = &edited.description {
                row.description.clone_from(&description.new);
            }
            row.phone.clone_from(&edited.personal.new.phone);
            row.email.clone_from(&edited.personal.new.email);
        }
        Event::Closed(_) => row.closed = true,
        Event::Reopened(_) => row.closed = false,
        Event::Deleted(_) => row = emptied(row),
    }
    Some(row)
}

/// The row of a deleted group. Its name and version stay, because later events of the name continue the numbers.
fn emptied(row: GroupRow) -> GroupRow {
    GroupRow { description: None, phone: None, email: None, deleted: true, ..row }
}
