//! What a message of Wappi says: its text, file, and all other kinds of content. Pure.

use domain::content::coordinates;
use domain::lenient::{self, number};
use domain::{Content, InboundKind, InboundMedia};
use serde_json::Value;

/// Types of items that no one wrote: notices of WhatsApp, and what holds an album together.
const NOTICES: [&str; 13] = [
    "system",
    "e2e_notification",
    "notification",
    "notification_template",
    "broadcast_notification",
    "group_notification",
    "gp2",
    "protocol",
    "debug",
    "album",
    "poll_update",
    "pin_message",
    "keep_in_chat",
];
/// The most lines of an order that are shown.
const MOST_LINES: usize = 20;

/// Whether an item of this type is a notice.
pub(super) fn is_notice(kind: &str) -> bool {
    NOTICES.contains(&kind)
}

/// What a message of this type says.
pub(super) fn content(item: &Value, kind: &str) -> Content {
    let mut content = Content::default();
    let of = |names: &[&str]| names.iter().find_map(|pointer| text(item, pointer));
    let (body, caption) = (of(&["/body"]).unwrap_or_default(), of(&["/caption"]).unwrap_or_default());
    match kind {
        "chat" | "text" => content.say(body),
        kind if media_kind(kind).is_some() => {
            content.say(caption);
            content.attach(media(item, kind));
        }
        "location" | "live_location" => content.add(InboundKind::Location, location(item)),
        "vcard" | "contact" | "contacts" | "multi_vcard" | "contact_card" => cards(&mut content, item, body),
        "order" => order(&mut content, item),
        "product" | "product_list" | "catalog" => {
            let words = ["/product/title", "/title", "/caption", "/product/url", "/url"];
            content.add(InboundKind::Product, words.iter().filter_map(|pointer| text(item, pointer)));
        }
        "poll" | "poll_creation" => poll(&mut content, item, body),
        "payment" | "payment_invite" => {
            content.add(
                InboundKind::Payment,
                [of(&["/amount", "/payment/amount"]), of(&["/currency", "/note"])].into_iter().flatten(),
            );
        }
        "call" | "call_log" | "incoming_call" | "missed_call" => {
            content.add(InboundKind::Call, of(&["/call/status", "/status", "/call_type"]));
        }
        // The customer chose the words of a button.
        "buttons_response" | "template_button_reply" => {
            let chosen = of(&["/title", "/selectedButtonId"]);
            content.say(if body.is_empty() { chosen.unwrap_or_default() } else { body });
        }
        "list_response" | "interactive" | "interactive_response" | "flow_reply" => {
            let words = ["/title", "/selectedButtonId", "/description"];
            let said = Some(body).filter(|body| !body.is_empty());
            let words = words.iter().filter_map(|pointer| text(item, pointer));
            content.add(InboundKind::Form, said.into_iter().chain(words));
        }
        "groups_v4_invite" => {
            content.add(InboundKind::Shared, [of(&["/group_name", "/caption"])].into_iter().flatten());
        }
        "event_creation" | "event" => {
            let words = ["/event/name", "/name", "/event/start_time"];
            content.add(InboundKind::Appointment, words.iter().filter_map(|pointer| text(item, pointer)));
        }
        "ciphertext" | "view_once" | "unavailable" => content.add(InboundKind::Hidden, [""]),
        // A type that is not known may have its text in either.
        other => {
            let words = if caption.is_empty() { body } else { caption };
            content.add_unknown(other, [words]);
        }
    }
    if lenient::is_true(&item["is_forwarded"]) || lenient::is_true(&item["isForwarded"]) {
        let mut whole = Content::default();
        whole.add_forward(None, content);
        return whole;
    }
    content
}

/// The file of a message of this type.
fn media_kind(kind: &str) -> Option<InboundKind> {
    Some(match kind {
        "image" => InboundKind::Image,
        "video" | "gif" | "ptv" | "video_note" => InboundKind::Video,
        "document" => InboundKind::Document,
        "audio" => InboundKind::Audio,
        "ptt" => InboundKind::Voice,
        "sticker" => InboundKind::Sticker,
        _ => return None,
    })
}

/// Whether the body of an item of this type may be the file itself, or a picture of it.
pub(super) fn has_file(kind: &str) -> bool {
    media_kind(kind).is_some() || kind.ends_with("location")
}

fn media(item: &Value, kind: &str) -> InboundMedia {
    let links =
        ["/file_link", "/s3Info/url", "/body", "/body/url"].iter().filter_map(|pointer| text(item, pointer));
    let url = links.into_iter().find(|link| link.starts_with("http://") || link.starts_with("https://"));
    let of = |names: [&str; 2]| names.iter().find_map(|pointer| text(item, pointer)).map(str::to_owned);
    InboundMedia {
        url: url.map(str::to_owned),
        file_id: lenient::id(&item["id"]),
        name: of(["/file_name", "/body/fileName"]),
        mime: of(["/mimetype", "/body/mimetype"]),
        ..InboundMedia::new(media_kind(kind).unwrap_or(InboundKind::Other))
    }
}

/// The place, its name and its address.
fn location(item: &Value) -> Vec<String> {
    let holders = [&item["location"], &item["body"], item];
    let names = [
        ("latitude", "longitude"),
        ("degreesLatitude", "degreesLongitude"),
        ("lat", "lng"),
        ("lat", "lon"),
        ("lat", "long"),
    ];
    let at = holders.iter().find_map(|holder| {
        names.iter().find_map(|(latitude, longitude)| coordinates(&holder[*latitude], &holder[*longitude]))
    });
    let called = holders.iter().flat_map(|holder| {
        ["name", "title", "address", "description"]
            .map(|name| lenient::text(&holder[name]))
            .into_iter()
            .flatten()
    });
    let mut words: Vec<String> = at.into_iter().chain(called).collect();
    words.dedup();
    words
}

/// The name and the number of each card.
fn cards(content: &mut Content, item: &Value, body: &str) {
    let listed = ["vcards", "contacts"].iter().find_map(|name| item[*name].as_array());
    let listed = listed.into_iter().flatten();
    for card in listed.clone().filter(|card| card.is_object() && !card["vcard"].is_string()) {
        let names = ["/name/formatted_name", "/formatted_name", "/name", "/displayName"];
        let name = names.iter().find_map(|pointer| text(card, pointer)).map(str::to_owned);
        let phones = card["phones"].as_array().into_iter().flatten();
        let phones =
            phones.filter_map(|phone| lenient::text(phone).or_else(|| lenient::text(&phone["phone"])));
        content
            .add(InboundKind::Contact, name.into_iter().chain(phones).chain(lenient::text(&card["phone"])));
    }
    let cards = listed.filter_map(|card| card.as_str().or_else(|| card["vcard"].as_str()));
    let cards: Vec<&str> = cards.chain([body]).filter(|card| !card.is_empty()).collect();
    for whole in &cards {
        for card in whole.split("END:VCARD").filter(|card| card.contains("BEGIN:VCARD")) {
            let line = |field: &str| {
                let line = card.lines().find(|line| line.to_ascii_uppercase().starts_with(field))?;
                Some(line.rsplit(':').next()?.trim().to_owned())
            };
            content.add(InboundKind::Contact, [line("FN"), line("TEL")].into_iter().flatten());
        }
    }
    if content.is_empty() {
        let words = ["/contact_name_shared", "/vcard_name", "/title"];
        content.add(InboundKind::Contact, words.iter().filter_map(|pointer| text(item, pointer)));
    }
}

/// What was ordered, and the sum.
fn order(content: &mut Content, item: &Value) {
    let order = item.get("order").filter(|order| order.is_object()).unwrap_or(item);
    let of = |names: &[&str]| names.iter().find_map(|name| lenient::text(&order[*name]));
    let lines = ["products", "items"].iter().find_map(|name| order[*name].as_array()).into_iter().flatten();
    let lines = lines.take(MOST_LINES).map(|line| {
        let count = number(&line["quantity"]).unwrap_or(1);
        format!(
            "{count} x {};",
            lenient::text(&line["name"]).or_else(|| lenient::text(&line["title"])).unwrap_or_default()
        )
    });
    let thousandths = ["total_amount1000", "totalAmount1000"].iter().find_map(|name| number(&order[*name]));
    let sum = thousandths.map(|sum| format!("{}.{:02}", sum / 1_000, sum.rem_euclid(1_000) / 10));
    let sum = sum.or_else(|| of(&["total", "total_amount", "price"]));
    let count = of(&["item_count", "itemCount"]).map(|count| format!("({count})"));
    let words = [
        of(&["title", "order_title", "orderTitle"]),
        count,
        sum,
        of(&["currency", "total_currency_code", "totalCurrencyCode"]),
        of(&["message", "caption"]),
        of(&["order_id", "orderId"]),
    ];
    let lines: Vec<String> = lines.collect();
    content.add(InboundKind::Order, lines.into_iter().chain(words.into_iter().flatten()));
}

fn poll(content: &mut Content, item: &Value, body: &str) {
    let poll = item.get("poll").filter(|poll| poll.is_object()).unwrap_or(item);
    let question =
        ["name", "poll_name", "pollName", "title"].iter().find_map(|name| lenient::text(&poll[*name]));
    let question = question.or_else(|| Some(body.to_owned()));
    let options = ["options", "poll_options", "pollOptions"].iter().find_map(|name| poll[*name].as_array());
    let options = options.into_iter().flatten();
    let options: Vec<String> = options
        .filter_map(|option| lenient::text(option).or_else(|| lenient::text(&option["name"])))
        .collect();
    let options = Some(format!("({})", options.join("; "))).filter(|_| !options.is_empty());
    content.add(InboundKind::Poll, question.into_iter().chain(options));
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cards_of_each_form_have_names_and_numbers() {
        let said = |item: &Value| content(item, "contacts").into_parts().0;
        let objects = json!({"contacts": [
            {"name": {"formatted_name": "Oleg"}, "phones": [{"phone": "+70000000002"}, "+70000000003"]},
            {"name": "Ann", "phone": 70_000_000_004_i64},
        ]});
        assert_eq!(said(&objects), "[contact] Oleg +70000000002 +70000000003\n[contact] Ann 70000000004");
        let cards = json!({"vcards": ["BEGIN:VCARD\nFN:Oleg\nTEL:+70000000002\nEND:VCARD", {"vcard": "BEGIN:VCARD\nFN:Ann\nEND:VCARD"}]});
        assert_eq!(said(&cards), "[contact] Oleg +70000000002\n[contact] Ann");
        assert_eq!(said(&json!({"title": "Oleg"})), "[contact] Oleg");
    }
}
