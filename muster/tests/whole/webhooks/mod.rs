//! Webhooks: what is sent, to whom, in which order, and what happens when it does not arrive.

mod deleting;
mod delivering;
mod failing;
mod networks;
mod processes;
mod receiver;
mod replaying;
mod strays;

pub(crate) use deleting::beside_a_slow_delete;
pub(crate) use delivering::{changed, delivered};
pub(crate) use failing::{disabled, held_up};
pub(crate) use networks::private_is_refused;
pub(crate) use processes::{shared, survives_a_kill};
pub(crate) use replaying::replayed_ahead;
pub(crate) use strays::stops_at_a_stray;

use serde_json::{Value, json};

use crate::deployment::{Deployment, eventually};
use crate::portal::Portal;
use receiver::Receiver;

/// Retries so short that a test waits for none of them.
const RETRIES: &str = "50ms,50ms";
/// What the fields of a webhook are asked with.
const FIELDS: &str = "id name url types contentType state version position behindEvents behindSeconds lastSuccessAt \
    lastError deadLetters group { name }";

/// Settings of a deployment that delivers to this machine.
pub(crate) fn settings(deployment: &mut Deployment) {
    deployment.set("MUSTER_WEBHOOK_NETWORKS", "127.0.0.0/8".to_owned());
    quick(deployment);
}

/// Settings of a deployment that gives up soon, and delivers to the public network alone.
pub(crate) fn quick(deployment: &mut Deployment) {
    deployment.set("MUSTER_WEBHOOK_RETRIES", RETRIES.to_owned());
    deployment.set("MUSTER_WEBHOOK_TIMEOUT", "5s".to_owned());
    if deployment.views().is_some() {
        deployment.set("MUSTER_SECRET_KEY", "aGFyYm91ci1oYXJib3VyLWhhcmJvdXItaGFyYm91cjE=".to_owned());
        deployment.add_role("webhook-service");
    }
}

/// An administrator, a group to put users into, and a receiver.
struct Scene {
    administrator: Portal,
    group: Value,
    receiver: Receiver,
}

impl Scene {
    async fn of(deployment: &Deployment) -> Self {
        let (name, temporary) = &deployment.administrator;
        let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
        let group = administrator.must("createGroup", json!({ "name": "staff" }), "group { id }").await;
        Self { administrator, group: group["group"]["id"].clone(), receiver: Receiver::start().await }
    }

    /// Creates the webhook `orders`. Returns its id and its secret.
    async fn webhook(&self, more: Value) -> (String, String) {
        let mut input = json!({ "name": "Orders", "url": self.receiver.url() });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let created = self.administrator.must("createWebhook", input, "secret webhook { id }").await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&created["webhook"]["id"]), text(&created["secret"]))
    }

    /// Creates a user: three events.
    async fn user(&self, name: &str) -> String {
        let input = json!({ "username": name, "groupId": self.group });
        let created = self.administrator.must("createUser", input, "user { id }").await;
        created["user"]["id"].as_str().unwrap().to_owned()
    }

    /// Changes a user: one event.
    async fn edit(&self, user: &str, interval: u32) {
        let input = json!({ "userId": user, "heartbeatInterval": interval });
        self.administrator.must("editUfaConfig", input, "ufaConfig { version }").await;
    }

    /// The one webhook, as its list shows it.
    async fn shown(&self) -> Value {
        let answer =
            self.administrator.ask(&format!("{{ webhooks {{ nodes {{ {FIELDS} }} }} }}"), json!({})).await;
        answer["webhooks"]["nodes"][0].clone()
    }

    /// Waits until the webhook is shown like this.
    async fn shows(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut shown = Value::Null;
        eventually(what, async || {
            shown = self.shown().await;
            is_so(&shown)
        })
        .await;
        shown
    }

    /// Waits until the receiver was sent these events of a user, in this order.
    async fn arrived(&self, user: &str, sequences: &[u64]) {
        eventually("the events arrive in order", async || self.receiver.sequences(user) == sequences).await;
    }

    /// Ids of the webhook's deliveries with this outcome.
    async fn deliveries(&self, outcome: &str) -> Vec<Value> {
        let query =
            "query($outcome: DeliveryOutcome) { webhooks(first: 1) { nodes { deliveries(outcome: $outcome) { nodes {
            id eventId eventType outcome attempts status error user { username } } } } } }";
        let answer = self.administrator.ask(query, json!({ "outcome": outcome })).await;
        answer["webhooks"]["nodes"][0]["deliveries"]["nodes"].as_array().unwrap().clone()
    }
}

/// Ends every process, and asserts that each ends cleanly.
fn stop(mut deployment: Deployment) {
    deployment.stop();
}
