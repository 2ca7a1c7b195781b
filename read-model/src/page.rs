//! Keyset pages in both directions. A cursor names the row to go on from, so the last page costs no more than the first.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::statement::{Sql, Value};

/// A part of a list, as Relay's `first`, `after`, `last` and `before` define it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Most rows.
    pub size: u32,
    /// Whether to take the last rows between `after` and `before` instead of the first.
    pub from_end: bool,
    /// Only rows after this cursor.
    pub after: Option<String>,
    /// Only rows before this cursor.
    pub before: Option<String>,
}

impl Window {
    /// The first rows, or the first after a cursor.
    pub fn first(size: u32, after: Option<String>) -> Self {
        Self { size, from_end: false, after, before: None }
    }

    /// The last rows, or the last before a cursor.
    pub fn last(size: u32, before: Option<String>) -> Self {
        Self { size, from_end: true, after: None, before }
    }
}

/// Part of a list, always in the list's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub edges: Vec<Edge<T>>,
    /// Whether rows follow.
    pub has_next: bool,
    /// Whether rows precede.
    pub has_previous: bool,
    /// Cursor of the page's begin: its first row, or where looking for rows backwards was given up for this page.
    pub start: Option<String>,
    /// Cursor of the page's end: its last row, or where looking for rows was given up for this page.
    pub end: Option<String>,
    /// How many rows the whole list has, where it costs nothing to know.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// Makes a page of rows in reading order, with one more than its size if rows follow in that direction.
    pub(crate) fn of(window: &Window, mut rows: Vec<T>, cursor: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > window.size as usize;
        rows.truncate(window.size as usize);
        if window.from_end {
            rows.reverse();
        }
        // The row of a cursor lies outside of the page, on the cursor's side.
        let has_next = window.before.is_some() || (more && !window.from_end);
        let has_previous = window.after.is_some() || (more && window.from_end);
        let edges: Vec<_> = rows.into_iter().map(|row| Edge { cursor: cursor(&row), row }).collect();
        let at = |edge: Option<&Edge<T>>| edge.map(|edge| edge.cursor.clone());
        let (start, end) = (at(edges.first()), at(edges.last()));
        Self { edges, has_next, has_previous, start, end, total: None }
    }

    /// The page, if looking for its rows was given up at this cursor: there may be more behind it.
    pub(crate) fn given_up_at(mut self, window: &Window, cursor: String) -> Self {
        if window.from_end {
            (self.has_previous, self.start) = (true, Some(cursor));
        } else {
            (self.has_next, self.end) = (true, Some(cursor));
        }
        self
    }
}

/// A row and its cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge<T> {
    /// Opaque. Valid for the same list in the same order.
    pub cursor: String,
    /// The row.
    pub row: T,
}

/// A number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The number, or where counting stopped.
    pub n: u64,
    /// Whether counting stopped before the end.
    pub capped: bool,
}

impl Count {
    /// The number of rows where counting stops behind `most`.
    pub(crate) fn up_to(most: u64, found: u64) -> Self {
        Self { n: found.min(most), capped: found > most }
    }
}

/// A total order: columns with one direction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    /// Names the list and its order. A cursor of another one is refused.
    pub(crate) name: &'static str,
    /// The columns, most significant first; the last one is unique.
    pub(crate) columns: &'static [&'static str],
    /// Whether the greatest comes first.
    pub(crate) is_descending: bool,
}

/// The values of a row's order columns, as a cursor carries them.
pub(crate) trait Key: Serialize + DeserializeOwned {
    /// The values of the order's columns.
    fn values(&self) -> Vec<Value>;
}

impl Order {
    /// Limits a statement to the window: adds conditions after its `WHERE …`, the order and the limit.
    pub(crate) fn limit<K: Key>(self, statement: &mut Sql, window: &Window) -> Result<(), Error> {
        for (cursor, is_after) in [(&window.after, true), (&window.before, false)] {
            let Some(cursor) = cursor else { continue };
            let key: K = self.key(cursor)?;
            let comparison = if is_after == self.is_descending { " < " } else { " > " };
            statement.push(" AND (").push(&self.columns.join(", ")).push(")").push(comparison);
            statement.push_list(key.values());
        }
        self.sort(statement, window);
        Ok(())
    }

    /// Reads the window no further than a key.
    pub(crate) fn up_to<K: Key>(self, statement: &mut Sql, window: &Window, end: &K) {
        let comparison = if self.is_descending == window.from_end { " <= " } else { " >= " };
        statement.push(" AND (").push(&self.columns.join(", ")).push(")").push(comparison);
        statement.push_list(end.values());
    }

    /// Adds the order and the limit alone.
    pub(crate) fn sort(self, statement: &mut Sql, window: &Window) {
        let direction = if self.is_descending == window.from_end { " ASC" } else { " DESC" };
        let columns: Vec<_> = self.columns.iter().map(|column| format!("{column}{direction}")).collect();
        // One row more tells whether rows follow.
        statement.push(" ORDER BY ").push(&columns.join(", ")).push(" LIMIT ");
        statement.push_value(i64::from(window.size) + 1);
    }

    /// Makes a page of the rows of such a statement.
    pub(crate) fn page<T, K: Key>(self, window: &Window, rows: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        Page::of(window, rows, |row| self.cursor(&key(row)))
    }

    pub(crate) fn cursor<K: Key>(self, key: &K) -> String {
        encode(&(self.name, self.is_descending, key))
    }

    pub(crate) fn key<K: Key>(self, cursor: &str) -> Result<K, Error> {
        let (name, is_descending, key): (String, bool, K) = decode(cursor)?;
        if name == self.name && is_descending == self.is_descending { Ok(key) } else { Err(Error::BadCursor) }
    }
}

/// The text of a cursor.
pub(crate) fn encode(cursor: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor).expect("keys are plain values"))
}

/// Reads the text of a cursor.
pub(crate) fn decode<T: DeserializeOwned>(cursor: &str) -> Result<T, Error> {
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Error::BadCursor)?;
    serde_json::from_slice(&json).map_err(|_| Error::BadCursor)
}

macro_rules! keys {
    ($($key:ty => |$value:ident| $values:expr;)*) => {$(
        impl Key for $key {
            fn values(&self) -> Vec<Value> {
                let $value = self;
                $values
            }
        }
    )*};
}

keys! {
    (String,) => |key| vec![(&key.0).into()];
    (String, uuid::Uuid) => |key| vec![(&key.0).into(), key.1.into()];
    (i64, i64, uuid::Uuid) => |key| vec![key.0.into(), key.1.into(), key.2.into()];
    (i64, uuid::Uuid) => |key| vec![key.0.into(), key.1.into()];
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: Order = Order { name: "numbers", columns: &["n"], is_descending: false };

    /// Whether rows follow and precede, of a page of two under a window with these cursors.
    fn around(after: bool, before: bool, from_end: bool, found: usize) -> (bool, bool) {
        let cursor = |is_given: bool| is_given.then(|| ORDER.cursor(&("x".to_owned(),)));
        let window = Window { size: 2, from_end, after: cursor(after), before: cursor(before) };
        let page = ORDER.page(&window, vec!["a"; found], |row| ((*row).to_owned(),));
        (page.has_next, page.has_previous)
    }

    #[test]
    fn f20_a_cursor_has_its_row_beyond_the_page() {
        assert_eq!(around(false, true, false, 2), (true, false), "the first two before a row");
        assert_eq!(around(true, false, true, 2), (false, true), "the last two after a row");
        for from_end in [false, true] {
            assert_eq!(around(true, true, from_end, 2), (true, true), "between two rows");
            assert_eq!(around(false, false, from_end, 2), (false, false), "the whole list");
        }
    }

    #[test]
    fn one_row_more_than_asked_lies_beyond_the_page() {
        assert_eq!(around(false, false, false, 3), (true, false));
        assert_eq!(around(false, false, true, 3), (false, true));
    }
}
