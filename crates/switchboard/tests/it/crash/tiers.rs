//! Where the program is killed at each point: as a process, or in the process of the test.

use std::pin::Pin;

use store::Store;
use testkit::World;

use crate::binary;

/// The points of the protocol, where a process is killed: they order what is written and what goes over the wire. At all other points
/// the runtime of the program is dropped. That leaves a transaction that was not made, or one whose answer was lost.
pub(super) const PROTOCOL: [&str; 22] = [
    "store.accept",
    "store.begin",
    "store.part_sent",
    "store.part_unsent",
    "store.note",
    "store.doubt",
    "store.answered",
    "telegram.send",
    "store.accept_saga",
    "store.saga_begin",
    "store.saga_save",
    "telegram.step",
    "store.save_login",
    "store.change_sessions",
    "store.take_updates",
    "store.fan_out",
    "store.webhook_tried",
    "store.take_from_channel",
    "store.pipeline_answer",
    "store.claim_campaign_task",
    "store.ready_campaign_attempt",
    "session_files.copied",
];

/// All others.
pub(super) const WITHIN: [&str; 121] = [
    "store.fail",
    "store.cancel",
    "store.retry",
    "store.resolve",
    "store.approve",
    "store.reject",
    "store.unanswered",
    "store.save_session",
    "store.save_update_state",
    "store.save_hold",
    "store.save_switch",
    "store.save_peers",
    "store.save_fill",
    "store.lift_mark",
    "store.create_key",
    "store.change_key",
    "store.revoke_key",
    "store.leave_peer",
    "store.saga_cancel",
    "store.saga_retry",
    "store.saga_resolve",
    "store.saga_note",
    "store.saga_answered",
    "store.saga_unanswered",
    "store.change_chat",
    "store.migrate_chat",
    "store.forget_unresolved",
    "store.save_service",
    "store.callback_delivered",
    "store.callback_failed",
    "store.callback_requeue",
    "store.retry_failed_request",
    "store.drop_failed_request",
    "store.save_reference",
    "store.forget_reference",
    "store.save_upload",
    "store.drop_messages",
    "store.drop_keys",
    "store.drop_joins",
    "store.drop_holds",
    "store.drop_sagas",
    "store.drop_failovers",
    "store.drop_unresolved",
    "store.drop_callbacks",
    "store.add_account",
    "store.change_account",
    "store.remove_account",
    "store.save_ownerless",
    "store.forget_ownerless",
    "store.forget_login",
    "store.save_restriction",
    "store.lift_restriction",
    "store.drop_failed_requests",
    "store.drop_references",
    "store.drop_uploads",
    "store.count_account",
    "store.drop_sent_counts",
    "store.import_peers",
    "store.import_chats",
    "store.import_requests",
    "store.import_failovers",
    "store.save_clearing",
    "store.save_alerts",
    "store.alert_delivered",
    "store.alert_notified",
    "store.alert_put_off",
    "store.alert_given_up",
    "store.alert_target_off",
    "store.add_alert_target",
    "store.remove_alert_target",
    "store.save_alert_mute",
    "store.forget_alert_mute",
    "store.add_maintenance",
    "store.remove_maintenance",
    "store.drop_alerts",
    "store.drop_alert_notices",
    "store.account_states",
    "store.drop_events",
    "store.add_webhook",
    "store.change_webhook",
    "store.pause_webhook",
    "store.resume_webhook",
    "store.disable_webhook",
    "store.remove_webhook",
    "store.replay_webhook",
    "store.retry_webhook",
    "store.make_next_key",
    "store.name_next_key",
    "store.seal_again",
    "store.adopt_key",
    "store.replace_key",
    "store.drop_webhook_deliveries",
    "store.trim_webhook",
    "store.hurry_webhook",
    "store.drop_webhook_posts",
    "store.drop_received",
    "store.drop_received_files",
    "store.drop_channel_messages",
    "store.drop_channel_files",
    "store.drop_old_rows",
    "store.change_gap",
    "store.note_received_file",
    "store.keep_channel_values",
    "store.note_channel_file",
    "store.save_flow_run",
    "store.switch_flow",
    "store.save_campaign",
    "store.add_campaign_tasks",
    "store.change_campaign_run",
    "store.end_campaign_attempt",
    "store.save_flow_definition",
    "store.remove_flow_definition",
    "store.pipeline_take_in",
    "store.pipeline_advance",
    "store.pipeline_submitted",
    "store.pipeline_change",
    "telegram.clearing.stopping",
    "telegram.clearing.stopped",
    "telegram.clearing.silent",
    "telegram.clearing.started",
    "pipeline.acknowledge",
];

/// Where the program runs that is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    Process,
    Test,
}

tokio::task_local! {
    static TIER: Tier;
}

impl Tier {
    /// Lets a scenario that begins with [`world`] be of this tier.
    pub(super) async fn scope<T>(self, scenario: impl Future<Output = T>) -> T {
        TIER.scope(self, scenario).await
    }
}

/// All points that the program knows.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    Store::FAILPOINTS.iter().chain(telegram::FAILPOINTS).chain(pipeline::FAILPOINTS).copied()
}

/// A point by its name.
pub(super) fn named(point: &str) -> &'static str {
    known().find(|known| *known == point).expect("a point that the program knows")
}

/// The tier of a point. It is in one of the lists.
pub(super) fn of(point: &str) -> Tier {
    let write = super::write(point);
    match (PROTOCOL.contains(&write), WITHIN.contains(&write)) {
        (true, false) => Tier::Process,
        (false, true) => Tier::Test,
        (true, true) => panic!("{write} has two tiers"),
        (false, false) => panic!("{write} has no tier"),
    }
}

/// A world of the tier.
pub(crate) async fn world() -> World {
    match TIER.try_with(|tier| *tier) {
        Ok(Tier::Test) => World::here(run).await,
        Ok(Tier::Process) | Err(_) => World::start(binary()).await,
    }
}

fn run(arguments: Vec<String>) -> Pin<Box<dyn Future<Output = Result<(), String>>>> {
    Box::pin(async { switchboard::run_with(arguments).await.map_err(|error| format!("{error:#}")) })
}

#[test]
fn each_known_point_has_one_tier() {
    for point in known() {
        of(point);
    }
    for write in PROTOCOL.iter().chain(&WITHIN) {
        assert!(known().any(|point| super::write(point) == *write), "no point is of {write}");
    }
}
