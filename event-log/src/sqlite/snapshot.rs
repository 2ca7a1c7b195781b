//! The snapshot of the embedded log: one file beside it, complete or absent.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use sha2::{Digest, Sha256};

use crate::snapshot::{Snapshot, SnapshotAnchor};

const FILE: &str = "snapshot";
/// Where the next snapshot is written until it is complete.
const NEXT: &str = "snapshot.next";
/// Parts that are written before they are synced to disk.
const PARTS_AT_ONCE: usize = 16;
/// Parts that are read ahead.
const PARTS_AHEAD: usize = 4;
/// The first bytes of the file, which name its format.
const FORMAT: &[u8; 8] = b"MUSTERS1";

/// Replaces the snapshot of a data directory. After a power failure either the new one or the old one is
/// there.
pub(super) fn write(directory: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let next = directory.join(NEXT);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&next)?;
    let mut writer = Hashing { inner: BufWriter::new(file), hash: Sha256::new() };
    writer.write_all(FORMAT)?;
    let anchor = serde_json::to_vec(&snapshot.anchor).expect("an anchor is plain fields");
    for (number, part) in (1_usize..).zip(std::iter::once(&anchor).chain(&snapshot.parts)) {
        writer.write_all(&(part.len() as u64).to_be_bytes())?;
        writer.write_all(part)?;
        // Synced little by little: the next commit of the log would otherwise wait for the whole snapshot to
        // reach the disk.
        if number.is_multiple_of(PARTS_AT_ONCE) {
            writer.flush()?;
            writer.inner.get_ref().sync_data()?;
        }
    }
    let Hashing { mut inner, hash } = writer;
    inner.write_all(&hash.finalize())?;
    inner.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&next, directory.join(FILE))?;
    File::open(directory)?.sync_all()
}

/// Deletes the snapshot of a data directory.
pub(super) fn remove(directory: &Path) -> io::Result<()> {
    fs::remove_file(directory.join(FILE))?;
    File::open(directory)?.sync_all()
}

/// A snapshot that is being read. What is read is certain once the last part was read without an error.
pub(super) struct SavedSnapshot {
    pub(super) anchor: SnapshotAnchor,
    /// `None` after the last part.
    rest: Option<Unread>,
}

struct Unread {
    reader: Hashing<BufReader<File>>,
    /// Bytes that are left in the file.
    left: u64,
}

/// Opens the snapshot of a data directory, if there is one.
pub(super) fn open(directory: &Path) -> io::Result<Option<SavedSnapshot>> {
    let file = match File::open(directory.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let left = file.metadata()?.len();
    let mut rest = Unread { reader: Hashing { inner: BufReader::new(file), hash: Sha256::new() }, left };
    if rest.take(FORMAT.len() as u64)? != FORMAT {
        return Err(io::Error::other("it has another format"));
    }
    let anchor = serde_json::from_slice(&rest.part()?)?;
    Ok(Some(SavedSnapshot { anchor, rest: Some(rest) }))
}

impl SavedSnapshot {
    /// Reads the parts on a thread of its own, so that the next ones are read while the last ones are used.
    pub(super) fn read_ahead(self) -> mpsc::IntoIter<Result<Vec<u8>, String>> {
        let (sender, receiver) = mpsc::sync_channel(PARTS_AHEAD);
        thread::spawn(move || {
            for part in self {
                // Nobody wants more of a snapshot that was refused.
                if sender.send(part).is_err() {
                    return;
                }
            }
        });
        receiver.into_iter()
    }

    fn next_part(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(rest) = &mut self.rest else { return Ok(None) };
        if rest.left > Sha256::output_size() as u64 {
            return rest.part().map(Some);
        }
        let mut expected = Vec::new();
        rest.reader.inner.read_to_end(&mut expected)?;
        let is_whole = *expected == *rest.reader.hash.finalize_reset();
        self.rest = None;
        if is_whole { Ok(None) } else { Err(io::Error::other("it is damaged")) }
    }
}

impl Iterator for SavedSnapshot {
    type Item = Result<Vec<u8>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.next_part();
        if part.is_err() {
            self.rest = None;
        }
        part.map_err(|error| error.to_string()).transpose()
    }
}

impl Unread {
    fn part(&mut self) -> io::Result<Vec<u8>> {
        let length = self.take(8)?;
        self.take(u64::from_be_bytes(length.try_into().expect("eight bytes were read")))
    }

    fn take(&mut self, length: u64) -> io::Result<Vec<u8>> {
        self.left = self.left.checked_sub(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        // Never longer than the file, so a damaged length allocates no memory.
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Hashes every byte that is written or read.
struct Hashing<T> {
    inner: T,
    hash: Sha256,
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(bytes)?;
        self.hash.update(&bytes[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Chain;

    fn read(directory: &Path) -> Result<Option<Snapshot>, String> {
        let Some(saved) = open(directory).map_err(|error| error.to_string())? else { return Ok(None) };
        let anchor = saved.anchor;
        let parts = saved.read_ahead().collect::<Result<_, _>>()?;
        Ok(Some(Snapshot { anchor, parts }))
    }

    fn snapshot(parts: &[&[u8]]) -> Snapshot {
        let parts = parts.iter().map(|part| part.to_vec()).collect();
        Snapshot { anchor: SnapshotAnchor { event: 7, chain: Chain::default(), reservations: 3 }, parts }
    }

    #[test]
    fn the_newest_that_was_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(directory.path()).unwrap(), None);
        for parts in [vec![], vec![&b""[..]], vec![b"one", &[9; 100_000]]] {
            write(directory.path(), &snapshot(&parts)).unwrap();
            assert_eq!(read(directory.path()).unwrap(), Some(snapshot(&parts)));
        }
    }

    #[test]
    fn one_that_was_cut_off_or_changed_anywhere_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), &snapshot(&[b"one", b"two"])).unwrap();
        let file = directory.path().join(FILE);
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            fs::write(&file, &whole[..at]).unwrap();
            assert!(read(directory.path()).is_err(), "cut off at {at}");
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&file, changed).unwrap();
            assert!(read(directory.path()).is_err(), "changed at {at}");
        }
    }
}
