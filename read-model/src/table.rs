//! A view's table as it is written: each column beside the value that a row gives it.

use crate::statement::{Value, WriteStatement, multi_row};

/// A column and how a row gives its value.
pub(crate) struct Column<R> {
    name: &'static str,
    value: fn(&R) -> Value,
    /// Whether an upsert replaces what is there.
    is_replaced: bool,
    /// Whether a row is read from it. What lists sort by is written only.
    is_read: bool,
}

/// A column that an upsert replaces.
pub(crate) const fn column<R>(name: &'static str, value: fn(&R) -> Value) -> Column<R> {
    Column { name, value, is_replaced: true, is_read: true }
}

/// A column that never changes once the row is there.
pub(crate) const fn fixed<R>(name: &'static str, value: fn(&R) -> Value) -> Column<R> {
    Column { name, value, is_replaced: false, is_read: true }
}

/// A column for sorting or searching, which no row is read from.
pub(crate) const fn derived<R>(name: &'static str, value: fn(&R) -> Value) -> Column<R> {
    Column { name, value, is_replaced: true, is_read: false }
}

/// A table whose rows are written as `R`, with `N` columns. The key is the column `id`.
pub(crate) struct Table<R, const N: usize> {
    pub(crate) name: &'static str,
    pub(crate) columns: [Column<R>; N],
}

impl<R, const N: usize> Table<R, N> {
    /// The columns that a row is read from: `table.a, table.b, …`.
    pub(crate) fn selected(&self) -> String {
        let read = self.columns.iter().filter(|column| column.is_read);
        read.map(|column| format!("{}.{}", self.name, column.name)).collect::<Vec<_>>().join(", ")
    }

    /// Writes rows. A row that is there already gets the replaced columns, or stays as it is where there are none.
    pub(crate) fn upsert(&self, rows: &[R]) -> WriteStatement {
        let names: Vec<_> = self.columns.iter().map(|column| column.name).collect();
        let head = format!("INSERT INTO {} ({})", self.name, names.join(", "));
        let replaced = self.columns.iter().filter(|column| column.is_replaced);
        let set: Vec<_> = replaced.map(|Column { name, .. }| format!("{name} = excluded.{name}")).collect();
        let tail = match set.join(", ") {
            set if set.is_empty() => "ON CONFLICT (id) DO NOTHING".to_owned(),
            set => format!("ON CONFLICT (id) DO UPDATE SET {set}"),
        };
        multi_row(head, rows, tail, |row| self.columns.each_ref().map(|column| (column.value)(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: Table<(i64, i64), 3> = Table {
        name: "pairs",
        columns: [
            fixed("id", |pair| pair.0.into()),
            column("other", |pair| pair.1.into()),
            derived("sum", |pair| (pair.0 + pair.1).into()),
        ],
    };

    #[test]
    fn a_value_stands_in_its_own_column() {
        let WriteStatement::Rows(rows) = PAIRS.upsert(&[(1, 2), (3, 4)]) else { panic!("rows stay rows") };
        assert_eq!(rows.head, "INSERT INTO pairs (id, other, sum)");
        assert_eq!(rows.tail, "ON CONFLICT (id) DO UPDATE SET other = excluded.other, sum = excluded.sum");
        let values: Vec<_> = rows
            .values
            .iter()
            .map(|value| match value {
                Value::Int(value) => value.unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!((rows.columns, values), (3, vec![1, 2, 3, 3, 4, 7]));
        assert_eq!(PAIRS.selected(), "pairs.id, pairs.other");
    }
}
