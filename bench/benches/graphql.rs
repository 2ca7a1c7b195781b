//! GraphQL mutations until they are visible, through the portal API of a running Muster: what a portal waits for.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use bench::commands;
use clap::Parser;
use load::{Line, Options, Report, Turn, Who, closed_loop, line, open_loop};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

const CHOSEN: &str = "seven lamps along the pier";
const CREATE: &str = "createUser until it is visible";

/// Measures GraphQL mutations until they are visible, and reads.
#[derive(Parser)]
struct Arguments {
    /// What is measured, in words.
    #[arg(long, env = "MUSTER_TEST_BENCH_NAME")]
    name: String,
    /// The portal API.
    #[arg(long, env = "MUSTER_TEST_BENCH_URL")]
    url: String,
    /// The temporary password of `administrator`; it is changed.
    #[arg(long, env = "MUSTER_TEST_BENCH_PASSWORD", hide_env_values = true)]
    password: String,
    #[command(flatten)]
    options: Options,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Arguments { name, url, password, options } = Arguments::parse();
    let client = reqwest::Client::builder().tcp_nodelay(true).no_proxy().build()?;
    let nobody = Portal { client, url, session: None };
    let input = json!({ "username": "administrator", "password": password });
    let signed_in = nobody.mutate("signIn", "SignInInput", input, "sessionToken").await?;
    let session = signed_in["sessionToken"].as_str().context("the password is not right")?.to_owned();
    let portal = Portal { session: Some(session), ..nobody };
    let input = json!({ "currentPassword": password, "newPassword": CHOSEN });
    portal.mutate("changePassword", "ChangePasswordInput", input, "").await?;
    let input = json!({ "name": "bench" });
    let prepared = portal.mutate("createGroup", "CreateGroupInput", input, "group { id }").await?;
    let group = prepared["group"]["id"].as_str().context("no group")?.to_owned();
    let creating = || {
        let (portal, group, run) = (portal.clone(), group.clone(), commands::run_name());
        move |turn: Turn| create(portal.clone(), group.clone(), format!("{run}-{}", turn.number))
    };

    let mut report = Report::begin(&options.show);
    report.section(format!("GraphQL, {name}"));
    for &clients in &options.clients {
        let measured = closed_loop::run(clients, options.duration(), creating()).await?;
        report.line(Line::new(Who::Muster, CREATE, line::clients(clients), &measured));
    }
    for &rate in &options.rates {
        let measured = open_loop::run(rate, options.duration(), creating()).await?;
        report.line(Line::new(Who::Muster, CREATE, line::rate(rate), &measured));
    }
    for &clients in &options.clients {
        let portal = portal.clone();
        let measured = closed_loop::run(clients, options.duration(), move |_| read(portal.clone())).await?;
        report.line(Line::new(Who::Muster, "one user by name", line::clients(clients), &measured));
    }
    report.finish()
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
        // The data may hold a made password.
        if let Some(errors) = response.get("errors") {
            bail!("{errors}");
        }
        Ok(response["data"].take())
    }
}
