//! What an error means that a step was answered with: that it was done already, or what became of one person. Pure.

use domain::saga::{MemberResult, Step};

use crate::calls::classify::is_about_membership;

/// Telegram keeps this many characters of a title.
const TITLE: usize = 128;

pub(super) fn limited_title(title: &str) -> String {
    title.trim().chars().take(TITLE).collect()
}

/// Whether the error says that all is as the step wants it.
pub(super) fn is_done(step: &Step, error: &str) -> bool {
    match step {
        Step::OpenHistory | Step::SetTitle { .. } | Step::SetAbout { .. } => error.ends_with("_NOT_MODIFIED"),
        // Anyone who made the chat governs it anyway.
        Step::Promote { .. } => error.ends_with("_NOT_MODIFIED") || error == "USER_CREATOR",
        Step::Remove { .. } => error == "USER_NOT_PARTICIPANT",
        // A chat that one cannot get into any more has been left, by whatever means.
        Step::Leave => matches!(
            error,
            "USER_NOT_PARTICIPANT"
                | "CHANNEL_PRIVATE"
                | "CHANNEL_INVALID"
                | "CHAT_ID_INVALID"
                | "PEER_ID_INVALID"
        ),
        Step::Resolve { .. }
        | Step::Create { .. }
        | Step::Invite { .. }
        | Step::ExportLink
        | Step::ListMembers { .. } => false,
    }
}

/// What became of someone who was invited, if the error is about them; nothing was done then.
pub(super) fn of_invited(error: &str) -> Option<MemberResult> {
    match error {
        "USER_ALREADY_PARTICIPANT" => Some(MemberResult::Already),
        "USER_PRIVACY_RESTRICTED" | "USER_NOT_MUTUAL_CONTACT" | "PRIVACY_PREMIUM_REQUIRED" => {
            Some(MemberResult::Privacy)
        }
        "USER_CHANNELS_TOO_MUCH"
        | "USER_KICKED"
        | "USER_BLOCKED"
        | "USER_IS_BLOCKED"
        | "YOU_BLOCKED_USER"
        | "USER_BOT"
        | "USER_BOT_REQUIRED"
        | "USER_ID_INVALID"
        | "USER_INVALID"
        | "USER_DELETED"
        | "INPUT_USER_DEACTIVATED"
        | "BOT_GROUPS_BLOCKED"
        | "BOTS_TOO_MUCH" => Some(MemberResult::Failed),
        _ => None,
    }
}

/// Whether the error to making a chat is about the account that was to make it: it is in too many already, or may make
/// none.
pub(super) fn is_of_the_maker(error: &str) -> bool {
    matches!(
        error,
        "CHANNELS_TOO_MUCH" | "CHANNELS_ADMIN_PUBLIC_TOO_MUCH" | "USER_RESTRICTED" | "CHAT_ADMIN_REQUIRED"
    )
}

/// Whether the error says that the account is not in the chat any more.
pub(super) fn means_left(error: &str) -> bool {
    error == "USER_BANNED_IN_CHANNEL" || is_about_membership(error)
}

#[cfg(test)]
mod tests {
    use domain::UserId;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn already_satisfied_steps_are_done() {
        let user = UserId::new(1).expect("an id");
        let about = || Step::SetAbout { about: String::new() };
        let done = [
            (Step::OpenHistory, "CHAT_NOT_MODIFIED"),
            (about(), "CHAT_ABOUT_NOT_MODIFIED"),
            (Step::Promote { user }, "CHAT_NOT_MODIFIED"),
            (Step::Remove { user }, "USER_NOT_PARTICIPANT"),
            (Step::Leave, "CHANNEL_PRIVATE"),
        ];
        for (step, error) in done {
            assert!(is_done(&step, error), "{step:?} {error}");
        }
        let refused = [
            (Step::OpenHistory, "CHAT_ADMIN_REQUIRED"),
            (about(), "USER_NOT_PARTICIPANT"),
            (Step::Remove { user }, "CHANNEL_PRIVATE"),
            (Step::Create { title: String::new(), about: String::new() }, "CHAT_NOT_MODIFIED"),
        ];
        for (step, error) in refused {
            assert!(!is_done(&step, error), "{step:?} {error}");
        }
    }

    #[test]
    fn an_error_about_a_person_is_no_error_of_the_call() {
        assert_eq!(of_invited("USER_PRIVACY_RESTRICTED"), Some(MemberResult::Privacy));
        assert_eq!(of_invited("USER_ALREADY_PARTICIPANT"), Some(MemberResult::Already));
        assert_eq!(of_invited("BOT_GROUPS_BLOCKED"), Some(MemberResult::Failed));
        for error in
            ["PEER_FLOOD", "CHAT_ADMIN_REQUIRED", "CHANNEL_PRIVATE", "USER_DEACTIVATED_BAN", "TIMEOUT"]
        {
            assert_eq!(of_invited(error), None, "{error}");
        }
    }

    proptest! {
        #[test]
        fn limiting_a_title_twice_changes_nothing(title: String) {
            let limited = limited_title(&title);
            prop_assert!(limited.chars().count() <= TITLE);
            prop_assert_eq!(limited_title(limited.trim()), limited.trim());
        }
    }
}
