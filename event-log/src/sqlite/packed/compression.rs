//! The texts of compact rows, compressed by Zstandard with a dictionary of what such texts are made of.

use std::sync::LazyLock;

use zstd::bulk;
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::{CParameter, compress_bound, get_frame_content_size};

/// The texts as they are.
const PLAIN: u8 = 1;
/// The texts as one Zstandard frame, made with [`DICTIONARY`]. Another dictionary gets another number.
const COMPRESSED: u8 = 2;

/// Made by `dev/dictionary`. It never changes, because rows can't be read without it.
static DICTIONARY: &[u8] = include_bytes!("dictionary.zdict");

/// The first bytes of every frame, which rows leave out.
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
/// Longer texts are not compressed, so that a damaged row can't ask for more memory.
const MOST: usize = 16 * 1024 * 1024;
/// Measured with varied data: docs/adr/0016-compact-rows.md.
const LEVEL: i32 = 1;

static FOR_WRITING: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static FOR_READING: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// Compresses the texts of rows.
pub(crate) struct Compressor {
    inner: bulk::Compressor<'static>,
    scratch: (Vec<u8>, Vec<u8>),
    frame: Vec<u8>,
}

/// Takes rows apart and decompresses their texts.
pub(crate) struct Decompressor {
    inner: bulk::Decompressor<'static>,
    texts: Vec<u8>,
    frame: Vec<u8>,
}

impl Default for Compressor {
    fn default() -> Self {
        let mut inner =
            bulk::Compressor::with_prepared_dictionary(&FOR_WRITING).expect("the dictionary is a good one");
        // The row's first byte says it already.
        inner.set_parameter(CParameter::DictIdFlag(false)).expect("it is a parameter of frames");
        Self { inner, scratch: Default::default(), frame: Vec::new() }
    }
}

impl Default for Decompressor {
    fn default() -> Self {
        let inner =
            bulk::Decompressor::with_prepared_dictionary(&FOR_READING).expect("the dictionary is a good one");
        Self { inner, texts: Vec::new(), frame: Vec::new() }
    }
}

impl Compressor {
    /// Memory for fixed bytes and texts, empty. To be given back.
    pub(super) fn take_scratch(&mut self) -> (Vec<u8>, Vec<u8>) {
        let (mut fixed, mut texts) = std::mem::take(&mut self.scratch);
        fixed.clear();
        texts.clear();
        (fixed, texts)
    }

    /// Takes the memory back.
    pub(super) fn give_back(&mut self, fixed: Vec<u8>, texts: Vec<u8>) {
        self.scratch = (fixed, texts);
    }

    /// A whole row.
    pub(super) fn compress(&mut self, fixed: &[u8], texts: &[u8]) -> Vec<u8> {
        let compressed = (texts.len() <= MOST).then(|| self.frame(texts)).flatten();
        let (form, texts) = match compressed {
            Some(frame) if frame.len() < texts.len() => (COMPRESSED, frame),
            _ => (PLAIN, texts),
        };
        let mut row = Vec::with_capacity(2 + fixed.len() + texts.len());
        row.push(form);
        row.push(u8::try_from(fixed.len()).expect("the fixed bytes of all values are fewer than 256"));
        row.extend_from_slice(fixed);
        row.extend_from_slice(texts);
        row
    }

    fn frame(&mut self, texts: &[u8]) -> Option<&[u8]> {
        self.frame.clear();
        self.frame.reserve(compress_bound(texts.len()));
        self.inner.compress_to_buffer(texts, &mut self.frame).ok()?;
        self.frame.strip_prefix(&MAGIC)
    }
}

impl Decompressor {
    /// The fixed bytes and the texts of a row. `None` if it is damaged.
    pub(super) fn parts<'a>(&'a mut self, row: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (&[form, fixed], rest) = row.split_first_chunk()?;
        let (fixed, texts) = rest.split_at_checked(usize::from(fixed))?;
        match form {
            PLAIN => Some((fixed, texts)),
            COMPRESSED => Some((fixed, self.texts(texts)?)),
            _ => None,
        }
    }

    fn texts(&mut self, frame: &[u8]) -> Option<&[u8]> {
        self.frame.clear();
        self.frame.extend_from_slice(&MAGIC);
        self.frame.extend_from_slice(frame);
        let length = usize::try_from(get_frame_content_size(&self.frame).ok()??).ok()?;
        if length > MOST {
            return None;
        }
        self.texts.clear();
        self.texts.reserve(length);
        self.inner.decompress_to_buffer(&self.frame, &mut self.texts).ok()?;
        Some(&self.texts)
    }
}
