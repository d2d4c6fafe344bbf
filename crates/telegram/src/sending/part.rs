//! Sending one part, a text or media: one call, no retry, and what its answer means.

use std::time::Duration;

use domain::account::{Operation, Reason};
use domain::message::PartItem;
use domain::outcome::{HoldScope, SentIds, Unclear};
use domain::{ChatId, ChatKind, Outcome, Purpose, TelegramMessageId};
use grammers_tl_types::{Cursor, Deserializable, Identifiable, Serializable, enums, functions, types};

use crate::account::{Account, Learned};
use crate::calls::classify::{self, CallError};
use crate::files::{self, Refused};
use crate::peers::lookup;
use crate::routing::router::Usable;
use crate::sending::Attempt;
use crate::sending::entities;

/// How long a send may take. After that no one knows whether it arrived.
const SEND: Duration = Duration::from_secs(15);

/// The same for media, which Telegram looks through before it answers.
const SEND_MEDIA: Duration = Duration::from_mins(1);

pub(crate) async fn send(account: &Account, attempt: Attempt<'_>) -> Outcome {
    match account.usable() {
        Usable::Now => {}
        Usable::Connecting => return Outcome::Unavailable("connecting".to_owned()),
        Usable::No(..) => return unusable(account),
    }
    let (purpose, limit) = route(&attempt);
    let Some(line) = account.line_for(purpose) else {
        return Outcome::Unavailable("connecting".to_owned());
    };
    let Some(peer) = lookup::input(account, attempt.chat_id).await else {
        return Outcome::NotFound("this account does not know the chat".to_owned());
    };
    let body = if attempt.part.is_media() {
        let Some(body) = files::request(account, &attempt, peer.clone(), reply_to(&attempt)) else {
            return Outcome::Unavailable("its files have to be brought up first".to_owned());
        };
        body
    } else {
        request(account, &attempt, peer.clone()).to_bytes()
    };
    let sending = account.health.sending();
    failpoint::reach("telegram.send.before").await;
    let answer = line.call_raw(Operation::SendMessage, body, limit).await;
    failpoint::reach("telegram.send.after").await;
    drop(sending);
    match answer {
        Ok(body) => {
            let outcome = sent(account, &attempt, &body).await;
            if matches!(outcome, Outcome::Unknown(_)) {
                line.unreadable(Operation::SendMessage);
            }
            outcome
        }
        Err(error) => {
            if let Some(refused) = Refused::of(&error).filter(|_| attempt.part.is_media()) {
                return files::refused(account, &attempt, refused, &error).await;
            }
            let outcome = judged(account, Some(attempt.chat_id), &error);
            if matches!(outcome, Outcome::Unknown(Unclear::ServerError(_))) && attempt.part.is_media() {
                files::failed(account, &attempt).await;
            }
            look_again(account, attempt.chat_id, &peer, outcome).await
        }
    }
}

/// By which of the account's lines a part goes, and how long that may take.
fn route(attempt: &Attempt<'_>) -> (Purpose, Duration) {
    if attempt.part.is_media() { (Purpose::SendMedia, SEND_MEDIA) } else { (Purpose::SendText, SEND) }
}

/// What a part answers: only the first part answers, the others follow it anyway.
fn reply_to(attempt: &Attempt<'_>) -> Option<enums::InputReplyTo> {
    let message = attempt.content.reply_to.as_ref().filter(|_| attempt.part.index == 0)?.telegram()?;
    Some(enums::InputReplyTo::Message(types::InputReplyToMessage {
        reply_to_msg_id: message.get(),
        top_msg_id: None,
        reply_to_peer_id: None,
        quote_text: None,
        quote_entities: None,
        quote_offset: None,
        monoforum_peer_id: None,
        todo_item_id: None,
        poll_option: None,
    }))
}

/// The outcome of a message that this account cannot carry at all: why it is unusable, if that is for good.
pub(crate) fn unusable(account: &Account) -> Outcome {
    let shown = account.shown();
    // While one of its sessions may come back, what was begun stays with it.
    match shown.reason.filter(|reason| *reason == Reason::Frozen || !account.can_still_tell()) {
        Some(reason @ (Reason::Banned | Reason::Deactivated | Reason::Frozen)) => Outcome::Banned(reason),
        Some(
            reason @ (Reason::NoSession
            | Reason::SessionRevoked
            | Reason::AuthKeyDuplicated
            | Reason::KeyUnknown),
        ) => Outcome::SessionLost(reason),
        _ => Outcome::Unavailable(shown.state.to_string()),
    }
}

fn request(
    account: &Account,
    attempt: &Attempt<'_>,
    peer: enums::InputPeer,
) -> functions::messages::SendMessage {
    let text = &attempt.part.text;
    functions::messages::SendMessage {
        no_webpage: !attempt.content.preview,
        silent: attempt.content.silent,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer,
        reply_to: reply_to(attempt),
        message: text.text.clone(),
        random_id: attempt.part.random_id(),
        reply_markup: None,
        entities: entities::to_telegram(&text.entities, |user_id| account.peers.input_user(user_id)),
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
        suggested_post: None,
        rich_message: None,
    }
}

/// An answer came that is no error. It is accepted only if the answer says under which id: of one that cannot be read no one
/// knows what it says.
async fn sent(account: &Account, attempt: &Attempt<'_>, body: &[u8]) -> Outcome {
    let (ids, answer) = match accepted(account, attempt, body) {
        Ok(accepted) => accepted,
        Err(unclear) => return Outcome::Unknown(unclear),
    };
    if attempt.part.is_media() {
        Box::pin(files::sent(account, attempt, answer.as_deref())).await;
    }
    if account.flood_waits.lift_mark(attempt.chat_id)
        && let Err(error) = account.store.accounts().lift_mark(&account.name, attempt.chat_id).await
    {
        tracing::warn!(account = %account.name, %error, "a mark could not be lifted in the store");
    }
    Outcome::Sent(ids)
}

/// The ids under which its items were accepted; and the whole answer if it mentions files. It is large, and a text does
/// not carry room for it through its waits.
fn accepted(
    account: &Account,
    attempt: &Attempt<'_>,
    body: &[u8],
) -> Result<(SentIds, Option<Box<enums::Updates>>), Unclear> {
    let random_id = attempt.part.random_id();
    if !attempt.part.is_media()
        && let Some(id) = announced(body, random_id)
    {
        account.recently_sent.note(random_id, id, Some(attempt.chat_id));
        return Ok((SentIds::one(Some(id)), None));
    }
    let answer = enums::Updates::from_bytes(body)
        .map_err(|error| Unclear::Unreadable(format!("the answer cannot be read: {error}")))?;
    let id_of = |item: &PartItem| message_id(&answer, item.random_id);
    let ids: Vec<_> = attempt.part.items.iter().map(id_of).collect();
    // A part arrives as a whole, so that one of its messages speaks for all.
    if ids.iter().all(Option::is_none) {
        return Err(Unclear::Unreadable("the answer names no message".to_owned()));
    }
    for (item, id) in attempt.part.items.iter().zip(&ids) {
        if let Some(id) = id {
            account.recently_sent.note(item.random_id, *id, Some(attempt.chat_id));
        }
    }
    Ok((SentIds::from_iter(ids), attempt.part.is_media().then(|| Box::new(answer))))
}

/// The same from the beginning of an answer, where Telegram names the ids: the messages behind them are the reader's to
/// take in, and are not read here.
fn announced(body: &[u8], random_id: i64) -> Option<TelegramMessageId> {
    const KINDS: [u32; 2] = [types::Updates::CONSTRUCTOR_ID, types::UpdatesCombined::CONSTRUCTOR_ID];
    const VECTOR: u32 = 0x1cb5_c415;
    let mut answer = Cursor::from_slice(body);
    let number = |answer: &mut Cursor<'_>| u32::deserialize(answer).ok();
    let is_list = KINDS.contains(&number(&mut answer)?) && number(&mut answer)? == VECTOR;
    let count = number(&mut answer).filter(|_| is_list)?;
    for _ in 0..count {
        if number(&mut answer)? != types::UpdateMessageId::CONSTRUCTOR_ID {
            return None;
        }
        let sent = types::UpdateMessageId::deserialize(&mut answer).ok()?;
        if sent.random_id == random_id {
            return TelegramMessageId::new(sent.id);
        }
    }
    None
}

/// The id under which the message with this `random_id` was accepted.
fn message_id(answer: &enums::Updates, random_id: i64) -> Option<TelegramMessageId> {
    let updates = match answer {
        enums::Updates::UpdateShortSentMessage(sent) => return TelegramMessageId::new(sent.id),
        enums::Updates::Updates(answer) => &answer.updates,
        enums::Updates::Combined(answer) => &answer.updates,
        _ => return None,
    };
    updates.iter().find_map(|update| match update {
        enums::Update::MessageId(sent) if sent.random_id == random_id => TelegramMessageId::new(sent.id),
        _ => None,
    })
}

/// It was refused, or no one knows. What that says about the account, and about the chat it was for, is in memory before
/// the delivery reads it.
pub(crate) fn judged(account: &Account, chat_id: Option<ChatId>, error: &CallError) -> Outcome {
    judged_as(account, Operation::SendMessage, chat_id, error)
}

/// The same for what is done before sending and seen by no one: a flood wait for that holds back no message.
pub(crate) fn judged_before(account: &Account, chat_id: Option<ChatId>, error: &CallError) -> Outcome {
    judge(account, None, chat_id, error)
}

/// The same for a call of another kind: a flood wait is kept for that kind.
pub(crate) fn judged_as(
    account: &Account,
    operation: Operation,
    chat_id: Option<ChatId>,
    error: &CallError,
) -> Outcome {
    judge(account, Some(operation), chat_id, error)
}

fn judge(
    account: &Account,
    operation: Option<Operation>,
    chat_id: Option<ChatId>,
    error: &CallError,
) -> Outcome {
    let now = account.now();
    let outcome = classify::outcome(error, now);
    match (&outcome, chat_id) {
        (Outcome::Held { until, scope: HoldScope::Account }, _) => {
            if let Some(operation) = operation {
                account.flood_waits.keep_flood(operation, *until, now);
            }
        }
        (Outcome::Held { until, scope: HoldScope::Chat }, Some(chat_id)) => {
            account.flood_waits.keep_slow_mode(chat_id, *until, now);
        }
        (Outcome::Forbidden(why), Some(chat_id)) => account.flood_waits.mark(chat_id, why.clone(), now),
        (Outcome::NotFound(_), Some(chat_id)) => account.peers.forget(chat_id),
        (Outcome::NotInChat(_), Some(chat_id)) => drop(account.peers.leave(chat_id)),
        // Another session of the same account goes on where this one ended.
        (Outcome::SessionLost(reason), _) if account.can_still_tell() => {
            return Outcome::Unavailable(format!("a session was lost: {reason}"));
        }
        _ => {}
    }
    outcome
}

/// A chat that was not found may have become another one, or be reached again under its name: then the delivery is to
/// choose once more, with what is known now. A missing right may be that of an account that was removed. Nothing was sent.
async fn look_again(
    account: &Account,
    chat_id: ChatId,
    shown: &enums::InputPeer,
    outcome: Outcome,
) -> Outcome {
    if !matches!(outcome, Outcome::NotFound(_) | Outcome::Forbidden(_) | Outcome::NotInChat(_)) {
        return outcome;
    }
    if chat_id.kind() == ChatKind::Group {
        // Only whether it helped counts.
        let _ = lookup::by_id(account, chat_id).await;
        if account.registry.today(chat_id) != chat_id {
            return Outcome::ChatMoved;
        }
    } else if matches!(outcome, Outcome::NotFound(_))
        && let Some(name) = account.names.of(chat_id)
        && let Ok(found) = lookup::resolve(account, &name).await
        && found == Some(chat_id)
        // The same answer to the same question would be the same again.
        && account.peers.input(chat_id).is_some_and(|known| known != *shown)
    {
        return Outcome::Unavailable(format!("{name} was looked up again"));
    }
    let outcome = match outcome {
        Outcome::Forbidden(why) if !lookup::is_still_in(account, chat_id).await => Outcome::NotInChat(why),
        outcome => outcome,
    };
    if matches!(outcome, Outcome::NotInChat(_)) {
        account.store_learned(Learned { gone: vec![chat_id], ..Learned::default() }).await;
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_read_from_both_forms_of_the_answer() {
        let short = types::UpdateShortSentMessage {
            out: true,
            id: 45,
            pts: 1,
            pts_count: 1,
            date: 0,
            media: None,
            entities: None,
            ttl_period: None,
        };
        assert_eq!(message_id(&short.into(), 9), TelegramMessageId::new(45));
        let answer = |random_id| {
            enums::Updates::Updates(types::Updates {
                updates: vec![types::UpdateMessageId { id: 46, random_id }.into()],
                users: Vec::new(),
                chats: Vec::new(),
                date: 0,
                seq: 0,
            })
        };
        for (random_id, found) in [(9, TelegramMessageId::new(46)), (8, None)] {
            assert_eq!(message_id(&answer(random_id), 9), found);
            assert_eq!(announced(&answer(random_id).to_bytes(), 9), found);
        }
        assert_eq!(message_id(&enums::Updates::TooLong, 9), None);
        // What follows the ids is not read.
        let whole = answer(9).to_bytes();
        assert_eq!(announced(&whole[..28], 9), TelegramMessageId::new(46));
        assert_eq!(announced(&whole[..27], 9), None);
        assert_eq!(announced(&enums::Updates::TooLong.to_bytes(), 9), None);
    }
}
