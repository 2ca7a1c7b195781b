//! SQL statements and their values, in a form for both databases.

use std::fmt::Write as _;

use domain::id::{DeliveryId, EntryId, GroupId, MailboxId, RuleId, TokenId, UserId, WebhookId};
use domain::timestamp::Timestamp;
use uuid::Uuid;

/// Most values of one statement: SQLite takes 32,766, PostgreSQL 65,535.
const MOST_VALUES: usize = 32_000;

/// Most rows of one statement. More are not faster, and with the columns of any table they stay far below [`MOST_VALUES`].
const MOST_ROWS: usize = 128;

/// A statement and the values of its `$1`, `$2`, ….
#[derive(Debug, Clone)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
    /// Whether the prepared statement is kept. False where every call has another text.
    pub(crate) is_kept: bool,
}

/// A value as both databases store it.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Flag(bool),
    Small(i16),
    Int(Option<i64>),
    Text(Option<String>),
    Uuid(Option<Uuid>),
    Bytes(Vec<u8>),
}

/// A statement without values.
pub(crate) fn sql(text: impl Into<String>) -> Sql {
    Sql { text: text.into(), values: Vec::new(), is_kept: true }
}

impl Sql {
    /// The text for SQLite. SQLite treats `$n` as a name and compares it with every earlier name. For thousands of values
    /// that takes seconds, so above a few values the text numbers them with `?` instead.
    pub(crate) fn text_for_sqlite(&mut self) -> String {
        const FEW: usize = 64;
        let text = std::mem::take(&mut self.text);
        if self.values.len() <= FEW {
            return text;
        }
        let mut parts = text.split('$');
        let mut numbered = parts.next().unwrap_or_default().to_owned();
        for (number, part) in (1..).zip(parts) {
            let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
            // `?` is the next value, whatever number stood there.
            debug_assert_eq!(
                part[..part.len() - rest.len()].parse(),
                Ok(number),
                "values out of order: {text}"
            );
            numbered.push('?');
            numbered.push_str(rest);
        }
        numbered
    }

    /// Binds the next `$n` of the text.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Appends text.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a placeholder and its value.
    pub(crate) fn push_value(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        write!(self.text, "${}", self.values.len()).expect("a string takes all text");
        self
    }

    /// Appends `(a, b, …)`, or `(NULL)` for an empty list. No value is in `(NULL)`.
    pub(crate) fn push_list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        let mut separator = "(";
        for value in values {
            self.push(separator).push_value(value);
            separator = ", ";
        }
        if separator == "(" { self.push("(NULL)") } else { self.push(")") }
    }
}

/// A statement `<head> <rows> <tail>`. The columns of the rows are named column1, column2, …, as both databases name the
/// columns of a list of values. PostgreSQL gets whole columns as arrays: it parses thousands of single values too slowly.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) head: String,
    pub(crate) tail: String,
    pub(crate) columns: usize,
    /// Row after row. All values of a column are of one kind.
    pub(crate) values: Vec<Value>,
}

/// A change of rows.
#[derive(Debug, Clone)]
pub(crate) enum WriteStatement {
    /// One statement.
    One(Sql),
    /// One statement over rows. Without rows nothing is run.
    Rows(Rows),
}

impl From<Sql> for WriteStatement {
    fn from(statement: Sql) -> Self {
        Self::One(statement)
    }
}

/// A statement over rows, each of `N` columns.
pub(crate) fn multi_row<T, const N: usize>(
    head: impl Into<String>,
    rows: &[T],
    tail: impl Into<String>,
    row_values: impl Fn(&T) -> [Value; N],
) -> WriteStatement {
    let mut values = Vec::with_capacity(rows.len() * N);
    values.extend(rows.iter().flat_map(row_values));
    WriteStatement::Rows(Rows { head: head.into(), tail: tail.into(), columns: N, values })
}

impl Rows {
    /// As statements with lists of values. Their lengths are powers of two, so that there are few different texts and each
    /// stays prepared.
    pub(crate) fn into_lists(self) -> Vec<Sql> {
        let mut left = self.values.len() / self.columns;
        let mut values = self.values.into_iter();
        let mut statements = Vec::new();
        while left > 0 {
            let rows = (left.min(MOST_ROWS) + 1).next_power_of_two() / 2;
            left -= rows;
            let mut statement = sql(&*self.head);
            statement.push(" VALUES ");
            for row in 0..rows {
                statement.push(if row == 0 { "" } else { ", " });
                statement.push_list(values.by_ref().take(self.columns));
            }
            statement.push(" ").push(&self.tail);
            statements.push(statement);
        }
        statements
    }
}

/// Statements `<head> (a, b, …)<tail>` over all keys, each within the limit of values.
pub(crate) fn listed<V: Into<Value> + Clone>(head: &str, keys: &[V], tail: &str) -> Vec<Sql> {
    keys.chunks(MOST_VALUES)
        .map(|keys| {
            let mut statement = sql(head);
            statement.is_kept = keys.len() <= 4;
            statement.push(" ").push_list(keys.iter().cloned()).push(tail);
            statement
        })
        .collect()
}

macro_rules! values {
    ($($from:ty => |$value:ident| $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $to
            }
        }
    )*};
}

values! {
    bool => |value| Self::Flag(value);
    i16 => |value| Self::Small(value);
    i64 => |value| Self::Int(Some(value));
    u32 => |value| Self::Int(Some(value.into()));
    u64 => |value| Self::Int(Some(stored(value)));
    Option<u64> => |value| Self::Int(value.map(stored));
    &str => |value| Self::Text(Some(storable(value)));
    String => |value| Self::Text(Some(storable(&value)));
    &String => |value| Self::Text(Some(storable(value)));
    Option<&str> => |value| Self::Text(value.map(storable));
    &Option<String> => |value| Self::Text(value.as_deref().map(storable));
    Uuid => |value| Self::Uuid(Some(value));
    Option<Uuid> => |value| Self::Uuid(value);
    UserId => |value| Self::Uuid(Some(value.uuid()));
    Option<UserId> => |value| Self::Uuid(value.map(UserId::uuid));
    GroupId => |value| Self::Uuid(Some(value.uuid()));
    TokenId => |value| Self::Uuid(Some(value.uuid()));
    MailboxId => |value| Self::Uuid(Some(value.uuid()));
    RuleId => |value| Self::Uuid(Some(value.uuid()));
    EntryId => |value| Self::Uuid(Some(value.uuid()));
    WebhookId => |value| Self::Uuid(Some(value.uuid()));
    DeliveryId => |value| Self::Uuid(Some(value.uuid()));
    Timestamp => |value| Self::Int(Some(value.micros()));
    Option<Timestamp> => |value| Self::Int(value.map(Timestamp::micros));
    &[u8; 32] => |value| Self::Bytes(value.to_vec());
}

/// PostgreSQL refuses NUL in texts. The log holds none, but a query may.
fn storable(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
}

/// Offsets, versions and counts fit: no log has 2⁶³ records.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_on() {
        let mut statement = sql("SELECT $1").bind(1_i64);
        statement.push(" WHERE a IN ").push_list([2_i64, 3]).push(" AND b = ").push_value("x");
        assert_eq!(statement.text, "SELECT $1 WHERE a IN ($2, $3) AND b = $4");
        assert_eq!(statement.values.len(), 4);
    }

    #[test]
    fn many_rows_are_spread_over_few_different_statements() {
        let rows: Vec<i64> = (0..200).collect();
        let WriteStatement::Rows(rows) =
            multi_row("INSERT INTO t", &rows, "ON", |n| [(*n).into(), (*n).into()])
        else {
            panic!("rows stay rows");
        };
        let statements = rows.into_lists();
        assert_eq!(statements.iter().map(|s| s.values.len() / 2).collect::<Vec<_>>(), [128, 64, 8]);
        assert!(statements[0].text.starts_with("INSERT INTO t VALUES ($1, $2), ($3, $4)"));
        assert!(statements[0].text.ends_with(") ON"));
    }

    #[test]
    fn many_values_are_taken_in_their_order_on_sqlite() {
        let mut many = sql("a = $1 AND b IN ").bind(0_i64);
        many.push_list(1..=64_i64).push(" AND c");
        let text = many.text_for_sqlite();
        assert!(text.starts_with("a = ? AND b IN (?, ?, ") && text.ends_with("?, ?) AND c"), "{text}");
        assert_eq!(sql("a = $1").bind(0_i64).text_for_sqlite(), "a = $1");
    }

    #[test]
    fn nothing_is_in_an_empty_list() {
        assert_eq!(sql("a IN ").push_list(Vec::<i64>::new()).text, "a IN (NULL)");
    }
}
