//! Named points before and after each write, where a test can end the program.

/// The two points round a write. Made only in this file, so that [`NAMES`] lists every one there is.
#[derive(Clone, Copy)]
pub(crate) struct Point {
    before: &'static str,
    after: &'static str,
}

impl Point {
    pub(crate) async fn before(&self) {
        failpoint::reach(self.before).await;
    }

    pub(crate) async fn after(&self) {
        failpoint::reach(self.after).await;
    }
}

macro_rules! points {
    ($($constant:ident = $name:literal;)*) => {
        $(pub(crate) const $constant: Point = Point {
            before: concat!("store.", $name, ".before"),
            after: concat!("store.", $name, ".after"),
        };)*

        /// The names of all points, in the order of the list above.
        pub(crate) const NAMES: &[&str] = &[$($constant.before, $constant.after),*];
    };
}

points! {
    ACCEPT = "accept";
    BEGIN = "begin";
    PART_SENT = "part_sent";
    PART_UNSENT = "part_unsent";
    FAIL = "fail";
    DOUBT = "doubt";
    CANCEL = "cancel";
    RETRY = "retry";
    RESOLVE = "resolve";
    APPROVE = "approve";
    REJECT = "reject";
    NOTE = "note";
    ANSWERED = "answered";
    UNANSWERED = "unanswered";
    SAVE_SESSION = "save_session";
    SAVE_UPDATE_STATE = "save_update_state";
    SAVE_HOLD = "save_hold";
    SAVE_SWITCH = "save_switch";
    SAVE_PEERS = "save_peers";
    SAVE_FILL = "save_fill";
    LIFT_MARK = "lift_mark";
    CREATE_KEY = "create_key";
    CHANGE_KEY = "change_key";
    REVOKE_KEY = "revoke_key";
    LEAVE_PEER = "leave_peer";
    ACCEPT_SAGA = "accept_saga";
    SAGA_BEGIN = "saga_begin";
    SAGA_SAVE = "saga_save";
    SAGA_CANCEL = "saga_cancel";
    SAGA_RETRY = "saga_retry";
    SAGA_RESOLVE = "saga_resolve";
    SAGA_NOTE = "saga_note";
    SAGA_ANSWERED = "saga_answered";
    SAGA_UNANSWERED = "saga_unanswered";
    CHANGE_CHAT = "change_chat";
    MIGRATE_CHAT = "migrate_chat";
    FORGET_UNRESOLVED = "forget_unresolved";
    SAVE_SERVICE = "save_service";
    CALLBACK_DELIVERED = "callback_delivered";
    CALLBACK_FAILED = "callback_failed";
    CALLBACK_REQUEUE = "callback_requeue";
    RETRY_FAILED_REQUEST = "retry_failed_request";
    DROP_FAILED_REQUEST = "drop_failed_request";
    SAVE_REFERENCE = "save_reference";
    FORGET_REFERENCE = "forget_reference";
    SAVE_UPLOAD = "save_upload";
    DROP_MESSAGES = "drop_messages";
    DROP_KEYS = "drop_keys";
    DROP_JOINS = "drop_joins";
    DROP_HOLDS = "drop_holds";
    DROP_SAGAS = "drop_sagas";
    DROP_FAILOVERS = "drop_failovers";
    DROP_UNRESOLVED = "drop_unresolved";
    DROP_CALLBACKS = "drop_callbacks";
    ADD_ACCOUNT = "add_account";
    CHANGE_ACCOUNT = "change_account";
    REMOVE_ACCOUNT = "remove_account";
    CHANGE_SESSIONS = "change_sessions";
    SAVE_OWNERLESS = "save_ownerless";
    FORGET_OWNERLESS = "forget_ownerless";
    SAVE_LOGIN = "save_login";
    FORGET_LOGIN = "forget_login";
    SAVE_RESTRICTION = "save_restriction";
    LIFT_RESTRICTION = "lift_restriction";
    DROP_FAILED_REQUESTS = "drop_failed_requests";
    DROP_REFERENCES = "drop_references";
    DROP_UPLOADS = "drop_uploads";
    COUNT_ACCOUNT = "count_account";
    DROP_SENT_COUNTS = "drop_sent_counts";
    IMPORT_PEERS = "import_peers";
    IMPORT_CHATS = "import_chats";
    IMPORT_REQUESTS = "import_requests";
    IMPORT_FAILOVERS = "import_failovers";
    SAVE_CLEARING = "save_clearing";
    SAVE_ALERTS = "save_alerts";
    ALERT_DELIVERED = "alert_delivered";
    ALERT_RECEIVED = "alert_notified";
    ALERT_PUT_OFF = "alert_put_off";
    ALERT_GIVEN_UP = "alert_given_up";
    ALERT_TARGET_OFF = "alert_target_off";
    ADD_ALERT_TARGET = "add_alert_target";
    REMOVE_ALERT_TARGET = "remove_alert_target";
    SAVE_ALERT_MUTE = "save_alert_mute";
    FORGET_ALERT_MUTE = "forget_alert_mute";
    ADD_MAINTENANCE = "add_maintenance";
    REMOVE_MAINTENANCE = "remove_maintenance";
    DROP_ALERTS = "drop_alerts";
    DROP_ALERT_NOTICES = "drop_alert_notices";
    ACCOUNT_STATES = "account_states";
    DROP_EVENTS = "drop_events";
    ADD_WEBHOOK = "add_webhook";
    CHANGE_WEBHOOK = "change_webhook";
    PAUSE_WEBHOOK = "pause_webhook";
    RESUME_WEBHOOK = "resume_webhook";
    DISABLE_WEBHOOK = "disable_webhook";
    REMOVE_WEBHOOK = "remove_webhook";
    REPLAY_WEBHOOK = "replay_webhook";
    RETRY_WEBHOOK = "retry_webhook";
    MAKE_NEXT_KEY = "make_next_key";
    NAME_NEXT_KEY = "name_next_key";
    SEAL_AGAIN = "seal_again";
    ADOPT_KEY = "adopt_key";
    REPLACE_KEY = "replace_key";
    FAN_OUT = "fan_out";
    WEBHOOK_TRIED = "webhook_tried";
    DROP_WEBHOOK_DELIVERIES = "drop_webhook_deliveries";
    TRIM_WEBHOOK = "trim_webhook";
    HURRY_WEBHOOK = "hurry_webhook";
    DROP_WEBHOOK_POSTS = "drop_webhook_posts";
    DROP_RECEIVED = "drop_received";
    DROP_RECEIVED_FILES = "drop_received_files";
    DROP_CHANNEL_MESSAGES = "drop_channel_messages";
    DROP_CHANNEL_FILES = "drop_channel_files";
    DROP_OLD_ROWS = "drop_old_rows";
    TAKE_UPDATES = "take_updates";
    CHANGE_GAP = "change_gap";
    NOTE_RECEIVED_FILE = "note_received_file";
    TAKE_FROM_CHANNEL = "take_from_channel";
    KEEP_CHANNEL_VALUES = "keep_channel_values";
    NOTE_CHANNEL_FILE = "note_channel_file";
    SAVE_FLOW_RUN = "save_flow_run";
    SWITCH_FLOW = "switch_flow";
    SAVE_CAMPAIGN = "save_campaign";
    ADD_CAMPAIGN_TASKS = "add_campaign_tasks";
    CHANGE_CAMPAIGN_RUN = "change_campaign_run";
    CLAIM_CAMPAIGN_TASK = "claim_campaign_task";
    READY_CAMPAIGN_ATTEMPT = "ready_campaign_attempt";
    END_CAMPAIGN_ATTEMPT = "end_campaign_attempt";
    SAVE_FLOW_DEFINITION = "save_flow_definition";
    REMOVE_FLOW_DEFINITION = "remove_flow_definition";
    PIPELINE_TAKE_IN = "pipeline_take_in";
    PIPELINE_ADVANCE = "pipeline_advance";
    PIPELINE_ANSWER = "pipeline_answer";
    PIPELINE_SUBMITTED = "pipeline_submitted";
    PIPELINE_CHANGE = "pipeline_change";
}
