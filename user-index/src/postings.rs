//! The search terms of a segment's users, sorted. No term is stored: a posting says in whose text it begins, and where.

use crate::search::{searchable, term_starts};

/// Bits of a posting for the user's number, for the text, and for the place of the term among those of the text.
const NUMBER_BITS: u32 = 17;
const TEXT_BITS: u32 = 3;
const PLACE_BITS: u32 = 32 - NUMBER_BITS - TEXT_BITS;

/// Most users of a segment.
pub(crate) const MOST_USERS: usize = 1 << NUMBER_BITS;

/// Postings between two whose beginnings are kept.
const SAMPLED: usize = 64;

/// Which user's text a term begins in, and how many separators lie ahead of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Posting(u32);

impl Posting {
    /// `None` for a term that is the 4,097th of its text or later. No text of Muster has half as many parts.
    fn try_new(user: u32, text: usize, place: usize) -> Option<Self> {
        let place = u32::try_from(place).ok().filter(|place| place >> PLACE_BITS == 0)?;
        let text = u32::try_from(text).ok()?;
        Some(Self((place << (NUMBER_BITS + TEXT_BITS)) | (text << NUMBER_BITS) | user))
    }

    /// The user's number.
    pub(crate) fn user(self) -> u32 {
        self.0 & ((1 << NUMBER_BITS) - 1)
    }

    /// Which of the four texts that are searched.
    pub(crate) fn text(self) -> usize {
        ((self.0 >> NUMBER_BITS) & ((1 << TEXT_BITS) - 1)) as usize
    }

    /// The term, given the text.
    fn term(self, text: &str) -> String {
        let text = searchable(text);
        let place = (self.0 >> (NUMBER_BITS + TEXT_BITS)) as usize;
        let start = term_starts(&text).nth(place).expect("the text that the posting was made of");
        text[start..].to_owned()
    }
}

/// Postings by term.
#[derive(Debug)]
pub(crate) struct Postings {
    sorted: Vec<Posting>,
    /// The first bytes of every 64th term.
    samples: Vec<u64>,
}

impl Postings {
    /// Takes the searched texts by user.
    pub(crate) fn of(texts: &[[&str; 4]]) -> Self {
        let searched: Vec<_> = texts.iter().map(|texts| texts.map(searchable)).collect();
        let mut entries: Vec<(u64, Posting, u32)> = Vec::new();
        for (texts, user) in searched.iter().zip(0..) {
            for (text, which) in texts.iter().zip(0..) {
                for (place, start) in term_starts(text).enumerate() {
                    let start_bytes = u32::try_from(start).expect("texts are short");
                    entries.extend(
                        Posting::try_new(user, which, place)
                            .map(|posting| (beginning(&text[start..]), posting, start_bytes)),
                    );
                }
            }
        }
        let term = |posting: Posting, start: u32| {
            &searched[posting.user() as usize][posting.text()][start as usize..]
        };
        entries.sort_unstable_by(|&(one, a, a_start), &(other, b, b_start)| {
            one.cmp(&other).then_with(|| term(a, a_start).cmp(term(b, b_start))).then(a.user().cmp(&b.user()))
        });
        let samples = entries.iter().step_by(SAMPLED).map(|(beginning, ..)| *beginning).collect();
        let mut sorted: Vec<_> = entries.into_iter().map(|(_, posting, _)| posting).collect();
        // It was collected in place, where entries of four times the size were.
        sorted.shrink_to_fit();
        Self { sorted, samples }
    }

    /// The postings whose terms begin with a word. `text_of` gives the text in which a posting's term stands.
    pub(crate) fn range(&self, word: &str, text_of: impl Fn(Posting) -> String) -> &[Posting] {
        let term = |posting: Posting| posting.term(&text_of(posting));
        let first = beginning(word);
        // The greatest beginning of a term that begins with the word.
        let last =
            first | u64::MAX.checked_shr(8 * u32::try_from(word.len().min(8)).unwrap_or(8)).unwrap_or(0);
        let begin = self.search(first, |posting| *term(posting) < *word);
        let end = self.search(last, |posting| {
            let term = term(posting);
            *term < *word || term.starts_with(word)
        });
        &self.sorted[begin..end.max(begin)]
    }

    /// The first place whose posting is not ahead. All terms with lower beginnings are ahead, none with greater ones is. Few
    /// terms are read.
    fn search(&self, beginning: u64, is_ahead: impl Fn(Posting) -> bool) -> usize {
        let start = self.samples.partition_point(|&sample| sample < beginning).saturating_sub(1) * SAMPLED;
        let end = self.samples.partition_point(|&sample| sample <= beginning) * SAMPLED;
        let near = &self.sorted[start..end.min(self.sorted.len())];
        start + near.partition_point(|&posting| is_ahead(posting))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.sorted.capacity() * 4 + self.samples.capacity() * 8
    }
}

/// The first eight bytes of a text, in an order that agrees with that of texts where they differ.
fn beginning(text: &str) -> u64 {
    let mut bytes = [0; 8];
    for (byte, of_text) in bytes.iter_mut().zip(text.bytes()) {
        *byte = of_text;
    }
    u64::from_be_bytes(bytes)
}
