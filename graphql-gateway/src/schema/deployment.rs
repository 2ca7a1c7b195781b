//! The GraphQL types of what everybody may know of a deployment before signing in.

use async_graphql::{Enum, SimpleObject};
use domain::actor::Actor;
use domain::id::UserId;
use domain::policy;
use domain::user::Action;
use uuid::Uuid;

use super::scalar::int;
use crate::config::Config;
use crate::secrets;

/// What everybody may know of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct Deployment {
    /// What the operator calls it.
    name: String,
    /// The version of Muster.
    version: &'static str,
    /// What chosen passwords have to be like.
    password_policy: PasswordPolicy,
    /// Whether people may register themselves.
    registration: RegistrationMode,
    /// Whether Muster can send mail.
    mail_configured: bool,
    /// Whether this is a server for development, with GraphiQL and introspection.
    dev: bool,
}

/// What a chosen password has to be like. Easily guessed ones are refused, too, and those built from the username, the
/// address or the name of the product.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct PasswordPolicy {
    /// Fewest characters: code points after normalisation (NFC).
    minimum_length: i32,
    /// Most characters: code points after normalisation (NFC).
    maximum_length: i32,
}

/// How people come to register. Later releases may add values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum RegistrationMode {
    /// Everybody may register themselves.
    Open,
    /// Nobody may: administrators create users.
    Closed,
}

impl Deployment {
    pub(crate) fn of(config: &Config) -> Self {
        // The policy doesn't look at who registers, because nobody may know whether they exist.
        let anybody = UserId::from_uuid(Uuid::nil());
        let open = policy::may_ask(&Actor::Anonymous, Action::RegisterUser, anybody);
        Self {
            name: config.deployment_name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            password_policy: PasswordPolicy {
                minimum_length: int(u64::from(secrets::SHORTEST_PASSWORD)),
                maximum_length: int(u64::from(secrets::LONGEST_PASSWORD)),
            },
            registration: if open { RegistrationMode::Open } else { RegistrationMode::Closed },
            // There is no way to send mail yet.
            mail_configured: false,
            dev: config.is_dev(),
        }
    }
}
