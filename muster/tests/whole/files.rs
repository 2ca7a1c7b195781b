//! What the architecture says of files: nothing climbs back up, files are short, and a type's name means one thing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::crates::RULES;
use crate::file_graph::FileGraph;

/// The circles that may be: crate, the files that lead to each other, and why that is natural.
const NATURAL: [(&str, &[&str], &str); 1] = [(
    "domain",
    &[
        "user/agent.rs",
        "user/lifecycle.rs",
        "user/mailboxes.rs",
        "user/mod.rs",
        "user/onboarding.rs",
        "user/password.rs",
        "user/profile.rs",
        "user/roles.rs",
        "user/rules/download.rs",
        "user/rules/mod.rs",
        "user/state.rs",
        "user/tokens.rs",
    ],
    "the enums of a user's commands and events, and their parts: each subject's rule looks at the whole user",
)];

/// Type names that two crates share, and why each is right in both.
const SHARED: [(&str, &str); 20] = [
    ("AckMode", "the GraphQL type of the domain's"),
    ("ApplyError", "read-model may not use the consumer; the projection translates"),
    ("AuditFilter", "the GraphQL input of read-model's"),
    ("Batch", "what one transaction writes: of the log, of the views"),
    ("Checkpoint", "read-model may not use the consumer; the projection translates"),
    ("DeliverPolicy", "the GraphQL type of the domain's"),
    ("Edge", "the GraphQL type of read-model's"),
    ("Error", "what the crate fails with, always named with its crate"),
    ("Group", "the GraphQL type of the domain's"),
    ("Halt", "read-model may not use the consumer; the projection translates"),
    ("Move", "read-model may not use the consumer; the projection translates"),
    ("Position", "the GraphQL scalar of log-model's"),
    ("Role", "the GraphQL type of the domain's"),
    ("Session", "the GraphQL type of read-model's"),
    ("UfaConfig", "the GraphQL type of the domain's"),
    ("User", "the GraphQL type of the domain's"),
    ("UserFilter", "the GraphQL input of read-model's"),
    ("UserOrder", "the GraphQL input of read-model's"),
    ("UserSortField", "the GraphQL type of read-model's"),
    ("Webhook", "the GraphQL type of the domain's"),
];

/// Most lines of a Rust file, and the most that the median may have.
const LONGEST: usize = 400;
const MEDIAN: usize = 130;

#[test]
fn nothing_climbs_back_up() {
    let mut natural: BTreeSet<(&str, BTreeSet<String>)> = NATURAL
        .iter()
        .map(|(krate, files, _)| (*krate, files.iter().map(|file| (*file).to_owned()).collect()))
        .collect();
    let mut wrong = Vec::new();
    for krate in crates() {
        for circle in FileGraph::of(&root().join(krate)).circles() {
            if !natural.remove(&(krate, circle.clone())) {
                wrong.push(format!("{krate}: these files lead to each other: {circle:?}"));
            }
        }
    }
    wrong.extend(natural.into_iter().map(|(krate, files)| format!("{krate}: {files:?} is a circle no more")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_type_name_means_one_thing() {
    let mut crates_of: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for krate in crates().filter(|krate| !krate.starts_with("bench")) {
        for name in FileGraph::of(&root().join(krate)).types.into_values().flatten() {
            crates_of.entry(name).or_default().insert(krate);
        }
    }
    let shared: BTreeSet<&str> =
        crates_of.iter().filter(|(_, crates)| crates.len() > 1).map(|(name, _)| name.as_str()).collect();
    let known: BTreeSet<&str> = SHARED.iter().map(|(name, _)| *name).collect();
    let listed = |names: Vec<&&str>| {
        let with_crates = names.into_iter().map(|name| format!("{name} {:?}", crates_of.get(*name)));
        with_crates.collect::<Vec<_>>().join("\n")
    };
    let (new, gone) = (shared.difference(&known).collect(), known.difference(&shared).collect());
    let (new, gone) = (listed(new), listed(gone));
    assert!(new.is_empty(), "crates share these names without a reason in SHARED:\n{new}");
    assert!(gone.is_empty(), "SHARED names what is not shared any more:\n{gone}");
}

#[test]
fn files_are_short() {
    let mut lengths = Vec::new();
    let mut waiting: Vec<PathBuf> = crates().map(|krate| root().join(krate)).collect();
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                waiting.extend((!path.ends_with("target")).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                lengths.push((fs::read_to_string(&path).unwrap().lines().count(), path));
            }
        }
    }
    lengths.sort();
    lengths.dedup();
    let long: Vec<_> = lengths.iter().filter(|(lines, _)| *lines > LONGEST).collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines: {long:?}");
    let (median, _) = &lengths[lengths.len() / 2];
    assert!(*median <= MEDIAN, "the median file has {median} lines");
}

/// The folders of all crates that the architecture names.
fn crates() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|(name, ..)| if *name == "load" { "bench/load" } else { name })
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
