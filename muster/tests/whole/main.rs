//! The whole path: the real binary, driven through its doors, in both ways of running with the same script.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that can't be")]

mod addresses;
mod archive;
mod canary;
mod crates;
mod deletion;
mod deployment;
mod documents;
mod faults;
mod feed_reader;
mod feeds;
mod file_graph;
mod files;
mod foreign;
mod journey;
mod log_format;
mod operators;
mod past;
mod permissions;
mod portal;
mod races;
mod raised;
mod raw_topics;
mod refusals;
mod replay;
mod running;
mod sequences;
mod strays;
mod surroundings;
mod unwritable_logs;
mod upgrades;
mod webhooks;
mod wire;

use deployment::Deployment;

/// Runs a script against an embedded and a distributed deployment.
macro_rules! both {
    ($($name:ident => $script:expr;)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn embedded() {
                ($script)(super::Deployment::embedded().await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn distributed() {
                if let Some(deployment) = super::Deployment::distributed().await {
                    ($script)(deployment).await;
                }
            }
        }
    )*};
}

both! {
    the_main_job_from_registration_to_suspension => crate::journey::main_job;
    what_was_answered_survives_a_kill => crate::journey::survives_a_kill;
    of_a_thousand_registrations_of_one_name_one_wins => crate::races::thousand_registrations;
    an_address_has_one_holder => crate::addresses::one_holder;
    of_racing_names_and_addresses_each_has_one_winner => crate::addresses::race;
    what_a_caller_may_do_is_what_the_mutation_answers => crate::permissions::said_beforehand;
    every_bad_field_is_refused_and_nothing_is_written => crate::refusals::every_bad_field;
    groups_are_deleted_when_they_are_empty => crate::deletion::of_groups;
    f06_a_log_that_grew_past_its_views_halts_them_again => crate::foreign::halts_again;
    f07_stray_records_halt_until_they_are_skipped => crate::strays::are_skipped;
    the_feeds_miss_nothing_and_repeat_nothing => crate::feeds::exactly_once;
    a_feed_of_a_group_has_its_members_events => crate::feeds::of_a_group;
    a_replay_is_the_feed_from_any_point_to_any_point => crate::archive::replayed;
    the_chain_verifies_over_a_live_log => crate::operators::verify_live;
    the_past_is_shown_as_it_was => crate::past::as_it_was;
}

/// The same for deployments that are changed before they start.
macro_rules! both_with {
    ($($name:ident => $change:expr, $script:expr;)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn embedded() {
                ($script)(super::Deployment::embedded_as($change).await).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn distributed() {
                if let Some(deployment) = super::Deployment::distributed_as($change).await {
                    ($script)(deployment).await;
                }
            }
        }
    )*};
}

both_with! {
    secrets_are_found_nowhere => crate::archive::with_keys, crate::canary::found_nowhere;
    checkpoints_and_exports_show_a_log_that_was_changed => crate::archive::with_keys, crate::archive::kept_outside;
    events_reach_a_webhook_signed_and_in_order => crate::webhooks::settings, crate::webhooks::delivered;
    what_an_administrator_changes_of_a_webhook_holds => crate::webhooks::settings, crate::webhooks::changed;
    an_event_that_fails_holds_up_its_user_alone => crate::webhooks::settings, crate::webhooks::held_up;
    a_receiver_that_is_gone_is_left_alone => crate::webhooks::settings, crate::webhooks::disabled;
    what_is_owed_to_a_webhook_survives_a_kill => crate::webhooks::settings, crate::webhooks::survives_a_kill;
    a_webhook_stops_at_a_stray_record_until_it_is_skipped => crate::webhooks::settings, crate::webhooks::stops_at_a_stray;
    a_replay_loses_nothing_that_was_not_read => crate::webhooks::settings, crate::webhooks::replayed_ahead;
    private_networks_are_not_reached => crate::webhooks::quick, crate::webhooks::private_is_refused;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_what_a_webhook_left_holds_up_no_other_webhook() {
    if let Some(deployment) = Deployment::distributed_as(webhooks::settings).await {
        webhooks::beside_a_slow_delete(deployment).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_share_the_webhooks_and_survive_each_other() {
    if let Some(deployment) = Deployment::distributed_as(webhooks::settings).await {
        webhooks::shared(deployment).await;
    }
}
