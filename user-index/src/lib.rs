//! The users grid in memory: any filter, any order, any page of any list, and exact counts, each in a few milliseconds at
//! a million users (`docs/adr/0017-users-grid-in-memory.md`).
//!
//! A [`UserIndex`] is a value: it holds all users at one moment, and a change of users makes another one. Nothing here
//! reads a database, and nothing here knows where users come from. Answers are usernames; the caller reads the rows.
//!
//! ```
//! use user_index::{Condition, PageRequest, SortField, SortStep, Sorting, UserIndex, search};
//! # use domain::{actor::Roles, timestamp::Timestamp, user::UserStatus};
//! # let user = |username: &str, last_name: &str| user_index::IndexedUser {
//! #     username: username.into(), first_name: String::new(), last_name: last_name.into(), email: String::new(),
//! #     phone: String::new(), group: None, state: UserStatus::Active, roles: Roles::BASE, must_change_password: false,
//! #     registered_at: Timestamp::MIN, updated_at: Timestamp::MIN,
//! # };
//!
//! let index = UserIndex::default().with([user("zoe", "archer"), user("ann", "archer"), user("bob", "young")]);
//! let filter: Vec<_> = search::words(Some("Arch")).into_iter().map(Condition::Word).collect();
//! assert_eq!(index.count(&filter), 2);
//!
//! let step = |field| SortStep { field, is_descending: false };
//! let sorting = Sorting::try_new(vec![step(SortField::LastName), step(SortField::Username)]).unwrap();
//! let first = PageRequest { sorting: &sorting, after: None, before: None, most: 10 };
//! assert_eq!(index.page(&filter, &first).usernames, ["ann", "zoe"]);
//! ```

mod bits;
mod columns;
mod condition;
mod dictionary;
mod found_words;
mod index;
mod matching;
mod merging;
mod places;
mod postings;
mod recent;
pub mod search;
mod segment;
mod selection;
mod sorting;
mod user;

pub use condition::{Condition, TimeField};
pub use index::{IndexPage, UserIndex};
pub use merging::{Merge, Merged};
pub use selection::PageRequest;
pub use sorting::{SortField, SortStep, SortValue, Sorting};
pub use user::IndexedUser;
