//! The views: what the log says, in the shape in which it is asked for; and up to where the log has been seen.
//!
//! Only the projection writes views, with [`ReadModel::apply`]. Sessions, throttles and the last use of tokens are
//! operational state, which gateways write: the log doesn't hold it and filling the views anew leaves it alone.

pub mod agents;
pub mod apply;
pub mod audit;
pub mod audit_page;
pub mod checkpoint;
pub mod counts;
pub mod credentials;
mod database;
mod error;
pub mod groups;
pub mod mailboxes;
mod only_postgres;
pub mod page;
pub mod progress;
mod row;
mod schema;
pub mod search;
pub mod sessions;
mod statement;
pub mod tokens;
pub mod users;
pub mod users_page;

use std::sync::Arc;

use tokio::task::AbortHandle;

pub use database::ViewsAt;
pub use error::Error;
pub use page::{Count, Edge, Page, Window};
pub use progress::Progress;

use crate::database::Database;

/// The views of one deployment. Clones share their connections.
#[derive(Clone)]
pub struct ReadModel {
    database: Database,
    progress: Progress,
    /// Ends with the last clone.
    _listener: Option<Arc<Listener>>,
}

struct Listener(AbortHandle);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ReadModel {
    /// Opens the views; makes what is missing, also when several processes do so at once.
    pub async fn open(at: &ViewsAt) -> Result<Self, Error> {
        let database = Database::connect(at).await?;
        Database::whole(schema::prepare(database.clone())).await?;
        let progress = Progress::new();
        progress.set(checkpoint::read(&database).await?);
        let listener = match at {
            ViewsAt::Sqlite { .. } => None,
            ViewsAt::Postgres { url, .. } => {
                let listening = only_postgres::listen(url.clone(), database.clone(), progress.clone());
                Some(Arc::new(Listener(tokio::spawn(listening).abort_handle())))
            }
        };
        Ok(Self { database, progress, _listener: listener })
    }

    /// How far the views are, as this process knows it.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Ok if the database answers.
    pub async fn reachable(&self) -> Result<(), Error> {
        self.database.one::<i64>(statement::sql("SELECT CAST(1 AS bigint) AS n")).await.map(drop)
    }

    /// Closes every connection. Whatever is asked afterwards fails.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
