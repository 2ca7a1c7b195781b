//! What this process costs, as Linux counts it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Bytes of memory that the process holds.
pub(crate) fn resident() -> Result<u64> {
    const PAGE: u64 = 4_096;
    let pages = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = pages.split(' ').nth(1).context("statm has a second number")?.parse()?;
    Ok(pages * PAGE)
}

/// The most bytes of memory that the process has held so far.
pub(crate) fn most_resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("status has VmHWM")?;
    Ok(most.trim().trim_end_matches(" kB").parse::<u64>()? * 1_024)
}

/// A beginning, from which time is taken.
pub(crate) struct Begun {
    at: Instant,
    busy: Duration,
}

/// Time that has passed.
pub(crate) struct Spent {
    time: Duration,
    busy: Duration,
}

impl Begun {
    pub(crate) fn now() -> Result<Self> {
        Ok(Self { at: Instant::now(), busy: busy()? })
    }

    pub(crate) fn spent(&self) -> Result<Spent> {
        Ok(Spent { time: self.at.elapsed(), busy: busy()?.saturating_sub(self.busy) })
    }
}

impl Spent {
    /// The rate at which this many records were processed: by the clock, and per second of one busy core.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(crate) fn of(&self, records: u64) -> String {
        let (time, busy, records) = (self.time.as_secs_f64(), self.busy.as_secs_f64(), records as f64);
        format!("{time:.2} s: {:.0}/s, {:.0}/s a core ({busy:.2} s of it)", records / time, records / busy)
    }
}

/// Processor time of all threads so far.
fn busy() -> Result<Duration> {
    const TICKS_A_SECOND: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the command may contain anything but ends at the last bracket; user and system time come 12th and 13th.
    let fields = stat.rsplit(')').next().context("stat has a command")?.split_ascii_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_A_SECOND))
}
