//! Generates temporary passwords, token secrets and session tokens, and digests them.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Four classes without look-alikes: 64 characters, so that each carries six bits.
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const LOWER: &[u8] = b"abcdefghijkmnpqrstuvwxyz";
const DIGITS: &[u8] = b"23456789";
const SIGNS: &[u8] = b"!#%*+=?@";

const TEMPORARY_LENGTH: usize = 20;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const TOKEN_PREFIX: &str = "mst_";
/// Enough for 256 bits: 62 to the power of 43 is more than 2 to the power of 256.
const TOKEN_DIGITS: usize = 43;
const CHECKSUM_DIGITS: usize = 6;

/// A temporary password: 20 characters of four classes, about 119 random bits.
pub fn temporary_password() -> SecretString {
    let alphabet: Vec<u8> = [UPPER, LOWER, DIGITS, SIGNS].concat();
    loop {
        let bytes: [u8; TEMPORARY_LENGTH] = random();
        let text: Vec<u8> = bytes.iter().map(|byte| alphabet[usize::from(byte % 64)]).collect();
        let has = |class: &[u8]| text.iter().any(|character| class.contains(character));
        // Draws a whole new password: repairing this one would make some passwords likelier than others.
        if [UPPER, LOWER, DIGITS, SIGNS].into_iter().all(has) {
            return String::from_utf8(text).expect("the alphabet is ASCII").into();
        }
    }
}

/// The secret of an auth token: `mst_`, then 256 random bits and a checksum in base62. Scanners recognise it by both.
pub fn token_secret() -> SecretString {
    let body = base62(random::<32>(), TOKEN_DIGITS);
    let checksum = checksum(&body);
    format!("{TOKEN_PREFIX}{body}{checksum}").into()
}

/// Whether a text has the form of a token secret, checksum included.
pub fn is_token_secret(text: &str) -> bool {
    text.strip_prefix(TOKEN_PREFIX)
        .filter(|rest| rest.is_ascii() && rest.len() == TOKEN_DIGITS + CHECKSUM_DIGITS)
        .map(|rest| rest.split_at(TOKEN_DIGITS))
        .is_some_and(|(body, found)| checksum(body) == found)
}

/// A session token: 256 random bits, URL-safe.
pub fn session_token() -> SecretString {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random::<32>()).into()
}

/// The hex SHA-256 of a secret. A fast hash is enough for generated secrets: nobody guesses 112 random bits.
pub fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// Whether the secret has this digest, in constant time.
pub fn matches(secret: &SecretString, expected: &str) -> bool {
    digest(secret.expose_secret()).as_bytes().ct_eq(expected.as_bytes()).into()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("a running operating system has randomness");
    bytes
}

fn checksum(body: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(body).into();
    let mut number = [0; 32];
    number[28..].copy_from_slice(&digest[..4]);
    base62(number, CHECKSUM_DIGITS)
}

/// The number in base62, most significant digit first, exactly `digits` long.
fn base62(mut number: [u8; 32], digits: usize) -> String {
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        let mut rest: u32 = 0;
        for byte in &mut number {
            let value = rest * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).expect("the rest is below 62, so the quotient is below 256");
            rest = value % 62;
        }
        *digit = BASE62[rest as usize];
    }
    String::from_utf8(text).expect("the alphabet is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_temporary_password_has_four_classes_and_no_look_alikes() {
        for _ in 0..500 {
            let password = temporary_password();
            let text = password.expose_secret();
            assert_eq!(text.len(), 20);
            for class in [UPPER, LOWER, DIGITS, SIGNS] {
                assert!(text.bytes().any(|byte| class.contains(&byte)), "{text}");
            }
            assert!(!text.contains(['0', 'O', 'o', '1', 'l', 'I']), "{text}");
        }
    }

    #[test]
    fn every_character_is_about_as_likely() {
        let mut seen = std::collections::HashMap::new();
        for _ in 0..2_000 {
            for character in temporary_password().expose_secret().chars() {
                *seen.entry(character).or_insert(0_u32) += 1;
            }
        }
        assert_eq!(seen.len(), 64);
        assert!(seen.values().all(|count| (450..850).contains(count)), "{seen:?}");
    }

    #[test]
    fn a_token_secret_shows_by_its_checksum() {
        let secret = token_secret();
        let text = secret.expose_secret();
        assert_eq!(text.len(), 4 + 43 + 6);
        assert!(is_token_secret(text));
        let (head, last) = text.split_at(text.len() - 1);
        let other = if last == "A" { "B" } else { "A" };
        assert!(!is_token_secret(&format!("{head}{other}")));
        for text in ["", "mst_", "mst_x", "not a token", &"ß".repeat(30)] {
            assert!(!is_token_secret(text), "{text}");
        }
    }

    #[test]
    fn base62_counts_as_it_should() {
        let mut number = [0; 32];
        number[31] = 61;
        assert_eq!(base62(number, 3), "00z");
        number[31] = 62;
        assert_eq!(base62(number, 3), "010");
        assert!(base62([255; 32], TOKEN_DIGITS).as_bytes()[0] > b'0');
    }

    #[test]
    fn secrets_never_repeat_and_match_their_digest_alone() {
        let tokens: HashSet<String> = (0..100).map(|_| session_token().expose_secret().to_owned()).collect();
        assert_eq!(tokens.len(), 100);
        let secret = SecretString::from("abc");
        assert!(matches(&secret, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        assert!(!matches(&secret, &digest("abd")) && !matches(&secret, ""));
    }
}
