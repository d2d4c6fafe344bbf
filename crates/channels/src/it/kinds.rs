//! The kinds of content, row by row: a real post of each provider, changed to have the kind, is a message with words for it and its kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use channels::{HookPost, Provider};
use domain::secret::ExposeSecret;
use domain::{InboundChange, InboundEvent, InboundKind, InboundMessage};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::it::foreign_posts::posted;
use crate::it::support::World;
use crate::it::table::{COLUMNS, Column};

/// Where the content of a message is in a post of each account.
const PLACES: [(&str, &str); 6] = [
    ("bot", "/message"),
    ("shop", "/payload/value"),
    ("phone", "/messages/0"),
    ("club", "/object/message"),
    ("assistant", "/message/body"),
    ("studio", "/entry/0/messaging/0/message"),
];

/// A kind, what a post of it has, and the text of its message.
type Row = (InboundKind, Value, &'static str);

fn rows(account: &str) -> Vec<Row> {
    use InboundKind as Kind;
    let attached =
        |kind: &str, object: Value| json!({"text": "", "attachments": [{"type": kind, (kind): object}]});
    let url = "https://example.com/1";
    match account {
        "bot" => {
            let of = |field: &str, value: Value| json!({"text": null, (field): value});
            vec![
                (
                    Kind::Reply,
                    json!({"text": "Yes", "reply_to_message": {"message_id": 16, "text": "How much?"}}),
                    "Yes",
                ),
                (
                    Kind::Location,
                    of("location", json!({"latitude": 55.75, "longitude": 37.5})),
                    "[location] 55.75,37.5",
                ),
                (
                    Kind::Contact,
                    of("contact", json!({"phone_number": "+70000000002", "first_name": "Oleg"})),
                    "[contact] +70000000002 Oleg",
                ),
                (
                    Kind::Poll,
                    of(
                        "poll",
                        json!({"question": "When?", "options": [{"text": "Today"}, {"text": "Never"}]}),
                    ),
                    "[poll] When? (Today; Never)",
                ),
                (
                    Kind::Payment,
                    of("successful_payment", json!({"currency": "RUB", "total_amount": 150_050})),
                    "[payment] 1500.50 RUB paid",
                ),
                (
                    Kind::Payment,
                    of("refunded_payment", json!({"currency": "XTR", "total_amount": 5})),
                    "[payment] 5 XTR refunded",
                ),
                (
                    Kind::Payment,
                    of("invoice", json!({"title": "Lamp", "currency": "RUB", "total_amount": 100})),
                    "[payment] Lamp 1.00 RUB",
                ),
                (Kind::Gift, of("gift", json!({"gift": {"id": "1"}, "text": "For you"})), "[gift] For you"),
                (Kind::Gift, of("unique_gift", json!({"gift": {}})), "[gift]"),
                (
                    Kind::Form,
                    of("web_app_data", json!({"button_text": "Order", "data": "{\"a\":1}"})),
                    "[form] Order {\"a\":1}",
                ),
                (
                    Kind::Shared,
                    of("users_shared", json!({"users": [{"user_id": 7, "first_name": "Ann"}]})),
                    "[shared] Ann 7",
                ),
                (
                    Kind::Shared,
                    of("chat_shared", json!({"chat_id": -5, "title": "Team"})),
                    "[shared] Team -5",
                ),
                (Kind::Game, of("game", json!({"title": "Race"})), "[game] Race"),
                (Kind::Story, of("story", json!({"chat": {"title": "Shop"}, "id": 1})), "[story] Shop"),
                (
                    Kind::Checklist,
                    of("checklist", json!({"title": "Buy", "tasks": [{"id": 1, "text": "Milk"}]})),
                    "[checklist] Buy Milk",
                ),
                (Kind::Giveaway, of("giveaway", json!({"prize_description": "A car"})), "[giveaway] A car"),
                (Kind::Hidden, of("paid_media", json!({"star_count": 5})), "[hidden] paid media"),
                (
                    Kind::Forward,
                    json!({"text": "Look", "forward_origin": {"type": "hidden_user", "sender_user_name": "Anna"}}),
                    "[forward] Anna\nLook",
                ),
                (Kind::Voice, of("voice", json!({"file_id": "v"})), ""),
                (Kind::Sticker, of("sticker", json!({"file_id": "s", "emoji": "👍"})), "👍"),
                (Kind::Unknown, of("hologram", json!({"size": 5})), "[hologram]"),
            ]
        }
        "shop" => {
            let of = |kind: &str, content: Value| json!({"type": kind, "content": content});
            vec![
                (
                    Kind::Location,
                    of("location", json!({"location": {"lat": 55.75, "lon": 37.5, "text": "Lenina 1"}})),
                    "[location] 55.75,37.5 Lenina 1",
                ),
                (
                    Kind::Product,
                    of("item", json!({"item": {"title": "Bike", "price_string": "10 000", "item_url": url}})),
                    "[product] Bike 10 000 https://example.com/1",
                ),
                (Kind::Link, of("link", json!({"link": {"url": url}})), "[link] https://example.com/1"),
                (Kind::Call, of("call", json!({"call": {"status": "missed"}})), "[call] missed"),
                (Kind::Call, of("appCall", json!({"call": {"status": "missed"}})), "[call] missed"),
                (Kind::Image, of("image", json!({"image": {"sizes": {"140x105": url}}})), ""),
                (Kind::Voice, of("voice", json!({"voice": {"voice_id": "v-1"}})), ""),
                (Kind::Video, of("video", json!({})), ""),
                (Kind::Document, of("file", json!({})), ""),
                (Kind::Unknown, of("hologram", json!({"text": "Hi"})), "[hologram] Hi"),
            ]
        }
        "phone" => {
            let of = |kind: &str, more: Value| {
                let mut whole = json!({"type": kind, "body": "", "caption": null});
                whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                whole
            };
            vec![
                (
                    Kind::Reply,
                    of("chat", json!({"body": "Yes", "reply_message": {"id": "R", "body": "How much?"}})),
                    "Yes",
                ),
                (
                    Kind::Location,
                    of(
                        "location",
                        json!({"location": {"degreesLatitude": 55.75, "degreesLongitude": 37.5, "name": "Office"}}),
                    ),
                    "[location] 55.75,37.5 Office",
                ),
                (
                    Kind::Location,
                    of("location", json!({"latitude": "55.75", "longitude": "37.5"})),
                    "[location] 55.75,37.5",
                ),
                (
                    Kind::Contact,
                    of("vcard", json!({"body": "BEGIN:VCARD\nFN:Oleg\nTEL:+70000000002\nEND:VCARD"})),
                    "[contact] Oleg +70000000002",
                ),
                (
                    Kind::Order,
                    of(
                        "order",
                        json!({"order_id": "o-1", "item_count": 2, "total_amount1000": 1_500_500, "currency": "RUB"}),
                    ),
                    "[order] (2) 1500.50 RUB o-1",
                ),
                (
                    Kind::Product,
                    of("product", json!({"product": {"title": "Lamp", "url": url}})),
                    "[product] Lamp https://example.com/1",
                ),
                (
                    Kind::Poll,
                    of(
                        "poll_creation",
                        json!({"poll": {"name": "When?", "options": ["Today", {"name": "Never"}]}}),
                    ),
                    "[poll] When? (Today; Never)",
                ),
                (
                    Kind::Payment,
                    of("payment", json!({"amount": "100", "currency": "RUB"})),
                    "[payment] 100 RUB",
                ),
                (Kind::Call, of("call_log", json!({"status": "missed"})), "[call] missed"),
                (
                    Kind::Form,
                    of("list_response", json!({"body": "Delivery", "title": "Tomorrow"})),
                    "[form] Delivery Tomorrow",
                ),
                (Kind::Shared, of("groups_v4_invite", json!({"group_name": "Team"})), "[shared] Team"),
                (
                    Kind::Appointment,
                    of("event_creation", json!({"event": {"name": "Visit"}})),
                    "[appointment] Visit",
                ),
                (Kind::Hidden, of("ciphertext", json!({})), "[hidden]"),
                (
                    Kind::Forward,
                    json!({"type": "chat", "body": "Look", "is_forwarded": true}),
                    "[forward]\nLook",
                ),
                (Kind::Video, of("gif", json!({"file_link": url})), ""),
                (Kind::Unknown, of("hologram", json!({"body": "Hi"})), "[hologram] Hi"),
            ]
        }
        "club" => vec![
            (
                Kind::Reply,
                json!({"text": "Yes", "reply_message": {"conversation_message_id": 4, "text": "How much?"}}),
                "Yes",
            ),
            (
                Kind::Location,
                json!({"text": "Here", "geo": {"coordinates": {"latitude": 55.75, "longitude": 37.5}, "place": {"title": "Moscow"}}}),
                "Here\n[location] 55.75,37.5 Moscow",
            ),
            (
                Kind::Post,
                attached("wall", json!({"id": 2, "to_id": -1, "text": "Sale"})),
                "[post] Sale https://vk.com/wall-1_2",
            ),
            (
                Kind::Link,
                attached("link", json!({"title": "Shop", "url": url})),
                "[link] Shop https://example.com/1",
            ),
            (
                Kind::Product,
                attached(
                    "market",
                    json!({"id": 3, "owner_id": -1, "title": "Lamp", "price": {"text": "100 rub."}}),
                ),
                "[product] Lamp 100 rub. https://vk.com/market-1_3",
            ),
            (
                Kind::Poll,
                attached("poll", json!({"question": "When?", "answers": [{"text": "Today"}]})),
                "[poll] When? (Today)",
            ),
            (
                Kind::Story,
                attached("story", json!({"id": 4, "owner_id": 5})),
                "[story] https://vk.com/story5_4",
            ),
            (Kind::Gift, attached("gift", json!({"id": 1})), "[gift]"),
            (
                Kind::Call,
                attached("call", json!({"state": "canceled_by_initiator"})),
                "[call] canceled_by_initiator",
            ),
            (
                Kind::Payment,
                attached("money_transfer", json!({"amount": {"text": "100 rub."}})),
                "[payment] 100 rub.",
            ),
            (
                Kind::Forward,
                json!({"text": "Look", "fwd_messages": [{"from_id": 7, "text": "Hello", "attachments": [], "fwd_messages": [{"from_id": -1, "text": "Inner"}]}]}),
                "Look\n[forward] id7\nHello\n[forward] club1\nInner",
            ),
            (Kind::Image, attached("graffiti", json!({"id": 1, "owner_id": 2, "url": url})), ""),
            (Kind::Unknown, attached("hologram", json!({"title": "Hi"})), "[hologram] Hi"),
        ],
        "assistant" => {
            let of = |attachment: Value| json!({"text": null, "attachments": [attachment]});
            vec![
                (
                    Kind::Location,
                    of(json!({"type": "location", "latitude": 55.75, "longitude": 37.5})),
                    "[location] 55.75,37.5",
                ),
                (
                    Kind::Link,
                    of(json!({"type": "share", "payload": {"url": url}, "title": "Shop"})),
                    "[link] Shop https://example.com/1",
                ),
                (
                    Kind::Contact,
                    of(
                        json!({"type": "contact", "payload": {"vcf_info": "BEGIN:VCARD\r\nTEL:70000000002\r\nEND:VCARD", "max_info": {"user_id": 5, "first_name": "Oleg"}}}),
                    ),
                    "[contact] Oleg +70000000002",
                ),
                (Kind::Voice, of(json!({"type": "audio", "payload": {"url": url}})), ""),
                (Kind::Unknown, of(json!({"type": "hologram", "payload": {}})), "[hologram]"),
            ]
        }
        _ => {
            let of = |kind: &str, payload: Value| json!({"text": null, "attachments": [{"type": kind, "payload": payload}]});
            vec![
                (Kind::Post, of("ig_reel", json!({"title": "Sea"})), "[post] reel Sea"),
                (Kind::Post, of("share", json!({"url": url})), "[post]"),
                (Kind::Story, of("story_mention", json!({"url": url})), "[story] mention"),
                (
                    Kind::Story,
                    json!({"text": "Nice", "reply_to": {"story": {"url": url}}}),
                    "Nice\n[story] reply https://example.com/1",
                ),
                (
                    Kind::Link,
                    of("fallback", json!({"title": "Shop", "url": url})),
                    "[link] Shop https://example.com/1",
                ),
                (
                    Kind::Form,
                    of("template", json!({"generic": {"elements": [{"title": "Lamp"}]}})),
                    "[form] Lamp",
                ),
                (Kind::Hidden, json!({"text": null, "is_unsupported": true}), "[hidden]"),
                (Kind::Voice, of("audio", json!({"url": url})), ""),
                (Kind::Unknown, of("hologram", json!({})), "[hologram]"),
            ]
        }
    }
}

/// What each provider posts that no one wrote, and whether it is the loss of a message.
fn no_messages(account: &str) -> Vec<Value> {
    match account {
        "bot" => vec![
            json!({"text": null, "new_chat_title": "x"}),
            json!({"text": null, "pinned_message": {"message_id": 1}}),
        ],
        "shop" => vec![json!({"type": "system", "content": {"text": "Notice"}}), json!({"author_id": 0})],
        "phone" => ["system", "e2e_notification", "notification_template", "protocol", "gp2"]
            .map(|kind| json!({"type": kind, "body": ""}))
            .to_vec(),
        "club" => vec![json!({"action": {"type": "chat_invite_user"}})],
        _ => Vec::new(),
    }
}

/// The same post with these fields in its message, signed again.
fn changed(world: &World, column: &Column, post: &HookPost, pointer: &str, change: &Value) -> HookPost {
    let mut body: Value = serde_json::from_slice(&post.body).unwrap();
    let one = pointer.trim_end_matches("/0");
    let pointer = if body.pointer(pointer).is_some() { pointer } else { one };
    let message = body.pointer_mut(pointer).unwrap_or_else(|| panic!("{}: {pointer}", column.title));
    message.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let body = body.to_string().into_bytes();
    let mut post = HookPost { body, ..post.clone() };
    if column.account == "studio" {
        let secrets = world.fields_of(column.account).app_secret.unwrap();
        let secret = secrets.expose_secret().split(',').next().unwrap_or_default().trim();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(&post.body);
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        for (name, value) in &mut post.headers {
            if name == "x-hub-signature-256" {
                *value = signature.clone().into_bytes();
            }
        }
    }
    post
}

fn events(provider: &Arc<dyn Provider>, post: &HookPost) -> Vec<InboundEvent> {
    let body = String::from_utf8_lossy(&post.body);
    provider.hook(post).unwrap_or_else(|why| panic!("{why}: {body}")).events
}

fn message_of(events: Vec<InboundEvent>) -> Option<InboundMessage> {
    events.into_iter().find_map(|event| match event.change {
        InboundChange::Message(message) => Some(*message),
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_content_is_a_row() {
    let world = World::start().await;
    let mut seen = BTreeMap::<&str, Vec<&str>>::new();
    for (account, pointer) in PLACES {
        let column = COLUMNS.iter().find(|column| column.account == account).unwrap();
        let provider = channels::make(World::setup(world.fields_of(account))).unwrap();
        let _ = provider.check().await;
        let post = posted(&world, column, &provider).await;
        for (kind, change, text) in rows(account) {
            let post = changed(&world, column, &post, pointer, &change);
            let message =
                message_of(events(&provider, &post)).unwrap_or_else(|| panic!("{account} {change}"));
            assert_eq!(message.text.as_str(), text, "{account} {change}");
            let kinds: Vec<_> = message.media.iter().map(|media| media.kind).collect();
            assert!(kinds.contains(&kind), "{account} {change}: {kinds:?}");
            assert!(message.raw.is_some(), "{account} {change}");
            // What is no file has words, and follows the files.
            assert!(!text.is_empty() || kinds.iter().all(|kind| kind.is_file()), "{account} {change}");
            assert!(kinds.is_sorted_by_key(|kind| !kind.is_file()), "{account} {change}: {kinds:?}");
            seen.entry(kind.as_str()).or_default().push(account);
        }
        for change in no_messages(account) {
            let events = events(&provider, &changed(&world, column, &post, pointer, &change));
            assert!(message_of(events).is_none(), "{account} {change}");
        }
    }
    let unseen = InboundKind::ALL.into_iter().filter(|kind| !seen.contains_key(kind.as_str()));
    let unseen: Vec<_> = unseen.map(InboundKind::as_str).collect();
    assert_eq!(unseen, ["audio", "other"], "a kind without a row");
    assert_eq!(seen["unknown"].len(), PLACES.len(), "each provider may have kinds that are not known");
}
