//! Deletes deliveries that are not needed any more: some thousand at a time, so that each statement ends soon and others get
//! to write in between.

use domain::id::WebhookId;
use domain::timestamp::Timestamp;

use crate::database::{Database, Work};
use crate::error::Error;
use crate::reader::ReadModel;
use crate::statement::{Sql, sql};

/// Most deliveries that one statement deletes.
const AT_A_TIME: u64 = 5_000;

impl ReadModel {
    /// Deletes a part of what arrived before an instant. Returns whether nothing of it is left.
    pub async fn forget_deliveries(&self, before: Timestamp) -> Result<bool, Error> {
        let statement = part("state = 2 AND attempted_at < $1").bind(before);
        Ok(self.database.execute(statement).await? < AT_A_TIME)
    }

    /// Deletes a part of what is known of a webhook that was deleted with this version. Returns whether nothing is left to
    /// do: not either if it was created again meanwhile, or a process holds it.
    pub async fn forget_webhook(&self, id: WebhookId, version: u64) -> Result<bool, Error> {
        self.forget_part(id, None, version).await
    }

    /// Deletes a part of what is known of a webhook, except its cursor while a process holds it. Nothing happens unless
    /// exactly this process (or none) holds it, and it is of a version before this one.
    pub(crate) async fn forget_part(
        &self,
        id: WebhookId,
        holder: Option<&str>,
        before: u64,
    ) -> Result<bool, Error> {
        let (database, holder) = (self.database.clone(), holder.map(str::to_owned));
        let forgetting = async move {
            let mut work = database.begin_in_background().await?;
            // Nobody takes it, or begins it anew, until this transaction ends.
            let locked = "UPDATE operational.webhook_cursors SET holder = holder \
                WHERE webhook_id = $1 AND created_version < $2 AND holder IS NOT DISTINCT FROM $3";
            if work.execute(sql(locked).bind(id).bind(before).bind(&holder)).await? == 0 {
                return Ok(true);
            }
            let is_last = work.execute(part("webhook_id = $1").bind(id)).await? < AT_A_TIME;
            if is_last && holder.is_none() {
                for table in ["webhook_checkpoints", "webhook_cursors"] {
                    let text = format!("DELETE FROM operational.{table} WHERE webhook_id = $1");
                    work.execute(sql(text).bind(id)).await?;
                }
            }
            work.commit().await?;
            Ok(is_last)
        };
        Database::whole(forgetting).await
    }
}

/// Deletes the outstanding deliveries of a place from an offset and an instant on.
pub(crate) async fn drop_outstanding(
    work: &mut Work,
    id: WebhookId,
    place: &str,
    (from, since): (u64, Timestamp),
) -> Result<(), Error> {
    let condition = "webhook_id = $1 AND place = $2 AND log_offset >= $3 AND state < 2 AND event_time >= $4";
    let statement = part(condition).bind(id).bind(place).bind(from).bind(since);
    while work.execute(statement.clone()).await? == AT_A_TIME {}
    Ok(())
}

/// A statement that deletes a part of the deliveries that fulfil a condition.
fn part(condition: &str) -> Sql {
    sql(format!(
        "DELETE FROM operational.webhook_deliveries WHERE id IN \
         (SELECT id FROM operational.webhook_deliveries WHERE {condition} LIMIT {AT_A_TIME})"
    ))
}
