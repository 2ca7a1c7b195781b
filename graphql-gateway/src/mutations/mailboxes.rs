//! Mutations of mailboxes: create, delete.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::id::MailboxId;
use domain::refusal::Code;
use domain::user::{Action, Command, mailboxes};

use super::payload::read_back;
use super::retry::{RetryFields, UserRetryFields};
use crate::error::{ApiError, UserError, into_payload};
use crate::ids::parse_id;
use crate::schema::agent::Mailbox;
use crate::schema::context::submission;

/// Adds a mailbox.
#[derive(InputObject)]
pub(crate) struct CreateMailboxInput {
    /// Whose: the caller's, or anybody's for an administrator.
    user_id: ID,
    /// The name, unique within the user: 1 to 64 of A-Z a-z 0-9 _ -.
    name: String,
    /// What it is for, up to 500 characters.
    description: Option<String>,
    #[graphql(flatten)]
    retry: RetryFields,
}

/// What became of the mutation.
#[derive(SimpleObject)]
pub(crate) struct CreateMailboxPayload {
    /// Why a rule said no; empty when the command was accepted.
    user_errors: Vec<UserError>,
    /// The mailbox.
    mailbox: Option<Result<Mailbox, ApiError>>,
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
    #[graphql(flatten)]
    retry: UserRetryFields,
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
    ) -> Option<Result<CreateMailboxPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let user = submission.authorizer.require(Action::CreateMailbox, &input.user_id)?;
            let mailbox = MailboxId::of(user, &input.name);
            let command = Command::CreateMailbox(mailboxes::CreateMailbox {
                name: input.name,
                description: input.description,
            });
            let completed = submission.send_to_user(user, command, input.retry.into()).await?;
            let mailbox = read_back(&completed, submission.gateway.views.mailbox(mailbox)).await;
            Ok(CreateMailboxPayload { user_errors: Vec::new(), mailbox })
        })
        .await
    }

    /// Takes a mailbox away: one's own, or any user's for an administrator.
    async fn delete_mailbox(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is asked.")] input: DeleteMailboxInput,
    ) -> Option<Result<DeleteMailboxPayload, ApiError>> {
        into_payload(async {
            let submission = submission(ctx);
            let user = submission.authorizer.require(Action::DeleteMailbox, &input.user_id)?;
            let message = "The user has no such mailbox.";
            let mailbox_id: MailboxId =
                parse_id(&input.mailbox_id, "mailboxId", Code::UnknownMailbox, message)?;
            let command = Command::DeleteMailbox(mailboxes::DeleteMailbox { mailbox_id });
            submission.send_to_user(user, command, input.retry.into()).await?;
            Ok(DeleteMailboxPayload {
                user_errors: Vec::new(),
                deleted_mailbox_id: Some(ID::from(mailbox_id)),
            })
        })
        .await
    }
}
