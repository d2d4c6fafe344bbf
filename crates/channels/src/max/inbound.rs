//! What MAX reports, as the events of all channels. Pure.

use domain::content::coordinates;
use domain::lenient;
use domain::secret::ExposeSecret;
use domain::{
    AdSource, ChatType, ContactProof, Content, InboundChange, InboundEvent, InboundKind, InboundMedia,
    InboundMessage, MessageOrigin, ProvedContact, SecretText, Timestamp,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::recipient::Recipient;
use crate::setup::is_same;

/// What is known beside an update.
pub(super) struct Reader<'a> {
    /// The bot's own id, where it is known.
    pub(super) own: Option<i64>,
    /// The token, with which MAX vouches for numbers of phones.
    pub(super) token: &'a SecretText,
    /// For what has no time.
    pub(super) now: Timestamp,
}

/// The events of one update; none where it says nothing that is kept.
pub(super) fn read(update: &Value, reader: &Reader<'_>) -> Vec<InboundEvent> {
    let kind = text(update, "/update_type").unwrap_or_default().to_owned();
    let stamp = number(update, "/timestamp").unwrap_or_default();
    let at = time(update, "/timestamp").unwrap_or(reader.now);
    let event = |id: String, change| InboundEvent { key: format!("{kind}:{id}"), change };
    let events = match kind.as_str() {
        "message_created" => message(update, reader, at).map(|message| {
            vec![event(message.external_id.clone(), InboundChange::Message(Box::new(message)))]
        }),
        "message_edited" => id(update, "/message/body/mid").map(|mid| {
            let text = edited(&update["message"]).into();
            vec![event(format!("{mid}:{stamp}"), InboundChange::Edited { external_id: mid, text, at })]
        }),
        "message_removed" => id(update, "/message_id")
            .map(|mid| vec![event(mid.clone(), InboundChange::Deleted { external_id: mid, at })]),
        "message_callback" => press(update, at).map(|message| {
            let id = message.external_id.trim_start_matches("callback:").to_owned();
            vec![event(id, InboundChange::Message(Box::new(message)))]
        }),
        "bot_started" | "bot_stopped" | "dialog_removed" => {
            reachable(update, kind == "bot_started", at).map(|(id, changes)| {
                changes
                    .into_iter()
                    .enumerate()
                    .map(|(number, change)| event(format!("{id}:{stamp}:{number}"), change))
                    .collect()
            })
        }
        // The bot may go on where a customer has cleared a dialog: only the customer's view is empty.
        other => Some(vec![InboundEvent::notice(format!("an update of the kind {other}"))]),
    };
    events.unwrap_or_else(|| {
        let lost = InboundEvent::lost(format!("an update of the kind {kind} lacks what it must have"));
        vec![lost.with_raw(|| update.to_string())]
    })
}

/// The new text of a message.
fn edited(message: &Value) -> String {
    let mut content = Content::default();
    let body = &message["body"];
    content.say(text(body, "/text").unwrap_or_default());
    for attachment in body["attachments"].as_array().into_iter().flatten() {
        read_attachment(&mut content, attachment);
    }
    content.into_parts().0
}

/// What is attached to the message of an event.
pub(super) fn media_of(event: &mut InboundEvent) -> &mut [InboundMedia] {
    match &mut event.change {
        InboundChange::Message(message) => &mut message.media,
        _ => &mut [],
    }
}

/// What people see of a user.
pub(super) fn name_of(user: &Value) -> Option<String> {
    let parts = [text(user, "/first_name"), text(user, "/last_name")];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = if name.is_empty() { text(user, "/name").unwrap_or_default().to_owned() } else { name };
    Some(name).filter(|name| !name.is_empty())
}

/// The address of the film with the most lines; none where there is only a stream.
pub(super) fn best_film(video: &Value) -> Option<String> {
    let urls = video.get("urls")?.as_object()?;
    let lines = |name: &str| name.strip_prefix("mp4_")?.parse::<u32>().ok();
    let films = urls.iter().filter_map(|(name, url)| Some((lines(name)?, url.as_str()?)));
    films.max_by_key(|(lines, _)| *lines).map(|(_, url)| url.to_owned())
}

fn message(update: &Value, reader: &Reader<'_>, at: Timestamp) -> Option<InboundMessage> {
    let written = update.get("message")?;
    let chat = number(written, "/recipient/chat_id")?;
    let sent_at = time(written, "/timestamp").unwrap_or(at);
    let sender = written.get("sender").filter(|sender| sender.is_object());
    let user = sender.and_then(|sender| number(sender, "/user_id"));
    let is_bot = sender.and_then(|sender| sender.get("is_bot")?.as_bool()) == Some(true);
    let is_dialog = text(written, "/recipient/chat_type") == Some("dialog");
    // In a dialog with the bot no other bot writes.
    let is_own = user.is_some() && user == reader.own || is_bot && is_dialog;
    // A message that is only passed on may have no body, and no id of its own.
    let external_id = id(written, "/body/mid").unwrap_or_else(|| {
        format!("forward:{chat}:{}:{}", user.unwrap_or_default(), sent_at.as_micros() / 1_000)
    });
    let body = written.get("body").filter(|body| body.is_object());
    let linked = text(written, "/link/type");
    let forwarded = written.pointer("/link/message").filter(|_| linked == Some("forward"));

    let recipient = Recipient::Chat(chat);
    let chat_type = type_of(written, recipient);
    let mut message = InboundMessage::of(chat_type, recipient.chat()?, external_id, String::new(), sent_at);
    message.mentions_us = chat_type == ChatType::Group && mentions(written, reader.own);
    let mut content = Content::default();
    for (part, is_forward) in [(body, false), (forwarded, true)] {
        let Some(part) = part else { continue };
        let mut said = Content::default();
        let typed = text(part, "/text");
        said.say(typed.unwrap_or_default());
        for attachment in part.get("attachments").and_then(Value::as_array).into_iter().flatten() {
            let is_writers =
                !is_own && user.is_some() && number(attachment, "/payload/max_info/user_id") == user;
            let phone = if is_writers { vouched_phone(attachment, reader.token) } else { None };
            // The card is the writer's own, and its number is kept as theirs: the text stays what was typed.
            if phone.is_none() || typed.is_none() {
                read_attachment(&mut said, attachment);
            }
            let phone = phone.map(|phone| ProvedContact::new(phone, ContactProof::Provider));
            message.phone = message.phone.or(phone);
        }
        if is_forward {
            let from = written.pointer("/link/sender").and_then(name_of);
            content.add_forward(from.as_deref(), said);
        } else {
            content = said;
        }
    }
    let (said, media) = content.into_parts();
    (message.text, message.media) = (said.into(), media);
    message.origin = match (is_own, is_bot) {
        (true, _) => MessageOrigin::Owner,
        (false, true) => MessageOrigin::Bot,
        (false, false) => MessageOrigin::Person,
    };
    let person = if is_own { number(written, "/recipient/user_id") } else { user };
    message.user = person.map(|id| id.to_string());
    message.name = sender.filter(|_| !is_own).and_then(name_of);
    message.raw = Some(update.to_string());
    if linked == Some("reply") {
        message = message.answering(id(written, "/link/message/mid"), text(written, "/link/message/text"));
    }
    Some(message)
}

/// The type of a chat by its number and by what MAX says.
fn type_of(written: &Value, recipient: Recipient) -> ChatType {
    recipient.chat_type().stated_by_provider(text(written, "/recipient/chat_type"))
}

/// Whether a message of a group mentions the bot, or replies to a message of it.
fn mentions(written: &Value, own: Option<i64>) -> bool {
    let Some(own) = own else { return false };
    let is_reply = text(written, "/link/type") == Some("reply");
    let marks = written.pointer("/body/markup").and_then(Value::as_array);
    let mut mentioned =
        marks.into_iter().flatten().filter(|mark| text(mark, "/type") == Some("user_mention"));
    is_reply && number(written, "/link/sender/user_id") == Some(own)
        || mentioned.any(|mark| number(mark, "/user_id") == Some(own))
}

/// A button was pressed. The message with the button may be gone; then only the user is known.
fn press(update: &Value, at: Timestamp) -> Option<InboundMessage> {
    let callback = update.get("callback")?;
    let user = number(callback, "/user/user_id")?;
    let at = time(callback, "/timestamp").unwrap_or(at);
    // The id names the keyboard, which may be pressed again.
    let external_id = format!("callback:{}:{}", id(callback, "/callback_id")?, at.as_micros() / 1_000);
    let recipient =
        number(update, "/message/recipient/chat_id").map_or(Recipient::User(user), Recipient::Chat);
    let data = text(callback, "/payload").unwrap_or_default();
    let chat_type = type_of(&update["message"], recipient);
    Some(InboundMessage {
        user: Some(user.to_string()),
        name: callback.get("user").and_then(name_of),
        reply_to: id(update, "/message/body/mid"),
        raw: Some(update.to_string()),
        // The button is one of the bot's.
        mentions_us: true,
        ..InboundMessage::of(chat_type, recipient.chat()?, external_id, data, at)
    })
}

/// The bot was started or stopped. A start is written as the word that begins a dialog elsewhere.
fn reachable(update: &Value, can: bool, at: Timestamp) -> Option<(String, Vec<InboundChange>)> {
    let (number_of_chat, user) = (number(update, "/chat_id")?, number(update, "/user/user_id")?);
    let recipient = Recipient::Chat(number_of_chat);
    let chat = recipient.chat()?;
    let id = format!("{number_of_chat}:{user}");
    let mut changes = vec![InboundChange::Reachable { chat: chat.clone(), can, at }];
    if can {
        let payload = text(update, "/payload").map(str::to_owned);
        let external_id = format!("start:{id}:{}", at.as_micros() / 1_000);
        changes.push(InboundChange::Message(Box::new(InboundMessage {
            user: Some(user.to_string()),
            name: update.get("user").and_then(name_of),
            ad: payload.map(|id| AdSource { channel: "max_deeplink".to_owned(), id: Some(id) }),
            raw: Some(update.to_string()),
            ..InboundMessage::of(recipient.chat_type(), chat, external_id, "/start", at)
        })));
    }
    Some((id, changes))
}

fn read_attachment(content: &mut Content, attachment: &Value) {
    let kind = text(attachment, "/type").unwrap_or_default();
    let media = |kind| InboundMedia {
        url: text(attachment, "/payload/url").map(str::to_owned),
        file_id: text(attachment, "/payload/token").map(str::to_owned),
        name: text(attachment, "/filename").map(str::to_owned),
        size: number(attachment, "/size").and_then(|size| u64::try_from(size).ok()),
        ..InboundMedia::new(kind)
    };
    match kind {
        "image" => content.attach(media(InboundKind::Image)),
        "audio" => content.attach(InboundMedia {
            transcript: text(attachment, "/transcription").map(Into::into),
            ..media(InboundKind::Voice)
        }),
        "file" => content.attach(media(InboundKind::Document)),
        "sticker" => content.attach(media(InboundKind::Sticker)),
        // Its address is that of a page; the film's own is asked for.
        "video" => content.attach(InboundMedia { url: None, ..media(InboundKind::Video) }),
        "contact" => {
            let name = attachment.pointer("/payload/max_info").and_then(name_of);
            let number = text(attachment, "/payload/vcf_info").and_then(|card| phone_of(&unescaped(card)));
            content.add(InboundKind::Contact, name.into_iter().chain(number));
        }
        "location" => {
            let place = coordinates(&attachment["latitude"], &attachment["longitude"]);
            content.add(InboundKind::Location, place);
        }
        "share" => {
            let parts = [text(attachment, "/title"), text(attachment, "/payload/url")];
            content.add(InboundKind::Link, parts.into_iter().flatten());
        }
        // Buttons of ours.
        "inline_keyboard" | "reply_keyboard" => {}
        other => {
            let parts = [text(attachment, "/title"), text(attachment, "/payload/url")];
            content.add_unknown(other, parts.into_iter().flatten());
        }
    }
}

/// The number of a card, if MAX has signed the card with the bot's token.
fn vouched_phone(contact: &Value, token: &SecretText) -> Option<String> {
    let card = unescaped(text(contact, "/payload/vcf_info")?);
    let given = text(contact, "/payload/hash")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(token.expose_secret().as_bytes()).ok()?;
    mac.update(card.as_bytes());
    let wanted = hex::encode(mac.finalize().into_bytes());
    if is_same(wanted.as_bytes(), given.to_ascii_lowercase().as_bytes()) { phone_of(&card) } else { None }
}

/// Line ends as the card was signed with.
fn unescaped(card: &str) -> String {
    card.replace("\\r\\n", "\r\n")
}

fn phone_of(card: &str) -> Option<String> {
    let line = card.lines().find(|line| line.to_ascii_uppercase().starts_with("TEL"))?;
    let digits: String = line.rsplit(':').next()?.chars().filter(char::is_ascii_digit).collect();
    (7..=15).contains(&digits.len()).then(|| format!("+{digits}"))
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

fn number(value: &Value, pointer: &str) -> Option<i64> {
    lenient::number(value.pointer(pointer)?)
}

fn id(value: &Value, pointer: &str) -> Option<String> {
    lenient::id(value.pointer(pointer)?)
}

fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    lenient::time(value.pointer(pointer)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read_one(update: &Value) -> Vec<InboundEvent> {
        let token = SecretText::from("planted-token");
        read(update, &Reader { own: Some(9001), token: &token, now: Timestamp::from_micros(7) })
    }

    fn message(update: &Value) -> InboundMessage {
        let events = read_one(update);
        match events.into_iter().next_back().map(|event| event.change) {
            Some(InboundChange::Message(message)) => *message,
            other => panic!("{other:?}"),
        }
    }

    fn created(body: &Value, more: &Value) -> Value {
        let mut message = json!({
            "sender": {"user_id": 2001, "first_name": "Ivan", "last_name": "Petrov", "is_bot": false},
            "recipient": {"chat_id": 5001, "chat_type": "dialog", "user_id": 9001},
            "timestamp": 1_760_000_500_000_i64, "body": body,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            message[key] = value.clone();
        }
        json!({"update_type": "message_created", "timestamp": 1_760_000_500_100_i64, "message": message})
    }

    #[test]
    fn a_text_has_its_chat_writer_and_time() {
        let update = created(
            &json!({"mid": "mid.1", "seq": 116_000_000_000_000_001_i64, "text": "Hello"}),
            &json!({}),
        );
        let events = read_one(&update);
        assert_eq!(events[0].key, "message_created:mid.1");
        let read = message(&update);
        assert_eq!((read.chat.as_str(), read.external_id.as_str(), &*read.text), ("5001", "mid.1", "Hello"));
        assert_eq!((read.user.as_deref(), read.name.as_deref()), (Some("2001"), Some("Ivan Petrov")));
        assert_eq!(
            (read.origin, read.sent_at),
            (MessageOrigin::Person, Timestamp::from_micros(1_760_000_500_000_000))
        );
        assert!(read.raw.is_some_and(|raw| raw.contains("116000000000000001")));
    }

    #[test]
    fn own_messages_that_come_back_are_the_owners() {
        let body = json!({"mid": "mid.2", "text": "Hi"});
        let own = json!({"sender": {"user_id": 9001, "is_bot": true},
            "recipient": {"chat_id": -5, "chat_type": "chat", "user_id": null}});
        assert_eq!(message(&created(&body, &own)).origin, MessageOrigin::Owner);
        let other = json!({"sender": {"user_id": 9002, "is_bot": true},
            "recipient": {"chat_id": -5, "chat_type": "chat"}});
        let read = message(&created(&body, &other));
        assert_eq!((read.origin, read.chat.as_str()), (MessageOrigin::Bot, "-5"));
        let unknown = json!({"sender": {"user_id": 9001, "is_bot": true},
            "recipient": {"chat_id": 5001, "chat_type": "dialog", "user_id": 2001}});
        let token = SecretText::from("planted-token");
        let reader = Reader { own: None, token: &token, now: Timestamp::from_micros(7) };
        let InboundChange::Message(own) = super::read(&created(&body, &unknown), &reader).remove(0).change
        else {
            panic!()
        };
        assert_eq!((own.origin, own.user.as_deref()), (MessageOrigin::Owner, Some("2001")));
    }

    #[test]
    fn groups_and_channels_are_no_dialogs() {
        let of = |recipient: Value, more: Value| {
            let mut more = more;
            more["recipient"] = recipient;
            message(&created(&json!({"mid": "m", "text": "hi", "markup": more["markup"]}), &more))
        };
        let dialog = json!({"chat_id": 5001, "chat_type": "dialog", "user_id": 9001});
        assert_eq!(of(dialog, json!({})).chat_type, ChatType::Private);
        let group = json!({"chat_id": -5, "chat_type": "chat"});
        let read = of(group.clone(), json!({}));
        assert_eq!((read.chat_type, read.mentions_us), (ChatType::Group, false));
        // The number of a group is none of a dialog, whatever is said of it.
        assert_eq!(of(json!({"chat_id": -5, "chat_type": "dialog"}), json!({})).chat_type, ChatType::Group);
        assert_eq!(
            of(json!({"chat_id": -5, "chat_type": "channel"}), json!({})).chat_type,
            ChatType::Channel
        );
        let reply = json!({"link": {"type": "reply", "sender": {"user_id": 9001}, "message": {"mid": "m0"}}});
        assert!(of(group.clone(), reply).mentions_us);
        let markup = |user: i64| json!({"markup": [{"type": "user_mention", "from": 0, "length": 2, "user_id": user}]});
        assert!(of(group.clone(), markup(9001)).mentions_us);
        assert!(!of(group, markup(2002)).mentions_us);
    }

    #[test]
    fn each_attachment_is_what_it_is() {
        let attachments = json!([
            {"type": "image", "payload": {"photo_id": 1, "url": "https://example.com/i", "token": "ti"}},
            {"type": "audio", "payload": {"url": "https://example.com/a", "token": "ta"}, "transcription": "Is it there?"},
            {"type": "video", "payload": {"url": "https://example.com/page", "token": "tv"}, "width": 1},
            {"type": "file", "payload": {"url": "https://example.com/f", "token": "tf"}, "filename": "p.pdf", "size": 9},
            {"type": "sticker", "payload": {"url": "https://example.com/s", "code": "c"}},
            {"type": "location", "latitude": 55.75, "longitude": 37.5},
            {"type": "share", "payload": {"url": "https://example.com", "token": "x"}, "title": "T"},
            {"type": "inline_keyboard", "payload": {"buttons": []}},
            {"type": "hologram", "payload": {"url": "https://example.com/h"}},
        ]);
        let read =
            message(&created(&json!({"mid": "m", "text": "Look", "attachments": attachments}), &json!({})));
        assert_eq!(
            &*read.text,
            "Look\n[location] 55.75,37.5\n[link] T https://example.com\n[hologram] https://example.com/h"
        );
        let kinds: Vec<_> =
            read.media.iter().map(|media| (media.kind.as_str(), media.url.is_some())).collect();
        let wanted = [
            ("image", true),
            ("voice", true),
            ("video", false),
            ("document", true),
            ("sticker", true),
            ("location", false),
            ("link", false),
            ("unknown", false),
        ];
        assert_eq!(kinds, wanted);
        assert_eq!((read.media[3].name.as_deref(), read.media[3].size), (Some("p.pdf"), Some(9)));
        assert_eq!(read.media[2].file_id.as_deref(), Some("tv"));
        assert_eq!(read.media[1].transcript.as_deref(), Some("Is it there?"));
    }

    #[test]
    fn a_phone_counts_when_max_signed_the_card() {
        let card = "BEGIN:VCARD\r\nFN:Ivan\r\nTEL;TYPE=cell:70000000001\r\nEND:VCARD\r\n";
        let mut mac = Hmac::<Sha256>::new_from_slice(b"planted-token").unwrap();
        mac.update(card.as_bytes());
        let hash = hex::encode(mac.finalize().into_bytes());
        let beside = |text: &str, hash: &str, user: i64, card: &str| {
            let payload =
                json!({"vcf_info": card, "hash": hash, "max_info": {"user_id": user, "first_name": "Ivan"}});
            message(&created(
                &json!({"mid": "m", "text": text, "attachments": [{"type": "contact", "payload": payload}]}),
                &json!({}),
            ))
        };
        let contact = |hash: &str, user: i64, card: &str| beside("", hash, user, card);
        let signed = contact(&hash, 2001, card);
        assert_eq!(
            (signed.phone.as_ref().map(|phone| phone.value.as_str()), &*signed.text),
            (Some("+70000000001"), "[contact] Ivan +70000000001")
        );
        assert_eq!(
            contact(&hash, 2001, &card.replace("\r\n", "\\r\\n")).phone,
            Some(ProvedContact::new("+70000000001", ContactProof::Provider))
        );
        assert_eq!(contact(&hash, 2002, card).phone, None);
        assert_eq!(contact("00", 2001, card).phone, None);
        // Beside a text the writer's own card is their number and no words; another's is not lost.
        let stop = beside("Стоп", &hash, 2001, card);
        assert_eq!((stop.phone.is_some(), &*stop.text), (true, "Стоп"));
        assert_eq!(&*beside("Call her", &hash, 2002, card).text, "Call her\n[contact] Ivan +70000000001");
    }

    #[test]
    fn replies_and_forwards_keep_what_they_are_of() {
        let link = |kind: &str| {
            json!({"link": {"type": kind, "message": {"mid": "mid.0", "text": "Before",
            "attachments": [{"type": "image", "payload": {"url": "https://example.com/i"}}]}}})
        };
        let reply = message(&created(&json!({"mid": "m", "text": "Yes"}), &link("reply")));
        assert_eq!((reply.reply_to.as_deref(), &*reply.text), (Some("mid.0"), "Yes"));
        assert_eq!(domain::InboundMedia::reply_text(&reply.media), Some("Before"));
        let forward = message(&created(&Value::Null, &link("forward")));
        assert_eq!((&*forward.text, forward.media.len(), forward.reply_to), ("[forward]\nBefore", 2, None));
        assert_eq!(forward.external_id, "forward:5001:2001:1760000500000");
    }

    #[test]
    fn presses_starts_and_stops_are_reported() {
        let callback = json!({"timestamp": 1_760_000_000_000_i64, "callback_id": "f9L", "payload": "a=1", "user": {"user_id": 2001}});
        let gone = json!({"update_type": "message_callback", "timestamp": 1_760_000_000_000_i64, "callback": callback, "message": null});
        let events = read_one(&gone);
        assert_eq!(events[0].key, "message_callback:f9L:1760000000000");
        let press = message(&gone);
        assert_eq!((press.chat.as_str(), &*press.text), ("user:2001", "a=1"));
        let mut there = gone.clone();
        there["message"] =
            json!({"recipient": {"chat_id": 5001}, "body": {"mid": "mid.3"}, "sender": {"user_id": 9001}});
        assert_eq!(message(&there).chat.as_str(), "5001");

        let started = json!({"update_type": "bot_started", "timestamp": 1_760_000_000_000_i64, "chat_id": 5001,
            "user": {"user_id": 2001, "name": "Ivan"}, "payload": "ad42"});
        let start = message(&started);
        assert_eq!((&*start.text, start.name.as_deref()), ("/start", Some("Ivan")));
        assert_eq!(start.ad.and_then(|ad| ad.id).as_deref(), Some("ad42"));
        let keys: Vec<_> = read_one(&started).into_iter().map(|event| event.key).collect();
        assert_eq!(keys, ["bot_started:5001:2001:1760000000000:0", "bot_started:5001:2001:1760000000000:1"]);
        for kind in ["bot_stopped", "dialog_removed"] {
            let gone = json!({"update_type": kind, "timestamp": 1_760_000_000_001_i64, "chat_id": 5001, "user": {"user_id": 2001}});
            let events = read_one(&gone);
            assert!(matches!(
                events[..],
                [InboundEvent { change: InboundChange::Reachable { can: false, .. }, .. }]
            ));
            assert!(super::super::UPDATES.contains(&kind), "{kind} is not asked for");
        }
    }

    #[test]
    fn edits_have_a_key_each_and_removals_one() {
        let edited = |at: i64| {
            json!({"update_type": "message_edited", "timestamp": at,
            "message": {"body": {"mid": "mid.1", "text": "New"}}})
        };
        let (first, second) = (read_one(&edited(1)), read_one(&edited(2)));
        assert_eq!(
            (first[0].key.as_str(), second[0].key.as_str()),
            ("message_edited:mid.1:1", "message_edited:mid.1:2")
        );
        let removed =
            json!({"update_type": "message_removed", "timestamp": 3, "message_id": "mid.1", "chat_id": 5001});
        assert_eq!(read_one(&removed)[0].key, "message_removed:mid.1");
        let unread = |update: Value| match read_one(&update).remove(0).change {
            InboundChange::Unread(unread) => unread,
            other => panic!("{other:?}"),
        };
        assert!(unread(json!({"update_type": "message_edited"})).is_lost);
        assert!(unread(json!({"update_type": "message_created", "timestamp": 1})).is_lost);
        let notice = unread(json!({"update_type": "chat_title_changed", "chat_id": 1}));
        assert!(!notice.is_lost && notice.what.contains("chat_title_changed"), "{notice:?}");
    }

    #[test]
    fn the_film_with_the_most_lines_is_taken() {
        let video = json!({"urls": {"mp4_360": "a", "mp4_1080": "b", "mp4_144": "c", "hls": "d"}});
        assert_eq!(best_film(&video).as_deref(), Some("b"));
        assert_eq!(best_film(&json!({"urls": null})), None);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z:\\\\]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            let name = prop::sample::select(vec![
                "message",
                "sender",
                "recipient",
                "body",
                "link",
                "attachments",
                "payload",
                "type",
                "mid",
                "text",
                "user_id",
                "chat_id",
                "timestamp",
                "callback",
                "user",
                "vcf_info",
                "hash",
                "max_info",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..6).prop_map(|pairs| {
                    pairs
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect::<serde_json::Map<_, _>>()
                        .into()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_update_is_read_without_a_panic(kind in 0..super::super::UPDATES.len(), mut update in any_json()) {
            if update.is_object() {
                update["update_type"] = super::super::UPDATES[kind].into();
            }
            for event in read_one(&update) {
                prop_assert!(event.key.len() < 2_000);
            }
        }
    }
}
