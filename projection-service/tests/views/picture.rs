//! Everything that the views show, as one text, so that two views can be compared.

use std::fmt::Write;

use domain::id::GroupId;
use domain::user::UserStatus;
use read_model::audit_page::AuditFilter;
use read_model::user_spans::{PastMoment, PastUserFilter};
use read_model::users_page::{UserFilter, UserOrder};
use read_model::{ReadModel, Window};

/// What the views show.
pub(crate) async fn of(views: &ReadModel) -> String {
    let mut picture = String::new();
    let all = Window::first(10_000, None);
    let filter = UserFilter::of_states(&UserStatus::ALL);
    let users = views.users_page(&filter, UserOrder::USERNAME, &all).await.unwrap();
    for user in users.edges {
        let id = user.row.id;
        writeln!(picture, "{:#?}", user.row).unwrap();
        writeln!(picture, "{:#?}", views.rules_of(id).await.unwrap()).unwrap();
        writeln!(picture, "{:#?}", views.mailboxes_page(id, &all).await.unwrap()).unwrap();
        let tokens = views.tokens_page(id, &all).await.unwrap();
        writeln!(picture, "{tokens:#?} {:?}", views.password(id).await.unwrap()).unwrap();
        for sequence in 0..=user.row.version + 1 {
            writeln!(picture, "{:#?}", views.user_as_of(id, PastMoment::After(sequence)).await.unwrap())
                .unwrap();
        }
        for token in tokens.edges {
            writeln!(picture, "{:?}", views.holder_by_token(token.row.id).await.unwrap()).unwrap();
        }
    }
    let groups = views.groups_page(None, &all).await.unwrap();
    let ids: Vec<GroupId> = groups.edges.iter().map(|group| group.row.id).collect();
    writeln!(picture, "{groups:#?}").unwrap();
    for webhook in views.webhooks().await.unwrap() {
        writeln!(picture, "{webhook:#?} {:?}", views.webhook_secrets(webhook.id).await.unwrap()).unwrap();
    }
    for state in UserStatus::ALL {
        for groups in std::iter::once(Vec::new()).chain(ids.iter().map(|id| vec![*id])) {
            let filter = UserFilter { groups, ..UserFilter::of_states(&[state]) };
            writeln!(picture, "{state:?} {:?}", views.users_count(&filter).await.unwrap()).unwrap();
        }
    }
    for search in ["first", "last", "mail.example", "new"] {
        let filter = UserFilter { search: Some(search.to_owned()), ..UserFilter::default() };
        let found = views.users_page(&filter, UserOrder::USERNAME, &all).await.unwrap();
        let names: Vec<_> = found.edges.into_iter().map(|user| user.row.username).collect();
        writeln!(picture, "{search}: {names:?}").unwrap();
    }
    let audit = views.audit_page(&AuditFilter::default(), &all).await.unwrap();
    writeln!(picture, "{audit:#?}").unwrap();
    let everybody = PastUserFilter { states: UserStatus::ALL.to_vec(), ..PastUserFilter::default() };
    for at in audit.edges.iter().map(|entry| entry.row.time) {
        let users = views.users_as_of_page(at, &everybody, 100, None).await.unwrap();
        let names: Vec<_> = users.edges.iter().map(|user| (&user.row.username, user.row.status)).collect();
        writeln!(picture, "{at}: {names:?} {:?}", views.users_as_of_count(at, &everybody).await.unwrap())
            .unwrap();
    }
    picture
}
