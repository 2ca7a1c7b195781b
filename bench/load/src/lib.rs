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

pub use line::{Line, Who};
pub use measured::Measured;
pub use options::{Options, Show};
pub use report::Report;

/// Which request this is.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// The client that sends it.
    pub client: u64,
    /// How many this client has sent before.
    pub count: u64,
    /// A number that no other request of the same run has.
    pub number: u64,
}
