//! One field of all users of a segment: the value by user, and the users by value.

use std::ops::Range;

use crate::dictionary::Dictionary;

/// A text of every user.
#[derive(Debug)]
pub(crate) struct TextColumn {
    /// The different texts.
    pub(crate) dictionary: Dictionary,
    /// The rank of each user's text.
    pub(crate) ranks: Vec<u32>,
    /// The users by text; among equals by number.
    pub(crate) order: Vec<u32>,
}

impl TextColumn {
    /// Takes the texts by user.
    pub(crate) fn of(texts: &[&str]) -> Self {
        let mut order: Vec<u32> = (0..).take(texts.len()).collect();
        order.sort_unstable_by_key(|&user| (texts[user as usize], user));
        let mut ranks = vec![0; texts.len()];
        let mut different: Vec<&str> = Vec::new();
        let mut rank = 0;
        for &user in &order {
            let text = texts[user as usize];
            if different.last().is_some_and(|last| *last != text) {
                rank += 1;
            }
            if different.last() != Some(&text) {
                different.push(text);
            }
            ranks[user as usize] = rank;
        }
        Self { dictionary: Dictionary::of(different), ranks, order }
    }

    /// The text of a user.
    pub(crate) fn text(&self, user: u32) -> String {
        self.dictionary.get(self.ranks[user as usize])
    }

    /// The users with the text of this rank.
    pub(crate) fn users(&self, rank: u32) -> &[u32] {
        let below = |rank: u32| self.order.partition_point(|&user| self.ranks[user as usize] < rank);
        &self.order[below(rank)..below(rank + 1)]
    }

    /// The users with this text. Nobody has an empty one.
    pub(crate) fn having(&self, text: &str) -> &[u32] {
        match self.dictionary.find(text) {
            Ok(rank) if !text.is_empty() => self.users(rank),
            _ => &[],
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.dictionary.bytes() + (self.ranks.capacity() + self.order.capacity()) * 4
    }
}

/// A number of every user.
#[derive(Debug)]
pub(crate) struct NumberColumn {
    /// The number of each user.
    pub(crate) values: Vec<i64>,
    /// The users by number; among equals by user.
    pub(crate) order: Vec<u32>,
}

impl NumberColumn {
    pub(crate) fn of(values: Vec<i64>) -> Self {
        let mut order: Vec<u32> = (0..).take(values.len()).collect();
        order.sort_unstable_by_key(|&user| (values[user as usize], user));
        Self { values, order }
    }

    /// Where in the order the users between two values stand, both excluded.
    pub(crate) fn between(&self, after: Option<i64>, before: Option<i64>) -> Range<usize> {
        let value = |user: u32| self.values[user as usize];
        let begin = after.map_or(0, |after| self.order.partition_point(|&user| value(user) <= after));
        let end = before
            .map_or(self.order.len(), |before| self.order.partition_point(|&user| value(user) < before));
        begin..end.max(begin)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.values.capacity() * 8 + self.order.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_stand_by_text_and_then_by_number() {
        let column = TextColumn::of(&["b", "", "a", "b", ""]);
        assert_eq!(column.order, [1, 4, 2, 0, 3]);
        assert_eq!(column.ranks, [2, 0, 1, 2, 0]);
        assert_eq!((column.users(0), column.users(2)), (&[1, 4][..], &[0, 3][..]));
        assert_eq!(column.text(3), "b");
        assert!(TextColumn::of(&[]).order.is_empty());
    }

    #[test]
    fn the_ends_of_a_range_are_outside_of_it() {
        let column = NumberColumn::of(vec![5, 1, 3, 3]);
        let between = |after, before| column.order[column.between(after, before)].to_vec();
        assert_eq!(between(None, None), [1, 2, 3, 0]);
        assert_eq!(between(Some(1), Some(5)), [2, 3]);
        assert_eq!(between(Some(3), None), [0]);
        assert!(between(Some(4), Some(2)).is_empty());
    }
}
