//! The partition of a key. The rule never changes: it decides where every record lies.

use uuid::Uuid;

/// Namespace of every id that Muster derives from a text (`UUIDv5`, RFC 9562). Never changes.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x6d75_7374_6572_5e1d_9d0a_2f6b_1c7e_4a10);

/// By what a command finds the partition whose owner decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteKey {
    /// The partition of this id.
    Id(Uuid),
    /// This partition.
    Partition(u32),
}

impl RouteKey {
    /// The partition, of a log whose users are spread over `partitions`.
    pub fn partition(self, partitions: u32) -> u32 {
        match self {
            Self::Id(id) => of(id, partitions),
            Self::Partition(partition) => partition,
        }
    }
}

/// The partition of an id: the first four bytes of its uuid as a big-endian number, modulo the number of partitions.
///
/// Ids are `UUIDv5`, so these bytes are SHA-1 output and spread evenly. Fixed for the life of a log: it is not one of
/// the partitioners that Kafka clients bring (murmur2, CRC32), so records always name their partition.
pub fn of(id: Uuid, partitions: u32) -> u32 {
    let [a, b, c, d, ..] = *id.as_bytes();
    u32::from_be_bytes([a, b, c, d]) % partitions
}

/// The partition of a record key: that of the id it begins with (`user_<uuid>`, `user_<uuid>/password`), or of a
/// `UUIDv5` made from the whole text where it begins with none, such as the digest of a name.
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
