//! A process of a test, which ends with the test, whatever happens.

use std::ops::{Deref, DerefMut};
use std::process::Child;

/// A process that is ended when it is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended is neither there to be ended nor waited for twice.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
