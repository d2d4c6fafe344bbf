//! A message in the one format of all channels, as other programs hand it in. Read leniently: ids as numbers or text and in both
//! places, times as ISO 8601 or seconds or milliseconds since 1970, empty fields as absent, unknown ones as if they were not there; some
//! are handed on as they came. Pure.

use channels::Nature;
pub(crate) use domain::lenient::{is_true, text};
use domain::missing::{self, MISSING};
use domain::{
    AccountName, AdSource, ChannelName, ContactProof, ExternalChat, InboundKind, InboundMedia,
    InboundMessage, MessageOrigin, Timestamp, Words, lenient,
};
use serde_json::{Map, Value};

use self::place::InboundPlace;
use self::verified::Verified;

mod place;
mod verified;

/// Fields beside the format that are handed on, and those whose names begin so.
const BESIDE: [&str; 3] = ["form_data", "prefilled_data", "tenant_id"];
const BESIDE_FROM: &str = "utm";

/// The account of a channel that has none here, where none is named.
const ACCOUNT: &str = "main";

/// A message that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedIn {
    pub channel: ChannelName,
    /// The account of ours in the channel, where it is named.
    pub account: Option<AccountName>,
    pub message: InboundMessage,
    /// Whether only the program says that this user writes in the chat, and the program may not vouch. The user is proved where the
    /// chat is known to be that user's.
    pub is_user_stated: bool,
    /// Whether no clock can have said its time, which is replaced by now.
    pub is_time_replaced: bool,
}

/// A field that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct WrongField {
    pub field: &'static str,
    pub message: String,
}

/// Reads a message that came at this moment. Its word that something is verified counts from a program that may vouch for contacts.
///
/// # Errors
/// All fields that are wrong.
pub fn read(body: &Value, now: Timestamp, may_vouch: bool) -> Result<HandedIn, Vec<WrongField>> {
    let mut wrong = Vec::new();
    let meta = &body["meta"];
    let channel = match text(&body["channel"]) {
        None => Err("is missing; name the channel, such as avito".to_owned()),
        Some(name) => name.parse::<ChannelName>().map_err(|error| error.to_string()),
    };
    let account = text(&body["channel_account"]).map(|name| name.parse::<AccountName>());
    let user = text(&body["external_user_id"]).or_else(|| text(&meta["user_id"]));
    let chat = text(&body["external_chat_id"]).or_else(|| text(&meta["chat_id"])).or_else(|| user.clone());
    let chat = match chat {
        None => Err("is missing; name the chat as it is answered".to_owned()),
        Some(chat) => ExternalChat::new(&chat)
            .ok_or_else(|| "has 1 to 256 characters, none of them a control character".to_owned()),
    };
    let external_id =
        text(&body["external_message_id"]).or_else(|| text(&meta["external_message_id"])).ok_or_else(|| {
            "is missing; without the message's id the same message would come in twice".to_owned()
        });
    let sent_at = lenient::time_at(&body["timestamp"], now)
        .ok_or_else(|| "is no time; write it as 2026-01-31T12:00:00Z".to_owned());
    let mut keep = |field, message: String| wrong.push(WrongField { field, message });
    let channel = channel.map_err(|error| keep("channel", error)).ok();
    let account =
        account.transpose().map_err(|error| keep("channel_account", error.to_string())).unwrap_or_default();
    let chat = chat.map_err(|error| keep("external_chat_id", error)).ok();
    let external_id = external_id.map_err(|error| keep("external_message_id", error)).ok();
    let sent_at = sent_at.map_err(|error| keep("timestamp", error)).ok();
    for (field, id) in [
        ("channel", channel.as_ref().map(ChannelName::as_str)),
        ("channel_account", account.as_ref().map(AccountName::as_str)),
        ("external_message_id", external_id.as_deref()),
        ("external_chat_id", chat.as_ref().map(ExternalChat::as_str)),
        ("external_user_id", user.as_deref()),
    ] {
        if id.is_some_and(missing::is_in_id) {
            keep(field, MISSING.to_owned());
        }
    }
    if text(&body["text"])
        .or_else(|| text(&body["message_text"]))
        .is_some_and(|text| missing::is_whole_text(&text))
    {
        keep("text", MISSING.to_owned());
    }
    let (Some(channel), Some(chat), Some(external_id), Some(sent_at)) = (channel, chat, external_id, sent_at)
    else {
        return Err(wrong);
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let nature = Nature::named(channel.as_str());
    let place =
        InboundPlace::read(body, &channel, &nature, (&chat, user.as_deref())).map_err(|wrong| vec![wrong])?;
    let media = &body["media"];
    let mut written = text(&body["text"]).or_else(|| text(&body["message_text"])).unwrap_or_default();
    let images = media["images"].as_array().into_iter().flatten().take(50);
    for caption in images.filter_map(|image| words(&image["caption"])) {
        if !written.contains(&caption) {
            written.push_str(if written.is_empty() { "" } else { "\n\n" });
            written.push_str(&caption);
        }
    }
    let ad = known(&meta["ad_channel"]).map(|channel| AdSource { channel, id: known(&meta["ad_id"]) });
    let verified = Verified { body, may_vouch };
    let is_user_stated =
        verified.is_user_stated(&channel, &nature, (&chat, place.chat_type), user.as_deref());
    let sender_proof = match verified.sender(&channel, &nature, user.as_deref().unwrap_or(chat.as_str())) {
        _ if is_user_stated => ContactProof::Typed,
        proof => proof,
    };
    let message = InboundMessage {
        origin: MessageOrigin::Person,
        group: place.group,
        title: known(&body["chat_title"]),
        mentions_us: is_true(&body["mentions_us"]),
        user,
        sender_proof,
        name: known(&body["client_name"]),
        phone: verified.phone(&nature, &chat, sender_proof),
        email: verified.email(&nature, &chat, sender_proof),
        media: read_media(media),
        ad,
        raw: raw(body),
        ..InboundMessage::of(place.chat_type, chat, external_id, Words::from(written), sent_at.at)
    };
    Ok(HandedIn { channel, account, message, is_user_stated, is_time_replaced: sent_at.is_replaced })
}

/// Returns the account that a message of a channel is for, of all accounts here with their channels. A channel that has accounts here takes
/// messages for those alone. Any other channel is of the program that hands the message in, and so are the names of its accounts.
///
/// # Errors
/// The account is none of the channel.
pub(crate) fn account_of(
    channel: &str,
    named: Option<AccountName>,
    here: &[(String, AccountName)],
) -> Result<AccountName, WrongField> {
    let wrong = |message| WrongField { field: "channel_account", message };
    let own: Vec<&AccountName> = here.iter().filter(|(of, _)| of == channel).map(|(_, name)| name).collect();
    match (named, own.first()) {
        (Some(named), Some(_)) if own.contains(&&named) => Ok(named),
        (Some(named), Some(_)) => {
            let known: Vec<&str> = own.iter().map(|name| name.as_str()).collect();
            Err(wrong(format!(
                "is no account of {channel} here: {named}; name one of {}, or hand the message in under a channel of \
                 your own, such as my_{channel}",
                known.join(", ")
            )))
        }
        (None, Some(first)) => Ok((*first).clone()),
        (None, None) => ACCOUNT.parse().map_err(|_| wrong("is missing".to_owned())),
        (Some(named), None) => {
            let taken = here.iter().find(|(of, name)| of != store::TELEGRAM_ACCOUNT && *name == named);
            let Some((of, _)) = taken else { return Ok(named) };
            Err(wrong(format!(
                "is an account of {of} here: {named}; name another one for the channel {channel}"
            )))
        }
    }
}

/// What is kept as it came: what the provider said, and the fields beside the format.
fn raw(body: &Value) -> Option<String> {
    let original = &body["meta"]["raw"];
    let beside: Vec<_> = body.as_object().into_iter().flat_map(beside).collect();
    if beside.is_empty() {
        return (!original.is_null()).then(|| original.to_string());
    }
    let mut kept = match original {
        Value::Object(original) => original.clone(),
        Value::Null => Map::new(),
        original => Map::from_iter([("raw".to_owned(), original.clone())]),
    };
    kept.extend(beside.into_iter().map(|(name, value)| (name.clone(), value.clone())));
    Some(Value::Object(kept).to_string())
}

/// The fields beside the format that are handed on.
pub(crate) fn beside(came: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let is_beside = |name: &str| BESIDE.contains(&name) || name.starts_with(BESIDE_FROM);
    came.iter().filter(move |(name, value)| is_beside(name) && !value.is_null())
}

/// What is known of a client; nothing where a program wrote a word for no value.
fn known(value: &Value) -> Option<String> {
    text(value).filter(|text| !missing::is_missing(text))
}

/// What people wrote or said; nothing where a program wrote a word for no value.
fn words(value: &Value) -> Option<String> {
    text(value).filter(|text| !missing::is_whole_text(text))
}

fn read_media(media: &Value) -> Vec<InboundMedia> {
    let mut found = Vec::new();
    let of = |kind, value: &Value| InboundMedia {
        url: known(&value["url"]),
        file_id: known(&value["file_id"]),
        is_handed_in: true,
        ..InboundMedia::new(kind)
    };
    let (url, transcript) = (known(&media["voice_url"]), words(&media["voice_transcribed_text"]));
    if is_true(&media["has_voice"]) || url.is_some() || transcript.is_some() {
        let transcript = transcript.map(Words::from);
        found.push(InboundMedia {
            url,
            transcript,
            is_handed_in: true,
            ..InboundMedia::new(InboundKind::Voice)
        });
    }
    for (kind, flag, list) in [
        (InboundKind::Image, "has_images", "images"),
        (InboundKind::Video, "has_video", "videos"),
        (InboundKind::Document, "has_document", "documents"),
    ] {
        let listed: Vec<_> =
            media[list].as_array().into_iter().flatten().take(50).map(|one| of(kind, one)).collect();
        if listed.is_empty() && is_true(&media[flag]) {
            found.push(InboundMedia::new(kind));
        }
        found.extend(listed);
    }
    found
}

#[cfg(test)]
mod tests {
    use domain::{ChatType, ProvedContact};
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_760_000_500_000_000);

    /// Reads what a program hands in that may vouch for contacts.
    fn read(body: &Value, now: Timestamp) -> Result<HandedIn, Vec<WrongField>> {
        super::read(body, now, true)
    }

    #[test]
    fn a_message_is_read_as_workflows_write_it() {
        let body = json!({
            "channel": "avito", "external_user_id": 2001, "external_chat_id": "u2i:1", "text": " Hello ",
            "timestamp": "1760000400", "client_name": "Anna", "client_phone": "", "skip": false, "tenant_id": "t",
            "media": { "has_voice": "false", "has_images": true, "images": [{ "url": "https://example.com/a.jpg" }] },
            "meta": { "external_message_id": 77, "ad_channel": "avito", "ad_id": null, "raw": { "a": 1 } },
        });
        let HandedIn { channel, account, message, .. } = read(&body, NOW).unwrap();
        assert_eq!((channel.as_str(), account), ("avito", None));
        assert_eq!((message.external_id.as_str(), message.chat.as_str()), ("77", "u2i:1"));
        assert_eq!((message.text.as_str(), message.user.as_deref()), ("Hello", Some("2001")));
        assert_eq!((message.name.as_deref(), message.phone), (Some("Anna"), None));
        assert_eq!(message.sent_at, Timestamp::from_micros(1_760_000_400_000_000));
        let image = InboundMedia::at(InboundKind::Image, "https://example.com/a.jpg");
        assert_eq!(message.media, [InboundMedia { is_handed_in: true, ..image }]);
        assert_eq!(message.ad, Some(AdSource { channel: "avito".to_owned(), id: None }));
    }

    #[test]
    fn a_message_is_for_an_account_of_its_channel_alone() {
        let name = |name: &str| name.parse::<AccountName>().unwrap();
        let here = [("vk", "club"), ("vk", "other"), ("telegram_account", "main")];
        let here = here.map(|(channel, account)| (channel.to_owned(), name(account)));
        for (channel, named, taken) in [
            ("vk", Some("other"), Some("other")),
            ("vk", None, Some("club")),
            ("vk", Some("nobody"), None),
            ("vk", Some("main"), None),
            ("telegram_account", Some("main"), Some("main")),
            ("telegram_account", Some("club"), None),
            ("own", Some("shop"), Some("shop")),
            ("own", Some("club"), None),
            ("own", None, Some("main")),
            ("own", Some("main"), Some("main")),
            ("whatsapp", Some("phone"), Some("phone")),
        ] {
            let found = account_of(channel, named.map(name), &here);
            assert_eq!(found.as_ref().ok(), taken.map(name).as_ref(), "{channel} {named:?}");
            assert!(found.is_ok() || found.unwrap_err().to_string().contains("here: "));
        }
    }

    #[test]
    fn raw_content_and_tenant_are_kept_with_the_message() {
        let came = |raw: Value, tenant: Value| {
            let body = json!({ "channel": "vk", "external_chat_id": 1, "external_message_id": 1, "other": 1,
                "tenant_id": tenant, "meta": { "raw": raw } });
            read(&body, NOW).unwrap().message.raw.map(|raw| serde_json::from_str::<Value>(&raw).unwrap())
        };
        assert_eq!(came(Value::Null, Value::Null), None);
        assert_eq!(came(json!("a"), Value::Null), Some(json!("a")));
        assert_eq!(came(json!("a"), json!("t")), Some(json!({ "raw": "a", "tenant_id": "t" })));
        assert_eq!(came(json!({ "a": 1 }), json!("t")), Some(json!({ "a": 1, "tenant_id": "t" })));
    }

    #[test]
    fn times_are_read_in_every_form() {
        let of = |written: &Value| {
            let body = json!({ "channel": "vk", "external_chat_id": 1, "external_message_id": 1, "timestamp": written });
            let HandedIn { message, is_time_replaced, .. } = read(&body, NOW).unwrap();
            (message.sent_at, is_time_replaced)
        };
        for written in [
            json!("2025-10-09T09:01:40Z"),
            json!("2025-10-09T09:01:40"),
            json!(1_760_000_500),
            json!(1_760_000_500.0),
            json!("1760000500000"),
            json!(""),
            json!("null"),
        ] {
            assert_eq!(of(&written), (NOW, false), "{written}");
        }
        for impossible in [json!(0), json!("2099-01-01T00:00:00Z"), json!(1_760_000_500_i64 * 100)] {
            assert_eq!(of(&impossible), (NOW, true), "{impossible}");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let fields = |body: Value| -> Vec<&'static str> {
            read(&body, NOW).unwrap_err().into_iter().map(|wrong| wrong.field).collect()
        };
        assert_eq!(fields(json!({})), ["channel", "external_chat_id", "external_message_id"]);
        assert_eq!(fields(json!([])), ["channel", "external_chat_id", "external_message_id"]);
        let body = json!({ "channel": "V K", "channel_account": "?", "external_chat_id": "\u{1}", "external_message_id": 1, "timestamp": "soon" });
        assert_eq!(fields(body), ["channel", "channel_account", "external_chat_id", "timestamp"]);
    }

    #[test]
    fn a_missing_value_names_nothing() {
        let whole = json!({ "channel": "shop", "external_chat_id": "42", "external_user_id": "42",
            "external_message_id": "m-1", "text": "Hello" });
        assert!(read(&whole, NOW).is_ok());
        for (field, value) in [
            ("external_message_id", "undefined"),
            ("external_message_id", "msg-undefined"),
            ("external_message_id", "[object Object]"),
            ("external_chat_id", "null"),
            ("external_chat_id", "undefined@c.us"),
            ("external_user_id", "NaN"),
            ("channel", "undefined"),
            ("channel_account", "null"),
            ("external_message_id", "{{ $json.id }}"),
            ("external_message_id", "${id}-in"),
            ("external_group_id", "undefined"),
            ("externalGroupId", "null"),
            ("text", "[object Object]"),
            ("text", "undefined"),
        ] {
            let mut body = whole.clone();
            body[field] = value.into();
            let wrong = read(&body, NOW).unwrap_err();
            let expected = if field == "externalGroupId" { "external_group_id" } else { field };
            assert_eq!((wrong.len(), wrong[0].field), (1, expected), "{value}");
        }
        // A customer may write of such a value.
        let mut body = whole;
        body["text"] = json!("Your page shows [object Object]");
        assert!(read(&body, NOW).is_ok());
        // What is left out is known by nothing else.
        (body["client_name"], body["client_phone"]) = (json!("undefined"), json!("None"));
        body["media"] = json!({ "images": [{ "url": "undefined", "caption": "undefined" }],
            "voice_transcribed_text": "[object Object]", "voice_url": "null" });
        body["meta"] = json!({ "ad_channel": "undefined" });
        let message = read(&body, NOW).unwrap().message;
        assert_eq!((message.name, message.phone, message.ad), (None, None, None));
        assert_eq!(message.text.as_str(), "Your page shows [object Object]");
        assert_eq!(message.media.iter().filter_map(|media| media.url.as_deref()).count(), 0);
    }

    #[test]
    fn a_voice_that_was_written_down_has_its_text() {
        let body = json!({ "channel": "vk", "external_chat_id": 1, "external_message_id": 1,
            "media": { "has_voice": true, "voice_transcribed_text": "Hello" } });
        let message = read(&body, NOW).unwrap().message;
        let voice = &message.media[0];
        assert_eq!((voice.kind, voice.transcript.as_deref()), (InboundKind::Voice, Some("Hello")));
    }

    fn handed(mut body: Value) -> InboundMessage {
        body["external_message_id"] = 1.into();
        read(&body, NOW).unwrap().message
    }

    #[test]
    fn contacts_that_are_handed_in_are_typed() {
        let proofs = |more: Value| {
            let message = handed(more);
            let proof = |contact: Option<ProvedContact>| contact.map(|contact| contact.proof);
            (message.sender_proof, proof(message.phone), proof(message.email))
        };
        let (phone, email) = ("+70000000001", "anna@example.com");
        let (id, typed) = (ContactProof::ChannelId, Some(ContactProof::Typed));
        let of = |channel: &str, chat: &str| {
            proofs(
                json!({ "channel": channel, "external_chat_id": chat, "client_phone": phone, "client_email": email }),
            )
        };
        assert_eq!(of("telegram", "6660001"), (id, typed, typed));
        assert_eq!(of("shop", "1"), (id, typed, typed));
        assert_eq!(of("form", "1"), (ContactProof::Typed, typed, typed));
        assert_eq!(of("whatsapp", "70000000001@c.us"), (id, Some(id), typed));
        assert_eq!(of("sms", phone), (id, Some(id), typed));
        // The number of another person is typed on these, too.
        assert_eq!(of("whatsapp", "70000000002@c.us"), (id, typed, typed));
        assert_eq!(of("whatsapp", "777@lid"), (id, typed, typed));
        assert_eq!(of("sms", "+70000000002"), (id, typed, typed));
        assert_eq!(of("email", email), (ContactProof::Typed, typed, typed));
        let verified = |channel: &str, chat: &str| {
            proofs(json!({
                "channel": channel, "external_chat_id": chat, "client_phone": phone, "client_email": email,
                "client_phone_verified": true, "client_email_verified": "true",
            }))
        };
        let vouched = Some(ContactProof::Provider);
        assert_eq!(verified("telegram", "1"), (id, vouched, vouched));
        assert_eq!(verified("email", email), (ContactProof::Mail, vouched, Some(ContactProof::Mail)));
        assert_eq!(verified("email", "boris@example.com#1").2, vouched);
    }

    #[test]
    fn another_user_of_a_private_chat_is_proved_by_a_program_that_may_vouch() {
        let body = |channel: &str, chat: &str, user: &str| {
            json!({
                "channel": channel, "external_chat_id": chat, "external_user_id": user, "external_message_id": "m1",
                "text": "Hi",
            })
        };
        let proof = |body: &Value, may_vouch| {
            let HandedIn { message, is_user_stated, .. } = super::read(body, NOW, may_vouch).unwrap();
            assert_eq!(is_user_stated, message.sender_proof == ContactProof::Typed, "{body}");
            message.sender_proof
        };
        for (channel, chat, user) in [
            ("telegram", "6671", "7701"),
            ("telegram", "bc-x:7701", "7701"),
            ("telegram", "-100!9", "7701"),
            ("vk", "5005", "7711"),
            ("instagram", "17801", "17802"),
            ("sms", "+70000000002", "+70000000001"),
            ("avito", "u2i-1", "2001"),
            ("avito", "2001", "2001"),
            ("max", "13009", "1331"),
            ("max", "1331", "1331"),
            ("max", "user:1332", "1331"),
            ("whatsapp", "70000000002@c.us", "70000000001"),
            ("whatsapp", "777@lid", "777"),
            ("telegram_account", "6671", "7701"),
        ] {
            assert_eq!(proof(&body(channel, chat, user), false), ContactProof::Typed, "{channel} {chat}");
            assert_eq!(proof(&body(channel, chat, user), true), ContactProof::ChannelId, "{channel} {chat}");
        }
        for (channel, chat, user) in [
            ("telegram", "7701", "7701"),
            ("telegram", "-100", "7701"),
            ("sms", "+70000000001", "70000000001"),
            ("max", "user:1331", "1331"),
            ("max", "-13009", "1331"),
            ("whatsapp", "70000000001@c.us", "70000000001"),
            ("telegram_account", "7701", "7701"),
            ("own", "c1", "7701"),
        ] {
            assert_eq!(proof(&body(channel, chat, user), false), ContactProof::ChannelId, "{channel} {chat}");
        }
    }

    #[test]
    fn a_program_that_may_not_vouch_proves_no_contact() {
        for (channel, chat, wanted) in [
            ("own", "1", ContactProof::ChannelId),
            ("own", "victim@example.com", ContactProof::Typed),
            ("email", "victim@example.com", ContactProof::Typed),
        ] {
            let body = json!({
                "channel": channel, "external_chat_id": chat, "external_message_id": 1, "sender_verified": true,
                "client_phone": "+70000000001", "client_phone_verified": true,
                "client_email": "victim@example.com", "client_email_verified": true,
            });
            let message = super::read(&body, NOW, false).unwrap().message;
            let typed = Some(ContactProof::Typed);
            assert_eq!(message.sender_proof, wanted, "{channel} {chat}");
            assert_eq!(message.phone.map(|phone| phone.proof), typed, "{channel} {chat}");
            assert_eq!(message.email.map(|email| email.proof), typed, "{channel} {chat}");
        }
    }

    #[test]
    fn a_sender_in_a_channel_of_ones_own_may_be_doubted() {
        let proof = |channel: &str, user: &str, verified: Value| {
            let body = json!({ "channel": channel, "external_chat_id": 1, "external_user_id": user, "sender_verified": verified });
            handed(body).sender_proof
        };
        let (id, typed) = (ContactProof::ChannelId, ContactProof::Typed);
        for (channel, user, verified, wanted) in [
            ("gmail", "7", Value::Null, id),
            ("gmail", "7", json!(false), typed),
            ("gmail", "7", json!("false"), typed),
            ("gmail", "victim@example.com", Value::Null, typed),
            ("gmail", "victim@example.com", json!(true), id),
            ("gmail", "@victim", Value::Null, id),
            ("telegram", "7", json!(false), typed),
            ("form", "7", json!(true), typed),
        ] {
            assert_eq!(proof(channel, user, verified.clone()), wanted, "{channel} {user} {verified}");
        }
    }

    #[test]
    fn the_number_of_a_hidden_id_is_not_made_up() {
        for chat in ["70000000001@lid", "70000000001"] {
            let body =
                json!({ "channel": "whatsapp", "external_chat_id": chat, "client_phone": "+70000000001" });
            assert_eq!(handed(body).phone.unwrap().proof, ContactProof::Typed, "{chat}");
        }
        let body = json!({ "channel": "sms", "external_chat_id": "+70000000001", "client_phone": "+70000000001", "sender_verified": false });
        assert_eq!(handed(body).phone.unwrap().proof, ContactProof::Typed);
    }

    #[test]
    fn an_address_of_a_group_is_a_group_whatever_is_said() {
        for (channel, chat) in [
            ("whatsapp", "120363000000000001@g.us"),
            ("vk", "2000000001"),
            ("max", "-5"),
            ("telegram", "-42"),
            ("telegram", "-1001234567890/7"),
        ] {
            for said in [json!(null), json!("private"), json!("dialog"), json!("nonsense")] {
                let message =
                    handed(json!({ "channel": channel, "external_chat_id": chat, "chat_type": said }));
                assert_eq!(message.chat_type, ChatType::Group, "{channel} {chat} {said}");
            }
        }
        let topic = handed(json!({ "channel": "telegram", "external_chat_id": "-1001234567890/7" }));
        assert_eq!(topic.group().as_str(), "-1001234567890");
        let own = |said: &str| {
            handed(json!({ "channel": "own", "external_chat_id": 1, "chat_type": said })).chat_type
        };
        assert_eq!(
            (own("group"), own("supergroup"), own("")),
            (ChatType::Group, ChatType::Group, ChatType::Private)
        );
        assert_eq!((own("channel"), own("status")), (ChatType::Channel, ChatType::Broadcast));
        assert_eq!((own(" Group "), own("SUPERGROUP")), (ChatType::Group, ChatType::Group));
        for more in [
            json!({ "is_group": true }),
            json!({ "is_group": "true" }),
            json!({ "is_group": 1 }),
            json!({ "meta": { "is_group": true } }),
            json!({ "meta": { "chat_type": "Group" } }),
            json!({ "chat_type": "private", "is_group": true }),
            json!({ "chat_type": "group", "is_group": false }),
            json!({ "external_group_id": "g1" }),
            json!({ "isGroup": true }),
            json!({ "IsGroup": "yes" }),
            json!({ "isGroupChat": 1 }),
            json!({ "chatType": "supergroup" }),
            json!({ "externalGroupId": 7 }),
            json!({ "chat": { "type": "group" } }),
            json!({ "chat": { "id": 1, "chat_type": "group" } }),
            json!({ "chat": { "isGroup": true }, "chat_type": "private" }),
            json!({ "meta": { "isGroup": true } }),
            json!({ "meta": { "chat": { "type": "supergroup" } } }),
        ] {
            let mut body = json!({ "channel": "own", "external_chat_id": 1 });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            assert_eq!(handed(body).chat_type, ChatType::Group, "{more}");
        }
        for no in [json!(false), json!("false"), json!(0), json!(""), json!(null)] {
            let body = json!({ "channel": "own", "external_chat_id": 1, "is_group": no });
            assert_eq!(handed(body).chat_type, ChatType::Private);
        }
        // A group that counts as a private chat would get private messages.
        for unknown in [json!("room"), json!("megagroup"), json!(true), json!(["group"])] {
            let handed = json!({ "channel": "own", "external_chat_id": 1, "external_message_id": 1, "chat_type": unknown });
            let wrong = read(&handed, Timestamp::from_micros(0)).unwrap_err();
            assert_eq!(wrong[0].field, "chat_type", "{unknown}");
        }
        // A community of VK has such an id, too.
        for (more, is_wrong) in [
            (json!({ "group_id": 5 }), true),
            (json!({ "groupId": "g1" }), true),
            (json!({ "group_id": null }), false),
            (json!({ "group_id": "" }), false),
            (json!({ "group_id": 5, "chat_type": "private" }), false),
            (json!({ "group_id": 5, "isGroup": true }), false),
        ] {
            let mut handed = json!({ "channel": "own", "external_chat_id": 1, "external_message_id": 1 });
            handed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let read = read(&handed, Timestamp::from_micros(0));
            let field = read.err().map(|wrong| wrong[0].field);
            assert_eq!(field, is_wrong.then_some("group_id"), "{handed}");
        }
    }

    #[test]
    fn an_address_that_its_channel_cannot_read_is_refused() {
        for (channel, chat) in [
            ("whatsapp", "120363000000000001@G.US"),
            ("telegram", "@mygroup"),
            ("vk", "c1"),
            ("max", "chat:-5"),
            ("telegram", "501!501"),
            ("telegram", "bc:-100222!501"),
            ("telegram", "-1002222!-5"),
            ("telegram", "0"),
            ("telegram", "telegram:7502"),
        ] {
            let body = json!({ "channel": channel, "external_chat_id": chat, "external_message_id": 1, "chat_type": "private" });
            let wrong = read(&body, NOW).unwrap_err().remove(0).to_string();
            let begins = format!("external_chat_id is no chat of {channel}: a chat of ");
            assert!(
                wrong.starts_with(&begins) && wrong.ends_with(&format!("such as my_{channel}")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn an_image_caption_is_a_text() {
        let read = |text: &str| {
            let images = json!([{ "caption": "The screen" }, { "caption": "The back" }, { "caption": "" }]);
            let body = json!({ "channel": "vk", "external_chat_id": 1, "external_message_id": 1, "text": text,
                "media": { "images": images } });
            read(&body, NOW).unwrap().message.text.as_str().to_owned()
        };
        assert_eq!(read(""), "The screen\n\nThe back");
        assert_eq!(read("The screen is broken"), "The screen is broken\n\nThe back");
    }
}
