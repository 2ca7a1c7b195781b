//! What the views show of a log: the same suite against SQLite and PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod crowd;
mod folds;
mod foreign;
mod grid;
mod halts;
mod metrics_told;
mod operational;
mod order;
mod pages;
mod past;
mod past_oracle;
mod picture;
mod replays;
mod rig;
mod searches;
mod stage;
mod story;
mod webhook_replays;
mod webhooks;
