//! Events pushed to many subscribers over server-sent events: deliveries a second, how late they are, memory of one that is
//! idle. The same for Muster and for a push server beside it.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use clap::Parser;
use load::{Line, Measured, Options, Report, Turn, Who, line, open_loop};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::sync::mpsc;

const CHOSEN: &str = "seven lamps along the pier";
/// How long a subscriber may take to begin, and the last deliveries to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures how events reach many subscribers.
#[derive(Parser)]
struct Arguments {
    /// What is measured, in words.
    #[arg(long, env = "MUSTER_TEST_BENCH_NAME")]
    name: String,
    /// Muster's portal API, or the address of a Centrifugo that lets everybody subscribe.
    #[arg(long, env = "MUSTER_TEST_BENCH_URL")]
    url: String,
    /// The temporary password of `administrator`; it is changed. Without one it is a Centrifugo.
    #[arg(long, env = "MUSTER_TEST_BENCH_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// The key of Centrifugo's HTTP API.
    #[arg(long, env = "MUSTER_TEST_BENCH_KEY", default_value = "", hide_env_values = true)]
    key: String,
    /// The process whose memory is told.
    #[arg(long, env = "MUSTER_TEST_BENCH_PROCESS")]
    process: u32,
    /// How many subscribe.
    #[arg(long, default_value_t = 1_000)]
    subscribers: usize,
    #[command(flatten)]
    options: Options,
}

/// A server that pushes events.
#[derive(Clone)]
enum Server {
    Muster { client: reqwest::Client, base: String, session: String, user: String, token: (String, String) },
    Centrifugo { client: reqwest::Client, base: String, key: String },
}

/// The deliveries of one loop.
#[derive(Clone)]
struct Deliveries {
    measured: Arc<Mutex<Measured>>,
    /// Events published before this instant belong to the warm-up.
    from: Arc<Mutex<u64>>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Arguments { name, url, password, key, process, subscribers, options } = Arguments::parse();
    let client = reqwest::Client::builder().tcp_nodelay(true).no_proxy().build()?;
    let (who, server) = match password {
        Some(password) => (Who::Muster, muster(client, url, &password).await?),
        None => (Who::Peer, Server::Centrifugo { client, base: url, key }),
    };
    let deliveries = Deliveries {
        measured: Arc::new(Mutex::new(Measured::new(options.duration()))),
        from: Arc::default(),
    };
    let before = resident_kib(process)?;
    let (begun, mut beginnings) = mpsc::unbounded_channel();
    for _ in 0..subscribers {
        let (server, deliveries, begun) = (server.clone(), deliveries.clone(), begun.clone());
        tokio::spawn(async move {
            if let Err(error) = server.subscribe(&deliveries, &begun).await {
                begun.send(Err(error)).ok();
            }
        });
    }
    for _ in 0..subscribers {
        let one =
            tokio::time::timeout(PATIENCE, beginnings.recv()).await.context("a subscriber did not begin")?;
        one.context("no subscriber is left")??;
    }
    let after = resident_kib(process)?;

    let mut report = Report::begin(&options.show);
    report.section(format!("Events pushed to {subscribers} subscribers, {name}"));
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
    let each = after.saturating_sub(before) as f64 / subscribers as f64;
    report.note(&format!(
        "An idle subscriber takes {each:.1} KiB of the process ({before} KiB before, {after} KiB with all)."
    ));
    for &rate in &options.rates {
        let (publisher, duration) = (server.clone(), options.duration());
        *lock(&deliveries.measured) = Measured::new(duration);
        *lock(&deliveries.from) = micros_now() + u64::try_from((duration / 5).as_micros())?;
        let publish = move |_: Turn| {
            let publisher = publisher.clone();
            async move { publisher.publish().await }
        };
        let sent = open_loop::run(rate, duration, publish).await?;
        settle(&deliveries, sent.latency.len() * subscribers as u64).await;
        let delivered = std::mem::replace(&mut *lock(&deliveries.measured), Measured::new(duration));
        report.line(Line::new(who, "deliveries, from publishing to arrival", line::rate(rate), &delivered));
    }
    report.finish()
}

/// Waits until everything has arrived, or nothing more comes.
async fn settle(deliveries: &Deliveries, expected: u64) {
    let end = Instant::now() + PATIENCE;
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    while Instant::now() < end && lock(&deliveries.measured).latency.len() < expected {
        ticks.tick().await;
    }
}

impl Deliveries {
    /// Takes in the events of a chunk: each carries the instant of its publishing.
    fn take(&self, text: &str) {
        let now = micros_now();
        let from = *lock(&self.from);
        for at in text
            .match_indices("\"new\":{\"firstName\":\"t")
            .chain(text.match_indices("\"at\":{\"firstName\":\"t"))
        {
            let begin = at.0 + at.1.len();
            let Some(published) = text.get(begin..begin + 16).and_then(|digits| digits.parse::<u64>().ok())
            else {
                continue;
            };
            if from > 0 && published >= from {
                lock(&self.measured).take(Duration::from_micros(now.saturating_sub(published)), Ok(()));
            }
        }
    }
}

impl Server {
    async fn subscribe(
        &self,
        deliveries: &Deliveries,
        begun: &mpsc::UnboundedSender<Result<()>>,
    ) -> Result<()> {
        // A connection for each, and none shared.
        let request = match self {
            Self::Muster { client, base, token: (id, secret), .. } => client
                .get(format!("{base}/events/users?types=muster.user.profile_updated"))
                .header("accept", "text/event-stream")
                .basic_auth(id, Some(secret)),
            Self::Centrifugo { client, base, .. } => {
                let connect = "%7B%22subs%22%3A%7B%22users%22%3A%7B%7D%7D%7D";
                client.get(format!("{base}/connection/uni_sse?cf_connect={connect}"))
            }
        };
        let mut response = request.send().await?.error_for_status()?;
        let mut is_begun = false;
        while let Some(chunk) = response.chunk().await? {
            if !std::mem::replace(&mut is_begun, true) {
                begun.send(Ok(())).ok();
            }
            deliveries.take(&String::from_utf8_lossy(&chunk));
        }
        bail!("the stream ended")
    }

    async fn publish(&self) -> Result<()> {
        let at = format!("t{}", micros_now());
        match self {
            Self::Muster { client, base, session, user, .. } => {
                let input = json!({ "userId": user, "firstName": at });
                let query = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { userErrors { code } } }";
                send(client, base, Some(session), query, json!({ "input": input })).await.map(drop)
            }
            Self::Centrifugo { client, base, key } => {
                // As large as an event of Muster.
                let data = json!({ "at": { "firstName": at }, "filling": "x".repeat(900) });
                let body = json!({ "channel": "users", "data": data }).to_string();
                let request = client.post(format!("{base}/api/publish")).header("x-api-key", key);
                request
                    .header(CONTENT_TYPE, "application/json")
                    .body(body)
                    .send()
                    .await?
                    .error_for_status()?;
                Ok(())
            }
        }
    }
}

/// Signs in, and makes a user to change and a token to read with.
async fn muster(client: reqwest::Client, url: String, password: &str) -> Result<Server> {
    let base = url.trim_end_matches("/graphql").to_owned();
    let mutate = async |session: Option<&str>, query: &str, variables: Value| {
        send(&client, &base, session, query, variables).await
    };
    let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) { sessionToken } }";
    let signed_in =
        mutate(None, sign_in, json!({ "input": { "username": "administrator", "password": password } }))
            .await?;
    let session =
        signed_in["signIn"]["sessionToken"].as_str().context("the password is not right")?.to_owned();
    let change =
        "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { userErrors { code } } }";
    let input = json!({ "input": { "currentPassword": password, "newPassword": CHOSEN } });
    mutate(Some(&session), change, input).await?;
    let viewer = mutate(Some(&session), "{ viewer { id } }", json!({})).await?;
    let user = viewer["viewer"]["id"].as_str().context("no viewer")?.to_owned();
    let issue = "mutation($input: IssueAuthTokenInput!) { issueAuthToken(input: $input) { secret authToken { id } } }";
    let input = json!({ "input": { "userId": user, "name": "bench", "scopes": ["EVENTS"] } });
    let issued = mutate(Some(&session), issue, input).await?["issueAuthToken"].take();
    let text = |value: &Value| value.as_str().map(str::to_owned).context("no token");
    let token = (text(&issued["authToken"]["id"])?, text(&issued["secret"])?);
    Ok(Server::Muster { client, base, session, user, token })
}

async fn send(
    client: &reqwest::Client,
    base: &str,
    session: Option<&str>,
    query: &str,
    variables: Value,
) -> Result<Value> {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let mut request =
        client.post(format!("{base}/graphql")).header(CONTENT_TYPE, "application/json").body(body);
    if let Some(session) = session {
        request = request.bearer_auth(session);
    }
    let mut response: Value = serde_json::from_slice(&request.send().await?.bytes().await?)?;
    if let Some(errors) = response.get("errors") {
        bail!("{errors}");
    }
    Ok(response["data"].take())
}

fn micros_now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The memory of a process that is in use.
fn resident_kib(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
