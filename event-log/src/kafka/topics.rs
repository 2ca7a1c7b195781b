//! The topics of a deployment: creating missing ones and checking those that exist.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use log_model::{Stream, StreamPartition};
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::client::QuietConsumer;
use super::ends;
use super::error::OpenError;
use super::settings::{Isolation, KafkaSettings};
use super::topic_spec::{TopicSpec, wanted};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Pause between two looks at topics that were just created.
const PAUSE: Duration = Duration::from_millis(50);

/// A topic that exists as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The name, prefix included.
    pub name: String,
    /// The number of partitions.
    pub partitions: u32,
    /// Whether this call created it.
    pub made: bool,
}

/// Creates missing topics and checks existing ones. On return all of them can be written.
///
/// `partitions` is the number of partitions over which users are spread, and `replication` the number of
/// replicas. With three or more, two must be in sync.
///
/// # Errors
///
/// No broker answers, a broker refuses to create a topic, or an existing topic has the wrong partitions or
/// settings.
pub async fn ensure_topics(
    settings: &KafkaSettings,
    partitions: u32,
    replication: u16,
) -> Result<Vec<Topic>, OpenError> {
    let settings = settings.clone();
    let ensuring = spawn_blocking(move || ensure(&settings, partitions, replication));
    ensuring.await.expect("making topics does not panic")
}

fn ensure(settings: &KafkaSettings, partitions: u32, replication: u16) -> Result<Vec<Topic>, OpenError> {
    let metadata = settings.metadata_client(Isolation::Committed).map_err(OpenError::Client)?;
    let there = existing(&metadata, settings)?;
    let wanted = wanted(settings, partitions);
    let missing: Vec<_> = wanted.iter().filter(|topic| !there.contains_key(&topic.name)).collect();
    let admin: AdminClient<DefaultClientContext> = settings.client().create().map_err(OpenError::Client)?;
    if !missing.is_empty() {
        create(&admin, &missing, replication)?;
    }
    let there = wait_until_known(&metadata, settings, &wanted)?;
    if !missing.is_empty() {
        wait_until_served(&metadata, settings, partitions)?;
    }
    for topic in &wanted {
        check_partitions(&topic.name, there[&topic.name], topic.partitions)?;
    }
    check_settings(&admin, settings, &wanted)?;
    let made = |name: &String| missing.iter().any(|topic| topic.name == *name);
    Ok(wanted
        .iter()
        .map(|topic| Topic {
            name: topic.name.clone(),
            partitions: topic.partitions,
            made: made(&topic.name),
        })
        .collect())
}

/// The number of partitions over which users are spread, according to the topics. The inner error names what
/// is still missing.
pub(super) fn partitions(
    metadata: &QuietConsumer,
    settings: &KafkaSettings,
) -> Result<Result<u32, String>, OpenError> {
    let there = existing(metadata, settings)?;
    let users = settings.topic(Stream::UserEvents);
    let Some(&partitions) = there.get(&users) else { return Ok(Err(format!("topic {users}"))) };
    for topic in wanted(settings, partitions) {
        match there.get(&topic.name) {
            Some(found) => check_partitions(&topic.name, *found, topic.partitions)?,
            None => return Ok(Err(format!("topic {}", topic.name))),
        }
    }
    Ok(Ok(partitions))
}

fn create(
    admin: &AdminClient<DefaultClientContext>,
    missing: &[&TopicSpec],
    replication: u16,
) -> Result<(), OpenError> {
    let new: Vec<_> = missing
        .iter()
        .map(|topic| {
            let partitions = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
            let mut new =
                NewTopic::new(&topic.name, partitions, TopicReplication::Fixed(i32::from(replication)));
            if replication >= 3 {
                new = new.set("min.insync.replicas", "2");
            }
            let settings = topic.required.iter().chain(&topic.initial);
            settings.fold(new, |new, (setting, value)| new.set(setting, value))
        })
        .collect();
    let asked = Handle::current().block_on(admin.create_topics(&new, &options()));
    for outcome in asked.map_err(OpenError::Client)? {
        match outcome {
            // Another process created it meanwhile. It is checked like any existing topic.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(OpenError::Refused { topic, source: KafkaError::AdminOp(code) });
            }
        }
    }
    Ok(())
}

/// Waits until the brokers know every topic.
fn wait_until_known(
    metadata: &QuietConsumer,
    settings: &KafkaSettings,
    wanted: &[TopicSpec],
) -> Result<BTreeMap<String, u32>, OpenError> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let there = existing(metadata, settings)?;
        match wanted.iter().find(|topic| !there.contains_key(&topic.name)) {
            None => return Ok(there),
            Some(missing) if Instant::now() >= deadline => {
                let source = KafkaError::AdminOp(RDKafkaErrorCode::UnknownTopicOrPartition);
                return Err(OpenError::Refused { topic: missing.name.clone(), source });
            }
            Some(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Waits until every partition answers: a broker that has just become its leader may refuse for a moment.
fn wait_until_served(
    metadata: &QuietConsumer,
    settings: &KafkaSettings,
    partitions: u32,
) -> Result<(), OpenError> {
    let deadline = Instant::now() + TIMEOUT;
    let places = || {
        Stream::ALL.into_iter().flat_map(|stream| {
            (0..stream.partitions(partitions)).map(move |partition| StreamPartition::new(stream, partition))
        })
    };
    while let Err(error) = ends::query(metadata, settings, places(), TIMEOUT) {
        if Instant::now() >= deadline {
            return Err(unreachable(settings, error));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// The topics with this prefix, and the number of partitions of each.
fn existing(metadata: &QuietConsumer, settings: &KafkaSettings) -> Result<BTreeMap<String, u32>, OpenError> {
    let metadata = metadata.fetch_metadata(None, TIMEOUT).map_err(|error| unreachable(settings, error))?;
    Ok(metadata
        .topics()
        .iter()
        .filter(|topic| topic.error().is_none() && topic.name().starts_with(&settings.prefix))
        .map(|topic| (topic.name().to_owned(), u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX)))
        .collect())
}

fn check_partitions(topic: &str, found: u32, wanted: u32) -> Result<(), OpenError> {
    if found == wanted {
        Ok(())
    } else {
        Err(OpenError::Partitions { topic: topic.to_owned(), found, wanted })
    }
}

/// Checks the settings of topics. With another policy or a shorter retention they would lose records.
fn check_settings(
    admin: &AdminClient<DefaultClientContext>,
    settings: &KafkaSettings,
    wanted: &[TopicSpec],
) -> Result<(), OpenError> {
    let names: Vec<_> = wanted.iter().map(|topic| ResourceSpecifier::Topic(&topic.name)).collect();
    let described: KafkaResult<Vec<_>> =
        Handle::current().block_on(admin.describe_configs(&names, &options()));
    for described in described.map_err(|error| unreachable(settings, error))? {
        let described: ConfigResource =
            described.map_err(|code| unreachable(settings, KafkaError::AdminOp(code)))?;
        let OwnedResourceSpecifier::Topic(name) = &described.specifier else { continue };
        let Some(topic) = wanted.iter().find(|topic| topic.name == *name) else { continue };
        for (setting, value) in &topic.required {
            let found = described.get(setting).and_then(|entry| entry.value.clone()).unwrap_or_default();
            if found != *value {
                let (topic, wanted) = (topic.name.clone(), (*value).to_owned());
                return Err(OpenError::Setting { topic, setting, found, wanted });
            }
        }
    }
    Ok(())
}

fn unreachable(settings: &KafkaSettings, source: KafkaError) -> OpenError {
    OpenError::Unreachable { brokers: settings.brokers.clone(), source }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(TIMEOUT)).operation_timeout(Some(TIMEOUT))
}
