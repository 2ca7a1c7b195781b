//! The services that ask for access checks.

use domain::credential::Scope;
use serde::Deserialize;

/// The service that a credential is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Service {
    /// SFTP servers.
    Sftp,
    /// HTTP mailboxes.
    Mailbox,
    /// API gateways.
    Gateway,
    /// Remote file agents. They take tokens alone.
    Agent,
    /// The portals. They take no tokens.
    Portal,
    /// The feeds of events, which Muster itself serves: nobody else asks for them.
    #[serde(skip)]
    Events,
}

impl Service {
    /// The name in requests, metrics and the audit log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sftp => "sftp",
            Self::Mailbox => "mailbox",
            Self::Gateway => "gateway",
            Self::Agent => "agent",
            Self::Portal => "portal",
            Self::Events => "events",
        }
    }

    /// The scope that a token needs; `None` where no token is accepted.
    pub(crate) const fn scope(self) -> Option<Scope> {
        match self {
            Self::Sftp => Some(Scope::Sftp),
            Self::Mailbox => Some(Scope::Mailbox),
            Self::Gateway => Some(Scope::Gateway),
            Self::Agent => Some(Scope::Agent),
            Self::Events => Some(Scope::Events),
            Self::Portal => None,
        }
    }
}
