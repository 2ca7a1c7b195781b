//! The conformance suite of the log, run on both adapters: always on SQLite, on Kafka if a broker is given.

#![expect(clippy::unwrap_used, reason = "the suite is test code outside of test functions")]

mod fixture;
mod following;
mod kafka;
mod sharing;
mod snapshots;
mod sqlite;
mod writing;

/// One test per adapter for each function of the suite.
macro_rules! on_every_log {
    ($($suite:ident::$name:ident;)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::$suite::$name(crate::sqlite::Directory::new()).await;
            })*
        }
        mod on_kafka {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(topics) = crate::kafka::Topics::make().await {
                    crate::$suite::$name(topics).await;
                }
            })*
        }
    };
}

on_every_log! {
    writing::a_claim_replays_everything_in_order_claims_included;
    writing::a_claim_replays_the_newest_of_every_key;
    writing::a_claim_that_cannot_replay_a_record_says_which;
    writing::a_batch_over_several_streams_lies_in_all_of_them;
    writing::an_older_writer_is_fenced_and_its_batch_is_in_no_stream;
    writing::only_the_newest_writer_can_reclaim_and_its_chain_goes_on;
    writing::the_chain_goes_on_over_claims_and_restarts;
    writing::f26_sequences_of_0_1_0_and_padded_ones_lie_in_one_chain;
    writing::an_empty_batch_writes_nothing;
    writing::access_records_lie_in_the_partition_of_their_key;
    writing::the_owner_is_announced_and_the_newest_wins;
    sharing::a_single_member_holds_everything_and_hands_it_over_when_it_leaves;
    snapshots::a_claim_begins_with_the_newest_snapshot_and_replays_what_came_after;
    snapshots::a_snapshot_that_is_refused_leaves_everything_to_be_replayed;
    snapshots::parts_may_be_larger_than_a_record;
    snapshots::nothing_is_saved_before_a_user_event_was_appended;
    snapshots::a_snapshot_survives_a_restart_and_the_fence;
    following::what_is_appended_is_followed_in_order;
    following::a_follower_starts_where_it_is_told;
    following::followers_do_not_disturb_each_other;
    following::a_position_covers_the_last_record_of_each_place_and_followers_pass_it;
    following::the_newest_of_a_credential_and_its_tombstone_are_met;
    following::the_ends_are_where_a_follower_arrives;
    following::the_end_is_said_again_while_nothing_happens;
    following::a_log_that_is_closed_ends_its_followers;
}
