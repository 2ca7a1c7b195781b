//! The text of a sealed value, and the encryption in it.
//!
//! `s1.<key id>.<base64url of nonce and ciphertext>`. The nonce has 24 random bytes, enough to draw one for each value.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::SecretSlice;

use crate::key::SecretKey;

/// The form of a sealed value. Another cipher gets another one.
const FORM: &str = "s1";
const NONCE: usize = 24;

/// Why a sealed value can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// It is no sealed value, or one of a later release.
    #[error("this is not a sealed value that this release can read")]
    Form,
    /// The key is missing.
    #[error("it is sealed under the key {0}, which is not among the keys of this process")]
    UnknownKey(String),
    /// It was changed, or belongs to another place.
    #[error("the key {0} does not open it: it was changed, or it belongs elsewhere")]
    Forged(String),
}

/// Seals a secret for a place. Only the same place opens it again.
pub(crate) fn seal(key: &SecretKey, place: &str, secret: &[u8]) -> String {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).expect("the operating system has randomness");
    let id = key.id();
    let bound = bound(&id, place);
    let payload = Payload { msg: secret, aad: bound.as_bytes() };
    let sealed = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a secret is far shorter than what the cipher takes");
    let sealed = [nonce.as_slice(), &sealed].concat();
    format!("{FORM}.{id}.{}", URL_SAFE_NO_PAD.encode(sealed))
}

/// Opens a sealed value with one of the keys.
pub(crate) fn open(keys: &[SecretKey], place: &str, sealed: &str) -> Result<SecretSlice<u8>, UnsealError> {
    let mut parts = sealed.splitn(3, '.');
    let (Some(FORM), Some(id), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(UnsealError::Form);
    };
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| UnsealError::Form)?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or(UnsealError::Form)?;
    let key = keys
        .iter()
        .find(|key| key.id() == id)
        .ok_or_else(|| UnsealError::UnknownKey(id.chars().take(40).collect()))?;
    let bound = bound(id, place);
    let payload = Payload { msg: sealed, aad: bound.as_bytes() };
    let opened = cipher(key)
        .decrypt(&XNonce::from(*nonce), payload)
        .map_err(|_| UnsealError::Forged(id.to_owned()))?;
    Ok(opened.into())
}

/// What the ciphertext is bound to beside its key.
fn bound(id: &str, place: &str) -> String {
    format!("muster/{FORM}/{id}/{place}")
}

fn cipher(key: &SecretKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn only_the_same_key_and_place_open_a_value() {
        let (key, other) = (SecretKey::random(), SecretKey::random());
        let sealed = seal(&key, "webhook/a", b"open sesame");
        let keys = [other.clone(), key.clone()];
        assert_eq!(open(&keys, "webhook/a", &sealed).unwrap().expose_secret(), b"open sesame");
        assert_eq!(open(&keys, "webhook/b", &sealed).unwrap_err(), UnsealError::Forged(key.id()));
        assert_eq!(open(&[other], "webhook/a", &sealed).unwrap_err(), UnsealError::UnknownKey(key.id()));
    }

    #[test]
    fn a_changed_value_is_not_opened() {
        let key = SecretKey::random();
        let sealed = seal(&key, "p", b"secret");
        let (head, text) = sealed.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            let changed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(&bytes));
            bytes[at] ^= 1;
            assert_eq!(
                open(std::slice::from_ref(&key), "p", &changed).unwrap_err(),
                UnsealError::Forged(key.id())
            );
        }
        for wrong in ["", "s1", "s1.x", "s2.x.y", "s1.x.!", "s1.x.AAAA"] {
            assert_eq!(
                open(std::slice::from_ref(&key), "p", wrong).unwrap_err(),
                UnsealError::Form,
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_same_secret_never_looks_the_same_twice() {
        let key = SecretKey::random();
        assert_ne!(seal(&key, "p", b"secret"), seal(&key, "p", b"secret"));
    }
}
