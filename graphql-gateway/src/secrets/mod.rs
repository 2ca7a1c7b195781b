//! Making, hashing and checking what callers prove themselves with; clear texts are shown once and kept nowhere.

mod chosen;
mod made;
mod policy;

pub use chosen::{Busy, Cost, Hasher, WrongCost};
pub use made::{digest, is_token_secret, matches, session_token, temporary_password, token_secret};
pub use policy::composed;
