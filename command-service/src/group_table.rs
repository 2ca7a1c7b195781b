//! The groups that packed users are in: a packed user holds a number in this table.

use std::collections::HashMap;

use domain::group::GroupRef;
use domain::id::GroupId;

/// Groups by number, in the order in which they were added. A renamed group is added again under its new name. Packed
/// users keep the name that they were packed with.
#[derive(Default)]
pub(crate) struct GroupTable {
    groups: Vec<GroupRef>,
    /// The newest number of each group.
    numbers: HashMap<GroupId, u32>,
}

impl GroupTable {
    /// The number of a group. Adds the group if it is missing.
    pub(crate) fn number(&mut self, group: &GroupRef) -> u32 {
        if let Some(number) = self.numbers.get(&group.id)
            && self.get(*number) == Some(group)
        {
            return *number;
        }
        self.push(group.clone());
        self.numbers[&group.id]
    }

    /// The group of a number.
    pub(crate) fn get(&self, number: u32) -> Option<&GroupRef> {
        self.groups.get(number as usize)
    }

    /// Every group, by number.
    pub(crate) fn as_slice(&self) -> &[GroupRef] {
        &self.groups
    }

    /// Adds a group under the next number.
    pub(crate) fn push(&mut self, group: GroupRef) {
        let number = u32::try_from(self.groups.len()).expect("there are far fewer groups than 2^32");
        self.numbers.insert(group.id, number);
        self.groups.push(group);
    }
}
