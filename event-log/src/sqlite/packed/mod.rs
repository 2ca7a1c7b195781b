//! The compact form of a record, as rows of the embedded log keep it. `docs/adr/0016-compact-rows.md` explains the
//! decision.
//!
//! A compact row has an empty key and empty headers, which no record of the earlier form has. Its body is:
//!
//! | bytes | |
//! | --- | --- |
//! | 1 | the form of the texts: plain or compressed (`compression`) |
//! | 1 | the number of fixed bytes |
//! | … | the fixed bytes: ids, digests, instants. They are random, so compressing them would cost time and space |
//! | … | the texts, compressed if that makes them shorter |
//!
//! The texts begin with a tag for each header, for the key and for the body. A tag says how the value is written:
//! as fixed bytes, as a text with its length before it, or not at all, because it follows from another value.
//! The fixed bytes and the texts are read in the order key, headers, body.

mod compression;
mod layout;
mod parsed_text;
mod reading;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod spec;
#[cfg(test)]
mod training;
mod writing;

pub(super) use self::compression::{Compressor, Decompressor};
pub(super) use self::reading::{WantedHeaders, read};
pub(super) use self::writing::pack;
