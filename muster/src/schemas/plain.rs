//! Schemas of events as JSON Schema 2020-12 that every tool reads alike.
//!
//! What is generated from the types is valid, and yet tools of readers lose parts of it: they drop what stands beside a
//! `$ref`, refuse a `format` that is none of the standard's, or take only one type. The schema is written without these.

use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// The schema of the data of the event `name`. Its `$id` is what `ce_dataschema` of the event says.
pub(super) fn plain(name: &str, schema: Value) -> Value {
    let Value::Object(mut root) = schema else { return schema };
    let definitions = match root.remove("$defs") {
        Some(Value::Object(definitions)) => definitions,
        _ => Object::new(),
    };
    let mut root = rewritten(root, &definitions);
    root.insert("$id".to_owned(), json!(log_model::record::dataschema(name)));
    // Unique among all events, because generators name types by it.
    root.insert("title".to_owned(), json!(title(name)));
    let mut kept = Object::new();
    keep_used(&Value::Object(root.clone()), &definitions, &mut kept);
    if !kept.is_empty() {
        root.insert("$defs".to_owned(), Value::Object(kept));
    }
    Value::Object(root)
}

/// The wire name as the name of a type: `muster.user.agent_rule_added` is `UserAgentRuleAdded`.
fn title(name: &str) -> String {
    let words = name.strip_prefix("muster.").unwrap_or(name).split(['.', '_']);
    words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// Collects the definitions that a schema refers to, and those that these refer to.
fn keep_used(schema: &Value, definitions: &Object, kept: &mut Object) {
    match schema {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).map(definition_name);
            if let Some(name) = name.filter(|name| !kept.contains_key(*name)) {
                let definition = definition(name, definitions);
                kept.insert(name.to_owned(), Value::Object(definition.clone()));
                keep_used(&Value::Object(definition), definitions, kept);
            }
            fields.values().for_each(|value| keep_used(value, definitions, kept));
        }
        Value::Array(items) => items.iter().for_each(|item| keep_used(item, definitions, kept)),
        _ => {}
    }
}

fn definition_name(reference: &str) -> &str {
    reference.strip_prefix("#/$defs/").expect("generated schemas refer to their definitions alone")
}

fn definition(name: &str, definitions: &Object) -> Object {
    match &definitions[name] {
        Value::Object(definition) => rewritten(definition.clone(), definitions),
        _ => Object::new(),
    }
}

fn rewritten(mut schema: Object, definitions: &Object) -> Object {
    for (keyword, value) in &mut schema {
        match (keyword.as_str(), &mut *value) {
            ("properties", Value::Object(properties)) => {
                for property in properties.values_mut() {
                    rewrite(property, definitions);
                }
            }
            ("oneOf" | "anyOf", Value::Array(branches)) => {
                for branch in branches {
                    rewrite(branch, definitions);
                }
            }
            ("items", item) => rewrite(item, definitions),
            _ => {}
        }
    }
    without_format(&mut schema);
    omit_null_of_optional(&mut schema);
    split_types(&mut schema);
    separate_reference(&mut schema, definitions);
    share_properties(&mut schema);
    schema
}

fn rewrite(value: &mut Value, definitions: &Object) {
    if let Value::Object(schema) = value {
        *schema = rewritten(std::mem::take(schema), definitions);
    }
}

/// `uint32` and the like are no formats of the standard. What they say of 32 bits becomes a bound; 64 bits are more than
/// many readers have, so they stay without.
fn without_format(schema: &mut Object) {
    let Some(format) = schema.remove("format") else { return };
    match format.as_str() {
        Some("uint32") => drop(schema.insert("maximum".to_owned(), json!(u32::MAX))),
        Some("uint64") => {}
        // A test finds it.
        _ => drop(schema.insert("format".to_owned(), format)),
    }
}

/// An optional property is left out where there is nothing, and never null.
fn omit_null_of_optional(schema: &mut Object) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (name, property) in properties {
        let is_required = required.as_array().is_some_and(|names| names.contains(&json!(name)));
        if let Some(property) = property.as_object_mut().filter(|_| !is_required) {
            omit_null(property);
        }
    }
}

fn omit_null(property: &mut Object) {
    let Some(Value::Array(branches)) = property.get_mut("anyOf") else { return };
    branches.retain(|branch| branch["type"] != "null");
    if let [Value::Object(only)] = branches.as_mut_slice() {
        let only = std::mem::take(only);
        property.remove("anyOf");
        if only.contains_key("$ref") {
            property.insert("allOf".to_owned(), json!([only]));
        } else {
            property.extend(only);
        }
    }
}

/// Several types become one branch each. Null has no rules; all that stand beside the types belong to the other one.
fn split_types(schema: &mut Object) {
    if !schema.get("type").is_some_and(Value::is_array) {
        return;
    }
    let Some(Value::Array(types)) = schema.remove("type") else { return };
    let description = schema.remove("description");
    let rules = std::mem::take(schema);
    let branch = |name: Value| {
        let mut branch = if name == "null" { Object::new() } else { rules.clone() };
        branch.insert("type".to_owned(), name);
        Value::Object(branch)
    };
    schema.insert("anyOf".to_owned(), types.into_iter().map(branch).collect());
    schema.extend(description.map(|text| ("description".to_owned(), text)));
}

/// A description beside a reference moves beside an `allOf`. Rules beside it are merged with what it refers to.
fn separate_reference(schema: &mut Object, definitions: &Object) {
    if schema.len() < 2 {
        return;
    }
    let Some(reference) = schema.remove("$ref") else { return };
    if schema.len() == 1 && schema.contains_key("description") {
        schema.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
        return;
    }
    let name = definition_name(reference.as_str().unwrap_or_default());
    merge(schema, definition(name, definitions));
}

/// What stands beside the branches of a `oneOf` moves into each, so that each is a whole object.
fn share_properties(schema: &mut Object) {
    if !(schema.contains_key("oneOf") && schema.contains_key("properties")) {
        return;
    }
    let shared: Object = ["properties", "required", "type"]
        .into_iter()
        .filter_map(|keyword| Some((keyword.to_owned(), schema.remove(keyword)?)))
        .collect();
    if let Some(Value::Array(branches)) = schema.get_mut("oneOf") {
        branches.iter_mut().filter_map(Value::as_object_mut).for_each(|branch| merge(branch, shared.clone()));
    }
}

/// Adds the properties and required names of an object to those of another, which keeps its own description.
fn merge(into: &mut Object, mut other: Object) {
    if let (Some(Value::Object(mine)), Some(Value::Object(theirs))) =
        (into.get_mut("properties"), other.get_mut("properties"))
    {
        theirs.append(mine);
        *mine = std::mem::take(theirs);
    }
    if let (Some(Value::Array(mine)), Some(Value::Array(theirs))) =
        (into.get_mut("required"), other.get_mut("required"))
    {
        theirs.append(mine);
        *mine = std::mem::take(theirs);
    }
    for (keyword, value) in other {
        into.entry(keyword).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemas::events;

    /// Every schema within a schema.
    fn each(schema: &Value, see: &mut impl FnMut(&Object)) {
        match schema {
            Value::Object(fields) => {
                see(fields);
                for (keyword, value) in fields {
                    match (keyword.as_str(), value) {
                        ("properties" | "$defs", Value::Object(named)) => {
                            named.values().for_each(|schema| each(schema, see));
                        }
                        _ => each(value, see),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| each(item, see)),
            _ => {}
        }
    }

    #[test]
    fn f43_schemas_have_nothing_that_tools_read_differently() {
        let mut titles = Vec::new();
        for (_, name, schema) in events::all() {
            assert_eq!(schema["$id"], json!(format!("urn:muster:event:{name}")));
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            titles.push(schema["title"].clone());
            each(&schema, &mut |part| {
                assert!(!part.contains_key("format"), "{name}: {part:?}");
                assert!(!part.get("type").is_some_and(Value::is_array), "{name}: {part:?}");
                assert!(!part.contains_key("$ref") || part.len() == 1, "{name}: {part:?}");
                let shares = part.contains_key("oneOf") && part.contains_key("properties");
                assert!(!shares, "{name}: {part:?}");
                if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
                    assert!(schema.pointer(&reference[1..]).is_some(), "{name}: {reference}");
                }
            });
        }
        let count = titles.len();
        titles.sort_by_key(Value::to_string);
        titles.dedup();
        assert_eq!(titles.len(), count, "titles differ");
    }

    #[test]
    fn f43_each_kind_of_rule_is_a_whole_object() {
        let (_, _, schema) =
            events::all().into_iter().find(|(_, name, _)| name.ends_with("rule_added")).unwrap();
        let kinds = schema["$defs"]["Rule"]["oneOf"].as_array().unwrap();
        let has = |kind: &Value, field: &str| {
            kind["properties"].get(field).is_some()
                && kind["required"].as_array().unwrap().contains(&json!(field))
        };
        for (kind, fields) in kinds.iter().zip([["matchPattern", "ackMode"], ["mailbox", "maxFiles"]]) {
            for field in ["id", "name", "active", "pollInterval", "kind", fields[0], fields[1]] {
                assert!(has(kind, field), "{field}: {kind}");
            }
            assert_eq!(kind["properties"]["pollInterval"]["maximum"], u32::MAX);
        }
    }
}
