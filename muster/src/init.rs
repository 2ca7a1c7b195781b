//! `muster init`: the first administrator.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use command_service::deployment;
use command_service::initialise::{self, InitialiseError};
use domain::decision_context::Prepared;
use domain::id::UserId;
use domain::names::Username;
use domain::refusal::Code;
use domain::timestamp::Timestamp;
use domain::user::{self, onboarding::MakeFirstAdministrator, password::ResetPassword};
use event_log::EventLog;
use graphql_gateway::config::TemporaryPasswordConfig;
use graphql_gateway::secrets;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::LogArguments;

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("who").required(true).args(["username", "recover"]))]
pub(crate) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    temporary_passwords: TemporaryPasswordConfig,
    /// Name of the first administrator.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// E-mail address of the first administrator.
    #[arg(long, value_name = "ADDRESS", requires = "username")]
    email: Option<String>,
    /// Gives an existing administrator a new temporary password instead.
    #[arg(long, value_name = "NAME")]
    recover: Option<String>,
    /// How the answer is printed.
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    format: OutputFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum OutputFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// An administrator and the password that is shown once.
pub(crate) struct Administrator {
    /// The username.
    pub(crate) username: Username,
    /// Shown once, stored nowhere.
    pub(crate) temporary_password: String,
    /// When it stops working.
    pub(crate) expires_at: Timestamp,
}

/// Makes the first administrator, or gives one a new password, and prints it.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let log = arguments.log.open_soon().await?;
    let (name, recover) = match (&arguments.username, &arguments.recover) {
        (_, Some(name)) => (name, true),
        (Some(name), None) => (name, false),
        (None, None) => unreachable!("the command line asks for one of them"),
    };
    let username =
        Username::parse(name).map_err(|refusal| anyhow::anyhow!("`{name}`: {}", refusal.message))?;
    let validity = arguments.temporary_passwords.temporary_password_validity;
    let administrator = make(log, username, arguments.email.clone(), recover, validity).await?;
    match administrator {
        Ok(administrator) => {
            print(&administrator, arguments.format).with_context(|| {
                let name = &administrator.username;
                format!("the password could not be shown; `muster init --recover {name}` makes another")
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => {
            report(&refusal.message);
            Ok(ExitCode::from(1))
        }
    }
}

/// Makes the first administrator where there is none. `None` when there is one.
pub(crate) async fn first(
    log: Arc<dyn EventLog>,
    username: &str,
    TemporaryPasswordConfig { temporary_password_validity: validity }: TemporaryPasswordConfig,
) -> Result<Option<Administrator>> {
    // Asking the owners would replay a partition, which takes long where it holds many users.
    if deployment::recorded(&*log).await?.is_some() {
        return Ok(None);
    }
    let username = Username::parse(username).map_err(|refusal| anyhow::anyhow!(refusal.message))?;
    match make(log, username, None, false, validity).await? {
        Ok(administrator) => Ok(Some(administrator)),
        Err(refusal) if refusal.code == Code::AlreadyInitialised => Ok(None),
        Err(refusal) => Err(anyhow::anyhow!(refusal.message)),
    }
}

async fn make(
    log: Arc<dyn EventLog>,
    username: Username,
    email: Option<String>,
    recover: bool,
    validity: Duration,
) -> Result<Result<Administrator, domain::refusal::Refusal>> {
    use secrecy::ExposeSecret;

    // The group events say it too, and they are few. Claiming reads every user of a partition.
    if !recover {
        let (recorded, partitions) = (deployment::recorded(&*log).await?, log.partitions());
        let id = UserId::of(&username);
        let first = domain::deployment::initialise(recorded.as_ref(), id, username.as_str(), partitions);
        if let Err(refusal) = first {
            return Ok(Err(refusal));
        }
    }
    let password = secrets::temporary_password();
    let expires_at = Timestamp::from(OffsetDateTime::now_utc()) + validity;
    let digest = secrets::digest(password.expose_secret());
    let prepared = Prepared::TemporaryPassword { digest, expires_at };
    let asked = if recover {
        user::Command::ResetPassword(ResetPassword::default())
    } else {
        let name = username.to_string();
        user::Command::MakeFirstAdministrator(MakeFirstAdministrator { username: name, email })
    };
    let command = initialise::ask(Uuid::now_v7().to_string(), &username, asked, prepared);
    let name = username.clone();
    let written = tokio::task::spawn_blocking(move || {
        if recover {
            initialise::recover(&log, &name, &command)
        } else {
            initialise::initialise(&log, &name, &command)
        }
    });
    match written.await.context("the thread that writes ended early")? {
        Ok(()) => {
            let temporary_password = password.expose_secret().to_owned();
            Ok(Ok(Administrator { username, temporary_password, expires_at }))
        }
        Err(InitialiseError::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => Err(error.into()),
    }
}

/// The one place where the password is shown.
fn print(administrator: &Administrator, format: OutputFormat) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        OutputFormat::Text => {
            writeln!(out, "Administrator       {}", administrator.username)?;
            writeln!(out, "Temporary password  {}", administrator.temporary_password)?;
            writeln!(
                out,
                "Valid until         {}; it must be changed at the first sign-in",
                administrator.expires_at
            )?;
        }
        OutputFormat::Json => {
            let answer = serde_json::json!({
                "username": administrator.username.as_str(),
                "userId": UserId::of(&administrator.username),
                "temporaryPassword": administrator.temporary_password,
                "expiresAt": administrator.expires_at.to_string(),
            });
            writeln!(out, "{answer}")?;
        }
    }
    out.flush()
}

fn report(message: &str) {
    writeln!(io::stderr(), "muster: {message}").ok();
}

#[cfg(test)]
mod tests {
    use event_log::sqlite::SqliteLog;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn f10_f49_a_deployment_that_has_an_administrator_is_not_claimed_to_see_that() {
        let directory = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(directory.path()).await.unwrap();
        let config = TemporaryPasswordConfig { temporary_password_validity: Duration::from_hours(1) };
        assert!(first(log.clone(), "administrator", config).await.unwrap().is_some());
        let before = log.ends().await.unwrap();
        assert!(first(log.clone(), "administrator", config).await.unwrap().is_none());
        let other = make(log.clone(), Username::parse("eve").unwrap(), None, false, Duration::from_hours(1));
        assert_eq!(other.await.unwrap().err().map(|refusal| refusal.code), Some(Code::AlreadyInitialised));
        // A claim would have left a record.
        assert_eq!(log.ends().await.unwrap(), before);
    }

    #[tokio::test]
    async fn f30_the_first_password_works_as_long_as_the_setting_says() {
        let directory = tempfile::tempdir().unwrap();
        let log: Arc<dyn EventLog> = SqliteLog::open(directory.path()).await.unwrap();
        let hours =
            |hours| TemporaryPasswordConfig { temporary_password_validity: Duration::from_hours(hours) };
        let before = Timestamp::from(OffsetDateTime::now_utc());
        let made = first(log.clone(), "ada", hours(2)).await.unwrap().expect("there was no administrator");
        let after = Timestamp::from(OffsetDateTime::now_utc());
        assert!(
            (before + Duration::from_hours(2)..=after + Duration::from_hours(2)).contains(&made.expires_at)
        );
        let recovered =
            make(log, made.username, None, true, Duration::from_hours(72)).await.unwrap().unwrap();
        assert!(recovered.expires_at >= after + Duration::from_hours(72));
    }
}
