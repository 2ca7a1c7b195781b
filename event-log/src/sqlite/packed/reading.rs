//! Reading a record from the compact form.

use domain::timestamp::Timestamp;
use log_model::record::CHAIN;
use uuid::Uuid;

use super::compression::Decompressor;
use super::layout::{BODY_TAG, CHAIN_TAG, KEY_TAG, KnownTexts, NAMES, TAGS, USER, tag};
use super::parsed_text::ParsedText;
use crate::record_buffer::RecordBuffer;

/// The headers that a reader wants of records with a chain value. Of others it gets all, because the chain is computed
/// from them.
pub(crate) struct WantedHeaders([bool; NAMES.len()]);

impl WantedHeaders {
    /// These and the chain value; all of them for `None`.
    pub(crate) fn of(headers: Option<&[&str]>) -> Self {
        Self(NAMES.map(|name| name == CHAIN || headers.is_none_or(|headers| headers.contains(&name))))
    }
}

/// Reads a compact row into the buffer. `None` if it is damaged; what the buffer then holds is undefined.
pub(crate) fn read(
    record_buffer: &mut RecordBuffer,
    offset: u64,
    row: &[u8],
    decompressor: &mut Decompressor,
    wanted: &WantedHeaders,
) -> Option<()> {
    let (fixed, texts) = decompressor.parts(row)?;
    let (tags, texts) = texts.split_first_chunk::<TAGS>()?;
    let mut rest = Rest { fixed, texts };
    let key = rest.value(tags[KEY_TAG])?;
    record_buffer.begin(offset);
    key.write(record_buffer.key());
    let mut known = KnownTexts::of(key);
    let all = tags[CHAIN_TAG] == tag::ABSENT;
    for ((name, tag), wanted) in NAMES.into_iter().zip(tags).zip(wanted.0) {
        let wanted = all || wanted;
        match *tag {
            tag::ABSENT => {}
            tag::USUAL if !wanted => {}
            tag::USUAL => {
                let (before, rest) = known.usual(name)?;
                let text = record_buffer.header_value(name);
                text.push_str(before);
                if let Some(value) = rest {
                    value.write(text);
                }
            }
            tag => {
                let value = rest.value(tag)?;
                if wanted {
                    value.write(record_buffer.header_value(name));
                }
                known.note(name, value);
            }
        }
    }
    match tags[BODY_TAG] {
        tag::ABSENT => rest.texts.is_empty().then(|| record_buffer.set_body(None))?,
        tag::TEXT => record_buffer.set_body(Some(rest.texts)),
        _ => return None,
    }
    rest.fixed.is_empty().then_some(())
}

/// What is not read yet.
struct Rest<'a> {
    fixed: &'a [u8],
    texts: &'a [u8],
}

impl<'a> Rest<'a> {
    fn value(&mut self, tag: u8) -> Option<ParsedText<'a>> {
        Some(match tag {
            tag::TEXT => ParsedText::Text(self.text()?),
            tag::BARE_ID => ParsedText::Id("", self.id()?, ""),
            tag::USER_ID => ParsedText::Id(USER, self.id()?, ""),
            tag::OTHER_ID => ParsedText::Id(self.text()?, self.id()?, self.text()?),
            tag::TIME => {
                let time = Timestamp::from_micros(i64::from_be_bytes(*self.fixed()?));
                ParsedText::Time(time)
            }
            tag::NUMBER => ParsedText::Number(self.number()?),
            tag::SHORT_NUMBER => ParsedText::ShortNumber(self.number()?),
            tag::DIGEST => ParsedText::Digest(*self.fixed()?),
            tag::TRACE => ParsedText::Trace(*self.fixed()?),
            _ => return None,
        })
    }

    fn fixed<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (bytes, rest) = self.fixed.split_first_chunk()?;
        self.fixed = rest;
        Some(bytes)
    }

    fn id(&mut self) -> Option<Uuid> {
        self.fixed().copied().map(Uuid::from_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.texts.split_at_checked(length)?;
        self.texts = rest;
        str::from_utf8(text).ok()
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.texts.split_first()?;
            self.texts = rest;
            let bits = u64::from(byte & 0x7f);
            number |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}
