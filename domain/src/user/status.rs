//! A user's lifecycle: as rules need it, with the group, and as the bare status that views show.

use crate::group::GroupRef;

/// The part of a user's state that decides which commands it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lifecycle {
    /// Waits for approval.
    Pending,
    /// Gets in. The first administrator has no group.
    Active(Option<GroupRef>),
    /// Gets in nowhere until reactivated.
    Suspended(Option<GroupRef>),
    /// Rejected. The name may be registered again.
    Rejected,
    /// Deleted for good. The name stays taken.
    Deleted,
}

impl Lifecycle {
    /// The group of an approved user.
    pub fn group(&self) -> Option<&GroupRef> {
        match self {
            Self::Active(group) | Self::Suspended(group) => group.as_ref(),
            Self::Pending | Self::Rejected | Self::Deleted => None,
        }
    }

    /// The bare status.
    pub fn status(&self) -> UserStatus {
        match self {
            Self::Pending => UserStatus::Pending,
            Self::Active(_) => UserStatus::Active,
            Self::Suspended(_) => UserStatus::Suspended,
            Self::Rejected => UserStatus::Rejected,
            Self::Deleted => UserStatus::Deleted,
        }
    }
}

/// The status of a user, as views and portals show it. Declared in the order in which lists sort it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserStatus {
    /// Waits for approval.
    Pending,
    /// Gets in.
    Active,
    /// Gets in nowhere until reactivated.
    Suspended,
    /// Rejected by an administrator.
    Rejected,
    /// Deleted for good.
    Deleted,
}

impl UserStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Active, Self::Suspended, Self::Rejected, Self::Deleted];

    /// The status's name in the audit log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Rejected => "rejected",
            Self::Deleted => "deleted",
        }
    }

    /// The number that databases store.
    pub const fn number(self) -> i16 {
        match self {
            Self::Pending => 0,
            Self::Active => 1,
            Self::Suspended => 2,
            Self::Rejected => 3,
            Self::Deleted => 4,
        }
    }

    /// The status with this number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }
}
