//! What came of work on a chat.

use domain::saga::{Ended, Left, Member, Role, Saga, Task};
use domain::{AccountName, ChatId, ChatRef, OperationId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

// The shapes name all their fields, so that readers of the document can distinguish them.

/// What came of work on a chat, so far; its shape follows what was asked for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum OperationResult {
    /// A chat was to be made.
    Made(ChatMade),
    /// People were to be invited or removed.
    Members(MembersChanged),
    /// A chat was to be left.
    Left(ChatLeft),
    /// A chat was to be changed.
    Edited(ChatEdited),
}

/// A chat that was made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatMade {
    /// The chat, as the Bot API writes it.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    pub chat_id: Option<ChatId>,
    /// Its title.
    #[schema(example = "Order 1001")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub title: String,
    /// The account that made it and serves it.
    #[schema(value_type = Option<String>, example = "main")]
    pub account: Option<AccountName>,
    /// The invite link; null when none could be made.
    #[schema(example = "https://t.me/+AbCdEfGhIjKlMnOp")]
    pub invite_link: Option<String>,
    /// The people, in the order of the request; the observer last.
    pub members: Vec<MemberResult>,
    /// How the other steps went.
    pub steps: ChatSteps,
    /// The operation that made it.
    #[schema(value_type = String, example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub operation: OperationId,
}

/// How the steps went that do not decide about the whole: `ok`, or why not; left out when not taken.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChatSteps {
    /// Letting new members read what was written before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    pub open_history: Option<String>,
    /// Inviting as a whole; each person has a result too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    pub invite: Option<String>,
    /// Making the invite link.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    pub export_link: Option<String>,
}

/// People who were invited or removed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MembersChanged {
    /// The chat, once it is known.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    pub chat_id: Option<ChatId>,
    /// The people, in the order of the request.
    pub members: Vec<MemberResult>,
    /// The operation that did it.
    #[schema(value_type = String, example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub operation: OperationId,
}

/// One person and what became of them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MemberResult {
    /// Who, names with @ and in small letters; someone who was named twice is here once.
    #[serde(rename = "ref")]
    #[schema(value_type = String, example = "@client_1")]
    pub who: ChatRef,
    /// `member`, `admin` or `observer`.
    #[schema(value_type = String, example = "member")]
    pub role: Role,
    /// Telegram's id of them, once known.
    #[schema(value_type = Option<i64>)]
    pub user_id: Option<UserId>,
    /// `added`, `already`, `privacy`, `not_found`, `removed` or `failed`; null while it is not known.
    #[schema(value_type = Option<String>, example = "added")]
    pub result: Option<domain::saga::MemberResult>,
    /// More about it: why they were not added, or not made an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether they became an administrator; left out when they were not to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promoted: Option<bool>,
}

/// A chat that was left.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatLeft {
    /// The chat, once it is known.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    pub chat_id: Option<ChatId>,
    /// Whether the account is out of it.
    pub left: bool,
    /// `channel` (supergroups too), `basic_chat`, or `unresolvable`: no account finds it any more.
    #[schema(value_type = Option<String>, example = "channel")]
    pub left_type: Option<Left>,
    /// The account that left.
    #[schema(value_type = Option<String>, example = "main")]
    pub account: Option<AccountName>,
    /// The users who were removed before.
    #[schema(value_type = Vec<i64>)]
    pub removed: Vec<UserId>,
    /// Those who could not be removed.
    pub not_removed: Vec<NotRemoved>,
    /// The operation that did it.
    #[schema(value_type = String, example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub operation: OperationId,
}

/// A user who could not be removed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NotRemoved {
    /// Telegram's id of them.
    #[schema(value_type = i64)]
    pub user_id: UserId,
    /// Why not.
    #[schema(example = "CHAT_ADMIN_REQUIRED")]
    pub why: String,
}

/// A chat that was changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatEdited {
    /// The chat, once it is known.
    #[schema(value_type = Option<String>, example = "-1001234567890")]
    pub chat_id: Option<ChatId>,
    /// The title, once it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Order 1001, done")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub title: Option<String>,
    /// The description, once it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub about: Option<String>,
    /// How each of them was set.
    pub steps: ChatEditSteps,
    /// The operation that did it.
    #[schema(value_type = String, example = "op_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    pub operation: OperationId,
}

/// How a title and a description were set: `ok`, or why not; left out when not to be set.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChatEditSteps {
    /// Setting the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    pub title: Option<String>,
    /// Setting the description.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ok")]
    pub about: Option<String>,
}

impl From<&Saga> for OperationResult {
    fn from(saga: &Saga) -> Self {
        let (operation, chat_id, account) = (saga.id, saga.chat_id, saga.account.clone());
        let progress = &saga.progress;
        match &saga.task {
            Task::CreateChat { title, .. } => Self::Made(ChatMade {
                chat_id,
                title: title.clone(),
                account,
                invite_link: progress.invite_link.clone(),
                members: progress.members.iter().map(Into::into).collect(),
                steps: ChatSteps {
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
                removed: progress.removed.clone(),
                not_removed: progress
                    .not_removed
                    .iter()
                    .map(|(user_id, why)| NotRemoved { user_id: *user_id, why: why.clone() })
                    .collect(),
                operation,
            }),
            Task::EditChat { title, about, .. } => Self::Edited(ChatEdited {
                chat_id,
                title: set(title.as_ref(), progress.title.as_ref()),
                about: set(about.as_ref(), progress.about.as_ref()),
                steps: ChatEditSteps {
                    title: progress.title.as_ref().map(word),
                    about: progress.about.as_ref().map(word),
                },
                operation,
            }),
        }
    }
}

impl From<&Member> for MemberResult {
    fn from(member: &Member) -> Self {
        let not_promoted = match &member.promoted {
            Some(Ended::Refused { why }) => Some(why),
            Some(Ended::Ok) | None => None,
        };
        Self {
            who: member.who.clone(),
            role: member.role,
            user_id: member.person.as_ref().map(|person| person.user_id),
            result: member.result,
            detail: member.detail.as_ref().or(not_promoted).cloned(),
            promoted: member.promoted.as_ref().map(|ended| *ended == Ended::Ok),
        }
    }
}

/// What was to be set, if it was.
fn set(wanted: Option<&String>, ended: Option<&Ended>) -> Option<String> {
    wanted.filter(|_| ended == Some(&Ended::Ok)).cloned()
}

/// `ok`, or why not.
fn word(ended: &Ended) -> String {
    match ended {
        Ended::Ok => "ok".to_owned(),
        Ended::Refused { why } => why.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sagas::saga;
    use domain::saga::{MemberResult, Person};
    use serde_json::{Value, json};

    fn shown(saga: &Saga) -> Value {
        serde_json::to_value(OperationResult::from(saga)).expect("JSON")
    }

    fn user(id: i64) -> UserId {
        UserId::new(id).expect("an id")
    }

    fn person(who: &str, result: MemberResult, promoted: Option<Ended>) -> Member {
        Member {
            who: who.parse().expect("a user"),
            role: Role::Member,
            person: Some(Person { user_id: user(7), is_bot: promoted.is_some() }),
            result: Some(result),
            detail: (result == MemberResult::Privacy).then(|| "USER_PRIVACY_RESTRICTED".to_owned()),
            promoted,
        }
    }

    #[test]
    fn a_created_chat_is_described() {
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
    fn a_left_chat_is_described() {
        let chat =
            r#"{"kind":"leave_chat","chat":"-1001234567890","remove_members":true,"missing_is_left":false}"#;
        let mut saga = saga(chat);
        assert_eq!(shown(&saga)["left"], false);
        saga.progress.left = Some(Left::Channel);
        saga.progress.removed = vec![user(1), user(2)];
        saga.progress.not_removed = vec![(user(3), "USER_ADMIN_INVALID".to_owned())];
        let shown = shown(&saga);
        assert_eq!((&shown["left"], &shown["left_type"]), (&json!(true), &json!("channel")));
        assert_eq!(shown["removed"], json!([1, 2]));
        assert_eq!(shown["not_removed"], json!([{"user_id": 3, "why": "USER_ADMIN_INVALID"}]));
    }

    #[test]
    fn a_changed_chat_is_described() {
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
