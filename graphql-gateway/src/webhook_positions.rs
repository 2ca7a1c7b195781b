//! Positions of webhooks: where one begins, and how far it is.

use std::sync::Arc;

use domain::refusal::{Code, Refusal};
use event_feed::{FeedError, FeedKind, FeedPosition, FeedReader, Selection, StartAt};
use log_model::{Position, Stream, StreamPartition};
use read_model::webhook_cursors::WebhookCheckpoint;
use read_model::webhooks::WebhookRow;

use crate::error::{ApiError, MutationError};
use crate::gateway::Gateway;

/// The text that stands for the beginning of the log.
const START: &str = "start";

/// The position after which a webhook begins: what the caller wrote, or where the log ends now.
pub(crate) async fn begin_after(
    gateway: &Arc<Gateway>,
    given: Option<&str>,
) -> Result<Position, MutationError> {
    let refuse = |code, message: &str| MutationError::from(Refusal::new(code, message).at("after"));
    let start = match given {
        None => StartAt::Now,
        Some(START) => StartAt::Beginning,
        Some(text) => StartAt::After(
            text.parse()
                .map_err(|_| refuse(Code::InvalidFormat, "This is not a position of the users' events."))?,
        ),
    };
    let reader = gateway.webhooks.feeds.open(FeedKind::Users, start, Selection::default()).await;
    let position = match reader {
        Ok(reader) => here(&reader)?,
        Err(FeedError::Gone) => {
            let message = "This position is of another log, or beyond the end of this one.";
            return Err(refuse(Code::OutOfRange, message));
        }
        Err(FeedError::OtherFeed) => {
            return Err(refuse(Code::NotApplicable, "This is a position of another feed."));
        }
        Err(error) => {
            tracing::warn!(%error, "The position of a webhook can't be found.");
            return Err(ApiError::UNAVAILABLE.into());
        }
    };
    let mut after = Position::new();
    for (partition, next) in (0..).zip(position.next()) {
        if let Some(last) = next.checked_sub(1) {
            after.cover(StreamPartition::new(Stream::UserEvents, partition), last);
        }
    }
    Ok(after)
}

/// How far a webhook has read each place. Where no process has begun yet, that is where it will begin.
pub(crate) async fn checkpoints(
    gateway: &Gateway,
    webhook: &WebhookRow,
) -> Result<Vec<WebhookCheckpoint>, ApiError> {
    let cursor = gateway.views.webhook_cursor(webhook.id).await?;
    let cursor = cursor.filter(|cursor| cursor.created_version == webhook.created_version);
    let mut checkpoints =
        if cursor.is_some() { gateway.views.webhook_checkpoints(webhook.id).await? } else { Vec::new() };
    let has_begun = cursor.is_some_and(|cursor| cursor.begin_version == webhook.begin_version);
    for place in FeedKind::Users.places(gateway.partitions) {
        let next = webhook.begin_after.covered(place).map_or(0, |covered| covered + 1);
        match checkpoints.iter_mut().find(|checkpoint| checkpoint.place == place) {
            Some(_) if has_begun => {}
            // Where it begins anew, nothing is passed over that was not read yet.
            Some(checkpoint) => checkpoint.next = next.min(checkpoint.read_until()),
            None => checkpoints.push(WebhookCheckpoint {
                place,
                next,
                not_before: webhook.begin_from,
                old_until: None,
                halted: None,
            }),
        }
    }
    Ok(checkpoints)
}

/// Up to where every event was delivered or given up.
pub(crate) async fn of(gateway: &Gateway, webhook: &WebhookRow) -> Result<FeedPosition, ApiError> {
    let mut checkpoints = checkpoints(gateway, webhook).await?;
    for (place, offset) in gateway.views.first_outstanding(webhook.id).await? {
        for checkpoint in checkpoints.iter_mut().filter(|checkpoint| checkpoint.place == place) {
            checkpoint.next = checkpoint.next.min(offset);
        }
    }
    checkpoints.sort_by_key(|checkpoint| checkpoint.place);
    let next = checkpoints.into_iter().map(|checkpoint| checkpoint.next).collect();
    let reader = gateway.webhooks.feeds.open(FeedKind::Users, StartAt::Beginning, Selection::default()).await;
    let log = reader.map_err(|error| {
        tracing::warn!(%error, "The log's id can't be read.");
        ApiError::UNAVAILABLE
    })?;
    Ok(FeedPosition::at(here(&log)?.log(), FeedKind::Users, next))
}

/// Where a reader stands.
fn here(reader: &FeedReader) -> Result<FeedPosition, ApiError> {
    reader.position().parse().map_err(|_| {
        tracing::error!("A reader of the feed has no position.");
        ApiError::Internal
    })
}
