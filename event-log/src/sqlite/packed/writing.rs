//! Writing a record in the compact form.

use log_model::record::Record;

use super::compression::Compressor;
use super::layout::{BODY_TAG, KEY_TAG, KnownTexts, NAMES, TAGS, USER, parse, tag};
use super::parsed_text::ParsedText;

/// The compact form of a record. `None` if it has headers in another order than Muster writes them, or others.
pub(crate) fn pack(record: &Record, compressor: &mut Compressor) -> Option<Vec<u8>> {
    let (mut fixed, mut texts) = compressor.take_scratch();
    let taken_apart = take_apart(record, &mut fixed, &mut texts);
    let packed = taken_apart.map(|()| compressor.compress(&fixed, &texts));
    compressor.give_back(fixed, texts);
    packed
}

/// Writes the fixed bytes and the texts of a record. `None` if it has no compact form.
pub(super) fn take_apart(record: &Record, fixed: &mut Vec<u8>, texts: &mut Vec<u8>) -> Option<()> {
    texts.extend_from_slice(&[tag::ABSENT; TAGS]);
    let mut known = KnownTexts::of(record.key.as_str());
    let key = ParsedText::id(&record.key).unwrap_or(ParsedText::Text(&record.key));
    texts[KEY_TAG] = write(&key, fixed, texts);
    let mut headers = record.headers.iter().peekable();
    for (place, name) in NAMES.into_iter().enumerate() {
        let Some((_, text)) = headers.next_if(|(header, _)| *header == name) else { continue };
        let is_usual = known
            .usual(name)
            .is_some_and(|(before, rest)| text.strip_prefix(before) == Some(rest.unwrap_or_default()));
        texts[place] = if is_usual { tag::USUAL } else { write(&parse(name, text), fixed, texts) };
        known.note(name, text);
    }
    if headers.next().is_some() {
        return None;
    }
    if let Some(body) = &record.body {
        texts[BODY_TAG] = tag::TEXT;
        texts.extend_from_slice(body);
    }
    Some(())
}

/// Writes a value and returns its tag.
fn write(value: &ParsedText<'_>, fixed: &mut Vec<u8>, texts: &mut Vec<u8>) -> u8 {
    match value {
        ParsedText::Text(text) => {
            write_text(texts, text);
            tag::TEXT
        }
        ParsedText::Id(before, id, after) => {
            fixed.extend_from_slice(id.as_bytes());
            match (*before, *after) {
                ("", "") => tag::BARE_ID,
                (USER, "") => tag::USER_ID,
                (before, after) => {
                    write_text(texts, before);
                    write_text(texts, after);
                    tag::OTHER_ID
                }
            }
        }
        ParsedText::Time(time) => {
            fixed.extend_from_slice(&time.micros().to_be_bytes());
            tag::TIME
        }
        ParsedText::Number(number) => {
            write_number(texts, *number);
            tag::NUMBER
        }
        ParsedText::ShortNumber(number) => {
            write_number(texts, *number);
            tag::SHORT_NUMBER
        }
        ParsedText::Digest(digest) => {
            fixed.extend_from_slice(digest);
            tag::DIGEST
        }
        ParsedText::Trace(trace) => {
            fixed.extend_from_slice(trace);
            tag::TRACE
        }
    }
}

fn write_text(texts: &mut Vec<u8>, text: &str) {
    write_number(texts, text.len() as u64);
    texts.extend_from_slice(text.as_bytes());
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn write_number(texts: &mut Vec<u8>, mut number: u64) {
    while let Some(more) = Some(number >> 7).filter(|more| *more > 0) {
        texts.push(low_bits(number) | 0x80);
        number = more;
    }
    texts.push(low_bits(number));
}

fn low_bits(number: u64) -> u8 {
    u8::try_from(number & 0x7f).expect("seven bits fit")
}
