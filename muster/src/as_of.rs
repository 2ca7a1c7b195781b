//! What commands about the past share: opening the views, and saying so when they may lack what happened by then.

use std::time::Duration;

use anyhow::{Context, Result};
use domain::actor::Roles;
use domain::timestamp::Timestamp;
use domain::user::past::PastToken;
use log_model::Stream;
use read_model::ReadModel;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::store::{LogArguments, ViewsArguments};

/// How old the last look at the end of the log may be for views to count as complete.
const RECENT: Duration = Duration::from_secs(10);

/// Opens the views to read what was at an instant. Warns if they are not known to hold everything up to then.
pub(crate) async fn open(log: &LogArguments, views: &ViewsArguments, at: Timestamp) -> Result<ReadModel> {
    let missing = "there are no views yet; they are made by `muster serve` or `muster projection-service`";
    let views = views.open_existing(log).await?.context(missing)?;
    let checkpoints = views.checkpoints().await.context("the checkpoints of the views can't be read")?;
    let of_users: Vec<_> =
        checkpoints.iter().filter(|seen| seen.place.stream == Stream::UserEvents).collect();
    for halted in of_users.iter().filter(|seen| seen.halted.is_some()) {
        tracing::warn!(place = %halted.place, "the views are halted: what came later is not in the answer");
    }
    let until = at.min(now());
    let seen = of_users.iter().map(|seen| seen.confirmed_at).min().flatten();
    if seen.is_none_or(|seen| seen + RECENT < until) {
        let seen = seen.map_or("never".to_owned(), |seen| seen.to_string());
        tracing::warn!(
            seen,
            "the views were at the end of the log last at that time: later events may be missing"
        );
    }
    Ok(views)
}

/// The present.
pub(crate) fn now() -> Timestamp {
    Timestamp::from(OffsetDateTime::now_utc())
}

/// The names of roles, as the API has them.
pub(crate) fn role_names(roles: Roles) -> Vec<String> {
    roles.iter().map(|role| role.name().to_uppercase()).collect()
}

/// A token as JSON, with the names of the API.
pub(crate) fn token_json(token: &PastToken) -> Value {
    let issued = &token.issued;
    json!({
        "id": issued.token_id.to_string(),
        "name": issued.name,
        "scopes": issued.scopes.iter().map(|scope| scope.name().to_uppercase()).collect::<Vec<_>>(),
        "allowedNetworks": issued.allowed_networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "createdAt": token.created_at.to_string(),
        "expiresAt": issued.expires_at.map(|end| end.to_string()),
        "revoked": token.revoked,
    })
}
