//! Made users and questions, of many kinds, the same for the same seed.

use domain::actor::{Role, Roles};
use domain::id::GroupId;
use domain::names::GroupName;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use fastrand::Rng;
use user_index::search::folded;
use user_index::{IndexedUser, SortField, SortStep, Sorting};

use crate::plain::Question;

const FIRST: [&str; 12] = [
    "",
    "Anna",
    "anna maria",
    "Ärmel",
    "Zoë",
    "ZOE",
    "Νίκος",
    "Émile",
    "Friederike",
    "Jean-Luc",
    "b b",
    "कि",
];
const LAST: [&str; 12] = [
    "",
    "Smith",
    "smith-Jones",
    "O'Neill",
    "Groß",
    "GROSS",
    "Παπαδόπουλος",
    "Müller-Lüdenscheidt",
    "van den Berg",
    "Nguyễn Thị",
    "Li",
    "Fernández",
];
const GROUPS: [&str; 5] = ["acme", "globex", "initech", "north", "zzz"];
const FIELDS: [SortField; 9] = [
    SortField::Username,
    SortField::FirstName,
    SortField::LastName,
    SortField::Email,
    SortField::Phone,
    SortField::Group,
    SortField::State,
    SortField::RegisteredAt,
    SortField::UpdatedAt,
];

/// Makes users and questions.
pub(crate) struct Crowd(Rng);

impl Crowd {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// A number below `end`.
    pub(crate) fn number(&mut self, end: usize) -> usize {
        self.0.usize(0..end)
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.number(of.len())]
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.number(one_in) == 0
    }

    /// A user with one of `names` names. States and times go with the name, so that they lie together.
    pub(crate) fn user(&mut self, names: usize) -> IndexedUser {
        let number = self.number(names);
        let username = format!("{}.user_{number}", ["alex", "bob", "frie", "zed"][number * 4 / names]);
        let group = (!self.chance(4)).then(|| self.one(&GROUPS));
        let clustered = [UserStatus::Active, UserStatus::Pending, UserStatus::Deleted][number * 3 / names];
        let state = if self.chance(3) { UserStatus::ALL[self.number(5)] } else { clustered };
        let email = match self.number(4) {
            0 => String::new(),
            1 => format!("{number}@Mail.example"),
            2 => format!("{username}@post.example"),
            _ => format!("u{}@x.test", self.number(9)),
        };
        let registered_at = micros(number / 3 * 1_000);
        IndexedUser {
            username,
            first_name: folded(self.one(&FIRST)),
            last_name: folded(self.one(&LAST)),
            email: folded(&email),
            phone: if self.chance(3) { format!("+49 30 {}", self.number(500)) } else { String::new() },
            group: group.map(|name| (group_id(name), name.to_owned())),
            state,
            roles: if self.chance(20) { Roles::EVERY } else { Roles::BASE },
            must_change_password: self.chance(5),
            registered_at,
            updated_at: micros(self.number(5_000)),
        }
    }

    /// A question, some of it about one of these users.
    pub(crate) fn question(&mut self, users: &[IndexedUser]) -> Question {
        let some = users[self.number(users.len())].clone();
        let words = [
            "a", "f", "e", "ann", "SMITH", "muller", "ΠΑΠΑ", "gross", "x.test", "user_1", "li", "zed", "1",
            "-",
        ];
        let names = [&*some.username, &*some.email, &*some.last_name];
        let search = match self.number(6) {
            0 | 1 => None,
            2 => Some(self.one(&words).to_owned()),
            3 => Some(format!("{} {}", self.one(&words), self.one(&words))),
            4 => Some(self.one(&names).chars().take(1 + self.number(9)).collect()),
            _ => Some(format!("{} {}", self.one(&words), self.one(&names))),
        };
        let states = UserStatus::ALL.into_iter().filter(|_| self.chance(2)).collect();
        let mut instant = |users: &[IndexedUser], time: fn(&IndexedUser) -> Timestamp| {
            self.chance(8).then(|| time(&users[self.number(users.len())]))
        };
        let registered =
            [instant(users, |user| user.registered_at), instant(users, |user| user.registered_at)];
        let updated = [instant(users, |user| user.updated_at), instant(users, |user| user.updated_at)];
        Question {
            search,
            states: self.chance(2).then_some(states),
            groups: self
                .chance(4)
                .then(|| GROUPS.iter().filter(|_| self.0.bool()).map(|name| group_id(name)).collect()),
            email: self.chance(12).then_some(some.email),
            phone: self.chance(12).then_some(some.phone),
            roles: self.chance(8).then(|| vec![Role::ALL[self.number(2)]]),
            must_change_password: self.chance(8).then(|| self.0.bool()),
            registered,
            updated,
            sorting: self.sorting(),
        }
    }

    fn sorting(&mut self) -> Sorting {
        let fields = self.number(3);
        let mut steps: Vec<_> = (0..fields).map(|_| FIELDS[1 + self.number(8)]).collect();
        steps.push(SortField::Username);
        let whole = self.0.bool();
        let mixed = self.chance(3);
        let step = |field| SortStep { field, is_descending: if mixed { self.0.bool() } else { whole } };
        Sorting::try_new(steps.into_iter().map(step).collect()).expect("the username comes last")
    }
}

/// An instant, some of them before 1970.
fn micros(number: usize) -> Timestamp {
    Timestamp::from_micros(i64::try_from(number).expect("a small number") - 500_000)
}

fn group_id(name: &str) -> GroupId {
    GroupId::of(&GroupName::parse(name).expect("letters"))
}
