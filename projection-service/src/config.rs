//! Settings of the projection.

/// Settings of the projection.
#[derive(Debug, Clone, clap::Args)]
pub struct ProjectionConfig {
    /// Most records that one transaction of the projection applies.
    #[arg(
        long,
        env = "MUSTER_PROJECTION_BATCH",
        default_value_t = ProjectionConfig::default().projection_batch,
        value_parser = clap::value_parser!(u32).range(1..=10_000),
        value_name = "RECORDS"
    )]
    pub projection_batch: u32,
}

impl Default for ProjectionConfig {
    fn default() -> Self {
        Self { projection_batch: 4_000 }
    }
}
