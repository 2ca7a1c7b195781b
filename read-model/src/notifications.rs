//! How processes that share a PostgreSQL server tell each other how far the views are.

use std::sync::Arc;
use std::time::Duration;

use log_model::Position;

use crate::checkpoint;
use crate::database::{Database, Server, Work};
use crate::error::Error;
use crate::progress::Progress;

const CHANNEL: &str = "muster_progress";
/// Most bytes of a notification (the server refuses 8,000).
const MOST_BYTES: usize = 7_900;
/// A running projection is heard every second. After this silence the connection may be dead.
const SILENCE: Duration = Duration::from_secs(5);
/// How long to wait before the server is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// Tells every process, when the transaction commits, what the views cover now.
pub(crate) async fn tell(work: &mut Work, covered: &Position) -> Result<(), Error> {
    let text = covered.to_string();
    work.notify(CHANNEL, if text.len() > MOST_BYTES { "" } else { &text }).await
}

/// Tells every process, when the transaction commits, to read the checkpoints again.
pub(crate) async fn tell_to_read(work: &mut Work) -> Result<(), Error> {
    work.notify(CHANNEL, "").await
}

/// Keeps `progress` as the checkpoints are, until it is dropped.
pub(crate) async fn listen(server: Arc<Server>, database: Database, progress: Progress) {
    let mut is_away = false;
    loop {
        match listen_until_lost(&server, &database, &progress, &mut is_away).await {
            Ok(()) => {}
            Err(error) => {
                if !std::mem::replace(&mut is_away, true) {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the views' notifications are away"
                    );
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn listen_until_lost(
    server: &Server,
    database: &Database,
    progress: &Progress,
    is_away: &mut bool,
) -> Result<(), Error> {
    let mut listener = server.listener().await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    // Not before: changes after this read are notified.
    progress.set(checkpoint::read(database).await?);
    if std::mem::replace(is_away, false) {
        tracing::info!("the views' notifications are back");
    }
    while let Ok(heard) = tokio::time::timeout(SILENCE, listener.try_recv()).await {
        let Some(notification) = heard? else { break };
        match notification.payload() {
            "" => progress.set(checkpoint::read(database).await?),
            text => match text.parse::<Position>() {
                Ok(covered) => progress.cover(&covered),
                Err(_) => progress.set(checkpoint::read(database).await?),
            },
        }
    }
    Ok(())
}
