//! A test double of the log that passes every call on to a real one, except for what a test overrides.
//!
//! A test implements [`LogOverrides`] for a type of its own, with only the methods that must behave differently, and
//! hands `Wrapped(its type)` to the code under test. [`WriterOverrides`] does the same for the writer that a claim
//! returns. [`EmptyLog`] is an inner log for tests that need none.

mod empty;
mod log;
mod wrapped;
mod writer;

pub use self::empty::EmptyLog;
pub use self::log::LogOverrides;
pub use self::wrapped::Wrapped;
pub use self::writer::WriterOverrides;
