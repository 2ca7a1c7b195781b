//! How far a log reaches is found from its end, and is what a whole walk finds.

use log_archive::{PlaceVerification, Verification};

use crate::world::World;

#[tokio::test]
async fn heads_are_what_a_walk_finds() {
    // As many as are looked at from the end at first, and more.
    for count in [1, 255, 256, 700] {
        let world = World::with_events(count).await;
        let heads = world.heads().await;
        let places = heads.heads.iter().map(|head| (head.place, PlaceVerification::default())).collect();
        let mut walked = Verification { places, ..Verification::default() };
        for recorded in world.records().await {
            walked.meet(&recorded, false);
        }
        walked.end();
        assert!(!walked.is_broken());
        assert_eq!(heads, walked.checkpoint().unwrap(), "{count}");
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
