//! Time travel: users as they were, against a fold of the same events by the rules of commands.

use std::sync::Arc;
use std::time::Duration;

use domain::timestamp::Timestamp;
use domain::user::UserStatus;
use event_log::testing::Wrapped;
use fastrand::Rng;
use read_model::user_spans::{PastMoment, PastUserFilter};
use read_model::{ReadModel, Window};

use crate::past_oracle::{GROUPS, Oracle, tell};
use crate::rig::{InPieces, Log, project};
use crate::stage::{Stage, Views, on_both};
use crate::story::{Story, group_of};

on_both! {
    users_are_shown_as_they_were_at_any_instant
    users_are_shown_as_they_were_after_any_event
    the_users_of_any_instant_are_listed
    f23_spans_follow_the_events_when_the_clock_goes_back
    at_the_end_everybody_is_as_now
    spans_of_a_user_join_without_a_gap
}

/// A random history, projected in batches of different sizes, and once more from the start in between.
async fn told(stage: &Stage) -> (Oracle, Views, Rng) {
    let mut log = Log::open(stage.directory.path()).await;
    let (mut story, mut oracle, mut rng) = (Story::new(), Oracle::default(), Rng::with_seed(7));
    for group in GROUPS {
        story.new_group(group);
    }
    let views = stage.fresh().await;
    for (part, attempts) in [400, 300, 300, 200].into_iter().enumerate() {
        tell(&mut story, &mut rng, attempts);
        oracle.listen(&story);
        log.write(&mut story).await;
        let pieces = InPieces { log: log.follow(), first: 1 + part * 3, then: 5 + part * 20 };
        project(Arc::new(Wrapped(pieces)), &views, 1).await;
        if part == 1 {
            stage.tamper("UPDATE checkpoints SET next = 0").await;
            project(log.follow(), &stage.views().await, 10).await;
        }
    }
    (oracle, views, rng)
}

/// An instant of the history, or just outside of it.
fn instant(oracle: &Oracle, rng: &mut Rng) -> Timestamp {
    let (first, last) = oracle.times();
    // Whole seconds are the times of events.
    Timestamp::from_micros(rng.i64(first.micros() / 1_000_000 - 9..last.micros() / 1_000_000 + 9) * 1_000_000)
}

async fn users_are_shown_as_they_were_at_any_instant(stage: Stage) {
    let (oracle, views, mut rng) = told(&stage).await;
    let users = oracle.users();
    let mut shown = 0;
    for _ in 0..1_000 {
        let (id, at) = (users[rng.usize(0..users.len())], instant(&oracle, &mut rng));
        let past = views.user_as_of(id, PastMoment::At(at)).await.unwrap();
        match (oracle.at(id, at), past) {
            (None, None) => {}
            (Some(known), Some((past, since))) => {
                known.compare(&past);
                assert_eq!(since, known.since);
                shown += 1;
            }
            (known, past) => panic!("{id} at {at}: {} {past:?}", known.is_some()),
        }
    }
    assert!((500..1_000).contains(&shown), "some existed then, and some did not: {shown}");
}

async fn users_are_shown_as_they_were_after_any_event(stage: Stage) {
    let (oracle, views, _) = told(&stage).await;
    for id in oracle.users() {
        let now = views.user(id).await.unwrap().unwrap();
        for sequence in 1..=now.version {
            let (past, since) = views.user_as_of(id, PastMoment::After(sequence)).await.unwrap().unwrap();
            let known = oracle.after(id, usize::try_from(sequence).unwrap()).unwrap();
            known.compare(&past);
            assert_eq!(since, known.since);
        }
        for sequence in [0, now.version + 1, u64::MAX] {
            assert_eq!(views.user_as_of(id, PastMoment::After(sequence)).await.unwrap(), None);
        }
    }
}

async fn the_users_of_any_instant_are_listed(stage: Stage) {
    let (oracle, views, mut rng) = told(&stage).await;
    let mut found = 0;
    for _ in 0..100 {
        let at = instant(&oracle, &mut rng);
        let states: Vec<_> = UserStatus::ALL.into_iter().filter(|_| rng.bool()).collect();
        let group = rng.bool().then(|| group_of(GROUPS[rng.usize(0..GROUPS.len())]));
        let groups = group.into_iter().cycle().take(rng.usize(1..3)).collect();
        let filter = PastUserFilter { states: states.clone(), groups };
        let listed = match states[..] {
            [] => &UserStatus::ALL[..4],
            ref states => states,
        };
        let expected = oracle.list(at, listed, group);
        let (mut after, mut ids) = (None, Vec::new());
        loop {
            let page = views.users_as_of_page(at, &filter, rng.u32(1..9), after).await.unwrap();
            for user in &page.edges {
                oracle.at(user.row.id, at).unwrap().compare(&user.row);
                ids.push(user.row.id);
            }
            after = page.end;
            if !page.has_next {
                break;
            }
        }
        assert_eq!(ids, expected, "{filter:?} at {at}");
        let count = views.users_as_of_count(at, &filter).await.unwrap();
        assert_eq!((count.n, count.capped), (expected.len() as u64, false));
        found += ids.len();
    }
    assert!(found > 300, "{found}");
}

async fn f23_spans_follow_the_events_when_the_clock_goes_back(stage: Stage) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    story.new_group("acme");
    story.later(3_600);
    story.register("kim");
    story.earlier(3_600);
    story.register("lea");
    story.approve("kim", "acme");
    let mut oracle = Oracle::default();
    oracle.listen(&story);
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 1).await;
    let (first, last) = oracle.times();
    let kim = crate::story::id_of("kim");
    // Approved an hour before the registration, says the clock. Both count from the registration on.
    let earlier = views.user_as_of(kim, PastMoment::At(last - Duration::from_micros(1))).await.unwrap();
    assert_eq!(earlier, None);
    let (then, since) = views.user_as_of(kim, PastMoment::At(last)).await.unwrap().unwrap();
    assert_eq!((then.status, then.sequence, since), (UserStatus::Active, 3, last));
    let (pending, since) = views.user_as_of(kim, PastMoment::After(1)).await.unwrap().unwrap();
    assert_eq!((pending.status, since), (UserStatus::Pending, last));
    // The clock of another user's event is not the user's.
    let lea = views.user_as_of(crate::story::id_of("lea"), PastMoment::At(first)).await.unwrap();
    assert_eq!(lea.unwrap().1, first);
}

async fn at_the_end_everybody_is_as_now(stage: Stage) {
    let (oracle, views, _) = told(&stage).await;
    let all = Window::first(1_000, None);
    for id in oracle.users() {
        let (past, since) = views.user_as_of(id, PastMoment::At(Timestamp::MAX)).await.unwrap().unwrap();
        let now = views.user(id).await.unwrap().unwrap();
        assert_eq!((since, past.sequence), (now.updated_at, now.version));
        assert_eq!((past.status, past.status_reason), (now.state, now.state_reason));
        assert_eq!((past.group, past.roles, past.config), (now.group, now.roles, now.config));
        assert_eq!((past.ufa_version, past.ufa_updated_at), (now.ufa_version, now.ufa_updated_at));
        let personal = past.personal;
        assert_eq!((personal.first_name, personal.last_name), (now.first_name, now.last_name));
        assert_eq!((personal.email, personal.phone), (now.email, now.phone));
        let rules = views.rules_of(id).await.unwrap().into_iter().map(|row| row.rule);
        assert_eq!(past.rules, rules.collect::<Vec<_>>());
        let mailboxes = views.mailboxes_page(id, &all).await.unwrap().edges.into_iter().map(|edge| edge.row);
        let mailboxes: Vec<_> = mailboxes.map(|it| (it.id, it.name, it.description, it.created_at)).collect();
        let then = past.mailboxes.into_iter().map(|it| (it.id, it.name, it.description, it.created_at));
        assert_eq!(then.collect::<Vec<_>>(), mailboxes);
        let tokens = views.tokens_page(id, &all).await.unwrap().edges.into_iter().map(|edge| edge.row);
        let tokens: Vec<_> =
            tokens.map(|it| (it.id, it.name, it.version, it.created_at, it.revoked)).collect();
        let then = past.tokens.into_iter();
        let then = then.map(|it| (it.issued.token_id, it.issued.name, it.version, it.created_at, it.revoked));
        assert_eq!(then.collect::<Vec<_>>(), tokens);
    }
    assert_counts_as_now(&views).await;
}

/// The numbers of users at the end are those of now.
async fn assert_counts_as_now(views: &ReadModel) {
    for state in UserStatus::ALL {
        for group in GROUPS.iter().map(|name| group_of(name)) {
            let now = read_model::users_page::UserFilter {
                groups: vec![group],
                ..read_model::users_page::UserFilter::of_states(&[state])
            };
            let then = PastUserFilter { states: vec![state], groups: vec![group] };
            let then = views.users_as_of_count(Timestamp::MAX, &then).await.unwrap();
            assert_eq!(then, views.users_count(&now).await.unwrap());
        }
    }
}

async fn spans_of_a_user_join_without_a_gap(stage: Stage) {
    let (oracle, views, _) = told(&stage).await;
    views.close().await;
    let gaps = "SELECT count(*) FROM user_spans AS span LEFT JOIN user_spans AS next \
        ON next.user_id = span.user_id AND next.sequence = span.sequence + 1 \
        WHERE COALESCE(next.since, -1) <> COALESCE(span.until, -1) OR span.since > COALESCE(span.until, span.since)";
    assert_eq!(stage.number(gaps).await, 0);
    let spans = oracle.events();
    assert_eq!(stage.number("SELECT count(*) FROM user_spans").await, i64::try_from(spans).unwrap());
}
