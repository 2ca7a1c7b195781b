//! The settings of the gateway. The doc comments are the help text.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::str::FromStr;
use std::time::Duration;

use clap::ArgAction;
use ipnet::IpNet;

/// Settings of the public door, of sessions and of passwords.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "GatewayConfig")]
pub struct Config {
    /// Address of the public door; port 0 picks a free one.
    #[arg(long, env = "MUSTER_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: SocketAddr,

    /// GraphiQL, introspection and /schema.graphql, for development; refused on an address that others reach.
    #[arg(long, env = "MUSTER_DEV", action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true, value_name = "true|false")]
    pub dev: Option<bool>,

    /// The portals.
    #[command(flatten)]
    pub portals: PortalConfig,

    /// What portals call this deployment; everybody may read it, signed in or not.
    #[arg(long, env = "MUSTER_DEPLOYMENT_NAME", default_value = "Muster", value_name = "NAME")]
    pub deployment_name: String,

    /// Networks of the reverse proxies whose X-Forwarded-For is believed, as CIDR or single addresses, separated by commas.
    #[arg(long, env = "MUSTER_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network, value_name = "CIDR")]
    pub trusted_proxies: Vec<IpNet>,

    /// How long a session lives without being used.
    #[arg(long, env = "MUSTER_SESSION_IDLE", default_value = "1h", value_parser = duration, value_name = "DURATION")]
    pub session_idle: Duration,

    /// How long a session lives at most.
    #[arg(long, env = "MUSTER_SESSION_ABSOLUTE", default_value = "24h", value_parser = duration, value_name = "DURATION")]
    pub session_absolute: Duration,

    /// Temporary passwords.
    #[command(flatten)]
    pub temporary_passwords: TemporaryPasswordConfig,

    /// Memory of one password hash in KiB (argon2id m); stored passwords follow at their next sign-in when it rises.
    #[arg(long, env = "MUSTER_PASSWORD_MEMORY_KIB", default_value_t = 19_456, value_parser = clap::value_parser!(u32).range(19_456..=1_048_576), value_name = "KIB")]
    pub password_memory_kib: u32,

    /// Passes of one password hash (argon2id t).
    #[arg(long, env = "MUSTER_PASSWORD_PASSES", default_value_t = 2, value_parser = clap::value_parser!(u32).range(2..=64), value_name = "PASSES")]
    pub password_passes: u32,

    /// Lanes of one password hash (argon2id p).
    #[arg(long, env = "MUSTER_PASSWORD_LANES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16), value_name = "LANES")]
    pub password_lanes: u32,

    /// Most password hashes that wait for a free core; beyond it callers are told to come back later.
    #[arg(long, env = "MUSTER_PASSWORD_QUEUE", default_value = "256", value_name = "HASHES")]
    pub password_queue: NonZeroUsize,

    /// How long a command may take until its caller is told that there is no answer.
    #[arg(long, env = "MUSTER_COMMAND_DEADLINE", default_value = "10s", value_parser = duration, value_name = "DURATION")]
    pub command_deadline: Duration,

    /// How long a mutation waits until the views show what it did.
    #[arg(long, env = "MUSTER_READ_YOUR_WRITES", default_value = "5s", value_parser = duration, value_name = "DURATION")]
    pub read_your_writes: Duration,

    /// How old the views may be for an access check.
    #[arg(long, env = "MUSTER_ACCESS_STALENESS", default_value = "5s", value_parser = duration, value_name = "DURATION")]
    pub access_staleness: Duration,

    /// How long access checks go on when the log can't be reached.
    #[arg(long, env = "MUSTER_ACCESS_GRACE", default_value = "60s", value_parser = duration, value_name = "DURATION")]
    pub access_grace: Duration,

    /// Registrations taken from one address, such as 10/minute; `off` takes any number.
    #[arg(long, env = "MUSTER_REGISTRATIONS_PER_ADDRESS", default_value = "10/minute", value_name = "RATE")]
    pub registrations_per_address: Rate,

    /// An index of all users in memory, about 150 bytes each, that answers every list of users in milliseconds.
    #[arg(long, env = "MUSTER_USERS_INDEX", action = ArgAction::Set, num_args = 0..=1, default_value_t = true, default_missing_value = "true", require_equals = true)]
    pub users_index: bool,

    /// Queries by GET as well; mutations never.
    #[arg(long, env = "MUSTER_GRAPHQL_GET", action = ArgAction::Set, num_args = 0..=1, default_value_t = false, default_missing_value = "true", require_equals = true)]
    pub graphql_get: bool,

    /// Deepest nesting of a GraphQL document.
    #[arg(long, env = "MUSTER_GRAPHQL_DEPTH", default_value = "16", value_name = "LEVELS")]
    pub graphql_depth: NonZeroUsize,

    /// Most fields that a GraphQL document may ask for, a list counted as often as its page is long.
    #[arg(long, env = "MUSTER_GRAPHQL_COMPLEXITY", default_value = "20000", value_name = "FIELDS")]
    pub graphql_complexity: NonZeroUsize,

    /// Most streams of events that are open at once, subscriptions included.
    #[arg(long, env = "MUSTER_EVENT_STREAMS", default_value = "5000", value_name = "STREAMS")]
    pub event_streams: NonZeroUsize,

    /// Most bytes of a request body.
    #[arg(long, env = "MUSTER_BODY_LIMIT", default_value = "131072", value_name = "BYTES")]
    pub body_limit: NonZeroUsize,

    /// Longest time that a request may take.
    #[arg(long, env = "MUSTER_REQUEST_TIMEOUT", default_value = "30s", value_parser = duration, value_name = "DURATION")]
    pub request_timeout: Duration,
}

/// Settings of the portals that the gateway serves beside its API.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct PortalConfig {
    /// Serve the API alone, without the portals.
    #[arg(long, env = "MUSTER_NO_PORTALS", action = ArgAction::Set, num_args = 0..=1, default_value_t = false, default_missing_value = "true", require_equals = true, value_name = "true|false")]
    pub no_portals: bool,

    /// Host name under which the admin portal is served, and no other; any without it.
    #[arg(long, env = "MUSTER_ADMIN_HOST", value_name = "HOST")]
    pub admin_host: Option<String>,

    /// Host name under which the user portal is served, and no other; any without it.
    #[arg(long, env = "MUSTER_USER_HOST", value_name = "HOST")]
    pub user_host: Option<String>,
}

/// A setting, or a combination of settings, that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// Others could use the development pages.
    #[error("--dev (MUSTER_DEV) is refused on {0}: others can reach that address")]
    DevInPublic(SocketAddr),
    /// A session would end before it is idle.
    #[error(
        "--session-idle (MUSTER_SESSION_IDLE) is longer than --session-absolute (MUSTER_SESSION_ABSOLUTE)"
    )]
    IdleLongerThanLife,
}

impl Config {
    /// Whether GraphiQL and introspection are on.
    pub fn is_dev(&self) -> bool {
        self.dev.unwrap_or(false)
    }

    /// Checks the settings against each other.
    pub fn check(&self) -> Result<(), InvalidConfig> {
        if self.is_dev() && !self.listen.ip().is_loopback() {
            return Err(InvalidConfig::DevInPublic(self.listen));
        }
        if self.session_idle > self.session_absolute {
            return Err(InvalidConfig::IdleLongerThanLife);
        }
        Ok(())
    }
}

/// A number of events per window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// No limit.
    Off,
    /// At most `most` in each `window`.
    Limit {
        /// Events per window.
        most: NonZeroU32,
        /// Length of a window.
        window: Duration,
    },
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let wrong = || format!("`{text}` is neither `off` nor a rate such as 10/minute");
        let (most, unit) = text.split_once('/').ok_or_else(wrong)?;
        let window = match unit {
            "second" => Duration::from_secs(1),
            "minute" => Duration::from_mins(1),
            "hour" => Duration::from_hours(1),
            "day" => Duration::from_hours(24),
            _ => return Err(wrong()),
        };
        Ok(Self::Limit { most: most.parse().map_err(|_| wrong())?, window })
    }
}

/// Parses a network, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    domain::network::parse(text)
        .ok_or_else(|| format!("`{text}` is neither a network such as 10.1.0.0/16 nor an address"))
}

/// Settings of temporary passwords. They hold wherever one is made: at the gateway, by `muster init`, at the first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct TemporaryPasswordConfig {
    /// How long a temporary password works.
    #[arg(long, env = "MUSTER_TEMPORARY_PASSWORD_VALIDITY", default_value = "24h", value_parser = duration, value_name = "DURATION")]
    pub temporary_password_validity: Duration,
}

/// Parses a duration such as 500ms, 30s, 5m, 1h or 2d. The shortest is a millisecond.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration such as 500ms, 30s, 5m, 1h or 2d");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit: u64 = match &text[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).filter(|millis| *millis > 0).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        config: Config,
    }

    fn parse(arguments: &[&str]) -> Config {
        Program::try_parse_from([&["muster"], arguments].concat()).unwrap().config
    }

    #[test]
    fn the_defaults_are_those_of_the_reference() {
        let config = parse(&[]);
        assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
        assert!(!config.is_dev() && !config.graphql_get);
        assert_eq!(config.session_idle, Duration::from_hours(1));
        assert_eq!(config.command_deadline, Duration::from_secs(10));
        assert_eq!(config.registrations_per_address, "10/minute".parse().unwrap());
        assert_eq!(config.check(), Ok(()));
    }

    #[test]
    fn dev_is_refused_on_an_address_that_others_reach() {
        let config = parse(&["--dev", "--listen", "0.0.0.0:8080"]);
        assert!(matches!(config.check(), Err(InvalidConfig::DevInPublic(_))));
        assert_eq!(parse(&["--dev=true", "--listen", "[::1]:0"]).check(), Ok(()));
    }

    #[test]
    fn f18_a_trusted_proxy_is_a_network_or_an_address() {
        let config = parse(&["--trusted-proxies", "127.0.0.1,::ffff:10.0.0.0/104,2001:db8::/32"]);
        let networks: Vec<_> = config.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"]);
        let wrong = Program::try_parse_from(["muster", "--trusted-proxies", "proxy"]).err().unwrap();
        assert!(wrong.to_string().contains("`proxy` is neither a network"));
    }

    #[test]
    fn durations_and_rates_are_read_and_nonsense_is_named() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for text in ["", "5", "s", "0s", "-1s", "1.5h", "1w", "99999999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!("off".parse(), Ok(Rate::Off));
        for text in ["0/minute", "10", "10/week", "x/hour"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
