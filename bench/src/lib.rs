//! Measures Muster beside the limit of the same machine in the same run: what is asked, of whom, and the limits.

pub mod churn;
pub mod commands;
pub mod limits;
pub mod muster;
pub mod people;
pub mod population;
pub mod watched;

/// What the binary allocates with, for limits and Muster alike.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
