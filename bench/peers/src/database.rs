//! An empty database for each peer.

use std::str::FromStr;

use anyhow::{Context, Result};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Executor};

/// The server that all peers use, one after another.
pub(crate) struct Server {
    /// With a database to connect to.
    pub(crate) url: String,
    /// Connections of each peer.
    pub(crate) connections: u32,
}

impl Server {
    /// Makes a database anew and connects to it, with settings for each connection.
    pub(crate) async fn fresh(&self, name: &str, settings: &[(&str, &str)]) -> Result<PgPool> {
        let options =
            PgConnectOptions::from_str(&self.url).context("DATABASE_URL is no address of PostgreSQL")?;
        let mut connection = options.connect().await.context("PostgreSQL does not answer")?;
        connection.execute(format!("drop database if exists {name} with (force)").as_str()).await?;
        connection.execute(format!("create database {name}").as_str()).await?;
        let options = options.database(name).options(settings.iter().copied());
        Ok(PgPoolOptions::new().max_connections(self.connections).connect_with(options).await?)
    }
}
