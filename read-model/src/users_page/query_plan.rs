//! The query plan of the grid: gather by an index and sort, or walk the index of the order.
//!
//! Where few users can pass, they are gathered by the index of the narrowest condition and sorted. Otherwise the index of
//! the order is walked and the filter checked on the way: many users pass, so a page fills soon. The choice follows from
//! kept numbers, or from a count that stops early; nothing is ever scanned for it. If the users who pass lie together far
//! along the index, the walk is given up after [`WALKED`] rows and they are gathered after all.

use super::conditions::{Narrow, found_by_word};
use super::{UserFilter, UserOrder, UserSortField};
use crate::error::Error;
use crate::page::{Count, Key, Window};
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns};
use crate::search::Words;
use crate::statement::{Sql, Value, sql};
use crate::users::{UserRow, columns};

/// Most users to gather instead of walking.
const GATHERED: u64 = 5_000;
/// Most users to gather for a count, or after a walk was given up. Beyond it, walking to the end of the index is as cheap.
const GATHERED_AT_MOST: u64 = 30_000;
/// Most rows of a walk, unless nothing is filtered.
const WALKED: u64 = 10_000;

impl ReadModel {
    /// The rows of a page and one more, in reading order.
    pub(super) async fn matching<K: Key + FromColumns>(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        window: &Window,
    ) -> Result<Vec<UserRow>, Error> {
        if *filter == UserFilter::default() {
            let walk = self.walk(filter, order).await?;
            return self.limited::<K>(walk, order, window).await;
        }
        if let [state] = filter.states[..]
            && order.field == UserSortField::Username
            && *filter == UserFilter::of_states(&[state])
        {
            // This index serves both the filter and the order.
            let statement = sql(format!("SELECT {} FROM users WHERE users.state = $1", columns()));
            return self.limited::<K>(statement.bind(state.number()), order, window).await;
        }
        if let Some(narrow) = self.narrowest(filter, GATHERED).await? {
            return self.limited::<K>(filter.gathered(narrow), order, window).await;
        }
        let walk = self.walk(filter, order).await?;
        let Some(end) = self.end_of_walk::<K>(filter, order, window).await? else {
            return self.limited::<K>(walk, order, window).await;
        };
        let mut short = walk.clone();
        order.keys().up_to(&mut short, window, &end);
        let rows = self.limited::<K>(short, order, window).await?;
        if rows.len() > window.size as usize {
            return Ok(rows);
        }
        let far = self.narrowest(filter, GATHERED_AT_MOST).await?;
        self.limited::<K>(far.map_or(walk, |narrow| filter.gathered(narrow)), order, window).await
    }

    async fn limited<K: Key>(
        &self,
        mut statement: Sql,
        order: UserOrder,
        window: &Window,
    ) -> Result<Vec<UserRow>, Error> {
        order.keys().limit::<K>(&mut statement, window)?;
        self.database.all(statement).await
    }

    /// Reads users along the index of the order, between the bounds of the filter.
    async fn walk(&self, filter: &UserFilter, order: UserOrder) -> Result<Sql, Error> {
        let mut statement = sql(format!("SELECT {} FROM users WHERE 1 = 1", columns()));
        self.bound(&mut statement, filter, order.field).await?;
        filter.check(&mut statement, None);
        Ok(statement)
    }

    /// The key at which a walk is given up; `None` if the index ends before. Reads the index alone.
    async fn end_of_walk<K: Key + FromColumns>(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        window: &Window,
    ) -> Result<Option<K>, Error> {
        let columns =
            order.keys().columns.iter().enumerate().map(|(n, column)| format!("{column} AS key{n}"));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let mut statement = sql(format!("SELECT {columns} FROM users WHERE 1 = 1"));
        self.bound(&mut statement, filter, order.field).await?;
        order.keys().limit::<K>(&mut statement, &Window { size: 0, ..window.clone() })?;
        statement.push(" OFFSET ").push_value(WALKED);
        self.database.maybe_one(statement).await
    }

    /// Adds the range of the order's own column that the filter allows, so that a walk begins inside it.
    async fn bound(
        &self,
        statement: &mut Sql,
        filter: &UserFilter,
        field: UserSortField,
    ) -> Result<(), Error> {
        let mut between = |column: &str, least: Option<Value>, greatest: Option<Value>| {
            if let (Some(least), Some(greatest)) = (least, greatest) {
                statement.push(&format!(" AND users.{column} >= ")).push_value(least);
                statement.push(&format!(" AND users.{column} <= ")).push_value(greatest);
            }
        };
        match field {
            UserSortField::State => {
                let numbers = || filter.states.iter().map(|state| state.number());
                between("state", numbers().min().map(Value::from), numbers().max().map(Value::from));
            }
            UserSortField::Group if !filter.groups.is_empty() => {
                let groups = self.groups_by_ids(&filter.groups).await?;
                let names = || groups.iter().map(|group| group.name.as_str());
                between("group_key", names().min().map(Value::from), names().max().map(Value::from));
            }
            UserSortField::RegisteredAt => filter.registered(statement),
            _ => {}
        }
        Ok(())
    }

    /// How many users pass the filter, counted up to `most`.
    pub(super) async fn count_up_to(&self, filter: &UserFilter, most: u64) -> Result<Count, Error> {
        let narrow = self.narrowest(filter, GATHERED_AT_MOST).await?;
        let words = Words::of(filter.search.as_deref());
        let mut statement = match (narrow, words.get(0)) {
            (Some(narrow), _) => filter.found(narrow),
            // So many terms match each word that looking at this many of one nearly always reaches the cap.
            (None, Some(word)) => found_by_word(word, Some(GATHERED_AT_MOST)),
            (None, None) => sql(""),
        };
        let is_cut = narrow.is_none() && !words.is_empty();
        let by = if is_cut { Some(Narrow::Word(0)) } else { narrow };
        if let Some(by) = by {
            // CROSS JOIN makes SQLite begin with the table on the left.
            statement.push(" SELECT 1 AS one FROM found CROSS JOIN users WHERE users.id = found.id");
            filter.check(&mut statement, Some(by));
        } else {
            statement.push("SELECT 1 AS one FROM users WHERE 1 = 1");
            filter.registered(&mut statement);
            filter.check(&mut statement, Some(Narrow::Registered));
        }
        statement.push(" LIMIT ").push_value(most + 1);
        let n = self.count(statement).await?;
        Ok(Count { n: n.min(most), capped: n > most || is_cut })
    }

    /// The condition that the fewest users pass, if at most `most` do.
    async fn narrowest(&self, filter: &UserFilter, most: u64) -> Result<Option<Narrow>, Error> {
        if filter.email.is_some() {
            return Ok(Some(Narrow::Email));
        }
        let mut found = Vec::new();
        for (index, word) in Words::of(filter.search.as_deref()).iter().enumerate() {
            let mut statement = sql("SELECT 1 AS one FROM user_terms WHERE term >= ");
            statement.push_value(word.from()).push(" AND term < ").push_value(word.to());
            statement.push(" LIMIT ").push_value(most + 1);
            found.push((self.count(statement).await?, Narrow::Word(index)));
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

macro_rules! keys {
    ($($key:ty => |$row:ident| $read:expr;)*) => {$(
        /// The key at the end of a walk.
        impl FromColumns for $key {
            fn from_columns($row: &impl Columns) -> Result<Self, sqlx::Error> {
                Ok($read)
            }
        }
    )*};
}

keys! {
    (String,) => |row| (row.text("key0")?,);
    (String, String) => |row| (row.text("key0")?, row.text("key1")?);
    (i64, String) => |row| (row.int("key0")?, row.text("key1")?);
    (i16, String) => |row| (row.small("key0")?, row.text("key1")?);
}
