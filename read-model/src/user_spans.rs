//! Spans of users: how each was, from one event to the next, and the users of any instant.
//!
//! A span says what lists ask for: from when until when, the state, the group. The rest of the user is folded from the
//! events of the user's spans up to that one (`docs/adr/0021-spans-of-users.md`).

mod filter;

use std::collections::HashMap;

use domain::id::{GroupId, UserId};
use domain::timestamp::Timestamp;
use domain::user::past::PastUser;
use domain::user::{Event, UserStatus};

use crate::counts::MOST_COUNTED;
use crate::error::Error;
use crate::page::{Count, Edge, Order, Page, Window};
use crate::reader::ReadModel;
use crate::row::{Columns, FromColumns, broken};
use crate::statement::{Sql, Value, WriteStatement, multi_row, sql};

pub use filter::PastUserFilter;

/// What every wire name of a user's event begins with. Rows leave it out.
const COMMON: &str = "muster.user.";

/// By since when users are as they are. At any instant a user has one span, so the id makes the order total.
const ORDER: Order =
    Order { name: "users as of", columns: &["user_spans.since", "user_spans.user_id"], is_descending: false };

/// The values of these columns.
type SpanKey = (i64, uuid::Uuid);

/// A user from one event to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanRow {
    /// The user.
    pub user_id: UserId,
    /// Number of the event that begins the span.
    pub sequence: u64,
    /// The time of the event, or that of an earlier event of the user if it is later. Clocks may go back.
    pub since: Timestamp,
    /// When the next span begins, which this one does not reach; `None` as long as there is none.
    pub until: Option<Timestamp>,
    /// The time of the event.
    pub time: Timestamp,
    /// The user's status.
    pub state: UserStatus,
    /// The user's group.
    pub group: Option<GroupId>,
    /// The event.
    pub event: Event,
}

/// The end of a span that an earlier batch has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanEnd {
    /// The user.
    pub user_id: UserId,
    /// Number of the event that begins the span.
    pub sequence: u64,
    /// When the next span begins.
    pub until: Timestamp,
}

/// A point in a user's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastMoment {
    /// This instant: after every event that was not later.
    At(Timestamp),
    /// Just after the event with this number.
    After(u64),
}

impl ReadModel {
    /// The user as of then, and since when they were so. `None` if the name was not registered yet, or if there is no event
    /// with that number.
    pub async fn user_as_of(
        &self,
        id: UserId,
        moment: PastMoment,
    ) -> Result<Option<(PastUser, Timestamp)>, Error> {
        let mut statement = sql(format!("{EVENTS} WHERE user_id = $1")).bind(id);
        match moment {
            PastMoment::At(at) => statement.push(" AND since <= ").push_value(at),
            PastMoment::After(sequence) => statement.push(" AND sequence <= ").push_value(sequence),
        };
        statement.push(" ORDER BY sequence");
        let events = self.database.all::<SpanEvent>(statement).await?;
        let Some(since) = events.last().map(|last| last.since) else { return Ok(None) };
        let user = fold(events)?.remove(&id).ok_or_else(unregistered)?;
        Ok(match moment {
            PastMoment::After(sequence) if user.sequence != sequence => None,
            PastMoment::At(_) | PastMoment::After(_) => Some((user, since)),
        })
    }

    /// A page of the users of an instant who pass the filter, forward only: those first who had been as they were for the longest
    /// time. A page costs its rows, and those of users who had become different again by then.
    pub async fn users_as_of_page(
        &self,
        at: Timestamp,
        filter: &PastUserFilter,
        size: u32,
        after: Option<String>,
    ) -> Result<Page<PastUser>, Error> {
        let window = Window::first(size, after);
        let mut union = sql("");
        for (index, branch) in filter.branches().iter().enumerate() {
            union.push(if index == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
            union.push("SELECT since, user_id FROM user_spans WHERE ");
            branch.look_up(&mut union);
            filter.check(&mut union, at);
            ORDER.limit::<SpanKey>(&mut union, &window)?;
            union.push(&format!(") AS branch{index}"));
        }
        let mut statement = Sql { text: format!("SELECT * FROM ({}) AS user_spans", union.text), ..union };
        ORDER.sort(&mut statement, &window);
        let found: Vec<FoundSpan> = self.database.all(statement).await?;
        let page = ORDER.page(&window, found, |span| (span.since.micros(), span.user_id.uuid()));
        let ids: Vec<UserId> = page.edges.iter().map(|edge| edge.row.user_id).collect();
        let mut users = self.users_at(at, &ids).await?;
        let user = |Edge { cursor, row }: Edge<FoundSpan>| {
            let row = users.remove(&row.user_id).ok_or_else(unregistered)?;
            Ok(Edge { cursor, row })
        };
        Ok(Page {
            edges: page.edges.into_iter().map(user).collect::<Result<_, Error>>()?,
            has_next: page.has_next,
            has_previous: page.has_previous,
            start: page.start,
            end: page.end,
            total: page.total,
        })
    }

    /// How many users of an instant pass the filter. Counting stops at 10,000.
    pub async fn users_as_of_count(&self, at: Timestamp, filter: &PastUserFilter) -> Result<Count, Error> {
        let mut n = 0;
        for branch in filter.branches() {
            let mut found = sql("SELECT 1 AS one FROM user_spans WHERE ");
            branch.look_up(&mut found);
            filter.check(&mut found, at);
            found.push(" LIMIT ").push_value(MOST_COUNTED + 1);
            n += self.count_rows(found).await?;
        }
        Ok(Count::up_to(MOST_COUNTED, n))
    }

    /// These users as of an instant.
    async fn users_at(&self, at: Timestamp, ids: &[UserId]) -> Result<HashMap<UserId, PastUser>, Error> {
        let mut statement = sql(format!("{EVENTS} WHERE user_id IN "));
        // Each length is another text.
        statement.is_kept = ids.len() <= 4;
        statement.push_list(ids.iter().copied()).push(" AND since <= ").push_value(at);
        statement.push(" ORDER BY user_id, sequence");
        fold(self.database.all(statement).await?)
    }
}

const EVENTS: &str = "SELECT user_id, sequence, since, skew, event FROM user_spans";

/// The event of a span.
struct SpanEvent {
    user_id: UserId,
    sequence: u64,
    since: Timestamp,
    time: Timestamp,
    event: Event,
}

/// What a list reads of a span.
struct FoundSpan {
    user_id: UserId,
    since: Timestamp,
}

/// The users after these events, of which those of a user are in order.
fn fold(events: Vec<SpanEvent>) -> Result<HashMap<UserId, PastUser>, Error> {
    let mut users = HashMap::new();
    for SpanEvent { user_id, sequence, time, event, .. } in events {
        let before = users.remove(&user_id);
        let user = PastUser::after(before, user_id, &event, (sequence, time)).ok_or_else(unregistered)?;
        users.insert(user_id, user);
    }
    Ok(users)
}

/// The first span of every user is a registration, because folds refuse another first event.
fn unregistered() -> Error {
    broken("user_id", "has no first span").into()
}

fn text_of(event: &Event) -> String {
    let name = event.wire_name();
    let data = String::from_utf8(event.to_json()).expect("JSON is UTF-8");
    format!("{}{data}", name.strip_prefix(COMMON).unwrap_or(name))
}

fn event_of(text: &str) -> Option<Event> {
    let (name, data) = text.split_at(text.find('{')?);
    Event::from_json(&format!("{COMMON}{name}"), data.as_bytes()).ok()
}

impl FromColumns for SpanEvent {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        let (since, skew) = (row.time("since")?, row.int("skew")?);
        Ok(Self {
            user_id: row.user_id("user_id")?,
            sequence: row.number("sequence")?,
            since,
            time: Timestamp::from_micros(since.micros() - skew),
            event: event_of(&row.text("event")?).ok_or_else(|| broken("event", "is no event"))?,
        })
    }
}

impl FromColumns for FoundSpan {
    fn from_columns(row: &impl Columns) -> Result<Self, sqlx::Error> {
        Ok(Self { user_id: row.user_id("user_id")?, since: row.time("since")? })
    }
}

/// Writes spans. A span that is there already stays.
pub(crate) fn begin(spans: &[SpanRow]) -> WriteStatement {
    let head = "INSERT INTO user_spans (user_id, sequence, since, until, skew, state, group_id, event)";
    let tail = "ON CONFLICT (user_id, sequence) DO NOTHING";
    multi_row(head, spans, tail, |span| -> [Value; 8] {
        [
            span.user_id.into(),
            span.sequence.into(),
            span.since.into(),
            span.until.into(),
            (span.since.micros() - span.time.micros()).into(),
            span.state.number().into(),
            span.group.map(GroupId::uuid).into(),
            text_of(&span.event).into(),
        ]
    })
}

/// Ends spans of earlier batches.
pub(crate) fn end(ends: &[SpanEnd]) -> WriteStatement {
    const HEAD: &str = "UPDATE user_spans SET until = ended.column3 FROM (";
    const TAIL: &str =
        ") AS ended WHERE user_spans.user_id = ended.column1 AND user_spans.sequence = ended.column2";
    multi_row(HEAD, ends, TAIL, |end| [end.user_id.into(), end.sequence.into(), end.until.into()])
}

#[cfg(test)]
mod tests {
    use domain::user::lifecycle::Suspended;

    use super::*;

    #[test]
    fn an_event_reads_back_from_its_text() {
        let event = Event::from(Suspended { reason: "{a} \"b\"".to_owned() });
        assert_eq!(text_of(&event), r#"suspended{"reason":"{a} \"b\""}"#);
        assert_eq!(event_of(&text_of(&event)), Some(event));
        assert!(Event::WIRE_NAMES.iter().all(|name| name.starts_with(COMMON)));
    }

    #[test]
    fn what_is_no_event_is_not_read() {
        for text in ["", "suspended", "{}", "vanished{}", "suspended{\"reason\":"] {
            assert_eq!(event_of(text), None, "{text}");
        }
    }
}
