//! Registering, creating, approving, rejecting, reconsidering: the way in.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::aggregate::Aggregate;
use domain::command::{Answer, Ask};
use domain::decision_context::{DecisionContext, Limits};
use domain::group::{GroupRef, KnownGroup};
use domain::id::{GroupId, UserId};
use domain::names::Username;
use domain::refusal::Refusals;
use domain::user::{self, Command, onboarding};
use uuid::Uuid;

use super::password::Temporary;
use super::payload::{ApproveUser, CreateUser, PasswordPayload, ReconsiderUser, RejectUser, UserPayload};
use crate::clock::now;
use crate::error::api::{Fault, Stop, UserError, settle};
use crate::submission::{Errand, With, group, unfinished};

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
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
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
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
}

/// Lets a pending user in.
#[derive(InputObject)]
pub(crate) struct ApproveUserInput {
    /// The pending user.
    user_id: ID,
    /// The group to be in; an open one.
    group_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// Turns a pending user away.
#[derive(InputObject)]
pub(crate) struct RejectUserInput {
    /// The pending user.
    user_id: ID,
    /// Why; kept and shown, up to 500 characters.
    reason: String,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// Takes a rejection back.
#[derive(InputObject)]
pub(crate) struct ReconsiderUserInput {
    /// The rejected user.
    user_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
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
    ) -> Result<RegisterUserPayload, Fault> {
        settle(register(&Errand::of(ctx), input).await)
    }

    /// Lets somebody in who did not ask, with a temporary password. For administrators.
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: CreateUserInput,
    ) -> Result<PasswordPayload<CreateUser>, Fault> {
        settle(create(&Errand::of(ctx), input).await)
    }

    /// Lets a pending user in, with a temporary password. For administrators.
    async fn approve_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ApproveUserInput,
    ) -> Result<PasswordPayload<ApproveUser>, Fault> {
        settle(approve(&Errand::of(ctx), &input).await)
    }

    /// Turns a pending user away. For administrators.
    async fn reject_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: RejectUserInput,
    ) -> Result<UserPayload<RejectUser>, Fault> {
        settle(reject(&Errand::of(ctx), input).await)
    }

    /// Takes a rejection back: the user waits for approval again. For administrators.
    async fn reconsider_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: ReconsiderUserInput,
    ) -> Result<UserPayload<ReconsiderUser>, Fault> {
        settle(reconsider(&Errand::of(ctx), &input).await)
    }
}

async fn register(errand: &Errand<'_>, input: RegisterUserInput) -> Result<RegisterUserPayload, Stop> {
    let gateway = errand.gateway;
    gateway.may_register(errand.caller).inspect_err(|_| errand.turned_away("RegisterUser"))?;
    let begun = gateway.registrations_took.begin();
    let command_id = input.command_id;
    let command = onboarding::RegisterUser {
        username: input.username,
        first_name: input.first_name,
        last_name: input.last_name,
        email: input.email,
        phone: input.phone,
    };
    let username = Username::parse(&command.username);
    let command = Command::RegisterUser(command);
    let wrong = wrong_fields(&command);
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    let username = username.map_err(|refusal| refusal.at("username"))?;
    let id = UserId::of(&username);
    let ask = Ask::User { id, expected_version: None, command };
    match errand.submit(ask, With::of(command_id.as_ref(), None)).await? {
        Answer::Accepted { .. } => begun.written().await,
        // The fields are right, so this is about who exists already: administrators see it, the caller does not.
        Answer::Refused(refusals) => {
            errand.refused("RegisterUser", id, username.as_str(), &refusals);
            begun.not_written().await;
        }
        Answer::Forbidden => return Err(Fault::Forbidden.into()),
        Answer::OfAddress(_) => return Err(unfinished()),
    }
    Ok(RegisterUserPayload { user_errors: Vec::new(), accepted: true })
}

async fn create(errand: &Errand<'_>, input: CreateUserInput) -> Result<PasswordPayload<CreateUser>, Stop> {
    errand.administrator("CreateUser", None)?;
    let username = Username::parse(&input.username);
    let group_id = group(&input.group_id);
    let command = Command::CreateUser(onboarding::CreateUser {
        username: input.username,
        group_id: group_id.clone().unwrap_or(GroupId::from_uuid(Uuid::nil())),
        first_name: input.first_name,
        last_name: input.last_name,
        phone: input.phone,
        email: input.email,
    });
    let mut wrong = wrong_fields(&command);
    wrong.extend(group_id.err());
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    let id = UserId::of(&username.map_err(|refusal| refusal.at("username"))?);
    let temporary = Temporary::make(errand.gateway);
    let with = With::of(input.command_id.as_ref(), None).prepared(temporary.prepared());
    let done = errand.ask_user(id, command, with).await?;
    Ok(temporary.payload(errand.user(&done, id).await, &done))
}

async fn approve(
    errand: &Errand<'_>,
    input: &ApproveUserInput,
) -> Result<PasswordPayload<ApproveUser>, Stop> {
    let id = errand.administers("ApproveUser", &input.user_id)?;
    let group_id = group(&input.group_id)?;
    let temporary = Temporary::make(errand.gateway);
    let with = With::of(input.command_id.as_ref(), input.expected_version).prepared(temporary.prepared());
    let command = Command::ApproveUser(onboarding::ApproveUser { group_id });
    let done = errand.ask_user(id, command, with).await?;
    Ok(temporary.payload(errand.user(&done, id).await, &done))
}

async fn reject(errand: &Errand<'_>, input: RejectUserInput) -> Result<UserPayload<RejectUser>, Stop> {
    let id = errand.administers("RejectUser", &input.user_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let command = Command::RejectUser(onboarding::RejectUser { reason: input.reason });
    let done = errand.ask_user(id, command, with).await?;
    Ok(UserPayload::new(errand.user(&done, id).await))
}

async fn reconsider(
    errand: &Errand<'_>,
    input: &ReconsiderUserInput,
) -> Result<UserPayload<ReconsiderUser>, Stop> {
    let id = errand.administers("ReconsiderUser", &input.user_id)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let done = errand.ask_user(id, Command::ReconsiderUser, with).await?;
    Ok(UserPayload::new(errand.user(&done, id).await))
}

/// What the rules say about the fields alone: what they would say if nobody of this name were known and the group
/// were open. A name that can't be one has no owner whom the command could be sent to.
fn wrong_fields(command: &Command) -> Refusals {
    let group =
        command.group().map(|id| KnownGroup { group: GroupRef { id, name: String::new() }, closed: false });
    let prepared = Some(domain::decision_context::Prepared::TemporaryPassword {
        digest: String::new(),
        expires_at: now(),
    });
    let context = DecisionContext { now: now(), group, prepared, limits: Limits::default() };
    let nobody = user::User::nobody(UserId::from_uuid(Uuid::nil()));
    nobody.decide(command, &context).err().unwrap_or_default()
}
