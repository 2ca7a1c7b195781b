//! Settings of the webhook service.

use std::time::Duration;

use ipnet::IpNet;

use crate::schedule::Schedule;

/// Settings of the webhook service.
#[derive(Debug, Clone, clap::Args)]
pub struct WebhookConfig {
    /// Networks that webhooks may send to although they are private, such as `10.0.0.0/8` or `127.0.0.0/8`, separated by
    /// commas. Only there `http:` is allowed, too.
    #[arg(long, env = "MUSTER_WEBHOOK_NETWORKS", value_delimiter = ',', value_name = "NETWORKS")]
    pub webhook_networks: Vec<IpNet>,

    /// Pauses before a delivery that failed is tried again, separated by commas. After the last one it is given up.
    #[arg(long, env = "MUSTER_WEBHOOK_RETRIES", default_value = Schedule::DEFAULT, value_name = "DURATIONS")]
    pub webhook_retries: Schedule,

    /// How long a receiver may take for its answer, from 1s to 60s.
    #[arg(long, env = "MUSTER_WEBHOOK_TIMEOUT", default_value = "15s", value_parser = timeout,
          value_name = "DURATION")]
    pub webhook_timeout: Duration,

    /// Most deliveries of one webhook that are on their way at a time, each of another user.
    #[arg(long, env = "MUSTER_WEBHOOK_CONCURRENCY", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..=256), value_name = "DELIVERIES")]
    pub webhook_concurrency: u32,

    /// For how long deliveries that arrived are listed.
    #[arg(long, env = "MUSTER_WEBHOOK_HISTORY", default_value = "7d", value_parser = crate::schedule::duration,
          value_name = "DURATION")]
    pub webhook_history: Duration,
}

/// A time that a receiver may take. A send that takes longer would keep other processes from taking over for as long.
fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = crate::schedule::duration(text).map_err(|error| error.to_string())?;
    if (Duration::from_secs(1)..=Duration::from_mins(1)).contains(&timeout) {
        Ok(timeout)
    } else {
        Err(format!("`{}` is not from 1s to 60s", text.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_may_take_a_second_to_a_minute() {
        assert_eq!((timeout("1s"), timeout("60s")), (Ok(Duration::from_secs(1)), Ok(Duration::from_mins(1))));
        for wrong in ["0s", "999ms", "61s", "1h", "5"] {
            assert!(timeout(wrong).is_err_and(|error| error.contains(wrong)), "{wrong}");
        }
    }
}
