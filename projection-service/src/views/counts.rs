//! Numbers of users: a changed row leaves one number and joins another.

use std::collections::BTreeMap;

use read_model::counts::CountKey;
use read_model::users::UserRow;

/// Adds the change from `before` to `after` to `numbers`.
pub(crate) fn fold(numbers: &mut BTreeMap<CountKey, i64>, before: Option<&UserRow>, after: &UserRow) {
    for (row, n) in before.map(|row| (row, -1)).into_iter().chain([(after, 1)]) {
        for key in CountKey::of(row) {
            *numbers.entry(key).or_default() += n;
        }
    }
}
