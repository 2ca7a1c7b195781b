//! What callers hear when a request does not do what it asks: refusals are data, failures are errors with a code.

pub(crate) mod api;
