//! Why something was not done, in words, and what a failed saga answers. Pure.

use api::describe_refused_task;
use domain::Timestamp;
use domain::outcome::{Failure, Refusal};
use domain::saga::Saga;
use http::StatusCode;

use super::answer::Answer;

pub(super) fn describe_refusals(accounts: &[Refusal]) -> String {
    if accounts.is_empty() {
        return "none".to_owned();
    }
    let refusals = accounts.iter().map(|refusal| format!("{}: {}", refusal.account, refusal.why));
    refusals.collect::<Vec<_>>().join("; ")
}

/// What the old scripts say of a chat that no one knows, and who was asked.
pub(super) fn cannot_find(given: &str, accounts: &str) -> String {
    format!("Cannot find chat {given} (accounts asked: {accounts})")
}

/// What a saga that failed answers. `chat` is how its caller named the chat, if there was one to name.
pub(super) fn failed(saga: &Saga, chat: Option<&str>, now: Timestamp) -> Answer {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let done = saga.changed_before_failing().unwrap_or_else(|| "nothing was done".to_owned());
    match saga.failure.as_ref() {
        Some(Failure::FloodWait { until } | Failure::LimitReached { until }) => Answer::flood(*until, now),
        Some(Failure::NoAccount { asked: accounts }) => Answer::error(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("no account is usable now; {done} ({})", describe_refusals(accounts)),
        ),
        Some(Failure::ChatNotFound { asked: accounts } | Failure::NotInChat { asked: accounts }) => {
            Answer::error(status, cannot_find(chat.unwrap_or("it"), &describe_refusals(accounts)))
        }
        Some(Failure::NoRights { asked: accounts }) => Answer::error(
            status,
            format!("every account was refused; {done} ({})", describe_refusals(accounts)),
        ),
        Some(Failure::Rejected { provider_code }) => {
            Answer::error(status, format!("{}; {done}", provider_code.in_words()))
        }
        Some(
            failure @ (Failure::MediaGone { .. }
            | Failure::MediaExpired { .. }
            | Failure::ProviderError { .. }
            | Failure::Undelivered { .. }),
        ) => Answer::error(status, failure.describe()),
        Some(failure @ Failure::DoNotContact { .. }) => {
            Answer::error(StatusCode::FORBIDDEN, failure.describe())
        }
        Some(failure @ Failure::Restored { .. }) => Answer::error(status, describe_refused_task(failure)),
        None => Answer::error(status, "it failed and no reason was stored; see its steps in /v1/operations"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::wire;
    use super::super::create_chat_answer::tests::saga;
    use super::*;
    use domain::UserId;
    use domain::saga::{Progress, SagaState, Task};

    fn leaving(failure: Option<Failure>, removed: &[i64]) -> Saga {
        let chat = "@demo".parse().expect("a chat");
        let task = Task::LeaveChat { chat, remove_members: true, missing_is_left: true, keep_own: false };
        let removed = removed.iter().filter_map(|id| UserId::new(*id)).collect();
        let progress = Progress { removed, ..Progress::default() };
        Saga { failure, ..saga(task, SagaState::Failed, progress) }
    }

    #[test]
    fn failures_follow_the_table() {
        let asked = vec![
            Refusal { account: "main".parse().expect("a name"), why: "banned".to_owned() },
            Refusal { account: "backup_1".parse().expect("a name"), why: "offline".to_owned() },
        ];
        let of = |failure: Failure| {
            wire(&failed(&leaving(Some(failure), &[]), Some("@demo"), Timestamp::default()))
        };
        for (failure, status, says) in [
            (Failure::NoAccount { asked: asked.clone() }, 503, "main: banned; backup_1: offline"),
            (Failure::NoRights { asked: asked.clone() }, 500, "main: banned; backup_1: offline"),
            (
                Failure::NotInChat { asked: asked.clone() },
                500,
                "Cannot find chat @demo (accounts asked: main: banned;",
            ),
            (Failure::ChatNotFound { asked }, 500, "Cannot find chat @demo (accounts asked: main: banned;"),
            (Failure::ChatNotFound { asked: Vec::new() }, 500, "(accounts asked: none)"),
            (Failure::Rejected { provider_code: "CHAT_TITLE_EMPTY".into() }, 500, "CHAT_TITLE_EMPTY"),
            (Failure::FloodWait { until: Timestamp::from_micros(1_000_000) }, 429, r#""retry_after":1}"#),
            (Failure::Restored { made_at: Timestamp::default() }, 500, "may have been done since"),
        ] {
            let (actual, body) = of(failure);
            assert_eq!(actual, status, "{body}");
            assert!(body.contains(says), "{body}");
        }
        assert_eq!(failed(&leaving(None, &[]), None, Timestamp::default()).status, 500);
    }

    #[test]
    fn members_who_were_removed_before_are_counted() {
        let refused = || Some(Failure::Rejected { provider_code: "USER_CREATOR".into() });
        let of = |removed: &[i64]| wire(&failed(&leaving(refused(), removed), None, Timestamp::default())).1;
        assert!(
            of(&[]).contains("may not leave it") && of(&[]).ends_with("nothing was done\"}"),
            "{}",
            of(&[])
        );
        for (removed, says) in
            [(&[1][..], "1 member was removed before"), (&[1, 2], "2 members were removed before")]
        {
            let body = of(removed);
            assert!(body.contains(says) && !body.contains("nothing was done"), "{body}");
        }
    }
}
