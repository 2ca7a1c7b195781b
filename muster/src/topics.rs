//! `muster topics`: creates the Kafka topics, or checks those that exist.

use std::process::ExitCode;

use anyhow::{Result, bail};
use event_log::kafka::ensure_topics;

use crate::store::{LogArguments, LogLocation};
use crate::wiring::say;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    /// Over how many partitions users are spread. Fixed for the life of the deployment.
    #[arg(long, env = "MUSTER_PARTITIONS", default_value_t = 8, value_name = "PARTITIONS",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    partitions: u32,
    /// Copies of each record; 3 or more in production.
    #[arg(long, env = "MUSTER_REPLICATION", default_value_t = 1, value_name = "COPIES",
          value_parser = clap::value_parser!(u16).range(1..=15))]
    replication: u16,
}

/// Creates or checks the topics and says which.
pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let LogLocation::Kafka(brokers) = &arguments.log.log else {
        bail!("--log (MUSTER_LOG) is `sqlite`: only a log on Kafka has topics");
    };
    let settings = arguments.log.kafka(brokers);
    let topics = ensure_topics(&settings, arguments.partitions, arguments.replication).await?;
    for topic in topics {
        let state = if topic.made { "made" } else { "was there" };
        say(&format!("{} ({} partitions): {state}", topic.name, topic.partitions));
    }
    // Opening it compares the number with the deployment's.
    arguments.log.open_soon().await?;
    Ok(ExitCode::SUCCESS)
}
