//! What a portal, a server and an agent do: GraphQL requests, access checks, config fetches.

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};

/// A client of one gateway, with or without a session.
#[derive(Clone)]
pub(crate) struct Portal {
    pub(crate) base: String,
    session: Option<String>,
    client: reqwest::Client,
}

impl Portal {
    /// Nobody, at this address.
    pub(crate) fn at(base: String) -> Self {
        Self { base, session: None, client: reqwest::Client::new() }
    }

    /// The portal as the holder of this session.
    pub(crate) fn with_session(&self, session: &str) -> Self {
        Self { session: Some(session.to_owned()), ..self.clone() }
    }

    /// The same caller at the gateway that `other` asks.
    pub(crate) fn moved_to(&self, other: &Self) -> Self {
        Self { base: other.base.clone(), ..self.clone() }
    }

    /// Nobody.
    pub(crate) fn nobody(&self) -> Self {
        Self { session: None, ..self.clone() }
    }

    /// Sends a document and gives back the whole response.
    pub(crate) async fn send(&self, query: &str, variables: Value) -> Value {
        let mut request = self
            .client
            .post(format!("{}/graphql", self.base))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(json!({ "query": query, "variables": variables }).to_string());
        if let Some(session) = &self.session {
            request = request.bearer_auth(session);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.headers().contains_key("x-request-id"));
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Sends a document that must not fail and gives back its data.
    #[track_caller]
    pub(crate) fn ask(&self, query: &str, variables: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let this = self.clone();
        let query = query.to_owned();
        async move {
            let response = this.send(&query, variables).await;
            assert!(response.get("errors").is_none(), "{caller}: {response}");
            response["data"].clone()
        }
    }

    /// Runs the mutation `name` with `input`, selecting `fields` beside the refusals, and gives back its payload.
    pub(crate) async fn mutate(&self, name: &str, input: Value, fields: &str) -> Value {
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let query = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code field }} {fields} }} }}"
        );
        let mut data = self.ask(&query, json!({ "input": input })).await;
        data[name].take()
    }

    /// The same, asserting that nothing was refused.
    pub(crate) async fn must(&self, name: &str, input: Value, fields: &str) -> Value {
        let payload = self.mutate(name, input, fields).await;
        assert_eq!(payload["userErrors"], json!([]), "{name}: {payload}");
        payload
    }

    /// Signs in; the payload of the attempt.
    pub(crate) async fn sign_in(&self, username: &str, password: &str) -> Value {
        let input = json!({ "username": username, "password": password });
        self.nobody()
            .mutate("signIn", input, "sessionToken mustChangePassword expiresAt viewer { username }")
            .await
    }

    /// Signs in with a temporary password and changes it; the session is a full one then.
    pub(crate) async fn settle(&self, username: &str, temporary: &str, chosen: &str) -> Self {
        let signed_in = self.sign_in(username, temporary).await;
        assert_eq!(signed_in["mustChangePassword"], true, "{signed_in}");
        let portal = self.with_session(signed_in["sessionToken"].as_str().unwrap());
        let input = json!({ "currentPassword": temporary, "newPassword": chosen });
        portal.must("changePassword", input, "").await;
        portal
    }

    /// Status of an access check with HTTP Basic.
    pub(crate) async fn verify(&self, service: &str, user: &str, password: &str) -> u16 {
        self.verified(service, user, password).await.status().as_u16()
    }

    /// The answer to an access check with HTTP Basic.
    pub(crate) async fn verified(&self, service: &str, user: &str, password: &str) -> reqwest::Response {
        let url = format!("{}/access/verify?service={service}", self.base);
        self.client.get(url).basic_auth(user, Some(password)).send().await.unwrap()
    }

    /// What an agent gets for its config: status, tag and content.
    pub(crate) async fn agent_config(
        &self,
        token: &str,
        secret: &str,
        known: Option<&str>,
    ) -> (u16, String, Value) {
        let mut request =
            self.client.get(format!("{}/agent/v1/config", self.base)).basic_auth(token, Some(secret));
        if let Some(tag) = known {
            request = request.header("if-none-match", tag);
        }
        let answer = request.send().await.unwrap();
        let tag = answer.headers().get("etag").map_or("", |tag| tag.to_str().unwrap()).to_owned();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        (status, tag, serde_json::from_slice(&body).unwrap_or_default())
    }
}

/// The codes of the refusals in a payload with their paths, such as `name_taken@username`.
pub(crate) fn refused(payload: &Value) -> Vec<String> {
    let refusals = payload["userErrors"].as_array().unwrap_or_else(|| panic!("no payload: {payload}"));
    let path = |refusal: &Value| {
        let fields = refusal["field"].as_array().into_iter().flatten();
        fields.map(|field| field.as_str().unwrap_or_default()).collect::<Vec<_>>().join(".")
    };
    refusals
        .iter()
        .map(|refusal| format!("{}@{}", refusal["code"].as_str().unwrap(), path(refusal)))
        .collect()
}
