//! The order of a list, and the place of a user in it.

use std::cmp::Ordering;

use crate::user::IndexedUser;

/// What users are sorted by. Texts compare by their bytes, folded; users without one come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortField {
    /// The username. No two users share one.
    Username,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// E-mail address.
    Email,
    /// Phone number.
    Phone,
    /// Name of the group.
    Group,
    /// Status, by its number.
    State,
    /// When the name was registered.
    RegisteredAt,
    /// The time of the last change.
    UpdatedAt,
}

/// A field to sort by, and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortStep {
    /// The field.
    pub field: SortField,
    /// Whether the greatest comes first.
    pub is_descending: bool,
}

/// A total order of users: up to two fields, then the username.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sorting(Vec<SortStep>);

/// Most steps of an order, the username's included.
pub(crate) const MOST_STEPS: usize = 3;

/// The value of a field, as a cursor names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortValue {
    /// A text.
    Text(String),
    /// A number: a state's, or microseconds since 1970.
    Number(i64),
}

impl Sorting {
    /// An order by these steps. `None` unless the last one is by username, and with more than three.
    pub fn try_new(steps: Vec<SortStep>) -> Option<Self> {
        let is_total = steps.last().is_some_and(|step| step.field == SortField::Username);
        (is_total && steps.len() <= MOST_STEPS).then_some(Self(steps))
    }

    /// The steps, the most significant first.
    pub fn steps(&self) -> &[SortStep] {
        &self.0
    }

    /// The same list, read from its end.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let turned = |step: &SortStep| SortStep { is_descending: !step.is_descending, ..*step };
        Self(self.0.iter().map(turned).collect())
    }

    /// The place of a user in the order.
    pub fn values(&self, user: &IndexedUser) -> Vec<SortValue> {
        self.0.iter().map(|step| step.field.value(user)).collect()
    }

    /// Compares two places.
    pub(crate) fn compare(&self, one: &[SortValue], other: &[SortValue]) -> Ordering {
        let mut steps = self.0.iter().zip(one.iter().zip(other));
        let unequal = steps.find_map(|(step, (one, other))| match one.cmp(other) {
            Ordering::Equal => None,
            ascending if step.is_descending => Some(ascending.reverse()),
            ascending => Some(ascending),
        });
        unequal.unwrap_or(Ordering::Equal)
    }
}

impl SortField {
    fn value(self, user: &IndexedUser) -> SortValue {
        let text = |text: &str| SortValue::Text(text.to_owned());
        match self {
            Self::Username => text(&user.username),
            Self::FirstName => text(&user.first_name),
            Self::LastName => text(&user.last_name),
            Self::Email => text(&user.email),
            Self::Phone => text(&user.phone),
            Self::Group => text(user.group_name()),
            Self::State => SortValue::Number(user.state.number().into()),
            Self::RegisteredAt => SortValue::Number(user.registered_at.micros()),
            Self::UpdatedAt => SortValue::Number(user.updated_at.micros()),
        }
    }
}
