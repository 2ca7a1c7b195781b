//! Where the log and the views are, and opening them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::parser::ValueSource;
use command_service::deployment;
use event_log::EventLog;
use event_log::kafka::{Acknowledge, KafkaLog, KafkaSettings};
use event_log::sqlite::SqliteLog;
use graphql_gateway::secrets;
use read_model::{Error as ViewsError, ReadModel, ViewWriter, ViewsAt};
use secrecy::ExposeSecret;
use service_kit::settings;

/// The variable that holds the deployment's secret keys.
pub(crate) const SECRET_KEY: &str = "MUSTER_SECRET_KEY";

/// Variables that hold secrets; they are read here and not by the command line.
pub(crate) const SECRET_VARIABLES: &[&str] =
    &["MUSTER_VIEWS_FILE", "MUSTER_SERVICE_TOKEN", "MUSTER_SERVICE_TOKEN_FILE", SECRET_KEY];

/// Where the log is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LogArguments {
    /// Where the log is: `sqlite` (in the data directory) or `kafka://host:port[,host:port]`.
    #[arg(long, env = "MUSTER_LOG", default_value = "sqlite", value_name = "LOCATION")]
    pub(crate) log: LogLocation,

    /// The one directory of the embedded log and views; locked by the process that serves from it.
    #[arg(long, env = "MUSTER_DATA_DIR", default_value = "./data", value_name = "DIRECTORY")]
    pub(crate) data_dir: PathBuf,

    /// What stands before the name of every Kafka topic, so that deployments can share brokers.
    #[arg(long, env = "MUSTER_TOPIC_PREFIX", default_value = "muster.", value_name = "PREFIX")]
    pub(crate) topic_prefix: String,

    /// When a command that was written to Kafka counts as accepted: when the broker has answered the commit, or when
    /// the records were read back as well. What the embedded log accepts is on disk either way.
    #[arg(long, env = "MUSTER_ACKNOWLEDGE", value_enum, default_value_t = AcknowledgeWhen::ReadBack, value_name = "WHEN")]
    pub(crate) acknowledge: AcknowledgeWhen,
}

/// When a command counts as accepted.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum AcknowledgeWhen {
    /// After the commit returned.
    Committed,
    /// After the records were read back under `read_committed`.
    ReadBack,
}

/// Where the views are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ViewsArguments {
    /// Where the views are: `sqlite` (in the data directory) or `postgres://user:password@host[,host]/database`.
    /// One with a password is given as variable, or in the file that `MUSTER_VIEWS_FILE` names.
    #[arg(
        long,
        env = "MUSTER_VIEWS",
        hide_env_values = true,
        default_value = "sqlite",
        value_name = "LOCATION"
    )]
    pub(crate) views: String,

    /// Most connections to a PostgreSQL server, of each process.
    #[arg(long, env = "MUSTER_VIEWS_CONNECTIONS", default_value_t = 16, value_name = "CONNECTIONS",
          value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub(crate) views_connections: u32,
}

/// Where the log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogLocation {
    /// In the data directory.
    Sqlite,
    /// On these brokers.
    Kafka(String),
}

impl FromStr for LogLocation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("kafka://") {
            Some(brokers) if !brokers.is_empty() && brokers.split(',').all(is_broker) => {
                Ok(Self::Kafka(brokers.to_owned()))
            }
            None if text == "sqlite" => Ok(Self::Sqlite),
            _ => Err("it is neither `sqlite` nor `kafka://host:port[,host:port]`".to_owned()),
        }
    }
}

fn is_broker(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

impl LogArguments {
    /// Opens the log for a command that somebody waits for.
    pub(crate) async fn open_soon(&self) -> Result<Arc<dyn EventLog>> {
        soon("the log did not answer, or its topics are missing,", self.open()).await
    }

    /// Opens the log. Waits for brokers and topics that are not there yet, and says so. Refuses a number of partitions that
    /// is not the deployment's.
    pub(crate) async fn open(&self) -> Result<Arc<dyn EventLog>> {
        let log = self.open_unchecked().await?;
        deployment::require_partitions(&*log).await?;
        Ok(log)
    }

    async fn open_unchecked(&self) -> Result<Arc<dyn EventLog>> {
        Ok(match &self.log {
            LogLocation::Sqlite => SqliteLog::open(&self.data_dir).await?,
            LogLocation::Kafka(brokers) => KafkaLog::connect(self.kafka(brokers)).await?,
        })
    }

    /// Opens the log beside a process that may be writing it.
    pub(crate) async fn open_for_reading(&self) -> Result<Arc<dyn EventLog>> {
        match &self.log {
            LogLocation::Sqlite => Ok(SqliteLog::open_read_only(&self.data_dir).await?),
            LogLocation::Kafka(_) => self.open_soon().await,
        }
    }

    /// Ends a verification that can't read the log. A file that can't be read is damaged. Brokers may only be out of
    /// reach, so that is an error.
    pub(crate) fn damaged(&self, reason: &str) -> Result<ExitCode> {
        match &self.log {
            LogLocation::Sqlite => {
                crate::wiring::say(&format!(
                    "{}: BROKEN: it can't be read: {reason}",
                    absolute(&self.data_dir)
                ));
                Ok(ExitCode::from(1))
            }
            LogLocation::Kafka(_) => bail!("the log can't be read: {reason}"),
        }
    }

    /// How the brokers are reached.
    pub(crate) fn kafka(&self, brokers: &str) -> KafkaSettings {
        let acknowledge = match self.acknowledge {
            AcknowledgeWhen::Committed => Acknowledge::Committed,
            AcknowledgeWhen::ReadBack => Acknowledge::ReadBack,
        };
        KafkaSettings { acknowledge, ..KafkaSettings::new(brokers, &self.topic_prefix) }
    }

    /// Everything in the data directory.
    pub(crate) fn is_embedded(&self) -> bool {
        self.log == LogLocation::Sqlite
    }

    /// The log in words, without secrets.
    pub(crate) fn describe(&self) -> String {
        match &self.log {
            LogLocation::Sqlite => format!("{} (SQLite)", absolute(&self.data_dir)),
            LogLocation::Kafka(brokers) => format!("kafka://{brokers}, topics {}…", self.topic_prefix),
        }
    }
}

impl ViewsArguments {
    /// Opens the views to read them. Makes missing tables. Waits for a database that is away, and for a projection that
    /// replaces views of an older format, and says so.
    pub(crate) async fn open(&self, log: &LogArguments) -> Result<ReadModel> {
        let may_change =
            |error: &ViewsError| error.is_unavailable() || matches!(error, ViewsError::OlderViews { .. });
        self.wait_to_open(log, ReadModel::open, may_change).await
    }

    /// Opens the views to fill them. Makes missing tables. Waits for a database that is away, and says so.
    pub(crate) async fn open_writer(&self, log: &LogArguments) -> Result<ViewWriter> {
        self.wait_to_open(log, ViewWriter::open, ViewsError::is_unavailable).await
    }

    async fn wait_to_open<T>(
        &self,
        log: &LogArguments,
        open: impl AsyncFn(&ViewsAt) -> Result<T, ViewsError>,
        may_change: impl Fn(&ViewsError) -> bool,
    ) -> Result<T> {
        let at = self.place(log)?;
        let mut is_said = false;
        loop {
            match open(&at).await {
                Err(error) if may_change(&error) => {
                    if !std::mem::replace(&mut is_said, true) {
                        tracing::info!(%error, "waiting for the views");
                    }
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                opened => return opened.context("the views can't be opened"),
            }
        }
    }

    /// Opens the views to read them, for a command that somebody waits for.
    pub(crate) async fn open_soon(&self, log: &LogArguments) -> Result<ReadModel> {
        let opening = self.wait_to_open(log, ReadModel::open, ViewsError::is_unavailable);
        soon("the database of the views did not answer", opening).await
    }

    /// Opens the views to change them, for a command that somebody waits for.
    pub(crate) async fn open_writer_soon(&self, log: &LogArguments) -> Result<ViewWriter> {
        soon("the database of the views did not answer", self.open_writer(log)).await
    }

    /// The views, unless they are files that nobody has made yet.
    pub(crate) async fn open_existing(&self, log: &LogArguments) -> Result<Option<ReadModel>> {
        if self.is_embedded()? && !log.data_dir.join("views.db").exists() {
            return Ok(None);
        }
        self.open_soon(log).await.map(Some)
    }

    /// The place of the views.
    pub(crate) fn place(&self, log: &LogArguments) -> Result<ViewsAt> {
        let given = self.given()?;
        if given == "sqlite" {
            return Ok(ViewsAt::Sqlite { directory: log.data_dir.clone() });
        }
        if given.starts_with("postgres://") || given.starts_with("postgresql://") {
            return Ok(ViewsAt::Postgres { url: given, connections: self.views_connections });
        }
        bail!("--views (MUSTER_VIEWS) is neither `sqlite` nor `postgres://…`");
    }

    /// Whether the views are in the data directory.
    pub(crate) fn is_embedded(&self) -> Result<bool> {
        Ok(self.given()? == "sqlite")
    }

    fn given(&self) -> Result<String> {
        let from_file = match std::env::var_os("MUSTER_VIEWS_FILE") {
            Some(_) => settings::secret("MUSTER_VIEWS")?,
            None => None,
        };
        Ok(from_file.unwrap_or_else(|| self.views.clone()))
    }
}

/// How long a command waits for servers before it says that it could not run.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a service looks for a database that is away.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

async fn soon<T>(complaint: &str, opening: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, opening).await {
        Ok(opened) => opened,
        Err(_) => bail!("{complaint} within {} seconds", PATIENCE.as_secs()),
    }
}

/// A password in a flag would be seen by everybody who lists processes.
pub(crate) fn refuse_password_in_flag(matches: &clap::ArgMatches) -> Result<()> {
    let Some((_, matches)) = matches.subcommand() else { return Ok(()) };
    if let Ok(Some(views)) = matches.try_get_one::<String>("views") {
        let typed = matches.value_source("views") == Some(ValueSource::CommandLine);
        let authority = views.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or(""));
        let has_password = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
        if typed && has_password {
            bail!(
                "--views must not hold a password, because others see it; set MUSTER_VIEWS or MUSTER_VIEWS_FILE"
            );
        }
    }
    refuse_password_in_flag(matches)
}

/// What services of one deployment authenticate each other with.
pub(crate) fn service_token() -> Result<String> {
    settings::secret("MUSTER_SERVICE_TOKEN")?.context(
        "MUSTER_SERVICE_TOKEN (or MUSTER_SERVICE_TOKEN_FILE) is not set: services of a deployment authenticate each other with it",
    )
}

/// The token that services were given, or one that nobody else knows: enough for a process that is all of them.
pub(crate) fn service_token_or_fresh() -> Result<String> {
    let fresh = || secrets::session_token().expose_secret().to_owned();
    Ok(settings::secret("MUSTER_SERVICE_TOKEN")?.unwrap_or_else(fresh))
}

/// The path as an operator finds it from anywhere.
pub(crate) fn absolute(path: &std::path::Path) -> String {
    std::path::absolute(path).map_or_else(|_| path.display().to_string(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_log_is_can_be_read() {
        assert_eq!("sqlite".parse(), Ok(LogLocation::Sqlite));
        assert_eq!("kafka://a:9092,b:9092".parse(), Ok(LogLocation::Kafka("a:9092,b:9092".into())));
        for wrong in ["", "kafka://", "kafka://a", "kafka://a:b", "kafka://a:1,", "redis://a:1"] {
            assert!(wrong.parse::<LogLocation>().is_err(), "{wrong}");
        }
    }
}
