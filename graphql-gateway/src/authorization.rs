//! Whether a caller may ask for something, and what the audit log is told when they may not.
//!
//! The rules are in `domain::policy`. The owner of a user or group applies them again; here they keep commands that
//! would be forbidden from being sent, and decide who may read.

use domain::access::{self, CommandDenied, CommandRefused};
use domain::actor::Actor;
use domain::id::UserId;
use domain::policy;
use domain::refusal::{Code, Refusals};
use domain::user::Action;
use read_model::audit::Target;

use crate::access_records::{AccessRecord, AccessRecorder};
use crate::caller::Caller;
use crate::clock::now;
use crate::error::{ApiError, MutationError};
use crate::ids::user_id;

/// Applies the policy to one caller.
#[derive(Clone, Copy)]
pub(crate) struct Authorizer<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) recorder: &'a AccessRecorder,
}

impl Authorizer<'_> {
    /// Requires an administrator. `command` and `target` are for the audit log: what was asked, and of whom.
    pub(crate) fn require_administrator(&self, command: &str, target: Option<&str>) -> Result<(), ApiError> {
        let session = self.caller.require_session()?;
        if policy::may_administer(&session.actor()) { Ok(()) } else { Err(self.deny(command, target)) }
    }

    /// Requires somebody who may read the audit log, and so the past. `command` and `target` are for the audit log.
    pub(crate) fn require_auditor(&self, command: &str, target: Option<&str>) -> Result<(), ApiError> {
        let session = self.caller.require_session()?;
        if session.roles.may_audit() { Ok(()) } else { Err(self.deny(command, target)) }
    }

    /// Requires somebody who may ask this of the user. Returns that user.
    pub(crate) fn require(&self, action: Action, user: &str) -> Result<UserId, MutationError> {
        self.require_of(action.name(), user, |actor, id| policy::may_ask(actor, action, id))
    }

    /// Requires the user or an administrator. Returns the user.
    pub(crate) fn require_self_or_administrator(
        &self,
        command: &str,
        user: &str,
    ) -> Result<UserId, MutationError> {
        self.require_of(command, user, policy::may_see)
    }

    fn require_of(
        &self,
        command: &str,
        user: &str,
        may: impl Fn(&Actor, UserId) -> bool,
    ) -> Result<UserId, MutationError> {
        let actor = self.caller.require_session()?.actor();
        match user_id(user) {
            Ok(id) if may(&actor, id) => Ok(id),
            Err(unknown) if policy::may_administer(&actor) => Err(unknown.into()),
            // The same answer whether such a user exists or not.
            Ok(_) | Err(_) => Err(self.deny(command, Some(user)).into()),
        }
    }

    /// Records that the caller asked for something that they may not do. Returns the error to answer with.
    pub(crate) fn deny(&self, command: &str, target: Option<&str>) -> ApiError {
        let actor = self.caller.actor();
        // A denied caller may have typed anything. The audit log takes ids alone.
        let target = target.and_then(Target::parse).map(|target| target.to_string());
        let event = CommandDenied { command: command.to_owned(), target, count: 1 };
        self.record(actor.id_text(), actor, event.into());
        ApiError::Forbidden
    }

    /// Records a refusal that only administrators may know of.
    pub(crate) fn record_refusal(&self, command: &str, user: UserId, name: &str, refusals: &Refusals) {
        let event = CommandRefused {
            command: command.to_owned(),
            target: Some(user.to_string()),
            target_name: Some(name.to_owned()),
            codes: refusals.iter().map(|refusal| refusal.code.as_str().to_owned()).collect(),
            count: 1,
        };
        self.record(user.to_string(), self.caller.actor(), event.into());
    }

    /// Records that the caller asks too often. The record names no target, so a flood becomes one record per second.
    pub(crate) fn record_rate_limited(&self, command: &str) {
        let actor = self.caller.actor();
        let event = CommandRefused {
            command: command.to_owned(),
            target: None,
            target_name: None,
            codes: vec![Code::RateLimited.as_str().to_owned()],
            count: 1,
        };
        self.record(actor.id_text(), actor, event.into());
    }

    fn record(&self, subject: String, actor: Actor, event: access::Event) {
        self.recorder.record(AccessRecord {
            at: now(),
            subject,
            actor,
            client: self.caller.client.clone(),
            correlation_id: self.caller.correlation_id.clone(),
            event,
        });
    }
}
