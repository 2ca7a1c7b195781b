//! The root of everything that can be subscribed to.

use async_graphql::{Context, ID, Subscription};
use domain::actor::Roles;
use domain::id::{GroupId, UserId};
use event_feed::{EventFilter, FeedKind, FeedPosition, MemberFilter, Selection, StartAt};
use futures_util::stream::BoxStream;

use super::context::{authorizer, caller, gateway};
use super::scalar::Position;
use super::user_event::{self, UserEvent};
use super::user_filter::UserFilter;
use super::users_changed::{self, UsersChanged};
use crate::access::EventReader;
use crate::error::ApiError;
use crate::readers::ReaderRights;

/// Everything that can be subscribed to.
pub(crate) struct Subscription;

/// Everything that can be subscribed to.
#[Subscription]
impl Subscription {
    /// What happens to users, in order and without a gap. For those who may read the audit log. A subscriber who has been away
    /// gives the last `position` as `after`. A message of the type `muster.position` says where the subscriber stands, and
    /// nothing else: it is the first one without `after`, and comes when events were passed over.
    async fn user_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on after this position, `start` for the first event; from now on when absent.")]
        after: Option<Position>,
        #[graphql(
            desc = "Only these types, such as `muster.user.approved`; `muster.user.*` is a beginning."
        )]
        types: Option<Vec<String>>,
        #[graphql(desc = "Only events of this user.")] user_id: Option<ID>,
        #[graphql(desc = "Only events of users who were in this group just before or just after.")]
        group_id: Option<ID>,
    ) -> Result<BoxStream<'static, Result<UserEvent, ApiError>>, ApiError> {
        let rights = rights(ctx, "userEvents", Roles::may_audit)?;
        let start = start(after.as_ref())?;
        let selection = selection(ctx, types.as_deref(), user_id.as_ref(), group_id.as_ref())?;
        user_event::stream(gateway(ctx), start, selection, rights).await
    }

    /// Which users of a list may have changed, at most twice a second. The first message says that the subscription has begun.
    /// For those who may list users.
    async fn users_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The filter of the list.")] filter: Option<UserFilter>,
    ) -> Result<BoxStream<'static, Result<UsersChanged, ApiError>>, ApiError> {
        let rights = rights(ctx, "usersChanged", Roles::may_administer)?;
        users_changed::stream(gateway(ctx), filter.unwrap_or_default().for_views(), rights).await
    }
}

/// The right of the caller to go on, if they have it now.
fn rights(ctx: &Context<'_>, field: &str, may: fn(Roles) -> bool) -> Result<ReaderRights, ApiError> {
    let session = caller(ctx).require_session()?;
    if !may(session.roles) {
        return Err(authorizer(ctx).deny(field, None));
    }
    Ok(gateway(ctx).readers.rights.watch(&EventReader::of_session(session), may))
}

fn start(after: Option<&Position>) -> Result<StartAt, ApiError> {
    match after.map(Position::as_str) {
        None => Ok(StartAt::Now),
        Some("start") => Ok(StartAt::Beginning),
        Some(text) => match text.parse::<FeedPosition>() {
            Ok(position) => Ok(StartAt::After(position)),
            Err(_) => Err(ApiError::BadRequest("`after` is neither a position of this feed nor `start`.")),
        },
    }
}

fn selection(
    ctx: &Context<'_>,
    types: Option<&[String]>,
    user: Option<&ID>,
    group: Option<&ID>,
) -> Result<Selection, ApiError> {
    let types = types.unwrap_or_default().iter().map(String::as_str);
    let events = EventFilter::of_types(FeedKind::Users, types)
        .map_err(|error| ApiError::BadArgument(format!("`types`: {error}.")))?;
    let user: Option<UserId> = user.map(|id| id.parse()).transpose().map_err(|_| bad_id("userId"))?;
    let group: Option<GroupId> = group.map(|id| id.parse()).transpose().map_err(|_| bad_id("groupId"))?;
    let group = group.map(|group| MemberFilter::new(gateway(ctx).views.clone(), group));
    Ok(Selection { events: events.of_subject(user.map(|user| user.to_string())), group })
}

fn bad_id(argument: &str) -> ApiError {
    ApiError::BadArgument(format!("`{argument}` is not an id of that kind."))
}
