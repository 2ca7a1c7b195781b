//! What a list of users is sorted by.

/// An order of users. Users without a value come first, or last when descending. Ties of the last key are ordered by
/// username, in the same direction. A second key of the same field is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserOrder {
    /// The first key.
    pub by: UserSortKey,
    /// The key that orders ties of the first.
    pub then: Option<UserSortKey>,
}

/// What users are sorted by, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserSortKey {
    /// The field.
    pub field: UserSortField,
    /// Whether the greatest comes first.
    pub is_descending: bool,
}

/// A field to sort users by. Texts are compared case-folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserSortField {
    /// The username.
    Username,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// E-mail address.
    Email,
    /// Phone number: its digits and `+`.
    Phone,
    /// Name of the group.
    Group,
    /// Status, in the order of [`UserStatus`](domain::user::UserStatus).
    State,
    /// When the name was registered.
    RegisteredAt,
    /// The time of the last change.
    UpdatedAt,
}

impl UserSortField {
    /// Every field.
    pub const ALL: [Self; 9] = [
        Self::Username,
        Self::FirstName,
        Self::LastName,
        Self::Email,
        Self::Phone,
        Self::Group,
        Self::State,
        Self::RegisteredAt,
        Self::UpdatedAt,
    ];
}

impl UserOrder {
    /// By username, ascending.
    pub const USERNAME: Self = Self::new(UserSortField::Username, false);

    /// By one field.
    pub const fn new(field: UserSortField, is_descending: bool) -> Self {
        Self { by: UserSortKey { field, is_descending }, then: None }
    }

    /// The order, with ties ordered by a second field.
    #[must_use]
    pub const fn then(self, field: UserSortField, is_descending: bool) -> Self {
        Self { then: Some(UserSortKey { field, is_descending }), ..self }
    }
}
