//! The input fields that make a retry of a mutation safe. They are flattened into its input.

use async_graphql::{ID, InputObject};

use crate::submission::CommandOptions;

/// For mutations without `expectedVersion`.
#[derive(InputObject)]
pub(super) struct RetryFields {
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
}

/// For mutations of a user.
#[derive(InputObject)]
pub(super) struct UserRetryFields {
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the user that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// For mutations of a group.
#[derive(InputObject)]
pub(super) struct GroupRetryFields {
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the group that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

/// For mutations of a webhook.
#[derive(InputObject)]
pub(super) struct WebhookRetryFields {
    /// Makes a retry safe: the same again is the same command.
    command_id: Option<ID>,
    /// The version of the webhook that the caller saw; another one is refused.
    expected_version: Option<i32>,
}

impl RetryFields {
    /// Whether the mutation may be the same as one before.
    pub(super) fn is_repeatable(&self) -> bool {
        self.command_id.is_some()
    }
}

impl From<WebhookRetryFields> for CommandOptions {
    fn from(fields: WebhookRetryFields) -> Self {
        options(fields.command_id, fields.expected_version)
    }
}

impl From<RetryFields> for CommandOptions {
    fn from(fields: RetryFields) -> Self {
        options(fields.command_id, None)
    }
}

impl From<UserRetryFields> for CommandOptions {
    fn from(fields: UserRetryFields) -> Self {
        options(fields.command_id, fields.expected_version)
    }
}

impl From<GroupRetryFields> for CommandOptions {
    fn from(fields: GroupRetryFields) -> Self {
        options(fields.command_id, fields.expected_version)
    }
}

fn options(command_id: Option<ID>, expected_version: Option<i32>) -> CommandOptions {
    CommandOptions {
        command_id: command_id.map(|id| id.0),
        // No version is negative, so a negative one must match none.
        expected_version: expected_version.map(|version| u64::try_from(version).unwrap_or(u64::MAX)),
        prepared: None,
    }
}
