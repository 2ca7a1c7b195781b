//! Errors of the views, classed by what the caller does next.

use std::path::PathBuf;

/// The views could not be asked or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database can't be reached, or has no free connection. A later attempt may succeed.
    #[error("the views can't be reached")]
    Unavailable(#[source] sqlx::Error),
    /// The database refuses the written data. The same data will be refused again.
    #[error("the database refuses the data")]
    Refused(#[source] sqlx::Error),
    /// The database refuses for any other reason.
    #[error("the database refuses the statement")]
    Failed(#[source] sqlx::Error),
    /// The cursor does not come from this list in this order.
    #[error("the cursor does not belong to this list")]
    BadCursor,
    /// The directory of the views can't be made or entered.
    #[error("the directory of the views {} can't be used", .0.display())]
    Directory(PathBuf, #[source] std::io::Error),
    /// The server or its database can't hold the views, or a setting of it stands against that. The text is a sentence.
    #[error("{0}")]
    Unsuitable(String),
    /// An older version of Muster made the views. Whoever fills them replaces them; readers wait for that.
    #[error("the views have format {found}, and this Muster needs {needed}: its projection fills them anew")]
    OlderViews {
        /// Their format.
        found: i64,
        /// The format that is needed.
        needed: i64,
    },
    /// A newer version of Muster made the tables.
    #[error("the {what} have format {found}, which only a newer Muster reads")]
    Newer {
        /// Which tables.
        what: &'static str,
        /// Their format.
        found: i64,
    },
}

impl Error {
    /// Whether a later attempt may succeed.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(database) => match database.code().as_deref().map(class) {
                Some(Class::Unavailable) => Self::Unavailable(error),
                Some(Class::Refused) => Self::Refused(error),
                Some(Class::Other) | None => Self::Failed(error),
            },
            sqlx::Error::Encode(_) => Self::Refused(error),
            _ => Self::Failed(error),
        }
    }
}

enum Class {
    Unavailable,
    Refused,
    Other,
}

/// Classes an error code. Five characters are a SQLSTATE (PostgreSQL, appendix A), fewer a result code of SQLite, whose
/// high bytes extend it.
fn class(code: &str) -> Class {
    if code.len() == 5 {
        return match &code[..2] {
            // Data exception, constraint violation, limit exceeded.
            "22" | "23" | "54" => Class::Refused,
            // Connection, rollback, resources, intervention of an operator, not a primary, system error.
            "08" | "40" | "53" | "55" | "57" | "58" | "25" => Class::Unavailable,
            _ => Class::Other,
        };
    }
    match code.parse::<u32>().map(|code| code & 0xff) {
        // TOOBIG, CONSTRAINT, MISMATCH.
        Ok(18..=20) => Class::Refused,
        // BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN.
        Ok(5..=8 | 10 | 13 | 14) => Class::Unavailable,
        _ => Class::Other,
    }
}
