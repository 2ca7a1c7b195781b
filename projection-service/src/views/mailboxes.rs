//! Mailboxes. The default one exists from the registration on.

use domain::id::MailboxId;
use domain::user::Event;
use domain::user::mailboxes::{DEFAULT, default_of};
use read_model::mailboxes::MailboxRow;

use super::{At, RowChange};

/// The changed mailbox, if the event changes one.
pub(crate) fn fold(event: &Event, username: &str, at: At) -> Option<RowChange<MailboxId, MailboxRow>> {
    let row = |id, name: &str, description: Option<String>| MailboxRow {
        id,
        user_id: at.user,
        username: username.to_owned(),
        name: name.to_owned(),
        description,
        created_at: at.time,
    };
    match event {
        Event::Registered(_) => {
            let id = default_of(at.user);
            Some(RowChange::Put(id, row(id, DEFAULT, None)))
        }
        Event::MailboxCreated(created) => {
            let id = created.mailbox_id;
            Some(RowChange::Put(id, row(id, &created.name, created.description.clone())))
        }
        Event::MailboxDeleted(deleted) => Some(RowChange::Gone(deleted.mailbox_id)),
        _ => None,
    }
}
