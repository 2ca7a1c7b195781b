//! Keyed fingerprints of commands: short enough to keep many in memory, and impossible to search for collisions.

use std::hash::Hasher;

use domain::id::AddressId;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use uuid::Uuid;

/// The secret key of the fingerprints of one partition. Unknown to clients, so that nobody can search for two commands
/// that collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FingerprintKey(pub(crate) [u8; 16]);

/// A command's id: SipHash-1-3, 64 bits. Two ids of one user collide by chance once in 10^18 pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommandFingerprint(pub(crate) u64);

/// Who asked for what: half of such a hash. It is compared only if the ids are equal, so the reuse of an id for another
/// request goes unnoticed once in 10^9 times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestFingerprint(pub(crate) u32);

/// An event: the last bits of its `UUIDv7`, which are random. It is compared only with another event of the same command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct EventFingerprint(pub(crate) u32);

impl From<Uuid> for EventFingerprint {
    fn from(event: Uuid) -> Self {
        let [.., a, b, c, d] = event.into_bytes();
        Self(u32::from_le_bytes([a, b, c, d]))
    }
}

impl FingerprintKey {
    /// A new key from the operating system's randomness.
    pub(crate) fn random() -> Self {
        let mut key = [0; 16];
        getrandom::fill(&mut key).expect("the operating system gives randomness");
        Self(key)
    }

    /// The fingerprint of the id that a client gave its command.
    pub(crate) fn command_id(&self, id: &str) -> CommandFingerprint {
        CommandFingerprint(self.hash([id, ""]))
    }

    /// The fingerprint of a request: the actor's id, and the digest of what was asked.
    pub(crate) fn request(&self, actor: &str, digest: &str) -> RequestFingerprint {
        let [a, b, c, d, ..] = self.hash([actor, digest]).to_le_bytes();
        RequestFingerprint(u32::from_le_bytes([a, b, c, d]))
    }

    /// The fingerprint of an address: half of such a hash.
    pub(crate) fn address(&self, address: AddressId) -> u32 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(address.uuid().as_bytes());
        let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    fn hash(&self, parts: [&str; 2]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        for part in parts {
            hasher.write(part.as_bytes());
            // A separator: no UTF-8 text contains this byte.
            hasher.write_u8(0xff);
        }
        hasher.finish()
    }
}
