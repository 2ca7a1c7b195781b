//! A number of users, laid out for lists. It never changes; users that change later are masked by its owner.

use std::collections::BTreeMap;

use domain::actor::{Role, Roles};
use domain::id::GroupId;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;

use crate::bits::Bits;
use crate::columns::{NumberColumn, TextColumn};
use crate::condition::TimeField;
use crate::dictionary::Dictionary;
use crate::found_words::FoundWords;
use crate::postings::{MOST_USERS, Posting, Postings};
use crate::user::{IndexedUser, Tag};

/// Postings from which on the users of a word are kept: setting their bits one by one takes longer than all else.
const MANY: usize = 2_000;

/// Users by number. Numbers follow the usernames.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) usernames: Dictionary,
    pub(crate) first_names: TextColumn,
    pub(crate) last_names: TextColumn,
    pub(crate) emails: TextColumn,
    pub(crate) phones: TextColumn,
    pub(crate) groups: TextColumn,
    /// The group behind each different name; none behind the empty one.
    group_ids: Vec<Option<GroupId>>,
    /// The rank of each group's name.
    pub(crate) group_ranks: BTreeMap<GroupId, u32>,
    pub(crate) states: Vec<u8>,
    pub(crate) by_state: Vec<u32>,
    pub(crate) registered_at: NumberColumn,
    pub(crate) updated_at: NumberColumn,
    /// The users of each tag.
    pub(crate) tagged: [Bits; Tag::NUMBER],
    postings: Postings,
    found_words: FoundWords,
}

impl Segment {
    /// Takes users in the order of their usernames, each once and at most [`MOST_USERS`].
    pub(crate) fn of(users: &[IndexedUser]) -> Self {
        assert!(users.len() <= MOST_USERS, "{} users are too many for a segment", users.len());
        let column =
            |text: fn(&IndexedUser) -> &str| TextColumn::of(&users.iter().map(text).collect::<Vec<_>>());
        let times = |time: fn(&IndexedUser) -> Timestamp| {
            NumberColumn::of(users.iter().map(|user| time(user).micros()).collect())
        };
        let groups = column(IndexedUser::group_name);
        let mut group_ids = vec![None; groups.dictionary.len()];
        let mut tagged: [Bits; Tag::NUMBER] = std::array::from_fn(|_| Bits::none(users.len()));
        for (user, number) in users.iter().zip(0_u32..) {
            group_ids[groups.ranks[number as usize] as usize] = user.group.as_ref().map(|(id, _)| *id);
            for tag in user.tags() {
                tagged[tag.index()].insert(number);
            }
        }
        let group_ranks = group_ids.iter().zip(0..).filter_map(|(id, rank)| Some(((*id)?, rank))).collect();
        let states: Vec<u8> = users.iter().map(|user| user.state as u8).collect();
        let mut by_state: Vec<u32> = (0..).take(users.len()).collect();
        by_state.sort_by_key(|&user| states[user as usize]);
        Self {
            usernames: Dictionary::of(users.iter().map(|user| &*user.username)),
            first_names: column(|user| &user.first_name),
            last_names: column(|user| &user.last_name),
            emails: column(|user| &user.email),
            phones: column(|user| &user.phone),
            groups,
            group_ids,
            group_ranks,
            states,
            by_state,
            registered_at: times(|user| user.registered_at),
            updated_at: times(|user| user.updated_at),
            tagged,
            postings: Postings::of(&users.iter().map(IndexedUser::searched).collect::<Vec<_>>()),
            found_words: FoundWords::default(),
        }
    }

    /// How many users it holds.
    pub(crate) fn len(&self) -> usize {
        self.usernames.len()
    }

    /// Adds the users with a term that begins with the word.
    pub(crate) fn add_found(&self, word: &str, users: &mut Bits) {
        let postings = self.postings.range(word, |posting| self.text(posting));
        let found = || postings.iter().map(|posting| posting.user());
        if postings.len() < MANY {
            return users.extend(found());
        }
        users.add(&self.found_words.get(word, || {
            let mut users = Bits::none(self.len());
            users.extend(found());
            users
        }));
    }

    fn text(&self, posting: Posting) -> String {
        match posting.text() {
            0 => self.usernames.get(posting.user()),
            1 => self.first_names.text(posting.user()),
            2 => self.last_names.text(posting.user()),
            _ => self.emails.text(posting.user()),
        }
    }

    pub(crate) fn times(&self, time: TimeField) -> &NumberColumn {
        match time {
            TimeField::RegisteredAt => &self.registered_at,
            TimeField::UpdatedAt => &self.updated_at,
        }
    }

    /// The user with this number.
    pub(crate) fn user(&self, number: u32) -> IndexedUser {
        let tagged = |tag: Tag| self.tagged[tag.index()].contains(number);
        let group = self.group_ids[self.groups.ranks[number as usize] as usize];
        let roles = Role::ALL.into_iter().filter(|role| tagged(Tag::Role(*role)));
        IndexedUser {
            username: self.usernames.get(number),
            first_name: self.first_names.text(number),
            last_name: self.last_names.text(number),
            email: self.emails.text(number),
            phone: self.phones.text(number),
            group: group.map(|id| (id, self.groups.text(number))),
            state: UserStatus::ALL[usize::from(self.states[number as usize])],
            roles: roles.fold(Roles::from_bits(0), Roles::with),
            must_change_password: tagged(Tag::MustChangePassword),
            registered_at: Timestamp::from_micros(self.registered_at.values[number as usize]),
            updated_at: Timestamp::from_micros(self.updated_at.values[number as usize]),
        }
    }

    /// The bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [&self.first_names, &self.last_names, &self.emails, &self.phones, &self.groups];
        self.usernames.bytes()
            + texts.map(TextColumn::bytes).iter().sum::<usize>()
            + [&self.registered_at, &self.updated_at].map(NumberColumn::bytes).iter().sum::<usize>()
            + self.tagged.iter().map(Bits::bytes).sum::<usize>()
            + self.states.capacity()
            + self.by_state.capacity() * 4
            + self.postings.bytes()
            + self.found_words.bytes()
    }
}
