//! What a message of the Bot API says: its text, file, and all other kinds of content. Pure.

use domain::content::coordinates;
use domain::inbound::InboundKind;
use domain::{Content, InboundMedia};
use serde_json::Value;

use super::inbound::{FORWARDED, name, word};

/// Fields that say when and where a message was written, and who wrote it.
const AROUND: [&str; 45] = [
    "author_signature",
    "business_connection_id",
    "caption",
    "caption_entities",
    "chat",
    "date",
    "direct_messages_topic",
    "edit_date",
    "effect_id",
    "entities",
    "external_reply",
    "forward_date",
    "forward_from",
    "forward_from_chat",
    "forward_from_message_id",
    "forward_origin",
    "forward_sender_name",
    "forward_signature",
    "from",
    "has_media_spoiler",
    "has_protected_content",
    "is_automatic_forward",
    "is_from_offline",
    "is_paid_post",
    "is_topic_message",
    "link_preview_options",
    "media_group_id",
    "message_id",
    "message_thread_id",
    "paid_message_star_count",
    "paid_star_count",
    "quote",
    "reply_markup",
    "reply_to_checklist_task_id",
    "reply_to_message",
    "reply_to_poll_option_id",
    "reply_to_story",
    "sender_boost_count",
    "sender_business_bot",
    "sender_chat",
    "sender_tag",
    "show_caption_above_media",
    "suggested_post_info",
    "text",
    "via_bot",
];
/// Notices of Telegram: no one wrote them.
const NOTICES: [&str; 41] = [
    "boost_added",
    "channel_chat_created",
    "chat_background_set",
    "chat_owner_changed",
    "chat_owner_left",
    "checklist_tasks_added",
    "checklist_tasks_done",
    "connected_website",
    "delete_chat_photo",
    "direct_message_price_changed",
    "forum_topic_closed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "giveaway_completed",
    "giveaway_created",
    "group_chat_created",
    "left_chat_member",
    "managed_bot_created",
    "message_auto_delete_timer_changed",
    "migrate_from_chat_id",
    "migrate_to_chat_id",
    "new_chat_members",
    "new_chat_photo",
    "new_chat_title",
    "paid_message_price_changed",
    "pinned_message",
    "proximity_alert_triggered",
    "suggested_post_approval_failed",
    "suggested_post_approved",
    "suggested_post_declined",
    "suggested_post_paid",
    "suggested_post_refunded",
    "supergroup_chat_created",
    "video_chat_ended",
    "video_chat_participants_invited",
    "video_chat_scheduled",
    "video_chat_started",
    "write_access_allowed",
];
/// Currencies whose amounts have no smaller unit.
const WHOLE: [&str; 7] = ["XTR", "JPY", "KRW", "VND", "CLP", "ISK", "UGX"];

/// What a message says. None of a notice, such as that someone was pinned or has joined.
pub(super) fn content(message: &Value) -> Option<Content> {
    let mut content = Content::default();
    content.say(word(message, "text").or_else(|| word(message, "caption")).unwrap_or_default());
    if let Some(media) = media(message) {
        let emoji = word(&message["sticker"], "emoji").filter(|_| content.is_empty());
        content.say(emoji.unwrap_or_default());
        content.attach(media);
    }
    add_others(&mut content, message);
    // Only a file has a caption.
    let lacks_file = word(message, "caption").is_some() && !content.has_media();
    if content.is_empty() || lacks_file {
        let fields = message.as_object()?;
        if fields.keys().any(|name| NOTICES.contains(&name.as_str())) {
            return None;
        }
        let mut others = fields.iter().filter(|(name, _)| !AROUND.contains(&name.as_str()));
        let holds = |value: &Value| value.is_object() || value.is_array();
        match others.clone().find(|(_, value)| holds(value)).or_else(|| others.next()) {
            Some((name, _)) => content.add_unknown(name, [""]),
            None if content.is_empty() => return None,
            None => {}
        }
    }
    add_answered(&mut content, message);
    if !FORWARDED.iter().any(|field| message.get(field).is_some()) {
        return Some(content);
    }
    let mut whole = Content::default();
    whole.add_forward(forwarded_from(message).as_deref(), content);
    Some(whole)
}

/// Who wrote a message that was forwarded, as far as that is shown.
fn forwarded_from(message: &Value) -> Option<String> {
    let older = ["forward_from", "forward_from_chat"].map(|field| &message[field]);
    let hidden = word(message, "forward_sender_name").map(str::to_owned);
    from_of(&message["forward_origin"]).or(hidden).or_else(|| older.into_iter().find_map(name))
}

/// Who wrote a message, as its origin says.
fn from_of(origin: &Value) -> Option<String> {
    let hidden = word(origin, "sender_user_name").map(str::to_owned);
    hidden.or_else(|| ["sender_user", "sender_chat", "chat"].iter().find_map(|field| name(&origin[*field])))
}

/// Adds what a message answers outside of its chat: a post of a channel, a message of another chat, a story.
fn add_answered(content: &mut Content, message: &Value) {
    let answered = &message["external_reply"];
    if answered.is_object() {
        let quoted = word(&message["quote"], "text").map(str::to_owned);
        let page = word(&answered["chat"], "username").zip(answered["message_id"].as_i64());
        let page = page.map(|(name, number)| format!("https://t.me/{name}/{number}"));
        content.add(InboundKind::Post, from_of(&answered["origin"]).into_iter().chain(quoted).chain(page));
    }
    let story = &message["reply_to_story"];
    if story.is_object() {
        content.add(InboundKind::Story, ["reply".to_owned()].into_iter().chain(name(&story["chat"])));
    }
}

fn add_others(content: &mut Content, message: &Value) {
    let of = |field: &str| message.get(field).filter(|found| found.is_object());
    if let Some(emoji) = word(&message["dice"], "emoji") {
        let thrown = domain::lenient::text(&message["dice"]["value"]);
        content.say(thrown.map_or_else(|| emoji.to_owned(), |value| format!("{emoji} {value}")));
    }
    if let Some(contact) = of("contact") {
        let phone = word(contact, "phone_number").map(str::to_owned);
        content.add(InboundKind::Contact, phone.into_iter().chain(name(contact)));
    }
    let place = of("venue").map_or(&message["location"], |venue| &venue["location"]);
    if place.is_object() || of("venue").is_some() {
        let place = if place.is_object() { place } else { &message["location"] };
        let venue = &message["venue"];
        let called: Vec<&str> = ["title", "address"].iter().filter_map(|field| word(venue, field)).collect();
        let at = coordinates(&place["latitude"], &place["longitude"]);
        content.add(InboundKind::Location, at.into_iter().chain([called.join(", ")]));
    }
    if let Some(poll) = of("poll") {
        let options =
            poll["options"].as_array().into_iter().flatten().filter_map(|option| word(option, "text"));
        let options: Vec<&str> = options.collect();
        let options = Some(format!("({})", options.join("; "))).filter(|_| !options.is_empty());
        let question = word(poll, "question").map(str::to_owned);
        content.add(InboundKind::Poll, question.into_iter().chain(options));
    }
    if let Some(list) = of("checklist") {
        let tasks = list["tasks"].as_array().into_iter().flatten().filter_map(|task| word(task, "text"));
        content.add(InboundKind::Checklist, word(list, "title").into_iter().chain(tasks));
    }
    if let Some(invoice) = of("invoice") {
        let title = word(invoice, "title").map(str::to_owned);
        content.add(InboundKind::Payment, title.into_iter().chain([amount(invoice)]));
    }
    if let Some(paid) = of("successful_payment") {
        content.add(InboundKind::Payment, [amount(paid).as_str(), "paid"]);
    }
    if let Some(refunded) = of("refunded_payment") {
        content.add(InboundKind::Payment, [amount(refunded).as_str(), "refunded"]);
    }
    if let Some(data) = of("web_app_data") {
        content.add(InboundKind::Form, ["button_text", "data"].iter().filter_map(|field| word(data, field)));
    }
    if of("passport_data").is_some() {
        content.add(InboundKind::Form, ["passport"]);
    }
    if let Some(shared) = of("users_shared") {
        let users = shared["users"].as_array().into_iter().flatten();
        content.add(InboundKind::Shared, users.map(person));
    }
    for field in ["user_shared", "chat_shared"] {
        if let Some(shared) = of(field) {
            content.add(InboundKind::Shared, [person(shared)]);
        }
    }
    if let Some(game) = of("game") {
        content.add(InboundKind::Game, word(game, "title"));
    }
    if let Some(story) = of("story") {
        content.add(InboundKind::Story, name(&story["chat"]));
    }
    if of("paid_media").is_some() {
        content.add(InboundKind::Hidden, ["paid media"]);
    }
    for (kind, field) in [
        (InboundKind::Gift, "gift"),
        (InboundKind::Gift, "unique_gift"),
        (InboundKind::Gift, "gift_upgrade_sent"),
        (InboundKind::Giveaway, "giveaway"),
        (InboundKind::Giveaway, "giveaway_winners"),
    ] {
        if let Some(found) = of(field) {
            content.add(kind, word(found, "text").or_else(|| word(found, "prize_description")));
        }
    }
}

/// A person or a chat that was chosen: the name, and the id.
fn person(shared: &Value) -> String {
    let id = ["user_id", "chat_id"].iter().find_map(|field| domain::lenient::id(&shared[*field]));
    [name(shared), id].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// An amount of money, which is counted in the smallest units.
fn amount(money: &Value) -> String {
    let currency = word(money, "currency").unwrap_or_default();
    match domain::lenient::number(&money["total_amount"]) {
        None => currency.to_owned(),
        Some(units) if WHOLE.contains(&currency) => format!("{units} {currency}"),
        Some(units) => format!("{}.{:02} {currency}", units / 100, units.rem_euclid(100)),
    }
}

fn media(message: &Value) -> Option<InboundMedia> {
    // Of a picture Telegram keeps several sizes, the largest last. A short film comes with a document, which is the same.
    let (kind, found) = [
        (InboundKind::Voice, "voice"),
        (InboundKind::Audio, "audio"),
        (InboundKind::Video, "video"),
        (InboundKind::Video, "video_note"),
        (InboundKind::Video, "animation"),
        (InboundKind::Sticker, "sticker"),
        (InboundKind::Document, "document"),
    ]
    .into_iter()
    .find_map(|(kind, name)| Some((kind, message.get(name).filter(|found| found.is_object())?)))
    .or_else(|| Some((InboundKind::Image, message["photo"].as_array()?.last()?)))?;
    let text = |name: &str| word(found, name).map(str::to_owned);
    Some(InboundMedia {
        file_id: text("file_id"),
        name: text("file_name"),
        mime: text("mime_type").or_else(|| (kind == InboundKind::Image).then(|| "image/jpeg".to_owned())),
        size: found["file_size"].as_u64(),
        ..InboundMedia::new(kind)
    })
}
/// The words that a message answers: the part that it quotes, else the text or caption of the other message.
pub(super) fn answered_words(message: &Value) -> Option<&str> {
    let words = ["/quote/text", "/reply_to_message/text", "/reply_to_message/caption"];
    words.iter().find_map(|pointer| message.pointer(pointer)?.as_str())
}
