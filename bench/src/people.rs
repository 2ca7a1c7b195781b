//! Users with varied names, any number of them, and the same ones each time: the log's events and the views' rows.

use domain::actor::Roles;
use domain::group::GroupRef;
use domain::id::{GroupId, UserId};
use domain::names::{GroupName, Username};
use domain::timestamp::Timestamp;
use domain::user::agent::UfaConfig;
use domain::user::lifecycle::{Deleted, Suspended};
use domain::user::onboarding::{Approved, Origin, Registered, Rejected};
use domain::user::profile::Personal;
use domain::user::{Event, UserStatus};
use read_model::users::UserRow;

const FIRST: [&str; 48] = [
    "Alexandra",
    "Anna",
    "Ärmel",
    "Beatriz",
    "Ben",
    "Bruno",
    "Chidi",
    "Clara",
    "Dagmar",
    "Dmitri",
    "Élise",
    "Émile",
    "Fatima",
    "Friederike",
    "Gustav",
    "Hana",
    "Ibrahim",
    "Ines",
    "Ivan",
    "Jakub",
    "Joana",
    "Jürgen",
    "Kateryna",
    "Kenji",
    "Lars",
    "Leïla",
    "Lin",
    "Lucía",
    "Marek",
    "Maria",
    "Mei",
    "Mohammed",
    "Νίκος",
    "Noah",
    "Olga",
    "Oskar",
    "Paula",
    "Priya",
    "Quentin",
    "Rosa",
    "Søren",
    "Tariq",
    "Ulrike",
    "Viktor",
    "Wanda",
    "Xavier",
    "Yusuf",
    "Zoë",
];
const LAST: [&str; 40] = [
    "Adeyemi",
    "Archer",
    "Baumann",
    "Berg",
    "Carvalho",
    "Chen",
    "Dubois",
    "Eriksson",
    "Fernández",
    "Fischer",
    "García",
    "Groß",
    "Haddad",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Larsen",
    "Li",
    "Lindqvist",
    "Marino",
    "Montgomery",
    "Müller",
    "Nakamura",
    "Novák",
    "O'Neill",
    "Okafor",
    "Olsen",
    "Παπαδόπουλος",
    "Petrov",
    "Quist",
    "Rossi",
    "Sánchez",
    "Schmidt",
    "Smith",
    "Tanaka",
    "Tran",
    "Ueda",
    "van den Berg",
    "Weber",
    "Young",
];
const ENDINGS: [&str; 16] = [
    "", "", "", "", "son", "mann", "ez", "ova", "ini", "sen", "ski", "er", "-Smith", "-Li", "-Weber", "-Tran",
];
const DOMAINS: [&str; 12] = [
    "example.com",
    "mail.example.com",
    "example.org",
    "post.example.net",
    "acme.example",
    "globex.example",
    "initech.example",
    "freight.example",
    "harbour.example",
    "north.example",
    "clearing.example",
    "xn.example",
];
/// Groups, the large ones first.
const GROUPS: u64 = 40;
/// The last users of all are partners: their names lie together, and so do their registrations.
const PARTNERS: u64 = 33;

/// A user.
pub struct Person {
    /// The row of the views, without its place in the log.
    pub row: UserRow,
    /// The events that lead to it.
    pub events: Vec<Event>,
}

/// The user with this number, of `of` users.
pub fn person(number: u64, of: u64) -> Person {
    let mut random = Random(number);
    let first = random.one(&FIRST);
    let last = format!("{}{}", random.one(&LAST), ENDINGS[random.below(16)]);
    let is_partner = number >= of - of / PARTNERS;
    let username =
        Username::parse(&username(first, &last, number, is_partner)).expect("letters, dots and digits");
    let group = group(random.skewed(GROUPS));
    let state = match random.below(1_000) {
        0..900 => UserStatus::Active,
        900..940 => UserStatus::Pending,
        940..965 => UserStatus::Suspended,
        965..975 => UserStatus::Rejected,
        _ => UserStatus::Deleted,
    };
    let registered_at = at(number * 1_000_000);
    let updated_at = at(of * 1_000_000 + random.next() % (of * 1_000_000));
    let is_deleted = state == UserStatus::Deleted;
    let domain = DOMAINS[usize::try_from(random.skewed(12)).expect("small")];
    let text = |text: String| (!is_deleted).then_some(text);
    let personal = Personal {
        first_name: Some(first.to_owned()),
        last_name: Some(last),
        phone: (random.below(3) > 0).then(|| format!("+49 30 {:07}", random.next() % 10_000_000)),
        email: Some(format!("{username}@{domain}")),
    };
    let is_in = matches!(state, UserStatus::Active | UserStatus::Suspended);
    let row = UserRow {
        id: UserId::of(&username),
        username: username.to_string(),
        first_name: personal.first_name.clone().and_then(text),
        last_name: personal.last_name.clone().and_then(text),
        phone: personal.phone.clone().and_then(text),
        email: personal.email.clone().and_then(text),
        group: is_in.then(|| group.clone()),
        state,
        state_reason: matches!(state, UserStatus::Suspended | UserStatus::Rejected)
            .then(|| REASON.to_owned()),
        roles: Roles::BASE,
        must_change_password: false,
        registered_at,
        updated_at,
        version: 1,
        partition: 0,
        log_offset: 0,
        config: UfaConfig::default(),
        ufa_version: 1,
        ufa_updated_at: registered_at,
    };
    let registered = Registered { username: username.to_string(), origin: Origin::OneSelf, personal };
    let mut events: Vec<Event> = vec![registered.into()];
    if is_in {
        events.push(Approved { group: Some(group) }.into());
    }
    match state {
        UserStatus::Suspended => events.push(Suspended { reason: REASON.to_owned() }.into()),
        UserStatus::Rejected => events.push(Rejected { reason: REASON.to_owned() }.into()),
        UserStatus::Deleted => events.push(Deleted {}.into()),
        UserStatus::Pending | UserStatus::Active => {}
    }
    let version = events.len() as u64;
    Person { row: UserRow { version, ..row }, events }
}

const REASON: &str = "left the company";

fn username(first: &str, last: &str, number: u64, is_partner: bool) -> String {
    let plain =
        |name: &str| name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
    if is_partner {
        format!("partner-{number}")
    } else {
        format!("{}x.{}{number}", plain(first), plain(last))
    }
}

fn group(number: u64) -> GroupRef {
    let name = format!("group-{number:02}");
    GroupRef { id: GroupId::of(&GroupName::parse(&name).expect("letters and digits")), name }
}

fn at(micros: u64) -> Timestamp {
    Timestamp::from_micros(1_600_000_000_000_000 + i64::try_from(micros).expect("far below"))
}

/// Numbers that look random (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> usize {
        usize::try_from(self.next() % end).expect("small")
    }

    /// A number below `end`; small ones come more often.
    fn skewed(&mut self, end: u64) -> u64 {
        let (one, other, third) = (self.next() % end, self.next() % end, self.next() % end);
        one.min(other).min(third)
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let place = self.skewed(of.len() as u64);
        of[usize::try_from(place).expect("small")]
    }
}
