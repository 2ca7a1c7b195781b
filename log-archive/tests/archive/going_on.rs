//! An export goes on where it was left, whatever happened to it.

use log_archive::Signer;
use log_archive::export::{ExportContent, ExportError};
use log_model::LogId;

use crate::world::{World, broken, signer};

#[tokio::test]
async fn an_export_that_is_whole_verifies_and_is_not_written_again() {
    let world = World::with_events(50).await;
    let checkpoint = world.export("e").await;
    let written = std::fs::read(world.path("e")).unwrap();
    let content = world.read("e").unwrap();
    assert_eq!((broken(&content), content.last.as_ref(), content.checkpoints), (None, Some(&checkpoint), 1));
    assert_eq!(content.log(), Some(checkpoint.log));
    world.export("e").await;
    assert_eq!(std::fs::read(world.path("e")).unwrap(), written);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(world.path("e")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn an_export_goes_on_as_the_log_grows() {
    let world = World::with_events(20).await;
    world.export("e").await;
    world.append(21, 20).await;
    let checkpoint = world.export("e").await;
    let content = world.read("e").unwrap();
    assert_eq!((broken(&content), content.last, content.checkpoints), (None, Some(checkpoint), 2));
    world.export("whole").await;
    let records = |name| {
        let lines = world.lines(name);
        lines.into_iter().filter(|line| line.starts_with("{\"data\"")).collect::<Vec<_>>()
    };
    let (mut parts, mut whole) = (records("e"), records("whole"));
    // Parts are one after the other, so the order between stream partitions differs.
    parts.sort_unstable();
    whole.sort_unstable();
    assert_eq!(parts, whole);
}

#[tokio::test]
async fn an_export_that_was_cut_anywhere_becomes_whole() {
    let world = World::with_events(30).await;
    world.export("e").await;
    world.write("parts", &world.lines("e"));
    let parts = std::fs::read(world.path("parts")).unwrap();
    for length in (0..parts.len()).step_by(211) {
        std::fs::write(world.path("cut"), &parts[..length]).unwrap();
        world.export("cut").await;
        assert_eq!(world.lines("cut"), world.lines("e"), "cut after {length} bytes");
        assert_eq!(broken(&world.read("cut").unwrap()), None);
    }
    std::fs::write(world.path("cut"), &parts[..parts.len() - 1]).unwrap();
    assert!(matches!(world.read("cut"), Err(ExportError::Cut)));
}

#[tokio::test]
async fn a_file_that_is_something_else_is_left_as_it_is() {
    let world = World::with_events(1).await;
    let log = world.heads().await.log;
    std::fs::write(world.path("letter"), "Dear Ada,\n").unwrap();
    assert!(matches!(world.open("letter", log), Err(ExportError::NoExport)));
    assert_eq!(std::fs::read(world.path("letter")).unwrap(), b"Dear Ada,\n");
    world.export("e").await;
    let other: LogId = "0199aaaa-0000-7000-8000-000000000001".parse().unwrap();
    let refused = world.open("e", other).err().unwrap().to_string();
    assert!(refused.contains(&log.to_string()) && refused.contains(&other.to_string()), "{refused}");
    let mut lines = world.lines("e");
    lines.remove(1);
    lines.pop();
    world.write("changed", &lines);
    assert!(matches!(world.open("changed", log), Err(ExportError::Broken(_))));
    let empty = world.open("empty", log).unwrap();
    assert!(matches!(empty.finish(&signer()), Err(ExportError::NoExport)));
}

#[tokio::test]
async fn an_export_verifies_over_a_change_of_the_key() {
    let world = World::with_events(3).await;
    world.export("e").await;
    world.append(4, 1).await;
    let newer = Signer::new(&[9; 32]);
    world.export_signed("e", &newer).await;
    let keys = [newer.public_key(), signer().public_key()];
    let content = ExportContent::read(&world.path("e"), &keys, &[]).unwrap();
    assert_eq!((content.checkpoints, broken(&content)), (2, None));
    let refused = ExportContent::read(&world.path("e"), &keys[..1], &[]);
    assert!(matches!(refused, Err(ExportError::Note { .. })), "{refused:?}");
}

#[tokio::test]
async fn two_exports_to_one_file_do_not_mix() {
    let world = World::with_events(1).await;
    let log = world.heads().await.log;
    let first = world.open("e", log).unwrap();
    assert!(matches!(world.open("e", log), Err(ExportError::Busy)));
    drop(first);
    world.open("e", log).unwrap();
}
