//! What came of work on a chat, as whoever asked for it is answered. Pure.

use domain::saga::{Ended, Left, Member, MemberResult, Role, Saga, Task};
use domain::{AccountName, ChatId, ChatRef, OperationId};
use serde::Serialize;
use utoipa::ToSchema;

// The shapes name all their fields, so that readers of the document can tell them apart.

/// What came of work on a chat, so far; its shape follows what was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OperationResult)]
#[serde(untagged)]
pub(crate) enum ResultView<'a> {
    /// A chat was to be made.
    Made(ChatMade<'a>),
    /// People were to be invited or removed.
    Members(MembersChanged<'a>),
    /// A chat was to be left.
    Left(ChatLeft<'a>),
    /// A chat was to be changed.
    Edited(ChatEdited<'a>),
}

/// A chat that was made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatMade<'a> {
    /// The chat, as the Bot API writes it.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    chat_id: Option<ChatId>,
    /// Its title.
    #[schema(example = "Order 1001")]
    title: &'a str,
    /// The account that made it and serves it.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<&'a AccountName>,
    /// The invite link; null when none could be made.
    #[schema(example = "https://t.me/+AbCdEfGhIjKlMnOp")]
    invite_link: Option<&'a str>,
    /// The people, in the order of the request; the observer last.
    members: Vec<MemberView<'a>>,
    /// How the other steps went.
    steps: StepsView<'a>,
    /// The operation that made it.
    #[schema(value_type = String, example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    operation: OperationId,
}

/// How the steps went that do not decide about the whole: `ok`, or why not; left out when not taken.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatSteps)]
pub(crate) struct StepsView<'a> {
    /// Letting new members read what was written before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    open_history: Option<&'a str>,
    /// Inviting as a whole; each person has a result too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    invite: Option<&'a str>,
    /// Making the invite link.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    export_link: Option<&'a str>,
}

/// People who were invited or removed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MembersChanged<'a> {
    /// The chat, once it is known.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    chat_id: Option<ChatId>,
    /// The people, in the order of the request.
    members: Vec<MemberView<'a>>,
    /// The operation that did it.
    #[schema(value_type = String, example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    operation: OperationId,
}

/// One person and what became of them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MemberResult)]
pub(crate) struct MemberView<'a> {
    /// Who, names with @ and in small letters; somebody who was named twice is here once.
    #[serde(rename = "ref")]
    #[schema(value_type = String, example = "@client_1")]
    who: &'a ChatRef,
    /// `member`, `admin` or `observer`.
    #[schema(value_type = String, example = "member")]
    role: Role,
    /// Telegram's id of them, once known.
    user_id: Option<i64>,
    /// `added`, `already`, `privacy`, `not_found`, `removed` or `failed`; null while it is not known.
    #[schema(value_type = Option<String>, example = "added")]
    result: Option<MemberResult>,
    /// More about it: why they were not added, or not made an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// Whether they became an administrator; left out when they were not to.
    #[serde(skip_serializing_if = "Option::is_none")]
    promoted: Option<bool>,
}

/// A chat that was left.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatLeft<'a> {
    /// The chat, once it is known.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    chat_id: Option<ChatId>,
    /// Whether the account is out of it.
    left: bool,
    /// `channel` (supergroups too), `basic_chat`, or `unresolvable`: no account finds it any more.
    #[schema(value_type = Option<String>, example = "channel")]
    left_type: Option<Left>,
    /// The account that left.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<&'a AccountName>,
    /// The users who were removed before.
    removed: &'a [i64],
    /// Those who could not be removed.
    not_removed: Vec<NotRemoved<'a>>,
    /// The operation that did it.
    #[schema(value_type = String, example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    operation: OperationId,
}

/// A user who could not be removed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotRemoved<'a> {
    /// Telegram's id of them.
    user_id: i64,
    /// Why not.
    #[schema(example = "CHAT_ADMIN_REQUIRED")]
    why: &'a str,
}

/// A chat that was changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatEdited<'a> {
    /// The chat, once it is known.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    chat_id: Option<ChatId>,
    /// The title, once it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Order 1001, done")]
    title: Option<&'a str>,
    /// The description, once it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a str>,
    /// How each of them was set.
    steps: EditSteps<'a>,
    /// The operation that did it.
    #[schema(value_type = String, example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    operation: OperationId,
}

/// How a title and a description were set: `ok`, or why not; left out when not to be set.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatEditSteps)]
pub(crate) struct EditSteps<'a> {
    /// Setting the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    title: Option<&'a str>,
    /// Setting the description.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    about: Option<&'a str>,
}

impl<'a> From<&'a Saga> for ResultView<'a> {
    fn from(saga: &'a Saga) -> Self {
        let (operation, chat_id, account) = (saga.id, saga.chat_id, saga.account.as_ref());
        let progress = &saga.progress;
        match &saga.task {
            Task::CreateChat { title, .. } => Self::Made(ChatMade {
                chat_id,
                title,
                account,
                invite_link: progress.invite_link.as_deref(),
                members: progress.members.iter().map(Into::into).collect(),
                steps: StepsView {
                    open_history: progress.open_history.as_ref().map(word),
                    invite: progress.invite.as_ref().map(word),
                    export_link: progress.export_link.as_ref().map(word),
                },
                operation,
            }),
            Task::AddMembers { .. } | Task::RemoveMembers { .. } => Self::Members(MembersChanged {
                chat_id,
                members: progress.members.iter().map(Into::into).collect(),
                operation,
            }),
            Task::LeaveChat { .. } => Self::Left(ChatLeft {
                chat_id,
                left: progress.left.is_some(),
                left_type: progress.left,
                account,
                removed: &progress.removed,
                not_removed: progress
                    .not_removed
                    .iter()
                    .map(|(user_id, why)| NotRemoved { user_id: *user_id, why })
                    .collect(),
                operation,
            }),
            Task::EditChat { title, about, .. } => Self::Edited(ChatEdited {
                chat_id,
                title: set(title.as_deref(), progress.title.as_ref()),
                about: set(about.as_deref(), progress.about.as_ref()),
                steps: EditSteps {
                    title: progress.title.as_ref().map(word),
                    about: progress.about.as_ref().map(word),
                },
                operation,
            }),
        }
    }
}

impl<'a> From<&'a Member> for MemberView<'a> {
    fn from(member: &'a Member) -> Self {
        let not_promoted = match &member.promoted {
            Some(Ended::Refused { why }) => Some(why.as_str()),
            Some(Ended::Ok) | None => None,
        };
        Self {
            who: &member.who,
            role: member.role,
            user_id: member.person.as_ref().map(|person| person.user_id),
            result: member.result,
            detail: member.detail.as_deref().or(not_promoted),
            promoted: member.promoted.as_ref().map(|ended| *ended == Ended::Ok),
        }
    }
}

/// What was to be set, if it was.
fn set<'a>(wanted: Option<&'a str>, ended: Option<&Ended>) -> Option<&'a str> {
    wanted.filter(|_| ended == Some(&Ended::Ok))
}

/// `ok`, or why not.
fn word(ended: &Ended) -> &str {
    match ended {
        Ended::Ok => "ok",
        Ended::Refused { why } => why,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::saga;
    use super::*;
    use domain::saga::Person;
    use serde_json::{Value, json};

    fn shown(saga: &Saga) -> Value {
        serde_json::to_value(ResultView::from(saga)).expect("JSON")
    }

    fn person(who: &str, result: MemberResult, promoted: Option<Ended>) -> Member {
        Member {
            who: who.parse().expect("a user"),
            role: Role::Member,
            person: Some(Person { user_id: 7, is_bot: promoted.is_some() }),
            result: Some(result),
            detail: (result == MemberResult::Privacy).then(|| "USER_PRIVACY_RESTRICTED".to_owned()),
            promoted,
        }
    }

    #[test]
    fn a_chat_that_was_made() {
        let mut saga = saga(r#"{"kind":"create_chat","title":"Order 1","members":[]}"#);
        saga.chat_id = "-1001234567890".parse().ok();
        saga.account = "main".parse().ok();
        let refused = |why: &str| Ended::Refused { why: why.to_owned() };
        saga.progress.members = vec![
            person("@client_1", MemberResult::Privacy, None),
            person("@demo_bot", MemberResult::Added, Some(Ended::Ok)),
            person("@other_bot", MemberResult::Added, Some(refused("BOTS_TOO_MUCH"))),
        ];
        saga.progress.open_history = Some(Ended::Ok);
        saga.progress.export_link = Some(refused("CHAT_ADMIN_REQUIRED"));
        assert_eq!(
            shown(&saga),
            json!({
                "chat_id": "-1001234567890", "title": "Order 1", "account": "main", "invite_link": null,
                "members": [
                    {"ref": "@client_1", "role": "member", "user_id": 7, "result": "privacy",
                        "detail": "USER_PRIVACY_RESTRICTED"},
                    {"ref": "@demo_bot", "role": "member", "user_id": 7, "result": "added", "promoted": true},
                    {"ref": "@other_bot", "role": "member", "user_id": 7, "result": "added",
                        "detail": "BOTS_TOO_MUCH", "promoted": false},
                ],
                "steps": {"open_history": "ok", "export_link": "CHAT_ADMIN_REQUIRED"},
                "operation": saga.id.to_string(),
            })
        );
    }

    #[test]
    fn a_chat_that_was_left() {
        let chat =
            r#"{"kind":"leave_chat","chat":"-1001234567890","remove_members":true,"missing_is_left":false}"#;
        let mut saga = saga(chat);
        assert_eq!(shown(&saga)["left"], false);
        saga.progress.left = Some(Left::Channel);
        saga.progress.removed = vec![1, 2];
        saga.progress.not_removed = vec![(3, "USER_ADMIN_INVALID".to_owned())];
        let shown = shown(&saga);
        assert_eq!((&shown["left"], &shown["left_type"]), (&json!(true), &json!("channel")));
        assert_eq!(shown["removed"], json!([1, 2]));
        assert_eq!(shown["not_removed"], json!([{"user_id": 3, "why": "USER_ADMIN_INVALID"}]));
    }

    #[test]
    fn a_chat_that_was_changed() {
        let mut saga = saga(r#"{"kind":"edit_chat","chat":"-1001234567890","title":"b"}"#);
        saga.progress.title = Some(Ended::Ok);
        let mut expected = json!({
            "chat_id": null, "title": "b", "steps": {"title": "ok"}, "operation": saga.id.to_string(),
        });
        assert_eq!(shown(&saga), expected);
        saga.progress.title = Some(Ended::Refused { why: "CHAT_ADMIN_REQUIRED".to_owned() });
        expected["steps"]["title"] = "CHAT_ADMIN_REQUIRED".into();
        expected.as_object_mut().expect("an object").remove("title");
        assert_eq!(shown(&saga), expected);
    }
}
