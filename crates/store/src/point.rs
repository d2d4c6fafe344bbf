//! Named points before and after each write, where a test can end the program.

/// The two points round a write. Made only in this file, so that [`NAMES`] lists every one there is.
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
    REVOKE_KEY = "revoke_key";
    LEAVE_PEER = "leave_peer";
    DROP_MESSAGES = "drop_messages";
    DROP_KEYS = "drop_keys";
    DROP_JOINS = "drop_joins";
    DROP_HOLDS = "drop_holds";
}
