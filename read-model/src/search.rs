//! Search as SQL: the words of a search as ranges of terms and as patterns.

use std::collections::BTreeSet;

use user_index::search::{BETWEEN, words};
pub use user_index::search::{folded, terms};

/// What a search looks for: words that all have to match, in any order.
#[derive(Debug, Clone)]
pub(crate) struct Words(Vec<Prefix>);

/// A word of a search: the beginning of a term.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Prefix(String);

impl Words {
    /// The words of a search. None for a blank search, which everything matches.
    pub(crate) fn of(search: Option<&str>) -> Self {
        Self(words(search).into_iter().map(Prefix).collect())
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
    fn a_pattern_takes_nothing_for_a_wildcard() {
        let words = Words::of(Some(" a_b% "));
        assert_eq!(words.get(0).unwrap().pattern(""), "a\\_b\\%%");
    }
}
