//! What every request shares: configuration, views, the route to the owners, and the services built on them.

use std::sync::Arc;

use event_feed::Feeds;
use read_model::ReadModel;

use crate::access::{AccessCheck, Freshness};
use crate::access_records::AccessRecorder;
use crate::authentication::Authenticator;
use crate::commands::CommandRoute;
use crate::config::Config;
use crate::pace::ResponsePacer;
use crate::rate::AddressRateLimiter;
use crate::readers::Readers;
use crate::rehash::Rehasher;
use crate::secrets::{Cost, Hasher, InvalidCost};
use crate::sessions::Sessions;
use crate::webhook_support::WebhookSupport;

/// What every request shares.
pub(crate) struct Gateway {
    pub(crate) config: Config,
    pub(crate) views: ReadModel,
    /// Number of partitions of the log.
    pub(crate) partitions: u32,
    pub(crate) commands: Arc<dyn CommandRoute>,
    pub(crate) recorder: AccessRecorder,
    pub(crate) hasher: Arc<Hasher>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) rehasher: Rehasher,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) access: Arc<AccessCheck>,
    pub(crate) readers: Arc<Readers>,
    pub(crate) registrations: AddressRateLimiter,
    pub(crate) registration_pacer: ResponsePacer,
    pub(crate) webhooks: WebhookSupport,
}

impl Gateway {
    pub(crate) fn try_new(
        config: Config,
        views: ReadModel,
        partitions: u32,
        commands: Arc<dyn CommandRoute>,
        recorder: AccessRecorder,
        freshness: Freshness,
        feeds: Feeds,
    ) -> Result<Self, InvalidCost> {
        let hasher = Arc::new(Hasher::try_new(Cost::of(&config), config.password_queue.get())?);
        let authenticator =
            Arc::new(Authenticator::new(views.clone(), Arc::clone(&hasher), recorder.clone()));
        let sessions = Arc::new(Sessions::new(views.clone(), &config));
        let access = Arc::new(AccessCheck::new(
            views.clone(),
            Arc::clone(&authenticator),
            Arc::clone(&sessions),
            partitions,
            freshness,
        ));
        Ok(Self {
            webhooks: WebhookSupport::new(feeds.clone()),
            readers: Arc::new(Readers::new(feeds, Arc::clone(&access), &config)),
            access,
            rehasher: Rehasher {
                hasher: Arc::clone(&hasher),
                commands: Arc::clone(&commands),
                command_deadline: config.command_deadline,
            },
            registrations: AddressRateLimiter::new(config.registrations_per_address),
            registration_pacer: ResponsePacer::default(),
            config,
            views,
            partitions,
            commands,
            recorder,
            hasher,
            authenticator,
            sessions,
        })
    }
}
