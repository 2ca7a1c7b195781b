//! Which events a webhook sends: wire names, and beginnings such as `muster.user.*`.

use serde::{Deserialize, Serialize};

use crate::refusal::{Code, Refusal, Refusals};
use crate::user;
use crate::validation::Validation;

/// Most entries of a filter.
const MOST: usize = 100;

/// A filter of events by type. Empty lets all of them pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct EventTypes(Vec<String>);

impl EventTypes {
    /// Checks a filter: each entry lets at least one event of users pass.
    pub fn parse(types: &[String]) -> Result<Self, Refusals> {
        if types.len() > MOST {
            let message = format!("At most {MOST} types are allowed.");
            return Err(Refusal::new(Code::TooMany, message).into());
        }
        let mut check = Validation::new();
        let mut parsed: Vec<String> = Vec::with_capacity(types.len());
        for (index, text) in types.iter().enumerate() {
            let known = user::Event::WIRE_NAMES.iter().any(|name| matches(text, name));
            if !known {
                let shown: String = text.chars().take(80).collect();
                let message = format!(
                    "`{shown}` is neither the type of an event of users nor a beginning such as `muster.user.*`."
                );
                check.refuse(Refusal::new(Code::UnknownValue, message).at(&index.to_string()));
            } else if !parsed.contains(text) {
                parsed.push(text.clone());
            }
        }
        check.finish()?;
        Ok(Self(parsed))
    }

    /// Whether an event of this type passes.
    pub fn pass(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| matches(pattern, name))
    }

    /// The entries.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix(".*") {
        Some(stem) => name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.')),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(texts: &[&str]) -> Result<EventTypes, Refusals> {
        EventTypes::parse(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_name_passes_itself_and_a_beginning_what_begins_with_it() {
        let filter = types(&["muster.user.approved", "muster.user.approved"]).unwrap();
        assert_eq!(filter.as_slice().len(), 1);
        assert!(filter.pass("muster.user.approved") && !filter.pass("muster.user.approved_twice"));
        let filter = types(&["muster.user.*"]).unwrap();
        assert!(filter.pass("muster.user.of_a_later_release") && !filter.pass("muster.username"));
        assert!(EventTypes::default().pass("muster.user.suspended"));
    }

    #[test]
    fn what_no_event_is_called_is_refused_by_its_place() {
        let refusals =
            types(&["muster.user.*", "muster.user.promoted", "muster.group.*", "muster.user.app*"])
                .unwrap_err();
        let fields: Vec<_> = refusals.iter().map(|refusal| refusal.field.join(".")).collect();
        assert_eq!(fields, ["1", "2", "3"]);
        assert_eq!(types(&["x"; 101]).unwrap_err()[0].code, Code::TooMany);
    }
}
