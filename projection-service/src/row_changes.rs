//! The row changes of a batch. Each fold starts from the row as the records before it left it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use crate::log_entry::LogEntry;
use domain::credential::{Credential, CredentialId, Kind};
use domain::id::{GroupId, MailboxId, RuleId, TokenId, UserId, WebhookId};
use domain::timestamp::Timestamp;
use domain::user::rules::Rule;
use domain::{group, user, webhook};
use event_log::envelope::Envelope;
use log_model::StreamPartition;
use read_model::apply::{Batch, Changed, Move};
use read_model::audit::AuditRow;
use read_model::groups::GroupRow;
use read_model::mailboxes::MailboxRow;
use read_model::tokens::TokenRow;
use read_model::user_spans::SpanRow;
use read_model::users::UserRow;
use read_model::webhooks::{WebhookRow, WebhookSecretRow};
use read_model::{Error, ReadModel};

use crate::views::{
    At, RowChange, agents, audit, counts, credentials, groups, mailboxes, spans, tokens, users, webhooks,
};

/// The rows that a batch changes.
#[derive(Default)]
pub(crate) struct RowChanges {
    users: HashMap<UserId, CachedRow<UserRow>>,
    spans: Vec<SpanRow>,
    groups: HashMap<GroupId, CachedRow<GroupRow>>,
    cleared: HashSet<UserId>,
    rules: HashMap<RuleId, (UserId, Option<Rule>)>,
    mailboxes: HashMap<MailboxId, (UserId, Option<MailboxRow>)>,
    tokens: HashMap<TokenId, TokenRow>,
    revoked: BTreeSet<TokenId>,
    credentials: HashMap<CredentialId, Option<Credential>>,
    webhooks: HashMap<WebhookId, CachedRow<WebhookRow>>,
    webhook_secrets: HashMap<(WebhookId, u64), Option<String>>,
    audit: Vec<AuditRow>,
    latest: LatestTimes,
}

/// The greatest time of an audit entry in each stream partition.
pub(crate) type LatestTimes = BTreeMap<StreamPartition, Timestamp>;

/// A row as the database has it and as the batch leaves it.
struct CachedRow<R> {
    before: Option<R>,
    now: Option<R>,
}

/// A row with the number of its last event.
trait Versioned {
    fn version(&self) -> u64;
}

impl RowChanges {
    /// Loads the rows that these entries are about.
    pub(crate) async fn load(
        read_model: &ReadModel,
        latest: LatestTimes,
        entries: &[&LogEntry],
    ) -> Result<Self, Error> {
        let (mut users, mut groups, mut webhooks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for entry in entries {
            match entry {
                LogEntry::User(id, ..) => drop(users.insert(*id)),
                LogEntry::Group(id, ..) => drop(groups.insert(*id)),
                LogEntry::Webhook(id, ..) => drop(webhooks.insert(*id)),
                _ => {}
            }
        }
        let users: Vec<_> = users.into_iter().collect();
        let groups: Vec<_> = groups.into_iter().collect();
        let webhooks: Vec<_> = webhooks.into_iter().collect();
        let mut changes = Self {
            users: users.iter().map(|id| (*id, CachedRow::default())).collect(),
            groups: groups.iter().map(|id| (*id, CachedRow::default())).collect(),
            latest,
            ..Self::default()
        };
        for row in read_model.users_by_ids(&users).await? {
            changes.users.insert(row.id, CachedRow::of(row));
        }
        for row in read_model.groups_ever(&groups).await? {
            changes.groups.insert(row.id, CachedRow::of(row));
        }
        for row in read_model.webhooks_ever(&webhooks).await? {
            changes.webhooks.insert(row.id, CachedRow::of(row));
        }
        Ok(changes)
    }

    /// Folds the next entry, or leaves everything as it is and says what is wrong with it.
    pub(crate) fn fold(&mut self, entry: LogEntry, at: (StreamPartition, u64)) -> Result<(), String> {
        match entry {
            LogEntry::User(id, event, envelope) => return self.user(id, &event, &envelope, at),
            LogEntry::Group(id, event, envelope) => return self.group(id, &event, &envelope, at),
            LogEntry::Webhook(id, event, envelope) => return self.webhook(id, &event, &envelope, at),
            LogEntry::Deployment(event, envelope) => {
                self.enter(audit::of_deployment(&event, &envelope, at));
            }
            LogEntry::Access(event, envelope) => self.enter(audit::of_access(&event, &envelope, at)),
            LogEntry::Credential(CredentialId::WebhookSecret(webhook, number), credential) => {
                let sealed = match credential.map(|credential| credential.kind) {
                    None => None,
                    Some(Kind::WebhookSecret { sealed }) => Some(sealed),
                    Some(_) => return Err("the secret of a webhook is of another kind".to_owned()),
                };
                self.webhook_secrets.insert((webhook, number), sealed);
            }
            LogEntry::Credential(id, credential) => match credentials::fold(id, credential) {
                RowChange::Put(id, credential) => drop(self.credentials.insert(id, Some(credential))),
                RowChange::Gone(id) => drop(self.credentials.insert(id, None)),
            },
            LogEntry::Claim => {}
        }
        Ok(())
    }

    fn user(
        &mut self,
        id: UserId,
        event: &user::Event,
        envelope: &Envelope,
        at: (StreamPartition, u64),
    ) -> Result<(), String> {
        let cached = self.users.entry(id).or_default();
        if is_known(cached.now.as_ref(), envelope)? {
            return Ok(());
        }
        let here = At {
            user: id,
            partition: at.0.partition,
            offset: at.1,
            sequence: envelope.sequence,
            time: envelope.time,
        };
        let row = users::fold(cached.now.clone(), event, here).ok_or("the user was never registered")?;
        let entry = audit::of_user(event, cached.now.as_ref(), &row, envelope, at);
        self.spans.push(spans::begin(event, &row, envelope.time));
        let before = cached.now.replace(row);
        if users::clears(event) && before.is_some() {
            self.cleared.insert(id);
            self.rules.retain(|_, (user, _)| *user != id);
            self.mailboxes.retain(|_, (user, _)| *user != id);
            self.tokens.retain(|_, token| token.user_id != id);
        }
        let username = self.users[&id].now.as_ref().map_or("", |row| &row.username);
        match agents::fold(event) {
            Some(RowChange::Put(rule, row)) => drop(self.rules.insert(rule, (id, Some(row)))),
            Some(RowChange::Gone(rule)) => drop(self.rules.insert(rule, (id, None))),
            None => {}
        }
        match mailboxes::fold(event, username, here) {
            Some(RowChange::Put(mailbox, row)) => drop(self.mailboxes.insert(mailbox, (id, Some(row)))),
            Some(RowChange::Gone(mailbox)) => drop(self.mailboxes.insert(mailbox, (id, None))),
            None => {}
        }
        match tokens::fold(event, here) {
            Some(RowChange::Put(token, row)) => drop(self.tokens.insert(token, row)),
            Some(RowChange::Gone(token)) => match self.tokens.get_mut(&token) {
                Some(row) => row.revoked = true,
                None => drop(self.revoked.insert(token)),
            },
            None => {}
        }
        self.enter(entry);
        Ok(())
    }

    /// Adds an entry to the audit log. None is ordered before an earlier one of its stream partition.
    fn enter(&mut self, entry: AuditRow) {
        let latest = self.latest.entry(entry.place).or_insert(entry.time);
        *latest = (*latest).max(entry.time);
        let ordered_at = *latest;
        self.audit.push(AuditRow { ordered_at, ..entry });
    }

    /// The greatest times so far.
    pub(crate) fn latest(&self) -> &LatestTimes {
        &self.latest
    }

    fn group(
        &mut self,
        id: GroupId,
        event: &group::Event,
        envelope: &Envelope,
        at: (StreamPartition, u64),
    ) -> Result<(), String> {
        let cached = self.groups.entry(id).or_default();
        if is_known(cached.now.as_ref(), envelope)? {
            return Ok(());
        }
        let row = groups::fold(cached.now.clone(), event, id, envelope.sequence, envelope.time)
            .ok_or("the group was never created")?;
        let entry = audit::of_group(event, &row, envelope, at);
        cached.now = Some(row);
        self.enter(entry);
        Ok(())
    }

    fn webhook(
        &mut self,
        id: WebhookId,
        event: &webhook::Event,
        envelope: &Envelope,
        at: (StreamPartition, u64),
    ) -> Result<(), String> {
        let cached = self.webhooks.entry(id).or_default();
        if is_known(cached.now.as_ref(), envelope)? {
            return Ok(());
        }
        let row = webhooks::fold(cached.now.clone(), event, id, envelope.sequence, envelope.time)
            .ok_or("the webhook was never created")?;
        let entry = audit::of_webhook(event, &row, envelope, at);
        cached.now = Some(row);
        self.enter(entry);
        Ok(())
    }

    /// The batch to apply with these checkpoints.
    pub(crate) fn finish(self, moves: Vec<Move>) -> Batch {
        let mut numbers = BTreeMap::new();
        let users: Vec<_> = changed(self.users).collect();
        for user in &users {
            counts::fold(&mut numbers, user.before.as_ref(), &user.after);
        }
        let (rules, rules_gone) = split(self.rules, |_, (user, rule)| Some((user, rule?)));
        let (mailboxes, mailboxes_gone) = split(self.mailboxes, |_, (_, row)| row);
        let (credentials, credentials_gone) =
            split(self.credentials, |id, credential| Some((id, credential?)));
        let (webhook_secrets, webhook_secrets_gone) =
            split(self.webhook_secrets, |(webhook, number), sealed| {
                Some(WebhookSecretRow { webhook, number, sealed: sealed? })
            });
        let (spans, spans_ended) = spans::joined(self.spans);
        Batch {
            moves,
            users,
            spans,
            spans_ended,
            counts: numbers.into_iter().filter(|(_, n)| *n != 0).collect(),
            cleared: self.cleared.into_iter().collect(),
            groups: changed(self.groups).map(|group| group.after).collect(),
            rules,
            rules_gone,
            mailboxes,
            mailboxes_gone,
            tokens: self.tokens.into_values().collect(),
            tokens_revoked: self.revoked.into_iter().collect(),
            credentials,
            credentials_gone,
            webhooks: changed(self.webhooks).map(|webhook| webhook.after).collect(),
            webhook_secrets,
            webhook_secrets_gone,
            audit: self.audit,
        }
    }
}

/// Whether the row has seen this event or a later one. A gap before the event is an error.
fn is_known<R: Versioned>(row: Option<&R>, envelope: &Envelope) -> Result<bool, String> {
    let version = row.map_or(0, Versioned::version);
    if envelope.sequence > version + 1 {
        let subject = &envelope.subject;
        return Err(format!("event {} of {subject} follows event {version}", envelope.sequence));
    }
    Ok(envelope.sequence <= version)
}

fn changed<K, R: PartialEq>(rows: HashMap<K, CachedRow<R>>) -> impl Iterator<Item = Changed<R>> {
    let rows = rows.into_values().filter(|cached| cached.before != cached.now);
    rows.filter_map(|cached| Some(Changed { before: cached.before, after: cached.now? }))
}

/// The rows to write, and the keys of rows to delete.
fn split<K: Copy + Eq + Hash, V, R>(
    changes: HashMap<K, V>,
    put: impl Fn(K, V) -> Option<R>,
) -> (Vec<R>, Vec<K>) {
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    for (key, change) in changes {
        match put(key, change) {
            Some(row) => rows.push(row),
            None => gone.push(key),
        }
    }
    (rows, gone)
}

impl<R: Clone> CachedRow<R> {
    fn of(row: R) -> Self {
        Self { before: Some(row.clone()), now: Some(row) }
    }
}

impl<R> Default for CachedRow<R> {
    fn default() -> Self {
        Self { before: None, now: None }
    }
}

impl Versioned for UserRow {
    fn version(&self) -> u64 {
        self.version
    }
}

impl Versioned for WebhookRow {
    fn version(&self) -> u64 {
        self.version
    }
}

impl Versioned for GroupRow {
    fn version(&self) -> u64 {
        self.version
    }
}
