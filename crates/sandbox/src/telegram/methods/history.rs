//! Reading messages: history, search, by id.

use grammers_tl_types::{enums, functions, types};

use crate::telegram::context::Context;
use crate::telegram::files::FileKind;
use crate::telegram::mailbox::Mailbox;
use crate::telegram::message::{History, Stored};
use crate::telegram::peer::Peer;
use crate::telegram::render::Cast;
use crate::telegram::rpc::{Result, bad_request};
use crate::telegram::state::{State, count, page};

/// The most messages in one answer.
const PAGE: usize = 100;

/// Which part of a history is wanted.
struct Window {
    offset_id: i32,
    offset_date: i32,
    add_offset: i32,
    limit: i32,
    max_id: i32,
    min_id: i32,
}

impl Window {
    /// Cuts the window out of messages that come newest first.
    fn cut<'a>(&self, messages: &[&'a Stored]) -> Vec<&'a Stored> {
        let begins = messages.partition_point(|message| {
            if self.offset_id > 0 {
                message.id >= self.offset_id
            } else {
                self.offset_date > 0 && message.date >= self.offset_date
            }
        });
        let shift = usize::try_from(self.add_offset.unsigned_abs()).unwrap_or(usize::MAX);
        let limit = page(self.limit, PAGE);
        let (from, taken) = if self.add_offset >= 0 {
            (begins.saturating_add(shift), limit)
        } else {
            // Reaching before the first message costs as many at the end.
            (begins.saturating_sub(shift), limit.saturating_sub(shift.saturating_sub(begins)))
        };
        let inside = |message: &&&Stored| {
            (self.max_id <= 0 || message.id < self.max_id) && (self.min_id <= 0 || message.id > self.min_id)
        };
        messages.iter().skip(from).take(taken).filter(inside).copied().collect()
    }
}

/// What the account sees of a chat it may read, newest first.
fn visible_messages(state: &State, me: i64, peer: Peer) -> impl Iterator<Item = &Stored> {
    let (history, hidden) = match peer {
        Peer::Channel(id) => {
            let channel = state.channels.get(&id);
            (channel.map(|it| &it.history), channel.map_or(0, |it| it.hidden_up_to(me)))
        }
        Peer::User(_) | Peer::Group(_) => {
            let dialog = state.mailboxes.get(&me).and_then(|mailbox| mailbox.dialog(peer));
            (dialog.map(|dialog| &dialog.history), 0)
        }
    };
    history.into_iter().flat_map(History::newest_first).take_while(move |stored| stored.id > hidden)
}

/// Messages of one chat as an answer; `total` is how many there are in all.
fn found(state: &State, me: i64, peer: Peer, shown: &[&Stored], total: usize) -> enums::messages::Messages {
    let mut cast = Cast::of(peer);
    let messages: Vec<_> = shown
        .iter()
        .map(|stored| {
            cast.message(peer, stored);
            state.message(me, peer, stored)
        })
        .collect();
    let (users, chats) = state.introduce(me, &cast);
    let topics = Vec::new();
    if let Peer::Channel(id) = peer {
        let pts = state.channels.get(&id).map_or(1, |channel| channel.log.pts());
        return types::messages::ChannelMessages {
            inexact: false,
            pts,
            count: count(total),
            offset_id_offset: None,
            messages,
            topics,
            chats,
            users,
        }
        .into();
    }
    if shown.len() < total {
        return types::messages::MessagesSlice {
            inexact: false,
            count: count(total),
            next_rate: None,
            offset_id_offset: None,
            search_flood: None,
            messages,
            topics,
            chats,
            users,
        }
        .into();
    }
    types::messages::Messages { messages, topics, chats, users }.into()
}

pub(super) fn get_history(
    context: &mut Context<'_>,
    request: &functions::messages::GetHistory,
) -> Result<enums::messages::Messages> {
    let me = context.me()?;
    let state = &*context.state;
    let peer = state.input_peer(me, &request.peer)?;
    state.may_read(me, peer)?;
    let window = Window {
        offset_id: request.offset_id,
        offset_date: request.offset_date,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    let all: Vec<&Stored> = visible_messages(state, me, peer).collect();
    Ok(found(state, me, peer, &window.cut(&all), all.len()))
}

/// Whether a message passes a search's filter. There is no media here.
fn passes(state: &State, filter: &enums::MessagesFilter, stored: &Stored) -> bool {
    let kept = stored.body.media.and_then(|media| state.files.get(media.file));
    let is = |kinds: &[FileKind]| kept.is_some_and(|kept| kinds.contains(&kept.kind));
    match filter {
        enums::MessagesFilter::InputMessagesFilterEmpty => true,
        enums::MessagesFilter::InputMessagesFilterUrl => {
            let entities = stored.body.entities.iter().flat_map(|entities| entities.iter());
            entities.into_iter().any(|entity| {
                matches!(entity, enums::MessageEntity::Url(_) | enums::MessageEntity::TextUrl(_))
            })
        }
        enums::MessagesFilter::InputMessagesFilterPhotos => is(&[FileKind::Photo]),
        enums::MessagesFilter::InputMessagesFilterVideo => is(&[FileKind::Video]),
        enums::MessagesFilter::InputMessagesFilterPhotoVideo => is(&[FileKind::Photo, FileKind::Video]),
        enums::MessagesFilter::InputMessagesFilterDocument => is(&[FileKind::Document]),
        enums::MessagesFilter::InputMessagesFilterGif => is(&[FileKind::Animation]),
        enums::MessagesFilter::InputMessagesFilterVoice => is(&[FileKind::Voice]),
        enums::MessagesFilter::InputMessagesFilterMusic => is(&[FileKind::Audio]),
        _ => false,
    }
}

pub(super) fn search(
    context: &mut Context<'_>,
    request: &functions::messages::Search,
) -> Result<enums::messages::Messages> {
    let me = context.me()?;
    let state = &*context.state;
    if let enums::InputPeer::Empty = request.peer {
        return Ok(found_anywhere(state, me, &request.q, page(request.limit, PAGE)));
    }
    let peer = state.input_peer(me, &request.peer)?;
    state.may_read(me, peer)?;
    let from = match &request.from_id {
        None => None,
        Some(input) => match state.input_peer(me, input)? {
            Peer::User(user) => Some(user),
            Peer::Group(_) | Peer::Channel(_) => return Err(bad_request("FROM_PEER_INVALID")),
        },
    };
    let wanted = request.q.to_lowercase();
    let hits: Vec<&Stored> = visible_messages(state, me, peer)
        .filter(|stored| passes(state, &request.filter, stored))
        .filter(|stored| from.is_none_or(|user| stored.from == user))
        .filter(|stored| request.min_date <= 0 || stored.date >= request.min_date)
        .filter(|stored| request.max_date <= 0 || stored.date <= request.max_date)
        .filter(|stored| wanted.is_empty() || stored.body.text.to_lowercase().contains(&wanted))
        .collect();
    let window = Window {
        offset_id: request.offset_id,
        offset_date: 0,
        add_offset: request.add_offset,
        limit: request.limit,
        max_id: request.max_id,
        min_id: request.min_id,
    };
    Ok(found(state, me, peer, &window.cut(&hits), hits.len()))
}

pub(super) fn search_global(
    context: &mut Context<'_>,
    request: &functions::messages::SearchGlobal,
) -> Result<enums::messages::Messages> {
    let me = context.me()?;
    Ok(found_anywhere(context.state, me, &request.q, page(request.limit, PAGE)))
}

/// The newest messages with this text in all of an account's chats.
fn found_anywhere(state: &State, me: i64, text: &str, limit: usize) -> enums::messages::Messages {
    let wanted = text.to_lowercase();
    let dialogs = state.mailboxes.get(&me).into_iter().flat_map(Mailbox::shown);
    let mut hits: Vec<(Peer, &Stored)> = dialogs
        .map(|dialog| dialog.peer)
        .flat_map(|peer| visible_messages(state, me, peer).map(move |stored| (peer, stored)))
        .filter(|(_, stored)| stored.body.text.to_lowercase().contains(&wanted))
        .collect();
    hits.sort_by_key(|(_, stored)| std::cmp::Reverse((stored.date, stored.origin)));
    hits.truncate(limit);
    mixed(state, me, hits.into_iter())
}

/// Messages of several chats.
fn mixed<'a>(
    state: &State,
    me: i64,
    hits: impl Iterator<Item = (Peer, &'a Stored)>,
) -> enums::messages::Messages {
    let mut cast = Cast::default();
    let messages = hits
        .map(|(peer, stored)| {
            cast.message(peer, stored);
            state.message(me, peer, stored)
        })
        .collect();
    let (users, chats) = state.introduce(me, &cast);
    types::messages::Messages { messages, topics: Vec::new(), chats, users }.into()
}

pub(super) fn get_messages(
    context: &mut Context<'_>,
    request: &functions::messages::GetMessages,
) -> Result<enums::messages::Messages> {
    let me = context.me()?;
    let state = &*context.state;
    let mailbox = state.mailboxes.get(&me).ok_or(bad_request("USER_ID_INVALID"))?;
    let wanted = request.id.iter().take(PAGE).map(|input| {
        let id = wanted_id(input, |id| mailbox.message(id).and_then(|(_, stored)| stored.reply_to));
        (id, mailbox.message(id))
    });
    Ok(listed(state, me, Cast::default(), wanted))
}

pub(super) fn get_channel_messages(
    context: &mut Context<'_>,
    request: &functions::channels::GetMessages,
) -> Result<enums::messages::Messages> {
    let me = context.me()?;
    let state = &*context.state;
    let id = state.input_channel(me, &request.channel)?;
    let peer = Peer::Channel(id);
    state.may_read(me, peer)?;
    let channel = state.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    let wanted = request.id.iter().take(PAGE).map(|input| {
        let id = wanted_id(input, |id| channel.message_visible_to(me, id).and_then(|stored| stored.reply_to));
        (id, channel.message_visible_to(me, id).map(|stored| (peer, stored)))
    });
    let enums::messages::Messages::Messages(types::messages::Messages { messages, topics, chats, users }) =
        listed(state, me, Cast::of(peer), wanted)
    else {
        return Err(bad_request("CHANNEL_INVALID"));
    };
    Ok(types::messages::ChannelMessages {
        inexact: false,
        pts: channel.log.pts(),
        count: count(messages.len()),
        offset_id_offset: None,
        messages,
        topics,
        chats,
        users,
    }
    .into())
}

/// The id that is asked for; 0 when it names nothing.
fn wanted_id(input: &enums::InputMessage, reply_to: impl Fn(i32) -> Option<i32>) -> i32 {
    match input {
        enums::InputMessage::Id(message) => message.id,
        enums::InputMessage::ReplyTo(message) => reply_to(message.id).unwrap_or(0),
        enums::InputMessage::Pinned | enums::InputMessage::CallbackQuery(_) => 0,
    }
}

/// Messages by id; one that is not there comes as `messageEmpty`.
fn listed<'a>(
    state: &State,
    me: i64,
    mut cast: Cast,
    wanted: impl Iterator<Item = (i32, Option<(Peer, &'a Stored)>)>,
) -> enums::messages::Messages {
    let messages = wanted
        .map(|(id, hit)| match hit {
            Some((peer, stored)) => {
                cast.message(peer, stored);
                state.message(me, peer, stored)
            }
            None => types::MessageEmpty { id, peer_id: None }.into(),
        })
        .collect();
    let (users, chats) = state.introduce(me, &cast);
    types::messages::Messages { messages, topics: Vec::new(), chats, users }.into()
}

pub(super) fn get_messages_views(
    context: &mut Context<'_>,
    request: &functions::messages::GetMessagesViews,
) -> Result<enums::messages::MessageViews> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    context.state.may_read(me, peer)?;
    let one = || types::MessageViews { views: Some(1), forwards: Some(0), replies: None }.into();
    let views = request.id.iter().take(PAGE).map(|_| one()).collect();
    Ok(types::messages::MessageViews { views, chats: Vec::new(), users: Vec::new() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram::message::Body;

    fn window(offset_id: i32, add_offset: i32, limit: i32) -> Window {
        Window { offset_id, offset_date: 0, add_offset, limit, max_id: 0, min_id: 0 }
    }

    fn cut(window: &Window) -> Vec<i32> {
        let messages: Vec<Stored> = (1..=10)
            .rev()
            .map(|id| Stored {
                id,
                origin: 0,
                date: id * 100,
                edit_date: None,
                from: 1,
                reply_to: None,
                silent: false,
                body: Body::default(),
            })
            .collect();
        let messages: Vec<&Stored> = messages.iter().collect();
        window.cut(&messages).iter().map(|message| message.id).collect()
    }

    #[test]
    fn a_window_counts_from_its_offset() {
        assert_eq!(cut(&window(0, 0, 3)), [10, 9, 8]);
        assert_eq!(cut(&window(8, 0, 3)), [7, 6, 5]);
        assert_eq!(cut(&window(8, 1, 2)), [6, 5]);
        assert_eq!(cut(&window(8, -1, 2)), [8, 7]);
        assert_eq!(cut(&window(2, -5, 10)), [6, 5, 4, 3, 2, 1]);
        assert_eq!(cut(&window(0, -2, 5)), [10, 9, 8]);
        assert_eq!(cut(&window(1, 0, 5)), [0; 0]);
        assert_eq!(cut(&window(0, 0, 0)), [0; 0]);
        assert_eq!(cut(&window(0, 0, -7)), [0; 0]);
        assert_eq!(cut(&Window { offset_date: 500, ..window(0, 0, 2) }), [4, 3]);
        assert_eq!(cut(&Window { max_id: 9, min_id: 6, ..window(0, 0, 10) }), [8, 7]);
        assert_eq!(cut(&window(0, i32::MIN, 5)), [0; 0]);
    }
}
