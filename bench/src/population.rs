//! Users as a deployment has them, written straight into the log: registered, approved, with a password of their own.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use domain::actor::Client;
use domain::group::GroupRef;
use domain::id::{GroupId, UserId};
use domain::names::GroupName;
use domain::names::Username;
use domain::testing;
use domain::timestamp::Timestamp;
use domain::user::Event;
use domain::user::onboarding::{Approved, Origin, Registered};
use domain::user::password::{PasswordChanged, PasswordReset};
use domain::user::profile::{EmailChanged, Personal};
use domain::wire::Change;
use event_log::envelope::Envelope;
use event_log::{Batch, EventLog, Record, every_record};
use log_model::Stream;
use log_model::partition;
use uuid::Uuid;

/// Records of one transaction.
const BATCH: usize = 1_000;
/// Users who register before the first of them is approved: the events of one user lie far apart, as they do in life.
const BLOCK: u64 = 20_000;
const STEPS: u64 = 4;
const FIRST_NAMES: [&str; 6] = ["Alexandra", "Ben", "Chidi", "Dagmar", "Émile", "Friederike"];
const LAST_NAMES: [&str; 6] = ["Montgomery", "Okafor", "Li", "van den Berg", "Schmidt", "Fernández"];
const GROUPS: [&str; 5] =
    ["accounting", "suppliers-europe", "suppliers-asia", "operations", "clearing-house"];

/// Writes all events of this many users. Returns the number of events.
pub async fn fill(log: &Arc<dyn EventLog>, users: u64) -> Result<u64> {
    let writing: Vec<_> = (0..log.partitions())
        .map(|partition| {
            let log = log.clone();
            thread::spawn(move || fill_partition(&*log, partition, users))
        })
        .collect();
    let joined = tokio::task::spawn_blocking(|| {
        writing.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a writer panicked"))?).sum()
    });
    joined.await?
}

fn fill_partition(log: &dyn EventLog, of: u32, users: u64) -> Result<u64> {
    let mut writer = log.claim(of, &mut every_record(|_| Ok(())))?;
    let mut records = Vec::with_capacity(BATCH + 2);
    let mut written = 0;
    let mut begin = 0;
    while begin < users {
        let end = users.min(begin + BLOCK);
        let of_partition: Vec<_> = (begin..end)
            .map(|number| (number, name(number)))
            .filter(|(_, name)| partition::of(UserId::of(name).uuid(), log.partitions()) == of)
            .collect();
        for step in 0..STEPS {
            for (number, name) in &of_partition {
                records.extend(happens(*number, name, step));
                if records.len() >= BATCH {
                    written += records.len() as u64;
                    writer.append(Batch { records: std::mem::take(&mut records) })?;
                }
            }
        }
        begin = end;
    }
    written += records.len() as u64;
    writer.append(Batch { records })?;
    Ok(written)
}

fn name(number: u64) -> Username {
    let (first, last) = names(number);
    let plain = |name: &str| name.chars().filter(char::is_ascii_alphabetic).collect::<String>();
    Username::parse(&format!("{}.{}{number}", plain(first), plain(last))).expect("letters, a dot and digits")
}

fn names(number: u64) -> (&'static str, &'static str) {
    let index = usize::try_from(number).expect("a small number");
    (FIRST_NAMES[index % FIRST_NAMES.len()], LAST_NAMES[index / FIRST_NAMES.len() % LAST_NAMES.len()])
}

/// One command of a user's life, as records.
fn happens(number: u64, name: &Username, step: u64) -> Vec<(Stream, Record)> {
    // Hours apart, all of it long ago.
    let at = Timestamp::from_micros(1_700_000_000_000_000)
        + Duration::from_millis(number * 50 + step * 14_400_000);
    let email = format!("{name}@example.com");
    let (sequence, events): (u64, Vec<Event>) = match step {
        0 => {
            let (first, last) = names(number);
            let personal = Personal {
                first_name: Some(first.to_owned()),
                last_name: Some(last.to_owned()),
                phone: Some(format!("+49 30 {:07}", number % 10_000_000)),
                ..testing::personal(name.as_str())
            };
            let username = name.to_string();
            (1, vec![Registered { username, origin: Origin::OneSelf, personal }.into()])
        }
        1 => {
            let group = GROUPS[usize::try_from(number).expect("a small number") % GROUPS.len()];
            let id = GroupId::of(&GroupName::parse(group).expect("letters and dashes"));
            let approved = Approved { group: Some(GroupRef { id, name: group.to_owned() }) };
            (2, vec![approved.into(), PasswordReset { expires_at: at + Duration::from_hours(72) }.into()])
        }
        2 => (4, vec![PasswordChanged {}.into()]),
        _ if number.is_multiple_of(2) => {
            let address = |email| Personal { email: Some(email), ..Personal::default() };
            let new = address(format!("{name}@mail.example.com"));
            (5, vec![EmailChanged { personal: Change { old: address(email), new } }.into()])
        }
        _ => return vec![],
    };
    let command = Uuid::now_v7();
    let events = events.into_iter().zip(sequence..);
    let record = |(event, sequence): (Event, u64)| {
        let envelope = envelope(name, command, sequence, at);
        (Stream::UserEvents, envelope.record(event.wire_name(), event.to_json()))
    };
    events.map(record).collect()
}

/// The envelope of an event of this user, by the user.
pub fn envelope(name: &Username, command: Uuid, sequence: u64, time: Timestamp) -> Envelope {
    let subject = UserId::of(name).to_string();
    Envelope {
        id: Uuid::now_v7(),
        time,
        sequence,
        command_id: command.to_string(),
        command_digest: format!("{0}{0}", command.simple()),
        correlation_id: command.to_string(),
        actor: subject.clone(),
        actor_name: name.to_string(),
        actor_role: Some("user".to_owned()),
        client: Client {
            address: Some("198.51.100.17".to_owned()),
            agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned()),
        },
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        subject,
    }
}
