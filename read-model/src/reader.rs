//! The read model: every question to the views, for any number of readers.

use std::sync::Arc;

use tokio::task::AbortHandle;

use crate::checkpoint::{self, Checkpoint};
use crate::database::Database;
use crate::error::Error;
use crate::notifications;
use crate::progress::Progress;
use crate::schema::{self, OlderViews};
use crate::statement::sql;
use crate::users_index::held::{FeedTask, UsersIndex};
use crate::views_at::ViewsAt;

/// The views of one deployment, to read. Clones share their connections.
///
/// It also writes operational state (sessions, failed sign-ins, the last use of tokens), which is not in the log. The
/// views themselves are written by a [`ViewWriter`](crate::ViewWriter) alone.
#[derive(Clone)]
pub struct ReadModel {
    pub(crate) database: Database,
    pub(crate) progress: Progress,
    pub(crate) users_index: UsersIndex,
    /// Ends with the last clone.
    _listener: Option<Arc<Listener>>,
    /// Ends with the last clone, too.
    pub(crate) feed: Option<Arc<FeedTask>>,
}

struct Listener(AbortHandle);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ReadModel {
    /// Opens the views. Makes what is missing, also when several processes do so at once. Views of an older format are an
    /// error: only a [`ViewWriter`](crate::ViewWriter) replaces them.
    ///
    /// ```
    /// use read_model::users_page::{UserFilter, UserOrder};
    /// use read_model::{ReadModel, ViewsAt, Window};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let directory = tempfile::tempdir()?;
    /// let views = ReadModel::open(&ViewsAt::Sqlite { directory: directory.path().to_owned() }).await?;
    ///
    /// let search = UserFilter { search: Some("ali".to_owned()), ..UserFilter::default() };
    /// let page = views.users_page(&search, UserOrder::USERNAME, &Window::first(20, None)).await?;
    /// assert!(page.edges.is_empty() && !page.has_next);
    /// assert_eq!(views.users_count(&search).await?.n, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open(at: &ViewsAt) -> Result<Self, Error> {
        Self::open_with(at, OlderViews::Refuse).await
    }

    pub(crate) async fn open_with(at: &ViewsAt, older: OlderViews) -> Result<Self, Error> {
        let database = Database::connect(at).await?;
        Database::whole(schema::prepare(database.clone(), older)).await?;
        let progress = Progress::new();
        progress.set(checkpoint::read(&database).await?);
        let listener = match &database {
            Database::Sqlite { .. } => None,
            Database::Postgres(server) => {
                let listening = notifications::listen(server.clone(), database.clone(), progress.clone());
                Some(Arc::new(Listener(tokio::spawn(listening).abort_handle())))
            }
        };
        Ok(Self { database, progress, users_index: UsersIndex::off(), _listener: listener, feed: None })
    }

    /// How far the views are, as this process knows it.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Every checkpoint, as the database has it now.
    pub async fn checkpoints(&self) -> Result<Vec<Checkpoint>, Error> {
        let checkpoints = checkpoint::read(&self.database).await?;
        self.progress.set(checkpoints.clone());
        Ok(checkpoints)
    }

    /// Ok if the database answers.
    pub async fn reachable(&self) -> Result<(), Error> {
        self.database.one::<i64>(sql("SELECT CAST(1 AS bigint) AS n")).await.map(drop)
    }

    /// Closes every connection. Every later question fails.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
