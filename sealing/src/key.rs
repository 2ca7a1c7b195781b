//! A secret key: 32 random bytes, named after themselves.

use sha2::{Digest, Sha256};
use zeroize::ZeroizeOnDrop;

/// Bytes of a key.
const LENGTH: usize = 32;
/// What the digest that names a key begins with, so that it is a digest of nothing else.
const NAMED: &[u8] = b"muster secret key id\0";

/// A key that seals or signs. It is wiped on drop and never shown.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub(crate) struct SecretKey([u8; LENGTH]);

impl SecretKey {
    /// A key of the operating system's randomness.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        Self(bytes)
    }

    /// The key with these bytes. `None` if there are not 32 of them.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// The name of the key: derived from it, so that the same key has the same name in every copy of a file. It says
    /// nothing about the key to those who don't have it.
    pub(crate) fn id(&self) -> String {
        let digest = Sha256::new().chain_update(NAMED).chain_update(self.0).finalize();
        hex::encode(&digest[..6])
    }
}

/// The name alone.
impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id())
    }
}
