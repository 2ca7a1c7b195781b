//! The UFA config: the general settings of a user's file agent.

use serde::{Deserialize, Serialize};

use crate::aggregate::Decision;
use crate::patch::Patch;
use crate::refusal::Refusals;
use crate::text;
use crate::user::input::between;
use crate::user::{Event, User};
use crate::validation::Validation;
use crate::wire::Change;

#[cfg(test)]
#[path = "specs/agent.rs"]
pub(crate) mod spec;

/// The general settings of a user's file agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
// The published schema keeps the name.
#[schemars(rename = "Config")]
pub struct UfaConfig {
    /// Whether the agent logs in detail.
    #[serde(rename = "debug")]
    pub debug: bool,
    /// Where the agent logs. Empty means its own default.
    #[serde(rename = "logFile")]
    pub log_file: String,
    /// Seconds between two heartbeats.
    #[serde(rename = "heartbeatInterval")]
    pub heartbeat_interval: u32,
    /// Seconds between two reads of this config.
    #[serde(rename = "configInterval")]
    pub config_interval: u32,
    /// Most transfers at a time.
    #[serde(rename = "maxJobs")]
    pub max_jobs: u32,
}

impl Default for UfaConfig {
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

/// Change the general settings of the file agent.
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
    /// Seconds between two reads of the config, 5 to 86,400.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub config_interval: Patch<i32>,
    /// Most transfers at a time, 1 to 10,000.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub max_jobs: Patch<i32>,
}

/// The general settings of the file agent changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UfaConfigEdited {
    /// Before and after.
    #[serde(rename = "config")]
    pub config: Change<UfaConfig>,
}

impl EditUfaConfig {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let before = user.require_known()?.config.as_deref().cloned().unwrap_or_default();
        let mut check = Validation::new();
        let debug = check.field("debug", self.debug.apply_required(&before.debug, |debug| Ok(*debug)));
        let log_file =
            self.log_file.apply_optional(Some(&before.log_file), |text| text::optional(Some(text), 4096));
        let log_file = check.field("logFile", log_file);
        let heartbeat_interval =
            self.heartbeat_interval.apply_required(&before.heartbeat_interval, |n| between(*n, 5, 86_400));
        let heartbeat_interval = check.field("heartbeatInterval", heartbeat_interval);
        let config_interval =
            self.config_interval.apply_required(&before.config_interval, |n| between(*n, 5, 86_400));
        let config_interval = check.field("configInterval", config_interval);
        let max_jobs = check
            .field("maxJobs", self.max_jobs.apply_required(&before.max_jobs, |n| between(*n, 1, 10_000)));
        let after = check.with((|| {
            Some(UfaConfig {
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
