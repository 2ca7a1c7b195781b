//! What `docs/log-format.md` tells outsiders is what the code does, and a verifier written from that page agrees.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use domain::id::{GroupId, UserId};
use domain::names::{GroupName, Username};
use event_log::chain::Chain;
use event_log::kafka::{KafkaSettings, wanted_topics};
use log_model::record::{ATTRIBUTES, CHAIN, known_header};
use log_model::{Record, Recorded, Stream, StreamPartition, partition};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::deployment::Deployment;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/log-format.md")).unwrap()
}

/// The blocks of a language, in order.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let blocks = page.split(fence.as_str()).skip(1);
    blocks.map(|block| block.split("```").next().unwrap().trim_end()).collect()
}

/// The cells of the rows below the heading that begins with these cells.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let lines = page.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    lines.take_while(|line| line.starts_with('|')).map(|line| cells(line)[1..].to_vec()).collect()
}

/// The records of an export's lines.
fn records(lines: &str) -> Vec<Recorded> {
    let read = |line: &str| {
        let all: Value = serde_json::from_str(line).unwrap();
        let body = line.strip_prefix("{\"data\":").unwrap().split(",\"headers\":").next().unwrap();
        let headers = all["headers"].as_object().unwrap().iter();
        let header = |(name, value): (&String, &Value)| {
            (known_header(name).unwrap(), value.as_str().unwrap().to_owned())
        };
        let record = Record {
            key: all["key"].as_str().unwrap().to_owned(),
            headers: headers.map(header).collect(),
            body: Some(body.as_bytes().to_vec()),
        };
        let place = StreamPartition::new(Stream::UserEvents, 0);
        Recorded { place, offset: all["offset"].as_u64().unwrap(), record }
    };
    lines.lines().map(read).collect()
}

#[test]
fn f44_the_partitions_of_the_page_are_those_of_the_code() {
    let page = page();
    let rows = table(&page, "| key | of 1 ");
    assert!(rows.len() > 5, "{rows:?}");
    for row in &rows {
        let key = row[0].trim_matches('`');
        for (partitions, told) in [1, 3, 8, 12].into_iter().zip(&row[1..]) {
            assert_eq!(partition::of_key(key, partitions).to_string(), *told, "{key} of {partitions}");
        }
    }
    let alice = UserId::of(&Username::parse("alice").unwrap());
    let staff = GroupId::of(&GroupName::parse("staff").unwrap());
    assert_eq!((&rows[0][0], &rows[3][0]), (&format!("`{alice}`"), &format!("`{staff}`")));
    assert!(page.contains(&partition::NAMESPACE.to_string()));
}

#[test]
fn f44_the_worked_example_of_the_chain_holds() {
    let page = page();
    let records = records(blocks(&page, "json")[0]);
    let [hashed, values] = blocks(&page, "text")[..] else { panic!("the page has two blocks of text") };
    let bytes = hex::decode(hashed.replace('\n', "")).unwrap();
    let values: Vec<_> = values.lines().collect();
    assert_eq!(hex::encode(Sha256::digest(bytes)), values[0]);
    assert_eq!(records.len(), values.len());
    let mut chain = Chain::default();
    for (recorded, told) in records.iter().zip(values) {
        chain.verify(recorded).unwrap();
        assert_eq!(chain.to_string(), told);
        assert!(recorded.record.is_claim() || recorded.record.header(CHAIN) == Some(told));
    }
    let named = page.split("in this order: ").nth(1).unwrap().split(". `ce_chain`").next().unwrap();
    let named: Vec<_> = named.split(',').map(|name| name.trim().trim_matches('`')).collect();
    assert_eq!(named, ATTRIBUTES);
}

#[test]
fn f44_the_topics_of_the_page_are_those_that_are_made() {
    let rows = table(&page(), "| topic | partitions | key | what");
    let topics = wanted_topics(&KafkaSettings::new("", ""), 8);
    let mut told: Vec<_> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    let mut made: Vec<_> = topics.iter().map(|topic| topic.name.as_str()).collect();
    told.sort_unstable();
    made.sort_unstable();
    assert_eq!(told, made);
    for topic in &topics {
        let row = rows.iter().find(|row| row[0].trim_matches('`') == topic.name).unwrap();
        let (partitions, chained, kept) = (&row[1], &row[5], &row[6]);
        let is_compacted = topic.required.contains(&("cleanup.policy", "compact"));
        assert_eq!(kept.starts_with("compacted"), is_compacted, "{row:?}");
        let days: u64 = 400 * 24 * 60 * 60 * 1_000;
        let has_days = topic.initial.iter().any(|(_, value)| *value == days.to_string());
        assert_eq!(kept.contains("400 days"), has_days, "{row:?}");
        assert_eq!(*partitions == "1", topic.partitions == 1, "{row:?}");
        let is_chained = Stream::from_name(&topic.name).is_some_and(Stream::is_chained);
        assert_eq!(*chained == "yes", is_chained, "{row:?}");
    }
}

/// Exit code and output of the verifier in Python on an export; `None` without Python.
fn verified_outside(export: &str) -> Option<(i32, String)> {
    let mut command = Command::new("python3");
    command
        .arg(root().join("examples/readers/verify_chain.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("!!!! LEFT OUT: the verifier of examples/readers needs python3: {error}");
            return None;
        }
    };
    child.stdin.take().unwrap().write_all(export.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some((output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap()))
}

#[test]
fn f44_a_verifier_of_under_80_lines_agrees_with_the_page() {
    let script = std::fs::read_to_string(root().join("examples/readers/verify_chain.py")).unwrap();
    assert!(script.lines().count() < 80);
    let page = page();
    let (export, values) = (blocks(&page, "json")[0], blocks(&page, "text")[1]);
    let Some((code, said)) = verified_outside(export) else { return };
    assert_eq!((code, said.contains(values.lines().last().unwrap())), (0, true), "{said}");
    // Changed, removed, swapped.
    let lines: Vec<_> = export.lines().collect();
    let broken =
        [export.replace("Zoë", "Zoe"), lines[1..].join("\n"), [lines[0], lines[2], lines[1]].join("\n")];
    for export in broken {
        let (code, said) = verified_outside(&export).unwrap();
        assert_eq!((code, said.contains("BROKEN")), (1, true), "{said}");
    }
    assert_eq!(verified_outside("").unwrap().0, 2, "nothing is not whole");
}

/// The verifier finds an export of the deployment's log whole, and one with a changed record broken.
pub(crate) fn outsider_agrees(deployment: &Deployment) {
    let export = deployment.run(&["log", "tail", "--until-end"]);
    let export = String::from_utf8(export.stdout).unwrap();
    let Some((code, said)) = verified_outside(&export) else { return };
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("user-events-0: ") && said.contains("group-events-0: "), "{said}");
    let changed = export.replacen("\"name\":\"staff\"", "\"name\":\"stuff\"", 1);
    assert_ne!(changed, export);
    let (code, said) = verified_outside(&changed).unwrap();
    assert_eq!((code, said.contains("group-events-0: ")), (1, true), "{said}");
}
