//! A customer who writes to an account.

use domain::{ChatId, MessageOrigin, ReceivedMessage, TelegramMessageId, Timestamp};

/// What Anna writes in this chat, as `main` receives it now. Telegram's clock has whole seconds.
pub fn customer_message(chat_id: ChatId, number: i32, text: &str, now: Timestamp) -> ReceivedMessage {
    ReceivedMessage {
        account: "main".parse().expect("an account"),
        chat_id,
        message_id: TelegramMessageId::new(number).expect("an id"),
        origin: MessageOrigin::Person,
        sender: ChatId::user(5_000_000_001),
        sender_name: Some("Anna".into()),
        text: text.to_owned().into(),
        entities: Vec::new(),
        media: None,
        service: None,
        reply_to: None,
        forward: None,
        reactions: Vec::new(),
        album: None,
        sent_at: Timestamp::from_micros(now.as_seconds() * 1_000_000),
        edited_at: None,
    }
}
