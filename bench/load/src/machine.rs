//! What a run was made on, so that figures are not compared across machines by accident.

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// The machine and what was built on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Cores that the run may use.
    pub cores: usize,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Release of the kernel.
    pub kernel: String,
    /// The compiler that is installed.
    pub rustc: String,
    /// Version of Muster that the bench was built with.
    pub muster: String,
    /// Processes that wanted to run in the minute before: what else was going on.
    pub load_average: f64,
}

impl Machine {
    /// This one, now.
    pub fn this() -> Self {
        let rustc = Command::new("rustc").arg("--version").output().ok();
        let rustc = rustc.and_then(|output| String::from_utf8(output.stdout).ok());
        let memory = read("/proc/meminfo");
        let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kibibytes = memory.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: kibibytes.unwrap_or(0) * 1_024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            rustc: rustc.unwrap_or_default().trim().to_owned(),
            muster: env!("CARGO_PKG_VERSION").to_owned(),
            load_average: read("/proc/loadavg")
                .split_whitespace()
                .next()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0.0),
        }
    }

    /// In one line.
    pub fn describe(&self) -> String {
        let gibibytes = self.memory_bytes >> 30;
        format!(
            "{} cores, {gibibytes} GiB, Linux {}, {}, Muster {}, load average before {}",
            self.cores, self.kernel, self.rustc, self.muster, self.load_average
        )
    }
}

/// What isn't there is not said.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
