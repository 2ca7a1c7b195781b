//! Mutations that let users in: register, create, approve, reject, reconsider.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::aggregate::Aggregate;
use domain::command::{Answer, Ask};
use domain::decision_context::{DecisionContext, Limits, Prepared};
use domain::group::{GroupRef, KnownGroup};
use domain::id::{GroupId, UserId};
use domain::names::Username;
use domain::refusal::Refusals;
use domain::user::{self, Action, Command, onboarding};
use uuid::Uuid;

use super::payload::{PasswordPayload, UserPayload};
use super::payload_names::{ApproveUser, CreateUser, ReconsiderUser, RejectUser};
use super::retry::{RetryFields, UserRetryFields};
use super::temporary_password::TemporaryPassword;
use crate::clock::now;
use crate::error::{ApiError, UserError, into_payload};
use crate::ids::group_id;
use crate::schema::context::submission;
use crate::submission::{CommandOptions, unresolved_reservation};

/// Asks to be let in.
#[derive(InputObject)]
pub(crate) struct RegisterUserInput {
    /// The name, for ever: 3 to 64 of a-z 0-9 . _ -, starting with a letter or digit; capital letters become small.
    username: String,
    /// First name, up to 100 characters.
    first_name: String,
    /// Last name, up to 100 characters.
    last_name: String,
    /// E-mail address, up to 254 characters.
    email: String,
    /// Phone number, up to 32 of + 0-9 ( ) - and spaces.
    phone: Option<String>,
    #[graphql(flatten)]
    retry: RetryFields,
}

/// What became of the registration. It tells nothing about who already exists.
#[derive(SimpleObject)]
pub(crate) struct RegisterUserPayload {
    /// What is wrong with the fields; empty when the registration was accepted.
    user_errors: Vec<UserError>,
    /// Whether the registration was taken. An administrator decides about it.
    accepted: bool,
}

/// Lets somebody in who did not ask.
#[derive(InputObject)]
pub(crate) struct CreateUserInput {
    /// The name, for ever: 3 to 64 of a-z 0-9 . _ -, starting with a letter or digit; capital letters become small.
    username: String,
    /// The group to be in; an open one.
    group_id: ID,
    /// First name, up to 100 characters.
    first_name: Option<String>,
    /// Last name, up to 100 characters.
    last_name: Option<String>,
    /// Phone number, up to 32 of + 0-9 ( ) - and spaces.
    phone: Option<String>,
    /// E-mail address, up to 254 characters.
    email: Option<String>,
    #[graphql(flatten)]
    retry: RetryFields,
}

/// Lets a pending user in.
#[derive(InputObject)]
pub(crate) struct ApproveUserInput {
    /// The pending user.
    user_id: ID,
    /// The group to be in; an open one.
    group_id: ID,
    #[graphql(flatten)]
    retry: UserRetryFields,
}

/// Turns a pending user away.
#[derive(InputObject)]
pub(crate) struct RejectUserInput {
    /// The pending user.
    user_id: ID,
    /// Why; kept and shown, up to 500 characters.
    reason: String,
    #[graphql(flatten)]
    retry: UserRetryFields,
}

/// Takes a rejection back.
#[derive(InputObject)]
pub(crate) struct ReconsiderUserInput {
    /// The rejected user.
    user_id: ID,
    #[graphql(flatten)]
    retry: UserRetryFields,
}

impl From<Vec<UserError>> for RegisterUserPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, accepted: false }
    }
}

#[derive(Default)]
pub(super) struct OnboardingMutations;

#[Object]
impl OnboardingMutations {
    /// Asks to be let in. Anybody may; the answer is the same whether the name is taken or not.
    async fn register_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RegisterUserInput,
    ) -> Option<Result<RegisterUserPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let gateway = submission.gateway;
            gateway
                .registrations
                .admit(submission.caller.address())
                .inspect_err(|_| submission.authorizer.record_rate_limited("RegisterUser"))?;
            let response = gateway.registration_pacer.begin();
            let command = onboarding::RegisterUser {
                username: input.username,
                first_name: input.first_name,
                last_name: input.last_name,
                email: input.email,
                phone: input.phone,
            };
            let username = Username::parse(&command.username);
            let command = Command::RegisterUser(command);
            let refusals = refused_fields(&command);
            if !refusals.is_empty() {
                return Err(refusals.into());
            }
            let username = username.map_err(|refusal| refusal.at("username"))?;
            let id = UserId::of(&username);
            let ask = Ask::User { id, expected_version: None, command };
            match submission.submit(ask, input.retry.into()).await? {
                Answer::Accepted { .. } => response.written().await,
                // The fields are valid, so this is about who exists already. Only administrators may know that.
                Answer::Refused(refusals) => {
                    submission.authorizer.record_refusal("RegisterUser", id, username.as_str(), &refusals);
                    response.not_written().await;
                }
                Answer::Forbidden => return Err(ApiError::Forbidden.into()),
                Answer::OfAddress(_) => return Err(unresolved_reservation()),
            }
            Ok(RegisterUserPayload { user_errors: Vec::new(), accepted: true })
        })
        .await
    }

    /// Lets somebody in who did not ask, with a temporary password. For administrators.
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: CreateUserInput,
    ) -> Option<Result<PasswordPayload<CreateUser>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            submission.authorizer.require_administrator("CreateUser", None)?;
            let username = Username::parse(&input.username);
            let group_id = group_id(&input.group_id);
            let command = Command::CreateUser(onboarding::CreateUser {
                username: input.username,
                group_id: group_id.clone().unwrap_or(GroupId::from_uuid(Uuid::nil())),
                first_name: input.first_name,
                last_name: input.last_name,
                phone: input.phone,
                email: input.email,
            });
            let mut refusals = refused_fields(&command);
            refusals.extend(group_id.err());
            if !refusals.is_empty() {
                return Err(refusals.into());
            }
            let id = UserId::of(&username.map_err(|refusal| refusal.at("username"))?);
            let temporary = TemporaryPassword::generate(&submission.gateway.config);
            let options = CommandOptions::from(input.retry).prepared(temporary.prepared());
            let completed = submission.send_to_user(id, command, options).await?;
            Ok(temporary.payload(&submission, &completed, id).await)
        })
        .await
    }

    /// Lets a pending user in, with a temporary password. For administrators.
    async fn approve_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ApproveUserInput,
    ) -> Option<Result<PasswordPayload<ApproveUser>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::ApproveUser, &input.user_id)?;
            let group_id = group_id(&input.group_id)?;
            let temporary = TemporaryPassword::generate(&submission.gateway.config);
            let options = CommandOptions::from(input.retry).prepared(temporary.prepared());
            let command = Command::ApproveUser(onboarding::ApproveUser { group_id });
            let completed = submission.send_to_user(id, command, options).await?;
            Ok(temporary.payload(&submission, &completed, id).await)
        })
        .await
    }

    /// Turns a pending user away. For administrators.
    async fn reject_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RejectUserInput,
    ) -> Option<Result<UserPayload<RejectUser>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::RejectUser, &input.user_id)?;
            let command = Command::RejectUser(onboarding::RejectUser { reason: input.reason });
            let completed = submission.send_to_user(id, command, input.retry.into()).await?;
            Ok(UserPayload::after(&submission, &completed, id).await)
        })
        .await
    }

    /// Takes a rejection back: the user waits for approval again. For administrators.
    async fn reconsider_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ReconsiderUserInput,
    ) -> Option<Result<UserPayload<ReconsiderUser>, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let id = submission.authorizer.require(Action::ReconsiderUser, &input.user_id)?;
            let completed = submission.send_to_user(id, Command::ReconsiderUser, input.retry.into()).await?;
            Ok(UserPayload::after(&submission, &completed, id).await)
        })
        .await
    }
}

/// What the rules say about the fields alone, as if the user did not exist and the group were open. Checked here because
/// the command can't be sent if the name is invalid: then it has no owner.
fn refused_fields(command: &Command) -> Refusals {
    let group =
        command.group().map(|id| KnownGroup { group: GroupRef { id, name: String::new() }, closed: false });
    let prepared = Some(Prepared::TemporaryPassword { digest: String::new(), expires_at: now() });
    let context = DecisionContext { now: now(), group, prepared, limits: Limits::default() };
    let nobody = user::User::new(UserId::from_uuid(Uuid::nil()));
    nobody.decide(command, &context).err().unwrap_or_default()
}
