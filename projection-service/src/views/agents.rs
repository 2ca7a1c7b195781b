//! Agent rules: an event carries the whole rule, or removes it.

use domain::id::RuleId;
use domain::user::Event;
use domain::user::rules::Rule;

use super::RowChange;

/// The changed rule, if the event changes one.
pub(crate) fn fold(event: &Event) -> Option<RowChange<RuleId, Rule>> {
    match event {
        Event::AgentRuleAdded(added) => Some(RowChange::Put(added.rule.id, added.rule.clone())),
        Event::AgentRuleEdited(edited) => Some(RowChange::Put(edited.rule.new.id, edited.rule.new.clone())),
        Event::AgentRuleRemoved(removed) => Some(RowChange::Gone(removed.rule_id)),
        _ => None,
    }
}
