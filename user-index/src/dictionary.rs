//! Sorted texts in little memory: each is stored as what it does not share with the one before (front coding).

/// Texts between two that are stored whole. A text is read through half of them on average.
const BLOCK: usize = 16;

/// Different texts in the order of their bytes. A text's rank is its place in that order.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    /// For each text: the length of what it shares with the one before, the length of the rest, the rest.
    bytes: Vec<u8>,
    /// Where each block begins.
    blocks: Vec<u32>,
    length: usize,
}

impl Dictionary {
    /// Takes texts in strictly ascending order.
    pub(crate) fn of<'a>(sorted: impl IntoIterator<Item = &'a str>) -> Self {
        let mut made = Self::default();
        let mut before = "";
        for text in sorted {
            if made.length.is_multiple_of(BLOCK) {
                made.blocks
                    .push(u32::try_from(made.bytes.len()).expect("a segment's texts are far below 4 GB"));
                before = "";
            }
            let shared = before.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            put_length(&mut made.bytes, shared);
            put_length(&mut made.bytes, text.len() - shared);
            made.bytes.extend_from_slice(&text.as_bytes()[shared..]);
            before = text;
            made.length += 1;
        }
        made.bytes.shrink_to_fit();
        made.blocks.shrink_to_fit();
        made
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The text of a rank.
    pub(crate) fn get(&self, rank: u32) -> String {
        let rank = rank as usize;
        let mut reading = self.at_block(rank / BLOCK);
        for _ in 0..=rank % BLOCK {
            reading.step();
        }
        reading.text()
    }

    /// The rank of a text; of one that is missing, the rank it would have.
    pub(crate) fn find(&self, text: &str) -> Result<u32, u32> {
        let text = text.as_bytes();
        let block = self.blocks.partition_point(|&begin| head(&self.bytes[begin as usize..]) <= text);
        let Some(block) = block.checked_sub(1) else { return Err(0) };
        let mut reading = self.at_block(block);
        let begin = block * BLOCK;
        for rank in begin..self.length.min(begin + BLOCK) {
            reading.step();
            match reading.text.as_slice().cmp(text) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Ok(short(rank)),
                std::cmp::Ordering::Greater => return Err(short(rank)),
            }
        }
        Err(short(self.length.min(begin + BLOCK)))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.capacity() + self.blocks.capacity() * 4
    }

    fn at_block(&self, block: usize) -> BlockReader<'_> {
        BlockReader { rest: &self.bytes[self.blocks[block] as usize..], text: Vec::with_capacity(64) }
    }
}

fn short(rank: usize) -> u32 {
    u32::try_from(rank).expect("a segment has few users")
}

/// Reads texts one after another, from the beginning of a block.
struct BlockReader<'a> {
    rest: &'a [u8],
    text: Vec<u8>,
}

impl BlockReader<'_> {
    fn step(&mut self) {
        let shared = take_length(&mut self.rest);
        let length = take_length(&mut self.rest);
        let (new, rest) = self.rest.split_at(length);
        self.text.truncate(shared);
        self.text.extend_from_slice(new);
        self.rest = rest;
    }

    fn text(&self) -> String {
        String::from_utf8(self.text.clone()).expect("the texts that were put in")
    }
}

/// The text at the beginning of a block.
fn head(mut bytes: &[u8]) -> &[u8] {
    take_length(&mut bytes);
    let length = take_length(&mut bytes);
    &bytes[..length]
}

/// Writes a length in seven bits a byte, the lowest first.
fn put_length(bytes: &mut Vec<u8>, mut length: usize) {
    let low = |length: usize| (length & 0x7f).to_le_bytes()[0];
    while length >= 0x80 {
        bytes.push(low(length) | 0x80);
        length >>= 7;
    }
    bytes.push(low(length));
}

fn take_length(bytes: &mut &[u8]) -> usize {
    let mut length = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = bytes.split_first().expect("a length was written");
        *bytes = rest;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_text_is_found_at_its_rank_and_others_between() {
        let long = "ö".repeat(300);
        let mut texts: BTreeSet<String> =
            (0..1_000).map(|n| format!("name{:03}", n * 7 % 1_000 / 3 * 3)).collect();
        texts.extend([String::new(), "é".into(), "è".into(), long]);
        let sorted: Vec<&str> = texts.iter().map(String::as_str).collect();
        let dictionary = Dictionary::of(sorted.iter().copied());
        assert_eq!(dictionary.len(), texts.len());
        for (text, rank) in sorted.iter().zip(0..) {
            assert_eq!((dictionary.find(text), &*dictionary.get(rank)), (Ok(rank), *text));
            let after = format!("{text}\u{1}");
            assert_eq!(dictionary.find(&after), Err(rank + 1));
        }
        assert_eq!(Dictionary::default().find("x"), Err(0));
    }
}
