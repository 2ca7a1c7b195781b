//! Conditions of a user filter as SQL: looked up by an index, or checked row by row.

use super::UserFilter;
use crate::search::{Prefix, Words, folded};
use crate::statement::{Sql, sql};
use crate::users::columns;
use domain::user::UserStatus;

/// The part of a filter whose index gathers the users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Narrow {
    Email,
    /// One word of the search.
    Word(usize),
    States,
    Groups,
    Registered,
}

impl UserFilter {
    /// The users that one part of the filter gathers, as `WITH found AS (…)`.
    pub(super) fn found(&self, narrow: Narrow) -> Sql {
        if let Narrow::Word(index) = narrow
            && let Some(word) = Words::of(self.search.as_deref()).get(index)
        {
            return found_by_word(word, None);
        }
        let mut statement = sql("WITH found AS MATERIALIZED (SELECT id FROM users WHERE 1 = 1");
        match narrow {
            Narrow::Email => {
                let address = folded(self.email.as_deref().unwrap_or_default().trim());
                statement.push(" AND email_key = ").push_value(address);
            }
            Narrow::States => {
                statement.push(" AND state IN ").push_list(self.states.iter().map(|state| state.number()));
            }
            Narrow::Groups => {
                statement.push(" AND group_id IN ").push_list(self.groups.iter().copied());
            }
            Narrow::Registered | Narrow::Word(_) => self.registered(&mut statement),
        }
        statement.push(")");
        statement
    }

    /// Reads the users that one part gathers and the whole filter lets pass. They are materialised before sorting, or
    /// PostgreSQL may walk the index of the order after all.
    pub(super) fn gathered(&self, narrow: Narrow) -> Sql {
        let mut statement = self.found(narrow);
        statement.push(", matching AS MATERIALIZED (SELECT users.* FROM found CROSS JOIN users WHERE users.id = found.id");
        self.check(&mut statement, Some(narrow));
        statement.push(&format!(") SELECT {} FROM matching AS users WHERE 1 = 1", columns()));
        statement
    }

    /// Adds the range of registration times.
    pub(super) fn registered(&self, statement: &mut Sql) {
        if let Some(after) = self.registered_after {
            statement.push(" AND users.registered_at > ").push_value(after);
        }
        if let Some(before) = self.registered_before {
            statement.push(" AND users.registered_at < ").push_value(before);
        }
    }

    /// Adds every condition except `but`, each as a CASE. No database uses an index for a CASE, and PostgreSQL estimates it
    /// as nearly always true. The estimate is right here, because a filter that few rows pass is looked up by an index.
    pub(super) fn check(&self, statement: &mut Sql, but: Option<Narrow>) {
        const IF: &str = " AND CASE WHEN ";
        const HOLDS: &str = " THEN 1 ELSE 0 END <> 0";
        if self.states.is_empty() {
            statement.push(IF).push("users.state <> ").push_value(UserStatus::Deleted.number()).push(HOLDS);
        } else if but != Some(Narrow::States) {
            statement.push(IF).push("users.state IN ");
            statement.push_list(self.states.iter().map(|state| state.number())).push(HOLDS);
        }
        if !self.groups.is_empty() && but != Some(Narrow::Groups) {
            statement.push(IF).push("users.group_id IN ").push_list(self.groups.iter().copied()).push(HOLDS);
        }
        for (index, word) in Words::of(self.search.as_deref()).iter().enumerate() {
            if but != Some(Narrow::Word(index)) {
                statement.push(IF).push("users.terms LIKE ").push_value(word.joined_pattern());
                statement.push(" ESCAPE '\\'").push(HOLDS);
            }
        }
        if but != Some(Narrow::Registered) {
            let is_limited = self.registered_after.is_some() || self.registered_before.is_some();
            if is_limited {
                statement.push(IF).push("1 = 1");
                self.registered(statement);
                statement.push(HOLDS);
            }
        }
    }
}

/// The users with a term that begins with the word, as `WITH found AS (…)`. Looks at no more than `most` terms.
pub(super) fn found_by_word(word: &Prefix, most: Option<u64>) -> Sql {
    let mut statement = sql("WITH found AS MATERIALIZED (SELECT DISTINCT user_id AS id FROM \
         (SELECT user_id FROM user_terms WHERE term >= ");
    statement.push_value(word.from()).push(" AND term < ").push_value(word.to());
    if let Some(most) = most {
        statement.push(" LIMIT ").push_value(most);
    }
    statement.push(") AS terms)");
    statement
}
