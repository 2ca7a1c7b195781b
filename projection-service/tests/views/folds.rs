//! Every kind of event folds to the right rows.

use domain::access::{CommandDenied, CommandRefused, SignInFailed, SignInFailureReason};
use domain::actor::{Actor, Role, Roles};
use domain::credential::Kind;
use domain::group::Command as G;
use domain::id::{MailboxId, RuleId, TokenId};
use domain::patch::Patch;
use domain::user::Command as C;
use domain::user::UserStatus;
use domain::user::onboarding::RejectUser;
use domain::user::profile::{ChangeGroup, UpdateProfile};
use read_model::audit::{AuditRow, Outcome, Target};
use read_model::audit_page::AuditFilter;
use read_model::users::UserRow;
use read_model::users_page::UserFilter;
use read_model::{ReadModel, Window};

use crate::replays::eventful;
use crate::rig::{Log, project};
use crate::stage::{Stage, Views, on_both};
use crate::story::{Story, admin, group_of, id_of};

on_both! {
    every_kind_of_event_is_in_the_eventful_story
    a_user_shows_what_happened_last
    a_name_that_is_registered_again_starts_anew
    a_deleted_user_leaves_nothing_but_the_name
    rules_mailboxes_and_tokens_follow_their_events
    credentials_are_a_keyed_copy_of_their_topic
    groups_know_their_members
    a_deleted_group_is_not_shown_and_its_name_starts_anew
    numbers_of_users_follow_their_states
    changes_stand_in_the_audit_log_field_by_field
    what_gateways_note_stands_in_the_audit_log
}

async fn told(stage: &Stage, mut story: Story) -> Views {
    let mut log = Log::open(stage.directory.path()).await;
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 1_000).await;
    views
}

async fn user(views: &ReadModel, name: &str) -> UserRow {
    views.user(id_of(name)).await.unwrap().unwrap()
}

async fn entries(views: &ReadModel, filter: &AuditFilter) -> Vec<AuditRow> {
    let page = views.audit_page(filter, &Window::first(1_000, None)).await.unwrap();
    page.edges.into_iter().map(|entry| entry.row).collect()
}

async fn of_action(views: &ReadModel, action: &str) -> Vec<AuditRow> {
    entries(views, &AuditFilter { actions: vec![action.to_owned()], ..AuditFilter::default() }).await
}

/// `field: old → new`, a line each.
fn changes(entry: &AuditRow) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "∅".to_owned());
    let line =
        |it: &read_model::audit::FieldChange| format!("{}: {} → {}", it.field, text(&it.old), text(&it.new));
    entry.changes.iter().map(line).collect()
}

async fn every_kind_of_event_is_in_the_eventful_story(stage: Stage) {
    let views = told(&stage, eventful()).await;
    let kinds = [domain::user::Event::WIRE_NAMES, domain::group::Event::WIRE_NAMES];
    for name in kinds.concat().iter().chain(domain::deployment::Event::WIRE_NAMES) {
        assert!(!of_action(&views, name).await.is_empty(), "{name}");
    }
}

async fn a_user_shows_what_happened_last(stage: Stage) {
    let story = eventful();
    let version = story.version("bob");
    let views = told(&stage, story).await;
    let bob = user(&views, "bob").await;
    assert_eq!((bob.username.as_str(), bob.state, bob.state_reason), ("bob", UserStatus::Active, None));
    assert_eq!((bob.first_name.as_deref(), bob.last_name.as_deref()), (Some("New"), Some("Last bob")));
    assert_eq!(bob.email.as_deref(), Some("bob@new.example"));
    assert_eq!(bob.phone.as_deref(), Some("+49 30 1"));
    assert_eq!(bob.group.unwrap().name, "globex");
    assert_eq!((bob.roles, bob.must_change_password), (Roles::BASE, true));
    assert_eq!((bob.version, bob.partition, bob.config.max_jobs), (version, 0, 7));
    assert!(bob.ufa_version < bob.version && bob.ufa_updated_at < bob.updated_at);
    let ada = user(&views, "ada").await;
    assert_eq!(
        (ada.state, ada.group, ada.roles),
        (UserStatus::Active, None, Roles::BASE.with(Role::Administrator))
    );
    assert_eq!(views.user_by_name("BOB").await.unwrap().unwrap().id, id_of("bob"));
    assert!(views.user_by_name("nobody-here").await.unwrap().is_none());
    let both = views.users_by_ids(&[id_of("bob"), id_of("ada"), id_of("zoe")]).await.unwrap();
    assert_eq!(both.len(), 2);
}

async fn a_name_that_is_registered_again_starts_anew(stage: Stage) {
    let views = told(&stage, eventful()).await;
    let carl = user(&views, "carl").await;
    assert_eq!(
        (carl.state, carl.last_name.as_deref(), carl.first_name),
        (UserStatus::Active, Some("New"), None)
    );
    assert_eq!((carl.email, carl.phone), (None, None));
    assert_eq!(views.rules_of(carl.id).await.unwrap(), []);
    let mailboxes = views.mailboxes_page(carl.id, &Window::first(10, None)).await.unwrap();
    let names: Vec<_> = mailboxes.edges.iter().map(|mailbox| mailbox.row.name.as_str()).collect();
    assert_eq!(names, ["default"]);
    assert_eq!(carl.registered_at, mailboxes.edges[0].row.created_at);
    assert!(carl.version > 10, "the stream goes on: {}", carl.version);
}

async fn a_deleted_user_leaves_nothing_but_the_name(stage: Stage) {
    let views = told(&stage, eventful()).await;
    let dora = user(&views, "dora").await;
    assert_eq!((dora.state, dora.email, dora.group), (UserStatus::Deleted, None, None));
    assert_eq!(views.rules_of(dora.id).await.unwrap(), []);
    assert!(views.mailboxes_page(dora.id, &Window::first(10, None)).await.unwrap().edges.is_empty());
    assert!(views.tokens_page(dora.id, &Window::first(10, None)).await.unwrap().edges.is_empty());
    assert_eq!(views.password(dora.id).await.unwrap(), None);
    let shown = UserFilter { search: Some("dora".into()), ..UserFilter::default() };
    assert_eq!(views.users_count(&shown).await.unwrap().n, 0);
    let asked = UserFilter { states: vec![UserStatus::Deleted], ..shown };
    assert_eq!(views.users_count(&asked).await.unwrap().n, 1);
}

async fn rules_mailboxes_and_tokens_follow_their_events(stage: Stage) {
    let views = told(&stage, eventful()).await;
    let bob = id_of("bob");
    let rules = views.rules_of(bob).await.unwrap();
    assert_eq!(rules.len(), 1);
    let nightly = views.rule(RuleId::of(bob, "nightly")).await.unwrap().unwrap();
    assert_eq!((nightly.rule.poll_interval, nightly.username.as_str()), (60, "bob"));
    assert!(views.rule(RuleId::of(bob, "hourly")).await.unwrap().is_none());
    let orders = views.mailbox(MailboxId::of(bob, "orders")).await.unwrap().unwrap();
    assert_eq!(orders.topic(), "amps.mailbox.bob.orders");
    let page = views.mailboxes_page(bob, &Window::first(1, None)).await.unwrap();
    assert!(page.has_next && page.edges[0].row.name == "default");
    let tokens = views.tokens_page(bob, &Window::first(10, None)).await.unwrap();
    let shown: Vec<_> =
        tokens.edges.iter().map(|token| (token.row.name.as_str(), token.row.revoked)).collect();
    assert_eq!(shown, [("server", true), ("laptop", true)], "the newest first");
    assert_eq!(tokens.edges[0].row.allowed_networks, ["10.0.0.0/8"]);
    assert_eq!(tokens.edges[0].row.scopes.len(), 4);
}

async fn credentials_are_a_keyed_copy_of_their_topic(stage: Stage) {
    let mut story = Story::new();
    story.new_group("acme");
    story.register("bob");
    story.approve("bob", "acme");
    let checked = story.version("bob");
    story.user("bob", &C::ChangePassword, crate::story::chosen(checked));
    let issue = domain::user::tokens::IssueAuthToken {
        name: "laptop".into(),
        scopes: crate::story::scopes(),
        expires_at: None,
        allowed_networks: Vec::new(),
    };
    story.user("bob", &C::IssueAuthToken(issue), crate::story::token_secret());
    let token = TokenId::issued_at(id_of("bob"), story.version("bob"));
    let views = told(&stage, story).await;

    let password = views.password(id_of("bob")).await.unwrap().unwrap();
    assert!(matches!(password.kind, Kind::Permanent { .. }) && password.version == checked + 1);
    let (holder, credential) = views.holder_by_token(token).await.unwrap().unwrap();
    assert_eq!((holder.username.as_str(), holder.state), ("bob", UserStatus::Active));
    assert_eq!(holder.group.unwrap().id, group_of("acme"));
    assert!(matches!(credential.kind, Kind::Token { .. }));
    let by_name = views.holder_by_name("Bob").await.unwrap().unwrap();
    assert_eq!(by_name.1, Some(password));
    // The row of a password has the id of its user: it must not pass for a token.
    assert!(views.holder_by_token(TokenId::from_uuid(id_of("bob").uuid())).await.unwrap().is_none());
}

async fn groups_know_their_members(stage: Stage) {
    let views = told(&stage, eventful()).await;
    let acme = views.group(group_of("acme")).await.unwrap().unwrap();
    assert_eq!((acme.member_count, acme.closed, acme.version), (1, false, 4));
    assert_eq!(acme.description.as_deref(), Some("Made here"));
    let globex = views.group_by_name("Globex").await.unwrap().unwrap();
    assert_eq!((globex.member_count, globex.closed), (1, true));
    assert_eq!(views.groups_count(None).await.unwrap(), 3);
    assert_eq!(views.groups_count(Some("GLO")).await.unwrap(), 1);
    assert_eq!(views.groups_count(Some("lo")).await.unwrap(), 0);
    let page = views.groups_page(None, &Window::last(1, None)).await.unwrap();
    assert!(page.has_previous && page.edges[0].row.name == "initech");
    assert_eq!(views.groups_by_ids(&[group_of("acme")]).await.unwrap(), [acme]);
}

async fn a_deleted_group_is_not_shown_and_its_name_starts_anew(stage: Stage) {
    let mut story = Story::new();
    for name in ["acme", "initech"] {
        story.new_group(name);
    }
    for name in ["bob", "carl", "dora"] {
        story.register(name);
        story.approve(name, "initech");
    }
    story.user("bob", &C::ChangeGroup(ChangeGroup { group_id: group_of("acme") }), None);
    story.user("carl", &C::DeleteUser, None);
    let mut log = Log::open(stage.directory.path()).await;
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 1_000).await;
    let initech = group_of("initech");
    assert_eq!(views.members_count(initech).await.unwrap(), 1, "dora");

    story.user("dora", &C::ChangeGroup(ChangeGroup { group_id: group_of("acme") }), None);
    story.group("initech", &G::CloseGroup);
    story.delete_group("initech");
    log.write(&mut story).await;
    project(log.follow(), &views, 1_000).await;
    assert_eq!(views.members_count(initech).await.unwrap(), 0);
    assert_eq!(views.group(initech).await.unwrap(), None);
    assert_eq!(views.group_by_name("initech").await.unwrap(), None);
    assert_eq!(views.groups_by_ids(&[initech]).await.unwrap(), []);
    assert_eq!(views.groups_count(None).await.unwrap(), 1);
    assert_eq!(views.groups_count(Some("ini")).await.unwrap(), 0);
    let names = async || {
        let page = views.groups_page(None, &Window::first(10, None)).await.unwrap();
        page.edges.into_iter().map(|group| group.row.name).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["acme"]);
    let deleted = &of_action(&views, "muster.group.deleted").await[0];
    assert_eq!(changes(deleted), ["deleted: false → true"]);
    assert_eq!(deleted.target_name.as_deref(), Some("initech"));

    story.new_group("initech");
    story.register("erin");
    story.approve("erin", "initech");
    log.write(&mut story).await;
    project(log.follow(), &views, 1_000).await;
    let anew = views.group(initech).await.unwrap().unwrap();
    assert_eq!((anew.version, anew.closed, anew.member_count), (4, false, 1));
    assert_eq!(names().await, ["acme", "initech"]);
}

async fn numbers_of_users_follow_their_states(stage: Stage) {
    let views = told(&stage, eventful()).await;
    let n = async |filter: UserFilter| {
        let count = views.users_count(&filter).await.unwrap();
        assert!(!count.capped);
        count.n
    };
    assert_eq!(n(UserFilter::default()).await, 3, "ada, bob and carl; dora is deleted");
    assert_eq!(n(UserFilter::of_states(&[UserStatus::Active])).await, 3);
    assert_eq!(n(UserFilter::of_states(&UserStatus::ALL)).await, 4);
    assert_eq!(n(UserFilter::of_states(&[UserStatus::Pending, UserStatus::Rejected])).await, 0);
    let acme = UserFilter { groups: vec![group_of("acme")], ..UserFilter::default() };
    assert_eq!(n(acme).await, 1);
}

async fn changes_stand_in_the_audit_log_field_by_field(stage: Stage) {
    let views = told(&stage, eventful()).await;
    let one = async |action: &str| changes(of_action(&views, action).await.last().unwrap());
    assert_eq!(one("muster.user.rejected").await, ["state: pending → rejected", "stateReason: ∅ → Who?"]);
    assert_eq!(one("muster.user.reconsidered").await, ["state: rejected → pending", "stateReason: Who? → ∅"]);
    assert_eq!(one("muster.user.ufa_config_edited").await, ["maxJobs: 100 → 7"]);
    assert_eq!(one("muster.user.agent_rule_edited").await, ["agentRules.nightly.pollInterval: 300 → 60"]);
    assert_eq!(one("muster.user.agent_rule_removed").await, ["agentRules.hourly: hourly → ∅"]);
    assert_eq!(one("muster.user.group_changed").await, ["group: acme → globex"]);
    assert_eq!(one("muster.user.email_changed").await, ["email: bob@mail.example → bob@new.example"]);
    assert_eq!(one("muster.user.profile_updated").await, ["firstName: First bob → New"]);
    assert_eq!(one("muster.user.role_granted").await, ["roles: user → user, administrator"][..]);
    assert_eq!(
        one("muster.user.password_changed").await,
        ["password: ∅ → ∅", "mustChangePassword: true → false"]
    );
    assert_eq!(one("muster.user.deleted").await, ["state: active → deleted", "group: acme → ∅"]);
    assert_eq!(one("muster.group.closed").await, ["closed: false → true"]);
    let issued = one("muster.user.auth_token_issued").await;
    assert!(issued.contains(&"authTokens.laptop.secret: ∅ → ∅".to_owned()), "{issued:?}");
    assert_eq!(one("muster.deployment.initialised").await, ["administrator: ∅ → ada"]);
    let skipped = one("muster.deployment.record_skipped").await;
    assert_eq!(
        (skipped[0].as_str(), skipped[2].as_str()),
        ("record: ∅ → access-0 offset 1000", "reason: ∅ → a stray")
    );

    let bob = AuditFilter::of_target(Target::parse(&id_of("bob").to_string()).unwrap());
    let history = entries(&views, &bob).await;
    assert!(history.is_sorted_by_key(|entry| std::cmp::Reverse(entry.time)));
    let last = history.last().unwrap();
    assert_eq!((last.action.as_str(), last.target_name.as_deref()), ("muster.user.registered", Some("bob")));
    assert_eq!((last.actor_id, last.actor_name.as_str()), (Some(id_of("ada")), "ada"));
    assert_eq!(last.actor_role, Some(Role::Administrator));
    assert_eq!(last.client.address.as_deref(), Some("192.0.2.7"));
    assert!(last.correlation_id.is_some() && last.command_id.is_some());
    assert_eq!(views.audit_entry(last.id).await.unwrap().as_ref(), Some(last));
}

async fn what_gateways_note_stands_in_the_audit_log(stage: Stage) {
    let mut story = Story::new();
    story.register("bob");
    let bob = id_of("bob").to_string();
    let failed = |reason, count| SignInFailed { service: "portal".into(), reason, count };
    story.note(&bob, &Actor::Anonymous, failed(SignInFailureReason::WrongSecret, 3));
    story.note(&bob, &Actor::Anonymous, failed(SignInFailureReason::NotActive, 1));
    story.note(&"ab".repeat(32), &Actor::Anonymous, failed(SignInFailureReason::Unknown, 1));
    let denied = CommandDenied { command: "SuspendUser".into(), target: Some(bob.clone()), count: 1 };
    story.note(&id_of("eve").to_string(), &admin(), denied);
    let refused = CommandRefused {
        command: "RegisterUser".into(),
        target: Some(bob.clone()),
        target_name: Some("bob".into()),
        codes: vec!["name_taken".into()],
        count: 1,
    };
    story.note(&bob, &Actor::Anonymous, refused);
    let views = told(&stage, story).await;

    let outcomes = async |outcomes: &[Outcome]| {
        let filter = AuditFilter { outcomes: outcomes.to_vec(), ..AuditFilter::default() };
        entries(&views, &filter).await.into_iter().map(|entry| entry.action).collect::<Vec<_>>()
    };
    let failed = "muster.access.sign_in_failed";
    assert_eq!(outcomes(&[Outcome::Denied]).await, ["SuspendUser", failed]);
    assert_eq!(outcomes(&[Outcome::Failed]).await, ["RegisterUser", failed, failed]);
    assert_eq!(outcomes(&[Outcome::Failed, Outcome::Denied, Outcome::Failed]).await.len(), 5);
    assert_eq!(outcomes(&[Outcome::Allowed]).await, ["muster.user.registered"]);
    let denied = &of_action(&views, "SuspendUser").await[0];
    assert_eq!(denied.target.as_ref().unwrap().to_string(), bob);
    assert_eq!(denied.target_name.as_deref(), Some("bob"), "the name of the target is known");
    let wrong = &of_action(&views, failed).await;
    assert_eq!(changes(&wrong[2]), ["service: ∅ → portal", "reason: ∅ → wrong_secret", "count: ∅ → 3"]);
    assert_eq!((wrong[0].target.as_ref(), wrong[0].command_id.as_deref().is_some()), (None, true));
    let by_ada = AuditFilter { actor: Some(id_of("ada")), ..AuditFilter::default() };
    assert_eq!(entries(&views, &by_ada).await.len(), 2);
}

/// Folding looks at nothing but its arguments, so what is shown of a rejected user is what the events said.
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_is_cleared_is_empty() {
    crate::stage::on_sqlite(|stage| async move {
        let mut story = Story::new();
        story.register("bob");
        let clear =
            UpdateProfile { phone: Patch::Clear, last_name: Patch::Clear, ..UpdateProfile::default() };
        story.user("bob", &C::UpdateProfile(clear), None);
        story.user("bob", &C::RejectUser(RejectUser { reason: "No".into() }), None);
        let views = told(&stage, story).await;
        let bob = user(&views, "bob").await;
        assert_eq!((bob.phone, bob.last_name, bob.state_reason.as_deref()), (None, None, Some("No")));
    })
    .await;
}
