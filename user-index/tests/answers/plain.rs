//! A filter and a sort over users one by one, written without the index.

use std::cmp::Ordering;

use domain::actor::Role;
use domain::id::GroupId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use user_index::search::{terms, words};
use user_index::{Condition, IndexedUser, SortField, SortValue, Sorting, TimeField};

/// What is asked for: who, in which order.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) search: Option<String>,
    pub(crate) states: Option<Vec<UserStatus>>,
    pub(crate) groups: Option<Vec<GroupId>>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) roles: Option<Vec<Role>>,
    pub(crate) must_change_password: Option<bool>,
    pub(crate) registered: [Option<Timestamp>; 2],
    pub(crate) updated: [Option<Timestamp>; 2],
    pub(crate) sorting: Sorting,
}

impl Question {
    /// The whole list.
    pub(crate) fn answer<'a>(&self, users: impl Iterator<Item = &'a IndexedUser>) -> Vec<&'a IndexedUser> {
        let mut list: Vec<_> = users.filter(|user| self.lets_pass(user)).collect();
        list.sort_by(|one, other| self.compare_users(one, other));
        list
    }

    fn lets_pass(&self, user: &IndexedUser) -> bool {
        let found = || {
            let texts = [&*user.username, &user.first_name, &user.last_name, &user.email];
            let terms = terms(texts);
            words(self.search.as_deref()).iter().all(|word| terms.iter().any(|term| term.starts_with(word)))
        };
        let within = |[after, before]: [Option<Timestamp>; 2], time: Timestamp| {
            after.is_none_or(|after| after < time) && before.is_none_or(|before| time < before)
        };
        let group = user.group.as_ref().map(|(id, _)| id);
        self.states.as_ref().is_none_or(|states| states.contains(&user.state))
            && self.groups.as_ref().is_none_or(|groups| group.is_some_and(|group| groups.contains(group)))
            && self.email.as_ref().is_none_or(|email| !email.is_empty() && user.email == *email)
            && self.phone.as_ref().is_none_or(|phone| !phone.is_empty() && user.phone == *phone)
            && self.roles.as_ref().is_none_or(|roles| roles.iter().any(|role| user.roles.contains(*role)))
            && self.must_change_password.is_none_or(|must| user.must_change_password == must)
            && within(self.registered, user.registered_at)
            && within(self.updated, user.updated_at)
            && found()
    }

    fn compare_users(&self, one: &IndexedUser, other: &IndexedUser) -> Ordering {
        let by = |field: SortField| match field {
            SortField::Username => one.username.cmp(&other.username),
            SortField::FirstName => one.first_name.cmp(&other.first_name),
            SortField::LastName => one.last_name.cmp(&other.last_name),
            SortField::Email => one.email.cmp(&other.email),
            SortField::Phone => one.phone.cmp(&other.phone),
            SortField::Group => {
                let name = |user: &IndexedUser| user.group.clone().map(|(_, name)| name).unwrap_or_default();
                name(one).cmp(&name(other))
            }
            SortField::State => (one.state as u8).cmp(&(other.state as u8)),
            SortField::RegisteredAt => one.registered_at.cmp(&other.registered_at),
            SortField::UpdatedAt => one.updated_at.cmp(&other.updated_at),
        };
        let mut orders = self.sorting.steps().iter().map(|step| match by(step.field) {
            order if step.is_descending => order.reverse(),
            order => order,
        });
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Compares two places of the order.
    pub(crate) fn compare(&self, one: &[SortValue], other: &[SortValue]) -> Ordering {
        let orders = self
            .sorting
            .steps()
            .iter()
            .zip(one.iter().zip(other))
            .map(|(step, (one, other))| if step.is_descending { other.cmp(one) } else { one.cmp(other) });
        orders.fold(Ordering::Equal, Ordering::then)
    }

    /// The same filter as the index takes it.
    pub(crate) fn conditions(&self) -> Vec<Condition> {
        let between = |time, [after, before]: [Option<Timestamp>; 2]| {
            (after.is_some() || before.is_some()).then_some(Condition::Between { time, after, before })
        };
        let mut conditions: Vec<_> = words(self.search.as_deref()).into_iter().map(Condition::Word).collect();
        conditions.extend(self.states.clone().map(Condition::States));
        conditions.extend(self.groups.clone().map(Condition::Groups));
        conditions.extend(self.email.clone().map(Condition::Email));
        conditions.extend(self.phone.clone().map(Condition::Phone));
        conditions.extend(self.roles.clone().map(Condition::Roles));
        conditions.extend(self.must_change_password.map(Condition::MustChangePassword));
        conditions.extend(between(TimeField::RegisteredAt, self.registered));
        conditions.extend(between(TimeField::UpdatedAt, self.updated));
        conditions
    }
}
