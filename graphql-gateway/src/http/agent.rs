//! The config and rules of remote agents. The ETag names the content, so an agent that has it gets no body.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::timestamp::Timestamp;
use domain::user::rules::{AckMode, DeliverPolicy, Kind};
use read_model::agents::RuleRow;
use read_model::users::UserRow;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::state::HttpState;
use crate::access::{AccessDenied, Service};
use crate::error::ApiError;
use crate::request::RequestContext;

/// Config and rules of one agent. The keys are the field names of the portal API.
#[derive(Debug, Serialize)]
struct AgentConfig {
    version: u64,
    config: General,
    rules: Vec<AgentConfigRule>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct General {
    debug: bool,
    log_file: String,
    heartbeat_interval: u32,
    config_interval: u32,
    max_jobs: u32,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AgentConfigRule {
    name: String,
    active: bool,
    poll_interval: u32,
    subscribers: u32,
    #[serde(flatten)]
    kind: RuleKind,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum RuleKind {
    Upload {
        match_pattern: String,
        regex: bool,
        upload_format: String,
        metadata: BTreeMap<String, String>,
        ack_mode: &'static str,
    },
    Download {
        mailbox: String,
        topic: String,
        deliver_policy: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        start_time: Option<Timestamp>,
        download_path: String,
        max_files: u32,
    },
}

/// `GET /agent/v1/config`
pub(crate) async fn config(
    State(state): State<Arc<HttpState>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
) -> Response {
    match answer(&state, &context, &headers).await {
        Ok(response) => response,
        Err(denied) => denied.into_response(),
    }
}

async fn answer(
    state: &HttpState,
    context: &RequestContext,
    headers: &HeaderMap,
) -> Result<Response, AccessDenied> {
    let gateway = &state.gateway;
    let granted = gateway.access.check_access(headers, context, Service::Agent).await?;
    let user = gateway.views.user(granted.user).await.map_err(ApiError::from)?;
    let user = user.ok_or(AccessDenied::Unauthenticated)?;
    // If the rules change in between, they come with the version before: the agent fetches them once more.
    let rules = gateway.views.rules_of(user.id).await.map_err(ApiError::from)?;
    let body = serde_json::to_vec(&AgentConfig::of(user, rules)).expect("a config has text keys alone");
    let tag = entity_tag(&body);
    let etag = HeaderValue::from_str(&tag).map_err(|_| AccessDenied::UNAVAILABLE)?;
    if has_content(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::ETAG, etag), (header::CONTENT_TYPE, json)], body).into_response())
}

/// A strong tag of these bytes (RFC 9110, section 8.8.3). A version alone would be the same for two users, and an agent
/// that gets the token of another user would keep the config it has.
fn entity_tag(body: &[u8]) -> String {
    format!("\"{}\"", hex::encode(Sha256::digest(body)))
}

/// Whether the agent already has the content of this tag (RFC 9110, section 13.1.2).
fn has_content(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

impl AgentConfig {
    fn of(user: UserRow, rules: Vec<RuleRow>) -> Self {
        let config = user.config;
        Self {
            version: user.ufa_version,
            config: General {
                debug: config.debug,
                log_file: config.log_file,
                heartbeat_interval: config.heartbeat_interval,
                config_interval: config.config_interval,
                max_jobs: config.max_jobs,
                updated_at: user.ufa_updated_at,
            },
            rules: rules.into_iter().map(AgentConfigRule::from).collect(),
        }
    }
}

impl From<RuleRow> for AgentConfigRule {
    fn from(row: RuleRow) -> Self {
        let topic = row.topic().unwrap_or_default();
        let rule = row.rule;
        let kind = match rule.kind {
            Kind::Upload(upload) => RuleKind::Upload {
                match_pattern: upload.match_pattern,
                regex: upload.regex,
                upload_format: upload.upload_format,
                metadata: upload.metadata.into_iter().map(|entry| (entry.key, entry.value)).collect(),
                ack_mode: match upload.ack_mode {
                    AckMode::None => "NONE",
                    AckMode::Archive => "ARCHIVE",
                    AckMode::Delete => "DELETE",
                },
            },
            Kind::Download(download) => RuleKind::Download {
                mailbox: download.mailbox,
                topic,
                deliver_policy: match download.deliver_policy {
                    DeliverPolicy::All => "ALL",
                    DeliverPolicy::New => "NEW",
                    DeliverPolicy::Last => "LAST",
                    DeliverPolicy::ByStartTime => "BY_START_TIME",
                },
                start_time: download.start_time,
                download_path: download.download_path,
                max_files: download.max_files,
            },
        };
        Self {
            name: rule.name,
            active: rule.active,
            poll_interval: rule.poll_interval,
            subscribers: rule.subscribers,
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_that_has_the_content_is_told_so() {
        let headers = |value: &str| HeaderMap::from_iter([(header::IF_NONE_MATCH, value.parse().unwrap())]);
        for (value, known) in [
            ("\"7\"", true),
            ("W/\"7\"", true),
            ("\"6\", \"7\"", true),
            ("*", true),
            ("\"8\"", false),
            ("7", false),
        ] {
            assert_eq!(has_content(&headers(value), "\"7\""), known, "{value}");
        }
        assert!(!has_content(&HeaderMap::new(), "\"7\""));
    }

    #[test]
    fn a_rule_reads_as_its_fields_are_called() {
        let rule = AgentConfigRule {
            name: "in".to_owned(),
            active: true,
            poll_interval: 300,
            subscribers: 5,
            kind: RuleKind::Download {
                mailbox: "default".to_owned(),
                topic: "amps.mailbox.alice.default".to_owned(),
                deliver_policy: "NEW",
                start_time: None,
                download_path: "./downloads".to_owned(),
                max_files: 20,
            },
        };
        let expected = serde_json::json!({
            "name": "in", "active": true, "pollInterval": 300, "subscribers": 5, "kind": "download",
            "mailbox": "default", "topic": "amps.mailbox.alice.default", "deliverPolicy": "NEW",
            "downloadPath": "./downloads", "maxFiles": 20,
        });
        assert_eq!(serde_json::to_value(rule).unwrap(), expected);
    }
}
