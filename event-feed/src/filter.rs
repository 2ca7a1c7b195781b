//! Which events a reader wants, by their type and subject.

use crate::kind::FeedKind;

/// What has to hold of an event. Without conditions every event passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    types: Vec<TypePattern>,
    subject: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TypePattern {
    Exact(String),
    Prefix(String),
}

/// A text that is neither the type of an event of the feed nor the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no type of an event of this feed")]
pub struct UnknownType(pub String);

impl EventFilter {
    /// Only events of these types: wire names such as `muster.user.approved`, and beginnings such as `muster.user.*`.
    /// None at all means every type.
    pub fn of_types<'a>(
        kind: FeedKind,
        types: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, UnknownType> {
        let types = types.into_iter().map(|text| TypePattern::parse(kind, text)).collect::<Result<_, _>>()?;
        Ok(Self { types, subject: None })
    }

    /// Only events of this user or group.
    #[must_use]
    pub fn of_subject(self, subject: Option<String>) -> Self {
        Self { subject, ..self }
    }

    /// Whether an event of this type and subject passes.
    pub fn passes(&self, event_type: &str, subject: &str) -> bool {
        self.subject.as_deref().is_none_or(|wanted| wanted == subject)
            && (self.types.is_empty() || self.types.iter().any(|pattern| pattern.matches(event_type)))
    }
}

impl TypePattern {
    fn parse(kind: FeedKind, text: &str) -> Result<Self, UnknownType> {
        let unknown = || UnknownType(text.chars().take(80).collect());
        let pattern = match text.strip_suffix(".*") {
            Some(stem) => Self::Prefix(format!("{stem}.")),
            None => Self::Exact(text.to_owned()),
        };
        let is_known = kind.wire_names().iter().any(|name| pattern.matches(name));
        if is_known { Ok(pattern) } else { Err(unknown()) }
    }

    fn matches(&self, event_type: &str) -> bool {
        match self {
            Self::Exact(name) => name == event_type,
            Self::Prefix(prefix) => event_type.starts_with(prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(types: &[&str]) -> Result<EventFilter, UnknownType> {
        EventFilter::of_types(FeedKind::Users, types.iter().copied())
    }

    #[test]
    fn types_are_names_and_beginnings() {
        let filter = users(&["muster.user.approved", "muster.user.*"]).unwrap();
        assert!(filter.passes("muster.user.anything", "user_1"));
        let filter = users(&["muster.user.approved"]).unwrap();
        assert!(filter.passes("muster.user.approved", "user_1"));
        assert!(!filter.passes("muster.user.registered", "user_1"));
        assert!(users(&[]).unwrap().passes("muster.user.registered", "user_1"));
        assert!(users(&["muster.*"]).is_ok());
    }

    #[test]
    fn a_type_that_no_event_has_is_named() {
        for wrong in ["muster.user.aproved", "", "*", "muster.group.*", "muster.user", "muster.user.app*"] {
            assert_eq!(users(&[wrong]), Err(UnknownType(wrong.to_owned())), "{wrong}");
        }
    }

    #[test]
    fn a_subject_is_one_user_or_group() {
        let filter = EventFilter::default().of_subject(Some("user_1".to_owned()));
        assert!(filter.passes("muster.user.approved", "user_1"));
        assert!(!filter.passes("muster.user.approved", "user_2"));
    }
}
