//! Search finds prefixes of names, addresses, usernames and their parts, on pages in every order.

use domain::patch::Patch;
use domain::user::Command as C;
use domain::user::profile::UpdateProfile;
use read_model::users_page::{UserFilter, UserOrder, UserSortField};
use read_model::{ReadModel, Window};

use crate::rig::{Log, project};
use crate::stage::{Stage, on_both};
use crate::story::Story;

on_both! {
    a_user_is_found_by_every_beginning
    f22_every_word_of_a_search_matches_somewhere
    f21_a_user_is_found_in_any_case_with_and_without_accents
    a_user_is_no_longer_found_under_an_old_name
    a_search_that_matches_very_many_is_walked_and_counting_it_stops
}

async fn found(views: &ReadModel, search: &str) -> Vec<String> {
    let filter = UserFilter { search: Some(search.to_owned()), ..UserFilter::default() };
    let page = views.users_page(&filter, UserOrder::USERNAME, &Window::first(100, None)).await.unwrap();
    let names: Vec<_> = page.edges.into_iter().map(|edge| edge.row.username).collect();
    assert_eq!(views.users_count(&filter).await.unwrap().n, names.len() as u64);
    names
}

fn named(first: &str, last: &str, email: &str) -> C {
    C::UpdateProfile(UpdateProfile {
        first_name: Patch::Set(first.to_owned()),
        last_name: Patch::Set(last.to_owned()),
        email: Patch::Set(email.to_owned()),
        ..UpdateProfile::default()
    })
}

async fn a_user_is_found_by_every_beginning(stage: Stage) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    story.register("a.smith_2");
    story.user("a.smith_2", &named("Anna Maria", "Müller-Lüdenscheidt", "Am@Post.example"), None);
    story.register("other");
    story.user("other", &named("100%", "back\\slash", "o@x.test"), None);
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 1_000).await;
    for search in [
        "a.sm",
        "SMITH",
        "2",
        "anna",
        "anna m",
        "maria",
        "müll",
        "MÜLL",
        "lüd",
        "Lu\u{308}d",
        "am@",
        "post",
        " post ",
    ] {
        assert_eq!(found(&views, search).await, ["a.smith_2"], "{search}");
    }
    for search in ["nna", "mith", "ost", "zzz", "_", "%"] {
        assert_eq!(found(&views, search).await, [] as [&str; 0], "{search}");
    }
    assert_eq!(found(&views, "100%").await, ["other"]);
    assert_eq!(found(&views, "back\\").await, ["other"]);
    assert_eq!(found(&views, "  ").await.len(), 2, "nothing is searched for");
    assert_eq!(found(&views, "ex").await, ["a.smith_2"]);
}

async fn f22_every_word_of_a_search_matches_somewhere(stage: Stage) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    for (name, first, last) in [("one", "Bob", "Zedler"), ("two", "Bob", "Young"), ("three", "Ann", "Zedler")]
    {
        story.register(name);
        story.user(name, &named(first, last, &format!("{name}@mail.example")), None);
    }
    for group in ["finance-north", "finance-south"] {
        story.new_group(group);
    }
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 1_000).await;
    for search in ["Bob Zed", "zed bob", "  bob\tzedler bob", "b zedl mail one"] {
        assert_eq!(found(&views, search).await, ["one"], "{search}");
    }
    assert_eq!(found(&views, "bob").await, ["one", "two"]);
    assert_eq!(found(&views, "bob zed young").await, [] as [&str; 0]);
    let groups = views.groups_page(Some("Sou fin"), &Window::first(5, None)).await.unwrap();
    assert_eq!(groups.edges.iter().map(|edge| &*edge.row.name).collect::<Vec<_>>(), ["finance-south"]);
    assert_eq!(views.groups_count(Some("fin")).await.unwrap(), 2);
}

async fn f21_a_user_is_found_in_any_case_with_and_without_accents(stage: Stage) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    story.register("nikos");
    story.user("nikos", &named("Νίκος", "Παπαδόπουλος", "Groß@mail.example"), None);
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 1_000).await;
    for search in ["ΠΑΠΑΔΌΠΟΥΛΟΣ", "παπαδοπουλος νικοσ", "GROSS", "groß@"] {
        assert_eq!(found(&views, search).await, ["nikos"], "{search}");
    }
    for (email, n) in [("GROSS@MAIL.EXAMPLE", 1), ("groß@mail.example", 1), ("gros@mail.example", 0)] {
        let filter = UserFilter { email: Some(email.to_owned()), ..UserFilter::default() };
        assert_eq!(views.users_count(&filter).await.unwrap().n, n, "{email}");
    }
}

async fn a_user_is_no_longer_found_under_an_old_name(stage: Stage) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    story.register("bob");
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 1_000).await;
    assert_eq!(found(&views, "last").await, ["bob"]);
    story.user("bob", &named("Bob", "Builder", "bob@mail.example"), None);
    log.write(&mut story).await;
    project(log.follow(), &views, 1_000).await;
    assert_eq!(found(&views, "last").await, [] as [&str; 0]);
    assert_eq!(found(&views, "build").await, ["bob"]);
    assert_eq!(found(&views, "mail").await, ["bob"]);
}

async fn a_search_that_matches_very_many_is_walked_and_counting_it_stops(stage: Stage) {
    let mut log = Log::open(stage.directory.path()).await;
    let mut story = Story::new();
    for number in 0..10_500 {
        story.register(&format!("many-{number:05}"));
    }
    for number in 0..2_600 {
        story.register(&format!("zz-{number:05}"));
    }
    log.write(&mut story).await;
    let views = stage.fresh().await;
    project(log.follow(), &views, 2_000).await;
    let filter = UserFilter { search: Some("many".to_owned()), ..UserFilter::default() };
    let count = views.users_count(&filter).await.unwrap();
    assert_eq!((count.n, count.capped), (10_000, true));
    assert_eq!(views.users_count(&UserFilter::default()).await.unwrap().n, 13_100);
    for field in UserSortField::ALL {
        let order = UserOrder::new(field, false);
        let page = views.users_page(&filter, order, &Window::first(2, None)).await.unwrap();
        assert_eq!(page.edges[0].row.username, "many-00000", "{field:?}");
        let page = views.users_page(&filter, order, &Window::last(1, None)).await.unwrap();
        assert_eq!(page.edges[0].row.username, "many-10499", "{field:?}");
    }
    // These users lie together at the far end of every order.
    let far = UserFilter { search: Some("zz".to_owned()), ..UserFilter::default() };
    for field in UserSortField::ALL {
        for is_descending in [false, true] {
            let order = UserOrder::new(field, is_descending);
            let mut names = Vec::new();
            for window in [Window::first(1, None), Window::last(1, None)] {
                let page = views.users_page(&far, order, &window).await.unwrap();
                names.push(page.edges[0].row.username.clone());
            }
            let ends = if is_descending { ["zz-02599", "zz-00000"] } else { ["zz-00000", "zz-02599"] };
            assert_eq!(names, ends, "{order:?}");
        }
    }
    for (search, greatest) in [(Some("many"), "many-10499"), (Some("zz"), "zz-02599"), (None, "zz-02599")] {
        let least = if search == Some("zz") { "zz-00000" } else { "many-00000" };
        let filter = UserFilter { search: search.map(str::to_owned), ..UserFilter::default() };
        by_two_keys(&views, &filter, least, greatest).await;
    }
    let narrow = UserFilter { search: Some("many-0123".to_owned()), ..UserFilter::default() };
    assert_eq!(views.users_count(&narrow).await.unwrap().n, 10);
}

/// Checks both ends of a list by two keys, and the way from each end inwards. All users have the same phone and state, and no
/// group; everything else rises with the username.
async fn by_two_keys(views: &ReadModel, filter: &UserFilter, least: &str, greatest: &str) {
    let is_same = |field| matches!(field, UserSortField::Phone | UserSortField::Group | UserSortField::State);
    for first in UserSortField::ALL {
        for (then, is_descending) in
            [(UserSortField::Email, true), (UserSortField::LastName, false), (UserSortField::UpdatedAt, true)]
        {
            let order = UserOrder::new(first, false).then(then, is_descending);
            let page = async |window| views.users_page(filter, order, &window).await.unwrap();
            let is_turned = is_same(first) && is_descending;
            let (begin, end) = if is_turned { (greatest, least) } else { (least, greatest) };
            let front = page(Window::first(2, None)).await;
            assert_eq!(front.edges[0].row.username, begin, "{order:?}");
            let back = page(Window::last(1, None)).await;
            assert_eq!(back.edges[0].row.username, end, "{order:?}");
            let next = page(Window::first(1, Some(front.edges[0].cursor.clone()))).await;
            assert_eq!(next.edges[0].row.username, front.edges[1].row.username, "{order:?}");
            let before = page(Window::last(5, Some(front.edges[1].cursor.clone()))).await;
            let names: Vec<_> = before.edges.iter().map(|edge| &*edge.row.username).collect();
            assert_eq!((names, before.has_previous), (vec![begin], false), "{order:?}");
        }
    }
}
