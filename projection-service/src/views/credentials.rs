//! Credentials: a keyed copy of their topic.

use domain::credential::{Credential, CredentialId};

use super::RowChange;

/// The credential after the record. A tombstone removes it.
pub(crate) fn fold(id: CredentialId, credential: Option<Credential>) -> RowChange<CredentialId, Credential> {
    match credential {
        Some(credential) => RowChange::Put(id, credential),
        None => RowChange::Gone(id),
    }
}
