//! The settings of the command service.

use std::net::SocketAddr;
use std::time::Duration;

/// Settings of the command service.
#[derive(Debug, Clone, clap::Args)]
pub struct CommandConfig {
    /// Address on which commands are received. Only gateways talk to it; keep it on a private network.
    #[arg(long, env = "MUSTER_COMMANDS_LISTEN", default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    pub commands_listen: SocketAddr,

    /// URL under which gateways reach that address. By default the address itself.
    #[arg(long, env = "MUSTER_ADVERTISE", value_name = "URL")]
    pub advertise: Option<String>,

    /// Most commands that wait for one partition. Callers of further ones are told to come back later.
    #[arg(long, env = "MUSTER_COMMAND_QUEUE", default_value_t = 4096, value_name = "COMMANDS",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub command_queue: u32,

    /// Most commands written in one transaction.
    #[arg(long, env = "MUSTER_COMMAND_BATCH", default_value_t = 512, value_name = "COMMANDS",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub command_batch: u32,

    /// Seconds one call of the log may take without progress before the owner of the partition is given up and replaced.
    /// Must be longer than a transaction that survives a restart of the brokers.
    #[arg(long, env = "MUSTER_COMMAND_PATIENCE", default_value_t = 90, value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub command_patience: u32,

    /// Events of a partition after which its owner saves a snapshot, so that the next owner has less to read. More events
    /// if the partition has more than twice as many users. 0 saves no snapshots and ignores existing ones.
    #[arg(long, env = "MUSTER_SNAPSHOT_EVERY", default_value_t = 50_000, value_name = "EVENTS")]
    pub snapshot_every: u32,

    /// Most agent rules of one user.
    #[arg(long, env = "MUSTER_RULES_PER_USER", default_value_t = 100, value_name = "RULES",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rules_per_user: u32,
}

impl CommandConfig {
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.command_patience.into())
    }

    pub(crate) fn snapshot_every(&self) -> Option<usize> {
        (self.snapshot_every > 0).then_some(self.snapshot_every as usize)
    }

    /// The limits that the domain's rules check.
    pub(crate) fn limits(&self) -> domain::decision_context::Limits {
        domain::decision_context::Limits { rules: self.rules_per_user as usize, ..Default::default() }
    }
}
