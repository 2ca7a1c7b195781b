//! Measures Muster beside the limit of the same machine in the same run: closed loops, percentiles, ratios.

pub mod closed_loop;
pub mod commands;
pub mod limits;
pub mod table;
