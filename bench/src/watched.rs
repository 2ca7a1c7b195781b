//! A process that is watched from outside: its memory and its open descriptors over time, and whether they stay.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};

/// What a process held at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Seconds since it was first looked at.
    pub seconds: f64,
    /// Resident memory, in bytes.
    pub resident: f64,
    /// Open file descriptors.
    pub descriptors: usize,
}

/// A process and what was seen of it.
pub struct Watched {
    process: u32,
    page: f64,
    begun: Instant,
    samples: Vec<Sample>,
}

impl Watched {
    /// Begins to watch.
    pub fn new(process: u32) -> Self {
        // The size of a page is not in /proc in numbers; it is 4 KiB wherever this runs.
        Self { process, page: 4_096.0, begun: Instant::now(), samples: Vec::new() }
    }

    /// Looks.
    pub fn look(&mut self) -> Result<Sample> {
        let gone = || format!("process {} is gone", self.process);
        let pages = fs::read_to_string(format!("/proc/{}/statm", self.process)).with_context(gone)?;
        let pages: f64 = pages.split_whitespace().nth(1).context("statm has another form")?.parse()?;
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.process)).with_context(gone)?.count();
        let seconds = self.begun.elapsed().as_secs_f64();
        let sample = Sample { seconds, resident: pages * self.page, descriptors };
        self.samples.push(sample);
        Ok(sample)
    }

    /// What was seen from then on.
    pub fn since(&self, seconds: f64) -> &[Sample] {
        let first = self.samples.partition_point(|sample| sample.seconds < seconds);
        &self.samples[first..]
    }
}

/// How memory and descriptors moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Bytes by which memory grows in a second, by least squares.
    pub slope: f64,
    /// Mean memory in bytes.
    pub mean: f64,
    /// By how many descriptors the second half had more than the first, at their highest: a leak never gives back.
    pub leaked: usize,
}

impl Trend {
    /// The trend of at least three samples. Fewer say nothing, so the result is `None`.
    pub fn of(samples: &[Sample]) -> Option<Self> {
        if samples.len() < 3 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "there are few samples")]
        let count = samples.len() as f64;
        let mean_of = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
        let (time, mean) = (mean_of(|sample| sample.seconds), mean_of(|sample| sample.resident));
        let (mut together, mut alone) = (0.0, 0.0);
        for sample in samples {
            together += (sample.seconds - time) * (sample.resident - mean);
            alone += (sample.seconds - time).powi(2);
        }
        let (first, second) = samples.split_at(samples.len() / 2);
        let most = |of: &[Sample]| of.iter().map(|sample| sample.descriptors).max().unwrap_or(0);
        let leaked = most(second).saturating_sub(most(first));
        Some(Self { slope: together / alone, mean, leaked })
    }

    /// The growth of memory in this many seconds, as a share of its mean.
    pub fn growth(&self, seconds: f64) -> f64 {
        self.slope * seconds / self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(resident: impl Fn(f64) -> f64) -> Vec<Sample> {
        (0..20)
            .map(f64::from)
            .map(|second| Sample { seconds: second, resident: resident(second), descriptors: 9 })
            .collect()
    }

    #[test]
    fn a_leak_is_told_from_a_level() {
        let leaking = Trend::of(&samples(|second| 1e8 + 1e6 * second)).unwrap();
        assert!((leaking.slope - 1e6).abs() < 1.0);
        let level = Trend::of(&samples(|second| 1e8 + 1e5 * (second % 2.0))).unwrap();
        assert!(level.growth(20.0).abs() < 0.001, "{level:?}");
        assert_eq!(Trend::of(&samples(|_| 0.0)[..2]), None);
    }

    #[test]
    fn descriptors_that_are_given_back_are_no_leak() {
        let leaked = |open: fn(usize) -> usize| {
            let mut samples = samples(|_| 1e8);
            samples.iter_mut().enumerate().for_each(|(number, sample)| sample.descriptors = open(number));
            Trend::of(&samples).unwrap().leaked
        };
        assert_eq!(leaked(|number| 80 + 2 * number), 20);
        assert_eq!(leaked(|number| if number < 9 { 110 } else { 84 }), 0);
        assert_eq!(leaked(|number| 80 + 30 * (number % 2)), 0);
    }

    #[test]
    fn a_process_can_be_watched() {
        let mut watched = Watched::new(std::process::id());
        let sample = watched.look().unwrap();
        assert!(sample.resident > 1e5 && sample.descriptors > 2, "{sample:?}");
        assert_eq!(watched.since(0.0).len(), 1);
        assert!(watched.since(1e9).is_empty());
    }
}
