//! What resolvers take from the GraphQL context. The HTTP layer puts all of it there before anything is executed.

use std::sync::Arc;

use async_graphql::Context;
use domain::id::GroupId;
use domain::policy;

use super::loader::Loaders;
use crate::authorization::Authorizer;
use crate::caller::Caller;
use crate::gateway::Gateway;
use crate::sessions::ActiveSession;
use crate::submission::Submission;

pub(crate) fn gateway<'a>(ctx: &Context<'a>) -> &'a Arc<Gateway> {
    ctx.data_unchecked::<Arc<Gateway>>()
}

pub(crate) fn caller<'a>(ctx: &Context<'a>) -> &'a Caller {
    ctx.data_unchecked::<Caller>()
}

pub(super) fn loaders<'a>(ctx: &Context<'a>) -> &'a Loaders {
    ctx.data_unchecked::<Arc<Loaders>>()
}

/// What the caller may do.
pub(super) fn authorizer<'a>(ctx: &Context<'a>) -> Authorizer<'a> {
    Authorizer { caller: caller(ctx), recorder: &gateway(ctx).recorder }
}

/// Sends the commands of a mutation.
pub(crate) fn submission<'a>(ctx: &Context<'a>) -> Submission<'a> {
    Submission::new(gateway(ctx), caller(ctx))
}

/// Administrators see every group, members their own.
pub(super) fn may_see_group(session: &ActiveSession, id: GroupId) -> bool {
    policy::may_administer(&session.actor()) || session.group.as_ref().is_some_and(|group| group.id == id)
}
