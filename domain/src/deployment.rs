//! The deployment's own event: who its first administrator is. It is stored among the group events, under its own key.

use serde::{Deserialize, Serialize};

use crate::id::UserId;
use crate::refusal::{Code, Refusal};

/// Key and subject of the record.
pub const SUBJECT: &str = "deployment";

/// The deployment has its first administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Initialised {
    /// The first administrator.
    #[serde(rename = "userId")]
    pub user_id: UserId,
    /// Their username.
    #[serde(rename = "username")]
    pub username: String,
}

crate::wire::wire_events! {
    /// What can have happened to the deployment.
    pub enum Event {
        /// The deployment has its first administrator.
        Initialised(Initialised) = "muster.deployment.initialised",
    }
}

/// The event that makes this user the first administrator. `None` when the user is that already.
///
/// When several try, the first one in the log wins.
pub fn initialise(
    before: Option<&Initialised>,
    user_id: UserId,
    username: &str,
) -> Result<Option<Initialised>, Refusal> {
    match before {
        None => Ok(Some(Initialised { user_id, username: username.to_owned() })),
        Some(first) if first.user_id == user_id => Ok(None),
        Some(first) => Err(Refusal::new(
            Code::AlreadyInitialised,
            format!("This deployment was initialised with the administrator `{}`.", first.username),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Username;

    #[test]
    fn of_two_who_initialise_the_first_wins() {
        let id = |name| UserId::of(&Username::parse(name).unwrap());
        let first = initialise(None, id("ada"), "ada").unwrap().unwrap();
        assert_eq!(initialise(Some(&first), id("ada"), "ada"), Ok(None));
        let refused = initialise(Some(&first), id("eve"), "eve").unwrap_err();
        assert_eq!(refused.code, Code::AlreadyInitialised);
    }
}
