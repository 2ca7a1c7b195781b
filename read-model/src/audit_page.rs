//! Pages of the audit log, the newest entry first. Entries of one stream partition have the order of their records, whatever
//! the clocks said; entries of different ones are ordered by time.

use domain::id::UserId;
use domain::timestamp::Timestamp;
use uuid::Uuid;

use crate::audit::{self, AuditRow, NAMED, NAMES, Outcome, Target};
use crate::error::Error;
use crate::page::{Order, Page, Window};
use crate::reader::ReadModel;
use crate::statement::{Sql, Value, sql};

/// A filter of entries. All conditions have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By this actor.
    pub actor: Option<UserId>,
    /// About this target.
    pub target: Option<Target>,
    /// With any of these actions; empty means every action.
    pub actions: Vec<String>,
    /// With any of these outcomes; empty means every outcome.
    pub outcomes: Vec<Outcome>,
    /// After this instant.
    pub after: Option<Timestamp>,
    /// Before this instant.
    pub before: Option<Timestamp>,
}

impl AuditFilter {
    /// Every entry about one target.
    pub fn of_target(target: Target) -> Self {
        Self { target: Some(target), ..Self::default() }
    }
}

/// The time in this order never goes back within a stream partition. Offsets order the records of one instant there.
const ORDER: Order = Order {
    name: "audit",
    columns: &["audit.ordered_at", "audit.log_offset", "audit.id"],
    is_descending: true,
};

/// The values of these columns.
type AuditKey = (i64, i64, Uuid);

impl ReadModel {
    /// A page of the entries that pass the filter.
    pub async fn audit_page(&self, filter: &AuditFilter, window: &Window) -> Result<Page<AuditRow>, Error> {
        let offset = |entry: &AuditRow| i64::try_from(entry.offset).unwrap_or(i64::MAX);
        let key = |entry: &AuditRow| (entry.ordered_at.micros(), offset(entry), entry.id.uuid());
        // Each branch reads at most one page from one index, the newest entry first.
        let mut union = sql("");
        for (index, (column, value)) in filter.branches().into_iter().enumerate() {
            union.push(if index == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
            union.push("SELECT ").push(audit::columns()).push(" FROM audit WHERE 1 = 1");
            if let Some(value) = value {
                union.push(" AND ").push(column).push(" = ").push_value(value);
            }
            if column == "audit.outcome" {
                // Named for PostgreSQL: without this condition it does not use the partial index.
                union.push(" AND audit.outcome <> 0");
            }
            filter.check(&mut union);
            ORDER.limit::<AuditKey>(&mut union, window)?;
            union.push(&format!(") AS branch{index}"));
        }
        let text = format!("SELECT {}, {NAMED} FROM ({}) AS audit", audit::columns(), union.text);
        let mut statement = Sql { text, ..union };
        statement.push(NAMES);
        ORDER.sort(&mut statement, window);
        let rows = self.database.all(statement).await?;
        Ok(ORDER.page(window, rows, key))
    }
}

impl AuditFilter {
    /// The columns and values to look up by index: the narrowest that the filter has.
    fn branches(&self) -> Vec<(&'static str, Option<Value>)> {
        if let Some(target) = &self.target {
            return vec![("audit.target_id", Some(target.uuid.into()))];
        }
        if let Some(actor) = self.actor {
            return vec![("audit.actor_id", Some(actor.into()))];
        }
        if !self.outcomes.is_empty() && !self.outcomes.contains(&Outcome::Allowed) {
            let outcomes = distinct(&self.outcomes);
            return outcomes.iter().map(|it| ("audit.outcome", Some(it.number().into()))).collect();
        }
        if !self.actions.is_empty() {
            let actions = distinct(&self.actions);
            return actions.iter().map(|action| ("audit.action", Some(action.as_str().into()))).collect();
        }
        vec![("", None)]
    }

    /// Adds the conditions. Equality is written as CASE, so that no other index than the one of the branch is considered.
    fn check(&self, statement: &mut Sql) {
        const IF: &str = " AND CASE WHEN ";
        const HOLDS: &str = " THEN 1 ELSE 0 END <> 0";
        if let Some(target) = &self.target {
            statement.push(IF).push("audit.target_kind = ").push_value(target.kind.as_str()).push(HOLDS);
        }
        if let Some(actor) = self.actor.filter(|_| self.target.is_some()) {
            statement.push(IF).push("audit.actor_id = ").push_value(actor).push(HOLDS);
        }
        if !self.actions.is_empty() {
            statement.push(IF).push("audit.action IN ").push_list(&self.actions).push(HOLDS);
        }
        if !self.outcomes.is_empty() {
            statement.push(IF).push("audit.outcome IN ");
            statement.push_list(self.outcomes.iter().map(|outcome| outcome.number())).push(HOLDS);
        }
        if let Some(after) = self.after {
            // No entry is ordered before its time, so the index finds where to end.
            statement.push(" AND audit.at > ").push_value(after);
            statement.push(" AND audit.ordered_at > ").push_value(after);
        }
        if let Some(before) = self.before {
            // None is ordered further behind its time than the skew, so the index finds where to begin.
            const SKEW: &str = " + (SELECT COALESCE(MAX(skew), 0) FROM checkpoints)";
            statement.push(" AND audit.at < ").push_value(before);
            statement.push(" AND audit.ordered_at < ").push_value(before).push(SKEW);
        }
    }
}

/// Each value once. Two branches with one value would show its entries twice.
fn distinct<T: PartialEq>(values: &[T]) -> Vec<&T> {
    let mut distinct: Vec<&T> = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}
