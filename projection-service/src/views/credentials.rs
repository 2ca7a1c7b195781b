//! Credentials: a keyed copy of their topic.

use domain::credential::{Credential, CredentialId};

use super::Change;

/// The credential after the record. A tombstone removes it.
pub(crate) fn fold(id: CredentialId, credential: Option<Credential>) -> Change<CredentialId, Credential> {
    match credential {
        Some(credential) => Change::Put(id, credential),
        None => Change::Gone(id),
    }
}
