//! Agent rules: which files a user's file agent uploads and downloads.

mod download;
mod upload;

use serde::{Deserialize, Serialize};

use crate::aggregate::Decision;
use crate::decision_context::DecisionContext;
use crate::id::RuleId;
use crate::patch::Patch;
use crate::refusal::{Code, Refusal, Refusals};
use crate::user::input::{between, label};
use crate::user::{Account, Event, User};
use crate::validation::Validation;
use crate::wire::Change;

pub use download::{DeliverPolicy, Download, DownloadChanges, NewDownload};
pub use upload::{AckMode, Entry, NewUpload, Upload, UploadChanges};

#[cfg(test)]
#[path = "../specs/rules.rs"]
pub(crate) mod spec;

/// A rule of the file agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rule {
    /// Derived from the user and the name.
    #[serde(rename = "id")]
    pub id: RuleId,
    /// Unique within the user. It never changes.
    #[serde(rename = "name")]
    pub name: String,
    /// Whether the agent follows the rule.
    #[serde(rename = "active")]
    pub active: bool,
    /// Seconds between two polls.
    #[serde(rename = "pollInterval")]
    pub poll_interval: u32,
    /// Most transfers at a time.
    #[serde(rename = "subscribers")]
    pub subscribers: u32,
    /// Upload or download.
    #[serde(flatten)]
    pub kind: Kind,
}

/// The kind of a rule. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind")]
pub enum Kind {
    /// Files go from the agent to the platform.
    #[serde(rename = "upload")]
    Upload(Upload),
    /// Files go from a mailbox to the agent.
    #[serde(rename = "download")]
    Download(Download),
}

/// Add a rule to the file agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddAgentRule {
    /// Unique within the user. It never changes.
    pub name: String,
    /// Whether the agent follows the rule.
    pub active: bool,
    /// Seconds between two polls, 1 to 86,400.
    pub poll_interval: i32,
    /// Most transfers at a time, 1 to 20.
    pub subscribers: i32,
    /// Upload or download.
    pub kind: NewKind,
}

/// The kind of a new rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewKind {
    /// Files go from the agent to the platform.
    Upload(NewUpload),
    /// Files go from a mailbox to the agent.
    Download(NewDownload),
}

/// Change a rule of the file agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditAgentRule {
    /// Which rule.
    pub rule_id: RuleId,
    /// Whether the agent follows the rule.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub active: Patch<bool>,
    /// Seconds between two polls, 1 to 86,400.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub poll_interval: Patch<i32>,
    /// Most transfers at a time, 1 to 20.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub subscribers: Patch<i32>,
    /// Changes of the fields that only this kind has.
    pub changes: RuleChanges,
}

/// Changes of the fields that only one kind has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RuleChanges {
    /// Of an upload.
    Upload(UploadChanges),
    /// Of a download.
    Download(DownloadChanges),
}

/// Remove a rule from the file agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveAgentRule {
    /// Which rule.
    pub rule_id: RuleId,
}

/// The file agent has a new rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AgentRuleAdded {
    /// The whole rule.
    #[serde(rename = "rule")]
    pub rule: Rule,
}

/// A rule of the file agent changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AgentRuleEdited {
    /// The whole rule, before and after.
    #[serde(rename = "rule")]
    pub rule: Change<Rule>,
}

/// A rule of the file agent was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AgentRuleRemoved {
    /// Which rule.
    #[serde(rename = "ruleId")]
    pub rule_id: RuleId,
    /// Its name.
    #[serde(rename = "name")]
    pub name: String,
}

impl AddAgentRule {
    pub(crate) fn decide(&self, user: &User, context: &DecisionContext) -> Result<Decision<Event>, Refusals> {
        let account = user.require_known()?;
        let kind = match self.kind {
            NewKind::Upload(_) => "upload",
            NewKind::Download(_) => "download",
        };
        let within = |refusals: Refusals| -> Refusals {
            refusals.into_iter().map(|refusal| refusal.at(kind).at("rule")).collect()
        };
        let rule = self.check(user, account).map_err(within)?;
        if account.rules.iter().any(|known| known.id == rule.id) {
            let refusal = Refusal::new(Code::NameTaken, format!("There is a rule `{}` already.", rule.name));
            return Err(within(refusal.at("name").into()));
        }
        if account.rules.len() >= context.limits.rules {
            let most = context.limits.rules;
            return Err(Refusal::new(Code::TooMany, format!("A user has at most {most} rules.")).into());
        }
        Ok(user.decision().event(AgentRuleAdded { rule }))
    }

    fn check(&self, user: &User, account: &Account) -> Result<Rule, Refusals> {
        let mut check = Validation::new();
        let name = check.field("name", label(&self.name));
        let poll_interval = check.field("pollInterval", between(self.poll_interval, 1, 86_400));
        let subscribers = check.field("subscribers", between(self.subscribers, 1, 20));
        let kind = match &self.kind {
            NewKind::Upload(new) => new.check(&mut check).map(Kind::Upload),
            NewKind::Download(new) => new.check(account, &mut check).map(Kind::Download),
        };
        check.with((|| {
            let name = name?;
            Some(Rule {
                id: RuleId::of(user.id(), &name),
                name,
                active: self.active,
                poll_interval: poll_interval?,
                subscribers: subscribers?,
                kind: kind?,
            })
        })())
    }
}

impl EditAgentRule {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let account = user.require_known()?;
        let before = require_rule(account, self.rule_id)?;
        let kind = match self.changes {
            RuleChanges::Upload(_) => "upload",
            RuleChanges::Download(_) => "download",
        };
        let within = |refusals: Refusals| -> Refusals {
            refusals.into_iter().map(|refusal| refusal.at(kind).at("changes")).collect()
        };
        let after = self.check(account, before).map_err(within)?;
        Ok(user.decision().maybe(Change::between(before, &after).map(|rule| AgentRuleEdited { rule })))
    }

    fn check(&self, account: &Account, before: &Rule) -> Result<Rule, Refusals> {
        let mut check = Validation::new();
        let active = check.field("active", self.active.apply_required(&before.active, |active| Ok(*active)));
        let poll_interval =
            self.poll_interval.apply_required(&before.poll_interval, |n| between(*n, 1, 86_400));
        let poll_interval = check.field("pollInterval", poll_interval);
        let subscribers = self.subscribers.apply_required(&before.subscribers, |n| between(*n, 1, 20));
        let subscribers = check.field("subscribers", subscribers);
        let kind = match (&before.kind, &self.changes) {
            (Kind::Upload(before), RuleChanges::Upload(changes)) => {
                changes.check(before, &mut check).map(Kind::Upload)
            }
            (Kind::Download(before), RuleChanges::Download(changes)) => {
                changes.check(account, before, &mut check).map(Kind::Download)
            }
            _ => return Err(Refusal::new(Code::WrongKind, "The rule is of the other kind.").into()),
        };
        check.with((|| {
            Some(Rule {
                id: before.id,
                name: before.name.clone(),
                active: active?,
                poll_interval: poll_interval?,
                subscribers: subscribers?,
                kind: kind?,
            })
        })())
    }
}

impl RemoveAgentRule {
    pub(crate) fn decide(&self, user: &User) -> Result<Decision<Event>, Refusals> {
        let rule = require_rule(user.require_known()?, self.rule_id)?;
        Ok(user.decision().event(AgentRuleRemoved { rule_id: rule.id, name: rule.name.clone() }))
    }
}

fn require_rule(account: &Account, id: RuleId) -> Result<&Rule, Refusal> {
    account
        .rules
        .iter()
        .find(|rule| rule.id == id)
        .ok_or_else(|| Refusal::new(Code::UnknownRule, "The user has no such rule.").at("ruleId"))
}
