//! The documents: their commands do what they show, their metrics exist, their links lead somewhere.
//!
//! Run are the blocks marked `bash`, in order, in one shell. A line `# → text` says what the commands before it must print,
//! on one line; `…` stands for anything.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// How long a page may take on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_mins(4);
const SHOWS: &str = "# → ";
/// Printed after the lines that say what is shown, so that the next ones are about something else.
const CHECKED: &str = "# checked";

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_leads_to_a_first_success() {
    // The first command stays in the foreground of a terminal of its own, and people wait until it has started.
    let started = "cargo() { [[ $* == 'run --release' ]]; target/release/muster > start.txt 2> muster.log & \
                   until curl -s -f -o /dev/null http://127.0.0.1:9090/readyz; do sleep 0.1; done; }";
    run("README.md", started, &[]).await.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_shows_what_it_says() {
    run("docs/tour.md", BUILT, &[]).await.check();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_run_distributed_as_the_page_says() {
    let (Some(brokers), Some(server)) = (server("MUSTER_TEST_KAFKA"), server("DATABASE_URL")) else { return };
    let name = format!("muster_documents_{}_{}", std::process::id(), fastrand::u32(..));
    let mut connection = PgConnection::connect(&server).await.unwrap();
    connection.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    let views = format!("{}/{name}", server.rsplit_once('/').unwrap().0);

    let servers = format!(
        "{BUILT}; mkdir dev; echo '[[ $1 == stop ]] || echo export MUSTER_TEST_KAFKA={brokers}' > dev/kafka; \
         echo '[[ $1 == stop ]] || echo export DATABASE_URL={views}' > dev/postgres; chmod +x dev/*"
    );
    let ran = run("docs/distributed.md", &servers, &[("MUSTER_TOPIC_PREFIX", format!("{name}."))]).await;

    connection.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await.unwrap();
    ran.check();
}

#[test]
fn the_metrics_of_the_page_are_those_of_the_services() {
    let (mut recorded, mut prefixes, mut suffixes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for file in files(&root(), "rs").iter().filter(|path| is_of_a_service(path)) {
        let text = fs::read_to_string(file).unwrap();
        for (at, _) in text.match_indices("\"muster_") {
            let macros = ["counter!(", "gauge!(", "histogram!("];
            if macros.iter().any(|name| text[..at].trim_end().ends_with(name)) {
                recorded.insert(metric(&text[at + 1..]));
            }
            // A consumer of the log gets the prefix of its metrics from whoever runs it.
            if text[..at].ends_with("metrics: Some(") {
                prefixes.insert(metric(&text[at + 1..]));
            }
        }
        suffixes
            .extend(text.match_indices("\"{prefix}_").map(|(at, quoted)| metric(&text[at + quoted.len()..])));
    }
    for prefix in &prefixes {
        recorded.extend(suffixes.iter().map(|suffix| format!("{prefix}_{suffix}")));
    }
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let documented: BTreeSet<String> =
        page.match_indices("`muster_").map(|(at, _)| metric(&page[at + 1..])).collect();
    assert!(!recorded.is_empty());
    assert_eq!(documented, recorded, "left: docs/operations.md, right: the sources");
}

#[test]
fn every_link_leads_to_something_that_is_there() {
    let mut broken = Vec::new();
    for page in files(&root(), "md") {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            if !link.contains("://") && !leads_somewhere(&page, link) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

/// Where a page expects what `cargo build --release` makes.
const BUILT: &str = "cargo() { [[ $* == 'build --release' ]]; }";

/// What became of the commands of a page.
struct Ran {
    page: &'static str,
    /// How many lines of the page say what is shown.
    expectations: usize,
    output: String,
    errors: String,
    /// None when it took too long.
    succeeded: Option<bool>,
}

/// Runs the commands of a page in a directory of their own, after `prelude`, on ports of their own. Ends what they started.
async fn run(page: &'static str, prelude: &str, environment: &[(&str, String)]) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(root().join(page)).unwrap();
    let (commands, expectations) = script(&text);
    let mut script = format!(
        "set -eu -o pipefail\ntrap 'jobs=$(jobs -p); [[ -z $jobs ]] || kill $jobs; wait' EXIT\n{prelude}\n{commands}"
    );
    let ports = free_ports::<4>();
    for (written, port) in [8080, 9090, 9091, 9092].into_iter().zip(ports) {
        script = script.replace(&format!("127.0.0.1:{written}"), &format!("127.0.0.1:{port}"));
    }
    let release = directory.path().join("target/release");
    fs::create_dir_all(&release).unwrap();
    symlink(env!("CARGO_BIN_EXE_muster"), release.join("muster")).unwrap();
    let file = |name: &str| directory.path().join(name);
    fs::write(file("page.sh"), &script).unwrap();

    let mut bash = Command::new("bash");
    bash.arg("page.sh").current_dir(directory.path()).stdin(Stdio::null()).process_group(0);
    bash.stdout(File::create(file("output")).unwrap()).stderr(File::create(file("errors")).unwrap());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MUSTER_")) {
        bash.env_remove(name);
    }
    bash.env("MUSTER_LISTEN", format!("127.0.0.1:{}", ports[0]));
    bash.env("MUSTER_OPERATIONS_LISTEN", format!("127.0.0.1:{}", ports[1]));
    bash.env("MUSTER_COMMANDS_LISTEN", "127.0.0.1:0");
    bash.env("TMPDIR", directory.path()).envs(environment.iter().map(|(name, value)| (name, value)));
    let mut shell = bash.spawn().unwrap();
    let group = Group(shell.id());
    let ended = tokio::task::spawn_blocking(move || shell.wait());
    let ended = tokio::time::timeout(PATIENCE, ended).await;
    drop(group);

    let read = |name: &str| fs::read_to_string(file(name)).unwrap();
    let succeeded = ended.ok().map(|status| status.unwrap().unwrap().success());
    Ran { page, expectations, output: read("output"), errors: read("errors"), succeeded }
}

impl Ran {
    /// Asserts that every command succeeded and showed what the page says.
    #[track_caller]
    fn check(&self) {
        let Self { page, output, errors, .. } = self;
        assert_eq!(self.succeeded, Some(true), "{page}:\n{output}\n{errors}");
        let (mut shown, mut checked) = (Vec::<&str>::new(), 0);
        for line in output.lines() {
            if let Some(expected) = line.strip_prefix(SHOWS) {
                let is_shown = shown.iter().any(|line| is_like(line, expected));
                assert!(is_shown, "{page}: expected {expected}\nbut shown was {shown:#?}\n{errors}");
                checked += 1;
            } else if line == CHECKED {
                shown.clear();
            } else {
                shown.push(line);
            }
        }
        assert_eq!(checked, self.expectations, "{page}:\n{output}\n{errors}");
        assert!(checked > 0, "{page} shows nothing");
    }
}

/// The commands of a page as a script that also prints what they are to show, and how many lines say that.
fn script(page: &str) -> (String, usize) {
    let (mut script, mut expectations) = (String::new(), 0);
    let mut lines = page.lines().peekable();
    let mut is_command = false;
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            is_command = line == "```bash";
        } else if is_command && line.starts_with(SHOWS) {
            expectations += 1;
            let quoted = line.replace('\'', r"'\''");
            writeln!(script, "echo '{quoted}'").unwrap();
            if !lines.peek().is_some_and(|next| next.starts_with(SHOWS)) {
                writeln!(script, "echo '{CHECKED}'").unwrap();
            }
        } else if is_command {
            writeln!(script, "{line}").unwrap();
        }
    }
    (script, expectations)
}

/// Whether a line holds the expected text, where `…` stands for anything.
fn is_like(line: &str, expected: &str) -> bool {
    let rest =
        expected.split('…').try_fold(line, |rest, part| rest.find(part).map(|at| &rest[at + part.len()..]));
    rest.is_some()
}

/// The processes of a group, which are ended with this value however a test ends.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        let mut kill = Command::new("kill");
        kill.args(["-KILL", "--", &format!("-{}", self.0)]).stderr(Stdio::null());
        // There is none any more when all have ended by themselves.
        let _ = kill.status();
    }
}

/// Ports on which nobody listens. Below every system's range for outgoing connections, so that none of those takes one.
fn free_ports<const PORTS: usize>() -> [u16; PORTS] {
    let mut listeners = Vec::new();
    while listeners.len() < PORTS {
        listeners.extend(TcpListener::bind(("127.0.0.1", fastrand::u16(10_000..30_000))));
    }
    std::array::from_fn(|at| listeners[at].local_addr().unwrap().port())
}

/// Address of a server; where it is missing, a failure in CI and a loud line elsewhere.
fn server(variable: &str) -> Option<String> {
    let address = std::env::var(variable).ok().filter(|address| !address.is_empty());
    if address.is_none() {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "{variable} is not set, and CI=true skips nothing"
        );
        eprintln!("SKIPPED: {variable} is not set; ./test brings the servers");
    }
    address
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Files with this extension in a folder and below it, but for what is built, hidden or data.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir()
            && !name.starts_with('.')
            && !["target", "data", "node_modules", "venv"].contains(&&*name)
        {
            found.extend(files(&entry, extension));
        } else if entry.extension().is_some_and(|it| it == extension) {
            found.push(entry);
        }
    }
    found
}

/// Whether a source file is part of what operators run.
fn is_of_a_service(path: &Path) -> bool {
    let root = root();
    let mut folders = path.strip_prefix(&root).unwrap().iter();
    folders.next().is_some_and(|name| name != "bench") && folders.next().is_some_and(|name| name == "src")
}

/// The name of a metric that a text begins with.
fn metric(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect()
}

/// Whether a link of a page leads to a file, and to a heading of it if it names one.
fn leads_somewhere(page: &Path, link: &str) -> bool {
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.to_owned() } else { page.parent().unwrap().join(path) };
    if heading.is_empty() {
        return target.exists();
    }
    let text = fs::read_to_string(target).unwrap_or_default();
    text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading)
}

/// How a heading is named in links.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
