//! Where the views are.

use std::path::PathBuf;

/// Where the views are.
#[derive(Clone)]
pub enum ViewsAt {
    /// In two files of a directory: `views.db`, and `operational.db` for what is not in the log.
    Sqlite {
        /// The directory; made where it is missing.
        directory: PathBuf,
    },
    /// In a database of a server, in the schemas `views` and `operational`.
    Postgres {
        /// `postgres://user:password@host/database`.
        url: String,
        /// Most connections of this process, beside the one that listens.
        connections: u32,
    },
}

/// Never shows the password in the address.
impl std::fmt::Debug for ViewsAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { directory } => write!(f, "Sqlite({})", directory.display()),
            Self::Postgres { .. } => f.write_str("Postgres(…)"),
        }
    }
}
