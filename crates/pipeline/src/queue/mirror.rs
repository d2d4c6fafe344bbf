//! What other programs read in Redis of the store: the batches that wait, when each client wrote last, and which chats are being
//! answered. It is written again from the store after each break.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use ::queue::{QueueError, keys};
use ambient::Handle;
use domain::{AccountName, ChannelChat, ChannelName, InboundMedia, Timestamp, VOICE_MARK};
use serde_json::json;
use store::{PipelineRules, StoreError, TELEGRAM_ACCOUNT, WaitingBatch};

use super::results::batch_id;
use super::{ASK_AGAIN, Queue, Stage};
use crate::batch::{media_of, with};
use crate::rules::rules;
use crate::service::Inner;

/// What a lock says.
const LOCKED: &str = "processing";
/// A lock ends by itself after so long.
const LOCK: Duration = Duration::from_mins(5);
/// Who wrote within this is published after a break.
const RECENT: Duration = Duration::from_hours(1);
/// Rows that are read at once.
const PAGE: u32 = 500;
/// The most messages that wait, and turns that are open, that are copied to Redis.
const MOST: u32 = 20_000;
/// How long until it is looked again.
const LOOK: Duration = Duration::from_secs(1);
/// How long it rests after each look.
const REST: Duration = Duration::from_millis(100);

/// What Redis was given.
struct Published {
    /// The last message of a client.
    seq: i64,
    batches: HashMap<String, PublishedBatch>,
    /// The lock of each turn, where it is ours.
    locks: HashMap<String, Option<String>>,
}

struct PublishedBatch {
    chat: String,
    messages: usize,
    offered_at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) async fn run(inner: Handle<Inner>) {
    let Some(queue) = &inner.queue else { return };
    let (clock, mut published) = (&inner.parts.clock, None);
    let mut newest = inner.parts.store.events().newest();
    while !inner.closing().is_cancelled() {
        newest.borrow_and_update();
        let look = match look(&inner, queue, &mut published).await {
            Ok(()) => {
                queue.note("what is read", Ok(()), clock.now());
                LOOK.min(queue.offer_again)
            }
            Err(error) => {
                match &error {
                    Broken::Queue(error) => queue.note("what is read", Err(error), clock.now()),
                    Broken::Store(error) => tracing::warn!(%error, "what Redis gets waits for the store"),
                }
                published = None;
                ASK_AGAIN
            }
        };
        clock.sleep(REST).await;
        tokio::select! {
            () = inner.closing().cancelled() => {}
            Ok(()) = newest.changed(), if published.is_some() => {}
            () = clock.sleep(look) => {}
        }
    }
}

async fn look(inner: &Inner, queue: &Queue, published: &mut Option<Published>) -> Result<(), Broken> {
    if published.is_none() {
        *published = Some(begin(inner, queue).await?);
    }
    let Some(published) = published else { return Ok(()) };
    last_seen(inner, queue, published).await?;
    batches(inner, queue, published).await?;
    locks(inner, queue, published).await
}

/// After a start, or a break: what another run left is there as if this one had written it.
async fn begin(inner: &Inner, queue: &Queue) -> Result<Published, Broken> {
    let now = inner.parts.clock.now();
    let mut batches = HashMap::new();
    for id in queue.redis.open(Stage::Batch.as_str()).await? {
        let chat = id.rsplit_once('@').and_then(|(chat, _)| chat.parse::<ChannelChat>().ok());
        let chat = chat.map(|chat| key_of(inner, &chat)).unwrap_or_default();
        batches.insert(id, PublishedBatch { chat, messages: 0, offered_at: Timestamp::from_micros(0) });
    }
    // The list of a chat is written before its offer, and without one where this program waits for the end of the batch.
    for list in queue.redis.names(keys::BATCHES).await? {
        let chat = list.strip_prefix(keys::BATCHES).unwrap_or_default().to_owned();
        batches.insert(list, PublishedBatch { chat, messages: 0, offered_at: Timestamp::from_micros(0) });
    }
    let locks = queue.redis.locks().await?.into_iter().map(|(id, key)| (id, Some(key))).collect();
    Ok(Published { seq: now.minus(RECENT).as_micros(), batches, locks })
}

async fn last_seen(inner: &Inner, queue: &Queue, published: &mut Published) -> Result<(), Broken> {
    loop {
        let written = inner.parts.store.pipeline().written_after(published.seq, PAGE).await?;
        let mut chats = BTreeMap::new();
        for seen in &written {
            chats.insert(seen.chat.to_string(), seen);
        }
        for seen in chats.values() {
            let key = keys::last_seen(&key_of(inner, &seen.chat));
            queue.redis.set(&key, &seen.at.to_string()).await?;
        }
        let Some(last) = written.last() else { return Ok(()) };
        published.seq = last.seq;
    }
}

async fn batches(inner: &Inner, queue: &Queue, published: &mut Published) -> Result<(), Broken> {
    let (now, settings) = (inner.parts.clock.now(), &inner.parts.settings);
    let is_external = Stage::Batch.is_external(settings);
    let rules = rules(settings, now);
    let waiting = inner.parts.store.pipeline().waiting(MOST).await?;
    let (mut ids, mut chats) = (HashSet::new(), HashSet::new());
    for batch in &waiting {
        let (id, chat) = (batch_id(&batch.chat, batch.first_at), key_of(inner, &batch.chat));
        let known = published.batches.get(&id);
        if known.is_none_or(|known| known.messages != batch.messages.len()) {
            queue.redis.replace(&keys::batch(&chat), &messages(inner, batch).await?).await?;
        }
        let is_due = |known: &PublishedBatch| is_external && known.offered_at.plus(queue.offer_again) <= now;
        let is_new = known.is_none_or(|known| known.messages == 0);
        let mut offered_at = known.map_or(now, |known| known.offered_at);
        // What waits for the end of a turn cannot be a batch yet.
        if is_external && batch.is_held {
            offered_at = Timestamp::from_micros(0);
        } else if is_new || known.is_some_and(is_due) {
            queue.redis.offer(Stage::Batch.as_str(), &id, &task(&id, batch, &chat, &rules)).await?;
            offered_at = now;
        }
        published.batches.insert(
            id.clone(),
            PublishedBatch { chat: chat.clone(), messages: batch.messages.len(), offered_at },
        );
        ids.insert(id);
        chats.insert(chat);
    }
    let over: Vec<String> = published.batches.keys().filter(|id| !ids.contains(*id)).cloned().collect();
    queue.redis.withdraw(Stage::Batch.as_str(), &over).await?;
    for id in over {
        if let Some(batch) = published.batches.remove(&id)
            && !chats.contains(&batch.chat)
        {
            queue.redis.remove(&keys::batch(&batch.chat)).await?;
        }
    }
    Ok(())
}

/// Locks the chats that are being answered, and takes back the offers of turns that have left their stage.
async fn locks(inner: &Inner, queue: &Queue, published: &mut Published) -> Result<(), Broken> {
    let mut offered = Vec::new();
    let outside = [Stage::Resolve, Stage::Appeal, Stage::Respond, Stage::Send];
    for stage in outside.into_iter().filter(|stage| stage.may_be_external(&inner.parts.settings)) {
        offered.push((stage, queue.redis.open(stage.as_str()).await?));
    }
    // Read afterwards: what is offered is in the store before.
    let turns = inner.parts.store.pipeline().open_turns(MOST).await?;
    let mut open = HashMap::new();
    for turn in &turns {
        let id = turn.id.to_string();
        if !published.locks.contains_key(&id) {
            let key = keys::lock(&key_of(inner, &turn.chat));
            let is_ours = queue.redis.lock(&key, LOCKED, LOCK.as_secs(), &id).await?;
            published.locks.insert(id.clone(), is_ours.then_some(key));
        }
        open.insert(id, Stage::of(turn.stage));
    }
    let over: Vec<String> = published.locks.keys().filter(|id| !open.contains_key(*id)).cloned().collect();
    for id in &over {
        if let Some(key) = published.locks.remove(id).flatten() {
            queue.redis.unlock(&key, id).await?;
        }
    }
    for (stage, mut offered) in offered {
        offered.retain(|id| open.get(id).copied().flatten() != Some(stage));
        queue.redis.withdraw(stage.as_str(), &offered).await?;
    }
    Ok(())
}

/// A chat as keys name it.
fn key_of(inner: &Inner, chat: &ChannelChat) -> String {
    keys::chat(chat, is_first(inner, &chat.channel, &chat.account))
}

/// Whether it is the account of its channel that is meant where none is named.
fn is_first(inner: &Inner, channel: &ChannelName, account: &AccountName) -> bool {
    channel.as_str() != TELEGRAM_ACCOUNT && inner.account_of(channel, None).is_ok_and(|of| of == *account)
}

/// The messages of a batch in the one format.
async fn messages(inner: &Inner, batch: &WaitingBatch) -> Result<Vec<String>, StoreError> {
    let chat = batch.chat.chat.as_str();
    let mut items = Vec::with_capacity(batch.messages.len());
    for message in &batch.messages {
        let media: Vec<_> = message.media.iter().map(|media| (media, message.text.as_str())).collect();
        let transcripts: Vec<&str> =
            message.text.split_once(VOICE_MARK).map(|(_, transcript)| transcript).into_iter().collect();
        let mut item = json!({
            "id": message.message, "channel": batch.chat.channel.as_str(),
            "channel_account": batch.chat.account.as_str(), "external_chat_id": chat,
            "chat_type": batch.chat_type.as_str(), "external_user_id": batch.user, "client_name": batch.name, "client_phone": batch.phone,
            "client_email": batch.email, "external_message_id": message.external_id, "text": message.text.as_str(),
            "timestamp": message.at, "skip": false,
            "reply_text": InboundMedia::reply_text(&message.media),
            "media": media_of(&media, &transcripts),
            "meta": { "external_message_id": message.external_id, "user_id": batch.user, "chat_id": chat },
        });
        with(&mut item, inner.beside(&[message.message.as_str()]).await?);
        items.push(item.to_string());
    }
    Ok(items)
}

/// What the program that waits is offered.
fn task(id: &str, batch: &WaitingBatch, chat: &str, rules: &PipelineRules) -> String {
    let rule = rules.of(&batch.chat.channel, &batch.chat.account);
    json!({
        "item_id": id, "batch_key": chat, "channel": batch.chat.channel.as_str(),
        "channel_account": batch.chat.account.as_str(), "external_chat_id": batch.chat.chat.as_str(),
        "queue_key": keys::batch(chat), "lock_key": keys::lock(chat), "last_seen_key": keys::last_seen(chat),
        "debounce_seconds": rule.map(|rule| rule.silence.as_secs()),
        "max_wait_seconds": rule.map(|rule| rule.longest.as_secs()), "start_time": batch.first_at,
    })
    .to_string()
}
