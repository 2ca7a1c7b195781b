//! The deployment's keys: secrets that must be readable again are sealed under one, and checkpoints are signed with another.
//!
//! Passwords and tokens are stored as digests (`docs/adr/0005-secrets-stay-at-the-gateway.md`). A secret that Muster has
//! to use itself can't be, so it is sealed: encrypted with `XChaCha20-Poly1305` and bound to the place that it belongs to.
//! A sealed value names its key. So keys can be replaced while older values stay readable. How keys are made, named,
//! replaced and lost: `docs/adr/0019-the-deployment-key.md`.

mod key;
mod key_file;
mod keyring;
mod sealed;

pub use key_file::{KeyFileError, KeyInfo, Purpose};
pub use keyring::{Keyring, KeyringError, rotate};
pub use sealed::UnsealError;
