//! Who may depend on whom, as the architecture says, read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// The crates of this workspace that each may use, beside which libraries that touch servers.
pub(crate) const RULES: [(&str, &[&str], &[&str]); 17] = [
    ("log-model", &[], &[]),
    ("domain", &["log-model"], &[]),
    ("event-log", &["log-model", "domain"], &["rdkafka", "sqlx"]),
    ("log-consumer", &["log-model", "event-log"], &[]),
    ("user-index", &["domain"], &[]),
    ("read-model", &["log-model", "domain", "user-index"], &["sqlx"]),
    ("event-feed", &["log-model", "domain", "event-log", "read-model"], &[]),
    ("log-archive", &["log-model", "event-log"], &[]),
    ("service-kit", &[], &[]),
    ("sealing", &[], &[]),
    ("command-service", &["log-model", "domain", "event-log", "log-consumer", "service-kit"], &[]),
    (
        "projection-service",
        &["log-model", "domain", "event-log", "log-consumer", "read-model", "service-kit"],
        &[],
    ),
    (
        "webhook-service",
        &[
            "log-model",
            "domain",
            "event-log",
            "event-feed",
            "log-consumer",
            "read-model",
            "sealing",
            "service-kit",
        ],
        &[],
    ),
    (
        "graphql-gateway",
        &[
            "log-model",
            "domain",
            "event-log",
            "event-feed",
            "log-archive",
            "read-model",
            "sealing",
            "service-kit",
        ],
        &[],
    ),
    (
        "muster",
        &[
            "log-model",
            "domain",
            "event-log",
            "log-consumer",
            "event-feed",
            "log-archive",
            "read-model",
            "service-kit",
            "sealing",
            "command-service",
            "projection-service",
            "webhook-service",
            "graphql-gateway",
        ],
        &[],
    ),
    (
        "bench",
        &[
            "log-model",
            "domain",
            "event-log",
            "read-model",
            "service-kit",
            "command-service",
            "projection-service",
            "graphql-gateway",
            "load",
        ],
        &["rdkafka", "sqlx"],
    ),
    ("load", &[], &[]),
];

#[test]
fn every_crate_uses_only_what_the_architecture_lets_it_use() {
    let arguments = ["metadata", "--format-version=1", "--no-deps", "--offline"];
    let output = Command::new(env!("CARGO")).args(arguments).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["name"].as_str().unwrap(), package))
        .collect();
    let ours: BTreeSet<&str> = packages.keys().copied().collect();
    assert_eq!(ours, RULES.iter().map(|(name, ..)| *name).collect(), "every crate has a rule");
    for (name, crates, servers) in RULES {
        // What tests alone use is not part of the product.
        let dependencies = packages[name]["dependencies"].as_array().unwrap().iter();
        let used: BTreeSet<&str> = dependencies
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap())
            .collect();
        for library in used.iter().filter(|library| ours.contains(*library)) {
            assert!(crates.contains(library), "{name} must not use {library}");
        }
        for library in ["rdkafka", "sqlx"] {
            assert!(!used.contains(library) || servers.contains(&library), "{name} must not use {library}");
        }
    }
}

#[test]
fn the_domain_does_no_io_and_reads_no_clock() {
    let manifest = include_str!("../../../domain/Cargo.toml");
    for library in ["tokio", "sqlx", "rdkafka", "reqwest", "axum", "getrandom", "tracing"] {
        let used = manifest.lines().any(|line| line.starts_with(&format!("{library}.")));
        assert!(!used, "domain must not use {library}");
    }
}
