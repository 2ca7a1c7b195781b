//! disintegrate: a state is made from the events that a query finds, and an append is refused when the query finds more.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use disintegrate::serde::json::Json;
use disintegrate::{
    BoxDynError, Decision, DecisionError, Event, EventStore, NoSnapshot, StateMutate, StateQuery, StreamItem,
    query,
};
use disintegrate_postgres::{Error, PgDecisionMaker, PgEventId, PgEventStore, decision_maker};
use futures::TryStreamExt;
use load::{Line, Options, Report, Turn, Who, closed_loop, line};
use serde::{Deserialize, Serialize};
use sqlx::{Executor, PgPool};

use crate::database::Server;
use crate::payload::{self, Asked, Envelope, GROUP, Personal};

const NAME: &str = "disintegrate 4.0.0, PostgreSQL";
/// For how long a client asks again when somebody else was quicker.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Event)]
#[stream(UserEvent, [Registered, Approved, PasswordReset])]
pub enum DomainEvent {
    Registered {
        #[id]
        username: String,
        origin: String,
        personal: Personal,
        envelope: Envelope,
    },
    Approved {
        #[id]
        username: String,
        group_id: String,
        group_name: String,
        envelope: Envelope,
    },
    PasswordReset {
        #[id]
        username: String,
        expires_at: u64,
        envelope: Envelope,
    },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    #[default]
    Nobody,
    Pending,
    Active,
}

#[derive(Debug, Clone, Default, StateQuery, Serialize, Deserialize)]
#[state_query(UserEvent)]
struct User {
    #[id]
    username: String,
    standing: Standing,
}

impl StateMutate for User {
    fn mutate(&mut self, event: Self::Event) {
        match event {
            UserEvent::Registered { .. } => self.standing = Standing::Pending,
            UserEvent::Approved { .. } => self.standing = Standing::Active,
            UserEvent::PasswordReset { .. } => {}
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the name is taken")]
    NameTaken,
    #[error("the user is not pending")]
    NotPending,
}

struct Register {
    username: String,
    personal: Personal,
    envelope: Envelope,
}

struct Approve {
    username: String,
    expires_at: u64,
    envelope: Envelope,
}

impl Decision for Register {
    type Event = DomainEvent;
    type StateQuery = User;
    type Error = Refusal;

    fn state_query(&self) -> User {
        User { username: self.username.clone(), ..User::default() }
    }

    fn process(&self, user: &User) -> Result<Vec<DomainEvent>, Refusal> {
        if user.standing != Standing::Nobody {
            return Err(Refusal::NameTaken);
        }
        Ok(vec![DomainEvent::Registered {
            username: self.username.clone(),
            origin: "self".to_owned(),
            personal: self.personal.clone(),
            envelope: self.envelope.clone(),
        }])
    }
}

impl Decision for Approve {
    type Event = DomainEvent;
    type StateQuery = User;
    type Error = Refusal;

    fn state_query(&self) -> User {
        User { username: self.username.clone(), ..User::default() }
    }

    fn process(&self, user: &User) -> Result<Vec<DomainEvent>, Refusal> {
        if user.standing != Standing::Pending {
            return Err(Refusal::NotPending);
        }
        let (username, envelope) = (self.username.clone(), self.envelope.clone());
        let approved = DomainEvent::Approved {
            username: username.clone(),
            group_id: GROUP.0.to_owned(),
            group_name: GROUP.1.to_owned(),
            envelope: envelope.clone(),
        };
        Ok(vec![approved, DomainEvent::PasswordReset { username, expires_at: self.expires_at, envelope }])
    }
}

type Store = PgEventStore<DomainEvent, Json<DomainEvent>>;
type Maker = PgDecisionMaker<DomainEvent, Json<DomainEvent>, NoSnapshot>;

/// Measures commands, for as many clients as asked.
pub(crate) async fn measure(server: &Server, options: &Options, report: &mut Report) -> Result<Store> {
    // One of its functions has a hexadecimal constant, which PostgreSQL reads from version 16 on. Unchecked, an older
    // one takes the function in; it then gets the same number in decimal.
    let pool = server.fresh("peer_disintegrate", &[("check_function_bodies", "off")]).await?;
    let store = PgEventStore::try_new(pool.clone(), Json::<DomainEvent>::default()).await?;
    without_hexadecimals(&pool).await?;
    let maker = decision_maker(store.clone(), NoSnapshot);
    for &clients in &options.clients {
        let (maker, run) = (maker.clone(), payload::run_name());
        let request = move |turn| ask(maker.clone(), run.clone(), turn);
        let measured = closed_loop::run(clients, options.duration(), request).await?;
        report.line(Line::new(Who::Peer, NAME, line::clients(clients), &measured));
    }
    Ok(store)
}

async fn without_hexadecimals(pool: &PgPool) -> Result<()> {
    let version: i32 =
        sqlx::query_scalar("select current_setting('server_version_num')::integer").fetch_one(pool).await?;
    if version >= 160_000 {
        return Ok(());
    }
    let definition: String =
        sqlx::query_scalar("select pg_get_functiondef('event_store_begin_epoch'::regproc)")
            .fetch_one(pool)
            .await?;
    pool.execute(definition.replace("0xFFFFFFFF", "4294967295").as_str()).await?;
    Ok(())
}

async fn ask(maker: Maker, run: String, turn: Turn) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let (username, asked, envelope) = payload::asked(&run, turn);
        let prepared = match asked {
            Asked::Register(personal) => maker.make(Register { username, personal, envelope }).await,
            Asked::Approve => maker.make(Approve { username, expires_at: payload::micros(), envelope }).await,
        };
        match prepared {
            Err(DecisionError::StateStore(error)) if is_collision(&error) && Instant::now() < until => {}
            done => return done.map(drop).context("not decided"),
        }
    }
}

/// Whether somebody else was quicker: the library leaves it to the caller to ask again.
fn is_collision(error: &BoxDynError) -> bool {
    match error.downcast_ref::<Error>() {
        Some(Error::Concurrency) => true,
        Some(Error::Database(sqlx::Error::Database(error))) => {
            matches!(error.code().as_deref(), Some("40001" | "40P01"))
        }
        _ => false,
    }
}

/// Reads every event that was written.
pub(crate) async fn replay(store: &Store) -> Result<Line> {
    let everything = query!(DomainEvent);
    let begun = Instant::now();
    let mut stream = store.stream::<DomainEvent>(&everything);
    let mut count = 0_u64;
    while let Some(item) = stream.try_next().await? {
        let item: StreamItem<PgEventId, DomainEvent> = item;
        count += u64::from(matches!(item, StreamItem::Event(_)));
    }
    Ok(Line::rate(Who::Peer, NAME, count, begun.elapsed().as_secs_f64()))
}
