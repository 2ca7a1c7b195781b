//! The wrapper that turns overrides into a log or a writer.

use std::ops::Deref;

/// An [`EventLog`](crate::EventLog) made of [`LogOverrides`](super::LogOverrides), or a [`Writer`](crate::Writer) made of
/// [`WriterOverrides`](super::WriterOverrides).
///
/// Dereferences to the overrides, so that a test reaches its own fields.
#[derive(Debug)]
pub struct Wrapped<T>(pub T);

impl<T> Deref for Wrapped<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
