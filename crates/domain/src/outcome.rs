//! What came of a call that should change something: the one enum every channel's answers become.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::DoNotContactId;
use crate::ProviderId;
use crate::Timestamp;
use crate::account::Reason;

/// The outcome of one attempt to send one part.
///
/// Only an outcome that proves that nothing was sent lets another account try: see [`Outcome::proves_unsent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted by the provider under these ids. Telegram's ids are unique within a dialog.
    Sent(SentIds),
    /// The account must not send before this instant.
    Held {
        /// The instant.
        until: Timestamp,
        /// Where not.
        scope: HoldScope,
    },
    /// The account cannot find the chat or user.
    NotFound(String),
    /// The account may not write there: no right, kicked, blocked, privacy. Says something about (account, chat) only.
    Forbidden(String),
    /// The account is not in the chat, or no longer: removed, left, or the chat was deleted.
    NotInChat(String),
    /// The account may not do this for now: it may make no new contacts.
    Restricted(Reason),
    /// The account is banned, deactivated or frozen.
    Banned(Reason),
    /// The session is gone; the account itself may be well.
    SessionLost(Reason),
    /// The account cannot send at the moment and nothing was written to the wire.
    Unavailable(String),
    /// The basic group has become a supergroup, which is known by now: nothing was sent, and the old group takes nothing
    /// any more.
    ChatMoved,
    /// What was made ready for the part is no longer taken: nothing was sent. The same account makes it ready again;
    /// another one would have to begin from nothing.
    Unprepared(String),
    /// The provider refuses the content: another account would be refused as well.
    Rejected {
        /// Why.
        code: RejectionCode,
    },
    /// The file or the post that it is to carry is no longer there. No one else would find it either.
    MediaGone(String),
    /// The provider no longer takes the file id that the caller gave.
    MediaExpired(String),
    /// The provider says that the same `random_id` is being handled right now.
    InProgress,
    /// It may have been sent or not. Only the same `random_id` through the same account is safe.
    Unknown(Unclear),
}

/// Where an account that is held back must not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldScope {
    /// Anywhere.
    Account,
    /// Into this chat.
    Chat,
}

/// An outcome as timelines name it.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// [`Outcome::Sent`].
    Sent,
    /// [`Outcome::Held`] for the account.
    FloodWait,
    /// [`Outcome::Held`] for the chat.
    SlowMode,
    /// [`Outcome::NotFound`].
    NotFound,
    /// [`Outcome::Forbidden`] and [`Outcome::NotInChat`].
    Forbidden,
    /// [`Outcome::Restricted`].
    PeerFlood,
    /// [`Outcome::Banned`].
    Banned,
    /// [`Outcome::SessionLost`].
    SessionLost,
    /// [`Outcome::Unavailable`] and [`Outcome::ChatMoved`].
    Unavailable,
    /// [`Outcome::Unprepared`].
    Unprepared,
    /// [`Outcome::Rejected`].
    Rejected,
    /// [`Outcome::MediaGone`].
    MediaGone,
    /// [`Outcome::MediaExpired`].
    MediaExpired,
    /// [`Outcome::InProgress`].
    InProgress,
    /// [`Outcome::Unknown`].
    Unknown,
}

enum_words!(OutcomeKind);

/// Why what was asked for is refused, by whichever account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(from = "String", into = "String")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum RejectionCode {
    /// There is nothing to send.
    MessageEmpty,
    /// None of the people for a new chat is found: the caller's mistake, and nothing was made.
    NoResolvableUsers,
    /// The leaving account owns the chat, and its owner was not to leave it: nothing was done.
    OwnChat,
    /// The answer is none that the step can have.
    UnexpectedAnswer,
    /// Telegram: the account made the chat and may not leave it.
    UserCreator,
    /// Another word of the provider, such as `MESSAGE_TOO_LONG`.
    #[strum(default)]
    Provider(String),
}

impl From<String> for RejectionCode {
    fn from(word: String) -> Self {
        word.as_str().into()
    }
}

impl From<RejectionCode> for String {
    fn from(code: RejectionCode) -> Self {
        code.to_string()
    }
}

impl RejectionCode {
    /// What happened and what to do where that is known; without the end of a sentence.
    pub fn in_words(&self) -> String {
        match self {
            Self::UserCreator => format!(
                "Telegram refused it: {self}, the account made this chat and may not leave it (hand the chat over or delete it in a Telegram app)"
            ),
            Self::OwnChat => "The account owns this chat, so no one was removed and it was not left. Delete the chat \
                         or hand it over (POST /v1/chats/{chat_id}/hand-over, or a Telegram app), or leave it all the same: leave_own=true in the API, legacy.leave_own_chats = true for \
                         the old ports"
                .to_owned(),
            code => format!("The provider refused it: {code}"),
        }
    }
}

/// Why it is not known what came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unclear {
    /// No answer came: a timeout, a lost connection. The provider may still be at it.
    NoAnswer(String),
    /// An answer came, and it does not prove the effect: it cannot be read, or names nothing that was sent.
    Unreadable(String),
    /// The provider answered with an error of its own, such as 500 `INTERNAL`.
    ServerError(String),
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NoAnswer(why) | Self::Unreadable(why) | Self::ServerError(why)) = self;
        f.write_str(why)
    }
}

impl From<&str> for Unclear {
    fn from(why: &str) -> Self {
        Self::NoAnswer(why.to_owned())
    }
}

/// The ids under which the provider has a part, in the order of the part's items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentIds(Vec<Option<ProviderId>>);

impl SentIds {
    /// The provider confirmed the part, but its answer could not be read.
    pub const fn unread() -> Self {
        Self(Vec::new())
    }

    /// Those of a part with one item; `None` when the id could not be read.
    pub fn one(id: Option<impl Into<ProviderId>>) -> Self {
        Self(vec![id.map(Into::into)])
    }

    /// The id of the first item, if it is known.
    pub fn first(&self) -> Option<&ProviderId> {
        self.get(0)
    }

    /// The id of this item, counted from 0, if it is known.
    pub fn get(&self, place: usize) -> Option<&ProviderId> {
        self.0.get(place)?.as_ref()
    }

    /// All of them, with gaps where one is not known.
    pub fn iter(&self) -> impl Iterator<Item = Option<&ProviderId>> {
        self.0.iter().map(Option::as_ref)
    }
}

impl<I: Into<ProviderId>> FromIterator<Option<I>> for SentIds {
    fn from_iter<T: IntoIterator<Item = Option<I>>>(ids: T) -> Self {
        Self(ids.into_iter().map(|id| id.map(Into::into)).collect())
    }
}

impl Outcome {
    /// The account must not send anywhere before this instant.
    pub const fn held(until: Timestamp) -> Self {
        Self::Held { until, scope: HoldScope::Account }
    }

    /// Whether it is certain that nothing reached the chat, so that another account may try.
    pub const fn proves_unsent(&self) -> bool {
        !matches!(self, Self::Sent(_) | Self::InProgress | Self::Unknown(_))
    }

    /// What timelines and `attempts[]` name it by.
    pub const fn kind(&self) -> OutcomeKind {
        match self {
            Self::Sent(_) => OutcomeKind::Sent,
            Self::Held { scope: HoldScope::Account, .. } => OutcomeKind::FloodWait,
            Self::Held { scope: HoldScope::Chat, .. } => OutcomeKind::SlowMode,
            Self::NotFound(_) => OutcomeKind::NotFound,
            Self::Forbidden(_) | Self::NotInChat(_) => OutcomeKind::Forbidden,
            Self::Restricted(_) => OutcomeKind::PeerFlood,
            Self::Banned(_) => OutcomeKind::Banned,
            Self::SessionLost(_) => OutcomeKind::SessionLost,
            Self::Unavailable(_) | Self::ChatMoved => OutcomeKind::Unavailable,
            Self::Unprepared(_) => OutcomeKind::Unprepared,
            Self::Rejected { .. } => OutcomeKind::Rejected,
            Self::MediaGone(_) => OutcomeKind::MediaGone,
            Self::MediaExpired(_) => OutcomeKind::MediaExpired,
            Self::InProgress => OutcomeKind::InProgress,
            Self::Unknown(_) => OutcomeKind::Unknown,
        }
    }

    /// The word of its kind.
    pub fn word(&self) -> &'static str {
        self.kind().as_str()
    }

    /// More than the word, where there is more to say.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Sent(ids) => {
                let known: Vec<String> = ids.iter().flatten().map(ToString::to_string).collect();
                match known.as_slice() {
                    [] => None,
                    [one] => Some(format!("message {one}")),
                    several => Some(format!("messages {}", several.join(", "))),
                }
            }
            Self::Held { until, .. } => Some(format!("until {}", until.to_the_second())),
            Self::NotFound(detail)
            | Self::Forbidden(detail)
            | Self::NotInChat(detail)
            | Self::Unavailable(detail)
            | Self::Unprepared(detail)
            | Self::MediaGone(detail)
            | Self::MediaExpired(detail) => Some(detail.clone()),
            Self::Unknown(unclear) => Some(unclear.to_string()),
            Self::Banned(reason) | Self::SessionLost(reason) => Some(reason.to_string()),
            Self::Rejected { code } => Some(code.to_string()),
            Self::ChatMoved => Some("the group has become a supergroup".to_owned()),
            Self::Restricted(_) | Self::InProgress => None,
        }
    }
}

/// Why a message ended without being sent. Stored, so that a repeated question gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Failure {
    /// No account finds the chat.
    ChatNotFound {
        /// Which accounts were asked and what each said.
        asked: Vec<Refusal>,
    },
    /// No account may write there.
    NoRights {
        /// Which accounts were asked and what each said.
        asked: Vec<Refusal>,
    },
    /// No account is in the chat, or they are no longer.
    NotInChat {
        /// Which accounts were asked and what each said.
        asked: Vec<Refusal>,
    },
    /// The provider refuses the content.
    Rejected {
        /// Why.
        provider_code: RejectionCode,
    },
    /// A file or a post that it was to carry is no longer there.
    MediaGone {
        /// Which one, and what to do.
        detail: String,
    },
    /// The provider no longer takes a file id that the caller gave.
    MediaExpired {
        /// Which one, and what to do.
        detail: String,
    },
    /// Every account that could send is waiting, and the caller did not want to wait.
    FloodWait {
        /// When the first of them may send again.
        until: Timestamp,
    },
    /// Every account that could send has sent as many messages as its owner lets it, and the caller did not want to wait.
    LimitReached {
        /// When the first of them may send again.
        until: Timestamp,
    },
    /// The provider answered with errors of its own, or not at all, for so long that it is no longer tried, and it is not
    /// in the chat.
    ProviderError {
        /// The last answer.
        detail: String,
    },
    /// The provider had taken it, and reported later that it did not arrive.
    Undelivered {
        /// What it reported.
        detail: String,
    },
    /// No account is usable at all.
    NoAccount {
        /// Which accounts there are and how each is.
        asked: Vec<Refusal>,
    },
    /// It is for someone on the do-not-contact list.
    DoNotContact {
        /// The entry.
        entry: DoNotContactId,
    },
    /// It waited when a backup was made, and the store was restored from that backup: the server that went on may have
    /// sent it since.
    Restored {
        /// When the backup was made.
        made_at: Timestamp,
    },
}

impl Failure {
    /// The code of what was held back after a restore.
    pub const RESTORED: &str = "restored";

    /// The stable code in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ChatNotFound { .. } => "chat_not_found",
            Self::NoRights { .. } | Self::NotInChat { .. } => "no_rights",
            Self::Rejected { .. } => "rejected",
            Self::MediaGone { .. } => "media_gone",
            Self::MediaExpired { .. } => "media_expired",
            Self::FloodWait { .. } => "flood_wait",
            Self::LimitReached { .. } => "limit_reached",
            Self::ProviderError { .. } | Self::Undelivered { .. } => "provider_error",
            Self::NoAccount { .. } => "no_account",
            Self::DoNotContact { .. } => "do_not_contact",
            Self::Restored { .. } => Self::RESTORED,
        }
    }

    /// What each account that was asked said.
    pub fn asked(&self) -> &[Refusal] {
        match self {
            Self::ChatNotFound { asked }
            | Self::NoRights { asked }
            | Self::NotInChat { asked }
            | Self::NoAccount { asked } => asked,
            _ => &[],
        }
    }

    /// The code, and what each of the first few accounts said: for the last step of a timeline.
    pub fn code_and_refusals(&self) -> String {
        const NAMED: usize = 10;
        let asked = self.asked();
        if asked.is_empty() {
            return self.code().to_owned();
        }
        let mut reasons: Vec<_> =
            asked.iter().take(NAMED).map(|one| format!("{}: {}", one.account, one.why)).collect();
        let more = asked.len().saturating_sub(NAMED);
        reasons.extend((more > 0).then(|| format!("and {more} more")));
        format!("{} ({})", self.code(), reasons.join("; "))
    }

    /// The accounts that were asked, where it is about them.
    pub const fn asked_mut(&mut self) -> Option<&mut Vec<Refusal>> {
        match self {
            Self::ChatNotFound { asked }
            | Self::NoRights { asked }
            | Self::NotInChat { asked }
            | Self::NoAccount { asked } => Some(asked),
            Self::Rejected { .. }
            | Self::MediaGone { .. }
            | Self::MediaExpired { .. }
            | Self::FloodWait { .. }
            | Self::LimitReached { .. }
            | Self::ProviderError { .. }
            | Self::Undelivered { .. }
            | Self::DoNotContact { .. }
            | Self::Restored { .. } => None,
        }
    }

    /// What happened, in a sentence.
    pub fn describe(&self) -> String {
        fn list(asked: &[Refusal]) -> String {
            if asked.is_empty() {
                return "no account was asked".to_owned();
            }
            asked.iter().map(|r| format!("{}: {}", r.account, r.why)).collect::<Vec<_>>().join("; ")
        }
        match self {
            Self::ChatNotFound { asked } => format!("No account finds this chat ({}).", list(asked)),
            Self::NoRights { asked } => format!("No account may write in this chat ({}).", list(asked)),
            Self::NotInChat { asked } => format!(
                "No account may write in this chat: none is in it, or they are no longer in the chat ({}).",
                list(asked)
            ),
            Self::Rejected { provider_code } => {
                format!("The provider refused the message: {provider_code}.")
            }
            Self::MediaGone { detail } => format!("What it was to carry is no longer there: {detail}."),
            Self::MediaExpired { detail } => format!("Telegram no longer takes the file id: {detail}."),
            Self::FloodWait { until } => format!("Every account must wait; the first may send at {until}."),
            Self::LimitReached { until } => format!(
                "Every account has sent as many messages as its limits allow; the first may send again at {until}."
            ),
            Self::ProviderError { detail } => format!(
                "The provider did not take it, however often it was tried; the last answer was {detail}. Nothing was sent."
            ),
            Self::Undelivered { detail } => {
                format!("The provider took the message, and it did not arrive: {detail}.")
            }
            Self::NoAccount { asked } => format!("No account can send now ({}).", list(asked)),
            Self::DoNotContact { entry } => do_not_contact(*entry),
            Self::Restored { made_at } => format!(
                "It waited when the backup of {} was made and may have been sent since; retry it if it was not.",
                made_at.to_the_second()
            ),
        }
    }
}

/// What is said of a refusal by the do-not-contact list.
pub fn do_not_contact(entry: DoNotContactId) -> String {
    format!(
        "It is for someone on the do-not-contact list; an admin takes them off it with DELETE /v1/do-not-contact/{entry}."
    )
}

/// One account's reason not to carry a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The account.
    pub account: crate::AccountName,
    /// Why not, in words.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubt_never_counts_as_unsent() {
        for doubtful in
            [Outcome::Unknown("timeout".into()), Outcome::InProgress, Outcome::Sent(SentIds::unread())]
        {
            assert!(!doubtful.proves_unsent(), "{doubtful:?}");
        }
        assert!(Outcome::held(Timestamp::default()).proves_unsent());
        assert!(Outcome::MediaGone("file".into()).proves_unsent());
    }

    #[test]
    fn every_known_id_is_reported() {
        let ids: SentIds = [Some(5), None, Some(7)].into_iter().collect();
        assert_eq!((ids.first(), ids.get(1), ids.get(3)), (Some(&5.into()), None, None));
        assert_eq!(Outcome::Sent(ids).detail().as_deref(), Some("messages 5, 7"));
        assert_eq!(Outcome::Sent(SentIds::one(Some(5))).detail().as_deref(), Some("message 5"));
        assert_eq!(Outcome::Sent(SentIds::unread()).detail(), None);
    }
}
