//! Search: beginnings of texts and of their parts, without regard to case and accents.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

/// Separates the joined terms of a row. No term contains it.
const BETWEEN: char = '\n';

/// A text in the form in which it is compared and sorted: NFC with full case folding, as for the uniqueness of addresses.
/// Each character is folded by itself, so that a prefix of a text stays a prefix.
pub fn folded(text: &str) -> String {
    domain::email::folded(text)
}

/// A text in the form in which it is searched: folded, and without accents. Only the marks of Latin, Greek and Cyrillic are
/// accents. Other scripts write vowels and tones with marks, and there they make another word.
fn searchable(text: &str) -> String {
    let text = folded(text);
    if text.is_ascii() {
        return text;
    }
    text.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).nfc().collect()
}

/// The search terms of texts: each text, and what follows each `. _ - @` and space in it.
pub fn terms<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    for text in texts {
        let text = searchable(text);
        let parts = text.char_indices().filter(|(_, c)| matches!(c, '.' | '_' | '-' | '@' | ' '));
        let starts = std::iter::once(0).chain(parts.map(|(at, separator)| at + separator.len_utf8()));
        terms.extend(starts.map(|start| text[start..].to_owned()).filter(|term| !term.is_empty()));
    }
    terms
}

/// Most words of a search. Each is a condition of its own, and their number bounds the statement.
const MOST_WORDS: usize = 16;

/// What a search looks for: words that all have to match, in any order.
#[derive(Debug, Clone)]
pub(crate) struct Words(Vec<Prefix>);

/// A word of a search: the beginning of a term.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Prefix(String);

impl Words {
    /// The words of a search. None for a blank search, which everything matches.
    pub(crate) fn of(search: Option<&str>) -> Self {
        let search = search.map(searchable).unwrap_or_default();
        let mut words: Vec<_> = search.split_whitespace().map(|word| Prefix(word.to_owned())).collect();
        words.sort_unstable();
        // Where a word matches, so does each beginning of it.
        let implied = words.iter().zip(words.iter().skip(1)).map(|(word, next)| next.0.starts_with(&word.0));
        let implied: Vec<_> = implied.chain([false]).collect();
        let mut implied = implied.into_iter();
        words.retain(|_| !implied.next().unwrap_or_default());
        if words.len() > MOST_WORDS {
            // Nothing has names of so many words. No term contains this one.
            words = vec![Prefix(BETWEEN.to_string())];
        }
        Self(words)
    }

    /// Whether nothing is searched for.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Prefix> {
        self.0.iter()
    }

    /// One of the words.
    pub(crate) fn get(&self, index: usize) -> Option<&Prefix> {
        self.0.get(index)
    }
}

impl Prefix {
    /// The least term with this prefix.
    pub(crate) fn from(&self) -> &str {
        &self.0
    }

    /// Greater than every term with this prefix.
    pub(crate) fn to(&self) -> String {
        format!("{}{}", self.0, char::MAX)
    }

    /// A LIKE pattern, escaped by `\`: `before`, then the prefix, then anything.
    pub(crate) fn pattern(&self, before: &str) -> String {
        let mut pattern = before.to_owned();
        for c in self.0.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        pattern
    }

    /// A LIKE pattern for [`joined`] terms: one of them begins with the prefix.
    pub(crate) fn joined_pattern(&self) -> String {
        self.pattern(&format!("%{BETWEEN}"))
    }
}

/// All terms of a row in one text, a line break before each.
pub(crate) fn joined(terms: &BTreeSet<String>) -> String {
    terms.iter().flat_map(|term| [BETWEEN].into_iter().chain(term.chars())).collect()
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
            let words = Words::of(Some(search));
            words.iter().all(|word| terms([text]).iter().any(|term| term.starts_with(&word.0)))
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
    fn a_pattern_takes_nothing_for_a_wildcard() {
        let words = Words::of(Some(" a_b% "));
        assert_eq!(words.get(0).unwrap().pattern(""), "a\\_b\\%%");
    }

    #[test]
    fn a_search_is_its_words_without_those_that_others_imply() {
        let words = |search| Words::of(Some(search)).0.into_iter().map(|word| word.0).collect::<Vec<_>>();
        assert_eq!(words(" Zed\u{a0}b  Bob zed\n"), ["bob", "zed"]);
        assert!(Words::of(Some(" \t ")).is_empty() && Words::of(None).is_empty());
        let many: String = ('a'..='z').flat_map(|c| [c, ' ']).collect();
        assert_eq!(words(&many), ["\n"]);
    }
}
