//! Looking whether a chat was made although no answer came: among the account's newest dialogs.

use std::time::Duration;

use delivery::ChatLookup;
use domain::{ChatId, Timestamp};
use grammers_tl_types::enums;

use super::meaning::limited_title;
use crate::account::Account;
use crate::peers::dialogs;

/// How much earlier than expected a chat may have been made: clocks are read to the second, and may be set.
const SLACK: Duration = Duration::from_mins(1);

#[derive(Debug)]
struct CreatedChat<'a> {
    title: String,
    /// By Telegram's clock, in seconds.
    earliest: i64,
    known: &'a [ChatId],
}

pub(super) async fn find(account: &Account, title: &str, since: Timestamp, known: &[ChatId]) -> ChatLookup {
    // Our clock and Telegram's may differ, and a look in the wrong time would lead to a second chat.
    let Ok(ahead) = account.telegram_ahead().await else { return ChatLookup::CannotTell };
    let Some(earliest) = earliest(since, account.now(), ahead) else { return ChatLookup::CannotTell };
    let created = CreatedChat { title: limited_title(title), earliest, known };
    let mut found: Option<(i32, ChatId)> = None;
    let look = |chat: &enums::Chat| {
        // Of several the oldest: it is the one whose answer was lost.
        found = created.fits(chat).into_iter().chain(found).min();
    };
    let read = dialogs::look_through(account, earliest, look).await;
    match (found, read) {
        (Some((_, chat_id)), _) => ChatLookup::Here(chat_id),
        (None, Ok(true)) => ChatLookup::NotThere,
        (None, Ok(false) | Err(_)) => ChatLookup::CannotTell,
    }
}

/// The earliest second of Telegram's clock at which it may have been made. Our clock may lag behind only now, and have been
/// right then. Nothing when it was set back since: then no one knows.
fn earliest(since: Timestamp, now: Timestamp, ahead: i64) -> Option<i64> {
    let is_known = since.since(now) <= SLACK;
    is_known.then(|| since.minus(SLACK).as_seconds().saturating_add(ahead.min(0)))
}

impl CreatedChat<'_> {
    /// When it was made, and its id, if it is what is looked for.
    fn fits(&self, chat: &enums::Chat) -> Option<(i32, ChatId)> {
        let enums::Chat::Channel(channel) = chat else { return None };
        let chat_id = ChatId::channel(channel.id)?;
        let fits = channel.creator
            && channel.megagroup
            && !channel.left
            && i64::from(channel.date) >= self.earliest
            && channel.title.trim() == self.title.trim()
            && !self.known.contains(&chat_id);
        fits.then_some((channel.date, chat_id))
    }
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::{Deserializable, types};

    use super::*;

    fn channel(id: i64, title: &str, date: i32) -> types::Channel {
        // A channel with all flags off: the smallest that can be written down, read back.
        let mut bytes = vec![0; 8];
        bytes.extend_from_slice(&id.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&0x37c1_011c_u32.to_le_bytes());
        bytes.extend_from_slice(&date.to_le_bytes());
        let read = types::Channel::from_bytes(&bytes).expect("a channel");
        types::Channel { creator: true, megagroup: true, title: title.to_owned(), ..read }
    }

    #[test]
    fn a_clock_that_may_have_moved_makes_no_second_chat() {
        let (since, later) = (Timestamp::from_micros(10_000_000_000), Duration::from_mins(5));
        assert_eq!(earliest(since, since.plus(later), 0), Some(9_940));
        assert_eq!(earliest(since, since.plus(later), 1_200), Some(9_940), "it may have been right then");
        assert_eq!(earliest(since, since.plus(later), -1_200), Some(8_740));
        assert_eq!(earliest(since, since.minus(later), 1_200), None, "it was set back since");
    }

    #[test]
    fn only_an_own_chat_of_that_time_matches() {
        let known = [ChatId::channel(3).expect("id")];
        let created = CreatedChat { title: "Order 7".to_owned(), earliest: 100, known: &known };
        let fits = |channel: types::Channel| created.fits(&channel.into()).map(|(_, chat_id)| chat_id);
        assert_eq!(fits(channel(1, "Order 7", 100)), ChatId::channel(1));
        assert_eq!(fits(channel(2, "Order 7", 99)), None);
        assert_eq!(fits(channel(3, "Order 7", 100)), None);
        assert_eq!(fits(channel(4, "Order 8", 100)), None);
        assert_eq!(fits(types::Channel { creator: false, ..channel(5, "Order 7", 100) }), None);
        assert_eq!(fits(types::Channel { megagroup: false, ..channel(6, "Order 7", 100) }), None);
        assert_eq!(fits(types::Channel { left: true, ..channel(7, "Order 7", 100) }), None);
    }
}
