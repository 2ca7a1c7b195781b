//! Agent rules: what file agents upload and download.

use domain::id::{RuleId, UserId};
use domain::user::mailboxes;
use domain::user::rules::{Kind, Rule};

use crate::error::Error;
use crate::page::{Count, Order, Page, Window};
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns};
use crate::statement::sql;
use crate::table::{Table, column, fixed};

/// A rule and its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRow {
    /// The user.
    pub user_id: UserId,
    /// The user's name, read from the user. Writing a rule does not change it.
    pub username: String,
    /// The rule.
    pub rule: Rule,
}

impl RuleRow {
    /// The downstream topic from which a download gets its files; `None` for an upload.
    pub fn topic(&self) -> Option<String> {
        match &self.rule.kind {
            Kind::Download(download) => Some(mailboxes::topic(&self.username, &download.mailbox)),
            Kind::Upload(_) => None,
        }
    }
}

const ORDER: Order = Order { name: "rules", columns: &["agent_rules.name"], is_descending: false };

const SELECT: &str = "SELECT agent_rules.user_id, users.username, agent_rules.rule FROM agent_rules \
    JOIN users ON users.id = agent_rules.user_id";

impl ReadModel {
    /// The rule with this id.
    pub async fn rule(&self, id: RuleId) -> Result<Option<RuleRow>, Error> {
        self.database.maybe_one(sql(format!("{SELECT} WHERE agent_rules.id = $1")).bind(id)).await
    }

    /// Every rule of a user, by name.
    pub async fn rules_of(&self, user: UserId) -> Result<Vec<RuleRow>, Error> {
        let text = format!("{SELECT} WHERE agent_rules.user_id = $1 ORDER BY agent_rules.name");
        self.database.all(sql(text).bind(user)).await
    }

    /// A page of a user's rules, by name.
    pub async fn rules_page(&self, user: UserId, window: &Window) -> Result<Page<RuleRow>, Error> {
        let mut statement = sql(format!("{SELECT} WHERE agent_rules.user_id = $1")).bind(user);
        ORDER.limit::<(String,)>(&mut statement, window)?;
        let rows = self.database.all(statement).await?;
        Ok(ORDER.page(window, rows, |row: &RuleRow| (row.rule.name.clone(),)))
    }

    /// How many rules a user has, counted up to 10,000.
    pub async fn rules_count(&self, user: UserId) -> Result<Count, Error> {
        self.count_of_user("agent_rules", user).await
    }
}

impl FromColumns for RuleRow {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self {
            user_id: row.user_id("user_id")?,
            username: row.text("username")?,
            rule: row.json("rule")?,
        })
    }
}

/// The table of rules.
pub(crate) const TABLE: Table<(UserId, Rule), 4> = Table {
    name: "agent_rules",
    columns: [
        fixed("id", |(_, rule)| rule.id.into()),
        fixed("user_id", |(user, _)| (*user).into()),
        fixed("name", |(_, rule)| (&rule.name).into()),
        column("rule", |(_, rule)| {
            serde_json::to_string(rule).expect("a rule has text keys and no numbers that JSON lacks").into()
        }),
    ],
};
