//! The keys of a process: where they come from, and sealing and opening with them.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use secrecy::SecretSlice;
use zeroize::Zeroizing;

use crate::key::SecretKey;
use crate::key_file::{KeyFile, KeyFileError, KeyInfo, Purpose};
use crate::sealed::{self, UnsealError};

/// The keys of a process. It can seal, and open what was sealed under any of its keys.
#[derive(Debug)]
pub struct Keyring {
    source: Source,
    keys: RwLock<Keys>,
}

/// What was read last. Empty until a file that is made on first use is there.
#[derive(Debug, Default)]
struct Keys {
    /// Those that seal, the current one first.
    sealing: Vec<SecretKey>,
    signing: Vec<SecretKey>,
}

impl From<KeyFile> for Keys {
    fn from(file: KeyFile) -> Self {
        Self { sealing: file.keys, signing: file.signing }
    }
}

#[derive(Debug)]
enum Source {
    /// A text that does not change.
    Given,
    /// A file that the operator has made.
    File(PathBuf),
    /// A file that is made when the first secret is sealed.
    FirstUse(PathBuf),
}

/// The keys can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The file can't be read, or not be written.
    #[error("the key file `{}` can't be used", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The text is not that of a key file.
    #[error("the keys in {place} can't be read")]
    Text {
        /// Where they are.
        place: String,
        /// What is wrong.
        source: KeyFileError,
    },
}

impl Keyring {
    /// The keys in a text. `place` names where it comes from, for errors.
    pub fn given(text: &str, place: &str) -> Result<Self, KeyringError> {
        let keys = parse(text, place)?.into();
        Ok(Self { source: Source::Given, keys: RwLock::new(keys) })
    }

    /// The keys in a file, which has to exist.
    pub fn in_file(path: &Path) -> Result<Self, KeyringError> {
        let keys = read(path)?.into();
        Ok(Self { source: Source::File(path.to_owned()), keys: RwLock::new(keys) })
    }

    /// The keys in a file that is made with the first secret that is sealed, if it is not there yet.
    pub fn made_on_first_use(path: &Path) -> Result<Self, KeyringError> {
        let keys = match read(path) {
            Ok(file) => file.into(),
            Err(KeyringError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Keys::default()
            }
            Err(error) => return Err(error),
        };
        Ok(Self { source: Source::FirstUse(path.to_owned()), keys: RwLock::new(keys) })
    }

    /// Seals a secret for a place, under the current key. Only the same place opens it. Blocks while a file is read.
    ///
    /// A file that has changed is read again, so that a rotation needs no restart.
    pub fn seal(&self, place: &str, secret: &[u8]) -> Result<String, KeyringError> {
        self.refresh()?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Ok(sealed::seal(keys.sealing.first().expect("a key file holds a key"), place, secret))
    }

    /// The keys that sign, as 32 bytes each, the current one first. Blocks while a file is read.
    pub fn signing_keys(&self) -> Result<Vec<Zeroizing<[u8; 32]>>, KeyringError> {
        self.refresh()?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.signing.iter().map(|key| Zeroizing::new(*key.bytes())).collect())
    }

    /// Reads a file again, and makes it if that is how it begins.
    fn refresh(&self) -> Result<(), KeyringError> {
        match &self.source {
            Source::Given => {}
            Source::FirstUse(path) if !self.has_keys() => self.take(read_or_make(path)?),
            // One that is gone is not made anew: what was sealed could never be opened again.
            Source::File(path) | Source::FirstUse(path) => self.take(read(path)?),
        }
        Ok(())
    }

    fn has_keys(&self) -> bool {
        !self.keys.read().unwrap_or_else(PoisonError::into_inner).sealing.is_empty()
    }

    /// Opens what was sealed for the same place. Blocks while a file is read: the file is read again when it may hold a
    /// key that was made since.
    pub fn open(&self, place: &str, sealed: &str) -> Result<SecretSlice<u8>, UnsealError> {
        let opened = self.try_open(place, sealed);
        let (Err(UnsealError::UnknownKey(_)), Source::File(path) | Source::FirstUse(path)) =
            (&opened, &self.source)
        else {
            return opened;
        };
        match read(path) {
            Ok(file) => self.take(file),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the keys can't be read again");
                return opened;
            }
        }
        self.try_open(place, sealed)
    }

    fn try_open(&self, place: &str, sealed: &str) -> Result<SecretSlice<u8>, UnsealError> {
        sealed::open(&self.keys.read().unwrap_or_else(PoisonError::into_inner).sealing, place, sealed)
    }

    fn take(&self, file: KeyFile) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = file.into();
    }

    /// The keys in a file, or in a text, by name.
    pub fn show(text: &str, place: &str) -> Result<Vec<KeyInfo>, KeyringError> {
        Ok(parse(text, place)?.infos())
    }
}

/// Gives a key file a fresh current key for a purpose, and makes the file if there is none. Older keys stay in it, because
/// values that were sealed under them are still to be opened. Returns the keys by name.
pub fn rotate(path: &Path, purpose: Purpose) -> Result<Vec<KeyInfo>, KeyringError> {
    let file = match read(path) {
        Ok(file) => file.rotated(purpose),
        Err(KeyringError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(read_or_make(path)?.infos());
        }
        Err(error) => return Err(error),
    };
    let replaced = write_beside(path, &file).and_then(|next| {
        // Services that run as another user go on reading it.
        let renamed = keep_access(path, &next).and_then(|()| std::fs::rename(&next, path));
        if renamed.is_err() {
            std::fs::remove_file(&next).ok();
        }
        renamed.and_then(|()| sync_directory(path))
    });
    replaced.map_err(|source| KeyringError::File { path: path.to_owned(), source })?;
    Ok(file.infos())
}

fn parse(text: &str, place: &str) -> Result<KeyFile, KeyringError> {
    KeyFile::read(text).map_err(|source| KeyringError::Text { place: place.to_owned(), source })
}

fn read(path: &Path) -> Result<KeyFile, KeyringError> {
    let text = std::fs::read_to_string(path)
        .map(zeroize::Zeroizing::new)
        .map_err(|source| KeyringError::File { path: path.to_owned(), source })?;
    parse(&text, &format!("`{}`", path.display()))
}

/// The keys in the file; makes it if it is not there.
fn read_or_make(path: &Path) -> Result<KeyFile, KeyringError> {
    match read(path) {
        Err(KeyringError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    let file = KeyFile::fresh();
    match make(path, &file) {
        Ok(()) => {
            tracing::warn!(
                path = %path.display(),
                "made the secret key of this deployment; keep a copy apart from the data, because nothing that is sealed can \
                 be opened without it"
            );
            Ok(file)
        }
        // Somebody else has made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(path),
        Err(source) => Err(KeyringError::File { path: path.to_owned(), source }),
    }
}

/// Makes the file, unless it is there. It appears as a whole, so that every process that finds it can read the keys.
fn make(path: &Path, file: &KeyFile) -> io::Result<()> {
    let written = write_beside(path, file)?;
    let linked = std::fs::hard_link(&written, path);
    std::fs::remove_file(&written)?;
    linked?;
    sync_directory(path)
}

/// Writes the keys into a new file beside the one at `path`, for its owner alone, down to the disk. Returns its path.
fn write_beside(path: &Path, file: &KeyFile) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let beside = path.with_extension(format!("{}.new", hex::encode(random)));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(&beside)?;
    let written = opened.write_all(file.text().as_bytes()).and_then(|()| opened.sync_all());
    if written.is_err() {
        std::fs::remove_file(&beside).ok();
    }
    written.map(|()| beside)
}

/// Gives a file the owner and the mode of another.
fn keep_access(of: &Path, to: &Path) -> io::Result<()> {
    let known = std::fs::metadata(of)?;
    std::fs::set_permissions(to, known.permissions())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let made = std::fs::metadata(to)?;
        if (made.uid(), made.gid()) != (known.uid(), known.gid()) {
            std::os::unix::fs::chown(to, Some(known.uid()), Some(known.gid()))?;
        }
    }
    Ok(())
}

fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_key_is_made_with_the_first_secret_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        let ring = Keyring::made_on_first_use(&path).unwrap();
        assert!(!path.exists());
        let sealed = ring.seal("p", b"x").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(Keyring::in_file(&path).unwrap().open("p", &sealed).unwrap().expose_secret(), b"x");
    }

    #[test]
    fn a_file_that_goes_away_is_not_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let ring = Keyring::made_on_first_use(&path).unwrap();
        let sealed = ring.seal("p", b"x").unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(ring.seal("p", b"y"), Err(KeyringError::File { .. })));
        assert!(!path.exists());
        assert_eq!(ring.open("p", &sealed).unwrap().expose_secret(), b"x");
    }

    #[test]
    fn after_a_rotation_running_processes_open_and_seal_with_the_new_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        rotate(&path, Purpose::Seal).unwrap();
        let (sealer, opener) = (Keyring::in_file(&path).unwrap(), Keyring::in_file(&path).unwrap());
        let before = sealer.seal("p", b"before").unwrap();
        let keys = rotate(&path, Purpose::Seal).unwrap();
        assert_eq!(keys.iter().map(|key| key.is_current).collect::<Vec<_>>(), [true, false, true]);
        let after = sealer.seal("p", b"after").unwrap();
        assert!(after.contains(&keys[0].id), "{after}");
        assert_eq!(opener.open("p", &before).unwrap().expose_secret(), b"before");
        assert_eq!(opener.open("p", &after).unwrap().expose_secret(), b"after");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn a_rotation_keeps_who_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        rotate(&path, Purpose::Seal).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        rotate(&path, Purpose::Sign).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_file_signs_too_and_a_key_alone_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let ring = Keyring::made_on_first_use(&directory.path().join("key")).unwrap();
        let signing = ring.signing_keys().unwrap();
        assert_eq!((signing.len(), ring.signing_keys().unwrap()), (1, signing));
        let alone = Keyring::given(&"07".repeat(32), "a variable").unwrap();
        assert!(alone.signing_keys().unwrap().is_empty());
    }

    #[test]
    fn a_file_that_is_missing_or_damaged_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        assert!(Keyring::in_file(&path).unwrap_err().to_string().contains("key` can't be used"));
        std::fs::write(&path, "a passphrase").unwrap();
        let error = Keyring::made_on_first_use(&path).unwrap_err().to_string();
        assert!(error.contains("key` can't be read"), "{error}");
        assert!(
            rotate(&path, Purpose::Seal).is_err(),
            "a file that is something else must not be written over"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a passphrase");
    }

    #[test]
    fn without_the_key_nothing_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let ring = Keyring::made_on_first_use(&path).unwrap();
        let sealed = ring.seal("p", b"x").unwrap();
        std::fs::remove_file(&path).unwrap();
        let restarted = Keyring::made_on_first_use(&path).unwrap();
        assert!(matches!(restarted.open("p", &sealed), Err(UnsealError::UnknownKey(_))));
    }
}
