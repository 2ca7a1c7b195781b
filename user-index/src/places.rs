//! The place of a user in an order, as numbers that compare as users do in one segment.

use crate::dictionary::Dictionary;
use crate::segment::Segment;
use crate::sorting::{MOST_STEPS, SortField, SortStep, SortValue, Sorting};

/// A place. The numbers of descending steps are turned round, so that the first place is always the least.
pub(crate) type SortedPlace = [u64; MOST_STEPS];

/// Where the numbers of a step come from.
#[derive(Clone, Copy)]
pub(crate) enum Numbers<'a> {
    /// The number of the user, which follows the username.
    OfUser,
    /// The ranks of texts.
    Ranks(&'a [u32], &'a Dictionary),
    /// The numbers of states.
    States(&'a [u8]),
    /// Instants.
    Times(&'a [i64]),
}

impl Numbers<'_> {
    pub(crate) fn of(self, user: u32) -> u64 {
        match self {
            // Odd, so that texts that nobody has here stand between them.
            Self::OfUser => u64::from(user) * 2 + 1,
            Self::Ranks(ranks, _) => u64::from(ranks[user as usize]) * 2 + 1,
            Self::States(states) => states[user as usize].into(),
            Self::Times(times) => ascending(times[user as usize]),
        }
    }
}

/// Turns a number round if the step is descending.
pub(crate) fn turned(step: SortStep, number: u64) -> u64 {
    if step.is_descending { !number } else { number }
}

/// A number without a sign, in the same order.
fn ascending(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

/// The steps of an order, each with its numbers in one segment.
pub(crate) struct Steps<'a>(Vec<(SortStep, Numbers<'a>)>);

impl<'a> Steps<'a> {
    /// Where a user stands.
    pub(crate) fn place(&self, user: u32) -> SortedPlace {
        let mut place = [0; MOST_STEPS];
        for (part, (step, numbers)) in place.iter_mut().zip(&self.0) {
            *part = turned(*step, numbers.of(user));
        }
        place
    }

    /// The first step.
    pub(crate) fn first(&self) -> (SortStep, Numbers<'a>) {
        self.0[0]
    }
}

impl Segment {
    /// The steps of an order.
    pub(crate) fn steps(&self, sorting: &Sorting) -> Steps<'_> {
        Steps(sorting.steps().iter().map(|step| (*step, self.numbers(step.field))).collect())
    }

    /// Where a user with these values would stand.
    pub(crate) fn place_of(&self, sorting: &Sorting, values: &[SortValue]) -> SortedPlace {
        let between = |dictionary: &Dictionary, text: &str| match dictionary.find(text) {
            Ok(rank) => u64::from(rank) * 2 + 1,
            Err(rank) => u64::from(rank) * 2,
        };
        let mut place = [0; MOST_STEPS];
        for (part, (step, value)) in place.iter_mut().zip(sorting.steps().iter().zip(values)) {
            let number = match (self.numbers(step.field), value) {
                (Numbers::OfUser, SortValue::Text(name)) => between(&self.usernames, name),
                (Numbers::Ranks(_, dictionary), SortValue::Text(text)) => between(dictionary, text),
                (Numbers::States(_), SortValue::Number(state)) => u64::try_from(*state).unwrap_or_default(),
                (Numbers::Times(_), SortValue::Number(time)) => ascending(*time),
                // Texts are above numbers.
                (_, SortValue::Text(_)) => u64::MAX,
                (_, SortValue::Number(_)) => 0,
            };
            *part = turned(*step, number);
        }
        place
    }

    /// The values of a user.
    pub(crate) fn values(&self, sorting: &Sorting, user: u32) -> Vec<SortValue> {
        let values = sorting.steps().iter().map(|step| match self.numbers(step.field) {
            Numbers::OfUser => SortValue::Text(self.usernames.get(user)),
            Numbers::Ranks(ranks, texts) => SortValue::Text(texts.get(ranks[user as usize])),
            Numbers::States(states) => SortValue::Number(states[user as usize].into()),
            Numbers::Times(times) => SortValue::Number(times[user as usize]),
        });
        values.collect()
    }

    fn numbers(&self, field: SortField) -> Numbers<'_> {
        let texts = match field {
            SortField::Username => return Numbers::OfUser,
            SortField::State => return Numbers::States(&self.states),
            SortField::RegisteredAt => return Numbers::Times(&self.registered_at.values),
            SortField::UpdatedAt => return Numbers::Times(&self.updated_at.values),
            SortField::FirstName => &self.first_names,
            SortField::LastName => &self.last_names,
            SortField::Email => &self.emails,
            SortField::Phone => &self.phones,
            SortField::Group => &self.groups,
        };
        Numbers::Ranks(&texts.ranks, &texts.dictionary)
    }

    /// The users by this field and then by number; `None` for the username, whose order is that of the numbers.
    pub(crate) fn by(&self, field: SortField) -> Option<&[u32]> {
        Some(match field {
            SortField::Username => return None,
            SortField::FirstName => &self.first_names.order,
            SortField::LastName => &self.last_names.order,
            SortField::Email => &self.emails.order,
            SortField::Phone => &self.phones.order,
            SortField::Group => &self.groups.order,
            SortField::State => &self.by_state,
            SortField::RegisteredAt => &self.registered_at.order,
            SortField::UpdatedAt => &self.updated_at.order,
        })
    }
}
