//! Who was mentioned in a text that left: its answer names them. Pure.

use domain::message::OutboundMessage;
use domain::text::{Entity, EntityKind, FormattedText};

/// The user that the message mentions because the caller asked for it, and the name shown.
pub(super) fn tagged(message: &OutboundMessage) -> Option<(i64, String)> {
    message.content.mention.as_ref()?;
    let written = users(&message.content.text);
    message.parts.iter().find_map(|part| {
        part.text.entities.iter().find_map(|entity| {
            let user = mentioned(entity)?;
            // A user that the caller's own markup mentions counts only if there is one mention more.
            let before = written.iter().filter(|other| **other == user).count();
            let after = message
                .parts
                .iter()
                .flat_map(|part| users(&part.text))
                .filter(|other| *other == user)
                .count();
            (after > before).then(|| (user, under(&part.text, entity)))
        })
    })
}

fn mentioned(entity: &Entity) -> Option<i64> {
    match entity.kind {
        EntityKind::MentionUser { user_id } => Some(user_id),
        _ => None,
    }
}

fn users(text: &FormattedText) -> Vec<i64> {
    text.entities.iter().filter_map(mentioned).collect()
}

fn under(text: &FormattedText, entity: &Entity) -> String {
    let mut at = 0_u32;
    let mut covered = String::new();
    for character in text.text.chars() {
        if at >= entity.offset && at < entity.end() {
            covered.push(character);
        }
        at = at.saturating_add(if character.len_utf16() == 2 { 2 } else { 1 });
    }
    covered
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use domain::message::{Content, Mention, MessageState, OnFlood, Part};
    use domain::outcome::SentIds;
    use domain::text::{ParseMode, parse, with_mention};
    use domain::{MessageId, Timestamp, UserId};

    /// A message that was sent into this chat, mentioning this user.
    pub(crate) fn sent(chat: &str, html: &str, client: Option<(i64, &str)>) -> OutboundMessage {
        let text = parse(ParseMode::Html, html).expect("HTML");
        let planned = match client {
            Some((id, name)) => with_mention(text.clone(), UserId::new(id).expect("an id"), name),
            None => text.clone(),
        };
        let mut part = Part::of_text(0, planned, 1);
        part.set_sent(&SentIds::one(Some(45)));
        OutboundMessage {
            id: "msg_00000000000000000000000000".parse::<MessageId>().expect("an id"),
            chat: chat.parse().expect("a chat"),
            address: chat.parse().ok().map(domain::Address::Telegram),
            pin: None,
            account: "main".parse().ok(),
            content: Content {
                text,
                parse_mode: ParseMode::Html,
                reply_to: None,
                mention: client.map(|(user_id, _)| Mention::User { user_id }),
                mention_optional: true,
                written_by: domain::message::Writer::Program,
                silent: false,
                preview: false,
                media: Vec::new(),
                provider_options: None,
            },
            parts: vec![part],
            state: MessageState::Sent,
            failure: None,
            on_flood: OnFlood::Wait,
            send_at: None,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    #[test]
    fn the_mention_asked_for_is_named() {
        for (html, client) in [
            ("hello", (7, "Мария 😀")),
            ("hello {client}", (7, "Мария 😀")),
            ("😀 {{client}}, <b>{client}</b>", (7, "A & B")),
            ("<a href=\"tg://user?id=8\">Boris</a> {client}", (7, "Anna")),
            ("<a href=\"tg://user?id=7\">Boss</a> {client}", (7, "Anna")),
        ] {
            let found = tagged(&sent("-100500", html, Some(client))).expect(html);
            assert_eq!(found.0, 7, "{html}");
            if !html.contains("Boss") {
                assert_eq!(found.1, client.1, "{html}");
            }
        }
    }

    #[test]
    fn no_one_is_named_without_a_mention_that_was_asked_for() {
        let own = sent("-100500", "<a href=\"tg://user?id=8\">Boris</a>", None);
        assert_eq!(tagged(&own), None);
        let mut auto_mention = own;
        auto_mention.content.mention = Some(Mention::Auto { auto: true, exclude: Vec::new() });
        assert_eq!(tagged(&auto_mention), None);
    }
}
