//! What is asked of the grid: most filters, one letter and clustered words, two words, most orders, every end of a list.

use serde_json::{Value, json};

/// A page of the grid.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) filter: Value,
    pub(crate) order: Value,
    pub(crate) end: End,
    /// Whether very many users match, so that no index of a database leads to the page.
    pub(crate) is_broad: bool,
}

/// Which page of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    First,
    /// Behind a user somewhere in the order.
    Middle,
    Last,
}

/// Every question.
pub(crate) fn all(users: u64) -> Vec<Question> {
    let mut all = Vec::new();
    let mut ask = |what: &str, filter: Value, order: (&str, &str), end: End, is_broad: bool| {
        let (field, direction) = order;
        let name =
            format!("{what}, by {} {}, {}", field.to_lowercase(), direction.to_lowercase(), end.name());
        let order = json!({ "field": field, "direction": direction });
        all.push(Question { name, filter, order, end, is_broad });
    };
    let name = ("USERNAME", "ASC");
    for field in
        ["USERNAME", "FIRST_NAME", "LAST_NAME", "EMAIL", "GROUP", "STATE", "REGISTERED_AT", "UPDATED_AT"]
    {
        ask("everybody", json!({}), (field, "ASC"), End::First, false);
        ask("everybody", json!({}), (field, "DESC"), End::Last, false);
        ask("search e", json!({ "search": "e" }), (field, "DESC"), End::First, true);
    }
    for end in [End::Middle, End::Last] {
        ask("everybody", json!({}), name, end, false);
        ask("search a", json!({ "search": "a" }), ("LAST_NAME", "ASC"), end, true);
        ask("search partner", json!({ "search": "partner" }), ("FIRST_NAME", "ASC"), end, true);
    }
    ask("search partner", json!({ "search": "partner" }), ("REGISTERED_AT", "ASC"), End::First, true);
    ask("search partner", json!({ "search": "partner" }), name, End::First, true);
    ask("search z", json!({ "search": "z" }), name, End::First, true);
    ask("search x", json!({ "search": "x" }), ("REGISTERED_AT", "DESC"), End::First, true);
    ask("search example.", json!({ "search": "example." }), ("EMAIL", "ASC"), End::First, true);
    ask("search frie", json!({ "search": "frie" }), ("LAST_NAME", "ASC"), End::First, true);
    ask("search παπ", json!({ "search": "ΠΑΠ" }), ("UPDATED_AT", "DESC"), End::First, true);
    ask("search groß", json!({ "search": "groß" }), ("REGISTERED_AT", "ASC"), End::First, true);
    ask("search a e", json!({ "search": "a e" }), ("FIRST_NAME", "ASC"), End::First, true);
    ask(
        "search anna example.",
        json!({ "search": "anna example." }),
        ("LAST_NAME", "DESC"),
        End::First,
        true,
    );
    ask("search ann mont", json!({ "search": "ann mont" }), name, End::First, true);
    ask("search priya kowalskison", json!({ "search": "priya kowalskison" }), name, End::First, true);
    ask("search nobody", json!({ "search": "qqqq" }), name, End::First, false);
    ask("active", json!({ "state": ["ACTIVE"] }), ("LAST_NAME", "ASC"), End::First, false);
    ask("active", json!({ "state": ["ACTIVE"] }), ("LAST_NAME", "ASC"), End::Middle, false);
    ask("pending", json!({ "state": ["PENDING"] }), ("REGISTERED_AT", "ASC"), End::First, false);
    ask("deleted", json!({ "state": ["DELETED"] }), ("UPDATED_AT", "DESC"), End::First, false);
    ask(
        "suspended or rejected",
        json!({ "state": ["SUSPENDED", "REJECTED"] }),
        ("EMAIL", "DESC"),
        End::Last,
        false,
    );
    ask(
        "suspended, search a",
        json!({ "state": ["SUSPENDED"], "search": "a" }),
        ("GROUP", "ASC"),
        End::First,
        true,
    );
    for (what, group) in [("a large group", 0), ("a small group", 39)] {
        let filter = json!({ "groupId": [group_id(group)] });
        ask(what, filter.clone(), ("LAST_NAME", "ASC"), End::First, false);
        ask(what, filter, ("UPDATED_AT", "DESC"), End::Middle, false);
        let filter = json!({ "groupId": [group_id(group)], "search": "e", "state": ["ACTIVE"] });
        ask(&format!("{what}, active, search e"), filter, ("FIRST_NAME", "ASC"), End::First, true);
    }
    let half = json!({ "registeredAfter": "2020-09-16T00:00:00Z" });
    ask("registered since", half, ("LAST_NAME", "ASC"), End::First, true);
    let week = json!({ "registeredAfter": "2020-09-16T00:00:00Z", "registeredBefore": "2020-09-17T00:00:00Z", "search": "m" });
    ask("registered between, search m", week, ("EMAIL", "ASC"), End::First, true);
    ask(
        "an address",
        json!({ "email": bench::people::person(users - 1, users).row.email }),
        name,
        End::First,
        false,
    );
    all
}

fn group_id(number: u32) -> String {
    let name = domain::names::GroupName::parse(&format!("group-{number:02}")).expect("letters and digits");
    domain::id::GroupId::of(&name).to_string()
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::First => "first page",
            Self::Middle => "from the middle",
            Self::Last => "last page",
        }
    }
}
