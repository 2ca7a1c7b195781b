//! The users of words that many match, kept for the next search. A segment never changes, so neither do they.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bits::Bits;

/// Most words. Each takes 16 KB at most.
const MOST: usize = 64;

/// Words and their users, the last used ones first.
#[derive(Debug, Default)]
pub(crate) struct FoundWords(Mutex<VecDeque<(String, Arc<Bits>)>>);

impl FoundWords {
    /// The users of a word. They are looked up by `find` where they are not known.
    pub(crate) fn get(&self, word: &str, find: impl FnOnce() -> Bits) -> Arc<Bits> {
        let known = {
            let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let place = words.iter().position(|(known, _)| known == word);
            place.and_then(|place| words.remove(place)).map(|entry| {
                words.push_front(entry.clone());
                entry.1
            })
        };
        known.unwrap_or_else(|| {
            // Not under the lock: another search may do the same meanwhile.
            let found = Arc::new(find());
            let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            words.push_front((word.to_owned(), found.clone()));
            words.truncate(MOST);
            found
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        let words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        words.iter().map(|(_, users)| users.bytes()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_words_are_kept() {
        let words = FoundWords::default();
        let users = Bits::none(64);
        for number in 0..MOST {
            words.get(&number.to_string(), || users.clone());
        }
        words.get("0", || unreachable!("it is known"));
        words.get("new", || users.clone());
        words.get("0", || unreachable!("it was used"));
        let mut is_looked_up = false;
        words.get("1", || {
            is_looked_up = true;
            users.clone()
        });
        assert!(is_looked_up, "it was used longest ago");
        assert_eq!(words.bytes(), MOST * 8);
    }
}
