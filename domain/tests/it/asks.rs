//! The JSON of every question that owners are asked, pinned in `asks.jsonl`.
//!
//! An owner recognises a repeated command by the digest of its [`Ask`]. When the JSON of an `Ask` changes, a retry that
//! is sent across the release has another digest, and the owner refuses it as `command_id_reused`. So a line of the
//! file never changes. A new field takes `#[serde(default, skip_serializing_if = "…")]` and a line of its own.

use std::collections::BTreeSet;

use domain::command::Ask;
use domain::{group, user, webhook};

const ASKS: &str = include_str!("asks.jsonl");

/// Names of all variants of a command. A missing variant doesn't compile.
macro_rules! variants {
    ($command:ty { $($variant:ident),* $(,)? }) => {{
        type Command = $command;
        let _every_variant = |command: &Command| match command { $(Command::$variant { .. } => {})* };
        [$(stringify!($variant),)*]
    }};
}

fn asks() -> impl Iterator<Item = Ask> {
    ASKS.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
}

#[test]
fn f46_every_ask_keeps_its_json_so_that_a_retry_keeps_its_digest() {
    for (line, ask) in ASKS.lines().zip(asks()) {
        assert_eq!(serde_json::to_string(&ask).unwrap(), line);
    }
}

#[test]
fn every_command_stands_in_the_file() {
    let of_user = variants!(user::Command {
        RegisterUser,
        CreateUser,
        MakeFirstAdministrator,
        ApproveUser,
        RejectUser,
        ReconsiderUser,
        SuspendUser,
        ReactivateUser,
        DeleteUser,
        UpdateProfile,
        ChangeGroup,
        ResetPassword,
        ChangePassword,
        RehashPassword,
        EditUfaConfig,
        AddAgentRule,
        EditAgentRule,
        RemoveAgentRule,
        CreateMailbox,
        DeleteMailbox,
        IssueAuthToken,
        RevokeAuthToken,
        GrantRole,
        RevokeRole,
    });
    let of_group = variants!(group::Command { CreateGroup, EditGroup, CloseGroup, ReopenGroup, DeleteGroup });
    let of_webhook = variants!(webhook::Command {
        CreateWebhook,
        EditWebhook,
        PauseWebhook,
        ResumeWebhook,
        RotateWebhookSecret,
        ReplayWebhook,
        RetryDelivery,
        DeleteWebhook,
    });
    let owners = ["ClaimAddress", "LetGoOfAddress", "Barrier"];
    let expected: BTreeSet<&str> =
        of_user.into_iter().chain(of_group).chain(of_webhook).chain(owners).collect();
    let found: BTreeSet<&str> = asks().map(|ask| ask.name()).collect();
    assert_eq!(found, expected);
}
