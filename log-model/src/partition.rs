//! The partition of a record's key. The rule never changes, because it decides where every record is found.

use uuid::Uuid;

/// Namespace of every id that Muster derives from a text (`UUIDv5`, RFC 9562). Never changes:
/// `docs/adr/0004-ids-from-names.md`.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x6d75_7374_6572_5e1d_9d0a_2f6b_1c7e_4a10);

/// How a command finds the partition that decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKey {
    /// The partition of this id.
    Id(Uuid),
    /// This partition.
    Partition(u32),
}

impl RouteKey {
    /// The partition that decides the command, in a log that spreads users over `partitions`.
    pub fn partition(self, partitions: u32) -> u32 {
        match self {
            Self::Id(id) => of(id, partitions),
            Self::Partition(partition) => partition,
        }
    }
}

/// The partition of an id: the first four bytes of its UUID as a big-endian number, modulo the number of
/// partitions.
///
/// Ids are `UUIDv5`, so these bytes are SHA-1 output and spread evenly. Kafka clients have partitioners of
/// their own (murmur2, CRC32), and this is none of them. Records therefore always name their partition.
pub fn of(id: Uuid, partitions: u32) -> u32 {
    let [a, b, c, d, ..] = *id.as_bytes();
    u32::from_be_bytes([a, b, c, d]) % partitions
}

/// The partition of a record's key.
///
/// A key that starts with an id (`user_<uuid>`, `user_<uuid>/password`) belongs to the partition of that id.
/// Any other key, such as the digest of a name, gets the partition of a `UUIDv5` made from its whole text.
///
/// ```
/// use log_model::partition;
/// use uuid::Uuid;
///
/// let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
/// assert_eq!(partition::of_key(&format!("user_{id}"), 8), partition::of(id, 8));
/// assert_eq!(partition::of_key(&format!("user_{id}/password"), 8), partition::of(id, 8));
/// assert_eq!(partition::of_key("a digest", 8), 7);
/// ```
pub fn of_key(key: &str, partitions: u32) -> u32 {
    let id = key.split('/').next().unwrap_or_default().rsplit('_').next().unwrap_or_default();
    let made = || Uuid::new_v5(&NAMESPACE, format!("key:{key}").as_bytes());
    of(Uuid::try_parse(id).unwrap_or_else(|_| made()), partitions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_moves() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(of(id, 8), 7);
        assert_eq!(of(id, 5), 0x0123_4567 % 5);
    }

    #[test]
    fn a_key_lives_where_its_id_lives() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(of_key(&format!("user_{id}"), 8), of(id, 8));
        assert_eq!(of_key(&format!("user_{id}/password"), 8), of(id, 8));
    }

    #[test]
    fn a_key_without_an_id_never_moves() {
        assert_eq!(of_key("a digest", 8), 7);
    }

    #[test]
    fn names_spread_evenly() {
        let mut members = [0_u32; 8];
        for name in 0..8_000 {
            let id = Uuid::new_v5(&NAMESPACE, format!("user:{name}").as_bytes());
            members[of(id, 8) as usize] += 1;
        }
        assert!(members.iter().all(|count| (900..1_100).contains(count)), "{members:?}");
    }
}
