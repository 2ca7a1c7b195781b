//! `muster access`: who could pass where at an instant.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use domain::id::GroupId;
use domain::names::GroupName;
use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use domain::user::past::PastUser;
use read_model::ReadModel;
use read_model::user_spans::PastUserFilter;
use serde_json::json;

use crate::as_of::{self, role_names, token_json};
use crate::store::{LogArguments, ViewsArguments};

/// Users that are read at a time.
const PAGE: u32 = 1_000;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(clap::Subcommand)]
enum Subcommands {
    /// Prints every user who was active at an instant, and which services their password or tokens opened then.
    Report(ReportArguments),
}

#[derive(clap::Args)]
struct ReportArguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
    /// The instant, such as `2026-03-01T00:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    at: Timestamp,
    /// Only users who were in this group then.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// How the report is printed.
    #[arg(long, default_value = "csv", value_name = "FORMAT")]
    format: ReportFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ReportFormat {
    /// A header and a line a user.
    Csv,
    /// A list with a line a user, and with the tokens that were valid.
    Json,
}

/// Reports.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Subcommands::Report(ReportArguments { log, views, at, group, format }) = arguments.command;
    let views = as_of::open(&log, &views, at).await?;
    let groups = match group {
        None => Vec::new(),
        Some(name) => {
            let Some(id) = group_ever(&views, &name).await? else {
                writeln!(std::io::stderr(), "muster: there was never a group `{name}`").ok();
                return Ok(ExitCode::from(1));
            };
            vec![id]
        }
    };
    let filter = PastUserFilter { states: vec![UserStatus::Active], groups };
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let page = views.users_as_of_page(at, &filter, PAGE, after).await;
        let page = page.context("the views can't be read")?;
        lines.extend(page.edges.iter().map(|edge| {
            let line = match format {
                ReportFormat::Csv => in_csv(&edge.row, at),
                ReportFormat::Json => in_json(&edge.row, at),
            };
            (edge.row.username.clone(), line)
        }));
        after = page.end;
        if !page.has_next {
            break;
        }
    }
    lines.sort_unstable();
    let written = write(&lines, format);
    written.context("the report could not be written")?;
    Ok(ExitCode::SUCCESS)
}

/// The group of this name, also if it was deleted since.
async fn group_ever(views: &ReadModel, name: &str) -> Result<Option<GroupId>> {
    let Ok(name) = GroupName::parse(name) else { return Ok(None) };
    let found = views.groups_ever(&[GroupId::of(&name)]).await.context("the views can't be read")?;
    Ok(found.first().map(|group| group.id))
}

fn write(lines: &[(String, String)], format: ReportFormat) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (head, between, end) = match format {
        ReportFormat::Csv => ("username,userId,group,roles,services\n", "\n", "\n"),
        ReportFormat::Json => ("[", ",\n", "]\n"),
    };
    out.write_all(head.as_bytes())?;
    for (index, (_, line)) in lines.iter().enumerate() {
        out.write_all(if index == 0 { "" } else { between }.as_bytes())?;
        out.write_all(line.as_bytes())?;
    }
    let is_done = lines.is_empty() && format == ReportFormat::Csv;
    out.write_all(if is_done { "" } else { end }.as_bytes())?;
    out.flush()
}

fn in_csv(user: &PastUser, at: Timestamp) -> String {
    let group = user.group.as_ref().map_or("", |group| &group.name);
    let (roles, services) = (role_names(user.roles).join(" "), user.services(at).join(" "));
    [user.username.as_str(), &user.id.to_string(), group, &roles, &services].map(quoted).join(",")
}

/// A field of RFC 4180: in quotes where it has to be.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn in_json(user: &PastUser, at: Timestamp) -> String {
    let living = user.tokens.iter().filter(|token| token.is_living(at));
    json!({
        "username": user.username,
        "userId": user.id.to_string(),
        "group": user.group.as_ref().map(|group| &group.name),
        "roles": role_names(user.roles),
        "services": user.services(at),
        "password": user.has_chosen_password,
        "authTokens": living.map(token_json).collect::<Vec<_>>(),
        "sequence": user.sequence,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_has_to_be() {
        assert_eq!(quoted("north"), "north");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
    }
}
