//! Search: case-folded beginnings of texts and of their parts.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

/// Separates the joined terms of a row. No term contains it.
const BETWEEN: char = '\n';

/// A text in the form in which it is compared: NFC, lower case. Each character is lower-cased by itself, so that a prefix of
/// a text stays a prefix.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// The search terms of texts: each text, and what follows each `. _ - @` and space in it.
pub fn terms<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    for text in texts {
        let text = folded(text);
        let parts = text.char_indices().filter(|(_, c)| matches!(c, '.' | '_' | '-' | '@' | ' '));
        let starts = std::iter::once(0).chain(parts.map(|(at, separator)| at + separator.len_utf8()));
        terms.extend(starts.map(|start| text[start..].to_owned()).filter(|term| !term.is_empty()));
    }
    terms
}

/// A prefix to search for.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(String);

impl Prefix {
    /// `None` for a blank search.
    pub(crate) fn of(search: Option<&str>) -> Option<Self> {
        search.map(|text| folded(text.trim())).filter(|text| !text.is_empty()).map(Self)
    }

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
    fn a_pattern_takes_nothing_for_a_wildcard() {
        let prefix = Prefix::of(Some(" a_b% ")).unwrap();
        assert_eq!(prefix.pattern(""), "a\\_b\\%%");
        assert!(Prefix::of(Some("  ")).is_none());
    }
}
