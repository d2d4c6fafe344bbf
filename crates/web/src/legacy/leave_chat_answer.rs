//! What the leaving of a chat answers. Pure.

use domain::chat::ChatKind;
use domain::saga::{Left, Saga, SagaState};
use domain::{ChatId, Timestamp};
use http::StatusCode;

use super::answer::{Answer, Body};
use super::refused;

/// What the saga answers at its end; `None` while it may still change by itself.
pub(super) fn answer(saga: &Saga, given: &str, now: Timestamp) -> Option<Answer> {
    match saga.state {
        SagaState::Done => Some(left(saga)),
        SagaState::Failed => Some(refused::failed(saga, Some(given), now)),
        SagaState::Cancelled => Some(Answer::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "it was cancelled before anything was begun; the chat was not left",
        )),
        SagaState::InDoubt => Some(doubt(saga)),
        SagaState::Queued | SagaState::Running => None,
    }
}

/// It is being left, and no one knows yet how that ends.
pub(super) fn doubt(saga: &Saga) -> Answer {
    let account = saga.account.as_ref().map_or("an account", |account| account.as_str());
    let what = match saga.state {
        SagaState::InDoubt => format!("{account} may have left the chat and cannot be asked any more"),
        _ => format!("the chat is being left by {account}"),
    };
    let what = match saga.progress.removed.len() {
        0 => what,
        removed => format!("{what}; members removed so far: {removed}"),
    };
    Answer::doubt(&what, "/v1/operations", &saga.id)
}

pub(super) fn unfound(note: &str) -> Answer {
    let body = Body::LeftUnfound { status: "ok", left_type: "unresolvable", note: note.to_owned() };
    Answer { status: StatusCode::OK, body }
}

fn left(saga: &Saga) -> Answer {
    let kind = saga.chat_id.map(ChatId::kind);
    let how = saga.progress.left.or(match kind {
        Some(ChatKind::Channel) => Some(Left::Channel),
        Some(ChatKind::Group) => Some(Left::BasicChat),
        Some(ChatKind::User) | None => None,
    });
    let body = match (how, saga.chat_id.map(ChatId::bare)) {
        (Some(Left::Channel), Some(id)) => Body::LeftChannel {
            status: "ok",
            left_type: "channel",
            id,
            kicked: saga.progress.removed.clone(),
        },
        (Some(Left::BasicChat), Some(id)) => Body::LeftGroup { status: "ok", left_type: "basic_chat", id },
        _ => return unfound("no account can find this chat, so it counts as left"),
    };
    Answer { status: StatusCode::OK, body }
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::wire;
    use super::super::create_chat_answer::tests::saga;
    use super::*;
    use domain::UserId;
    use domain::outcome::Failure;
    use domain::saga::{Progress, Task};

    fn leaving(chat_id: &str, state: SagaState, left: Option<Left>, removed: &[i64]) -> Saga {
        let chat = chat_id.parse().expect("a chat");
        let removed = removed.iter().filter_map(|id| UserId::new(*id)).collect();
        let task = Task::LeaveChat { chat, remove_members: true, missing_is_left: true, keep_own: false };
        let progress = Progress { left, removed, ..Progress::default() };
        Saga { chat_id: chat_id.parse().ok(), ..saga(task, state, progress) }
    }

    fn of(saga: &Saga) -> (u16, String) {
        wire(&answer(saga, "@demo", Timestamp::default()).expect("it is over"))
    }

    #[test]
    fn the_three_kinds_of_left_chats_are_reported() {
        let channel = leaving("-1001234567890", SagaState::Done, Some(Left::Channel), &[1, 2]);
        assert_eq!(
            of(&channel),
            (200, r#"{"status":"ok","left_type":"channel","id":1234567890,"kicked":[1,2]}"#.to_owned())
        );
        let group = leaving("-123", SagaState::Done, Some(Left::BasicChat), &[]);
        assert_eq!(of(&group), (200, r#"{"status":"ok","left_type":"basic_chat","id":123}"#.to_owned()));
        let unfound = leaving("-1001234567890", SagaState::Done, Some(Left::Unresolvable), &[]);
        assert_eq!(
            of(&unfound),
            (
                200,
                r#"{"status":"ok","left_type":"unresolvable","note":"no account can find this chat, so it counts as left"}"#
                    .to_owned()
            )
        );
    }

    #[test]
    fn chats_that_were_not_left_are_errors_or_doubts() {
        let running = leaving("-1001234567890", SagaState::Running, None, &[1]);
        assert_eq!(answer(&running, "@demo", Timestamp::default()), None);
        let (status, body) = wire(&doubt(&running));
        assert!(status == 500 && body.contains("members removed so far: 1"), "{body}");
        let mut failed = leaving("-1001234567890", SagaState::Failed, None, &[]);
        failed.failure = Some(Failure::NoAccount { asked: Vec::new() });
        assert_eq!(of(&failed).0, 503);
        assert_eq!(of(&leaving("-123", SagaState::Cancelled, None, &[])).0, 500);
        assert!(of(&leaving("-123", SagaState::InDoubt, None, &[])).1.contains(r#""state":"in_doubt"}"#));
    }
}
