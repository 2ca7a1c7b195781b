//! The served schema is the committed one, and everything in it is described.

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition};

use super::*;

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/portal.graphql");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == sdl(), "`muster schemas` writes schemas/portal.graphql anew");
}

#[test]
fn everything_in_the_schema_is_described() {
    let mut bare = Vec::new();
    let document = parse_schema(sdl()).unwrap();
    for definition in &document.definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let (name, ty) = (ty.node.name.node.as_str(), &ty.node);
        check_description(&mut bare, name, ty.description.is_some());
        match &ty.kind {
            TypeKind::Object(object) => fields(&mut bare, name, &object.fields),
            TypeKind::Interface(interface) => fields(&mut bare, name, &interface.fields),
            TypeKind::InputObject(input) => inputs(&mut bare, name, &input.fields),
            TypeKind::Enum(values) => {
                for value in &values.values {
                    let value = &value.node;
                    check_description(
                        &mut bare,
                        &format!("{name}.{}", value.value.node),
                        value.description.is_some(),
                    );
                }
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    assert_eq!(bare, Vec::<String>::new());
}

#[test]
fn rules_are_nodes() {
    assert!(sdl().contains("interface AgentRule implements Node {"));
}

fn fields(bare: &mut Vec<String>, ty: &str, fields: &[Positioned<FieldDefinition>]) {
    for field in fields {
        let field = &field.node;
        let name = format!("{ty}.{}", field.name.node);
        check_description(bare, &name, field.description.is_some());
        inputs(bare, &name, &field.arguments);
    }
}

fn inputs(bare: &mut Vec<String>, of: &str, inputs: &[Positioned<InputValueDefinition>]) {
    for input in inputs {
        let input = &input.node;
        check_description(bare, &format!("{of}.{}", input.name.node), input.description.is_some());
    }
}

fn check_description(bare: &mut Vec<String>, name: &str, is_described: bool) {
    if !is_described {
        bare.push(name.to_owned());
    }
}
