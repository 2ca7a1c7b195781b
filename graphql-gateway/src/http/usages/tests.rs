//! Which values fit, in a small schema with every kind of input type that the portals' schema has.

use async_graphql::{EmptySubscription, Request, Schema};
use serde_json::json;

use super::*;
use crate::http::guard::Guard;

/// A schema with an enum, a list, a default and a `@oneOf` type.
mod shape {
    use async_graphql::{Enum, InputObject, Object, OneofObject};

    #[derive(Clone, Copy, PartialEq, Eq, Enum)]
    pub(super) enum Colour {
        Red,
    }

    #[derive(OneofObject)]
    pub(super) enum Either {
        Left(String),
        Right(i32),
    }

    #[derive(InputObject)]
    pub(super) struct Input {
        pub(super) name: String,
        #[graphql(default = 5)]
        pub(super) often: i32,
        pub(super) tags: Option<Vec<String>>,
        pub(super) colour: Option<Colour>,
        pub(super) either: Option<Either>,
    }

    pub(super) struct Query;

    #[Object]
    impl Query {
        async fn find(&self, input: Input) -> bool {
            let Input { name, often, tags, colour, either } = input;
            let either = match either {
                Some(Either::Left(text)) => text.len(),
                Some(Either::Right(number)) => usize::try_from(number).unwrap_or_default(),
                None => 0,
            };
            often == 0 && tags.is_none() && colour == Some(Colour::Red) && name.len() == either
        }
    }

    pub(super) struct Mutation;

    #[Object]
    impl Mutation {
        async fn write(&self, input: Input) -> bool {
            input.often == 0
        }
    }
}

async fn first_error(source: &str, values: serde_json::Value) -> Option<ServerError> {
    let guard = Guard { depth: 10, complexity: 100 };
    let schema = Schema::build(shape::Query, shape::Mutation, EmptySubscription).extension(guard).finish();
    let request = Request::new(source).variables(Variables::from_json(values));
    schema.execute(request).await.errors.into_iter().next()
}

async fn checked(source: &str, values: serde_json::Value) -> Result<(), String> {
    match first_error(source, values).await {
        None => Ok(()),
        Some(error) => {
            let code = error.extensions.as_ref().and_then(|more| more.get("code")).map(ToString::to_string);
            Err(format!("{} {}", code.unwrap_or_default().trim_matches('"'), error.message))
        }
    }
}

async fn wrong(code: &str, source: &str, values: serde_json::Value) {
    let found = checked(source, values).await.expect_err(source);
    assert!(found.starts_with(code), "{source}: {found}");
}

#[tokio::test]
async fn what_fits_passes() {
    for (source, values) in [
        ("query($n: String!) { find(input: { name: $n }) }", json!({ "n": "a" })),
        ("query($n: String = \"a\") { find(input: { name: $n }) }", json!({})),
        ("query($o: Int) { find(input: { name: \"a\", often: $o }) }", json!({})),
        ("query($t: [String!]) { find(input: { name: \"a\", tags: $t }) }", json!({ "t": null })),
        ("query($t: String!) { find(input: { name: \"a\", tags: [$t, \"b\"] }) }", json!({ "t": "a" })),
        ("{ find(input: { name: \"a\", tags: \"one\", colour: RED, either: { left: \"x\" } }) }", json!({})),
        ("query($e: String!) { find(input: { name: \"a\", either: { left: $e } }) }", json!({ "e": "x" })),
        ("query($s: Boolean! = true) { find(input: { name: \"a\" }) @skip(if: $s) }", json!({})),
    ] {
        assert_eq!(checked(source, values).await, Ok(()), "{source}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_found_at_every_depth() {
    for source in [
        "mutation($n: String) { write(input: { name: $n }) }",
        "mutation($n: ID!) { write(input: { name: $n }) }",
        "mutation($t: String) { write(input: { name: \"a\", tags: [$t] }) }",
        "mutation($t: [String]) { write(input: { name: \"a\", tags: $t }) }",
        "mutation($n: String) { ... on Mutation { ...F } } fragment F on Mutation { write(input: { name: $n }) }",
        "query($s: Boolean) { __typename @skip(if: $s) }",
        "query($s: Boolean) { ... @include(if: $s) { __typename } }",
        "mutation($e: String) { write(input: { name: \"a\", either: { left: $e } }) }",
        "mutation($e: String!) { write(input: { name: \"a\", either: { left: $e, right: 1 } }) }",
        "mutation { write(input: { name: \"a\", either: {} }) }",
        "mutation($n: String!) { write(input: { name: $n, colour: \"RED\" }) }",
        "mutation($n: String!) { write(input: { name: $n, colour: BLUE }) }",
        "mutation($n: String!) { write(input: { name: $n, often: \"1\" }) }",
        "mutation($n: String!) { write(input: { name: $n, more: 1 }) }",
        "mutation($n: ID!) { write(input: { often: $n }) }",
        "mutation { write(input: { name: $n }) }",
        "mutation($m: Int = 99999999999) { write(input: { name: \"a\", often: $m }) }",
    ] {
        wrong(VALIDATION_FAILED, source, json!({ "n": "a", "e": "x", "t": "x", "s": true })).await;
    }
}

#[tokio::test]
async fn f37_what_does_not_fit_is_located() {
    for (source, line, column) in [
        ("{ find(input:\n  { name: 1 }) }", 2, 3),
        ("query($n: String) {\n find(input: { name: $n }) }", 2, 14),
        ("query($b: Boolean) { __typename @skip(if: $b) }", 1, 43),
        ("query(\n  $n: String!) { find(input: { name: $n }) }", 2, 3),
        ("query($n: Int = \"a\") { __typename }", 1, 17),
        ("query($z: String) { __typename }", 1, 7),
    ] {
        let error = first_error(source, json!({ "z": "\0", "n": null })).await.expect(source);
        let places: Vec<_> = error.locations.iter().map(|at| (at.line, at.column)).collect();
        assert_eq!(places, [(line, column)], "{source}: {error:?}");
    }
}

#[tokio::test]
async fn a_default_does_not_hide_a_null() {
    let own = "mutation($n: String = \"a\") { write(input: { name: $n }) }";
    wrong(BAD_REQUEST, own, json!({ "n": null })).await;
    let of_the_place = "mutation($o: Int) { write(input: { name: \"a\", often: $o }) }";
    wrong(BAD_REQUEST, of_the_place, json!({ "o": null })).await;
}

#[tokio::test]
async fn nothing_is_looked_for_by_a_nul() {
    wrong(BAD_REQUEST, "{ find(input: { name: \"a\\u0000\" }) }", json!({})).await;
    wrong(BAD_REQUEST, "query($n: String!) { find(input: { name: $n }) }", json!({ "n": "\0" })).await;
    let default = "query($t: [String!] = [\"\\u0000\"]) { find(input: { name: \"a\", tags: $t }) }";
    wrong(BAD_REQUEST, default, json!({})).await;
    let change = "mutation { write(input: { name: \"a\\u0000\" }) }";
    assert_eq!(checked(change, json!({})).await, Ok(()));
}
