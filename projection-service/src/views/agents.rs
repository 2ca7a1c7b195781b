//! Agent rules: an event carries the whole rule, or removes it.

use domain::id::RuleId;
use domain::user::Event;
use domain::user::rules::Rule;

use super::Change;

/// The changed rule, if the event changes one.
pub(crate) fn fold(event: &Event) -> Option<Change<RuleId, Rule>> {
    match event {
        Event::AgentRuleAdded(added) => Some(Change::Put(added.rule.id, added.rule.clone())),
        Event::AgentRuleEdited(edited) => Some(Change::Put(edited.rule.new.id, edited.rule.new.clone())),
        Event::AgentRuleRemoved(removed) => Some(Change::Gone(removed.rule_id)),
        _ => None,
    }
}
