//! The commands that are measured.

use domain::actor::{Actor, Client};
use domain::address::Claim;
use domain::command::{Ask, Command};
use domain::id::{AddressId, ClaimId, UserId};
use domain::position::Position;
use domain::user::{self, onboarding::RegisterUser};
use domain::username::Username;
use uuid::Uuid;

/// A registration under a name that `run` and `number` make unique.
pub fn register(run: &str, number: u64) -> Command {
    let name = format!("{run}-{number}");
    let username = Username::parse(&name).expect("letters, digits and a dash");
    let email = format!("{name}@example.com");
    let claim = Claim { id: ClaimId::from_uuid(Uuid::now_v7()), address: AddressId::of(&email) };
    let asked = RegisterUser {
        username: name.clone(),
        first_name: "Alexandra".to_owned(),
        last_name: "Montgomery".to_owned(),
        email,
        phone: Some("+49 30 1234567".to_owned()),
    };
    Command {
        id: name.clone(),
        actor: Actor::Anonymous,
        client: Client { address: Some("127.0.0.1".to_owned()), agent: Some("bench".to_owned()) },
        correlation_id: name,
        traceparent: None,
        ask: Ask::User {
            id: UserId::of(&username),
            expected_version: None,
            command: user::Command::RegisterUser(asked),
        },
        made: None,
        // As if it had been granted: what is measured is the owner of the user.
        claim: Some(claim),
        seen: Position::new(),
    }
}

/// A word that no earlier run on the same servers had: the microsecond it began.
pub fn run_name() -> String {
    let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
    format!("b{now}")
}
