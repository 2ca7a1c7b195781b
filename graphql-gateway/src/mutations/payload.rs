//! Payloads that several mutations share the shape of: one Rust type, a GraphQL type of its own for each mutation.

use std::borrow::Cow;
use std::marker::PhantomData;

use async_graphql::{SimpleObject, TypeName};

use crate::error::api::{Fault, UserError};
use crate::schema::group::Group;
use crate::schema::rule::AgentRule;
use crate::schema::scalar::DateTime;
use crate::schema::user::User;

/// The mutation that a payload belongs to; it gives the payload's GraphQL type its name.
pub(crate) trait Mutation: Send + Sync + 'static {
    /// Name of the payload's GraphQL type.
    const PAYLOAD: &'static str;
}

/// Declares mutations by the names of their payloads.
macro_rules! payloads_of {
    ($($mutation:ident = $payload:literal),* $(,)?) => {$(
        #[derive(Debug)]
        pub(crate) struct $mutation;
        impl Mutation for $mutation {
            const PAYLOAD: &'static str = $payload;
        }
    )*};
}

payloads_of! {
    RejectUser = "RejectUserPayload",
    ReconsiderUser = "ReconsiderUserPayload",
    SuspendUser = "SuspendUserPayload",
    ReactivateUser = "ReactivateUserPayload",
    UpdateProfile = "UpdateProfilePayload",
    ChangeGroup = "ChangeGroupPayload",
    GrantRole = "GrantRolePayload",
    RevokeRole = "RevokeRolePayload",
    CreateUser = "CreateUserPayload",
    ApproveUser = "ApproveUserPayload",
    ResetPassword = "ResetPasswordPayload",
    CreateGroup = "CreateGroupPayload",
    EditGroup = "EditGroupPayload",
    CloseGroup = "CloseGroupPayload",
    ReopenGroup = "ReopenGroupPayload",
    AddAgentRule = "AddAgentRulePayload",
    EditAgentRule = "EditAgentRulePayload",
}

/// What became of the mutation: refusals, or the user afterwards.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct UserPayload<M: Mutation> {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The user afterwards.
    user: Option<Result<User, Fault>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// What became of the mutation: refusals, or the user with a temporary password that is shown this once.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct PasswordPayload<M: Mutation> {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The user afterwards.
    user: Option<Result<User, Fault>>,
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
pub(crate) struct GroupPayload<M: Mutation> {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The group afterwards.
    group: Option<Result<Group, Fault>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

/// What became of the mutation: refusals, or the agent rule afterwards.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct RulePayload<M: Mutation> {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The agent rule afterwards.
    rule: Option<Result<AgentRule, Fault>>,
    #[graphql(skip)]
    mutation: PhantomData<M>,
}

impl<M: Mutation> UserPayload<M> {
    pub(crate) fn new(user: Option<Result<User, Fault>>) -> Self {
        Self { user_errors: Vec::new(), user, mutation: PhantomData }
    }
}

impl<M: Mutation> PasswordPayload<M> {
    pub(crate) fn new(
        user: Option<Result<User, Fault>>,
        temporary_password: Option<String>,
        expires_at: Option<DateTime>,
    ) -> Self {
        Self { user_errors: Vec::new(), user, temporary_password, expires_at, mutation: PhantomData }
    }
}

impl<M: Mutation> GroupPayload<M> {
    pub(crate) fn new(group: Option<Result<Group, Fault>>) -> Self {
        Self { user_errors: Vec::new(), group, mutation: PhantomData }
    }
}

impl<M: Mutation> RulePayload<M> {
    pub(crate) fn new(rule: Option<Result<AgentRule, Fault>>) -> Self {
        Self { user_errors: Vec::new(), rule, mutation: PhantomData }
    }
}

impl<M: Mutation> From<Vec<UserError>> for UserPayload<M> {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, ..Self::new(None) }
    }
}

impl<M: Mutation> From<Vec<UserError>> for PasswordPayload<M> {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, ..Self::new(None, None, None) }
    }
}

impl<M: Mutation> From<Vec<UserError>> for GroupPayload<M> {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, ..Self::new(None) }
    }
}

impl<M: Mutation> From<Vec<UserError>> for RulePayload<M> {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, ..Self::new(None) }
    }
}

impl<M: Mutation> TypeName for UserPayload<M> {
    fn type_name() -> Cow<'static, str> {
        M::PAYLOAD.into()
    }
}

impl<M: Mutation> TypeName for PasswordPayload<M> {
    fn type_name() -> Cow<'static, str> {
        M::PAYLOAD.into()
    }
}

impl<M: Mutation> TypeName for GroupPayload<M> {
    fn type_name() -> Cow<'static, str> {
        M::PAYLOAD.into()
    }
}

impl<M: Mutation> TypeName for RulePayload<M> {
    fn type_name() -> Cow<'static, str> {
        M::PAYLOAD.into()
    }
}
