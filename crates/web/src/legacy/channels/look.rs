//! What the ports of the old servers show: the chats and messages of this program's store.

use channels::Links;
use delivery::MediaKind;
use domain::message::OutboundMessage;
use domain::{ChannelChat, InboundKind, MessageOrigin, Timestamp};
use store::{
    ChannelConversationMessage, ConversationStart, InboundFilter, Page, StoredChannelChat, StoredInbound,
};

use super::Gate;
use super::call::chat;
use super::refused::Refused;

/// The most messages or chats on a page.
pub(super) const MOST: usize = 100;
/// The number of messages that are read from the store at a time.
const PAGE: u32 = 500;
/// As far as a page may begin.
pub(super) const FARTHEST: usize = 1_000;

/// A message of a chat, of either direction.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The provider's id of it.
    pub(super) id: Option<String>,
    /// Whether the account wrote it, here or elsewhere.
    pub(super) is_own: bool,
    /// The customer, where they wrote it.
    pub(super) user: Option<String>,
    pub(super) text: String,
    /// `text`, `image`, `voice`, `audio`, `video`, `document`, `sticker` or `other`.
    pub(super) kind: &'static str,
    /// Where its file is: here, or without `public_url` at the provider.
    pub(super) url: Option<String>,
    pub(super) at: Timestamp,
    /// The advertisement that the customer came by.
    pub(super) ad: Option<String>,
    pub(super) is_deleted: bool,
}

/// A chat, and its last messages, the newest first.
pub(super) struct Dialog {
    pub(super) chat: StoredChannelChat,
    pub(super) lines: Vec<Line>,
}

impl Dialog {
    pub(super) fn last(&self) -> Option<&Line> {
        self.lines.first()
    }

    /// Whether the customer wrote last.
    pub(super) fn is_unread(&self) -> bool {
        self.last().is_some_and(|last| !last.is_own)
    }
}

/// The messages of a chat, the newest first, with a limit and an offset.
pub(super) async fn lines(
    gate: &Gate,
    name: &str,
    (most, after): (usize, usize),
) -> Result<Vec<Line>, Refused> {
    let account = gate.account()?;
    let (channel, account) = (account.channel.clone(), account.name().clone());
    let address = ChannelChat { channel, account, chat: chat("chat_id", name)? };
    let (wanted, mut cursor, mut found) = (after + most, None, Vec::new());
    loop {
        let limit = u32::try_from(wanted - found.len()).unwrap_or(u32::MAX);
        let page = Page { limit, cursor };
        let start = ConversationStart::Newest;
        let paged = gate.state.store().channels().conversation(address.clone(), start, None, &page).await?;
        found.extend(paged.items.iter().map(|message| line(message, gate.state.links())));
        cursor = paged.next_cursor;
        if cursor.is_none() || found.len() >= wanted {
            return Ok(found.into_iter().skip(after).take(most).collect());
        }
    }
}

/// Chats, the one with the latest message first, with a limit and an offset, and with a limit of messages for each.
pub(super) async fn dialogs(
    gate: &Gate,
    (most, after): (usize, usize),
    depth: usize,
) -> Result<Vec<Dialog>, Refused> {
    let account = gate.account()?;
    let bounds = (u32::try_from(most).unwrap_or(u32::MAX), u32::try_from(after).unwrap_or(u32::MAX));
    let chats = gate.state.store().channels().chats(&account.channel, account.name(), bounds).await?;
    let mut dialogs = Vec::with_capacity(chats.len());
    for chat in chats {
        let lines = lines(gate, chat.chat.as_str(), (depth, 0)).await?;
        dialogs.push(Dialog { chat, lines });
    }
    Ok(dialogs)
}

/// One chat; none that nothing is known of.
pub(super) async fn dialog(gate: &Gate, name: &str) -> Result<Option<Dialog>, Refused> {
    let account = gate.account()?;
    let (channel, account) = (account.channel.clone(), account.name().clone());
    let address = ChannelChat { channel, account, chat: chat("chat_id", name)? };
    let Some(chat) = gate.state.store().channels().chat(&address).await? else { return Ok(None) };
    let lines = lines(gate, name, (1, 0)).await?;
    Ok(Some(Dialog { chat, lines }))
}

/// The message that the provider calls so, if it came in.
pub(super) async fn received(gate: &Gate, id: &str) -> Result<Option<(String, Line)>, Refused> {
    let account = gate.account()?;
    let channels = gate.state.store().channels();
    let stored = channels.by_external_id(&account.channel, account.name(), id).await?;
    Ok(stored.map(|stored| (stored.address.chat.to_string(), of_received(&stored, gate.state.links()))))
}

/// What customers wrote, the earliest first, each with its number and its chat: the first messages after that number, else the last.
pub(super) async fn written(
    gate: &Gate,
    after: Option<i64>,
    most: usize,
) -> Result<Vec<(i64, String, Line)>, Refused> {
    let account = gate.account()?;
    let filter = InboundFilter {
        channel: Some(account.channel.clone()),
        account: Some(account.name().clone()),
        since: after.map(|number| Timestamp::from_micros(number.saturating_add(1))),
        ..InboundFilter::default()
    };
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = Page { limit: PAGE, cursor };
        let paged = gate.state.store().channels().list(&filter, &page).await?;
        found.extend(paged.items.into_iter().filter(|stored| stored.message.origin != MessageOrigin::Owner));
        // The latest are read first.
        if after.is_some() {
            found.drain(..found.len().saturating_sub(most));
        } else {
            found.truncate(most);
        }
        cursor = paged.next_cursor;
        if cursor.is_none() || after.is_none() && found.len() == most {
            break;
        }
    }
    let listed = |stored: &StoredInbound| {
        (stored.id.get(), stored.address.chat.to_string(), of_received(stored, gate.state.links()))
    };
    Ok(found.iter().rev().map(listed).collect())
}

fn line(message: &ChannelConversationMessage, links: &Links) -> Line {
    match message {
        ChannelConversationMessage::Received(stored) => of_received(stored, links),
        ChannelConversationMessage::Sent(message) => of_sent(message),
    }
}

fn of_received(stored: &StoredInbound, links: &Links) -> Line {
    let message = &stored.message;
    let media = message.media.first();
    Line {
        id: Some(message.external_id.clone()),
        is_own: message.origin == MessageOrigin::Owner,
        user: message.user.clone(),
        text: message.text.as_str().to_owned(),
        kind: media.map_or("text", |media| InboundKind::as_str(media.kind)),
        url: media.and_then(|media| links.instead(stored.id, 0, media)),
        at: message.sent_at,
        ad: message.ad.as_ref().and_then(|ad| ad.id.clone()),
        is_deleted: stored.deleted_at.is_some(),
    }
}

fn of_sent(message: &OutboundMessage) -> Line {
    let kind = message.content.media.first().map_or("text", |media| match MediaKind::of(media) {
        MediaKind::Photo => "image",
        MediaKind::Video | MediaKind::Animation => "video",
        MediaKind::Voice => "voice",
        MediaKind::Audio => "audio",
        MediaKind::Document | MediaKind::Post | MediaKind::FileId => "document",
    });
    Line {
        id: message.message_ids().first().map(ToString::to_string),
        is_own: true,
        user: None,
        text: message.content.text.text.clone(),
        kind,
        url: None,
        at: message.updated_at,
        ad: None,
        is_deleted: false,
    }
}
