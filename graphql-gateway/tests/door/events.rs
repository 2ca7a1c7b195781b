//! The feeds over HTTP: frames, batches and lines, where they begin, and what a reader is told.

use reqwest::StatusCode;
use serde_json::Value;

use crate::feed::{Feed, sequence};

const BATCH: &str = "application/cloudevents-batch+json";
const LINES: &str = "application/x-ndjson";
const CHANGED: &str = "muster.user.password_changed";
const DELETED: &str = "muster.user.deleted";

#[tokio::test]
async fn a_stream_begins_with_its_position_and_resumes_exactly() {
    let feed = Feed::open().await;
    feed.append(CHANGED, 1, 2).await;
    let mut live = feed.stream("/events/users").await;
    let headers = live.response.headers();
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store, no-transform"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(headers[name], value);
    }
    assert!(!headers.contains_key("content-encoding"));
    let first = live.next().await.unwrap();
    let lines: Vec<&str> = first.lines().collect();
    assert_eq!((lines[0], lines[1], lines[3]), ("event: muster.position", "data: {}", "retry: 2000"));
    let beginning = lines[2].strip_prefix("id: ").unwrap().to_owned();

    feed.append(CHANGED, 3, 5).await;
    let mut positions = vec![(2, beginning)];
    for number in 3..8 {
        let (event, position) = live.event().await;
        assert_eq!((sequence(&event), event.get("client")), (number, None));
        positions.push((number, position));
    }
    for (number, position) in positions {
        let resumed = feed.get("/events/users?after=start", "text/event-stream");
        let resumed = resumed.header("last-event-id", &position).send().await.unwrap();
        let mut resumed = crate::feed::Frames::of(resumed);
        let rest: Vec<u64> = (number + 1..8).collect();
        assert_eq!(resumed.numbers(rest.len()).await, rest, "after {number}");
        let mut by_parameter = feed.stream(&format!("/events/users?lastEventId={position}")).await;
        assert_eq!(by_parameter.numbers(rest.len()).await, rest, "after {number}");
    }
    let mut all = feed.stream("/events/users?after=start&types=muster.user.*").await;
    assert_eq!(all.numbers(7).await, [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn a_filtered_stream_says_where_it_is_after_a_thousand_events_and_when_it_is_quiet() {
    let feed = Feed::open().await;
    feed.append(CHANGED, 1, 2_500).await;
    let path = format!("/events/users?after=start&types={DELETED}");
    let mut filtered = feed.stream(&path).await;
    let begin = filtered.next().await.unwrap();
    let position = |frame: &str| frame.lines().last().unwrap().strip_prefix("id: ").unwrap().to_owned();
    let passed = filtered.next().await.unwrap();
    assert!(
        passed.contains("event: muster.position\ndata: {}\nid: ") && !passed.contains("retry"),
        "{passed}"
    );
    assert!(!begin.contains(&position(&passed)));
    // In a quiet stream a comment comes before five seconds are over.
    let mut quiet = passed;
    while !quiet.starts_with(":\nevent: muster.position\n") {
        let frame = tokio::time::timeout(std::time::Duration::from_secs(5), filtered.next());
        quiet = frame.await.expect("something comes before five seconds are over").unwrap();
    }
    feed.door.confirm().await;
    feed.append(DELETED, 2_501, 1).await;
    let mut resumed = feed.stream(&format!("/events/users?after={}&types={DELETED}", position(&quiet))).await;
    assert_eq!(filtered.numbers(1).await, [2_501]);
    assert_eq!(resumed.numbers(1).await, [2_501]);
}

#[tokio::test]
async fn batches_follow_each_other_by_their_links() {
    let feed = Feed::open().await;
    feed.append(CHANGED, 1, 5).await;
    let mut path = "/events/users?after=start&limit=2&types=muster.user.*".to_owned();
    let mut batches: Vec<Vec<u64>> = Vec::new();
    for _ in 0..4 {
        let answer = feed.get(&path, BATCH).send().await.unwrap();
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (StatusCode::OK, &BATCH.parse().unwrap())
        );
        let link = answer.headers()["link"].to_str().unwrap().to_owned();
        path = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        assert!(path.ends_with("&limit=2&types=muster.user.*"), "{path}");
        let events: Vec<Value> = answer.json().await.unwrap();
        batches.push(events.iter().map(sequence).collect());
    }
    assert_eq!(batches, [vec![1, 2], vec![3, 4], vec![5], vec![]]);
    let (held, ()) =
        tokio::join!(feed.get(&format!("{path}&wait=20s"), BATCH).send(), feed.append(CHANGED, 6, 1));
    let events: Vec<Value> = held.unwrap().json().await.unwrap();
    assert_eq!(sequence(&events[0]), 6);
    let empty = feed.get("/events/users?wait=10ms", BATCH).send().await.unwrap();
    assert!(empty.headers().contains_key("link"));
    assert_eq!(empty.json::<Vec<Value>>().await.unwrap(), Vec::<Value>::new());
}

#[tokio::test]
async fn lines_end_where_the_log_ends() {
    let feed = Feed::open().await;
    for (first, count) in [(1, 1_200), (1_201, 3)] {
        feed.append(CHANGED, first, count).await;
        let answer = feed.get("/events/users?after=start", LINES).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], LINES);
        let text = answer.text().await.unwrap();
        let numbers: Vec<u64> =
            text.lines().map(|line| sequence(&serde_json::from_str(line).unwrap())).collect();
        assert_eq!(numbers, (1..first + count).collect::<Vec<_>>());
    }
    let none = feed.get("/events/groups?after=start", LINES).send().await.unwrap();
    assert_eq!((none.status(), none.text().await.unwrap()), (StatusCode::OK, String::new()));
}

#[tokio::test]
async fn what_cannot_be_answered_is_a_problem_that_says_why() {
    let (feed, other) = (Feed::open().await, Feed::open().await);
    other.append(CHANGED, 1, 1).await;
    let (_, elsewhere) = other.stream("/events/users?after=start").await.event().await;
    let gone = format!("/events/users?after={elsewhere}");
    for (path, accept, status, named) in [
        ("/events/users?after=nonsense", BATCH, 400, "`after`"),
        ("/events/users?wait=1s", "text/event-stream", 400, "`wait`"),
        ("/events/users?types=muster.user.aproved", LINES, 400, "`muster.user.aproved`"),
        (gone.as_str(), BATCH, 410, "another log"),
        (gone.as_str(), "text/event-stream", 410, "another log"),
        ("/events/users", "application/json", 406, "text/event-stream"),
        ("/events/none", BATCH, 404, "nothing"),
    ] {
        let answer = feed.get(path, accept).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(named), "{problem}");
    }
    let (_, users) = {
        feed.append(CHANGED, 1, 1).await;
        feed.stream("/events/users?after=start").await.event().await
    };
    let answer = feed.get("/events/groups", BATCH).header("last-event-id", users).send().await.unwrap();
    let status = answer.status();
    let problem: Value = answer.json().await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("`Last-Event-ID`"), "{problem}");
    assert_eq!(status, 400);
}

#[tokio::test]
async fn more_streams_than_may_be_open_are_told_to_come_back() {
    let feed = Feed::open_with(&["--event-streams=1"]).await;
    let mut first = feed.stream("/events/users").await;
    assert!(first.next().await.is_some());
    let second = feed.get("/events/users", "text/event-stream").send().await.unwrap();
    assert_eq!((second.status().as_u16(), &second.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    drop(first);
    let open = || async {
        let answer = feed.get("/events/users", "text/event-stream").send().await.unwrap();
        answer.status().is_success().then_some(())
    };
    crate::harness::eventually(open).await;
}
