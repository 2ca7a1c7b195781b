//! Golden files, one per event: every release reads old events and writes new ones in the same form.

use std::path::PathBuf;

use domain::{access, deployment, group, user, webhook};

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas/fixtures")
}

/// The event's JSON after decoding and encoding it.
fn again(name: &str, json: &[u8]) -> Result<Vec<u8>, String> {
    let read = |error: &dyn std::fmt::Debug| format!("{name}: {error:?}");
    match name.split('.').nth(1) {
        Some("user") => user::Event::from_json(name, json).map(|event| event.to_json()).map_err(|e| read(&e)),
        Some("group") => {
            group::Event::from_json(name, json).map(|event| event.to_json()).map_err(|e| read(&e))
        }
        Some("webhook") => {
            webhook::Event::from_json(name, json).map(|event| event.to_json()).map_err(|e| read(&e))
        }
        Some("deployment") => {
            deployment::Event::from_json(name, json).map(|event| event.to_json()).map_err(|e| read(&e))
        }
        Some("access") => {
            access::Event::from_json(name, json).map(|event| event.to_json()).map_err(|e| read(&e))
        }
        _ => Err(format!("{name} belongs to no aggregate")),
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    [
        user::Event::WIRE_NAMES,
        group::Event::WIRE_NAMES,
        webhook::Event::WIRE_NAMES,
        deployment::Event::WIRE_NAMES,
        access::Event::WIRE_NAMES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

#[test]
fn every_event_has_a_golden_file_that_reads_and_writes_the_same() {
    for name in names() {
        let path = golden().join(format!("{name}.json"));
        let json = std::fs::read(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        let written = again(name, &json).unwrap();
        let (before, after): (serde_json::Value, serde_json::Value) =
            (serde_json::from_slice(&json).unwrap(), serde_json::from_slice(&written).unwrap());
        assert_eq!(before, after, "{name}");
    }
}

#[test]
fn every_golden_file_still_reads() {
    for entry in std::fs::read_dir(golden()).unwrap() {
        let path = entry.unwrap().path();
        // An older form of an event is kept as `<name>@<n>.json`.
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let name = stem.split('@').next().unwrap();
        again(name, &std::fs::read(&path).unwrap()).unwrap();
    }
}

#[test]
fn a_field_that_a_later_release_adds_is_ignored() {
    let json = br#"{"reason":"left","since":"a later release"}"#;
    assert!(user::Event::from_json("muster.user.suspended", json).is_ok());
}

#[test]
fn an_event_of_a_later_release_is_an_error() {
    assert!(user::Event::from_json("muster.user.renamed", b"{}").is_err());
    assert!(user::Event::from_json("muster.user.suspended", b"{}").is_err());
}
