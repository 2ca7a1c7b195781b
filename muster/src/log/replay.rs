//! `muster log replay`: the events of a feed, as readers see them.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use domain::id::{GroupId, UserId};
use domain::names::{GroupName, Username};
use domain::timestamp::Timestamp;
use event_feed::{
    CloudEvent, EventFilter, FeedKind, FeedPosition, FeedReader, Feeds, MemberFilter, Selection, StartAt,
};
use serde_json::Value;
use service_kit::lifecycle::Shutdown;

use crate::store::{LogArguments, ViewsArguments};

#[derive(clap::Args)]
pub(super) struct ReplayArguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    views: ViewsArguments,
    /// Whose events.
    #[arg(long, value_enum, default_value_t = WhichFeed::Users)]
    feed: WhichFeed,
    /// Begins after this position. Without it and `--from` the first event is the first one.
    #[arg(long, value_name = "POSITION", conflicts_with = "from")]
    after: Option<FeedPosition>,
    /// Begins with the first event that is not older, in each partition.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Timestamp>,
    /// Ends before the first event that is not older, in each partition.
    #[arg(long, value_name = "TIME", value_parser = instant, conflicts_with = "follow")]
    to: Option<Timestamp>,
    /// Only events of this type, such as `muster.user.approved`; `muster.user.*` is a beginning. Can be given several times.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only events of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only events of users who were in this group just before or just after; of the feed of groups only events of this group.
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Goes on as the log grows.
    #[arg(long)]
    follow: bool,
    /// The form of a line.
    #[arg(long, value_enum, default_value_t = Format::Cloudevents)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum WhichFeed {
    /// Events of users.
    Users,
    /// Events of groups and of the deployment.
    Groups,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// A CloudEvent as JSON, with its position.
    Cloudevents,
    /// Time, type, whose event it is, who caused it, and the data.
    Text,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|_| "it is no instant such as 2026-03-01T00:00:00Z".to_owned())
}

/// Prints events until the end, or until it is told to stop.
pub(super) async fn run(arguments: ReplayArguments) -> Result<ExitCode> {
    let shutdown = Shutdown::on_signals()?;
    let log = arguments.log.open_for_reading().await?;
    let feeds = Feeds::new(&log);
    let kind = match arguments.feed {
        WhichFeed::Users => FeedKind::Users,
        WhichFeed::Groups => FeedKind::Groups,
    };
    let end = match arguments.to {
        Some(to) => offsets(&feeds, kind, to).await?,
        None => feeds.end(kind).await?,
    };
    let start = match (&arguments.after, arguments.from) {
        (Some(after), _) => StartAt::After(after.clone()),
        (None, Some(from)) => StartAt::Time(from),
        (None, None) => StartAt::Beginning,
    };
    let reader = feeds.open(kind, start, selection(&arguments, kind).await?).await?;
    let end = (!arguments.follow).then_some(end);
    tokio::select! {
        printed = print(reader, end, arguments.format) => printed?,
        () = shutdown.requested() => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// For each partition, the offset of its first event that is not older.
async fn offsets(feeds: &Feeds, kind: FeedKind, at: Timestamp) -> Result<Vec<u64>> {
    let reader = feeds.open(kind, StartAt::Time(at), Selection::default()).await?;
    let position: FeedPosition = reader.position().parse()?;
    Ok(position.next().to_vec())
}

async fn selection(arguments: &ReplayArguments, kind: FeedKind) -> Result<Selection> {
    let events = EventFilter::of_types(kind, arguments.types.iter().map(String::as_str))?;
    let user = arguments.user.as_deref().map(user_id).transpose()?;
    let group = arguments.group.as_deref().map(group_id).transpose()?;
    match (kind, user, group) {
        (FeedKind::Groups, Some(_), _) => bail!("--user does not go with --feed groups"),
        (FeedKind::Groups, None, group) => {
            Ok(Selection { events: events.of_subject(group.map(|id| id.to_string())), group: None })
        }
        (FeedKind::Users, user, group) => {
            let events = events.of_subject(user.map(|id| id.to_string()));
            let Some(group) = group else { return Ok(Selection { events, group: None }) };
            let views = arguments.views.open_existing(&arguments.log).await?;
            let views =
                views.context("--group needs the views, which say who was in it, and there are none")?;
            Ok(Selection { events, group: Some(MemberFilter::new(views, group)) })
        }
    }
}

/// An id, or the id of a name.
fn user_id(text: &str) -> Result<UserId> {
    text.parse()
        .or_else(|_| Username::parse(text).map(|name| UserId::of(&name)))
        .map_err(|refusal| anyhow!("--user `{text}` is neither an id nor a name: {}", refusal.message))
}

fn group_id(text: &str) -> Result<GroupId> {
    text.parse()
        .or_else(|_| GroupName::parse(text).map(|name| GroupId::of(&name)))
        .map_err(|refusal| anyhow!("--group `{text}` is neither an id nor a name: {}", refusal.message))
}

/// Prints what the reader gives, up to these offsets if there are some.
async fn print(mut reader: FeedReader, end: Option<Vec<u64>>, format: Format) -> Result<()> {
    let mut stdout = BufWriter::with_capacity(64 << 10, std::io::stdout().lock());
    loop {
        let portion = match &end {
            Some(end) => reader.next_before(end).await?,
            None => Some(reader.next_patiently().await?),
        };
        let Some(portion) = portion else { break };
        let is_before_end =
            |event: &CloudEvent| end.as_ref().is_none_or(|end| event.offset < end[event.partition as usize]);
        for event in portion.events.iter().filter(|event| is_before_end(event)) {
            if write(&mut stdout, event, format).is_err() {
                // The reader of the pipe has seen enough.
                return Ok(());
            }
        }
        if end.is_none() && stdout.flush().is_err() {
            return Ok(());
        }
    }
    // Likewise.
    stdout.flush().ok();
    Ok(())
}

fn write(to: &mut impl Write, event: &CloudEvent, format: Format) -> std::io::Result<()> {
    match format {
        Format::Cloudevents => to.write_all(&event.json())?,
        Format::Text => to.write_all(text(&event.json())?.as_bytes())?,
    }
    to.write_all(b"\n")
}

fn text(json: &[u8]) -> Result<String, serde_json::Error> {
    let event: Value = serde_json::from_slice(json)?;
    let field = |name: &str| event[name].as_str().unwrap_or("-");
    let (time, kind, subject, actor) = (field("time"), field("type"), field("subject"), field("actorname"));
    Ok(format!("{time} {kind} {subject} by {actor}: {}", event["data"]))
}
