//! Numbers of users: what a changed row takes from one number and gives to another.

use std::collections::BTreeMap;

use read_model::counts::CountKey;
use read_model::users::UserRow;

/// Adds to `numbers` what the change from `before` to `after` means for them.
pub(crate) fn fold(numbers: &mut BTreeMap<CountKey, i64>, before: Option<&UserRow>, after: &UserRow) {
    for (row, n) in before.map(|row| (row, -1)).into_iter().chain([(after, 1)]) {
        for group in [None, row.group.as_ref().map(|group| group.id)] {
            // In no group: the number over all groups is the only one that the user is in.
            let key = CountKey { partition: row.partition, state: row.state, group };
            *numbers.entry(key).or_default() += n;
            if row.group.is_none() {
                break;
            }
        }
    }
}
