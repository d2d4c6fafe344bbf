//! Sending by the ports of the old servers: through the outbox, and its caller waits for the result.

use std::time::Duration;

use delivery::{How, Submission, SubmitError, Submitted};
use domain::account::Operation;
use domain::message::{Content, MessageState, OnFlood, OutboundMessage};
use domain::missing::{self, MISSING};
use domain::outcome::Failure;
use domain::text::{FormattedText, ParseMode, parse_leniently};
use domain::{ChannelChat, ChatRef, MessageId, Timestamp};
use futures::future::join_all;
use http::StatusCode;
use media::Wish;
use serde_json::{Value, json};

use super::super::answer::{Answer, Body};
use super::super::caller::Caller;
use super::super::request::Marks;
use super::super::send_media::before;
use super::super::wait::{Errand, wait};
use super::super::{send_text, send_text_answer};
use super::Gate;
use super::call::{Call, chat};
use super::refused::Refused;
use crate::files::{self, Asker, Load, Named, Source, Terms, Uploads};
use crate::problem::Problem;

/// One message.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// The chat, as its provider names it.
    pub(super) chat: String,
    /// Its text; with a file its caption.
    pub(super) text: String,
    pub(super) parse_mode: ParseMode,
    /// Its files, as an album where the channel has one.
    pub(super) files: Vec<File>,
    pub(super) reply_to: Option<String>,
    pub(super) silent: bool,
    pub(super) preview: bool,
    /// What only its provider has, in its form, such as buttons.
    pub(super) options: Option<Value>,
}

/// A file at an address.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) url: String,
    pub(super) name: Option<String>,
    pub(super) wish: Wish,
}

/// A message that left.
#[derive(Debug)]
pub(super) struct Sent {
    /// The provider's id of it.
    pub(super) id: Option<String>,
    /// Our id of it.
    pub(super) ours: String,
}

impl Order {
    pub(super) fn text(chat: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            chat: chat.into(),
            text: text.into(),
            parse_mode: ParseMode::None,
            files: Vec::new(),
            reply_to: None,
            silent: false,
            preview: true,
            options: None,
        }
    }

    #[must_use]
    pub(super) fn with(mut self, url: String, name: Option<String>, wish: Wish) -> Self {
        self.files.push(File { url, name, wish });
        self
    }

    fn content(&self) -> Content {
        let text = match self.parse_mode {
            ParseMode::None => FormattedText::plain(&self.text),
            mode => parse_leniently(mode, &self.text),
        };
        Content {
            text,
            parse_mode: self.parse_mode,
            reply_to: self.reply_to.as_deref().map(Into::into),
            mention: None,
            mention_optional: true,
            written_by: domain::message::Writer::Program,
            silent: self.silent,
            preview: self.preview,
            media: Vec::new(),
            provider_options: self.options.clone(),
        }
    }
}

/// Sends one message and waits for what comes of it.
pub(super) async fn send(gate: &Gate, call: &Call, order: Order) -> Result<Sent, Refused> {
    let since = gate.state.clock().now();
    let caller = begin(gate, call, (0, order), None).await?;
    finish(gate, caller, since).await
}

/// Sends messages in their order, and waits for all of them.
pub(super) async fn send_each(gate: &Gate, call: &Call, orders: Vec<Order>) -> Vec<Result<Sent, Refused>> {
    let since = gate.state.clock().now();
    let mut begun = Vec::with_capacity(orders.len());
    for numbered in orders.into_iter().enumerate() {
        begun.push(begin(gate, call, numbered, None).await);
    }
    join_all(begun.into_iter().map(async |caller| finish(gate, caller?, since).await)).await
}

/// Has messages sent one after another, so long apart; no one waits for them. Our ids of them.
pub(super) async fn send_later(
    gate: &Gate,
    call: &Call,
    orders: Vec<(Duration, Order)>,
) -> Vec<Result<MessageId, Refused>> {
    let mut queued = Vec::with_capacity(orders.len());
    for (number, (after, order)) in orders.into_iter().enumerate() {
        let at = gate.state.clock().now().plus(after);
        let begun = begin(gate, call, (number, order), Some(at)).await;
        queued.push(match begun {
            Ok(caller) => {
                let id = caller.id();
                caller.answered().await;
                Ok(id)
            }
            Err(refused) => Err(refused),
        });
    }
    queued
}

/// Hands a message over, once its file is here.
async fn begin(
    gate: &Gate,
    call: &Call,
    (number, order): (usize, Order),
    send_at: Option<Timestamp>,
) -> Result<Caller<OutboundMessage>, Refused> {
    let account = gate.account()?;
    let (channel, name) = (account.channel.clone(), account.name().clone());
    let address = ChannelChat { channel, account: name, chat: chat("chat", &order.chat)? };
    if missing::is_in_text(&order.text) {
        return Err(Refused::field("body", "text", MISSING, "value_error"));
    }
    let file = order.files.first();
    let mut body = json!({
        "item": number, "chat": order.chat, "text": order.text, "reply_to": order.reply_to,
        "file": file.map(|file| &file.url), "name": file.map(|file| &file.name),
    });
    if order.files.len() > 1 {
        body["files"] = order.files.iter().map(|file| file.url.as_str()).collect();
    }
    if let Some(options) = &order.options {
        body["options"] = options.clone();
        if !account.provider.capabilities().text.takes(&order.text) {
            let error =
                "a text with buttons or files of the provider is one message; this one is too long for that";
            return Err(Refused::error(StatusCode::BAD_REQUEST, error));
        }
    }
    let marks = call.marks(gate, &body)?;
    if let Some(before) = before(&gate.state, &marks).await.map_err(refused)? {
        let joined = async move { Ok::<_, SubmitError>(before) };
        return Caller::submit(&gate.state, marks.join.is_some(), joined).await.map_err(refused);
    }
    let Marks { idempotency, join } = marks;
    let (content, origin) = (order.content(), call.origin(gate));
    let load = take(gate, order.files, Asker::from(&origin)).await?;
    let submission = Submission {
        chat: ChatRef::Channel(address),
        content,
        pin: None,
        on_flood: OnFlood::Wait,
        send_at,
        needs_approval: false,
        origin,
        idempotency,
        join,
    };
    let state = gate.state.clone();
    let submitting = async move {
        let Submitted { id, how } = files::submit(state, submission, load).await?;
        Ok::<(MessageId, How), SubmitError>((id, how))
    };
    Caller::submit(&gate.state, join.is_some(), submitting).await.map_err(refused)
}

/// Fetches the files of a message.
async fn take(gate: &Gate, files: Vec<File>, asker: Asker) -> Result<Load, Refused> {
    let named = |File { url, name, wish }| Named { source: Source::Url(url), name, wish, streamable: None };
    let terms =
        Terms { asker, uploads: Uploads::NONE, addresses_within: Some(gate.state.options().legacy.hold) };
    let taken = files::take(&gate.state, files.into_iter().map(named).collect(), terms).await;
    taken.map_err(|untaken| Problem::from(untaken).into())
}

/// Waits for what comes of a message.
async fn finish(gate: &Gate, caller: Caller<OutboundMessage>, since: Timestamp) -> Result<Sent, Refused> {
    let (answer, _) = wait(gate, caller, &Message { since }).await?;
    match answer.body {
        Body::Carried { message_id, id } => Ok(Sent { id: message_id, ours: id }),
        _ => Err(answer.into()),
    }
}

/// A message that is waited for.
struct Message {
    since: Timestamp,
}

impl Errand for Message {
    type Work = OutboundMessage;

    const OPERATION: Operation = Operation::SendMessage;

    fn answer(&self, message: &OutboundMessage, now: Timestamp) -> Option<Answer> {
        match message.state {
            MessageState::Sent | MessageState::Delivered | MessageState::Read => {
                let message_id = message.message_ids().first().map(ToString::to_string);
                let body = Body::Carried { message_id, id: message.id.to_string() };
                Some(Answer { status: StatusCode::OK, body })
            }
            MessageState::Failed => Some(failed(message, now)),
            MessageState::Cancelled => Some(Answer::error(
                StatusCode::SERVICE_UNAVAILABLE,
                "the message was cancelled before it left; nothing was sent",
            )),
            MessageState::InDoubt => Some(self.doubt(message)),
            MessageState::Queued
            | MessageState::Scheduled
            | MessageState::AwaitingApproval
            | MessageState::Sending => None,
        }
    }

    fn doubt(&self, message: &OutboundMessage) -> Answer {
        send_text_answer::doubt(message)
    }

    fn since(&self) -> Option<Timestamp> {
        Some(self.since)
    }
}

/// Why a message was not sent.
fn failed(message: &OutboundMessage, now: Timestamp) -> Answer {
    let Some(failure) = &message.failure else {
        let error = "it failed and no reason was stored; see GET /v1/messages";
        return Answer::error(StatusCode::INTERNAL_SERVER_ERROR, error);
    };
    let status = match failure {
        Failure::FloodWait { until } | Failure::LimitReached { until } => return Answer::flood(*until, now),
        Failure::Rejected { provider_code } => {
            return Answer::error(StatusCode::BAD_REQUEST, provider_code.to_string());
        }
        Failure::ChatNotFound { .. } => StatusCode::NOT_FOUND,
        Failure::NotInChat { .. } | Failure::NoRights { .. } | Failure::DoNotContact { .. } => {
            StatusCode::FORBIDDEN
        }
        Failure::NoAccount { .. } => StatusCode::SERVICE_UNAVAILABLE,
        Failure::ProviderError { .. } | Failure::Undelivered { .. } => StatusCode::BAD_GATEWAY,
        Failure::MediaGone { .. } | Failure::MediaExpired { .. } => StatusCode::GONE,
        Failure::Restored { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Answer::error(status, failure.describe())
}

fn refused(error: SubmitError) -> Refused {
    match error {
        SubmitError::Empty
        | SubmitError::TooManyMedia { .. }
        | SubmitError::NotCarried(_)
        | SubmitError::UnreadNumber(_) => Refused::error(StatusCode::BAD_REQUEST, error.to_string()),
        error => send_text::refused(error).into(),
    }
}
