//! A set of user numbers, one bit each: at this density nothing compressed is smaller or faster.

/// A set of numbers below a fixed length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// None of the numbers below `length`.
    pub(crate) fn none(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)])
    }

    /// All numbers below `length`.
    pub(crate) fn all(length: usize) -> Self {
        let mut words = vec![u64::MAX; length.div_ceil(64)];
        if let (Some(last), rest @ 1..) = (words.last_mut(), length % 64) {
            *last = (1 << rest) - 1;
        }
        Self(words)
    }

    pub(crate) fn insert(&mut self, number: u32) {
        let (word, bit) = place(number);
        self.0[word] |= bit;
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        let (word, bit) = place(number);
        self.0[word] & bit != 0
    }

    /// Keeps what is in both.
    pub(crate) fn keep(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine &= theirs);
    }

    /// Takes out what is in the other.
    pub(crate) fn remove(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine &= !theirs);
    }

    /// Adds what is in the other.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine |= theirs);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().zip(0_u32..).flat_map(|(&word, index)| Ones(word).map(move |bit| index * 64 + bit))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity() * 8
    }
}

impl Extend<u32> for Bits {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, numbers: I) {
        numbers.into_iter().for_each(|number| self.insert(number));
    }
}

fn place(number: u32) -> (usize, u64) {
    (number as usize / 64, 1 << (number % 64))
}

/// The places of the ones of a word.
struct Ones(u64);

impl Iterator for Ones {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let bit = (self.0 != 0).then(|| self.0.trailing_zeros())?;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_as_sets_of_numbers() {
        for length in [0, 1, 63, 64, 65, 130] {
            let all = Bits::all(length);
            assert_eq!((all.count(), all.iter().count()), (length, length), "{length}");
        }
        let (mut some, mut others) = (Bits::none(130), Bits::none(130));
        some.extend([0, 63, 64, 129]);
        others.extend([63, 100]);
        assert!(some.contains(64) && !some.contains(65));
        let kept = |change: fn(&mut Bits, &Bits)| {
            let mut kept = some.clone();
            change(&mut kept, &others);
            kept.iter().collect::<Vec<_>>()
        };
        assert_eq!(kept(Bits::keep), [63]);
        assert_eq!(kept(Bits::remove), [0, 64, 129]);
        assert_eq!(kept(Bits::add), [0, 63, 64, 100, 129]);
    }
}
