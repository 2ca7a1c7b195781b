//! GraphQL mutations until they are visible, through the portal API of a running Muster: what a portal waits for.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bench::{closed_loop, commands, table};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

const CLIENTS: &str = "1,64,256";
const DURATION: Duration = Duration::from_secs(8);
const CHOSEN: &str = "seven lamps along the pier";

#[tokio::main]
async fn main() -> Result<()> {
    let setting =
        |name: &str| std::env::var(name).with_context(|| format!("{name} is not set: use bench/run"));
    let url = setting("MUSTER_TEST_BENCH_URL")?;
    let client = reqwest::Client::new();
    let nobody = Portal { client: client.clone(), url: url.clone(), session: None };
    let temporary = setting("MUSTER_TEST_BENCH_PASSWORD")?;
    let input = json!({ "username": "administrator", "password": temporary });
    let signed_in = nobody.mutate("signIn", "SignInInput", input, "sessionToken").await?;
    let session = signed_in["sessionToken"].as_str().context("the password is not right")?.to_owned();
    let portal = Portal { session: Some(session), ..nobody };
    let input = json!({ "currentPassword": temporary, "newPassword": CHOSEN });
    portal.mutate("changePassword", "ChangePasswordInput", input, "").await?;
    let input = json!({ "name": "bench" });
    let made = portal.mutate("createGroup", "CreateGroupInput", input, "group { id }").await?;
    let group = made["group"]["id"].as_str().context("no group")?.to_owned();

    table::heading(&format!("GraphQL, {}", setting("MUSTER_TEST_BENCH_NAME")?));
    let clients = std::env::var("MUSTER_TEST_BENCH_CLIENTS").unwrap_or_else(|_| CLIENTS.to_owned());
    let clients = clients.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    for &clients in &clients {
        let (portal, group, run) = (portal.clone(), group.clone(), commands::run_name());
        let request = move |n| create(portal.clone(), group.clone(), format!("{run}-{n}"));
        let measured = closed_loop::run(clients, DURATION, request).await?;
        table::line("createUser until it is visible", clients, &measured, None);
    }
    for clients in clients {
        let portal = portal.clone();
        let measured = closed_loop::run(clients, DURATION, move |_| read(portal.clone())).await?;
        table::line("one user by name", clients, &measured, None);
    }
    Ok(())
}

async fn create(portal: Portal, group: String, name: String) -> Result<()> {
    let input =
        json!({ "username": name, "groupId": group, "firstName": "Alexandra", "lastName": "Montgomery" });
    portal
        .mutate("createUser", "CreateUserInput", input, "temporaryPassword user { id state }")
        .await
        .map(drop)
}

async fn read(portal: Portal) -> Result<()> {
    let data = portal.send("{ user(username: \"administrator\") { id state } }", json!({})).await?;
    if data["user"]["state"] == "ACTIVE" { Ok(()) } else { bail!("{data}") }
}

/// A client of the portal API.
#[derive(Clone)]
struct Portal {
    client: reqwest::Client,
    url: String,
    session: Option<String>,
}

impl Portal {
    async fn mutate(&self, name: &str, kind: &str, input: Value, fields: &str) -> Result<Value> {
        let query = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ code }} {fields} }} }}"
        );
        let mut data = self.send(&query, json!({ "input": input })).await?;
        let payload = data[name].take();
        if payload["userErrors"] == json!([]) { Ok(payload) } else { bail!("{name}: {payload}") }
    }

    async fn send(&self, query: &str, variables: Value) -> Result<Value> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let mut request = self.client.post(&self.url).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(session) = &self.session {
            request = request.bearer_auth(session);
        }
        let mut response: Value = serde_json::from_slice(&request.send().await?.bytes().await?)?;
        if response.get("errors").is_some() {
            bail!("{response}");
        }
        Ok(response["data"].take())
    }
}
