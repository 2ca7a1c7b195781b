//! The grid of users: any filter, any order, any page, at the cost of a page.
//!
//! A page is read in one of two ways. Where few users can match, they are gathered by the index of the narrowest
//! filter and sorted. Else the index of the order is walked and filters are checked on the way, because then matches
//! are met often. Which way it is follows from the kept counts or from a look that stops early, never from a scan.

use domain::id::GroupId;
use domain::timestamp::Timestamp;

use crate::ReadModel;
use crate::error::Error;
use crate::page::{Count, Order, Page, Window};
use crate::search::{Prefix, folded};
use crate::statement::{Sql, sql};
use crate::users::{COLUMNS, State, UserRow};

/// Most rows that are gathered and sorted for a page.
const GATHERED: u64 = 5_000;
/// Most rows that are gathered to be counted.
const GATHERED_TO_COUNT: u64 = 30_000;
/// Where counting under a filter stops.
const MOST_COUNTED: u64 = 10_000;

/// Which users are asked for: all conditions hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Beginning of the username, a name or the address, or of a part of them after `. _ - @` and space.
    pub search: Option<String>,
    /// In any of these states; when empty in any but deleted.
    pub states: Vec<State>,
    /// In any of these groups; when empty in any or none.
    pub groups: Vec<GroupId>,
    /// With this address, however it is capitalised.
    pub email: Option<String>,
    /// Registered after this instant.
    pub registered_after: Option<Timestamp>,
    /// Registered before this instant.
    pub registered_before: Option<Timestamp>,
}

/// In which order. Users who are alike in it follow each other by username; users without a value come first, or
/// last when descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserOrder {
    /// By what.
    pub field: UserSortField,
    /// Whether the greatest comes first.
    pub is_descending: bool,
}

/// What users are sorted by; texts case-folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserSortField {
    /// The username.
    Username,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// E-mail address.
    Email,
    /// Name of the group.
    Group,
    /// State, in the order of [`State`].
    State,
    /// When the name was registered.
    RegisteredAt,
    /// When anything changed last.
    UpdatedAt,
}

impl UserSortField {
    /// Every field.
    pub const ALL: [Self; 8] = [
        Self::Username,
        Self::FirstName,
        Self::LastName,
        Self::Email,
        Self::Group,
        Self::State,
        Self::RegisteredAt,
        Self::UpdatedAt,
    ];
}

/// The narrow filter by whose index users are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Narrow {
    Email,
    Search,
    States,
    Groups,
    Registered,
}

impl ReadModel {
    /// A part of the users that pass the filter.
    pub async fn users_page(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        window: &Window,
    ) -> Result<Page<UserRow>, Error> {
        let is_walkable = order.field == UserSortField::Username && filter.states.len() == 1;
        let narrow = if is_walkable && *filter == UserFilter::of_states(&filter.states) {
            None
        } else {
            self.narrowest(filter, GATHERED).await?
        };
        let mut statement = match narrow {
            Some(narrow) => filter.gathered(narrow, COLUMNS),
            None if is_walkable => {
                let mut statement = sql(format!("SELECT {COLUMNS} FROM users WHERE users.state = "));
                statement.push_value(filter.states[0].number());
                filter.check(&mut statement, Some(Narrow::States));
                statement
            }
            None => {
                let mut statement = sql(format!("SELECT {COLUMNS} FROM users WHERE 1 = 1"));
                filter.check(&mut statement, None);
                statement
            }
        };
        let keys = order.keys();
        match order.field {
            UserSortField::Username => keys.limit::<(String,)>(&mut statement, window)?,
            UserSortField::State => keys.limit::<(i16, String)>(&mut statement, window)?,
            UserSortField::RegisteredAt | UserSortField::UpdatedAt => {
                keys.limit::<(i64, String)>(&mut statement, window)?;
            }
            _ => keys.limit::<(String, String)>(&mut statement, window)?,
        }
        let rows: Vec<UserRow> = self.database.all(statement).await?;
        let name = |user: &UserRow| user.username.clone();
        let text = |value: Option<&str>, user: &UserRow| (crate::users::key(value), name(user));
        Ok(match order.field {
            UserSortField::Username => keys.page(window, rows, |user| (name(user),)),
            UserSortField::FirstName => {
                keys.page(window, rows, |user| text(user.first_name.as_deref(), user))
            }
            UserSortField::LastName => keys.page(window, rows, |user| text(user.last_name.as_deref(), user)),
            UserSortField::Email => keys.page(window, rows, |user| text(user.email.as_deref(), user)),
            UserSortField::Group => {
                keys.page(window, rows, |user| text(user.group.as_ref().map(|group| &*group.name), user))
            }
            UserSortField::State => keys.page(window, rows, |user| (user.state.number(), name(user))),
            UserSortField::RegisteredAt => {
                keys.page(window, rows, |user| (user.registered_at.micros(), name(user)))
            }
            UserSortField::UpdatedAt => {
                keys.page(window, rows, |user| (user.updated_at.micros(), name(user)))
            }
        })
    }

    /// How many users pass the filter: exact without one and for states and groups, else counting stops at 10,000.
    pub async fn users_count(&self, filter: &UserFilter) -> Result<Count, Error> {
        if *filter == (UserFilter { groups: filter.groups.clone(), ..UserFilter::of_states(&filter.states) })
        {
            let shown = [State::Pending, State::Active, State::Suspended, State::Rejected];
            let states = if filter.states.is_empty() { &shown } else { &filter.states[..] };
            return Ok(Count { n: self.counted(states, &filter.groups).await?, capped: false });
        }
        let narrow = self.narrowest(filter, GATHERED_TO_COUNT).await?;
        let mut matching = match (narrow, Prefix::of(filter.search.as_deref())) {
            (Some(narrow), _) => filter.gathered(narrow, "1 AS one"),
            // So many terms match that as many as are looked at make it likely that counting stops anyway.
            (None, Some(prefix)) => filter.gathered_by_search(&prefix, Some(GATHERED_TO_COUNT), "1 AS one"),
            (None, None) => {
                let mut statement = sql("SELECT 1 AS one FROM users WHERE 1 = 1");
                filter.registered(&mut statement);
                filter.check(&mut statement, Some(Narrow::Registered));
                statement
            }
        };
        matching.push(" LIMIT ").push_value(MOST_COUNTED + 1);
        let n = self.count(matching).await?;
        let is_cut = narrow.is_none() && filter.search.is_some();
        Ok(Count { n: n.min(MOST_COUNTED), capped: n > MOST_COUNTED || is_cut })
    }

    /// The filter that the fewest users pass, if they are at most `most`.
    async fn narrowest(&self, filter: &UserFilter, most: u64) -> Result<Option<Narrow>, Error> {
        if filter.email.is_some() {
            return Ok(Some(Narrow::Email));
        }
        let mut found = Vec::new();
        if let Some(prefix) = Prefix::of(filter.search.as_deref()) {
            let mut statement = sql("SELECT 1 AS one FROM user_terms WHERE term >= ");
            statement.push_value(prefix.from()).push(" AND term < ").push_value(prefix.to());
            statement.push(" LIMIT ").push_value(most + 1);
            found.push((self.count(statement).await?, Narrow::Search));
        }
        if !filter.states.is_empty() {
            found.push((self.counted(&filter.states, &[]).await?, Narrow::States));
        }
        if !filter.groups.is_empty() {
            found.push((self.counted(&[], &filter.groups).await?, Narrow::Groups));
        }
        if filter.registered_after.is_some() || filter.registered_before.is_some() {
            let mut statement = sql("SELECT 1 AS one FROM users WHERE 1 = 1");
            filter.registered(&mut statement);
            statement.push(" LIMIT ").push_value(most + 1);
            found.push((self.count(statement).await?, Narrow::Registered));
        }
        let least = found.into_iter().min_by_key(|(n, _)| *n).filter(|(n, _)| *n <= most);
        Ok(least.map(|(_, narrow)| narrow))
    }

    async fn count(&self, rows: Sql) -> Result<u64, Error> {
        let text = format!("SELECT count(*) AS n FROM ({}) AS matching", rows.text);
        let n: i64 = self.database.one(Sql { text, ..rows }).await?;
        Ok(n.unsigned_abs())
    }
}

impl UserOrder {
    /// By username, from a.
    pub const USERNAME: Self = Self { field: UserSortField::Username, is_descending: false };

    fn keys(self) -> Order {
        let (name, columns): (_, &'static [&'static str]) = match self.field {
            UserSortField::Username => ("users/username", &["users.username"]),
            UserSortField::FirstName => ("users/first_name", &["users.first_name_key", "users.username"]),
            UserSortField::LastName => ("users/last_name", &["users.last_name_key", "users.username"]),
            UserSortField::Email => ("users/email", &["users.email_key", "users.username"]),
            UserSortField::Group => ("users/group", &["users.group_key", "users.username"]),
            UserSortField::State => ("users/state", &["users.state", "users.username"]),
            UserSortField::RegisteredAt => {
                ("users/registered_at", &["users.registered_at", "users.username"])
            }
            UserSortField::UpdatedAt => ("users/updated_at", &["users.updated_at", "users.username"]),
        };
        Order { name, columns, is_descending: self.is_descending }
    }
}

impl UserFilter {
    /// Users in any of these states.
    pub fn of_states(states: &[State]) -> Self {
        Self { states: states.to_vec(), ..Self::default() }
    }

    /// Reads `columns` of the users that the narrow filter gathers and all filters let pass.
    fn gathered(&self, narrow: Narrow, columns: &str) -> Sql {
        if let (Narrow::Search, Some(prefix)) = (narrow, Prefix::of(self.search.as_deref())) {
            return self.gathered_by_search(&prefix, None, columns);
        }
        let mut statement = sql("WITH found AS MATERIALIZED (SELECT id FROM users WHERE 1 = 1");
        match narrow {
            Narrow::Email => {
                statement
                    .push(" AND email_key = ")
                    .push_value(folded(self.email.as_deref().unwrap_or_default()));
            }
            Narrow::States => {
                statement.push(" AND state IN ").push_list(self.states.iter().map(|state| state.number()));
            }
            Narrow::Groups => {
                statement.push(" AND group_id IN ").push_list(self.groups.iter().copied());
            }
            Narrow::Registered | Narrow::Search => self.registered(&mut statement),
        }
        self.of_found(statement, narrow, columns)
    }

    fn gathered_by_search(&self, prefix: &Prefix, most: Option<u64>, columns: &str) -> Sql {
        let mut statement = sql("WITH found AS MATERIALIZED (SELECT DISTINCT user_id AS id FROM \
             (SELECT user_id FROM user_terms WHERE term >= ");
        statement.push_value(prefix.from()).push(" AND term < ").push_value(prefix.to());
        if let Some(most) = most {
            statement.push(" LIMIT ").push_value(most);
        }
        statement.push(") AS terms");
        self.of_found(statement, Narrow::Search, columns)
    }

    fn of_found(&self, mut statement: Sql, narrow: Narrow, columns: &str) -> Sql {
        // SQLite takes CROSS JOIN for an order to begin with what stands first.
        statement.push(&format!(") SELECT {columns} FROM found CROSS JOIN users WHERE users.id = found.id"));
        self.check(&mut statement, Some(narrow));
        statement
    }

    fn registered(&self, statement: &mut Sql) {
        if let Some(after) = self.registered_after {
            statement.push(" AND users.registered_at > ").push_value(after);
        }
        if let Some(before) = self.registered_before {
            statement.push(" AND users.registered_at < ").push_value(before);
        }
    }

    /// Adds every condition but `but` in a form that neither database looks for in an index, and that PostgreSQL
    /// takes for nearly always true: where it matters that is so, or it would not be checked row by row.
    fn check(&self, statement: &mut Sql, but: Option<Narrow>) {
        const IF: &str = " AND CASE WHEN ";
        const HOLDS: &str = " THEN 1 ELSE 0 END <> 0";
        if self.states.is_empty() {
            statement.push(IF).push("users.state <> ").push_value(State::Deleted.number()).push(HOLDS);
        } else if but != Some(Narrow::States) {
            statement.push(IF).push("users.state IN ");
            statement.push_list(self.states.iter().map(|state| state.number())).push(HOLDS);
        }
        if !self.groups.is_empty() && but != Some(Narrow::Groups) {
            statement.push(IF).push("users.group_id IN ").push_list(self.groups.iter().copied()).push(HOLDS);
        }
        if let Some(prefix) = Prefix::of(self.search.as_deref()).filter(|_| but != Some(Narrow::Search)) {
            statement.push(IF).push("users.terms LIKE ").push_value(prefix.joined_pattern());
            statement.push(" ESCAPE '\\'").push(HOLDS);
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
