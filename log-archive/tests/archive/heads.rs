//! How far a log reaches is found from its end, and is what a whole walk finds.

use log_archive::Verification;

use crate::world::World;

#[tokio::test]
async fn heads_are_what_a_walk_finds() {
    // As many as are looked at from the end at first, and more.
    for count in [1, 255, 256, 700] {
        let world = World::with_events(count).await;
        let mut walked = Verification::default();
        for recorded in world.records().await {
            walked.meet(&recorded, false);
        }
        walked.end();
        assert!(!walked.is_broken());
        let heads = world.heads().await;
        let known = heads.heads.iter().filter(|head| head.next > 0).copied().collect::<Vec<_>>();
        let walked = walked.checkpoint().unwrap();
        assert_eq!((heads.log, known), (walked.log, walked.heads), "{count}");
    }
}

#[tokio::test]
async fn a_later_log_fits_an_earlier_checkpoint() {
    let world = World::with_events(3).await;
    let before = world.heads().await;
    world.append(4, 3).await;
    let mut walked = Verification::default();
    walked.expect(&before);
    for recorded in world.records().await {
        walked.meet(&recorded, false);
    }
    walked.end();
    assert!(!walked.is_broken(), "{walked:?}");
}
