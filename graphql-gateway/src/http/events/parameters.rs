//! Reads what a reader asks for: where to begin, which events, how many, for how long. What can't be read is named.

use std::time::Duration;

use axum::extract::Query;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use domain::id::{GroupId, UserId};
use domain::timestamp::Timestamp;
use event_feed::{EventFilter, FeedKind, StartAt};

use super::media::FeedMedia;
use crate::config::duration;
use crate::headers::only;

/// Most events of a batch, and how many when the caller doesn't say.
const LIMIT: (usize, usize) = (1_000, 100);
/// Longest time that an empty batch is held.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How much longer than others a request to this route may take, because it waits for events.
pub(in crate::http) fn longest_wait(route: &str) -> Duration {
    if route.starts_with("/events/") { LONGEST_WAIT } else { Duration::ZERO }
}

/// What a reader asks for.
#[derive(Debug, Clone)]
pub(super) struct FeedParameters {
    pub(super) start: StartAt,
    /// Which parameter or header says where to begin.
    pub(super) start_name: &'static str,
    pub(super) events: EventFilter,
    pub(super) group: Option<GroupId>,
    pub(super) limit: usize,
    pub(super) wait: Duration,
    /// The parameters that the next request repeats.
    pub(super) repeated: Vec<(String, String)>,
}

/// The values of the URL, each there once.
#[derive(Default)]
struct GivenParameters {
    pairs: Vec<(String, String)>,
}

impl FeedParameters {
    /// Reads a request. The error is a sentence that names the parameter or header at fault.
    pub(super) fn read(kind: FeedKind, media: FeedMedia, request: &Parts) -> Result<Self, String> {
        let given = GivenParameters::read(kind, media, request)?;
        let (start, start_name) = start(&given, &request.headers)?;
        let types = given.value("types").into_iter().flat_map(|types| types.split(','));
        let types: Vec<&str> = types.map(str::trim).collect();
        let events = EventFilter::of_types(kind, types).map_err(|error| format!("`types`: {error}."))?;
        let user = given.parsed("user", "is not the id of a user", |text| text.parse::<UserId>().ok())?;
        let group = given.parsed("group", "is not the id of a group", |text| text.parse::<GroupId>().ok())?;
        let limit = given.parsed("limit", "is not a number from 1 to 1000", |text| {
            text.parse().ok().filter(|limit| (1..=LIMIT.0).contains(limit))
        })?;
        let wait = given.parsed("wait", "is not a duration up to 60s, such as 30s", |text| {
            duration(text).ok().filter(|wait| *wait <= LONGEST_WAIT)
        })?;
        // The subject of a group's event is the group itself.
        let subject = match (kind, &user, &group) {
            (FeedKind::Users, user, _) => user.map(|user| user.to_string()),
            (FeedKind::Groups, _, group) => group.map(|group| group.to_string()),
        };
        Ok(Self {
            start,
            start_name,
            events: events.of_subject(subject),
            group: group.filter(|_| kind == FeedKind::Users),
            limit: limit.unwrap_or(LIMIT.1),
            wait: wait.unwrap_or_default(),
            repeated: given.repeated(),
        })
    }
}

impl GivenParameters {
    fn read(kind: FeedKind, media: FeedMedia, request: &Parts) -> Result<Self, String> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&request.uri)
            .map_err(|_| "The URL can't be read.".to_owned())?;
        for (index, (name, _)) in pairs.iter().enumerate() {
            let shown: String = name.chars().take(80).collect();
            match name.as_str() {
                "after" | "lastEventId" | "from" | "types" | "group" => {}
                "user" if kind == FeedKind::Users => {}
                "limit" | "wait" if media == FeedMedia::Batch => {}
                "limit" | "wait" => {
                    return Err(format!("`{shown}` is for {} alone.", FeedMedia::Batch.content_type()));
                }
                _ => return Err(format!("There is no parameter `{shown}` here.")),
            }
            if pairs[..index].iter().any(|(other, _)| other == name) {
                return Err(format!("`{shown}` stands twice."));
            }
        }
        Ok(Self { pairs })
    }

    /// A value; an empty one counts as absent.
    fn value(&self, wanted: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn parsed<T>(
        &self,
        name: &str,
        complaint: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(text) = self.value(name) else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| format!("`{name}` {complaint}."))
    }

    fn repeated(self) -> Vec<(String, String)> {
        let begins = |name: &str| matches!(name, "after" | "lastEventId" | "from");
        self.pairs.into_iter().filter(|(name, value)| !begins(name) && !value.is_empty()).collect()
    }
}

/// Where to begin, and what says so. What a client sends when it comes back wins over what its URL says.
fn start(given: &GivenParameters, headers: &HeaderMap) -> Result<(StartAt, &'static str), String> {
    const HEADER: &str = "last-event-id";
    if headers.get_all(HEADER).iter().nth(1).is_some() {
        return Err("`Last-Event-ID` stands twice.".to_owned());
    }
    let header = match only(headers, HEADER) {
        Some(value) => value.to_str().map_err(|_| "`Last-Event-ID` is not a position.".to_owned())?,
        None => "",
    };
    let resumed = [("Last-Event-ID", Some(header)), ("lastEventId", given.value("lastEventId"))];
    let resumed = resumed.into_iter().find(|(_, text)| text.is_some_and(|text| !text.is_empty()));
    if let Some((name, Some(text))) = resumed {
        return position(name, text);
    }
    match (given.value("after"), given.value("from")) {
        (Some(_), Some(_)) => Err("Give `after` or `from`, not both.".to_owned()),
        (Some(text), None) => position("after", text),
        (None, Some(text)) => match Timestamp::parse(text) {
            Ok(from) => Ok((StartAt::Time(from), "from")),
            Err(_) => Err("`from` is not an instant such as 2026-01-31T12:00:00Z.".to_owned()),
        },
        (None, None) => Ok((StartAt::Now, "after")),
    }
}

fn position(name: &'static str, text: &str) -> Result<(StartAt, &'static str), String> {
    let start = match text {
        "start" => StartAt::Beginning,
        _ => {
            StartAt::After(text.parse().map_err(|_| format!("`{name}` is neither a position nor `start`."))?)
        }
    };
    Ok((start, name))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use event_feed::FeedPosition;
    use log_model::LogId;
    use uuid::Uuid;

    use super::*;

    fn read(
        kind: FeedKind,
        media: FeedMedia,
        url: &str,
        header: Option<&str>,
    ) -> Result<FeedParameters, String> {
        let request = Request::builder().uri(url);
        let request = header.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        FeedParameters::read(kind, media, &request.body(()).unwrap().into_parts().0)
    }

    fn start(url: &str, header: Option<&str>) -> Result<(StartAt, &'static str), String> {
        let read = read(FeedKind::Users, FeedMedia::EventStream, url, header)?;
        Ok((read.start, read.start_name))
    }

    #[test]
    fn what_a_client_comes_back_with_wins() {
        let position = FeedPosition::start(LogId(Uuid::nil()), FeedKind::Users, 2);
        let text = position.to_string();
        let after = StartAt::After(position);
        let from = "/events/users?from=2026-01-31T12:00:00Z";
        assert_eq!(start("/events/users", None).unwrap().0, StartAt::Now);
        assert_eq!(start("/events/users?after=start", None).unwrap(), (StartAt::Beginning, "after"));
        assert_eq!(
            start("/events/users?after=start", Some(&text)).unwrap(),
            (after.clone(), "Last-Event-ID")
        );
        assert_eq!(start("/events/users?after=start", Some("")).unwrap().0, StartAt::Beginning);
        assert_eq!(start(from, Some(&text)).unwrap().0, after);
        assert!(matches!(start(from, None).unwrap().0, StartAt::Time(_)));
        let both = format!("/events/users?after=start&lastEventId={text}");
        assert_eq!(start(&both, None).unwrap(), (after, "lastEventId"));
        assert_eq!(start("/events/users?after=&lastEventId=", None).unwrap().0, StartAt::Now);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (query, named) in [
            ("after=x", "`after`"),
            ("lastEventId=x", "`lastEventId`"),
            ("from=yesterday", "`from`"),
            ("after=start&from=2026-01-31T12:00:00Z", "`after` or `from`"),
            ("types=muster.user.aproved", "`muster.user.aproved`"),
            ("types=muster.user.approved,,", "`types`"),
            ("user=alice", "`user`"),
            ("group=user_132917bf-f74f-57c0-afd1-d72b2db15f46", "`group`"),
            ("limit=0", "`limit`"),
            ("limit=1001", "`limit`"),
            ("wait=61s", "`wait`"),
            ("wait=30", "`wait`"),
            ("type=muster.user.approved", "`type`"),
            ("limit=1&limit=2", "`limit` stands twice"),
        ] {
            let url = format!("/events/users?{query}");
            let error = read(FeedKind::Users, FeedMedia::Batch, &url, None).unwrap_err();
            assert!(error.contains(named), "{query}: {error}");
        }
        assert!(start("/events/users", Some("x")).unwrap_err().contains("`Last-Event-ID`"));
        assert!(start("/events/users?limit=5", None).unwrap_err().contains("`limit` is for"));
        let user = "/events/groups?user=user_132917bf-f74f-57c0-afd1-d72b2db15f46";
        assert!(read(FeedKind::Groups, FeedMedia::Batch, user, None).unwrap_err().contains("`user`"));
    }

    #[test]
    fn the_next_request_repeats_what_chooses_events() {
        let url = "/events/users?after=start&types=muster.user.*&limit=7&wait=30s&user=";
        let read = read(FeedKind::Users, FeedMedia::Batch, url, None).unwrap();
        assert_eq!((read.limit, read.wait), (7, Duration::from_secs(30)));
        let names: Vec<_> = read.repeated.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["types", "limit", "wait"]);
    }
}
