//! The access check: may this credential be used for this service?

pub(crate) mod decision;
