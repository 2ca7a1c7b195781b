//! The UFA config: what a user's file agent does in general.

use serde::{Deserialize, Serialize};

use crate::aggregate::Decision;
use crate::patch::Patch;
use crate::refusal::{Check, Refusals};
use crate::text;
use crate::user::input::between;
use crate::user::{Event, User};
use crate::wire::Change;

#[cfg(test)]
#[path = "specs/agent.rs"]
pub(crate) mod spec;

/// What the file agent does in general.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Config {
    /// Whether the agent logs in detail.
    #[serde(rename = "debug")]
    pub debug: bool,
    /// Where the agent logs; empty for its own default.
    #[serde(rename = "logFile")]
    pub log_file: String,
    /// Seconds between two heartbeats.
    #[serde(rename = "heartbeatInterval")]
    pub heartbeat_interval: u32,
    /// Seconds between two looks at this config.
    #[serde(rename = "configInterval")]
    pub config_interval: u32,
    /// Most transfers at a time.
    #[serde(rename = "maxJobs")]
    pub max_jobs: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            debug: false,
            log_file: String::new(),
            heartbeat_interval: 30,
            config_interval: 30,
            max_jobs: 100,
        }
    }
}

/// Change what the file agent does in general.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditUfaConfig {
    /// Whether the agent logs in detail.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub debug: Patch<bool>,
    /// Where the agent logs, up to 4,096 characters.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub log_file: Patch<String>,
    /// Seconds between two heartbeats, 5 to 86,400.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub heartbeat_interval: Patch<i32>,
    /// Seconds between two looks at the config, 5 to 86,400.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub config_interval: Patch<i32>,
    /// Most transfers at a time, 1 to 10,000.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub max_jobs: Patch<i32>,
}

/// What the file agent does in general changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UfaConfigEdited {
    /// Before and after.
    #[serde(rename = "config")]
    pub config: Change<Config>,
}

impl EditUfaConfig {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let before = user.require_editable()?.config.as_deref().cloned().unwrap_or_default();
        let mut check = Check::new();
        let debug = check.field("debug", self.debug.onto(&before.debug, |debug| Ok(*debug)));
        let log_file = self.log_file.over(Some(&before.log_file), |text| text::optional(Some(text), 4096));
        let log_file = check.field("logFile", log_file);
        let heartbeat_interval =
            self.heartbeat_interval.onto(&before.heartbeat_interval, |n| between(*n, 5, 86_400));
        let heartbeat_interval = check.field("heartbeatInterval", heartbeat_interval);
        let config_interval = self.config_interval.onto(&before.config_interval, |n| between(*n, 5, 86_400));
        let config_interval = check.field("configInterval", config_interval);
        let max_jobs =
            check.field("maxJobs", self.max_jobs.onto(&before.max_jobs, |n| between(*n, 1, 10_000)));
        let after = check.with((|| {
            Some(Config {
                debug: debug?,
                log_file: log_file?.unwrap_or_default(),
                heartbeat_interval: heartbeat_interval?,
                config_interval: config_interval?,
                max_jobs: max_jobs?,
            })
        })())?;
        Ok(user.decision().maybe(Change::between(&before, &after).map(|config| UfaConfigEdited { config })))
    }
}
