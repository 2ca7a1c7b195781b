//! Chooses the form of a feed by the Accept header (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

use crate::http::negotiation::quality;

/// The form of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeedMedia {
    /// Server-sent events, without an end.
    EventStream,
    /// One batch of CloudEvents.
    Batch,
    /// A line per event, up to the present end.
    Lines,
}

impl FeedMedia {
    /// Every form, the one for a caller who has no preference first.
    const ALL: [Self; 3] = [Self::EventStream, Self::Batch, Self::Lines];

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::EventStream => "text/event-stream",
            Self::Batch => "application/cloudevents-batch+json",
            Self::Lines => "application/x-ndjson",
        }
    }

    /// The name in metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::EventStream => "sse",
            Self::Batch => "batch",
            Self::Lines => "ndjson",
        }
    }

    /// What the caller prefers; `None` if it accepts no form. Of equally good ones the first that it names wins.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::ACCEPT);
        if values.iter().all(|value| value.as_bytes().trim_ascii().is_empty()) {
            return Some(Self::EventStream);
        }
        let texts = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let ranges: Vec<(String, u16)> = texts.filter_map(quality).collect();
        let mut best: Option<(u16, u8, usize, Self)> = None;
        for media in Self::ALL {
            // The most specific range decides.
            let covering = ranges
                .iter()
                .enumerate()
                .filter_map(|(index, (range, quality))| Some((media.specificity(range)?, index, *quality)));
            let Some((specific, index, quality)) =
                covering.max_by_key(|(specific, index, _)| (*specific, usize::MAX - index))
            else {
                continue;
            };
            let is_better = best.is_none_or(|(known, known_specific, known_index, _)| {
                (quality, specific, usize::MAX - index) > (known, known_specific, usize::MAX - known_index)
            });
            if quality > 0 && is_better {
                best = Some((quality, specific, index, media));
            }
        }
        best.map(|(.., media)| media)
    }

    fn specificity(self, range: &str) -> Option<u8> {
        let content_type = self.content_type();
        match range.strip_suffix("/*") {
            _ if range == content_type => Some(2),
            Some("*") => Some(0),
            Some(kind) => content_type.strip_prefix(kind)?.starts_with('/').then_some(1),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_follows_the_accept_header() {
        let accepted = |accept: &str| {
            FeedMedia::accepted(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]))
        };
        assert_eq!(FeedMedia::accepted(&HeaderMap::new()), Some(FeedMedia::EventStream));
        for (accept, media) in [
            ("text/event-stream", Some(FeedMedia::EventStream)),
            ("Text/Event-Stream; charset=utf-8", Some(FeedMedia::EventStream)),
            ("application/cloudevents-batch+json", Some(FeedMedia::Batch)),
            ("application/x-ndjson", Some(FeedMedia::Lines)),
            ("*/*", Some(FeedMedia::EventStream)),
            ("text/*", Some(FeedMedia::EventStream)),
            ("application/*", Some(FeedMedia::Batch)),
            ("application/x-ndjson, */*;q=0.1", Some(FeedMedia::Lines)),
            ("application/x-ndjson;q=0.5, application/cloudevents-batch+json", Some(FeedMedia::Batch)),
            ("application/x-ndjson, application/cloudevents-batch+json", Some(FeedMedia::Lines)),
            ("text/event-stream;q=0, */*", Some(FeedMedia::Batch)),
            ("application/json", None),
            ("text/event-stream;q=0", None),
        ] {
            assert_eq!(accepted(accept), media, "{accept}");
        }
    }
}
