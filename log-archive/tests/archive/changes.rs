//! Whatever is changed in an export is found.

use log_archive::export::{ExportContent, ExportError};
use log_archive::{NoteError, Signer};

use crate::world::{World, broken, signer};

/// The lines of an export, its records by their numbers in it, and its checkpoint.
async fn exported() -> (World, Vec<String>) {
    let world = World::with_events(5).await;
    world.export("e").await;
    let lines = world.lines("e");
    (world, lines)
}

type Edit<'a> = dyn Fn(&mut Vec<String>) + 'a;

fn of_users(lines: &[String]) -> Vec<usize> {
    (0..lines.len()).filter(|at| lines[*at].contains("password_changed")).collect()
}

#[tokio::test]
async fn a_changed_removed_swapped_or_forged_record_is_found() {
    let (world, lines) = exported().await;
    let users = of_users(&lines);
    let edits: [&Edit<'_>; 6] = [
        // Later than every record after it.
        &|lines| lines[users[2]] = lines[users[2]].replace("\"offset\":", "\"offset\":1000"),
        &|lines| lines[users[2]] = lines[users[2]].replace("1.50", "1.51"),
        &|lines| {
            lines[users[2]] = lines[users[2]].replace("\"ce_actor\":\"system\"", "\"ce_actor\":\"user_1\"");
        },
        &|lines| drop(lines.remove(users[2])),
        &|lines| lines.swap(users[2], users[3]),
        &|lines| lines.insert(users[2], lines[users[2]].replace("1.50", "2.50")),
    ];
    for (number, edit) in edits.iter().enumerate() {
        let mut changed = lines.clone();
        edit(&mut changed);
        assert_ne!(changed, lines);
        world.write("changed", &changed);
        let content = world.read("changed").unwrap();
        let found =
            |reason: String| reason.contains("the chain is broken") || reason.contains("comes after offset");
        assert!(broken(&content).is_some_and(found), "{number}");
    }
    world.write("same", &lines);
    assert_eq!(broken(&world.read("same").unwrap()), None);
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_found_by_a_checkpoint() {
    let (world, lines) = exported().await;
    let checkpoint = world.read("e").unwrap().last.unwrap();
    let cut: Vec<_> = lines[..lines.len() - 2].to_vec();
    world.write("cut", &cut);
    assert_eq!(broken(&world.read("cut").unwrap()), None, "nothing in it says that more was there");
    let content = ExportContent::read(&world.path("cut"), &[], &[checkpoint]).unwrap();
    let reason = broken(&content).unwrap();
    assert!(reason.contains("it ends at") && reason.contains("the checkpoint has seen it up to"), "{reason}");

    let mut with_checkpoint = lines.clone();
    with_checkpoint.remove(lines.len() - 2);
    world.write("cut", &with_checkpoint);
    assert!(broken(&world.read("cut").unwrap()).is_some());
}

#[tokio::test]
async fn another_history_with_whole_chains_is_found_by_a_checkpoint() {
    let (world, _) = exported().await;
    let checkpoint = world.read("e").unwrap().last.unwrap();
    let other = World::with_events(4).await;
    other.append(5, 3).await;
    other.export("e").await;
    let content = ExportContent::read(&other.path("e"), &[], &[checkpoint]).unwrap();
    assert!(broken(&content).is_some_and(|reason| reason.contains("another chain value")));
}

#[tokio::test]
async fn a_checkpoint_that_another_key_has_signed_is_refused() {
    let (world, mut lines) = exported().await;
    let other = Signer::new(&[8; 32]);
    let refused = ExportContent::read(&world.path("e"), &[other.public_key()], &[]);
    assert!(matches!(refused, Err(ExportError::Note { source: NoteError::OtherKey(_), .. })), "{refused:?}");
    let last = lines.last_mut().unwrap();
    *last = last.replacen("user-events-0 6", "user-events-0 7", 1);
    world.write("changed", &lines);
    let refused = world.read("changed");
    assert!(
        matches!(refused, Err(ExportError::Note { source: NoteError::WrongSignature, .. })),
        "{refused:?}"
    );
    assert!(signer().public_key().to_string().starts_with("muster+"));
}

#[tokio::test]
async fn a_damaged_part_is_told_from_a_file_that_cant_be_read() {
    let (world, _) = exported().await;
    let mut bytes = std::fs::read(world.path("e")).unwrap();
    bytes.extend(b"and more");
    std::fs::write(world.path("longer"), &bytes).unwrap();
    let refused = world.read("longer");
    assert!(matches!(refused, Err(ExportError::Damaged(_) | ExportError::Cut)), "{refused:?}");
    assert!(matches!(world.read("missing"), Err(ExportError::File(_))));
}
