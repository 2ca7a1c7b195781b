//! The log kept outside: signed checkpoints of its hash chains, and exports as files.
//!
//! A [`LogCheckpoint`] says how far each chained stream partition reached and what its chain was there. Signed as a [`note`], it can be
//! kept elsewhere, and then shows a log that was cut off or written anew since. An [`export`] is a file with every chained
//! record, which can be gone on with and verified without Muster running.
//!
//! Only committed records are read, and none is changed. Terms are defined in `docs/glossary.md`, the formats in
//! `docs/log-format.md`.

pub mod checkpoint;
pub mod export;
mod heads;
mod line;
pub mod note;
mod verification;

pub use checkpoint::{ChainHead, LogCheckpoint, NotACheckpoint};
pub use heads::{HeadsError, read_heads};
pub use note::{NotAKey, NoteError, PublicKey, Signer};
pub use verification::{PlaceVerification, Verification};
