//! The text of the key file: a line a key, the current one first.
//!
//! ```text
//! # comments and empty lines
//! seal <key id> <base64 of 32 bytes>
//! sign <key id> <base64 of 32 bytes>
//! ```
//!
//! The first word says what the key is for. Lines for other purposes are kept as they are, so that an older release never
//! loses a key that it doesn't use. A text of 32 bytes alone, in base64 or hex, is one sealing key.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::key::SecretKey;

const HEAD: &str = "# The secret keys of a Muster deployment. Somebody who has this file can open what is sealed, and sign checkpoints.\n\
    # Keep it secret, and keep a copy apart from the data. `muster keys` shows and rotates the keys.\n";

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It seals secrets that must be readable again.
    Seal,
    /// It signs checkpoints of the log.
    Sign,
}

impl Purpose {
    /// The word that stands for it in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Sign => "sign",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Seal, Self::Sign].into_iter().find(|purpose| purpose.word() == word)
    }
}

/// What is wrong with the text of a key file. It never quotes the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// A line is not `<purpose> <key id> <key>`.
    #[error("line {0} is not of the form `seal <key id> <base64 of 32 bytes>` or `sign …`")]
    Line(usize),
    /// The name of a key is not the one that follows from it.
    #[error("line {line}: the key is damaged: its id would be {found}, not the one given")]
    Id {
        /// Which line.
        line: usize,
        /// The id of the key that stands there.
        found: String,
    },
    /// There is no sealing key.
    #[error("there is no sealing key in it; `muster keys rotate` makes one")]
    Empty,
}

/// A key as an operator may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// What it is for.
    pub purpose: String,
    /// Its name.
    pub id: String,
    /// Whether it is the one that new values get.
    pub is_current: bool,
}

/// The text with what was read from it.
pub(crate) struct KeyFile {
    text: Zeroizing<String>,
    /// Sealing keys, the current one first.
    pub(crate) keys: Vec<SecretKey>,
    /// Signing keys, the current one first.
    pub(crate) signing: Vec<SecretKey>,
}

impl KeyFile {
    /// Reads the text of a key file.
    pub(crate) fn read(text: &str) -> Result<Self, KeyFileError> {
        let text = Zeroizing::new(text.to_owned());
        if let Some(key) = bare(text.trim()) {
            return Ok(Self {
                text: Zeroizing::new(line(Purpose::Seal, &key)),
                keys: vec![key],
                signing: Vec::new(),
            });
        }
        let (mut keys, mut signing) = (Vec::new(), Vec::new());
        for (number, words) in lines(&text) {
            let [purpose, id, key] = words[..] else { return Err(KeyFileError::Line(number)) };
            let Some(purpose) = Purpose::of(purpose) else { continue };
            let bytes = decoded(key).ok_or(KeyFileError::Line(number))?;
            let key = SecretKey::of(&bytes).ok_or(KeyFileError::Line(number))?;
            if key.id() != id {
                return Err(KeyFileError::Id { line: number, found: key.id() });
            }
            match purpose {
                Purpose::Seal => keys.push(key),
                Purpose::Sign => signing.push(key),
            }
        }
        if keys.is_empty() { Err(KeyFileError::Empty) } else { Ok(Self { text, keys, signing }) }
    }

    /// A file with one fresh key for each purpose.
    pub(crate) fn fresh() -> Self {
        let (key, signing) = (SecretKey::random(), SecretKey::random());
        let lines = [line(Purpose::Seal, &key), line(Purpose::Sign, &signing)].map(Zeroizing::new);
        let text = Zeroizing::new(format!("{HEAD}{}{}", *lines[0], *lines[1]));
        Self { text, keys: vec![key], signing: vec![signing] }
    }

    /// The same file with a fresh current key. Every other line stays.
    pub(crate) fn rotated(&self, purpose: Purpose) -> Self {
        let key = SecretKey::random();
        let (comments, rest): (Vec<&str>, Vec<&str>) = {
            let first = self.text.lines().take_while(|line| line.starts_with('#')).count();
            let lines: Vec<&str> = self.text.lines().collect();
            (lines[..first].to_vec(), lines[first..].to_vec())
        };
        let mut text = Zeroizing::new(String::new());
        for comment in comments {
            text.push_str(comment);
            text.push('\n');
        }
        text.push_str(&Zeroizing::new(line(purpose, &key)));
        for rest in rest {
            text.push_str(rest);
            text.push('\n');
        }
        let (mut keys, mut signing) = (self.keys.clone(), self.signing.clone());
        match purpose {
            Purpose::Seal => keys.insert(0, key),
            Purpose::Sign => signing.insert(0, key),
        }
        Self { text, keys, signing }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The names of all keys, those of other purposes too.
    pub(crate) fn infos(&self) -> Vec<KeyInfo> {
        let mut infos: Vec<KeyInfo> = Vec::new();
        for (_, words) in lines(&self.text) {
            let [purpose, id, ..] = words[..] else { continue };
            let is_current = !infos.iter().any(|info| info.purpose == purpose);
            infos.push(KeyInfo { purpose: purpose.to_owned(), id: id.to_owned(), is_current });
        }
        infos
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| (number, line.split_whitespace().collect()))
}

fn line(purpose: Purpose, key: &SecretKey) -> String {
    format!("{} {} {}\n", purpose.word(), key.id(), STANDARD.encode(key.bytes()))
}

/// A key that stands alone, as `openssl rand -base64 32` and `openssl rand -hex 32` print one.
fn bare(text: &str) -> Option<SecretKey> {
    let hex = || hex::decode(text).ok().map(Zeroizing::new);
    hex().or_else(|| decoded(text)).and_then(|bytes| SecretKey::of(&bytes))
}

fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD];
    engines.iter().find_map(|engine| engine.decode(text).ok()).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back_and_the_newest_key_is_the_current_one() {
        let first = KeyFile::fresh();
        let second = KeyFile::read(first.text()).unwrap().rotated(Purpose::Seal);
        let read = KeyFile::read(second.text()).unwrap();
        assert_eq!(read.keys, second.keys);
        assert_eq!(read.keys[1], first.keys[0]);
        let [signing] = &first.signing[..] else { panic!("one") };
        assert_eq!(read.signing, first.signing);
        let shown: Vec<_> = read.infos().into_iter().map(|info| (info.id, info.is_current)).collect();
        assert_eq!(shown, [(read.keys[0].id(), true), (read.keys[1].id(), false), (signing.id(), true)]);
        let third = KeyFile::read(read.rotated(Purpose::Sign).text()).unwrap();
        assert_eq!(third.keys, read.keys);
        assert_eq!(&third.signing[1..], &first.signing);
        assert_eq!(third.infos().iter().filter(|info| info.purpose == "sign").count(), 2);
        assert!(second.text().starts_with("# The secret keys"));
    }

    #[test]
    fn lines_of_other_purposes_are_kept() {
        let text = format!("{}later 0123 c2VjcmV0\n", KeyFile::fresh().text());
        let rotated = KeyFile::read(&text).unwrap().rotated(Purpose::Seal);
        assert!(rotated.text().contains("\nlater 0123 c2VjcmV0\n"), "it was lost");
        assert_eq!(rotated.infos().last().map(|info| info.purpose.clone()), Some("later".to_owned()));
    }

    #[test]
    fn a_key_alone_is_read_in_base64_and_in_hex() {
        let bytes = [7; 32];
        let key = SecretKey::of(&bytes).unwrap();
        for text in [STANDARD.encode(bytes), STANDARD_NO_PAD.encode(bytes), hex::encode(bytes) + "\n"] {
            assert_eq!(KeyFile::read(&text).unwrap().keys, std::slice::from_ref(&key), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_never_quoted() {
        let good = KeyFile::fresh();
        let (head, key) = good.text().lines().nth(2).unwrap().rsplit_once(' ').unwrap();
        let damaged = format!("{head} {}", STANDARD.encode([7; 32]));
        assert!(matches!(KeyFile::read(&damaged), Err(KeyFileError::Id { line: 1, .. })));
        for (text, line) in [("seal a", 1), ("\nhunter2hunter2", 2), ("seal a !", 1), ("sign a AAAA", 1)] {
            let error = KeyFile::read(text).err().unwrap();
            assert_eq!(error, KeyFileError::Line(line), "{text}");
            assert!(!error.to_string().contains("hunter2") && !error.to_string().contains(key));
        }
        assert_eq!(KeyFile::read("# nothing\n").err(), Some(KeyFileError::Empty));
    }
}
