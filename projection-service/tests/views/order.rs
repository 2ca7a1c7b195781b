//! The order of the audit log when clocks go back: that of the records in each stream partition.

use std::collections::BTreeMap;

use domain::timestamp::Timestamp;
use domain::user::Command as C;
use domain::user::onboarding::RejectUser;
use domain::user::tokens::IssueAuthToken;
use log_model::StreamPartition;
use read_model::audit::AuditRow;
use read_model::audit_page::AuditFilter;
use read_model::{ReadModel, Window};

use crate::rig::{Log, project};
use crate::stage::{Stage, Views, on_both};
use crate::story::{Story, admin, id_of, scopes, token_secret};

on_both! {
    f23_the_audit_log_keeps_the_order_of_records_when_the_clock_goes_back
    f23_the_tokens_of_a_user_keep_their_order_when_the_clock_goes_back
    f23_a_filter_by_time_asks_for_the_time_of_the_record
}

/// A log whose clock is two minutes ahead, then right again. It is projected in three parts.
async fn clock_goes_back(stage: &Stage, views: &Views) -> Log {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    story.later(120);
    story.register("kim");
    story.new_group("north");
    log.write(&mut story).await;
    project(log.follow(), views, 1).await;
    story.earlier(120);
    story.register("lea");
    story.user("kim", &C::RejectUser(RejectUser { reason: "No".into() }), None);
    log.write(&mut story).await;
    project(log.follow(), views, 1).await;
    story.register("max");
    story.user("kim", &C::ReconsiderUser, None);
    story.group("north", &domain::group::Command::CloseGroup);
    for service in ["portal", "sftp"] {
        let signed_in = domain::access::SignedIn { service: service.into() };
        story.note(&id_of("kim").to_string(), &admin(), signed_in);
    }
    log.write(&mut story).await;
    project(log.follow(), views, 100).await;
    log
}

/// Every entry that passes, read one by one.
async fn one_by_one(views: &ReadModel, filter: &AuditFilter) -> Vec<AuditRow> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = views.audit_page(filter, &Window::first(1, after)).await.unwrap();
        after = page.edges.last().map(|edge| edge.cursor.clone());
        seen.extend(page.edges.into_iter().map(|edge| edge.row));
        if !page.has_next {
            return seen;
        }
    }
}

async fn f23_the_audit_log_keeps_the_order_of_records_when_the_clock_goes_back(stage: Stage) {
    let views = stage.fresh().await;
    let log = clock_goes_back(&stage, &views).await;
    let filters = [
        AuditFilter::default(),
        AuditFilter { actor: Some(id_of("ada")), ..AuditFilter::default() },
        AuditFilter { actions: vec!["muster.user.registered".to_owned()], ..AuditFilter::default() },
    ];
    let mut all = Vec::new();
    for filter in &filters {
        let seen = one_by_one(&views, filter).await;
        assert!(seen.len() > 1);
        // The newest first: offsets fall in each stream partition.
        let mut last: BTreeMap<StreamPartition, u64> = BTreeMap::new();
        for entry in &seen {
            let before = last.insert(entry.place, entry.offset);
            assert!(before.is_none_or(|before| entry.offset < before), "{:?}", entry.action);
        }
        all.push(seen);
    }
    let went_back = |pair: &[AuditRow]| pair[0].time < pair[1].time;
    assert!(all[0].windows(2).any(went_back), "the time is that of the record");
    let whole = stage.fresh().await;
    project(log.follow(), &whole, 1_000).await;
    for (filter, seen) in filters.iter().zip(all) {
        assert_eq!(one_by_one(&whole, filter).await, seen, "however the log was read");
    }
}

async fn f23_the_tokens_of_a_user_keep_their_order_when_the_clock_goes_back(stage: Stage) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    story.new_group("north");
    story.register("kim");
    story.approve("kim", "north");
    for name in ["first", "second", "third"] {
        let (name, scopes) = (name.to_owned(), scopes());
        let issue = IssueAuthToken { name, scopes, expires_at: None, allowed_networks: Vec::new() };
        story.user("kim", &C::IssueAuthToken(issue), token_secret());
        story.earlier(60);
    }
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 1).await;
    let page = views.tokens_page(id_of("kim"), &Window::first(10, None)).await.unwrap();
    let names: Vec<_> = page.edges.iter().map(|token| token.row.name.as_str()).collect();
    assert_eq!(names, ["third", "second", "first"]);
}

async fn f23_a_filter_by_time_asks_for_the_time_of_the_record(stage: Stage) {
    let views = stage.fresh().await;
    clock_goes_back(&stage, &views).await;
    let all = one_by_one(&views, &AuditFilter::default()).await;
    let between = Some(Timestamp::parse("2026-01-01T12:01:00Z").unwrap());
    let before = one_by_one(&views, &AuditFilter { before: between, ..AuditFilter::default() }).await;
    let after = one_by_one(&views, &AuditFilter { after: between, ..AuditFilter::default() }).await;
    assert!(before.len() > 3 && after.len() > 1);
    let of = |keep: &dyn Fn(Timestamp) -> bool| -> Vec<_> {
        all.iter().filter(|entry| keep(entry.time)).cloned().collect()
    };
    assert_eq!(before, of(&|time| Some(time) < between));
    assert_eq!(after, of(&|time| Some(time) > between));
}
