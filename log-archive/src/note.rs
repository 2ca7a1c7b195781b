//! Signed notes: a text with the signatures of keys that vouch for it, as C2SP's signed-note specifies them.
//!
//! <https://c2sp.org/signed-note>. A key is written `<name>+<id>+<key>`: eight hex digits and base64.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// The algorithm byte of Ed25519.
const ALGORITHM: u8 = 1;
/// What a line with a signature begins with.
const DASH: &str = "\u{2014} ";
/// The name of keys that sign for a deployment. Which deployment the text itself says.
const NAME: &str = "muster";

/// A key that signs. It is never shown.
pub struct Signer {
    pair: Ed25519KeyPair,
}

/// A key that signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: [u8; 32],
}

/// A text that is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a public key has the form `muster+<8 hex digits>+<base64>`, as `muster keys show` prints it")]
pub struct NotAKey;

/// Why nothing vouches for a note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is not a text, an empty line and lines with signatures.
    #[error("it is not a signed note")]
    Malformed,
    /// Other keys have signed it.
    #[error("it is not signed with the key that was given but with {0}")]
    OtherKey(String),
    /// The signature of the key does not fit the text.
    #[error("its signature does not fit: the text or the signature was changed")]
    WrongSignature,
}

impl Signer {
    /// The key that follows from 32 secret bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self {
            pair: Ed25519KeyPair::from_seed_unchecked(secret)
                .expect("a seed has 32 bytes, whatever they are"),
        }
    }

    /// What the signatures are checked with.
    pub fn public_key(&self) -> PublicKey {
        let key = self.pair.public_key().as_ref();
        PublicKey { name: NAME.to_owned(), key: key.try_into().expect("a public key has 32 bytes") }
    }

    /// The text as a note with the signature of this key. A text ends with a line break.
    pub fn sign(&self, text: &str) -> String {
        let PublicKey { name, .. } = &self.public_key();
        let mut signature = self.public_key().id().to_vec();
        signature.extend(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n{DASH}{name} {}\n", STANDARD.encode(signature))
    }
}

/// Nothing of the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public_key())
    }
}

impl PublicKey {
    fn id(&self) -> [u8; 4] {
        let named = Sha256::new().chain_update(&self.name).chain_update([b'\n', ALGORITHM]);
        let digest = named.chain_update(self.key).finalize();
        [digest[0], digest[1], digest[2], digest[3]]
    }

    /// The text of a note, if this key has signed it.
    ///
    /// # Errors
    ///
    /// It is no note, or this key does not vouch for it.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let (text, signatures) = split(note).ok_or(NoteError::Malformed)?;
        let mut others = Vec::new();
        for line in signatures.lines() {
            let (name, signature) = read_signature(line).ok_or(NoteError::Malformed)?;
            let (id, signature) = signature.split_at(4);
            if name != self.name || id != self.id() {
                others.push(format!("{name}+{}", hex::encode(id)));
                continue;
            }
            let key = UnparsedPublicKey::new(&ED25519, self.key);
            key.verify(text.as_bytes(), signature).map_err(|_| NoteError::WrongSignature)?;
            return Ok(text);
        }
        Err(NoteError::OtherKey(others.join(", ")))
    }
}

/// The text of a note, if one of these keys has signed it.
///
/// # Errors
///
/// It is no note, or none of the keys vouches for it.
pub fn open_with_any<'a>(keys: &[PublicKey], note: &'a str) -> Result<&'a str, NoteError> {
    let mut refused = NoteError::OtherKey("nothing".to_owned());
    for key in keys {
        match key.open(note) {
            Ok(text) => return Ok(text),
            // Of a key that has signed something else it is the better answer.
            Err(NoteError::OtherKey(_)) if refused == NoteError::WrongSignature => {}
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// The text of a note, without a look at who has signed it.
///
/// # Errors
///
/// It is no note.
pub fn text_of(note: &str) -> Result<&str, NoteError> {
    let (text, signatures) = split(note).ok_or(NoteError::Malformed)?;
    let is_whole = signatures.lines().all(|line| read_signature(line).is_some());
    if is_whole { Ok(text) } else { Err(NoteError::Malformed) }
}

/// The text with its last line break, and at least one line with a signature.
fn split(note: &str) -> Option<(&str, &str)> {
    let end = note.rfind("\n\n")? + 1;
    let (text, signatures) = (&note[..end], &note[end + 1..]);
    (!signatures.is_empty() && signatures.ends_with('\n')).then_some((text, signatures))
}

fn read_signature(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
    let signature = STANDARD.decode(signature).ok()?;
    (!name.is_empty() && signature.len() > 4).then_some((name, signature))
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ALGORITHM];
        key.extend(self.key);
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(key))
    }
}

impl FromStr for PublicKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let read = || {
            let mut parts = text.trim().splitn(3, '+');
            let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
            let key = STANDARD.decode(key).ok()?;
            let (ALGORITHM, key) = key.split_first().map(|(first, rest)| (*first, rest))? else {
                return None;
            };
            let key = Self { name: name.to_owned(), key: key.try_into().ok()? };
            (!name.is_empty() && hex::encode(key.id()) == id).then_some(key)
        };
        read().ok_or(NotAKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "muster/7\n\nuser-events-0 1 ab\n";

    #[test]
    fn what_a_key_has_signed_it_opens() {
        let signer = Signer::new(&[7; 32]);
        let key: PublicKey = signer.public_key().to_string().parse().unwrap();
        let note = signer.sign(TEXT);
        assert_eq!(key.open(&note), Ok(TEXT));
        assert_eq!(text_of(&note), Ok(TEXT));
        let both = format!("{note}{DASH}witness {}\n", STANDARD.encode([1; 68]));
        assert_eq!(key.open(&both), Ok(TEXT), "signatures of others don't matter");
    }

    #[test]
    fn what_was_changed_or_signed_by_another_does_not_open() {
        let (signer, other) = (Signer::new(&[7; 32]), Signer::new(&[8; 32]));
        let note = signer.sign(TEXT);
        let key = signer.public_key();
        assert_eq!(key.open(&note.replace(" 1 ", " 2 ")), Err(NoteError::WrongSignature));
        let said = other.public_key().open(&note).unwrap_err().to_string();
        assert!(said.contains(&key.to_string()[..15]), "{said}");
        for wrong in ["", "text\n", TEXT, "text\n\n", "text\n\n\u{2014} muster !\n", note.trim_end()] {
            assert_eq!(key.open(wrong), Err(NoteError::Malformed), "{wrong}");
            assert_eq!(text_of(wrong), Err(NoteError::Malformed), "{wrong}");
        }
    }

    /// A public key that is in use elsewhere: that of Go's checksum database.
    #[test]
    fn a_key_of_another_program_reads_back() {
        let text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        let key: PublicKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        let wrong = text.replace("033de0ae", "033de0af");
        for wrong in [wrong.as_str(), "", "muster", "muster+00000000+AQ==", "+033de0ae+Ac4z"] {
            assert_eq!(wrong.parse::<PublicKey>(), Err(NotAKey), "{wrong}");
        }
    }
}
