//! Users by two keys: the list is cut where the first key changes, and each part is a list by the second key.
//!
//! There is an index for each key, none for pairs of them. Where the first key has few values (state, group, nothing at all),
//! many users tie, and each value's users are found like any filtered list by the second key. Where it has many, few tie:
//! its index is walked, and the databases sort the ties on the way.

use domain::id::GroupId;

use super::conditions::Conditions;
use super::order::{KeyValue, UserKey};
use super::query_plan::{GATHERED, GATHERED_AT_MOST};
use super::sort::{UserOrder, UserSortField, UserSortKey};
use crate::error::Error;
use crate::page::{self, Window};
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns};
use crate::statement::{Sql, listed, sql};
use crate::users::UserRow;

/// Two keys of an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct TwoKeys {
    first: UserSortKey,
    then: UserSortKey,
}

/// What a cursor holds: names and directions of both keys, the value of the first, and the key of the second.
type Cursor = (String, String, [bool; 2], KeyValue, UserKey);

/// A part of the list, in the order of the first key.
enum ListPart {
    /// Users with this value.
    Tie(KeyValue),
    /// Users with any other value.
    Others,
}

impl TwoKeys {
    /// The keys of an order. `None` if the first decides alone.
    pub(super) fn of(order: UserOrder) -> Option<Self> {
        let (first, then) = (order.by, order.then?);
        let is_total = first.field == UserSortField::Username || first.field == then.field;
        (!is_total).then_some(Self { first, then })
    }

    /// The cursor of a user.
    pub(super) fn cursor(self, user: &UserRow) -> String {
        let (first, then) = self.key(user);
        let names = (self.first.field.name(), self.then.field.name());
        page::encode(&(names.0, names.1, [self.first.is_descending, self.then.is_descending], first, then))
    }

    fn key(self, user: &UserRow) -> (KeyValue, UserKey) {
        (self.first.field.value(user), self.then.of(user))
    }

    /// What a cursor of this order holds.
    pub(super) fn read(self, cursor: Option<&String>) -> Result<Option<(KeyValue, UserKey)>, Error> {
        let Some(cursor) = cursor else { return Ok(None) };
        let (first_name, then_name, directions, first, then): Cursor = page::decode(cursor)?;
        let is_own = first_name == self.first.field.name()
            && then_name == self.then.field.name()
            && directions == [self.first.is_descending, self.then.is_descending];
        if is_own && self.first.field.fits(&first) && self.then.fits(&then) {
            Ok(Some((first, then)))
        } else {
            Err(Error::BadCursor)
        }
    }

    /// The window of a part with one value of the first key. `None` if the part lies outside of the window.
    fn within(self, value: &KeyValue, window: &TwoKeysWindow, size: u32) -> Option<Window> {
        let order = self.then.order();
        let place = |cursor: &(KeyValue, UserKey)| {
            let place = cursor.0.cmp(value);
            if self.first.is_descending { place.reverse() } else { place }
        };
        let after = match &window.after {
            Some(cursor) if place(cursor).is_gt() => return None,
            Some(cursor) if place(cursor).is_eq() => Some(order.cursor(&cursor.1)),
            Some(_) | None => None,
        };
        let before = match &window.before {
            Some(cursor) if place(cursor).is_lt() => return None,
            Some(cursor) if place(cursor).is_eq() => Some(order.cursor(&cursor.1)),
            Some(_) | None => None,
        };
        Some(Window { size, from_end: window.from_end, after, before })
    }

    /// Whether values of the first key rise in reading order.
    fn is_rising(self, window: &TwoKeysWindow) -> bool {
        self.first.is_descending == window.from_end
    }

    /// The window of a walk by the first key alone: it begins with the ties of the cursor, behind users who have nothing.
    fn walked(self, window: &TwoKeysWindow) -> Window {
        // No username is empty, and none is as great as this.
        let (least, greatest) = (String::new(), char::MAX.to_string());
        let given = if window.from_end { &window.before } else { &window.after };
        let value = given.as_ref().map(|cursor| cursor.0.clone());
        let nothing = KeyValue::Text(String::new());
        let start = if self.is_rising(window) {
            let is_blank = value.as_ref().is_none_or(|value| *value == nothing);
            if self.first.field.may_be_blank() && is_blank {
                Some((nothing, greatest))
            } else {
                value.map(|value| (value, least))
            }
        } else {
            value.map(|value| (value, greatest))
        };
        let cursor =
            start.map(|(value, name)| self.first.order().cursor(&UserKey(vec![value, KeyValue::Text(name)])));
        let from_end = window.from_end;
        let (after, before) = if from_end { (None, cursor) } else { (cursor, None) };
        Window { size: 0, from_end, after, before }
    }

    /// Adds the window, the order by both keys, and the limit.
    fn limit(self, statement: &mut Sql, window: &TwoKeysWindow, size: u32) {
        for (cursor, is_after) in [(&window.after, true), (&window.before, false)] {
            let Some((first, then)) = cursor else { continue };
            let comparison = |key: UserSortKey| if key.is_descending == is_after { " < " } else { " > " };
            let column = self.first.field.column();
            // The first comparison is implied. An index of the first key begins there.
            statement.push(" AND ").push(column).push(comparison(self.first).trim_end()).push("= ");
            statement.push_value(first).push(" AND (").push(column).push(comparison(self.first));
            statement.push_value(first).push(" OR (").push(&self.then.order().columns.join(", "));
            statement.push(")").push(comparison(self.then)).push_list(then.0.iter()).push(")");
        }
        let direction =
            |key: UserSortKey| if key.is_descending == window.from_end { " ASC" } else { " DESC" };
        let mut columns = vec![format!("{}{}", self.first.field.column(), direction(self.first))];
        let then = self.then.order().columns.iter();
        columns.extend(then.map(|column| format!("{column}{}", direction(self.then))));
        statement.push(" ORDER BY ").push(&columns.join(", ")).push(" LIMIT ");
        statement.push_value(i64::from(size) + 1);
    }
}

/// A window, its cursors read.
struct TwoKeysWindow {
    from_end: bool,
    after: Option<(KeyValue, UserKey)>,
    before: Option<(KeyValue, UserKey)>,
}

impl ReadModel {
    /// The rows of a page and one more, in reading order.
    pub(super) async fn matching_by_two(
        &self,
        conditions: &Conditions,
        keys: TwoKeys,
        window: &Window,
    ) -> Result<Vec<UserRow>, Error> {
        let size = window.size;
        let window = TwoKeysWindow {
            from_end: window.from_end,
            after: keys.read(window.after.as_ref())?,
            before: keys.read(window.before.as_ref())?,
        };
        if let Some(narrow) = self.narrowest(conditions, GATHERED).await? {
            return self.limited_by_two(conditions.gathered(narrow), keys, &window, size).await;
        }
        let mut parts = self.parts(conditions, keys.first).await?;
        if window.from_end {
            parts.reverse();
        }
        let mut rows = Vec::new();
        for part in parts {
            let found = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            let Some(missing) = size.checked_sub(found) else { break };
            match part {
                ListPart::Tie(value) => {
                    let Some(within) = keys.within(&value, &window, missing) else { continue };
                    let tied = conditions.with_tie(keys.first.field.column(), value);
                    rows.extend(self.matching(&tied, keys.then, &within).await?);
                }
                ListPart::Others => rows.extend(self.others(conditions, keys, &window, missing).await?),
            }
        }
        Ok(rows)
    }

    /// The parts of the list, in the order of the first key.
    async fn parts(&self, conditions: &Conditions, first: UserSortKey) -> Result<Vec<ListPart>, Error> {
        let nothing = KeyValue::Text(String::new());
        let mut parts = match first.field {
            UserSortField::State => {
                let states = conditions.filter.listed_states().into_iter();
                states.map(|state| ListPart::Tie(KeyValue::Number(state.number().into()))).collect()
            }
            UserSortField::Group => {
                let names =
                    self.group_names(&conditions.filter.groups).await?.into_iter().map(KeyValue::Text);
                let none = conditions.filter.groups.is_empty().then_some(nothing);
                none.into_iter().chain(names).map(ListPart::Tie).collect()
            }
            field if field.may_be_blank() => vec![ListPart::Tie(nothing), ListPart::Others],
            _ => vec![ListPart::Others],
        };
        if first.is_descending {
            parts.reverse();
        }
        Ok(parts)
    }

    /// The users who have anything in the column of the first key.
    async fn others(
        &self,
        conditions: &Conditions,
        keys: TwoKeys,
        window: &TwoKeysWindow,
        size: u32,
    ) -> Result<Vec<UserRow>, Error> {
        let column = keys.first.field.column();
        let only_others = |mut statement: Sql| {
            if keys.first.field.may_be_blank() {
                statement.push(" AND ").push(column).push(" > ''");
            }
            statement
        };
        let walk = only_others(self.walk(conditions, keys.first.field).await?);
        if conditions.are_none() {
            return self.limited_by_two(walk, keys, window, size).await;
        }
        // A walk by the first key alone says where to give up. The ties of that place still belong to it.
        let Some(end) = self.end_of_walk(conditions, keys.first, &keys.walked(window)).await? else {
            return self.limited_by_two(walk, keys, window, size).await;
        };
        let mut short = walk.clone();
        let comparison = if keys.is_rising(window) { " <= " } else { " >= " };
        short.push(" AND ").push(column).push(comparison).push_value(&keys.first.field.value(&end));
        let rows = self.limited_by_two(short, keys, window, size).await?;
        if rows.len() > size as usize {
            return Ok(rows);
        }
        let far = self.narrowest(conditions, GATHERED_AT_MOST).await?;
        let far = far.map_or(walk, |narrow| only_others(conditions.gathered(narrow)));
        self.limited_by_two(far, keys, window, size).await
    }

    async fn limited_by_two(
        &self,
        mut statement: Sql,
        keys: TwoKeys,
        window: &TwoKeysWindow,
        size: u32,
    ) -> Result<Vec<UserRow>, Error> {
        keys.limit(&mut statement, window, size);
        self.database.all(statement).await
    }

    /// The names of all groups, or of those with these ids, sorted.
    async fn group_names(&self, ids: &[GroupId]) -> Result<Vec<String>, Error> {
        let rows = match ids {
            [] => self.database.all(sql("SELECT name FROM groups")).await?,
            ids => self.database.all_of(listed("SELECT name FROM groups WHERE id IN", ids, "")).await?,
        };
        let mut names: Vec<String> = rows.into_iter().map(|GroupKey(name)| name).collect();
        names.sort_unstable();
        Ok(names)
    }
}

/// What users of a group have in the column that lists sort by.
struct GroupKey(String);

impl FromColumns for GroupKey {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        row.text("name").map(Self)
    }
}
