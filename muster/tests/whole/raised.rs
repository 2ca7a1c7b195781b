//! Topics that were given more partitions: every role refuses them, because users would be looked for in the wrong ones.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::json;

use crate::deployment::{Deployment, eventually};

const PATIENCE: Duration = Duration::from_secs(30);
const RAISED: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn f05_every_role_refuses_topics_with_more_partitions_than_the_deployment_has() {
    let Some(mut deployment) = Deployment::distributed().await else { return };
    let (name, temporary) = deployment.administrator.clone();
    let administrator = deployment.portal.settle(&name, &temporary, "a quiet harbour at dawn").await;
    administrator.must("createGroup", json!({ "name": "staff" }), "group { id }").await;
    deployment.stop();
    let topics = Topics::of(&deployment);
    let before = topics.ends();
    topics.raise().await;

    let commands: [&[&str]; 10] = [
        &["serve"],
        &["command-service"],
        &["projection-service"],
        &["graphql-gateway"],
        &["init", "--username", "somebody"],
        &["init", "--recover", "administrator"],
        &["topics", "--partitions", "12"],
        &["log", "verify"],
        &["log", "tail", "--until-end"],
        &["projection", "skip", "user-events-0", "0", "--reason", "x"],
    ];
    for command in commands {
        let refused = deployment.run(command);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{command:?}: {said}");
        let expected = "this deployment has 8 partitions, but the log has 12";
        assert!(said.contains(expected), "{command:?}: {said}");
    }
    let after: Vec<_> = topics.ends().into_iter().filter(|(_, partition, _)| *partition < 8).collect();
    assert_eq!(after, before);
    assert!(
        topics.ends().iter().all(|(_, partition, end)| *partition < 8 || *end == 0),
        "nothing is written"
    );
}

/// The topics of a deployment, as an administrator of the brokers sees them.
struct Topics {
    client: ClientConfig,
    names: Vec<String>,
}

impl Topics {
    fn of(deployment: &Deployment) -> Self {
        let mut client = ClientConfig::new();
        let log = deployment.setting("MUSTER_LOG").unwrap();
        client.set("bootstrap.servers", log.trim_start_matches("kafka://"));
        let consumer: BaseConsumer = client.create().unwrap();
        let metadata = consumer.fetch_metadata(None, PATIENCE).unwrap();
        let prefix = deployment.setting("MUSTER_TOPIC_PREFIX").unwrap();
        let ours = metadata.topics().iter().filter(|topic| topic.name().starts_with(prefix));
        let names = ours.map(|topic| topic.name().to_owned()).collect();
        Self { client, names }
    }

    /// Where each partition of each topic ends.
    fn ends(&self) -> Vec<(String, i32, i64)> {
        let consumer: BaseConsumer = self.client.create().unwrap();
        let mut ends = Vec::new();
        for name in &self.names {
            let metadata = consumer.fetch_metadata(Some(name), PATIENCE).unwrap();
            for partition in metadata.topics()[0].partitions() {
                let (_, end) = consumer.fetch_watermarks(name, partition.id(), PATIENCE).unwrap();
                ends.push((name.clone(), partition.id(), end));
            }
        }
        ends
    }

    /// Gives every topic that has 8 partitions 12.
    async fn raise(&self) {
        let consumer: BaseConsumer = self.client.create().unwrap();
        let has_eight = |name: &&String| {
            consumer.fetch_metadata(Some(name), PATIENCE).unwrap().topics()[0].partitions().len() == 8
        };
        let raised: Vec<_> = self.names.iter().filter(has_eight).collect();
        assert!(raised.len() >= 4, "{raised:?}");
        let admin: AdminClient<DefaultClientContext> = self.client.create().unwrap();
        let partitions: Vec<_> = raised.iter().map(|name| NewPartitions::new(name, RAISED)).collect();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        for outcome in admin.create_partitions(&partitions, &options).await.unwrap() {
            outcome.unwrap();
        }
        let is_raised = |name: &&String| {
            consumer.fetch_metadata(Some(name), PATIENCE).unwrap().topics()[0].partitions().len() == RAISED
        };
        eventually("the topics are raised", async || raised.iter().all(is_raised)).await;
    }
}
