//! Conditions of a user filter as SQL: looked up by an index, or checked row by row.

use domain::actor::{Role, Roles};
use domain::timestamp::Timestamp;
use domain::user::UserStatus;

use super::filter::UserFilter;
use super::order::KeyValue;
use crate::search::{Prefix, Words, folded};
use crate::statement::{Sql, sql};
use crate::users::{columns, phone_key};

/// The part of the conditions whose index gathers the users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Narrow {
    Email,
    Phone,
    /// One word of the search.
    Word(usize),
    States,
    Groups,
    Roles,
    MustChange,
    Registered,
    Updated,
    /// One value of a column.
    Tie,
}

/// What the users of a list have to be like: they pass a filter, and may have one value of a column besides.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    pub(super) filter: UserFilter,
    pub(super) tie: Option<(&'static str, KeyValue)>,
}

const IF: &str = " AND CASE WHEN ";
const HOLDS: &str = " THEN 1 ELSE 0 END <> 0";

impl Conditions {
    /// Those of a filter alone.
    pub(super) fn of(filter: &UserFilter) -> Self {
        Self { filter: filter.without_blanks(), tie: None }
    }

    /// The conditions, and one value of a column besides.
    pub(super) fn with_tie(&self, column: &'static str, value: KeyValue) -> Self {
        Self { tie: Some((column, value)), ..self.clone() }
    }

    /// Whether every user passes who isn't deleted.
    pub(super) fn are_none(&self) -> bool {
        self.tie.is_none() && self.filter == UserFilter::default()
    }

    /// The users that one part gathers, as `WITH found AS (…)`.
    pub(super) fn found(&self, narrow: Narrow) -> Sql {
        if let Narrow::Word(index) = narrow
            && let Some(word) = Words::of(self.filter.search.as_deref()).get(index)
        {
            return found_by_word(word, None);
        }
        let mut statement = sql("WITH found AS MATERIALIZED (SELECT id FROM users WHERE 1 = 1");
        self.narrowed(&mut statement, narrow);
        statement.push(")");
        statement
    }

    /// Adds one part in the form that its index serves.
    pub(super) fn narrowed(&self, statement: &mut Sql, narrow: Narrow) {
        let filter = &self.filter;
        match narrow {
            Narrow::Email => {
                // Nobody has an empty address: users without one have an empty key.
                let address = folded(filter.email.as_deref().unwrap_or_default().trim());
                statement.push(" AND email_key <> '' AND email_key = ").push_value(address);
            }
            Narrow::Phone => {
                let number = phone_key(filter.phone.as_deref());
                statement.push(" AND phone_key <> '' AND phone_key = ").push_value(number);
            }
            Narrow::States => {
                statement.push(" AND state IN ").push_list(filter.states.iter().map(|state| state.number()));
            }
            Narrow::Groups => {
                statement.push(" AND group_id IN ").push_list(filter.groups.iter().copied());
            }
            Narrow::Roles => {
                // Named for the databases: without the first condition they do not use the partial index.
                statement.push(" AND users.roles <> 1 AND ");
                self.holding(statement);
            }
            Narrow::MustChange => {
                let must = filter.must_change_password.unwrap_or_default();
                statement.push(" AND must_change_password = ").push_value(must);
            }
            Narrow::Tie => {
                if let Some((column, value)) = &self.tie {
                    statement.push(" AND ").push(column).push(" = ").push_value(value);
                }
            }
            Narrow::Registered | Narrow::Word(_) => filter.registered(statement),
            Narrow::Updated => filter.updated(statement),
        }
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

    /// Adds every condition except `but`, each as a CASE. No database uses an index for a CASE, and PostgreSQL estimates it
    /// as nearly always true. The estimate is right here, because a filter that few rows pass is looked up by an index.
    pub(super) fn check(&self, statement: &mut Sql, but: Option<Narrow>) {
        let filter = &self.filter;
        if filter.states.is_empty() {
            statement.push(IF).push("users.state <> ").push_value(UserStatus::Deleted.number()).push(HOLDS);
        }
        for (index, word) in Words::of(filter.search.as_deref()).iter().enumerate() {
            if but != Some(Narrow::Word(index)) {
                statement.push(IF).push("users.terms LIKE ").push_value(word.joined_pattern());
                statement.push(" ESCAPE '\\'").push(HOLDS);
            }
        }
        let kept = [
            (Narrow::States, !filter.states.is_empty()),
            (Narrow::Groups, !filter.groups.is_empty()),
            (Narrow::Email, filter.email.is_some()),
        ];
        for (part, is_asked) in kept.into_iter().chain(self.asked()) {
            if is_asked && but != Some(part) && part != Narrow::Roles {
                statement.push(IF).push("1 = 1");
                self.narrowed(statement, part);
                statement.push(HOLDS);
            }
        }
        if !filter.roles.is_empty() && but != Some(Narrow::Roles) {
            statement.push(IF);
            self.holding(statement);
            statement.push(HOLDS);
        }
    }

    /// The parts that an index gathers users by and no number is kept for, and whether each is asked for.
    pub(super) fn asked(&self) -> [(Narrow, bool); 6] {
        let filter = &self.filter;
        // Everybody holds the role of a user.
        let asks_for_few_roles = !filter.roles.is_empty() && !filter.roles.contains(&Role::User);
        [
            (Narrow::Phone, filter.phone.is_some()),
            (Narrow::Roles, asks_for_few_roles),
            (Narrow::MustChange, filter.must_change_password.is_some()),
            (Narrow::Registered, filter.registered_after.is_some() || filter.registered_before.is_some()),
            (Narrow::Updated, filter.updated_after.is_some() || filter.updated_before.is_some()),
            (Narrow::Tie, self.tie.is_some()),
        ]
    }

    /// The condition on the roles.
    fn holding(&self, statement: &mut Sql) {
        let roles = self.filter.roles.iter().copied();
        let asked = roles.fold(Roles::from_bits(0), Roles::with);
        statement.push("(users.roles & ").push_value(i16::from(asked.bits())).push(") <> 0");
    }
}

impl UserFilter {
    /// Adds the range of registration times.
    pub(super) fn registered(&self, statement: &mut Sql) {
        between(statement, "users.registered_at", self.registered_after, self.registered_before);
    }

    /// Adds the range of the times of the last change.
    pub(super) fn updated(&self, statement: &mut Sql) {
        between(statement, "users.updated_at", self.updated_after, self.updated_before);
    }
}

fn between(statement: &mut Sql, column: &str, after: Option<Timestamp>, before: Option<Timestamp>) {
    for (instant, comparison) in [(after, " > "), (before, " < ")] {
        if let Some(instant) = instant {
            statement.push(" AND ").push(column).push(comparison).push_value(instant);
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
