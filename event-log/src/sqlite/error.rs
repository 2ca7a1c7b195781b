//! Why the embedded log can't be opened.

use std::io;
use std::path::PathBuf;

/// Why the log can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be made, or files in it can't.
    #[error("the data directory {} can't be used", .0.display())]
    Directory(PathBuf, #[source] io::Error),
    /// Another process has it.
    #[error("the data directory {} is in use by another process of Muster", .0.display())]
    InUse(PathBuf),
    /// There is nothing to read.
    #[error("there is no log in the data directory {}", .0.display())]
    Missing(PathBuf),
    /// The file is damaged, or not one of ours.
    #[error("the log in {} can't be opened", .0.display())]
    File(PathBuf, #[source] sqlx::Error),
    /// A newer Muster wrote it.
    #[error("the log in {} has format {format}, which only a newer Muster reads", .file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its format.
        format: i64,
    },
}
