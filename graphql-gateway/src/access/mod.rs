//! The access check: may this credential be used for this service?

mod decision;
mod freshness;
mod health;
mod reader;
mod service;

pub(crate) use decision::{AccessCheck, AccessDenied, AccessGranted};
pub(crate) use freshness::Freshness;
pub use health::AccessHealth;
pub(crate) use health::AccessMonitor;
pub(crate) use reader::{EventReader, ReaderCredential};
pub(crate) use service::Service;
