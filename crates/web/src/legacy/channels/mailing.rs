//! A mailing of port 8766: the messages that one call made, how far they are, and stopping those that have not left.

use std::fmt;
use std::str::FromStr;

use axum::extract::{Path, State as Shared};
use axum::response::Response;
use domain::message::{MessageState, OutboundMessage};
use domain::{ChatRef, MessageId};
use http::StatusCode;
use serde_json::{Value, json};
use store::{Filter, Page};

use super::call::MOST_ITEMS;
use super::refused::Refused;
use super::{Gate, HandlerResult, done};

/// The most other messages that are read between the first and the last message of a mailing, and how many are read at once.
const MOST_PAGES: usize = 4;
const ON_A_PAGE: u32 = 500;

/// The messages of one call: its first and its last. Nothing more is kept of it: what the call made is between them, with
/// the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mailing {
    first: MessageId,
    last: MessageId,
}

impl Mailing {
    /// None without messages.
    pub(super) fn of<'a>(ids: impl Iterator<Item = &'a MessageId> + Clone) -> Option<Self> {
        Some(Self { first: *ids.clone().min()?, last: *ids.max()? })
    }
}

impl fmt::Display for Mailing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.first, self.last)
    }
}

impl FromStr for Mailing {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let ids = text
            .split_once('.')
            .and_then(|(first, last)| Some(Self { first: first.parse().ok()?, last: last.parse().ok()? }));
        ids.filter(|mailing| mailing.first <= mailing.last).ok_or_else(none)
    }
}

fn none() -> Refused {
    Refused::error(StatusCode::NOT_FOUND, "there is no such mailing")
}

/// How its messages are, in numbers.
fn counted(messages: &[OutboundMessage]) -> Value {
    let count = |wanted: fn(MessageState) -> bool| messages.iter().filter(|it| wanted(it.state)).count();
    let waiting = count(|state| state.can_cancel() || state == MessageState::Sending);
    let cancelled = count(|state| state == MessageState::Cancelled);
    let status = match (waiting, cancelled) {
        (0, 0) => "finished",
        (0, _) => "stopped",
        _ => "running",
    };
    json!({
        "status": status, "total": messages.len(), "queued": waiting, "cancelled": cancelled,
        "sent": count(|state| matches!(state, MessageState::Sent | MessageState::Delivered | MessageState::Read)),
        "failed": count(|state| state == MessageState::Failed),
        "in_doubt": count(|state| state == MessageState::InDoubt),
    })
}

/// The messages of a mailing, the newest first.
async fn messages(gate: &Gate, mailing: Mailing) -> Result<Vec<OutboundMessage>, Refused> {
    let outbox = gate.state.store().outbox();
    let is_ours =
        async |id| Ok::<_, Refused>(outbox.origin(id).await?.is_some_and(|it| *it.listener == *gate.name));
    let account = gate.account()?;
    let is_at = |message: &OutboundMessage| match &message.chat {
        ChatRef::Channel(chat) => chat.channel == account.channel && chat.account == *account.name(),
        ChatRef::Id(_) | ChatRef::Username(_) => false,
    };
    let last = outbox.get(mailing.last).await?.filter(is_at).ok_or_else(none)?;
    if !is_ours(last.id).await? {
        return Err(none());
    }
    let text = last.content.text.clone();
    let mut found = vec![last];
    let mut cursor = Some(mailing.last.to_string());
    for _ in 0..MOST_PAGES {
        let listed = outbox.list(&Filter::default(), &Page { limit: ON_A_PAGE, cursor }).await?;
        let is_over = listed.items.last().is_none_or(|message| message.id <= mailing.first);
        for message in listed.items.into_iter().filter(|message| message.id >= mailing.first) {
            // The first one waited for no time.
            let is_of_it = message.id == mailing.first || message.send_at.is_some();
            let is_alike = is_of_it && is_at(&message) && message.content.text == text;
            if is_alike && found.len() < MOST_ITEMS && is_ours(message.id).await? {
                found.push(message);
            }
        }
        cursor = listed.next_cursor;
        if is_over || cursor.is_none() {
            break;
        }
    }
    Ok(found)
}

fn mailing_report(id: &str, messages: &[OutboundMessage], more: &[(&str, Value)]) -> Response {
    let mut body = counted(messages);
    (body["success"], body["mailing_id"]) = (true.into(), id.into());
    for (name, value) in more {
        body[*name] = value.clone();
    }
    done(&body)
}

pub(super) async fn status(Shared(gate): Shared<Gate>, Path(id): Path<String>) -> HandlerResult {
    Ok(mailing_report(&id, &messages(&gate, id.parse::<Mailing>()?).await?, &[]))
}

/// Cancels what has not left; what is under way is sent.
pub(super) async fn stop(Shared(gate): Shared<Gate>, Path(id): Path<String>) -> HandlerResult {
    let mailing: Mailing = id.parse()?;
    let mut stopped = 0;
    for message in messages(&gate, mailing).await?.iter().filter(|message| message.state.can_cancel()) {
        let why = Some("the mailing was stopped".to_owned());
        let change = gate.state.delivery().cancel(message.id, why).await?;
        stopped += usize::from(matches!(change, delivery::Change::Done(_)));
    }
    let more = [("stopped", json!(stopped)), ("message", json!("Mailing stopped"))];
    Ok(mailing_report(&id, &messages(&gate, mailing).await?, &more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailing_is_named_by_its_first_and_last() {
        let ids = [3, 1, 2].map(|number| format!("msg_{number:0>26}").parse::<MessageId>().expect("an id"));
        let mailing = Mailing::of(ids.iter()).expect("a mailing");
        assert_eq!((mailing.first, mailing.last), (ids[1], ids[0]));
        assert_eq!(mailing.to_string().parse::<Mailing>().ok(), Some(mailing));
        for wrong in ["", "1", "msg_1.msg_2", &format!("{}.{}", ids[0], ids[1])] {
            assert!(wrong.parse::<Mailing>().is_err(), "{wrong}");
        }
        assert_eq!(Mailing::of([].iter()), None);
    }
}
