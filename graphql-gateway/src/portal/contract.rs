//! The served schema is the committed one, and everything in it is described.

use std::collections::BTreeMap;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, InterfaceType, ObjectType, TypeKind, TypeSystemDefinition,
};

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

/// Every description in the introspection, by the path of what it describes.
async fn introspected() -> BTreeMap<String, String> {
    let query = "{ __schema { types { name description \
        fields(includeDeprecated: true) { name description args { name description } } \
        inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }";
    let response = builder().finish().execute(query).await;
    assert_eq!(response.errors, Vec::new());
    let answer = serde_json::to_value(&response.data).unwrap();
    let mut found = BTreeMap::new();
    let types = answer["__schema"]["types"].as_array().unwrap();
    for ty in types.iter().filter(|ty| !ty["name"].as_str().unwrap().starts_with("__")) {
        describe(&mut found, "", ty);
    }
    found
}

/// Collects the description of a thing and of everything in it.
fn describe(found: &mut BTreeMap<String, String>, of: &str, thing: &serde_json::Value) {
    let name = format!("{of}{}", thing["name"].as_str().unwrap());
    for part in ["fields", "args", "inputFields", "enumValues"] {
        for inner in thing[part].as_array().into_iter().flatten() {
            describe(found, &format!("{name}."), inner);
        }
    }
    if let Some(description) = thing["description"].as_str() {
        found.insert(name, description.to_owned());
    }
}

#[tokio::test]
async fn f33_introspection_and_the_committed_text_describe_everything_in_the_same_words() {
    let introspected = introspected().await;
    let sdl = sdl();
    let document = parse_schema(&sdl).unwrap();
    let mut described = 0;
    let mut same = |name: &str, description: Option<&Positioned<String>>| {
        let Some(description) = description else { return };
        assert_eq!(introspected.get(name), Some(&description.node), "{name}");
        assert!(!description.node.contains("\"\"\""), "{name} ends its own description");
        described += 1;
    };
    for definition in &document.definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let (name, ty) = (ty.node.name.node.as_str(), &ty.node);
        same(name, ty.description.as_ref());
        match &ty.kind {
            TypeKind::Object(ObjectType { fields, .. })
            | TypeKind::Interface(InterfaceType { fields, .. }) => {
                for field in fields {
                    let path = format!("{name}.{}", field.node.name.node);
                    same(&path, field.node.description.as_ref());
                    for argument in &field.node.arguments {
                        let path = format!("{path}.{}", argument.node.name.node);
                        same(&path, argument.node.description.as_ref());
                    }
                }
            }
            TypeKind::InputObject(input) => {
                for field in &input.fields {
                    same(&format!("{name}.{}", field.node.name.node), field.node.description.as_ref());
                }
            }
            TypeKind::Enum(values) => {
                for value in &values.values {
                    same(&format!("{name}.{}", value.node.value.node), value.node.description.as_ref());
                }
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }
    assert!(described > 500, "{described}");
    // The scalars of the language itself are described by introspection alone.
    let own = ["Int", "Float", "String", "Boolean", "ID"];
    assert_eq!(introspected.keys().filter(|name| !own.contains(&name.as_str())).count(), described);
}

#[test]
fn scalars_say_by_what_they_are_specified() {
    let sdl = sdl();
    let scalars: Vec<&str> = sdl.lines().filter(|line| line.starts_with("scalar ")).collect();
    assert_eq!(scalars.len(), 3);
    assert!(scalars.iter().all(|line| line.contains("@specifiedBy(url: \"https://")), "{scalars:?}");
}

#[test]
fn inputs_with_a_default_take_null() {
    let sdl = sdl();
    let with_default = sdl.lines().filter(|line| line.contains(" = "));
    let wrong: Vec<&str> = with_default.filter(|line| line.contains("! = ")).collect();
    assert_eq!(wrong, [""; 0], "an explicit null is the default");
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
