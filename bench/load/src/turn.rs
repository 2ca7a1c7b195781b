//! Which request of which client is being sent.

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
