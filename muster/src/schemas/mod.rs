//! `muster schemas`: writes what is generated, or checks that it is up to date.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use domain::access::SignInFailureReason;
use domain::refusal::Code;
use domain::{access, deployment, group, user};
use serde_json::{Value, json};

use crate::wiring::say;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the files are.
    #[arg(long, default_value = "schemas", value_name = "DIRECTORY")]
    directory: PathBuf,
    /// Writes nothing; exits with 1 and names the files that are not as they would be written.
    #[arg(long)]
    check: bool,
}

/// Writes or checks every generated file.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let generated = generated();
    let mut different = stale(&arguments.directory.join("events"), &generated);
    if !arguments.check {
        for name in different.drain(..) {
            let path = arguments.directory.join(&name);
            std::fs::remove_file(&path).with_context(|| format!("{} can't be removed", path.display()))?;
        }
    }
    for (name, content) in generated {
        let path = arguments.directory.join(&name);
        if std::fs::read_to_string(&path).is_ok_and(|present| present == content) {
            continue;
        }
        if arguments.check {
            different.push(name);
            continue;
        }
        let folder = path.parent().unwrap_or(&arguments.directory);
        std::fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        std::fs::write(&path, content).with_context(|| format!("{} can't be written", path.display()))?;
    }
    Ok(report(&different))
}

/// Schemas of events that no longer exist.
fn stale(events: &Path, generated: &BTreeMap<String, String>) -> Vec<String> {
    let present = std::fs::read_dir(events).into_iter().flatten().filter_map(Result::ok);
    let names =
        present.filter_map(|entry| entry.file_name().into_string().ok()).map(|name| format!("events/{name}"));
    names.filter(|name| !generated.contains_key(name)).collect()
}

fn report(different: &[String]) -> ExitCode {
    for name in different {
        say(&format!("{name} is not as `muster schemas` would write it"));
    }
    ExitCode::from(u8::from(!different.is_empty()))
}

/// Every file by its path below the folder.
fn generated() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    files.insert("portal.graphql".to_owned(), graphql_gateway::sdl());
    files.insert("codes.json".to_owned(), pretty(&codes()));
    files.insert("asyncapi.yaml".to_owned(), asyncapi());
    for (_, name, schema) in events() {
        files.insert(format!("events/{name}.json"), pretty(&schema));
    }
    files
}

fn events() -> Vec<(&'static str, &'static str, Value)> {
    let streams = [
        ("user-events", user::Event::schemas()),
        ("group-events", group::Event::schemas()),
        ("group-events", deployment::Event::schemas()),
        ("access", access::Event::schemas()),
    ];
    let of = |(stream, schemas): (&'static str, Vec<(&'static str, schemars::Schema)>)| {
        schemas.into_iter().map(move |(name, schema)| (stream, name, schema.to_value()))
    };
    streams.into_iter().flat_map(of).collect()
}

/// The codes that callers and the audit log show.
fn codes() -> Value {
    json!({
        "refusals": Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        "signInFailures": SignInFailureReason::ALL,
    })
}

/// JSON is YAML; an AsyncAPI 3.0 document as one.
fn asyncapi() -> String {
    let mut channels = serde_json::Map::new();
    let mut messages = serde_json::Map::new();
    for (stream, name, schema) in events() {
        let channel = channels
            .entry(stream)
            .or_insert_with(|| json!({ "address": format!("muster.{stream}"), "messages": {} }));
        channel["messages"][name] = json!({ "$ref": format!("#/components/messages/{name}") });
        messages.insert(
            name.to_owned(),
            json!({
                "name": name,
                "contentType": "application/json",
                "summary": schema["description"],
                "headers": { "$ref": "#/components/schemas/headers" },
                "payload": { "$ref": format!("events/{name}.json") },
            }),
        );
    }
    let attributes: serde_json::Map<_, _> = log_model::record::ATTRIBUTES
        .into_iter()
        .chain([log_model::record::CHAIN, log_model::record::TRACEPARENT])
        .map(|name| (name.to_owned(), json!({ "type": "string" })))
        .collect();
    let document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Events of Muster",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka binary content mode: attributes are headers, the payload is the event's data.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "components": {
            "messages": messages,
            "schemas": { "headers": { "type": "object", "properties": attributes } },
        },
    });
    format!("# Generated by `muster schemas`. JSON is YAML.\n{}", pretty(&document))
}

fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).expect("JSON values have text keys");
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f32_every_code_that_the_audit_log_shows_is_listed() {
        let codes = codes();
        let is_listed = |list: &str, code: &str| codes[list].as_array().unwrap().contains(&code.into());
        assert!(is_listed("refusals", "rate_limited"));
        assert!(Code::ALL.iter().all(|code| is_listed("refusals", code.as_str())));
        // The published schema of the event lists the reasons by itself.
        let schemas =
            json!(access::Event::schemas().into_iter().map(|(_, it)| it.to_value()).collect::<Vec<_>>());
        let mut reasons = Vec::new();
        constants(&schemas, &mut reasons);
        assert_eq!(reasons.len(), SignInFailureReason::ALL.len(), "{reasons:?}");
        assert!(reasons.iter().all(|reason| is_listed("signInFailures", reason)), "{reasons:?}");
    }

    /// Every value that a schema names with `const` or `enum`.
    fn constants(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("const", Value::String(text)) => found.push(text.clone()),
                        ("enum", Value::Array(values)) => {
                            found.extend(values.iter().filter_map(Value::as_str).map(str::to_owned));
                        }
                        _ => constants(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| constants(item, found)),
            _ => {}
        }
    }
}
