//! Making, hashing and checking what callers prove themselves with; clear texts are shown once and kept nowhere.

mod generated;
mod password_hash;
mod policy;

pub use generated::{digest, is_token_secret, matches, session_token, temporary_password, token_secret};
pub use password_hash::{Busy, Cost, Hasher, WrongCost};
pub use policy::composed;
