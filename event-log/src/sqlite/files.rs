//! The data directory: readable by its owner alone, and locked by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::OpenError;

const LOG: &str = "log.db";
const LOCK: &str = "muster.lock";

/// The path of the log's file in a data directory.
pub(super) fn log_file(data_dir: &Path) -> PathBuf {
    data_dir.join(LOG)
}

/// Creates the directory and the log's file if they are missing, readable by their owner alone, and locks the
/// directory while the returned file is open. The system releases the lock when the process ends, however it
/// ends.
pub(super) fn lock(data_dir: &Path) -> Result<File, OpenError> {
    let failed = |error| OpenError::Directory(data_dir.to_owned(), error);
    make_directory(data_dir).map_err(failed)?;
    let lock = private_file(&data_dir.join(LOCK)).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    // SQLite creates its own files beside this one with the same mode.
    private_file(&log_file(data_dir)).map_err(failed)?;
    Ok(lock)
}

fn make_directory(data_dir: &Path) -> io::Result<()> {
    if data_dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    // Commits in the directory survive a power failure, so its own entry must survive it too.
    match data_dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}
