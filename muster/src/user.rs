//! `muster user`: how a user is, or was at an instant.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use domain::timestamp::Timestamp;
use domain::user::past::PastUser;
use read_model::user_spans::PastMoment;
use serde_json::{Value, json};

use crate::as_of::{self, role_names, token_json};
use crate::store::{LogArguments, ViewsArguments};
use crate::wiring::say;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(clap::Subcommand)]
enum Subcommands {
    /// Prints a user as they are, or as they were at an instant. Exits with 1 when there is, or was, none of that name.
    Show(ShowArguments),
}

#[derive(clap::Args)]
struct ShowArguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
    /// The username.
    #[arg(value_name = "NAME")]
    name: String,
    /// As of this instant, such as `2026-03-01T00:00:00Z`; now by default.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    at: Option<Timestamp>,
    /// How the answer is printed.
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    format: ShownAs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ShownAs {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Shows.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Subcommands::Show(ShowArguments { log, views, name, at, format }) = arguments.command;
    let instant = at.unwrap_or_else(as_of::now);
    let views = as_of::open(&log, &views, instant).await?;
    let known = views.user_by_name(&name).await.context("the views can't be read")?;
    // Without an instant, what is known last counts, also if a clock was ahead.
    let moment = PastMoment::At(at.unwrap_or(Timestamp::MAX));
    let found = match known {
        Some(user) => views.user_as_of(user.id, moment).await.context("the views can't be read")?,
        None => None,
    };
    let Some((user, since)) = found else {
        let when = at.map_or(String::new(), |at| format!(" at {at}"));
        writeln!(std::io::stderr(), "muster: there was no user `{name}`{when}").ok();
        return Ok(ExitCode::from(1));
    };
    let shown = in_json(&user, instant, since);
    match format {
        ShownAs::Json => say(&shown.to_string()),
        ShownAs::Text => in_lines(&shown).iter().for_each(|line| say(line)),
    }
    Ok(ExitCode::SUCCESS)
}

/// The user with the names of the API.
fn in_json(user: &PastUser, at: Timestamp, since: Timestamp) -> Value {
    json!({
        "username": user.username,
        "userId": user.id.to_string(),
        "state": user.status.name().to_uppercase(),
        "stateReason": user.status_reason,
        "group": user.group.as_ref().map(|group| &group.name),
        "firstName": user.personal.first_name,
        "lastName": user.personal.last_name,
        "email": user.personal.email,
        "phone": user.personal.phone,
        "roles": role_names(user.roles),
        "services": user.services(at),
        "mailboxes": user.mailboxes.iter().map(|mailbox| &mailbox.name).collect::<Vec<_>>(),
        "authTokens": user.tokens.iter().map(token_json).collect::<Vec<_>>(),
        "ufaConfig": user.config,
        "agentRules": user.rules,
        "sequence": user.sequence,
        "since": since.to_string(),
        "asOf": at.to_string(),
    })
}

/// A line for each field that has a value, and one for each thing in a list of things.
fn in_lines(shown: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in shown.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Array(values) if values.iter().all(Value::is_string) => {
                let texts: Vec<_> = values.iter().filter_map(Value::as_str).collect();
                lines.push(format!("{name}: {}", texts.join(", ")));
            }
            Value::Array(values) => lines.extend(values.iter().map(|value| format!("{name}: {value}"))),
            Value::String(text) => lines.push(format!("{name}: {text}")),
            other => lines.push(format!("{name}: {other}")),
        }
    }
    lines
}
