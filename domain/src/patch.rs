//! A patch: what an edit does to one field.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::refusal::{Code, Refusal};

/// What an edit does to one field. In JSON an absent field means keep, and null means clear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Leave it as it is.
    #[default]
    Keep,
    /// Clear it.
    Clear,
    /// Set it to this.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the field stays as it is.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The new value of an optional field. `check` validates a value that is set.
    pub(crate) fn apply_optional(
        &self,
        now: Option<&T>,
        check: impl FnOnce(&T) -> Result<Option<T>, Refusal>,
    ) -> Result<Option<T>, Refusal>
    where
        T: Clone,
    {
        match self {
            Self::Keep => Ok(now.cloned()),
            Self::Clear => Ok(None),
            Self::Set(value) => check(value),
        }
    }

    /// The new value of a field that can't be cleared. `check` validates a value that is set.
    pub(crate) fn apply_required<U: Clone>(
        &self,
        now: &U,
        check: impl FnOnce(&T) -> Result<U, Refusal>,
    ) -> Result<U, Refusal> {
        match self {
            Self::Keep => Ok(now.clone()),
            Self::Clear => Err(Refusal::new(Code::Required, "This can be changed but not taken away.")),
            Self::Set(value) => check(value),
        }
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => value.serialize(serializer),
            Self::Keep | Self::Clear => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(|value| value.map_or(Self::Clear, Self::Set))
    }
}
