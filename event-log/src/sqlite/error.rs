//! Why the embedded log can't be opened.

use std::io;
use std::path::PathBuf;

/// Why the log can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory, or a file in it, can't be created or opened.
    #[error("the data directory {} can't be used", .0.display())]
    Directory(PathBuf, #[source] io::Error),
    /// Another process has locked the directory.
    #[error("the data directory {} is in use by another process of Muster", .0.display())]
    InUse(PathBuf),
    /// The directory holds no log to read.
    #[error("there is no log in the data directory {}", .0.display())]
    Missing(PathBuf),
    /// The file is damaged or not a log of Muster.
    #[error("the log in {} can't be opened", .0.display())]
    File(PathBuf, #[source] sqlx::Error),
    /// A newer Muster wrote the file.
    #[error("the log in {} has format {format}, which only a newer Muster reads", .file.display())]
    Newer {
        /// The log's file.
        file: PathBuf,
        /// The format that the file says it has.
        format: i64,
    },
}
