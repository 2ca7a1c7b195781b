//! Rows of both databases, read by column name.

use domain::id::{GroupId, UserId};
use domain::timestamp::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

/// A row whose columns are read by name.
pub(crate) trait Columns {
    fn flag(&self, column: &str) -> Result<bool, sqlx::Error>;
    fn small(&self, column: &str) -> Result<i16, sqlx::Error>;
    fn maybe_int(&self, column: &str) -> Result<Option<i64>, sqlx::Error>;
    fn maybe_text(&self, column: &str) -> Result<Option<String>, sqlx::Error>;
    fn maybe_uuid(&self, column: &str) -> Result<Option<Uuid>, sqlx::Error>;
    fn bytes(&self, column: &str) -> Result<Vec<u8>, sqlx::Error>;

    fn int(&self, column: &str) -> Result<i64, sqlx::Error> {
        self.maybe_int(column)?.ok_or_else(|| broken(column, "is missing"))
    }

    fn text(&self, column: &str) -> Result<String, sqlx::Error> {
        self.maybe_text(column)?.ok_or_else(|| broken(column, "is missing"))
    }

    fn uuid(&self, column: &str) -> Result<Uuid, sqlx::Error> {
        self.maybe_uuid(column)?.ok_or_else(|| broken(column, "is missing"))
    }

    fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T, sqlx::Error> {
        T::try_from(self.int(column)?).map_err(|_| broken(column, "is out of range"))
    }

    fn maybe_number<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>, sqlx::Error> {
        let number = self.maybe_int(column)?.map(T::try_from).transpose();
        number.map_err(|_| broken(column, "is out of range"))
    }

    fn time(&self, column: &str) -> Result<Timestamp, sqlx::Error> {
        self.int(column).map(Timestamp::from_micros)
    }

    fn maybe_time(&self, column: &str) -> Result<Option<Timestamp>, sqlx::Error> {
        Ok(self.maybe_int(column)?.map(Timestamp::from_micros))
    }

    fn user_id(&self, column: &str) -> Result<UserId, sqlx::Error> {
        self.uuid(column).map(UserId::from_uuid)
    }

    fn maybe_group_id(&self, column: &str) -> Result<Option<GroupId>, sqlx::Error> {
        Ok(self.maybe_uuid(column)?.map(GroupId::from_uuid))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T, sqlx::Error> {
        let text = self.text(column)?;
        serde_json::from_str(&text)
            .map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
    }
}

/// A value read from a row.
pub(crate) trait FromColumns: Sized + Send {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error>;
}

/// The error for a value that Muster never stores in this column.
pub(crate) fn broken(column: &str, problem: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: problem.into() }
}

/// A single number, in a column named `n`.
impl FromColumns for i64 {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        row.int("n")
    }
}

macro_rules! columns {
    ($row:ty) => {
        impl Columns for $row {
            fn flag(&self, column: &str) -> Result<bool, sqlx::Error> {
                self.try_get(column)
            }

            fn small(&self, column: &str) -> Result<i16, sqlx::Error> {
                self.try_get(column)
            }

            fn maybe_int(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
                self.try_get(column)
            }

            fn maybe_text(&self, column: &str) -> Result<Option<String>, sqlx::Error> {
                self.try_get(column)
            }

            fn maybe_uuid(&self, column: &str) -> Result<Option<Uuid>, sqlx::Error> {
                self.try_get(column)
            }

            fn bytes(&self, column: &str) -> Result<Vec<u8>, sqlx::Error> {
                self.try_get(column)
            }
        }
    };
}

columns!(PgRow);
columns!(SqliteRow);
