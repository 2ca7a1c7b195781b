//! Checks all fields of an input, so that a caller hears at once everything that is wrong with them.

use crate::refusal::{Refusal, Refusals};

/// Collects the refusals of an input's fields.
#[derive(Debug, Default)]
pub struct Validation {
    refusals: Refusals,
}

impl Validation {
    /// A validation without refusals.
    pub fn new() -> Self {
        Self::default()
    }

    /// The field's value, or `None` after recording its refusal.
    pub fn field<T>(&mut self, name: &str, value: Result<T, Refusal>) -> Option<T> {
        value.map_err(|refusal| self.refusals.push(refusal.at(name))).ok()
    }

    /// Records a refusal.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }

    /// The value of a nested input, or `None` after recording its refusals under its name.
    pub fn nested<T>(&mut self, name: &str, value: Result<T, Refusals>) -> Option<T> {
        value.map_err(|refusals| self.refusals.extend(refusals.into_iter().map(|r| r.at(name)))).ok()
    }

    /// The recorded refusals, if there are any.
    pub fn finish(self) -> Result<(), Refusals> {
        if self.refusals.is_empty() { Ok(()) } else { Err(self.refusals) }
    }

    /// `values`, or the recorded refusals. `values` must be `Some` when none was recorded.
    pub fn with<T>(self, values: Option<T>) -> Result<T, Refusals> {
        self.finish().map(|()| values.expect("a missing value has a recorded refusal"))
    }
}
