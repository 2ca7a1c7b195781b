//! The password policy: long, not easily guessed, not built from what everybody knows about the user.

use domain::refusal::{Code, Refusal};
use domain::text::too_long;
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use zxcvbn::zxcvbn;

/// Fewest characters of a chosen password (code points after NFC).
pub const SHORTEST_PASSWORD: u16 = 15;
/// Most characters of a chosen password (code points after NFC).
pub const LONGEST_PASSWORD: u16 = 128;
/// Fewest estimated guesses. Without the hash an attacker needs decades for as many; with it, days at the default cost.
const GUESSES: u64 = 100_000_000;
/// Fewest different characters that are left without the words that everybody knows about the user.
const OWN_CHARACTERS: usize = 6;

/// The password in NFC (UAX #15), else unchanged: the same keys on another keyboard must give the same bytes.
pub fn normalised(password: &SecretString) -> SecretString {
    password.expose_secret().nfc().collect::<String>().into()
}

/// Checks a normalised password. `words` are the username and the e-mail address of the user.
pub(super) fn require_strong(password: &SecretString, words: &[&str]) -> Result<(), Refusal> {
    let password = password.expose_secret();
    let length = password.chars().count();
    if length < usize::from(SHORTEST_PASSWORD) {
        let message = format!("A password has at least {SHORTEST_PASSWORD} characters.");
        return Err(Refusal::new(Code::TooShort, message));
    }
    if length > usize::from(LONGEST_PASSWORD) {
        return Err(too_long(usize::from(LONGEST_PASSWORD)));
    }
    let words = known_words(words);
    if own_characters(password, &words) < OWN_CHARACTERS {
        let message = "This is built from the username, the address or the name of the product.";
        return Err(Refusal::new(Code::WeakPassword, message));
    }
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    let estimate = zxcvbn(password, &known);
    if estimate.guesses() < GUESSES {
        let advice = estimate
            .feedback()
            .and_then(zxcvbn::feedback::Feedback::warning)
            .map(|warning| warning.to_string());
        let reason = advice.unwrap_or_else(|| "It is common or follows a simple pattern.".to_owned());
        return Err(Refusal::new(Code::WeakPassword, format!("This is easily guessed. {reason}")));
    }
    Ok(())
}

/// The words and their parts in lower case, the longest first.
fn known_words(words: &[&str]) -> Vec<String> {
    let mut known: Vec<String> = words
        .iter()
        .chain(&["muster"])
        .flat_map(|word| word.split(|c: char| !c.is_alphanumeric()).chain([*word]))
        .filter(|part| part.chars().count() >= 3)
        .map(str::to_lowercase)
        .collect();
    known.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    known.dedup();
    known
}

/// How many different letters and digits are left without the known words.
fn own_characters(password: &str, words: &[String]) -> usize {
    let mut rest = password.to_lowercase();
    for word in words {
        rest = rest.replace(word.as_str(), " ");
    }
    let mut own: Vec<char> =
        rest.chars().filter(|c| !c.is_whitespace() && !c.is_ascii_punctuation()).collect();
    own.sort_unstable();
    own.dedup();
    own.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(password: &str) -> Option<Code> {
        let words = ["alice.miller", "alice@example.org"];
        require_strong(&normalised(&password.into()), &words).err().map(|refusal| refusal.code)
    }

    #[test]
    fn fifteen_characters_are_enough_and_are_counted_as_code_points() {
        assert_eq!(code("vintage lamp 7"), Some(Code::TooShort));
        assert_eq!(code("vintage lamp 79"), None);
        // Fifteen code points after composition, sixteen before.
        assert_eq!(code("Zoe\u{308} mag Grünkohl"), None);
        assert_eq!(code("größe"), Some(Code::TooShort));
    }

    #[test]
    fn long_passwords_are_taken_whole_up_to_the_limit() {
        let sentence =
            "The quick brown fox met eleven lazy dogs near the old mill and none of them cared at all. ";
        assert_eq!(code(sentence), None);
        let longest: String = sentence.chars().cycle().take(128).collect();
        assert_eq!(code(&longest), None);
        assert_eq!(code(&format!("{longest}x")), Some(Code::TooLong));
    }

    #[test]
    fn nothing_is_asked_of_its_composition() {
        assert_eq!(code("wandering otters hum softly"), None);
        assert_eq!(code("用户名密码很长但是没人猜得到的句子"), None);
    }

    #[test]
    fn common_and_patterned_passwords_are_refused() {
        for password in [
            "passwordpassword",
            "123456789012345",
            "aaaaaaaaaaaaaaaaaaaa",
            "qwertyuiopasdfghjkl",
            "abcdefghijklmnopqrstuvwxyz",
        ] {
            assert_eq!(code(password), Some(Code::WeakPassword), "{password}");
        }
    }

    #[test]
    fn passwords_built_from_what_everybody_knows_are_refused() {
        for password in [
            "alice-muster-alice",
            "alice.miller2024",
            "MusterMusterMuster1!",
            "alice@example.org",
            "miller_alice_42",
        ] {
            assert_eq!(code(password), Some(Code::WeakPassword), "{password}");
        }
    }
}
