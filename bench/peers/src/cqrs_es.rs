//! cqrs-es: an aggregate is loaded from its events, decides, and its events are inserted in one transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Result;
use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::QueryReplay;
use cqrs_es::{Aggregate, AggregateError, DomainEvent, EventEnvelope, Query};
use load::{Line, Options, Report, Turn, Who, closed_loop, line};
use postgres_es::{PostgresCqrs, PostgresEventRepository, postgres_cqrs};
use serde::{Deserialize, Serialize};
use sqlx::{Executor, PgPool};

use crate::database::Server;
use crate::payload::{self, Asked, Envelope, GROUP, Personal};

const NAME: &str = "cqrs-es 0.5.0, PostgreSQL";

/// The columns that the library writes; the key is what makes two writers collide.
const TABLE: &str = "create table events (aggregate_type text not null, aggregate_id text not null, \
    sequence bigint not null, event_type text not null, event_version text not null, payload json not null, \
    metadata json not null, primary key (aggregate_type, aggregate_id, sequence))";

#[derive(Debug, Default, Serialize, Deserialize)]
enum User {
    #[default]
    Nobody,
    Pending,
    Active,
}

enum Command {
    Register { username: String, personal: Personal },
    Approve { expires_at: u64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Event {
    Registered { username: String, origin: String, personal: Personal },
    Approved { group_id: String, group_name: String },
    PasswordReset { expires_at: u64 },
}

#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the name is taken")]
    NameTaken,
    #[error("the user is not pending")]
    NotPending,
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::Registered { .. } => "registered",
            Self::Approved { .. } => "approved",
            Self::PasswordReset { .. } => "password_reset",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for User {
    const TYPE: &'static str = "user";
    type Command = Command;
    type Event = Event;
    type Error = Refusal;
    type Services = ();

    async fn handle(&mut self, command: Command, (): &(), sink: &EventSink<Self>) -> Result<(), Refusal> {
        match (command, &self) {
            (Command::Register { username, personal }, Self::Nobody) => {
                sink.write(Event::Registered { username, origin: "self".to_owned(), personal }, self).await;
                Ok(())
            }
            (Command::Register { .. }, _) => Err(Refusal::NameTaken),
            (Command::Approve { expires_at }, Self::Pending) => {
                let approved =
                    Event::Approved { group_id: GROUP.0.to_owned(), group_name: GROUP.1.to_owned() };
                sink.write(approved, self).await;
                sink.write(Event::PasswordReset { expires_at }, self).await;
                Ok(())
            }
            (Command::Approve { .. }, _) => Err(Refusal::NotPending),
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Registered { .. } => *self = Self::Pending,
            Event::Approved { .. } => *self = Self::Active,
            Event::PasswordReset { .. } => {}
        }
    }
}

/// Measures commands, for as many clients as asked.
pub(crate) async fn measure(server: &Server, options: &Options, report: &mut Report) -> Result<PgPool> {
    let pool = server.fresh("peer_cqrs_es", &[]).await?;
    pool.execute(TABLE).await?;
    let store: Arc<PostgresCqrs<User>> = Arc::new(postgres_cqrs(pool.clone(), vec![], ()));
    for &clients in &options.clients {
        let (store, run) = (store.clone(), payload::run_name());
        let request = move |turn| ask(store.clone(), run.clone(), turn);
        let measured = closed_loop::run(clients, options.duration(), request).await?;
        report.line(Line::new(Who::Peer, NAME, line::clients(clients), &measured));
    }
    Ok(pool)
}

async fn ask(store: Arc<PostgresCqrs<User>>, run: String, turn: Turn) -> Result<()> {
    loop {
        let (name, asked, envelope) = payload::asked(&run, turn);
        let command = match asked {
            Asked::Register(personal) => Command::Register { username: name.clone(), personal },
            Asked::Approve => Command::Approve { expires_at: payload::micros() },
        };
        match store.execute_with_metadata(&name, command, metadata(envelope)).await {
            Err(AggregateError::AggregateConflict) => {}
            done => return Ok(done?),
        }
    }
}

fn metadata(envelope: Envelope) -> HashMap<String, String> {
    HashMap::from([
        ("command_id".to_owned(), envelope.command_id),
        ("correlation_id".to_owned(), envelope.correlation_id),
        ("actor".to_owned(), envelope.actor),
        ("client".to_owned(), envelope.client),
        ("time".to_owned(), envelope.time.to_string()),
    ])
}

/// Counts what it is shown.
struct Counter(Arc<AtomicU64>);

#[async_trait::async_trait]
impl Query<User> for Counter {
    async fn dispatch(&self, _: &str, events: &[EventEnvelope<User>]) {
        self.0.fetch_add(events.len() as u64, Ordering::Relaxed);
    }
}

/// Reads every event that was written, as the library rebuilds a view.
pub(crate) async fn replay(pool: &PgPool) -> Result<Line> {
    let count = Arc::new(AtomicU64::new(0));
    let replay = QueryReplay::new(PostgresEventRepository::new(pool.clone()), Counter(count.clone()));
    let begun = Instant::now();
    replay.replay_all().await?;
    Ok(Line::rate(Who::Peer, NAME, count.load(Ordering::Relaxed), begun.elapsed().as_secs_f64()))
}
