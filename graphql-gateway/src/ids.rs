//! Reads the ids in inputs.

use std::str::FromStr;

use domain::command;
use domain::id::{GroupId, UserId, WebhookId};
use domain::refusal::{Code, Refusal};
use uuid::Uuid;

/// The client's id of a command, or a new one.
pub(crate) fn command_id(given: Option<&str>) -> Result<String, Refusal> {
    let Some(id) = given else { return Ok(Uuid::now_v7().to_string()) };
    command::check_id(id)?;
    Ok(id.to_owned())
}

/// The user whom `userId` names.
pub(crate) fn user_id(text: &str) -> Result<UserId, Refusal> {
    parse_id(text, "userId", Code::UnknownUser, "There is no such user.")
}

/// The group that `groupId` names.
pub(crate) fn group_id(text: &str) -> Result<GroupId, Refusal> {
    parse_id(text, "groupId", Code::UnknownGroup, "There is no such group.")
}

/// The webhook that `webhookId` names.
pub(crate) fn webhook_id(text: &str) -> Result<WebhookId, Refusal> {
    parse_id(text, "webhookId", Code::UnknownWebhook, "There is no such webhook.")
}

/// Parses an id. A text that can't be one is refused as the id of something that does not exist.
pub(crate) fn parse_id<T: FromStr>(text: &str, field: &str, code: Code, message: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::new(code, message).at(field))
}
