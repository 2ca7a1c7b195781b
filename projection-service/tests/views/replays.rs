//! Read twice, cut anywhere, read from the start, read by two at once: the rows are the same.

use std::sync::Arc;

use domain::decision_context::Prepared;
use domain::group::{Command as G, CreateGroup, EditGroup};
use domain::id::{DeliveryId, MailboxId, RuleId, TokenId, WebhookId};
use domain::patch::Patch;
use domain::testing::creation;
use domain::user::Command as C;
use domain::user::agent::EditUfaConfig;
use domain::user::lifecycle::SuspendUser;
use domain::user::mailboxes::{CreateMailbox, DeleteMailbox};
use domain::user::onboarding::{CreateUser, MakeFirstAdministrator, RejectUser};
use domain::user::password::ResetPassword;
use domain::user::profile::{ChangeGroup, UpdateProfile};
use domain::user::roles::{GrantRole, RevokeRole};
use domain::user::rules::{
    AckMode, AddAgentRule, EditAgentRule, NewKind, NewUpload, RemoveAgentRule, RuleChanges, UploadChanges,
};
use domain::user::tokens::{IssueAuthToken, RevokeAuthToken};
use domain::webhook::{Command as W, CreateWebhook, EditWebhook, ReplayWebhook, RetryDelivery, RotateSecret};
use event_log::Record;
use event_log::testing::Wrapped;
use log_model::{Position, Stream, StreamPartition};
use read_model::ViewsAt;

use crate::picture;
use crate::rig::{InPieces, Log, Running, deadline, project};
use crate::stage::{Stage, on_both};
use crate::story::{Story, chosen, group_of, id_of, scopes, temporary, token_secret};

on_both! {
    a_log_that_comes_in_single_records_gives_the_same_rows
    a_log_that_is_cut_anywhere_gives_the_same_rows
    records_that_come_again_change_nothing
    two_projections_at_once_apply_everything_once
    a_projection_goes_on_where_it_was_stopped
    what_is_given_up_halfway_leaves_no_trace
}

/// A history with every kind of event.
pub(crate) fn eventful() -> Story {
    let mut story = Story::new();
    story.initialised("ada");
    let stray = Record::keyed(String::new(), Some(b"hello".to_vec()));
    story.skipped(StreamPartition::new(Stream::Access, 0), 1_000, &stray);
    let first = MakeFirstAdministrator { username: "ada".into(), email: None };
    story.user("ada", &C::MakeFirstAdministrator(first), temporary());
    story.new_group("acme");
    story.new_group("globex");
    let edit = EditGroup { description: Patch::Set("Made here".into()), ..EditGroup::default() };
    story.group("acme", &G::EditGroup(edit));
    story.register("bob");
    story.user("bob", &C::RejectUser(RejectUser { reason: "Who?".into() }), None);
    story.user("bob", &C::ReconsiderUser, None);
    story.approve("bob", "acme");
    let changed = story.version("bob");
    story.user("bob", &C::ChangePassword, chosen(changed));
    story.user("bob", &C::ChangeGroup(ChangeGroup { group_id: group_of("globex") }), None);
    let profile = UpdateProfile {
        first_name: Patch::Set("New".into()),
        email: Patch::Set("bob@new.example".into()),
        ..UpdateProfile::default()
    };
    story.user("bob", &C::UpdateProfile(profile), None);
    let config = EditUfaConfig { max_jobs: Patch::Set(7), ..EditUfaConfig::default() };
    story.user("bob", &C::EditUfaConfig(config), None);
    agent(&mut story, "bob");
    let role = domain::actor::Role::Administrator;
    story.user("bob", &C::GrantRole(GrantRole { role }), None);
    story.user("bob", &C::RevokeRole(RevokeRole { role }), None);
    token(&mut story, "bob", "laptop");
    token(&mut story, "bob", "server");
    let laptop = TokenId::issued_at(id_of("bob"), story.version("bob") - 1);
    story.user("bob", &C::RevokeAuthToken(RevokeAuthToken { token_id: laptop }), None);
    story.user("bob", &C::SuspendUser(SuspendUser { reason: "Holiday".into() }), None);
    story.user("bob", &C::ReactivateUser, None);
    story.user("bob", &C::ResetPassword(ResetPassword { revoke_tokens: true }), temporary());
    again(&mut story);
    story.register("dora");
    story.approve("dora", "acme");
    agent(&mut story, "dora");
    token(&mut story, "dora", "phone");
    story.user("dora", &C::DeleteUser, None);
    story.group("globex", &G::CloseGroup);
    story.group("acme", &G::CloseGroup);
    story.group("acme", &G::ReopenGroup);
    gone(&mut story);
    webhooks(&mut story);
    let signed_in = domain::access::SignedIn { service: "portal".into() };
    story.note(&id_of("bob").to_string(), &crate::story::admin(), signed_in);
    story
}

/// A webhook to which everything has happened, and one that is deleted.
fn webhooks(story: &mut Story) {
    let secret = || Prepared::WebhookSecret { sealed: "s1.sealed".into(), after: Some(Position::new()) };
    for name in ["Orders", "Gone"] {
        let url = "https://example.com/".to_owned();
        let create = CreateWebhook { name: name.into(), url, ..CreateWebhook::default() };
        story.webhook(name, &W::CreateWebhook(create), secret());
    }
    let edit = EditWebhook { content_type: Patch::Set("application/json".into()), ..EditWebhook::default() };
    story.webhook("Orders", &W::EditWebhook(edit), None);
    story.webhook("Orders", &W::RotateWebhookSecret(RotateSecret::default()), secret());
    story.webhook("Orders", &W::PauseWebhook, None);
    story.webhook("Orders", &W::ResumeWebhook, None);
    let from = domain::timestamp::Timestamp::parse("2026-01-01T12:00:00Z").ok();
    story.webhook("Orders", &W::ReplayWebhook(ReplayWebhook { after: None, from }), None);
    let delivery_id = DeliveryId::of(WebhookId::named("Orders"), uuid::Uuid::nil());
    story.webhook("Orders", &W::RetryDelivery(RetryDelivery { delivery_id }), None);
    story.webhook("Gone", &W::DeleteWebhook, None);
}

/// A group that is deleted and created again, and one that stays deleted.
fn gone(story: &mut Story) {
    for name in ["initech", "hooli"] {
        let new = CreateGroup { name: name.into(), phone: Some("12".into()), ..CreateGroup::default() };
        story.group(name, &G::CreateGroup(new));
        story.group(name, &G::CloseGroup);
        story.delete_group(name);
    }
    story.new_group("initech");
}

/// A user who is rejected, registers again and is then created by an administrator.
fn again(story: &mut Story) {
    story.register("carl");
    let mailbox = CreateMailbox { name: "inbox".into(), description: None };
    story.user("carl", &C::CreateMailbox(mailbox.clone()), None);
    agent(story, "carl");
    story.user("carl", &C::RejectUser(RejectUser { reason: "Not now".into() }), None);
    story.register("carl");
    story.user("carl", &C::CreateMailbox(mailbox), None);
    let create = CreateUser { last_name: Some("New".into()), ..creation("carl", group_of("acme")) };
    story.user("carl", &C::CreateUser(create), temporary());
}

fn agent(story: &mut Story, name: &str) {
    let upload = NewUpload {
        match_pattern: "./uploads/*".into(),
        regex: false,
        upload_format: String::new(),
        metadata: Vec::new(),
        ack_mode: AckMode::None,
    };
    let rule = |name: &str| AddAgentRule {
        name: name.into(),
        active: true,
        poll_interval: 300,
        subscribers: 5,
        kind: NewKind::Upload(upload.clone()),
    };
    story.user(name, &C::AddAgentRule(rule("nightly")), None);
    story.user(name, &C::AddAgentRule(rule("hourly")), None);
    let edit = EditAgentRule {
        rule_id: RuleId::of(id_of(name), "nightly"),
        active: Patch::Keep,
        poll_interval: Patch::Set(60),
        subscribers: Patch::Keep,
        changes: RuleChanges::Upload(UploadChanges::default()),
    };
    story.user(name, &C::EditAgentRule(edit), None);
    let remove = RemoveAgentRule { rule_id: RuleId::of(id_of(name), "hourly") };
    story.user(name, &C::RemoveAgentRule(remove), None);
    let mailbox = CreateMailbox { name: "orders".into(), description: Some("What comes".into()) };
    story.user(name, &C::CreateMailbox(mailbox.clone()), None);
    let delete = DeleteMailbox { mailbox_id: MailboxId::of(id_of(name), "orders") };
    story.user(name, &C::DeleteMailbox(delete), None);
    story.user(name, &C::CreateMailbox(mailbox), None);
}

fn token(story: &mut Story, name: &str, token: &str) {
    let issue = IssueAuthToken {
        name: token.into(),
        scopes: scopes(),
        expires_at: None,
        allowed_networks: vec!["10.0.0.0/8".into()],
    };
    story.user(name, &C::IssueAuthToken(issue), token_secret());
}

/// The eventful story in a log, and what the views show when it is applied in one piece.
async fn told(stage: &Stage) -> (Log, usize, String) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = eventful();
    let events = story.events.len();
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 10_000).await;
    let picture = picture::of(&views).await;
    views.close().await;
    (log, events, picture)
}

async fn a_log_that_comes_in_single_records_gives_the_same_rows(stage: Stage) {
    let (log, _, expected) = told(&stage).await;
    let views = stage.fresh().await;
    project(Arc::new(Wrapped(InPieces { log: log.follow(), first: 1, then: 1 })), &views, 1).await;
    assert_eq!(picture::of(&views).await, expected);
}

async fn a_log_that_is_cut_anywhere_gives_the_same_rows(stage: Stage) {
    let (log, events, expected) = told(&stage).await;
    // PostgreSQL takes long to make empty views, so only every fourth cut is tried.
    let step = if matches!(stage.at(), ViewsAt::Postgres { .. }) { 4 } else { 1 };
    for first in (1..events).step_by(step) {
        let views = stage.fresh().await;
        project(Arc::new(Wrapped(InPieces { log: log.follow(), first, then: 10_000 })), &views, 1).await;
        assert_eq!(picture::of(&views).await, expected, "cut after {first} records");
        views.close().await;
    }
}

async fn records_that_come_again_change_nothing(stage: Stage) {
    let (log, _, expected) = told(&stage).await;
    // The checkpoints are set back and the views are not emptied.
    stage.tamper("UPDATE checkpoints SET next = 0").await;
    let views = stage.views().await;
    project(log.follow(), &views, 10).await;
    assert_eq!(picture::of(&views).await, expected);
}

async fn two_projections_at_once_apply_everything_once(stage: Stage) {
    let (log, _, expected) = told(&stage).await;
    let views = [stage.fresh().await, stage.views().await];
    let end = log.end().await;
    let log = Arc::new(Wrapped(InPieces { log: log.follow(), first: 1, then: 1 }));
    let running = [0, 1].map(|it: usize| Running::start(log.clone(), &views[it], 1));
    for views in &views {
        // On SQLite each hears only of its own moves. It learns of the others when its own move conflicts.
        views.progress().wait(&end, deadline()).await.unwrap();
    }
    assert_eq!(picture::of(&views[0]).await, expected);
    for running in running {
        running.stop().await;
    }
}

async fn a_projection_goes_on_where_it_was_stopped(stage: Stage) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = eventful();
    let events = std::mem::take(&mut story.events);
    let views = stage.fresh().await;
    for part in events.chunks(7) {
        story.events = part.to_vec();
        let position = log.write(&mut story).await;
        let running = Running::start(log.follow(), &views, 3);
        views.progress().wait(&position, deadline()).await.unwrap();
        running.stop().await;
    }
    let in_parts = picture::of(&views).await;
    views.close().await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 10_000).await;
    assert_eq!(picture::of(&views).await, in_parts);
}

async fn what_is_given_up_halfway_leaves_no_trace(stage: Stage) {
    let (log, _, expected) = told(&stage).await;
    let views = stage.fresh().await;
    let log = Arc::new(Wrapped(InPieces { log: log.follow(), first: 1, then: 1 }));
    // Stopped at different points of its work, on connections that others use meanwhile.
    for turns in 0..60 {
        let running = Running::start(log.clone(), &views, 1);
        for _ in 0..turns {
            tokio::task::yield_now().await;
            views.reachable().await.unwrap();
        }
        running.stop().await;
    }
    project(log, &views, 1).await;
    assert_eq!(picture::of(&views).await, expected);
    views.close().await;
    let reopened = stage.views().await;
    assert_eq!(picture::of(&reopened).await, expected, "everything that was shown was committed");
}
