//! The cost of a document in fields. The fields of a list count once per row of its page. `__typename` and `pageInfo` are
//! free: clients add them everywhere, and they read nothing.
//!
//! The library's own count fails on omitted variables, and most clients omit them to page.

use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Value, Variables};

use crate::schema::connection::cost;

/// The fields that are lists. Of a user of the past, some of them have no pages; they count as much as a usual page.
const LISTS: [&str; 11] = [
    "users",
    "usersAsOf",
    "groups",
    "members",
    "auditLog",
    "agentRules",
    "mailboxes",
    "authTokens",
    "history",
    "webhooks",
    "deliveries",
];

/// Fields that cost nothing, with all that is selected in them. No other field has one of these names.
const FREE: [&str; 2] = ["__typename", "pageInfo"];

/// The cost of an operation. The recursion is bounded, because the size of the document was checked before.
pub(super) fn of(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> usize {
    CostCounter { document, operation, variables }.set(&operation.selection_set.node)
}

struct CostCounter<'a> {
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
}

impl CostCounter<'_> {
    fn set(&self, set: &SelectionSet) -> usize {
        set.items.iter().fold(0, |sum: usize, selection| {
            sum.saturating_add(match &selection.node {
                Selection::Field(field) => self.field(&field.node),
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.node.fragment_name.node);
                    fragment.map_or(0, |fragment| self.set(&fragment.node.selection_set.node))
                }
            })
        })
    }

    fn field(&self, field: &Field) -> usize {
        if FREE.contains(&field.name.node.as_str()) {
            return 0;
        }
        let row = self.set(&field.selection_set.node);
        if LISTS.contains(&field.name.node.as_str()) {
            cost(self.number(field, "first"), self.number(field, "last"), row)
        } else {
            row.saturating_add(1)
        }
    }

    /// The number of an argument, given as a literal or a variable. `None` if it is omitted, null or not a number.
    fn number(&self, field: &Field, name: &str) -> Option<i32> {
        let value = field.get_argument(name)?.node.clone();
        let variable = |name: async_graphql::Name| {
            let definition =
                self.operation.variable_definitions.iter().find(|known| known.node.name.node == name);
            let default = || definition?.node.default_value.as_ref().map(|value| value.node.clone());
            self.variables.get(&name).cloned().or_else(default).ok_or(())
        };
        match value.into_const_with(variable) {
            Ok(Value::Number(number)) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use serde_json::json;

    fn counted(query: &str, variables: serde_json::Value) -> usize {
        let document = parse_query(query).unwrap();
        let operation = &document.operations.iter().next().unwrap().1.node;
        of(&document, operation, &Variables::from_json(variables))
    }

    #[test]
    fn a_list_counts_as_often_as_its_page_is_long() {
        assert_eq!(counted("{ viewer { id name } }", json!({})), 3);
        assert_eq!(counted("{ users(first: 10) { nodes { id } } }", json!({})), 21);
        assert_eq!(counted("{ users { nodes { id } } }", json!({})), 101);
        assert_eq!(
            counted("{ users(last: 3) { ...F } } fragment F on UserConnection { nodes { id } }", json!({})),
            7
        );
        assert_eq!(
            counted("{ users(first: 10) { nodes { authTokens(first: 10) { nodes { id } } } } }", json!({})),
            221
        );
    }

    #[test]
    fn f36_what_clients_add_to_every_selection_is_free() {
        let nested = |more: &str| {
            counted(
                &format!(
                    "{{ users(first: 100) {{ nodes {{ agentRules {{ nodes {{ id name {more} }} {more} }} {more} }} }} }}"
                ),
                json!({}),
            )
        };
        assert_eq!(nested("__typename"), nested(""));
        let page = "{ users(first: 100) { nodes { agentRules { nodes { id name } \
            pageInfo { hasNextPage endCursor __typename } } } } }";
        assert_eq!(counted(page, json!({})), nested(""));
        assert!(nested("__typename") <= 20_000, "the default of MUSTER_GRAPHQL_COMPLEXITY");
    }

    #[test]
    fn a_page_is_as_long_as_its_variable_says_or_its_default_or_the_usual() {
        let query = "query($n: Int = 2, $m: Int) { users(first: $n) { nodes { id } } groups(first: $m) { nodes { id } } }";
        assert_eq!(counted(query, json!({})), 5 + 101);
        assert_eq!(counted(query, json!({ "n": 4, "m": 1 })), 9 + 3);
        assert_eq!(counted(query, json!({ "n": null, "m": null })), 101 + 101);
    }
}
