//! What the making of a chat answers, step by step under `debug`. Pure.

use domain::outcome::{Failure, RejectionCode};
use domain::saga::{Ended, Member, MemberResult, Role, Saga, SagaState};
use domain::{AccountName, ChatId, Timestamp};
use http::StatusCode;
use serde::Serialize;

use super::answer::{Answer, Body};
use super::create_chat_request::{CreateChatRequest, Named};
use super::refused;

/// How each step went, as the old scripts report it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Debug {
    account: Option<AccountName>,
    resolve_failed: Vec<String>,
    #[serde(flatten)]
    made: Option<Made>,
}

/// How the steps went that are taken once there is a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Made {
    open_history: String,
    invite: String,
    invite_failed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invite_missing: Vec<String>,
    promote_bots: Vec<String>,
    export_invite: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    observer: Option<String>,
}

/// What the saga answers at its end; `None` while it may still change by itself.
pub(super) fn answer(saga: &Saga, request: &CreateChatRequest, now: Timestamp) -> Option<Answer> {
    match saga.state {
        SagaState::Done => Some(made(saga, request)),
        SagaState::Failed => Some(match &saga.failure {
            Some(Failure::Rejected { provider_code: RejectionCode::NoResolvableUsers }) => {
                no_members_found(request, saga.account.clone(), &saga.progress.members)
            }
            _ => refused::failed(saga, None, now),
        }),
        SagaState::Cancelled => Some(Answer::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "it was cancelled before anything was begun; no chat was created",
        )),
        SagaState::InDoubt => Some(doubt(saga)),
        SagaState::Queued | SagaState::Running => None,
    }
}

/// None of the people is found; without an account when no one had to be asked.
pub(super) fn no_members_found(
    request: &CreateChatRequest,
    account: Option<AccountName>,
    members: &[Member],
) -> Answer {
    let debug = Debug { account, resolve_failed: resolve_failed(request, members), made: None };
    Answer {
        status: StatusCode::BAD_REQUEST,
        body: Body::NoMembersFound { error: "no resolvable users", debug },
    }
}

/// The chat may have been made, or is made and not finished.
pub(super) fn doubt(saga: &Saga) -> Answer {
    let account = saga.account.as_ref().map_or("an account", |account| account.as_str());
    let what = match saga.chat_id {
        Some(chat) => format!("the chat {chat} was created by {account} and is not finished"),
        None => format!("{account} was asked to create the chat, and it may exist"),
    };
    Answer::doubt(&what, "/v1/operations", &saga.id)
}

fn made(saga: &Saga, request: &CreateChatRequest) -> Answer {
    let progress = &saga.progress;
    let named = |wanted: fn(&Member) -> bool, describe: fn(&Member) -> String| {
        let people = progress.members.iter().filter(|member| member.role != Role::Observer);
        people
            .filter(|member| member.person.is_some() && wanted(member))
            .map(|member| format!("{}: {}", request.given(&member.who), describe(member)))
            .collect::<Vec<_>>()
    };
    let made = Made {
        open_history: ended(progress.open_history.as_ref()),
        invite: ended(progress.invite.as_ref()),
        invite_failed: named(
            |member| matches!(member.result, Some(MemberResult::Failed | MemberResult::NotFound)),
            why,
        ),
        invite_missing: named(|member| member.result == Some(MemberResult::Privacy), why),
        promote_bots: named(|member| member.promoted.is_some(), |member| ended(member.promoted.as_ref())),
        export_invite: ended(progress.export_link.as_ref()),
        observer: progress.members.iter().find(|member| member.role == Role::Observer).map(observed),
    };
    let debug = Debug {
        account: saga.account.clone(),
        resolve_failed: resolve_failed(request, &progress.members),
        made: Some(made),
    };
    Answer {
        status: StatusCode::OK,
        body: Body::Created {
            status: "ok",
            title: request.title.clone(),
            chat_id: saga.chat_id.as_ref().map(ChatId::to_string),
            invite_link: progress.invite_link.clone(),
            debug,
        },
    }
}

/// Everyone who was not found, in the order in which they were named.
fn resolve_failed(request: &CreateChatRequest, members: &[Member]) -> Vec<String> {
    let reason = |named: &Named| match &named.who {
        None => Some("no one can have this name".to_owned()),
        Some(who) => members
            .iter()
            .find(|member| member.who == *who && member.role != Role::Observer)
            .filter(|member| member.person.is_none())
            .map(why),
    };
    let mut failed: Vec<String> = Vec::new();
    for named in &request.people {
        if let Some(reason) = reason(named) {
            let line = format!("{}: {reason}", named.given);
            if !failed.contains(&line) {
                failed.push(line);
            }
        }
    }
    failed
}

fn ended(ended: Option<&Ended>) -> String {
    match ended {
        Some(Ended::Ok) => "ok".to_owned(),
        Some(Ended::Refused { why }) => why.clone(),
        None => "not done".to_owned(),
    }
}

fn observed(observer: &Member) -> String {
    match observer.result {
        Some(MemberResult::Added | MemberResult::Already) => "ok".to_owned(),
        _ => why(observer),
    }
}

/// Why someone is not where they should be.
fn why(member: &Member) -> String {
    let word = match member.result {
        Some(MemberResult::Privacy) => "privacy settings",
        Some(MemberResult::NotFound) => "no one has this name",
        Some(MemberResult::Failed) => "failed",
        Some(MemberResult::Added | MemberResult::Already | MemberResult::Removed) => "ok",
        None => "not done",
    };
    member.detail.clone().unwrap_or_else(|| word.to_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::answer::tests::wire;
    use super::super::fields::Fields;
    use super::*;
    use domain::UserId;
    use domain::message::OnFlood;
    use domain::saga::{Person, Progress, Task};

    const BODY: &str = r#"{"title":" A chat ","usernames":["@Anna_1","shy_1","gone_1","не имя","demo_bot"]}"#;

    fn chat_request() -> CreateChatRequest {
        CreateChatRequest::read(&Fields::read(BODY.as_bytes())).expect("a chat")
    }

    pub(crate) fn saga(task: Task, state: SagaState, progress: Progress) -> Saga {
        Saga {
            id: "op_00000000000000000000000000".parse().expect("an id"),
            task,
            state,
            pin: None,
            on_flood: OnFlood::Wait,
            patient_until: Timestamp::default(),
            account: "main".parse().ok(),
            chat_id: "-1001234567890".parse().ok(),
            begun: None,
            progress,
            failure: None,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    fn member(who: &str, role: Role, found: Option<bool>, result: MemberResult) -> Member {
        Member {
            who: who.parse().expect("a name"),
            role,
            person: found.map(|is_bot| Person { user_id: UserId::new(7).expect("an id"), is_bot }),
            result: Some(result),
            detail: None,
            promoted: found.filter(|is_bot| *is_bot).map(|_| Ended::Ok),
        }
    }

    fn progress() -> Progress {
        Progress {
            members: vec![
                member("@anna_1", Role::Member, Some(false), MemberResult::Added),
                member("@shy_1", Role::Member, Some(false), MemberResult::Privacy),
                member("@gone_1", Role::Member, None, MemberResult::NotFound),
                member("@demo_bot", Role::Member, Some(true), MemberResult::Added),
            ],
            open_history: Some(Ended::Ok),
            invite: Some(Ended::Ok),
            export_link: Some(Ended::Ok),
            invite_link: Some("https://t.me/+abc".to_owned()),
            ..Progress::default()
        }
    }

    fn of(state: SagaState, progress: Progress) -> (u16, String) {
        let saga = saga(chat_request().task(false).expect("a task"), state, progress);
        wire(&answer(&saga, &chat_request(), Timestamp::default()).expect("it is over"))
    }

    #[test]
    fn a_created_chat_is_described() {
        assert_eq!(
            of(SagaState::Done, progress()),
            (
                200,
                r#"{"status":"ok","title":" A chat ","chat_id":"-1001234567890","invite_link":"https://t.me/+abc","debug":{"account":"main","resolve_failed":["@gone_1: no one has this name","не имя: no one can have this name"],"open_history":"ok","invite":"ok","invite_failed":[],"invite_missing":["@shy_1: privacy settings"],"promote_bots":["@demo_bot: ok"],"export_invite":"ok"}}"#
                    .to_owned()
            )
        );
    }

    #[test]
    fn refused_later_steps_of_a_created_chat_are_named() {
        let refused = |why: &str| Some(Ended::Refused { why: why.to_owned() });
        let mut progress = Progress {
            open_history: refused("CHAT_ADMIN_REQUIRED"),
            invite: refused("flood wait"),
            export_link: None,
            invite_link: None,
            ..progress()
        };
        progress.members[0].result = Some(MemberResult::Failed);
        progress.members[0].detail = Some("USER_KICKED".to_owned());
        progress.members[1].result = Some(MemberResult::Added);
        progress.members[3].promoted = refused("RIGHT_FORBIDDEN");
        progress.members.push(member("@demo_observer", Role::Observer, Some(false), MemberResult::Added));
        assert_eq!(
            of(SagaState::Done, progress).1,
            r#"{"status":"ok","title":" A chat ","chat_id":"-1001234567890","invite_link":null,"debug":{"account":"main","resolve_failed":["@gone_1: no one has this name","не имя: no one can have this name"],"open_history":"CHAT_ADMIN_REQUIRED","invite":"flood wait","invite_failed":["@Anna_1: USER_KICKED"],"promote_bots":["@demo_bot: RIGHT_FORBIDDEN"],"export_invite":"not done","observer":"ok"}}"#
        );
    }

    #[test]
    fn no_one_found_is_the_callers_error() {
        let mut saga =
            saga(chat_request().task(false).expect("a task"), SagaState::Failed, Progress::default());
        saga.failure = Some(Failure::Rejected { provider_code: RejectionCode::NoResolvableUsers });
        saga.progress.members = vec![member("@anna_1", Role::Member, None, MemberResult::NotFound)];
        assert_eq!(
            wire(&answer(&saga, &chat_request(), Timestamp::default()).expect("it is over")),
            (
                400,
                r#"{"error":"no resolvable users","debug":{"account":"main","resolve_failed":["@Anna_1: no one has this name","не имя: no one can have this name"]}}"#
                    .to_owned()
            )
        );
        assert_eq!(
            wire(&no_members_found(&chat_request(), None, &[])).1,
            r#"{"error":"no resolvable users","debug":{"account":null,"resolve_failed":["не имя: no one can have this name"]}}"#
        );
    }

    #[test]
    fn pending_work_has_no_answer_and_unsure_work_is_a_doubt() {
        for state in [SagaState::Queued, SagaState::Running] {
            let saga = saga(chat_request().task(false).expect("a task"), state, progress());
            assert_eq!(answer(&saga, &chat_request(), Timestamp::default()), None, "{state:?}");
        }
        let (status, body) = of(SagaState::InDoubt, progress());
        assert_eq!(status, 500);
        assert!(body.ends_with(r#","id":"op_00000000000000000000000000","state":"in_doubt"}"#), "{body}");
        assert_eq!(of(SagaState::Cancelled, Progress::default()).0, 500);
        assert_eq!(of(SagaState::Failed, Progress::default()).0, 500);
    }
}
