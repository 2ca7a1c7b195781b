//! The load generator: clients that wait for answers, arrivals that don't, and the figures of both in one form.

pub mod by_turns;
pub mod closed_loop;
pub mod line;
pub mod machine;
pub mod measured;
pub mod open_loop;
pub mod options;
pub mod report;
pub mod table;
mod turn;

pub use line::{Line, Who};
pub use measured::Measured;
pub use options::{Options, Show};
pub use report::Report;
pub use turn::Turn;
