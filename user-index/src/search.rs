//! Search: beginnings of texts and of their parts, without regard to case and accents.

use std::borrow::Cow;
use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

/// A character that no term contains.
pub const BETWEEN: char = '\n';

/// Most words of a search. Each is a condition of its own, so their number is bounded.
const MOST_WORDS: usize = 16;

/// A text in the form in which it is compared and sorted: NFC with full case folding, as for the uniqueness of addresses.
/// Each character is folded by itself, so that a prefix of a text stays a prefix.
pub fn folded(text: &str) -> String {
    domain::email::folded(text)
}

/// A folded text in the form in which it is searched: without accents. Only the marks of Latin, Greek and Cyrillic are
/// accents. Other scripts write vowels and tones with marks, and there they make another word.
pub(crate) fn searchable(folded: &str) -> Cow<'_, str> {
    if folded.is_ascii() {
        return Cow::Borrowed(folded);
    }
    Cow::Owned(folded.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).nfc().collect())
}

/// Where the terms of a searchable text begin: at its start, and after each `. _ - @` and space in it.
pub(crate) fn term_starts(searchable: &str) -> impl Iterator<Item = usize> {
    let parts = searchable.char_indices().filter(|(_, c)| matches!(c, '.' | '_' | '-' | '@' | ' '));
    let starts = std::iter::once(0).chain(parts.map(|(at, separator)| at + separator.len_utf8()));
    starts.filter(move |start| *start < searchable.len())
}

/// The search terms of texts: each text, and what follows each `. _ - @` and space in it.
pub fn terms<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    texts.into_iter().flat_map(|text| folded_terms(&folded(text))).collect()
}

/// The search terms of a folded text.
pub(crate) fn folded_terms(folded: &str) -> Vec<String> {
    let text = searchable(folded);
    term_starts(&text).map(|start| text[start..].to_owned()).collect()
}

/// The words of a search. All have to match, in any order; each is the beginning of a term. None for a blank search, which
/// everything matches.
pub fn words(search: Option<&str>) -> Vec<String> {
    let search = search.map(folded).unwrap_or_default();
    let mut words: Vec<_> = searchable(&search).split_whitespace().map(str::to_owned).collect();
    words.sort_unstable();
    // Where a word matches, so does each beginning of it.
    let implied = words.iter().zip(words.iter().skip(1)).map(|(word, next)| next.starts_with(word.as_str()));
    let implied: Vec<_> = implied.chain([false]).collect();
    let mut implied = implied.into_iter();
    words.retain(|_| !implied.next().unwrap_or_default());
    if words.len() > MOST_WORDS {
        // Nobody's names have that many words. No term contains this one.
        words = vec![BETWEEN.to_string()];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_its_beginning_and_those_of_its_parts() {
        let found: Vec<_> = terms(["Ann-Marie.Smith@Mail.example"]).into_iter().collect();
        assert_eq!(
            found,
            [
                "ann-marie.smith@mail.example",
                "example",
                "mail.example",
                "marie.smith@mail.example",
                "smith@mail.example"
            ]
        );
    }

    #[test]
    fn folding_keeps_beginnings() {
        assert!(folded("ΟΔΟΣΑ").starts_with(&folded("ΟΔΟΣ")));
        assert_eq!(folded("Zoe\u{308}"), folded("ZOË"));
    }

    #[test]
    fn f21_neither_case_nor_accents_matter() {
        let finds = |text: &str, search: &str| {
            let terms = terms([text]);
            words(Some(search)).iter().all(|word| terms.iter().any(|term| term.starts_with(word)))
        };
        for (text, searches) in [
            ("Παπαδόπουλος", &["ΠΑΠΑΔΌΠΟΥΛΟΣ", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "παπαδοπουλοσ", "Παπαδόπουλος", "παπ"][..]),
            ("Groß", &["GROSS", "groß", "GRO\u{1e9e}", "gros"]),
            ("GROSS", &["groß"]),
            ("Müller", &["MULLER", "mu\u{308}ll", "MÜLLER"]),
            ("Muller", &["müller"]),
            ("Nguyễn Thị", &["nguyen thi"]),
        ] {
            for search in searches {
                assert!(finds(text, search), "{text}: {search}");
            }
        }
        assert!(!finds("कि", "का"), "vowel signs make another word");
        assert_eq!(folded("ΠΑΠΑΔΌΠΟΥΛΟΣ"), folded("Παπαδόπουλος"));
        assert_ne!(folded("Müller"), folded("Muller"), "accents tell addresses apart");
    }

    #[test]
    fn a_search_is_its_words_without_those_that_others_imply() {
        assert_eq!(words(Some(" Zed\u{a0}b  Bob zed\n")), ["bob", "zed"]);
        assert!(words(Some(" \t ")).is_empty() && words(None).is_empty());
        let many: String = ('a'..='z').flat_map(|c| [c, ' ']).collect();
        assert_eq!(words(Some(&many)), ["\n"]);
    }
}
