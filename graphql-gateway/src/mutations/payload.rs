//! Payloads with the same fields for several mutations: one Rust type, and a GraphQL type for each mutation.

use std::borrow::Cow;
use std::marker::PhantomData;

use async_graphql::{SimpleObject, TypeName};
use domain::id::{GroupId, RuleId, UserId};

use super::payload_names::PayloadName;
use crate::error::{ApiError, UserError};
use crate::schema::group::Group;
use crate::schema::rule::AgentRule;
use crate::schema::scalar::DateTime;
use crate::schema::user::User;
use crate::submission::{Completed, Submission};

/// What the views show of something after a command, for its payload. An error if they don't show the command in time.
pub(super) async fn read_back<R, T: From<R>>(
    completed: &Completed,
    read: impl Future<Output = Result<Option<R>, read_model::Error>>,
) -> Option<Result<T, ApiError>> {
    match &completed.visible {
        Err(error) => Some(Err(error.clone())),
        Ok(()) => read.await.map(|row| row.map(T::from)).map_err(ApiError::from).transpose(),
    }
}

/// What became of the mutation: refusals, or the user afterwards.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct UserPayload<M: PayloadName> {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The user afterwards.
    user: Option<Result<User, ApiError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// What became of the mutation: refusals, or the user with a temporary password that is shown this once.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct PasswordPayload<M: PayloadName> {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The user afterwards.
    user: Option<Result<User, ApiError>>,
    /// The temporary password, to be handed over to the user; null when the same command was sent before.
    temporary_password: Option<String>,
    /// When the temporary password stops working; null when the same command was sent before.
    expires_at: Option<DateTime>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// What became of the mutation: refusals, or the group afterwards.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct GroupPayload<M: PayloadName> {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The group afterwards.
    group: Option<Result<Group, ApiError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// What became of the mutation: refusals, or the agent rule afterwards.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct RulePayload<M: PayloadName> {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The agent rule afterwards.
    rule: Option<Result<AgentRule, ApiError>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

impl<M: PayloadName> UserPayload<M> {
    fn new(user: Option<Result<User, ApiError>>) -> Self {
        Self { user_errors: Vec::new(), user, mutation: PhantomData }
    }

    /// The payload of a completed command.
    pub(super) async fn after(submission: &Submission<'_>, completed: &Completed, id: UserId) -> Self {
        Self::new(read_back(completed, submission.gateway.views.user(id)).await)
    }
}

impl<M: PayloadName> PasswordPayload<M> {
    pub(super) fn new(
        user: Option<Result<User, ApiError>>,
        temporary_password: Option<String>,
        expires_at: Option<DateTime>,
    ) -> Self {
        Self { user_errors: Vec::new(), user, temporary_password, expires_at, mutation: PhantomData }
    }
}

impl<M: PayloadName> GroupPayload<M> {
    fn new(group: Option<Result<Group, ApiError>>) -> Self {
        Self { user_errors: Vec::new(), group, mutation: PhantomData }
    }

    /// The payload of a completed command.
    pub(super) async fn after(submission: &Submission<'_>, completed: &Completed, id: GroupId) -> Self {
        Self::new(read_back(completed, submission.gateway.views.group(id)).await)
    }
}

impl<M: PayloadName> RulePayload<M> {
    fn new(rule: Option<Result<AgentRule, ApiError>>) -> Self {
        Self { user_errors: Vec::new(), rule, mutation: PhantomData }
    }

    /// The payload of a completed command.
    pub(super) async fn after(submission: &Submission<'_>, completed: &Completed, id: RuleId) -> Self {
        Self::new(read_back(completed, submission.gateway.views.rule(id)).await)
    }
}

impl<M: PayloadName> From<Vec<UserError>> for UserPayload<M> {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, ..Self::new(None) }
    }
}

impl<M: PayloadName> From<Vec<UserError>> for PasswordPayload<M> {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, ..Self::new(None, None, None) }
    }
}

impl<M: PayloadName> From<Vec<UserError>> for GroupPayload<M> {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, ..Self::new(None) }
    }
}

impl<M: PayloadName> From<Vec<UserError>> for RulePayload<M> {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, ..Self::new(None) }
    }
}

impl<M: PayloadName> TypeName for UserPayload<M> {
    fn type_name() -> Cow<'static, str> {
        M::PAYLOAD.into()
    }
}

impl<M: PayloadName> TypeName for PasswordPayload<M> {
    fn type_name() -> Cow<'static, str> {
        M::PAYLOAD.into()
    }
}

impl<M: PayloadName> TypeName for GroupPayload<M> {
    fn type_name() -> Cow<'static, str> {
        M::PAYLOAD.into()
    }
}

impl<M: PayloadName> TypeName for RulePayload<M> {
    fn type_name() -> Cow<'static, str> {
        M::PAYLOAD.into()
    }
}
