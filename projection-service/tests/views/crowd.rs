//! Made users and questions about them, of many kinds, the same for the same seed.

use std::cmp::Ordering;

use domain::actor::{Role, Roles};
use domain::group::GroupRef;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use domain::user::agent::UfaConfig;
use fastrand::Rng;
use read_model::search::{folded, terms};
use read_model::users::UserRow;
use read_model::users_page::{UserFilter, UserOrder, UserSortField, UserSortKey};

use crate::story::{group_of, id_of};

const FIRST: [&str; 8] = ["", "Anna", "anna maria", "Ärmel", "Zoë", "ZOE", "Νίκος", "Jean-Luc"];
const LAST: [&str; 8] =
    ["", "Smith", "smith-Jones", "O'Neill", "Groß", "GROSS", "Παπαδόπουλος", "Nguyễn Thị"];
const GROUPS: [&str; 4] = ["acme", "globex", "initech", "north"];
const WORDS: [&str; 12] =
    ["a", "f", "e", "ann", "SMITH", "ΠΑΠΑ", "gross", "x.test", "user", "zed", "nguyen", "%"];

/// Makes users and questions.
pub(crate) struct Crowd(Rng);

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) filter: UserFilter,
    pub(crate) order: UserOrder,
}

impl Crowd {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// A number below `end`.
    pub(crate) fn number(&mut self, end: usize) -> usize {
        self.0.usize(0..end)
    }

    fn text(&mut self, of: &[&str]) -> Option<String> {
        let text = of[self.number(of.len())];
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn instant(&mut self) -> Timestamp {
        Timestamp::from_micros(i64::try_from(self.number(300)).unwrap() * 1_000_000)
    }

    /// The user with this number, as it may be at some time. States go with the name, so that they lie together.
    pub(crate) fn user(&mut self, number: usize) -> UserRow {
        let username = format!("{}.user-{number}", ["alex", "bob", "frie", "zed"][number / 150 % 4]);
        let clustered = UserStatus::ALL[number / 100 % 5];
        let email = match self.number(3) {
            0 => None,
            1 => Some(format!("{username}@Mail.example")),
            _ => Some(format!("U{}@x.test", self.number(9))),
        };
        UserRow {
            id: id_of(&username),
            first_name: self.text(&FIRST),
            last_name: self.text(&LAST),
            phone: (self.number(3) > 0).then(|| format!("+49 30 {}", self.number(50))),
            email,
            group: self.0.bool().then(|| {
                let name = GROUPS[self.0.usize(0..GROUPS.len())];
                GroupRef { id: group_of(name), name: name.to_owned() }
            }),
            state: if self.number(3) == 0 { UserStatus::ALL[self.number(5)] } else { clustered },
            state_reason: None,
            roles: if self.number(20) == 0 { Roles::EVERY } else { Roles::BASE },
            must_change_password: self.number(5) == 0,
            registered_at: self.instant(),
            updated_at: self.instant(),
            version: 1,
            partition: u32::try_from(number % 3).unwrap(),
            log_offset: 0,
            config: UfaConfig::default(),
            ufa_version: 1,
            ufa_updated_at: self.instant(),
            username,
        }
    }

    /// Different users who change or are new.
    pub(crate) fn changes(&mut self, users: &[UserRow], number: usize) -> Vec<UserRow> {
        let first = self.number(users.len() + 20);
        (first..first + number).map(|number| self.user(number * 7 % (users.len() + 20))).collect()
    }

    /// A question, some of it about one of these users.
    pub(crate) fn question(&mut self, users: &[UserRow]) -> Question {
        let some = users[self.number(users.len())].clone();
        let word = WORDS[self.number(WORDS.len())];
        let search = match self.number(5) {
            0 | 1 => None,
            2 => Some(word.to_owned()),
            3 => Some(some.username.chars().take(1 + self.number(9)).collect()),
            _ => Some(format!("{word} {}", some.last_name.as_deref().unwrap_or("A"))),
        };
        let mut sometimes = |one_in: usize| self.0.usize(0..one_in) == 0;
        let (by_state, by_group, by_email) = (sometimes(2), sometimes(4), sometimes(15));
        let (is_after, is_before, is_descending, by_two) =
            (sometimes(8), sometimes(8), sometimes(2), sometimes(3));
        let (by_phone, by_role, by_password) = (sometimes(15), sometimes(8), sometimes(8));
        let (is_changed_after, is_changed_before) = (sometimes(8), sometimes(8));
        let mut field = || UserSortField::ALL[self.0.usize(0..UserSortField::ALL.len())];
        let order = UserOrder::new(field(), is_descending);
        let order = if by_two { order.then(field(), self.0.bool()) } else { order };
        let filter = UserFilter {
            search,
            states: UserStatus::ALL.into_iter().filter(|_| by_state && self.0.bool()).collect(),
            groups: GROUPS.iter().filter(|_| by_group && self.0.bool()).map(|name| group_of(name)).collect(),
            email: some.email.filter(|_| by_email),
            phone: some.phone.filter(|_| by_phone),
            roles: by_role.then(|| Role::ALL[self.number(2)]).into_iter().collect(),
            must_change_password: by_password.then(|| self.0.bool()),
            registered_after: is_after.then(|| self.instant()),
            registered_before: is_before.then(|| self.instant()),
            updated_after: is_changed_after.then(|| self.instant()),
            updated_before: is_changed_before.then(|| self.instant()),
        };
        Question { filter, order }
    }
}

impl Question {
    /// Everybody who is not deleted, by name.
    pub(crate) fn everybody() -> Self {
        Self { filter: UserFilter::default(), order: UserOrder::USERNAME }
    }

    /// The whole list.
    pub(crate) fn answer<'a>(&self, users: &'a [UserRow]) -> Vec<&'a UserRow> {
        let mut list: Vec<_> = users.iter().filter(|user| self.lets_pass(user)).collect();
        list.sort_by(|one, other| {
            let directed =
                |order: Ordering, key: UserSortKey| if key.is_descending { order.reverse() } else { order };
            let keys = [Some(self.order.by), self.order.then];
            // A second key that says the same as the first says nothing.
            let of_ties =
                self.order.then.filter(|then| then.field != self.order.by.field).unwrap_or(self.order.by);
            let orders = keys.into_iter().flatten().map(|key| directed(compare(key.field, one, other), key));
            let order = orders.fold(Ordering::Equal, Ordering::then);
            order.then(directed(one.username.cmp(&other.username), of_ties))
        });
        list
    }

    fn lets_pass(&self, user: &UserRow) -> bool {
        let filter = &self.filter;
        let UserFilter { search, states, groups, email, .. } = filter;
        let texts =
            [Some(&user.username), user.first_name.as_ref(), user.last_name.as_ref(), user.email.as_ref()];
        let terms = terms(texts.into_iter().flatten().map(String::as_str));
        let is_found = search.iter().flat_map(|search| search.split_whitespace()).all(|word| {
            let word = whole(word);
            terms.iter().any(|term| term.starts_with(&word))
        });
        let is_in_group = || user.group.as_ref().is_some_and(|group| groups.contains(&group.id));
        is_found
            && (if states.is_empty() {
                user.state != UserStatus::Deleted
            } else {
                states.contains(&user.state)
            })
            && (groups.is_empty() || is_in_group())
            && email
                .as_ref()
                .is_none_or(|email| user.email.as_ref().is_some_and(|own| folded(own) == folded(email)))
            && filter.phone.as_ref().is_none_or(|phone| user.phone.as_ref().is_some_and(|own| own == phone))
            && (filter.roles.is_empty() || filter.roles.iter().any(|role| user.roles.contains(*role)))
            && filter.must_change_password.is_none_or(|must| user.must_change_password == must)
            && filter.updated_after.is_none_or(|after| after < user.updated_at)
            && filter.updated_before.is_none_or(|before| user.updated_at < before)
            && filter.registered_after.is_none_or(|after| after < user.registered_at)
            && filter.registered_before.is_none_or(|before| user.registered_at < before)
    }
}

fn compare(field: UserSortField, one: &UserRow, other: &UserRow) -> Ordering {
    let texts = |text: fn(&UserRow) -> Option<&str>| {
        let key = |user: &UserRow| text(user).map(folded).unwrap_or_default();
        key(one).cmp(&key(other))
    };
    match field {
        UserSortField::Username => one.username.cmp(&other.username),
        UserSortField::FirstName => texts(|user| user.first_name.as_deref()),
        UserSortField::LastName => texts(|user| user.last_name.as_deref()),
        UserSortField::Email => texts(|user| user.email.as_deref()),
        UserSortField::Phone => {
            let key =
                |user: &UserRow| user.phone.as_ref().map(|phone| phone.replace(' ', "")).unwrap_or_default();
            key(one).cmp(&key(other))
        }
        UserSortField::Group => texts(|user| user.group.as_ref().map(|group| &*group.name)),
        UserSortField::State => (one.state as u8).cmp(&(other.state as u8)),
        UserSortField::RegisteredAt => one.registered_at.cmp(&other.registered_at),
        UserSortField::UpdatedAt => one.updated_at.cmp(&other.updated_at),
    }
}

/// A word as it is compared with terms: the longest of its own terms is the whole of it.
fn whole(word: &str) -> String {
    terms([word]).into_iter().max_by_key(String::len).unwrap_or_default()
}
