//! Agent rules: what a user's file agent uploads and downloads.

mod download;
mod upload;

use serde::{Deserialize, Serialize};

use crate::aggregate::Decision;
use crate::decision_context::DecisionContext;
use crate::id::RuleId;
use crate::patch::Patch;
use crate::refusal::{Check, Code, Refusal, Refusals};
use crate::user::input::{between, label};
use crate::user::{Account, Event, User};
use crate::wire::Change;

pub use download::{DeliverPolicy, Download, DownloadChanges, NewDownload};
pub use upload::{AckMode, Entry, NewUpload, Upload, UploadChanges};

#[cfg(test)]
#[path = "../specs/rules.rs"]
pub(crate) mod spec;

/// One thing that the file agent does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rule {
    /// Made from the user and the name.
    #[serde(rename = "id")]
    pub id: RuleId,
    /// Unique within the user, for ever.
    #[serde(rename = "name")]
    pub name: String,
    /// Whether the agent does it.
    #[serde(rename = "active")]
    pub active: bool,
    /// Seconds between two looks.
    #[serde(rename = "pollInterval")]
    pub poll_interval: u32,
    /// Transfers at a time.
    #[serde(rename = "subscribers")]
    pub subscribers: u32,
    /// What it is.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What kind of thing it is. It never changes.
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

/// Give the file agent one more thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddAgentRule {
    /// Unique within the user, for ever.
    pub name: String,
    /// Whether the agent does it.
    pub active: bool,
    /// Seconds between two looks, 1 to 86,400.
    pub poll_interval: i32,
    /// Transfers at a time, 1 to 20.
    pub subscribers: i32,
    /// What it is.
    pub kind: NewKind,
}

/// What kind of thing is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewKind {
    /// Files go from the agent to the platform.
    Upload(NewUpload),
    /// Files go from a mailbox to the agent.
    Download(NewDownload),
}

/// Change one thing that the file agent does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditAgentRule {
    /// Which rule.
    pub rule_id: RuleId,
    /// Whether the agent does it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub active: Patch<bool>,
    /// Seconds between two looks, 1 to 86,400.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub poll_interval: Patch<i32>,
    /// Transfers at a time, 1 to 20.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub subscribers: Patch<i32>,
    /// What only this kind has.
    pub changes: Changes,
}

/// Changes of what only one kind has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Changes {
    /// Of an upload.
    Upload(UploadChanges),
    /// Of a download.
    Download(DownloadChanges),
}

/// Take one thing to do from the file agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveAgentRule {
    /// Which rule.
    pub rule_id: RuleId,
}

/// The file agent has one more thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AgentRuleAdded {
    /// The rule, whole.
    #[serde(rename = "rule")]
    pub rule: Rule,
}

/// One thing that the file agent does changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AgentRuleEdited {
    /// The rule before and after, whole.
    #[serde(rename = "rule")]
    pub rule: Change<Rule>,
}

/// The file agent has one thing less to do.
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
        let account = user.require_editable()?;
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
        let mut check = Check::new();
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
        let account = user.require_editable()?;
        let before = require_rule(account, self.rule_id)?;
        let kind = match self.changes {
            Changes::Upload(_) => "upload",
            Changes::Download(_) => "download",
        };
        let within = |refusals: Refusals| -> Refusals {
            refusals.into_iter().map(|refusal| refusal.at(kind).at("changes")).collect()
        };
        let after = self.check(account, before).map_err(within)?;
        Ok(user.decision().maybe(Change::between(before, &after).map(|rule| AgentRuleEdited { rule })))
    }

    fn check(&self, account: &Account, before: &Rule) -> Result<Rule, Refusals> {
        let mut check = Check::new();
        let active = check.field("active", self.active.onto(&before.active, |active| Ok(*active)));
        let poll_interval = self.poll_interval.onto(&before.poll_interval, |n| between(*n, 1, 86_400));
        let poll_interval = check.field("pollInterval", poll_interval);
        let subscribers = self.subscribers.onto(&before.subscribers, |n| between(*n, 1, 20));
        let subscribers = check.field("subscribers", subscribers);
        let kind = match (&before.kind, &self.changes) {
            (Kind::Upload(before), Changes::Upload(changes)) => {
                changes.check(before, &mut check).map(Kind::Upload)
            }
            (Kind::Download(before), Changes::Download(changes)) => {
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
        let rule = require_rule(user.require_editable()?, self.rule_id)?;
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
