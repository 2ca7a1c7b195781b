//! Which credential passes where, and whether the views know enough to say.

use std::net::IpAddr;

use axum::http::HeaderMap;
use domain::access::FailedBecause;
use domain::actor::Client;
use domain::credential::Kind;
use domain::group::GroupRef;
use domain::id::{TokenId, UserId};
use domain::names::Username;
use domain::user::UserStatus;
use ipnet::IpNet;
use log_model::partition;
use log_model::{Stream, StreamPartition};
use read_model::credentials::Holder;
use read_model::progress::Health;
use secrecy::SecretString;

use crate::authentication::{Attempt, No, Proved};
use crate::clock::now;
use crate::error::api::Fault;
use crate::gateway::Gateway;
use crate::headers::{Authorization, authorization};
use crate::http::Frame;
use crate::http::access::Service;

/// Somebody who may pass.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) user: UserId,
    pub(crate) username: String,
    pub(crate) group: Option<GroupRef>,
    pub(crate) token: Option<TokenId>,
}

/// Why somebody may not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Unknown or wrong: one answer for both.
    Unproved,
    /// Known, and may not pass here.
    Forbidden,
    /// Too many failures before.
    TooOften { retry_after_ms: u64 },
    /// It can't be known at the moment.
    Unknown { retry_after_ms: u64 },
}

impl Gateway {
    /// Whether what a request shows may pass for a service.
    pub(crate) async fn decide(
        &self,
        headers: &HeaderMap,
        frame: &Frame,
        service: Service,
    ) -> Result<Passed, Stopped> {
        let Frame { client, correlation_id, .. } = frame;
        let attempt = Attempt { service: service.name(), client, correlation_id };
        match authorization(headers) {
            Authorization::Basic(name, secret) => match name.parse::<TokenId>() {
                Ok(id) => self.token_passes(id, &secret, service, &attempt).await,
                Err(_) => self.password_passes(&name, &secret, service, &attempt).await,
            },
            Authorization::Bearer(token) => self.session_passes(&token, service).await,
            Authorization::None | Authorization::Other => Err(Stopped::Unproved),
        }
    }

    async fn token_passes(
        &self,
        id: TokenId,
        secret: &SecretString,
        service: Service,
        attempt: &Attempt<'_>,
    ) -> Result<Passed, Stopped> {
        let proved = match self.token(id, secret, attempt).await {
            Ok(proved) => proved,
            Err(no) => {
                // Whose a token would be that the views don't know can't be told: all of them have to be up to date.
                (0..self.log.partitions()).try_for_each(|partition| self.fresh(partition))?;
                return Err(no.into());
            }
        };
        self.fresh(proved.holder.partition)?;
        if let Some(no) = barrier(&proved, service, attempt.client) {
            self.failed(proved.holder.id.to_string(), no, attempt);
            return Err(Stopped::Forbidden);
        }
        self.token_passed(id, attempt.client, service.scope());
        Ok(Passed::new(proved.holder, Some(id)))
    }

    async fn password_passes(
        &self,
        name: &str,
        password: &SecretString,
        service: Service,
        attempt: &Attempt<'_>,
    ) -> Result<Passed, Stopped> {
        if let Ok(username) = Username::parse(name) {
            self.fresh(partition::of(UserId::of(&username).uuid(), self.log.partitions()))?;
        }
        let proved = self.password(name, password, attempt).await?;
        let no = match service {
            _ if proved.credential.kind.must_change() => Some(FailedBecause::MustChange),
            Service::Agent => Some(FailedBecause::WrongScope),
            _ => None,
        };
        if let Some(no) = no {
            self.failed(proved.holder.id.to_string(), no, attempt);
            return Err(Stopped::Forbidden);
        }
        self.signed_in(&proved, attempt);
        Ok(Passed::new(proved.holder, None))
    }

    async fn session_passes(&self, token: &SecretString, service: Service) -> Result<Passed, Stopped> {
        let session = self.sessions().find(token).await?.ok_or(Stopped::Unproved)?;
        self.fresh(session.partition)?;
        if session.must_change_password || service == Service::Agent {
            return Err(Stopped::Forbidden);
        }
        Ok(Passed { user: session.id, username: session.username, group: session.group, token: None })
    }

    /// Whether the views know what happened to the users of a partition until a moment ago.
    fn fresh(&self, partition: u32) -> Result<(), Stopped> {
        let now = now();
        let is_fresh = |stream| {
            let place = StreamPartition::new(stream, partition);
            match self.views.progress().health(place, now, self.config.access_staleness) {
                Health::Confirmed => true,
                // Nobody can say what the log holds by now; for a while that is better than to let nobody in.
                Health::Unreachable(since) => since + self.config.access_grace > now,
                Health::Stale(_) | Health::Halted => false,
            }
        };
        if [Stream::UserEvents, Stream::Credentials].into_iter().all(is_fresh) {
            Ok(())
        } else {
            Err(Stopped::Unknown { retry_after_ms: 1_000 })
        }
    }
}

/// What keeps the holder of a proved token from passing here.
fn barrier(proved: &Proved, service: Service, client: &Client) -> Option<FailedBecause> {
    let Kind::Token { scopes, allowed_networks, .. } = &proved.credential.kind else {
        return Some(FailedBecause::WrongScope);
    };
    if proved.holder.state != UserStatus::Active {
        Some(FailedBecause::NotActive)
    } else if !service.scope().is_some_and(|scope| scopes.contains(&scope)) {
        Some(FailedBecause::WrongScope)
    } else if !is_within(client, allowed_networks) {
        Some(FailedBecause::WrongNetwork)
    } else {
        None
    }
}

/// Whether the caller's address lies in one of the networks; no networks are all of them.
fn is_within(client: &Client, networks: &[IpNet]) -> bool {
    let address: Option<IpAddr> = client.address.as_deref().and_then(|text| text.parse().ok());
    networks.is_empty()
        || address.is_some_and(|address| networks.iter().any(|network| network.contains(&address)))
}

impl Passed {
    fn new(holder: Holder, token: Option<TokenId>) -> Self {
        Self { user: holder.id, username: holder.username, group: holder.group, token }
    }
}

impl From<No> for Stopped {
    fn from(no: No) -> Self {
        match no {
            No::Because(FailedBecause::NotActive) => Self::Forbidden,
            No::Because(_) => Self::Unproved,
            No::Delayed { retry_after_ms } => Self::TooOften { retry_after_ms },
            No::Failed(fault) => fault.into(),
        }
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unavailable { retry_after_ms } => Self::Unknown { retry_after_ms },
            _ => Self::Unknown { retry_after_ms: 1_000 },
        }
    }
}
