//! The access check: may this credential be used for this service?

mod decision;
mod service;

pub(crate) use decision::{AccessCheck, AccessDenied, AccessGranted};
pub(crate) use service::Service;
