//! Mailboxes, in which files wait for a user.

use std::sync::LazyLock;

use domain::id::{MailboxId, UserId};
use domain::timestamp::Timestamp;
use domain::user::mailboxes;

use crate::error::Error;
use crate::page::{Count, Order, Page, Window};
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns};
use crate::statement::{listed, sql};
use crate::table::{Table, column, fixed};

/// A mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxRow {
    /// The id.
    pub id: MailboxId,
    /// The user.
    pub user_id: UserId,
    /// The user's name, read from the user. Writing a mailbox does not change it.
    pub username: String,
    /// The name, unique within the user.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl MailboxRow {
    /// The downstream topic that carries its files.
    pub fn topic(&self) -> String {
        mailboxes::topic(&self.username, &self.name)
    }
}

const ORDER: Order = Order { name: "mailboxes", columns: &["mailboxes.name"], is_descending: false };

/// The table of mailboxes.
pub(crate) const TABLE: Table<MailboxRow, 5> = Table {
    name: "mailboxes",
    columns: [
        fixed("id", |mailbox| mailbox.id.into()),
        fixed("user_id", |mailbox| mailbox.user_id.into()),
        fixed("name", |mailbox| (&mailbox.name).into()),
        column("description", |mailbox| (&mailbox.description).into()),
        column("created_at", |mailbox| mailbox.created_at.into()),
    ],
};

static SELECT: LazyLock<String> = LazyLock::new(|| {
    let columns = TABLE.selected();
    format!("SELECT {columns}, users.username FROM mailboxes JOIN users ON users.id = mailboxes.user_id")
});

impl ReadModel {
    /// The mailbox with this id.
    pub async fn mailbox(&self, id: MailboxId) -> Result<Option<MailboxRow>, Error> {
        self.database.maybe_one(sql(format!("{} WHERE mailboxes.id = $1", *SELECT)).bind(id)).await
    }

    /// These mailboxes, in any order; unknown ones are left out.
    pub async fn mailboxes_by_ids(&self, ids: &[MailboxId]) -> Result<Vec<MailboxRow>, Error> {
        self.database.all_of(listed(&format!("{} WHERE mailboxes.id IN", *SELECT), ids, "")).await
    }

    /// A page of a user's mailboxes, by name.
    pub async fn mailboxes_page(&self, user: UserId, window: &Window) -> Result<Page<MailboxRow>, Error> {
        let mut statement = sql(format!("{} WHERE mailboxes.user_id = $1", *SELECT)).bind(user);
        ORDER.limit::<(String,)>(&mut statement, window)?;
        let rows = self.database.all(statement).await?;
        Ok(ORDER.page(window, rows, |mailbox: &MailboxRow| (mailbox.name.clone(),)))
    }

    /// How many mailboxes a user has, counted up to 10,000.
    pub async fn mailboxes_count(&self, user: UserId) -> Result<Count, Error> {
        self.count_of_user("mailboxes", user).await
    }
}

impl FromColumns for MailboxRow {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: MailboxId::from_uuid(row.uuid("id")?),
            user_id: row.user_id("user_id")?,
            username: row.text("username")?,
            name: row.text("name")?,
            description: row.maybe_text("description")?,
            created_at: row.time("created_at")?,
        })
    }
}
