//! The query plan of the grid: gather by an index and sort, or walk the index of the order.
//!
//! Where few users can pass, they are gathered by the index of the narrowest condition and sorted. Otherwise the index of
//! the order is walked and the filter checked on the way: many users pass, so a page fills soon. The choice follows from
//! kept numbers, or from a count that stops early; nothing is ever scanned for it. If the users who pass lie together far
//! along the index, the walk is given up after [`WALKED`] rows and they are gathered after all.

use super::conditions::{Conditions, Narrow, found_by_word};
use super::filter::UserFilter;
use super::order::UserKey;
use super::sort::{UserSortField, UserSortKey};
use crate::error::Error;
use crate::page::{Count, Window};
use crate::reader::ReadModel;
use crate::search::Words;
use crate::statement::{Sql, Value, sql};
use crate::users::{UserRow, columns};

/// Most users to gather instead of walking.
pub(super) const GATHERED: u64 = 5_000;
/// Most users to gather for a count, or after a walk was given up. Beyond it, walking to the end of the index is as cheap.
pub(super) const GATHERED_AT_MOST: u64 = 30_000;
/// Most rows of a walk, unless nothing is filtered.
const WALKED: u64 = 10_000;

impl ReadModel {
    /// The rows of a page and one more, in reading order.
    pub(super) async fn matching(
        &self,
        conditions: &Conditions,
        order: UserSortKey,
        window: &Window,
    ) -> Result<Vec<UserRow>, Error> {
        let filter = &conditions.filter;
        if conditions.are_none() {
            let walk = self.walk(conditions, order.field).await?;
            return self.limited(walk, order, window).await;
        }
        if let [state] = filter.states[..]
            && order.field == UserSortField::Username
            && conditions.tie.is_none()
            && *filter == UserFilter::of_states(&[state])
        {
            // This index serves both the filter and the order.
            let statement = sql(format!("SELECT {} FROM users WHERE users.state = $1", columns()));
            return self.limited(statement.bind(state.number()), order, window).await;
        }
        if let Some(narrow) = self.narrowest(conditions, GATHERED).await? {
            return self.limited(conditions.gathered(narrow), order, window).await;
        }
        let walk = self.walk(conditions, order.field).await?;
        let Some(end) = self.end_of_walk(conditions, order, window).await? else {
            return self.limited(walk, order, window).await;
        };
        let mut short = walk.clone();
        order.order().up_to(&mut short, window, &order.of(&end));
        let rows = self.limited(short, order, window).await?;
        if rows.len() > window.size as usize {
            return Ok(rows);
        }
        let far = self.narrowest(conditions, GATHERED_AT_MOST).await?;
        self.limited(far.map_or(walk, |narrow| conditions.gathered(narrow)), order, window).await
    }

    async fn limited(
        &self,
        mut statement: Sql,
        order: UserSortKey,
        window: &Window,
    ) -> Result<Vec<UserRow>, Error> {
        order.order().limit::<UserKey>(&mut statement, window)?;
        self.database.all(statement).await
    }

    /// Reads users along the index of the order, between the bounds of the filter.
    pub(super) async fn walk(&self, conditions: &Conditions, field: UserSortField) -> Result<Sql, Error> {
        let mut statement = sql(format!("SELECT {} FROM users WHERE 1 = 1", columns()));
        self.bound(&mut statement, &conditions.filter, field).await?;
        conditions.check(&mut statement, None);
        Ok(statement)
    }

    /// The user at which a walk is given up; `None` if the index ends before. Walks the index alone.
    pub(super) async fn end_of_walk(
        &self,
        conditions: &Conditions,
        order: UserSortKey,
        window: &Window,
    ) -> Result<Option<UserRow>, Error> {
        let head = format!("SELECT {} FROM users WHERE users.username = (", columns());
        let mut statement = sql(format!("{head}SELECT users.username FROM users WHERE 1 = 1"));
        self.bound(&mut statement, &conditions.filter, order.field).await?;
        order.order().limit::<UserKey>(&mut statement, &Window { size: 0, ..window.clone() })?;
        statement.push(" OFFSET ").push_value(WALKED).push(")");
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
            UserSortField::UpdatedAt => filter.updated(statement),
            _ => {}
        }
        Ok(())
    }

    /// How many users match, counted up to `most`.
    pub(super) async fn count_up_to(&self, conditions: &Conditions, most: u64) -> Result<Count, Error> {
        let narrow = self.narrowest(conditions, GATHERED_AT_MOST).await?;
        let filter = &conditions.filter;
        let words = Words::of(filter.search.as_deref());
        let mut statement = match (narrow, words.get(0)) {
            (Some(narrow), _) => conditions.found(narrow),
            // So many terms match each word that looking at this many of one nearly always reaches the cap.
            (None, Some(word)) => found_by_word(word, Some(GATHERED_AT_MOST)),
            (None, None) => sql(""),
        };
        let is_cut = narrow.is_none() && !words.is_empty();
        let by = if is_cut { Some(Narrow::Word(0)) } else { narrow };
        if let Some(by) = by {
            // CROSS JOIN makes SQLite begin with the table on the left.
            statement.push(" SELECT 1 AS one FROM found CROSS JOIN users WHERE users.id = found.id");
            conditions.check(&mut statement, Some(by));
        } else {
            let asked = conditions.asked().into_iter().find(|(_, is_asked)| *is_asked);
            let by = asked.map_or(Narrow::Registered, |(part, _)| part);
            statement.push("SELECT 1 AS one FROM users WHERE 1 = 1");
            conditions.narrowed(&mut statement, by);
            conditions.check(&mut statement, Some(by));
        }
        statement.push(" LIMIT ").push_value(most + 1);
        let Count { n, capped } = Count::up_to(most, self.count_rows(statement).await?);
        Ok(Count { n, capped: capped || is_cut })
    }

    /// The condition that the fewest users pass, if at most `most` do.
    pub(super) async fn narrowest(
        &self,
        conditions: &Conditions,
        most: u64,
    ) -> Result<Option<Narrow>, Error> {
        let filter = &conditions.filter;
        if filter.email.is_some() {
            return Ok(Some(Narrow::Email));
        }
        let mut found = Vec::new();
        for (index, word) in Words::of(filter.search.as_deref()).iter().enumerate() {
            let mut statement = sql("SELECT 1 AS one FROM user_terms WHERE term >= ");
            statement.push_value(word.from()).push(" AND term < ").push_value(word.to());
            statement.push(" LIMIT ").push_value(most + 1);
            found.push((self.count_rows(statement).await?, Narrow::Word(index)));
        }
        if !filter.states.is_empty() {
            found.push((self.counted(&filter.states, &[]).await?, Narrow::States));
        }
        if !filter.groups.is_empty() {
            found.push((self.counted(&[], &filter.groups).await?, Narrow::Groups));
        }
        for (part, is_asked) in conditions.asked() {
            if is_asked {
                let mut statement = sql("SELECT 1 AS one FROM users WHERE 1 = 1");
                conditions.narrowed(&mut statement, part);
                statement.push(" LIMIT ").push_value(most + 1);
                found.push((self.count_rows(statement).await?, part));
            }
        }
        let least = found.into_iter().min_by_key(|(n, _)| *n).filter(|(n, _)| *n <= most);
        Ok(least.map(|(_, narrow)| narrow))
    }
}
