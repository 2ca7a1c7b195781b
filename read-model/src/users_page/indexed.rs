//! Pages and counts from the index in memory: it says who is on the page, and the rows are read by their names.
//!
//! An answer is that of the index at its position. A row that changed since then is newer than the index, so the page is
//! asked for again once the index has seen the change.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::spawn_blocking;
use user_index::search::{folded, words};
use user_index::{Condition, IndexPage, PageRequest, SortField, SortStep, SortValue, Sorting, TimeField};

use super::filter::UserFilter;
use super::order::{KeyValue, UserKey};
use super::sort::{UserOrder, UserSortField, UserSortKey};
use super::two_keys::TwoKeys;
use crate::error::Error;
use crate::page::Window;
use crate::reader::ReadModel;
use crate::statement::sql;
use crate::users::{UserRow, columns, phone_key};
use crate::users_index::held::{Indexed, Offsets};

/// How often a page is asked for whose rows change meanwhile. The first page by time of change is the one that does.
const ATTEMPTS: usize = 3;

impl ReadModel {
    /// The rows of a page and one more, in reading order, and how many the whole list has. `None` if there is no index, or if
    /// it is behind.
    pub(super) async fn page_by_index(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        window: &Window,
    ) -> Result<Option<(Vec<UserRow>, u64)>, Error> {
        let (after, before) = (order.place(window.after.as_ref())?, order.place(window.before.as_ref())?);
        let page = Arc::new(AskedPage {
            filter: filter.conditions(),
            sorting: order.sorting(window.from_end),
            bounds: if window.from_end { [before, after] } else { [after, before] },
            most: window.size as usize + 1,
        });
        let mut indexed = self.users_index.covering(&self.progress).await;
        for _ in 0..ATTEMPTS {
            let Some(now) = indexed else { break };
            let (asked, at) = (page.clone(), now.clone());
            let Ok(IndexPage { usernames: names, count }) = spawn_blocking(move || asked.answer(&at)).await
            else {
                break;
            };
            let mut statement = sql(format!("SELECT {} FROM users WHERE username IN ", columns()));
            statement.push_list(names.iter());
            let rows: Vec<UserRow> = self.database.all(statement).await?;
            let mut newer = Offsets::new();
            for row in rows.iter().filter(|row| !now.has_seen(row.partition, row.log_offset)) {
                let next = newer.entry(row.partition).or_default();
                *next = (*next).max(row.log_offset + 1);
            }
            if newer.is_empty() {
                let Some(rows) = in_order(&names, rows) else {
                    self.users_index.discard();
                    break;
                };
                counted("index");
                return Ok(Some((rows, count as u64)));
            }
            indexed = self.users_index.covering_offsets(&newer).await;
        }
        if !self.users_index.is_off() {
            counted("views");
        }
        Ok(None)
    }

    /// How many users pass the filter. `None` if there is no index, or if it is behind.
    pub(super) async fn count_by_index(&self, filter: &UserFilter) -> Option<u64> {
        let indexed = self.users_index.covering(&self.progress).await?;
        let filter = filter.conditions();
        spawn_blocking(move || indexed.users.count(&filter) as u64).await.ok()
    }
}

/// Counts a page by what answered it.
fn counted(by: &'static str) {
    metrics::counter!("muster_users_pages_total", "answered_by" => by).increment(1);
}

/// A page, as the index takes it: in reading direction.
struct AskedPage {
    filter: Vec<Condition>,
    sorting: Sorting,
    /// Where it begins, and where it ends.
    bounds: [Option<Vec<SortValue>>; 2],
    most: usize,
}

impl AskedPage {
    fn answer(&self, indexed: &Indexed) -> IndexPage {
        let [after, before] = &self.bounds;
        let selection = PageRequest {
            sorting: &self.sorting,
            after: after.as_deref(),
            before: before.as_deref(),
            most: self.most,
        };
        indexed.users.page(&self.filter, &selection)
    }
}

/// The rows in the order of their names. `None` if one is missing.
fn in_order(names: &[String], rows: Vec<UserRow>) -> Option<Vec<UserRow>> {
    let mut by_name: HashMap<_, _> = rows.into_iter().map(|row| (row.username.clone(), row)).collect();
    names.iter().map(|name| by_name.remove(name)).collect()
}

impl From<KeyValue> for SortValue {
    fn from(value: KeyValue) -> Self {
        match value {
            KeyValue::Number(number) => Self::Number(number),
            KeyValue::Text(text) => Self::Text(text),
        }
    }
}

impl UserOrder {
    /// The place that a cursor names. One of another list is refused.
    fn place(self, cursor: Option<&String>) -> Result<Option<Vec<SortValue>>, Error> {
        let values = if let Some(keys) = TwoKeys::of(self) {
            keys.read(cursor)?.map(|(first, UserKey(then))| [vec![first], then].concat())
        } else {
            let key = cursor.map(|cursor| self.by.order().key::<UserKey>(cursor)).transpose()?;
            if key.as_ref().is_some_and(|key| !self.by.fits(key)) {
                return Err(Error::BadCursor);
            }
            key.map(|UserKey(values)| values)
        };
        Ok(values.map(|values| values.into_iter().map(Into::into).collect()))
    }

    /// The order as the index takes it, in reading direction.
    fn sorting(self, from_end: bool) -> Sorting {
        let then = self.then.filter(|_| TwoKeys::of(self).is_some());
        let last = then.unwrap_or(self.by);
        let name = UserSortKey { field: UserSortField::Username, ..last };
        let keys = [Some(self.by), then, Some(name)].into_iter().flatten();
        let mut steps: Vec<_> = keys
            .map(|key| SortStep { field: key.field.of_index(), is_descending: key.is_descending != from_end })
            .collect();
        // It may be what is sorted by anyway.
        steps.dedup_by_key(|step| step.field);
        Sorting::try_new(steps).expect("the username comes last")
    }
}

impl UserSortField {
    /// The field of the index.
    const fn of_index(self) -> SortField {
        match self {
            Self::Username => SortField::Username,
            Self::FirstName => SortField::FirstName,
            Self::LastName => SortField::LastName,
            Self::Email => SortField::Email,
            Self::Phone => SortField::Phone,
            Self::Group => SortField::Group,
            Self::State => SortField::State,
            Self::RegisteredAt => SortField::RegisteredAt,
            Self::UpdatedAt => SortField::UpdatedAt,
        }
    }
}

impl UserFilter {
    /// The conditions that all have to hold.
    fn conditions(&self) -> Vec<Condition> {
        let mut conditions = vec![Condition::States(self.listed_states())];
        conditions.extend(words(self.search.as_deref()).into_iter().map(Condition::Word));
        if !self.groups.is_empty() {
            conditions.push(Condition::Groups(self.groups.clone()));
        }
        conditions.extend(self.email.as_ref().map(|address| Condition::Email(folded(address.trim()))));
        conditions.extend(self.phone.as_deref().map(|phone| Condition::Phone(phone_key(Some(phone)))));
        if !self.roles.is_empty() {
            conditions.push(Condition::Roles(self.roles.clone()));
        }
        conditions.extend(self.must_change_password.map(Condition::MustChangePassword));
        for (time, after, before) in [
            (TimeField::RegisteredAt, self.registered_after, self.registered_before),
            (TimeField::UpdatedAt, self.updated_after, self.updated_before),
        ] {
            if after.is_some() || before.is_some() {
                conditions.push(Condition::Between { time, after, before });
            }
        }
        conditions
    }
}
