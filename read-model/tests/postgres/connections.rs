//! Connections that fall silent, servers that take no writes, several hosts, and poolers.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use log_model::{Stream, StreamPartition};
use read_model::{Error, ReadModel, ViewWriter};

use crate::proxy::Proxy;
use crate::server::{at, run, with_database};

const PLACE: StreamPartition = StreamPartition::new(Stream::UserEvents, 0);

/// Host and port of a URL.
fn host(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap();
    let (authority, _) = rest.split_once('/').unwrap();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned()
}

fn through(url: &str, hosts: &str) -> String {
    url.replacen(&host(url), hosts, 1)
}

/// An address on which nothing answers.
async fn closed_port() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn f02_what_falls_silent_is_given_up_and_done_again_on_a_new_connection() {
    with_database("", |url| async move {
        let proxy = Proxy::to(host(&url)).await;
        let writer = ViewWriter::open(&at(through(&url, &proxy.address.to_string()))).await.unwrap();
        writer.begin(&[PLACE]).await.unwrap();
        proxy.silence_open_connections();
        let used = async {
            writer.views().reachable().await.unwrap();
            writer.confirm(&[PLACE], domain::timestamp::Timestamp::MAX).await.unwrap();
            writer.views().checkpoints().await.unwrap()
        };
        let checkpoints = tokio::time::timeout(Duration::from_secs(20), used).await.unwrap();
        assert!(checkpoints[0].confirmed_at.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_the_first_host_that_answers_is_used() {
    with_database("", |url| async move {
        let hosts = format!("{},{}", closed_port().await, host(&url));
        let views = ReadModel::open(&at(through(&url, &hosts))).await.unwrap();
        views.reachable().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_a_server_that_takes_no_writes_is_waited_for_where_the_url_asks_for_one_that_does() {
    with_database("", |url| async move {
        let name = url.rsplit_once('/').unwrap().1.to_owned();
        let set = |to: &str| format!("ALTER DATABASE {name} SET default_transaction_read_only = {to}");
        let place = at(format!("{url}?target_session_attrs=read-write"));
        run(&url, &set("on")).await;
        let refused = ReadModel::open(&place).await.err().unwrap();
        assert!(refused.is_unavailable(), "{refused:?}");
        run(&url, &format!("SET TRANSACTION READ WRITE; {}", set("off"))).await;
        ReadModel::open(&place).await.unwrap();
    })
    .await;
}

/// A pooler before the server. `None` where it is not installed.
struct Bouncer {
    process: Child,
    address: String,
    _directory: tempfile::TempDir,
}

impl Bouncer {
    async fn start(url: &str, mode: &str) -> Option<Self> {
        let server = host(url);
        let (server_host, server_port) = server.rsplit_once(':').unwrap();
        let address = closed_port().await;
        let port = address.rsplit_once(':').unwrap().1;
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let user = url.split_once("://").unwrap().1.split_once([':', '@']).unwrap().0;
        let file = directory.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={server_host} port={server_port} user={user}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n"
        );
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new("pgbouncer");
        command.arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            // It refuses to run as root.
            command.uid(65_534).gid(65_534);
        }
        let process = match command.spawn() {
            Ok(process) => process,
            Err(error) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "pgbouncer must be there: {error}");
                eprintln!(
                    "!!!! LEFT OUT: pgbouncer can't be started ({error}). ./test installs it where it may."
                );
                return None;
            }
        };
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let answers = async {
            while tokio::net::TcpStream::connect(&address).await.is_err() {
                tick.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), answers).await.unwrap();
        Some(Self { process, address, _directory: directory })
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_pgbouncer_works_where_sessions_are_kept() {
    with_database("", |url| async move {
        let Some(bouncer) = Bouncer::start(&url, "session").await else { return };
        let writer = ViewWriter::open(&at(through(&url, &bouncer.address))).await.unwrap();
        writer.begin(&[PLACE]).await.unwrap();
        assert_eq!(writer.views().checkpoints().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_pgbouncer_is_refused_in_a_sentence_where_sessions_are_shared() {
    with_database("", |url| async move {
        let Some(bouncer) = Bouncer::start(&url, "transaction").await else { return };
        let refused = ReadModel::open(&at(through(&url, &bouncer.address))).await.err().unwrap();
        assert!(matches!(refused, Error::Unsuitable(_)), "{refused:?}");
        assert!(refused.to_string().contains("pool_mode session"), "{refused}");
    })
    .await;
}
