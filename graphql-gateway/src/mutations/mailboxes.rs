//! Adding mailboxes and taking them away.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::id::MailboxId;
use domain::refusal::Code;
use domain::user::{Command, mailboxes};

use crate::error::api::{Fault, Stop, UserError, settle};
use crate::schema::agent::Mailbox;
use crate::submission::{Errand, With, id};

/// Adds a mailbox.
#[derive(InputObject)]
pub(crate) struct CreateMailboxInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The name, unique within the user: 1 to 64 of A-Z a-z 0-9 _ -.
    name: String,
    /// What it is for, up to 500 characters.
    description: Option<String>,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct CreateMailboxPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The mailbox.
    mailbox: Option<Result<Mailbox, Fault>>,
}

impl From<Vec<UserError>> for CreateMailboxPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, mailbox: None }
    }
}

/// Takes a mailbox away.
#[derive(InputObject)]
pub(crate) struct DeleteMailboxInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The mailbox; not the default one, and none that a rule uses.
    mailbox_id: ID,
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct DeleteMailboxPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The mailbox that is gone.
    deleted_mailbox_id: Option<ID>,
}

impl From<Vec<UserError>> for DeleteMailboxPayload {
    fn from(user_errors: Vec<UserError>) -> Self {
        Self { user_errors, deleted_mailbox_id: None }
    }
}

#[derive(Default)]
pub(super) struct MailboxMutations;

#[Object]
impl MailboxMutations {
    /// Adds a mailbox: one's own, or any user's for an administrator.
    async fn create_mailbox(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: CreateMailboxInput,
    ) -> Result<CreateMailboxPayload, Fault> {
        settle(create(&Errand::of(ctx), input).await)
    }

    /// Takes a mailbox away: one's own, or any user's for an administrator.
    async fn delete_mailbox(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: DeleteMailboxInput,
    ) -> Result<DeleteMailboxPayload, Fault> {
        settle(delete(&Errand::of(ctx), &input).await)
    }
}

async fn create(errand: &Errand<'_>, input: CreateMailboxInput) -> Result<CreateMailboxPayload, Stop> {
    let user = errand.looks_after("CreateMailbox", &input.user_id)?;
    let mailbox = MailboxId::of(user, &input.name);
    let with = With::of(input.command_id.as_ref(), None);
    let command =
        Command::CreateMailbox(mailboxes::CreateMailbox { name: input.name, description: input.description });
    let done = errand.ask_user(user, command, with).await?;
    let mailbox = errand.shown(&done, errand.gateway.views.mailbox(mailbox)).await;
    Ok(CreateMailboxPayload { user_errors: Vec::new(), mailbox })
}

async fn delete(errand: &Errand<'_>, input: &DeleteMailboxInput) -> Result<DeleteMailboxPayload, Stop> {
    let user = errand.looks_after("DeleteMailbox", &input.user_id)?;
    let message = "The user has no such mailbox.";
    let mailbox_id: MailboxId = id(&input.mailbox_id, "mailboxId", Code::UnknownMailbox, message)?;
    let with = With::of(input.command_id.as_ref(), input.expected_version);
    let command = Command::DeleteMailbox(mailboxes::DeleteMailbox { mailbox_id });
    errand.ask_user(user, command, with).await?;
    Ok(DeleteMailboxPayload { user_errors: Vec::new(), deleted_mailbox_id: Some(ID::from(mailbox_id)) })
}
