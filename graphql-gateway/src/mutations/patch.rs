//! Fields that a mutation may keep, clear or set.

use async_graphql::MaybeUndefined;
use domain::patch::Patch;

/// Absent means keep, null means clear.
pub(super) fn patch<T>(value: MaybeUndefined<T>) -> Patch<T> {
    match value {
        MaybeUndefined::Undefined => Patch::Keep,
        MaybeUndefined::Null => Patch::Clear,
        MaybeUndefined::Value(value) => Patch::Set(value),
    }
}
