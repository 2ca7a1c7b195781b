//! The broker of the suite: started by `dev/kafka`, killed by its process id, started again with its data and its port.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::fleet::signal;
use crate::waiting::{blocking, comes_true};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dev/kafka");

/// How often it is tried to start the broker.
const TRIES: u32 = 3;

/// A broker that ends with the suite.
pub(crate) struct Broker {
    directory: PathBuf,
    version: Option<String>,
    port: String,
    starts: u32,
}

impl Broker {
    /// Starts one with no data on a free port.
    pub(crate) async fn start(directory: PathBuf, version: Option<String>) -> Self {
        let mut broker = Self { directory, version, port: "0".to_owned(), starts: 0 };
        broker.start_again().await;
        broker
    }

    /// Starts it with the data and the port that it had.
    pub(crate) async fn start_again(&mut self) {
        // The script begins a new log; the old one is evidence.
        let log = self.directory.join("server.log");
        if log.exists() {
            std::fs::rename(&log, self.directory.join(format!("server-{}.log", self.starts))).unwrap();
        }
        self.starts += 1;
        let mut tries = 0;
        let said = loop {
            tries += 1;
            let mut script = self.script("start");
            script.args(["--port", &self.port]);
            if let Some(version) = &self.version {
                script.args(["--version", version]);
            }
            let output = blocking(move || script.output()).await.unwrap();
            if output.status.success() {
                break String::from_utf8_lossy(&output.stdout).into_owned();
            }
            // A machine that is busy with other things lets it start too slowly for the script; that is no fault of ours.
            let reason = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(tries < TRIES, "the broker did not start: {reason}");
            eprintln!("the broker is started once more: {reason}");
        };
        said.trim().rsplit(':').next().unwrap().clone_into(&mut self.port);
    }

    /// Where clients reach it.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends it without a chance to clean up.
    pub(crate) async fn kill(&self) {
        let id = std::fs::read_to_string(self.directory.join("pid")).unwrap();
        let id: u32 = id.trim().parse().unwrap();
        // Ids are used again: only what runs with the settings of this directory is the broker.
        let settings = self.directory.join("server.properties");
        let runs = move || command_line(id).contains(settings.to_str().unwrap());
        assert!(runs(), "process {id} is not the broker");
        signal(id, "KILL");
        assert!(comes_true(async || !runs()).await, "the broker survived SIGKILL");
    }

    /// Ends it as an operator would and waits until it is gone.
    pub(crate) async fn stop(&self) {
        let mut script = self.script("stop");
        let status = blocking(move || script.status()).await.unwrap();
        assert!(status.success(), "the broker did not end");
    }

    fn script(&self, command: &str) -> Command {
        let mut script = Command::new(SCRIPT);
        script.arg(command).arg("--dir").arg(&self.directory).stdin(Stdio::null()).stderr(Stdio::piped());
        script
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.script("stop").output();
    }
}

/// What a process was started with; nothing where there is none.
fn command_line(id: u32) -> String {
    let path = Path::new("/proc").join(id.to_string()).join("cmdline");
    std::fs::read_to_string(path).unwrap_or_default()
}
