//! Commands and data with sensible defaults, for tests and benches: each names only the fields that it is about.
//!
//! ```
//! use domain::testing::registration;
//! use domain::user::onboarding::RegisterUser;
//!
//! let command = RegisterUser { email: "nowhere".to_owned(), ..registration("alice") };
//! assert_eq!(command.username, "alice");
//! ```

use log_model::Position;

use crate::actor::{Actor, Client};
use crate::command::{Ask, Command};
use crate::id::GroupId;
use crate::user::onboarding::{CreateUser, RegisterUser};
use crate::user::profile::Personal;

/// A valid registration with every required field. The address is `username@example.com`.
pub fn registration(username: &str) -> RegisterUser {
    RegisterUser {
        username: username.to_owned(),
        first_name: "First".to_owned(),
        last_name: "Last".to_owned(),
        email: format!("{username}@example.com"),
        phone: None,
    }
}

/// A creation by an administrator with nothing but the required fields, and so without an address.
pub fn creation(username: &str, group_id: GroupId) -> CreateUser {
    CreateUser {
        username: username.to_owned(),
        group_id,
        first_name: None,
        last_name: None,
        phone: None,
        email: None,
    }
}

/// Personal data with every field set. The address is `username@example.com`.
pub fn personal(username: &str) -> Personal {
    Personal {
        first_name: Some("First".to_owned()),
        last_name: Some("Last".to_owned()),
        phone: Some("+49 30 1234567".to_owned()),
        email: Some(format!("{username}@example.com")),
    }
}

/// A command of the system itself: nothing is prepared or reserved for it, and it depends on nothing seen.
pub fn command(ask: Ask) -> Command {
    Command {
        id: "command".to_owned(),
        actor: Actor::System,
        client: Client::default(),
        correlation_id: "request".to_owned(),
        traceparent: None,
        ask,
        prepared: None,
        reservation: None,
        seen: Position::new(),
    }
}
