//! Applying a batch: its row changes and its checkpoints, in one transaction or not at all.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::credential::{Credential, CredentialId};
use domain::id::{MailboxId, RuleId, TokenId, UserId, WebhookId};
use domain::user::rules::Rule;
use log_model::{Anchor, Position, StreamPartition};

use crate::agents;
use crate::audit::{self, AuditRow};
use crate::counts::{self, CountKey};
use crate::credentials;
use crate::database::{Database, Lock};
use crate::error::Error;
use crate::groups::{self, GroupRow};
use crate::mailboxes::{self, MailboxRow};
use crate::notifications;
use crate::reader::ReadModel;
use crate::statement::{Sql, Value, WriteStatement, listed, multi_row};
use crate::tokens::{self, TokenRow};
use crate::user_spans::{self, SpanEnd, SpanRow};
use crate::users::{self, Searchable, UserRow};
use crate::webhooks::{self, WebhookRow, WebhookSecretRow};
use crate::writer::ViewWriter;

/// What a batch of records changes. It names a row at most once.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The checkpoints to move.
    pub moves: Vec<Move>,
    /// Users that are new or changed.
    pub users: Vec<Changed<UserRow>>,
    /// New spans of users.
    pub spans: Vec<SpanRow>,
    /// Ends of spans of earlier batches.
    pub spans_ended: Vec<SpanEnd>,
    /// What to add to the numbers of users.
    pub counts: Vec<(CountKey, i64)>,
    /// Users who start anew. Their rules, mailboxes and tokens are deleted before new ones are written.
    pub cleared: Vec<UserId>,
    /// Groups that are new or changed.
    pub groups: Vec<GroupRow>,
    /// Rules that are new or changed, each with its user.
    pub rules: Vec<(UserId, Rule)>,
    /// Rules that are gone.
    pub rules_gone: Vec<RuleId>,
    /// Mailboxes that are new.
    pub mailboxes: Vec<MailboxRow>,
    /// Mailboxes that are gone.
    pub mailboxes_gone: Vec<MailboxId>,
    /// Tokens that are new.
    pub tokens: Vec<TokenRow>,
    /// Tokens of earlier batches to revoke.
    pub tokens_revoked: Vec<TokenId>,
    /// Credentials that are new or changed.
    pub credentials: Vec<(CredentialId, Credential)>,
    /// Credentials that are gone.
    pub credentials_gone: Vec<CredentialId>,
    /// Webhooks that are new or changed.
    pub webhooks: Vec<WebhookRow>,
    /// Secrets of webhooks.
    pub webhook_secrets: Vec<WebhookSecretRow>,
    /// Secrets that are gone: the webhook, and the number of the event that they came with.
    pub webhook_secrets_gone: Vec<(WebhookId, u64)>,
    /// New entries of the audit log.
    pub audit: Vec<AuditRow>,
}

/// A changed row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<T> {
    /// The row before the batch; `None` for a new one.
    pub before: Option<T>,
    /// The row after the batch.
    pub after: T,
}

/// A checkpoint to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The stream partition.
    pub place: StreamPartition,
    /// Where it has to stand.
    pub from: u64,
    /// Where it stands afterwards.
    pub to: u64,
    /// The last record before `to`.
    pub anchor: Option<Anchor>,
}

/// Why nothing of a batch was applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A checkpoint does not stand where the batch begins: another projection applied it.
    #[error("a checkpoint has been moved by another projection")]
    Conflict,
    /// The database refused, or did not answer.
    #[error(transparent)]
    Views(#[from] Error),
}

impl ViewWriter {
    /// Applies a batch: all of it, once, if every checkpoint stands where the batch begins; else nothing.
    pub async fn apply(&self, batch: &Arc<Batch>) -> Result<(), ApplyError> {
        Database::whole(self.views.clone().apply_whole(Arc::clone(batch))).await
    }
}

impl ReadModel {
    async fn apply_whole(self, batch: Arc<Batch>) -> Result<(), ApplyError> {
        let mut covered = Position::new();
        for moved in &batch.moves {
            if let Some(last) = moved.to.checked_sub(1) {
                covered.cover(moved.place, last);
            }
        }
        let mut work = self.database.begin().await?;
        work.lock(Lock::Apply).await?;
        let found = work.change(move_checkpoints(&batch)).await?;
        if usize::try_from(found) != Ok(batch.moves.len()) {
            return Err(ApplyError::Conflict);
        }
        for change in changes(&batch) {
            work.change(change).await?;
        }
        notifications::tell(&mut work, &covered).await?;
        work.commit().await?;
        self.progress.cover(&covered);
        Ok(())
    }
}

fn move_checkpoints(batch: &Batch) -> WriteStatement {
    const HEAD: &str = "UPDATE checkpoints SET next = moved.column3, anchor_offset = moved.column4, \
        anchor_digest = moved.column5, latest_at = COALESCE(moved.column6, checkpoints.latest_at), \
        skew = CASE WHEN moved.column7 > checkpoints.skew THEN moved.column7 ELSE checkpoints.skew END FROM (";
    const TAIL: &str =
        ") AS moved WHERE checkpoints.place = moved.column1 AND checkpoints.next = moved.column2";
    multi_row(HEAD, &batch.moves, TAIL, |moved| {
        let entries = || batch.audit.iter().filter(|entry| entry.place == moved.place);
        let skew = |entry: &AuditRow| entry.ordered_at.micros() - entry.time.micros();
        [
            moved.place.to_string().into(),
            moved.from.into(),
            moved.to.into(),
            moved.anchor.map(|anchor| anchor.offset).into(),
            moved.anchor.map(|anchor| anchor.digest.to_string()).as_deref().into(),
            entries().map(|entry| entry.ordered_at).max().into(),
            entries().map(skew).max().unwrap_or_default().into(),
        ]
    })
}

fn changes(batch: &Batch) -> Vec<WriteStatement> {
    let mut all = Vec::new();
    let gone = |statements: Vec<Sql>| statements.into_iter().map(WriteStatement::One).collect::<Vec<_>>();
    for table in ["agent_rules", "mailboxes", "auth_tokens"] {
        all.extend(gone(listed(&format!("DELETE FROM {table} WHERE user_id IN"), &batch.cleared, "")));
    }
    let terms: Vec<_> = batch.users.iter().map(|user| users::terms(&user.after)).collect();
    let users = batch.users.iter().zip(&terms);
    let users: Vec<_> = users.map(|(user, terms)| Searchable { user: &user.after, terms }).collect();
    all.push(users::table().upsert(&users));
    all.extend(change_terms(&batch.users, &terms));
    all.push(user_spans::begin(&batch.spans));
    all.push(user_spans::end(&batch.spans_ended));
    all.push(counts::add(&batch.counts));
    all.push(groups::TABLE.upsert(&batch.groups));
    all.extend(gone(listed("DELETE FROM agent_rules WHERE id IN", &batch.rules_gone, "")));
    all.push(agents::TABLE.upsert(&batch.rules));
    all.extend(gone(listed("DELETE FROM mailboxes WHERE id IN", &batch.mailboxes_gone, "")));
    all.push(mailboxes::TABLE.upsert(&batch.mailboxes));
    all.push(tokens::TABLE.upsert(&batch.tokens));
    all.extend(gone(tokens::revoke(&batch.tokens_revoked)));
    all.extend(gone(credentials::remove(&batch.credentials_gone)));
    all.push(credentials::TABLE.upsert(&batch.credentials));
    all.push(webhooks::TABLE.upsert(&batch.webhooks));
    all.extend(gone(webhooks::remove_secrets(&batch.webhook_secrets_gone)));
    all.push(webhooks::SECRETS.upsert(&batch.webhook_secrets));
    all.push(audit::TABLE.upsert(&batch.audit));
    all
}

/// Search terms of users whose texts changed: old ones go, new ones come.
fn change_terms(users: &[Changed<UserRow>], terms: &[BTreeSet<String>]) -> [WriteStatement; 2] {
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for (Changed { before, after }, terms) in users.iter().zip(terms) {
        if before.as_ref().is_some_and(|before| users::searched(before) == users::searched(after)) {
            continue;
        }
        let before = before.as_ref().map(users::terms).unwrap_or_default();
        gone.extend(before.difference(terms).map(|term| (term.clone(), after.id)));
        new.extend(terms.difference(&before).map(|term| (term.clone(), after.id)));
    }
    let row = |(term, user): &(String, UserId)| -> [Value; 2] { [term.into(), (*user).into()] };
    [
        multi_row("DELETE FROM user_terms WHERE (term, user_id) IN (", &gone, ")", row),
        multi_row(
            "INSERT INTO user_terms (term, user_id)",
            &new,
            "ON CONFLICT (term, user_id) DO NOTHING",
            row,
        ),
    ]
}
