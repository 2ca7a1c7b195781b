//! What can be typed: subcommands, flags, variables, the settings file.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use service_kit::settings;
use service_kit::telemetry::{self, TelemetryConfig};

use crate::{
    access, init, keys, log, projection, schemas, serve, services, settings_file, store, topics, user,
};

/// Onboards the users of a managed file transfer platform and decides who may use it.
///
/// Without a subcommand `serve` runs: everything in one process, with its data in ./data.
#[derive(Parser)]
#[command(name = "muster", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(clap::Args)]
struct Common {
    /// A TOML file with settings; flags and variables win over it. `muster settings` prints one.
    #[arg(long, env = "MUSTER_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    telemetry: TelemetryConfig,
}

#[derive(Subcommand)]
enum Subcommands {
    /// Everything in one process; this is what runs without a subcommand.
    Serve(Box<serve::Arguments>),
    /// Owns partitions of the log: decides commands and appends what follows.
    CommandService(services::CommandArguments),
    /// Follows the log and keeps the views.
    ProjectionService(services::ProjectionArguments),
    /// Serves the portals and other systems: GraphQL, access checks, the agent API, feeds of events.
    GraphqlGateway(Box<services::GatewayArguments>),
    /// Sends the events of users to webhooks.
    WebhookService(services::WebhookArguments),
    /// Makes the first administrator and prints the temporary password once.
    Init(init::Arguments),
    /// Creates the Kafka topics, or checks those that exist.
    Topics(topics::Arguments),
    /// Shows where the views are, lets a halted one try again, or skips a record that can't be read.
    Projection(projection::Arguments),
    /// Shows or rotates the deployment's secret keys.
    Keys(keys::Arguments),
    /// Reads or verifies the log.
    Log(log::Arguments),
    /// Shows a user as they are, or as they were at an instant.
    User(user::Arguments),
    /// Reports who could pass where at an instant.
    Access(access::Arguments),
    /// Writes what is generated: the GraphQL schema, the schemas of events, the AsyncAPI document, the list of codes.
    Schemas(schemas::Arguments),
    /// Prints every setting with its default and description, as a file for --config.
    Settings,
}

/// Reads what was typed and does it.
pub(crate) async fn run() -> Result<ExitCode> {
    let arguments = with_default_subcommand(std::env::args_os().collect());
    let mut command = Cli::command();
    if let Some(path) = settings_file(&arguments) {
        command = settings::with_file(command, &path)?;
    }
    let unknown = settings::unknown_variables(&command, store::SECRET_VARIABLES);
    let matches = command.get_matches_from(&arguments);
    store::refuse_password_in_flag(&matches)?;
    let cli = Cli::from_arg_matches(&matches)?;
    telemetry::start_logs(&cli.common.telemetry)?;
    for variable in unknown {
        tracing::warn!(variable, "this variable is no setting of Muster");
    }
    match cli.command {
        Subcommands::Serve(arguments) => serve::run(*arguments).await,
        Subcommands::CommandService(arguments) => services::command_service(arguments).await,
        Subcommands::ProjectionService(arguments) => services::projection_service(arguments).await,
        Subcommands::GraphqlGateway(arguments) => services::graphql_gateway(*arguments).await,
        Subcommands::WebhookService(arguments) => services::webhook_service(arguments).await,
        Subcommands::Init(arguments) => init::run(arguments).await,
        Subcommands::Topics(arguments) => topics::run(arguments).await,
        Subcommands::Projection(arguments) => projection::run(arguments).await,
        Subcommands::Keys(arguments) => keys::run(&arguments),
        Subcommands::Log(arguments) => log::run(arguments).await,
        Subcommands::User(arguments) => user::run(arguments).await,
        Subcommands::Access(arguments) => access::run(arguments).await,
        Subcommands::Schemas(arguments) => schemas::run(&arguments),
        // Without what a settings file has changed.
        Subcommands::Settings => settings_file::run(&Cli::command()),
    }
}

/// `muster --listen …` is `muster serve --listen …`.
fn with_default_subcommand(mut arguments: Vec<OsString>) -> Vec<OsString> {
    const ABOUT: [&str; 4] = ["-h", "--help", "-V", "--version"];
    let command = Cli::command();
    let names = |argument: &OsString| {
        argument == "help" || command.get_subcommands().any(|subcommand| argument == subcommand.get_name())
    };
    let is_about = arguments.get(1).is_some_and(|first| ABOUT.iter().any(|about| first == about));
    if !is_about && !arguments.iter().skip(1).any(names) {
        arguments.insert(1.min(arguments.len()), "serve".into());
    }
    arguments
}

/// The file is read before the other arguments, because settings that they leave out come from it.
fn settings_file(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(path.into());
        }
    }
    std::env::var_os("MUSTER_CONFIG").map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(typed: &[&str]) -> Vec<OsString> {
        with_default_subcommand(typed.iter().map(Into::into).collect())
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_what_runs_without_a_subcommand() {
        assert_eq!(completed(&["muster"]), ["muster", "serve"]);
        assert_eq!(completed(&["muster", "--data-dir", "x"]), ["muster", "serve", "--data-dir", "x"]);
        assert_eq!(completed(&["muster", "--log-format", "json", "topics"])[1], "--log-format");
        assert_eq!(completed(&["muster", "--help"]), ["muster", "--help"]);
    }
}
