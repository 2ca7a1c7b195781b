//! Logs that nobody takes: a full disk, a reader that has ended, a reader that doesn't read.

use std::process::Stdio;

use serde_json::json;

use crate::deployment::Deployment;

async fn serves_and_ends(stderr: fn() -> Stdio) {
    let mut deployment = Deployment::embedded_with_stderr(stderr).await;
    let (name, temporary) = &deployment.administrator;
    let administrator = deployment.portal.settle(name, temporary, "a quiet harbour at dawn").await;
    administrator.must("createGroup", json!({ "name": "staff" }), "group { id }").await;
    deployment.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn f01_a_full_disk_under_the_logs_costs_log_lines_only() {
    serves_and_ends(|| std::fs::File::options().write(true).open("/dev/full").unwrap().into()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f01_a_reader_of_the_logs_that_has_ended_costs_log_lines_only() {
    serves_and_ends(|| std::io::pipe().unwrap().1.into()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f01_a_reader_of_the_logs_that_does_not_read_costs_log_lines_only() {
    serves_and_ends(|| {
        let (reader, writer) = std::io::pipe().unwrap();
        std::mem::forget(reader);
        writer.into()
    })
    .await;
}
