//! The answer of a turn, handed to the outbox under a key made of the turn's id: a program that is killed meanwhile hands it over
//! once more, and the outbox has one message for both.

use std::time::Duration;

use delivery::{Submission, SubmitError};
use domain::message::{Content, OnFlood, Writer};
use domain::text::{FormattedText, ParseMode};
use domain::{ChannelChat, ChatRef, Responder, SpokenText, TurnId};
use sha2::{Digest, Sha256};
use store::{
    BY_AI, BY_PROGRAM, Idempotency, Origin, Pipeline as StoredPipeline, ReplyTarget, SameBy, StoreError,
    StoredTurn,
};

use crate::service::Inner;

/// How long the outbox surely knows a key.
pub(crate) const KEY_LIFETIME: Duration = Duration::from_hours(23);
/// How long until the outbox is asked again that has no room.
const NO_ROOM: Duration = Duration::from_secs(5);

/// How a chat is sent to.
pub(crate) fn destination(chat: &ChannelChat) -> Option<ChatRef> {
    match StoredPipeline::is_telegram_account(chat) {
        Some((_, id)) => id.parse().ok(),
        None => Some(ChatRef::Channel(chat.clone())),
    }
}

/// A text and nothing else.
pub(crate) fn content(text: String, written_by: Writer) -> Content {
    Content {
        text: FormattedText { text, entities: Vec::new() },
        parse_mode: ParseMode::None,
        reply_to: None,
        mention: None,
        mention_optional: false,
        written_by,
        silent: false,
        preview: false,
        media: Vec::new(),
        provider_options: None,
    }
}

/// What a model or another program answers: as the channel can show it.
fn spoken_content(text: &SpokenText, takes_markdown: bool) -> Content {
    let plain = content(text.plain(), Writer::Program);
    if !takes_markdown || text.formatted().entities.is_empty() {
        return plain;
    }
    Content { text: text.formatted().clone(), parse_mode: ParseMode::Markdown, ..plain }
}

/// An answer in a conversation, through the account that its chat is with.
pub(crate) fn submission(
    target: &ReplyTarget,
    text: String,
    written_by: Writer,
    origin: Origin,
) -> Option<Submission> {
    to_chat(target.chat(), text, written_by, origin)
}

/// A text to a chat that its sender names, which answers nothing.
pub(crate) fn to_chat(
    chat: &ChannelChat,
    text: String,
    written_by: Writer,
    origin: Origin,
) -> Option<Submission> {
    Some(Submission {
        chat: destination(chat)?,
        content: content(text, written_by),
        pin: Some(chat.account.clone()),
        on_flood: OnFlood::Wait,
        send_at: None,
        needs_approval: false,
        origin,
        idempotency: None,
        join: None,
    })
}

impl Inner {
    /// Hands the answer of a turn to the outbox.
    pub(crate) async fn send(&self, turn: &StoredTurn) -> Result<(), StoreError> {
        let pipeline = self.parts.store.pipeline();
        let hand_over = async |why: &str| pipeline.hand_over(turn.id, why).await.map(drop);
        let listener = if turn.responder == Some(Responder::Ai) { BY_AI } else { BY_PROGRAM };
        let origin = Origin { listener: listener.to_owned(), api_key: None, address: None };
        let text = match turn.spoken() {
            Some(Ok(text)) => text,
            Some(Err(why)) => return hand_over(why.word()).await,
            None => return hand_over("no_answer").await,
        };
        // The chat may have gone to another client meanwhile.
        let Some(target) = pipeline.reply_target_of(turn).await? else {
            return hand_over("no_chat").await;
        };
        let Some(submission) = submission(&target, String::new(), Writer::Program, origin) else {
            return hand_over("no_chat").await;
        };
        let modes = self.parts.delivery.capabilities(&submission.chat).parse_modes;
        let submission =
            Submission { content: spoken_content(&text, modes.contains(&ParseMode::Markdown)), ..submission };
        let key = key(turn.id);
        let submission =
            Submission { needs_approval: turn.needs_approval, idempotency: Some(key), ..submission };
        let now = self.parts.clock.now();
        if turn.stage_at.plus(KEY_LIFETIME) < now
            && !matches!(self.parts.delivery.repeated(key).await, Ok(Some(_)))
        {
            return hand_over("too_late").await;
        }
        match self.parts.delivery.submit(submission).await {
            Ok(submitted) => pipeline.submitted(turn.id, submitted.id).await.map(drop),
            Err(SubmitError::TooMany(_) | SubmitError::ShuttingDown | SubmitError::OutcomeUnknown { .. }) => {
                pipeline.put_off(turn.id, turn.stage, now.plus(NO_ROOM)).await
            }
            Err(SubmitError::Store(StoreError::DoNotContact { .. })) => hand_over("do_not_contact").await,
            Err(SubmitError::Store(error)) => Err(error),
            Err(error) => {
                tracing::warn!(turn = %turn.id, chat = %turn.chat, %error, "an answer cannot be sent");
                hand_over("not_sent").await
            }
        }
    }
}

/// The key of a turn against doubles. Its answer is written down before, so the request is always the same.
fn key(id: TurnId) -> Idempotency {
    let mut hash = Sha256::new();
    hash.update(b"turn of the pipeline\0");
    hash.update(id.as_uuid().as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    Idempotency { scope: hash, fingerprint: hash, same_by: SameBy::Key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bold_and_a_link_is_shown_where_the_channel_can() {
        let text = SpokenText::read("**Yes**, [here](https://example.com)").unwrap();
        let shown = spoken_content(&text, true);
        assert_eq!((shown.text.text.as_str(), shown.parse_mode), ("Yes, here", ParseMode::Markdown));
        assert_eq!(shown.text.entities.len(), 2);
        let plain = spoken_content(&text, false);
        assert_eq!(
            (plain.text.text.as_str(), plain.parse_mode),
            ("Yes, here (https://example.com)", ParseMode::None)
        );
        assert!(plain.text.entities.is_empty());
    }
}
