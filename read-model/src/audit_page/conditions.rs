//! Conditions of a filter of the audit log as SQL: one looked up by an index, the others checked row by row.

use super::filter::AuditFilter;
use crate::audit::Outcome;
use crate::search::Words;
use crate::statement::{Sql, Value};

const IF: &str = " AND CASE WHEN ";
const HOLDS: &str = " THEN 1 ELSE 0 END <> 0";

/// Everything that a search looks at, in one text. No word contains the spaces between.
const SEARCHED: &str = "LOWER(audit.actor_name || ' ' || \
    COALESCE(audit.target_name, (SELECT username FROM users WHERE users.id = audit.target_id), \
    (SELECT name FROM groups WHERE groups.id = audit.target_id), '') || ' ' || audit.action || ' ' || \
    COALESCE(audit.client_address, '') || ' ' || COALESCE(audit.client_agent, '') || ' ' || \
    COALESCE(audit.command_id, '') || ' ' || COALESCE(audit.correlation_id, ''))";

/// A column to look entries up by, and the value there. Without a value, every entry.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    column: &'static str,
    value: Option<Value>,
}

impl Branch {
    fn new(column: &'static str, value: impl Into<Value>) -> Self {
        Self { column, value: Some(value.into()) }
    }

    /// Adds the condition that the branch's index serves.
    pub(super) fn look_up(&self, statement: &mut Sql) {
        if let Some(value) = self.value.clone() {
            statement.push(" AND ").push(self.column).push(" = ").push_value(value);
        }
        if self.column == "audit.outcome" {
            // Named for PostgreSQL: without this condition it does not use the partial index.
            statement.push(" AND audit.outcome <> 0");
        }
    }
}

impl AuditFilter {
    /// Whether there is anything to search for.
    pub(super) fn is_searching(&self) -> bool {
        !Words::of(self.search.as_deref()).is_empty()
    }

    /// What to look up by index: the narrowest that the filter has.
    pub(super) fn branches(&self) -> Vec<Branch> {
        if let Some(target) = &self.target {
            return vec![Branch::new("audit.target_id", target.uuid)];
        }
        if let Some(actor) = self.actor {
            return vec![Branch::new("audit.actor_id", actor)];
        }
        if !self.outcomes.is_empty() && !self.outcomes.contains(&Outcome::Allowed) {
            let outcomes = distinct(&self.outcomes);
            return outcomes.iter().map(|it| Branch::new("audit.outcome", it.number())).collect();
        }
        if !self.actions.is_empty() {
            let actions = distinct(&self.actions);
            return actions.iter().map(|action| Branch::new("audit.action", action.as_str())).collect();
        }
        vec![Branch { column: "", value: None }]
    }

    /// The one branch of a search: it ends at one place, from which the next page goes on.
    pub(super) fn branch(&self) -> Branch {
        let mut branches = self.branches();
        if branches.len() == 1 { branches.remove(0) } else { Branch { column: "", value: None } }
    }

    /// Adds the range of times.
    pub(super) fn between(&self, statement: &mut Sql) {
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

    /// Adds every condition. Equality is written as CASE, so that no other index than the one of the branch is considered.
    pub(super) fn check(&self, statement: &mut Sql) {
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
        for word in Words::of(self.search.as_deref()).iter() {
            statement.push(IF).push(SEARCHED).push(" LIKE ").push_value(word.pattern("%"));
            statement.push(" ESCAPE '\\'").push(HOLDS);
        }
        self.between(statement);
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
