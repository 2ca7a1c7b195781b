//! Pages in every order, forwards and backwards, add up to the sorted list.

use std::cmp::{Ordering, Reverse};

use domain::actor::Role;
use domain::id::{GroupId, UserId};
use domain::testing::creation;
use domain::timestamp::Timestamp;
use domain::user::Command as C;
use domain::user::UserStatus;
use domain::user::onboarding::{CreateUser, RejectUser};
use domain::user::roles::GrantRole;
use read_model::audit::{AuditRow, Target};
use read_model::audit_page::AuditFilter;
use read_model::users::UserRow;
use read_model::users_page::{UserFilter, UserOrder, UserSortField, UserSortKey};
use read_model::{Error, Page, ReadModel, Window};

use crate::rig::{Log, project};
use crate::stage::{Stage, Views, on_both};
use crate::story::{Story, group_of, id_of, temporary};

on_both! {
    pages_of_users_are_the_sorted_list_in_every_order
    pages_under_a_filter_are_the_sorted_list_too
    pages_by_two_keys_are_the_sorted_list
    f19_the_nil_id_is_that_of_no_group
    a_cursor_of_another_list_is_refused
    pages_of_the_audit_log_are_the_sorted_list
    f23_the_history_keeps_the_order_of_events_when_the_clock_goes_back
}

/// Rows of a page: few enough that each list has several.
const PAGE: u32 = 11;

/// Users with and without names, with equal names, capitals and umlauts, in several states, groups and times.
async fn crowd(stage: &Stage) -> Views {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    for group in ["acme", "globex", "initech"] {
        story.new_group(group);
    }
    let firsts = [None, Some("Anna"), Some("anna"), Some("Ärmel"), Some("zoe"), Some("Zoë"), Some("B b")];
    let lasts = [Some("Smith"), None, Some("smith-Jones"), Some("O'Neill"), Some("SMITH")];
    let phones = [None, Some("+49 (30) 12-34"), Some("+49 301234"), Some("030 1234"), Some("()")];
    for number in 0..60_usize {
        let name = format!("user-{:02}", number * 7 % 60);
        if number % 4 == 0 {
            story.register(&name);
            if number % 3 == 0 {
                story.user(&name, &C::RejectUser(RejectUser { reason: "No".into() }), None);
            }
            continue;
        }
        let group = ["acme", "globex", "initech"][number % 3];
        let create = CreateUser {
            first_name: firsts[number % firsts.len()].map(str::to_owned),
            last_name: lasts[number % lasts.len()].map(str::to_owned),
            email: (number % 5 != 0).then(|| format!("U{}@Mail.example", number % 9)),
            phone: phones[number % phones.len()].map(str::to_owned),
            ..creation(&name, group_of(group))
        };
        story.user(&name, &C::CreateUser(create), temporary());
        if number % 6 == 1 {
            story.user(&name, &C::GrantRole(GrantRole { role: Role::Administrator }), None);
        }
        if number % 11 == 0 {
            story.user(&name, &C::DeleteUser, None);
        }
    }
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 1_000).await;
    views
}

fn orders() -> impl Iterator<Item = UserOrder> {
    let both = |field| [false, true].map(|is_descending| UserOrder::new(field, is_descending));
    UserSortField::ALL.into_iter().flat_map(both)
}

/// Every pair of keys in every pair of directions.
fn orders_by_two() -> impl Iterator<Item = UserOrder> {
    let then = |order: UserOrder| orders().map(move |then| order.then(then.by.field, then.by.is_descending));
    orders().flat_map(then)
}

/// The sort key, computed independently of the views.
fn key(user: &UserRow, field: UserSortField) -> (String, i64) {
    let folded = |text: Option<&String>| (text.map(|text| text.to_lowercase()).unwrap_or_default(), 0);
    match field {
        UserSortField::Username => folded(None),
        UserSortField::FirstName => folded(user.first_name.as_ref()),
        UserSortField::LastName => folded(user.last_name.as_ref()),
        UserSortField::Email => folded(user.email.as_ref()),
        UserSortField::Phone => {
            let sign = |c: &char| matches!(c, '(' | ')' | '-' | ' ');
            (user.phone.iter().flat_map(|phone| phone.chars()).filter(|c| !sign(c)).collect(), 0)
        }
        UserSortField::Group => folded(user.group.as_ref().map(|group| &group.name)),
        UserSortField::State => (String::new(), user.state as i64),
        UserSortField::RegisteredAt => (String::new(), user.registered_at.micros()),
        UserSortField::UpdatedAt => (String::new(), user.updated_at.micros()),
    }
}

/// How two users stand in a list of this order, computed independently of the views.
fn compare(a: &UserRow, b: &UserRow, order: UserOrder) -> Ordering {
    let by = |UserSortKey { field, is_descending }: UserSortKey| {
        let ordering = key(a, field).cmp(&key(b, field));
        if is_descending { ordering.reverse() } else { ordering }
    };
    // A second key of the same field tells nobody apart.
    let last = order.then.filter(|then| then.field != order.by.field).unwrap_or(order.by);
    let name = UserSortKey { field: UserSortField::Username, ..last };
    // The key of the username is empty, so the name itself is compared.
    let names = a.username.cmp(&b.username);
    let by_key = |key: UserSortKey| match key.field {
        UserSortField::Username if key.is_descending => names.reverse(),
        UserSortField::Username => names,
        _ => by(key),
    };
    by_key(order.by).then_with(|| order.then.map_or(Ordering::Equal, by_key)).then_with(|| by_key(name))
}

async fn check(views: &ReadModel, filter: &UserFilter, expected: impl Fn(&UserRow) -> bool) {
    check_orders(views, filter, expected, orders()).await;
}

async fn check_orders(
    views: &ReadModel,
    filter: &UserFilter,
    expected: impl Fn(&UserRow) -> bool,
    orders: impl Iterator<Item = UserOrder>,
) {
    let all = UserFilter::of_states(&UserStatus::ALL);
    let page = views.users_page(&all, UserOrder::USERNAME, &Window::first(1_000, None)).await.unwrap();
    let everybody: Vec<UserRow> = page.edges.into_iter().map(|edge| edge.row).collect();
    let n = views.users_count(filter).await.unwrap();
    assert_eq!((n.n, n.capped), (everybody.iter().filter(|user| expected(user)).count() as u64, false));
    for order in orders {
        let mut sorted: Vec<&UserRow> = everybody.iter().filter(|user| expected(user)).collect();
        sorted.sort_by(|a, b| compare(a, b, order));
        let sorted: Vec<UserId> = sorted.into_iter().map(|user| user.id).collect();
        let page = async |window: Window| views.users_page(filter, order, &window).await.unwrap();
        assert_eq!(forwards(&page).await, sorted, "{order:?} forwards");
        assert_eq!(backwards(&page).await, sorted, "{order:?} backwards");
    }
}

async fn forwards(page: &impl AsyncFn(Window) -> Page<UserRow>) -> Vec<UserId> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let part = page(Window::first(PAGE, after.clone())).await;
        assert_eq!(part.has_previous, after.is_some());
        after = part.edges.last().map(|edge| edge.cursor.clone());
        seen.extend(part.edges.iter().map(|edge| edge.row.id));
        if !part.has_next {
            return seen;
        }
    }
}

async fn backwards(page: &impl AsyncFn(Window) -> Page<UserRow>) -> Vec<UserId> {
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let part = page(Window::last(PAGE, before.clone())).await;
        assert_eq!(part.has_next, before.is_some());
        before = part.edges.first().map(|edge| edge.cursor.clone());
        let rows: Vec<_> = part.edges.iter().map(|edge| edge.row.id).collect();
        seen.splice(0..0, rows);
        if !part.has_previous {
            return seen;
        }
    }
}

async fn pages_of_users_are_the_sorted_list_in_every_order(stage: Stage) {
    let views = crowd(&stage).await;
    check(&views, &UserFilter::default(), |user| user.state != UserStatus::Deleted).await;
    check(&views, &UserFilter::of_states(&UserStatus::ALL), |_| true).await;
}

async fn pages_under_a_filter_are_the_sorted_list_too(stage: Stage) {
    let views = crowd(&stage).await;
    let none = UserFilter::default();
    for states in
        [vec![UserStatus::Active], vec![UserStatus::Pending, UserStatus::Rejected], vec![UserStatus::Deleted]]
    {
        check(&views, &UserFilter::of_states(&states), |user| states.contains(&user.state)).await;
    }
    let groups = vec![group_of("acme"), group_of("initech")];
    let in_groups = |user: &UserRow| user.group.as_ref().is_some_and(|group| groups.contains(&group.id));
    check(&views, &UserFilter { groups: groups.clone(), ..none.clone() }, in_groups).await;
    let address = UserFilter { email: Some("u3@MAIL.example".into()), ..none.clone() };
    check(&views, &address, |user| user.email.as_deref() == Some("U3@mail.example")).await;
    let blank = UserFilter { email: Some(" ".into()), ..none.clone() };
    check(&views, &blank, |_| false).await;
    let number = UserFilter { phone: Some("(+49) 30/1234".into()), ..none.clone() };
    check(&views, &number, |user| {
        user.state != UserStatus::Deleted && key(user, UserSortField::Phone).0 == "+49301234"
    })
    .await;
    let blank = UserFilter { phone: Some("()".into()), ..none.clone() };
    check(&views, &blank, |_| false).await;
    for roles in [vec![Role::Administrator], vec![Role::User], vec![Role::User, Role::Administrator]] {
        let filter = UserFilter { roles: roles.clone(), ..none.clone() };
        let holds = |user: &UserRow| roles.iter().any(|role| user.roles.contains(*role));
        check(&views, &filter, |user| user.state != UserStatus::Deleted && holds(user)).await;
    }
    for must in [true, false] {
        let filter = UserFilter { must_change_password: Some(must), ..none.clone() };
        check(&views, &filter, |user| user.state != UserStatus::Deleted && user.must_change_password == must)
            .await;
    }
    let since = Timestamp::parse("2026-01-01T12:00:30Z").unwrap();
    let until = Timestamp::parse("2026-01-01T12:00:50Z").unwrap();
    let between =
        UserFilter { registered_after: Some(since), registered_before: Some(until), ..none.clone() };
    check(&views, &between, |user| {
        user.state != UserStatus::Deleted && (since < user.registered_at) && (user.registered_at < until)
    })
    .await;
    let changed = UserFilter { updated_after: Some(since), updated_before: Some(until), ..none.clone() };
    check(&views, &changed, |user| {
        user.state != UserStatus::Deleted && (since < user.updated_at) && (user.updated_at < until)
    })
    .await;
    let mixed =
        UserFilter { states: vec![UserStatus::Active], search: Some("smith".into()), ..between.clone() };
    check(&views, &mixed, |user| {
        user.state == UserStatus::Active
            && (since < user.registered_at)
            && (user.registered_at < until)
            && user.last_name.as_ref().is_some_and(|name| name.to_lowercase().starts_with("smith"))
    })
    .await;
}

async fn pages_by_two_keys_are_the_sorted_list(stage: Stage) {
    let views = crowd(&stage).await;
    let none = UserFilter::default();
    check_orders(&views, &none, |user| user.state != UserStatus::Deleted, orders_by_two()).await;
    let by_lifecycle =
        |order: &UserOrder| matches!(order.by.field, UserSortField::State | UserSortField::Group);
    let few = UserFilter { groups: vec![group_of("acme")], ..UserFilter::of_states(&UserStatus::ALL) };
    let in_acme = |user: &UserRow| user.group.as_ref().is_some_and(|group| group.name == "acme");
    check_orders(&views, &few, in_acme, orders_by_two().filter(by_lifecycle)).await;
}

async fn f19_the_nil_id_is_that_of_no_group(stage: Stage) {
    let views = crowd(&stage).await;
    let nil = GroupId::from_uuid(uuid::Uuid::nil());
    let filter = UserFilter { groups: vec![nil], ..UserFilter::default() };
    check(&views, &filter, |_| false).await;
    assert_eq!(views.members_count(nil).await.unwrap(), 0);
}

async fn a_cursor_of_another_list_is_refused(stage: Stage) {
    let views = crowd(&stage).await;
    let all = UserFilter::default();
    let first = views.users_page(&all, UserOrder::USERNAME, &Window::first(1, None)).await.unwrap();
    let cursor = first.edges[0].cursor.clone();
    let by_state = UserOrder::new(UserSortField::State, false);
    let reversed = UserOrder::new(UserSortField::Username, true);
    let by_two = by_state.then(UserSortField::Email, true);
    let page = views.users_page(&all, by_two, &Window::first(1, None)).await.unwrap();
    let of_two = page.edges[0].cursor.clone();
    for (order, cursor) in [
        (by_state, cursor.clone()),
        (reversed, cursor.clone()),
        (by_two, cursor),
        (by_state, of_two.clone()),
        (by_state.then(UserSortField::Email, false), of_two.clone()),
        (by_state.then(UserSortField::Phone, true), of_two.clone()),
        (UserOrder::new(UserSortField::Group, false).then(UserSortField::Email, true), of_two),
        (by_state, "nonsense".to_owned()),
        (by_state, String::new()),
        (by_state, "ÿ".to_owned()),
    ] {
        let refused = views.users_page(&all, order, &Window::first(1, Some(cursor))).await;
        assert!(matches!(refused, Err(Error::BadCursor)), "{refused:?}");
    }
}

async fn pages_of_the_audit_log_are_the_sorted_list(stage: Stage) {
    let views = crowd(&stage).await;
    let names = ["muster.user.registered", "muster.user.approved", "muster.group.created", "no such action"];
    let some = AuditFilter {
        actions: names.map(str::to_owned).to_vec(),
        after: Some(Timestamp::parse("2026-01-01T12:00:02Z").unwrap()),
        ..AuditFilter::default()
    };
    for filter in [AuditFilter::default(), some] {
        let all = views.audit_page(&filter, &Window::first(1_000, None)).await.unwrap();
        let all: Vec<_> = all.edges.into_iter().map(|edge| edge.row).collect();
        let key = |entry: &AuditRow| Reverse((entry.ordered_at, entry.offset, entry.id));
        assert!(all.len() > 50 && all.is_sorted_by_key(key));
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = views.audit_page(&filter, &Window::first(9, after)).await.unwrap();
            after = page.edges.last().map(|edge| edge.cursor.clone());
            seen.extend(page.edges.into_iter().map(|edge| edge.row));
            if !page.has_next {
                break;
            }
        }
        assert_eq!(seen, all);
        let last = views.audit_page(&filter, &Window::last(5, None)).await.unwrap();
        let last: Vec<_> = last.edges.into_iter().map(|edge| edge.row).collect();
        assert_eq!(last, all[all.len() - 5..]);
    }
}

async fn f23_the_history_keeps_the_order_of_events_when_the_clock_goes_back(stage: Stage) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    story.later(120);
    story.register("kim");
    story.new_group("north");
    story.earlier(120);
    story.user("kim", &C::RejectUser(RejectUser { reason: "No".into() }), None);
    story.user("kim", &C::ReconsiderUser, None);
    story.group("north", &domain::group::Command::CloseGroup);
    log.write(&mut story).await;
    let views = stage.fresh().await;
    // One record at a time: the order does not depend on batches.
    project(log.follow(), &views, 1).await;
    let target = |kind: &str, uuid| Target { kind: kind.to_owned(), uuid };
    for (target, expected) in [
        (target(UserId::KIND, id_of("kim").uuid()), &["reconsidered", "rejected", "registered"][..]),
        (target(GroupId::KIND, group_of("north").uuid()), &["closed", "created"][..]),
    ] {
        let filter = AuditFilter::of_target(target);
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = views.audit_page(&filter, &Window::first(1, after)).await.unwrap();
            after = page.edges.last().map(|edge| edge.cursor.clone());
            seen.extend(page.edges.into_iter().map(|edge| edge.row));
            if !page.has_next {
                break;
            }
        }
        let actions: Vec<_> = seen.iter().filter_map(|entry| entry.action.rsplit('.').next()).collect();
        assert_eq!(actions, expected);
        assert!(seen[0].time < seen.last().unwrap().time, "the time is that of the record");
        let last = views.audit_page(&filter, &Window::last(1, None)).await.unwrap();
        assert_eq!(last.edges[0].row, *seen.last().unwrap());
    }
}
