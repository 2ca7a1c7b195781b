//! Which documents are rejected before they cost anything.

use super::*;
use async_graphql::parser::parse_query;

fn repeated(times: usize, part: impl Fn(usize) -> String) -> String {
    (0..times).map(part).collect::<Vec<_>>().concat()
}

fn checked(source: &str) -> Result<Operation, DocumentError> {
    check_text(source)?;
    check(&parse_query(source).unwrap(), None)
}

#[test]
fn root_fields_are_found_behind_fragments() {
    let operation = checked(
        "query A { ...F ... on Query { viewer { id } } } fragment F on Query { x: users { nodes { id } } }",
    );
    let fields = vec!["users".to_owned(), "viewer".to_owned()];
    assert_eq!(operation, Ok(Operation { kind: OperationType::Query, fields }));
}

#[test]
fn a_password_is_tried_once_in_a_document_at_most() {
    let sign_in = |alias: &str| format!("{alias}: signIn(input: {{}}) {{ sessionToken }} ");
    assert!(checked(&format!("mutation {{ {} }}", sign_in("a"))).is_ok());
    let twice = format!("mutation {{ {} ...F }} fragment F on Mutation {{ {} }}", sign_in("a"), sign_in("b"));
    assert!(matches!(checked(&twice), Err(DocumentError::TooComplex(_))));
    let both =
        format!("mutation {{ {} changePassword(input: {{}}) {{ userErrors {{ code }} }} }}", sign_in("a"));
    assert!(matches!(checked(&both), Err(DocumentError::TooComplex(_))));
}

#[test]
fn what_could_cost_too_much_is_refused_before_it_does() {
    let aliases = repeated(51, |n| format!("a{n}: viewer {{ id }} "));
    let mutations = repeated(11, |n| format!("a{n}: signOut {{ userErrors {{ code }} }} "));
    let directives = "@skip(if: false) ".repeat(11);
    let doubling = repeated(40, |n| {
        format!("fragment F{n} on Query {{ a: viewer {{ ...F{0} }} b: viewer {{ ...F{0} }} }} ", n + 1)
    });
    for document in [
        format!("{{ {aliases} }}"),
        format!("mutation {{ {mutations} }}"),
        format!("{{ viewer {directives} {{ id }} }}"),
        format!("{{ ...F0 }} {doubling} fragment F40 on Query {{ viewer {{ id }} }}"),
        format!("{{ {} }}", "viewer { id } ".repeat(2_600)),
        "{ a ".repeat(60) + &"}".repeat(60),
        format!("{{ a(b: {}1{}) }}", "[".repeat(60), "]".repeat(60)),
    ] {
        assert!(matches!(checked(&document), Err(DocumentError::TooComplex(_))), "{document:.60}");
    }
}

#[test]
fn brackets_in_strings_and_comments_do_not_nest() {
    let brackets = "[".repeat(100);
    for source in [
        format!("{{ a(b: \"{brackets}\") }}"),
        format!("{{ a(b: \"\\\"{brackets}\") }}"),
        format!("{{ a(b: \"\"\"{brackets} \\\"\"\" {brackets}\"\"\") }}"),
        format!("# {brackets}\n{{ a }}"),
    ] {
        assert!(nesting(&source) <= 2, "{source}");
    }
    assert_eq!(nesting("{ a(b: \"x\", c: [[1]]) { d } }"), 4);
}

#[test]
fn numbers_outside_of_an_int_are_refused() {
    for (number, fits) in
        [("2147483647", true), ("2147483648", false), ("-2147483649", false), ("1.5e300", true)]
    {
        let document = format!("{{ users(first: {number}) {{ nodes {{ id }} }} }}");
        assert_eq!(checked(&document).is_ok(), fits, "{number}");
    }
    assert!(checked("{ a(b: {c: [99999999999]}) }").is_err());
}

#[test]
fn the_operation_is_the_named_or_the_only_one() {
    let document =
        parse_query("query A { viewer { id } } mutation B { signOut { userErrors { code } } }").unwrap();
    assert_eq!(check(&document, Some("B")).unwrap().kind, OperationType::Mutation);
    for name in [None, Some("C")] {
        assert!(matches!(check(&document, name), Err(DocumentError::NoOperation(_))));
    }
}
