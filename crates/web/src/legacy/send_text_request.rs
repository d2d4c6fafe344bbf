//! What a call of `/send_text` asks for. Pure.

use domain::message::{Content, Mention};
use domain::missing::{MISSING, is_missing};
use domain::text::{ParseMode, has_placeholder, parse_leniently};
use domain::{ChatRef, Username};

use super::fields::{Fields, NotANumber, UNSET_CHAT};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    /// The chat as the caller wrote it.
    pub(super) given: String,
    /// The chat, if what the caller wrote can name one.
    pub(super) chat: Option<ChatRef>,
    pub(super) content: Content,
    /// Whether the caller asked for a mention.
    pub(super) tagged: bool,
}

/// Why there is nothing that could be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("chat is required")]
    NoChat,
    #[error("{UNSET_CHAT}")]
    UnsetChat,
    #[error("text {MISSING}; nothing was sent")]
    UnsetText,
    #[error("text must be a text; it came as a list or an object, and nothing was sent")]
    NestedText,
    #[error(
        "client_id must be the number of a Telegram user, and nothing was sent; leave it out to mention by client_username"
    )]
    ClientId,
    #[error("reply_to must be a Telegram message id")]
    ReplyTo,
}

pub(super) fn order(fields: &Fields) -> Result<Order, Wrong> {
    if !fields.has("chat") {
        return Err(Wrong::NoChat);
    }
    if fields.is_unset("chat") {
        return Err(Wrong::UnsetChat);
    }
    if fields.is_nested("text") {
        return Err(Wrong::NestedText);
    }
    if fields.is_unset("text") {
        return Err(Wrong::UnsetText);
    }
    let given = fields.text("chat").trim().to_owned();
    let parse_mode = match fields.text("parse_mode").parse() {
        Ok(mode) if fields.has("parse_mode") => mode,
        // What the old scripts did not know, they took for HTML.
        _ => ParseMode::Html,
    };
    let reply_to = match fields.number("reply_to") {
        Ok(None) => None,
        Ok(Some(id)) => Some(i32::try_from(id).ok().filter(|id| *id > 0).ok_or(Wrong::ReplyTo)?),
        Err(NotANumber) => return Err(Wrong::ReplyTo),
    };
    let tagged = fields.flag("tag_client", false);
    let text = parse_leniently(parse_mode, &fields.text("text"));
    // The old scripts took a client that is named for the one of the placeholder.
    let is_named = fields.has("client_id") || fields.has("client_username");
    let mention = if tagged || is_named && has_placeholder(&text) { mention(fields)? } else { None };
    let content = Content {
        text,
        parse_mode,
        reply_to: reply_to.map(Into::into),
        mention,
        mention_optional: true,
        written_by: domain::message::Writer::Program,
        silent: false,
        preview: !fields.flag("disable_preview", true),
        media: Vec::new(),
        provider_options: None,
    };
    let chat = ChatRef::named(&given).ok().filter(|_| fields.is_plain("chat"));
    Ok(Order { given, chat, content, tagged })
}

/// The client: by id, else by name, else the first who fits.
fn mention(fields: &Fields) -> Result<Option<Mention>, Wrong> {
    let exclude = fields.names("exclude_usernames");
    // The text goes without its placeholder.
    let no_one = Some(Mention::Auto { auto: false, exclude: Vec::new() });
    if let Some(user_id) = fields.number("client_id").map_err(|NotANumber| Wrong::ClientId)? {
        return if user_id > 0 { Ok(Some(Mention::User { user_id })) } else { Err(Wrong::ClientId) };
    }
    let username = fields.text("client_username");
    if username.trim().is_empty() {
        return Ok(Some(Mention::Auto { auto: true, exclude }));
    }
    let Some(client) = username.parse::<Username>().ok().filter(|name| !is_missing(name.as_str())) else {
        // No one has a name like this.
        return Ok(no_one);
    };
    let excluded = exclude.iter().any(|name| name.parse().is_ok_and(|name: Username| name == client));
    Ok(if excluded { no_one } else { Some(Mention::Username { username: client.to_string() }) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Order, Wrong> {
        order(&Fields::read(json.as_bytes()))
    }

    #[test]
    fn defaults_are_those_of_the_old_scripts() {
        let order = read(r#"{"chat":-1001234567890,"text":"<b>a</b>"}"#).expect("an order");
        assert_eq!(order.given, "-1001234567890");
        assert_eq!(order.chat, "-1001234567890".parse().ok());
        assert!(!order.tagged && order.content.mention.is_none());
        assert!(!order.content.preview && !order.content.silent);
        assert_eq!(order.content.parse_mode, ParseMode::Html);
        assert_eq!((order.content.text.text.as_str(), order.content.text.entities.len()), ("a", 1));
        let named = read(r#"{"chat":"demo","disable_preview":false,"reply_to":"7"}"#).expect("an order");
        assert_eq!(named.chat, "@demo".parse().ok());
        assert_eq!((named.content.preview, named.content.reply_to), (true, Some(7.into())));
    }

    #[test]
    fn a_chat_is_needed_and_need_not_exist() {
        for body in ["{}", r#"{"chat":""}"#, r#"{"chat":0}"#, r#"{"chat":null}"#, r#"{"chat":[]}"#, "no JSON"]
        {
            assert_eq!(read(body), Err(Wrong::NoChat), "{body}");
        }
        for word in ["null", " undefined ", "[object Object]", "NaN"] {
            let body = serde_json::json!({ "chat": word, "text": "a" }).to_string();
            assert_eq!(read(&body), Err(Wrong::UnsetChat), "{body}");
        }
        let order = read(r#"{"chat":"no such chat!"}"#).expect("an order");
        assert_eq!((order.chat, order.given.as_str()), (None, "no such chat!"));
    }

    #[test]
    fn a_list_or_an_object_is_no_text() {
        for text in [r#"["a"]"#, r#"{"a":1}"#, "[]"] {
            assert_eq!(read(&format!(r#"{{"chat":1,"text":{text}}}"#)), Err(Wrong::NestedText), "{text}");
        }
        for text in ["undefined", "null", "NaN", "Hello [object Object]"] {
            let body = serde_json::json!({ "chat": 1, "text": text }).to_string();
            assert_eq!(read(&body), Err(Wrong::UnsetText), "{text}");
        }
        assert_eq!(read(r#"{"chat":1,"text":7}"#).expect("an order").content.text.text, "7");
    }

    #[test]
    fn parse_modes_in_any_case_and_html_for_the_rest() {
        for (mode, expected) in [
            (r#""HTML""#, ParseMode::Html),
            (r#""md""#, ParseMode::Markdown),
            (r#""Markdown""#, ParseMode::Markdown),
            (r#""rtf""#, ParseMode::Html),
            (r#""""#, ParseMode::Html),
            ("null", ParseMode::Html),
            ("1", ParseMode::Html),
        ] {
            let order = read(&format!(r#"{{"chat":1,"text":"a","parse_mode":{mode}}}"#)).expect("an order");
            assert_eq!(order.content.parse_mode, expected, "{mode}");
        }
    }

    #[test]
    fn broken_html_is_no_reason_to_refuse() {
        let order = read(r#"{"chat":1,"text":"a < b <b>c"}"#).expect("an order");
        assert!(order.content.text.text.contains('c'));
    }

    #[test]
    fn the_client_is_named_by_id_then_name_then_chosen() {
        let mention = |fields: &str| {
            read(&format!(r#"{{"chat":1,"text":"a",{fields}}}"#)).map(|order| order.content.mention)
        };
        assert_eq!(mention(r#""client_id":7"#), Ok(None), "not without tag_client or a placeholder");
        let placed = read(r#"{"chat":1,"text":"{client}, hello","client_username":"@client_1"}"#);
        let username = Some(Mention::Username { username: "@client_1".to_owned() });
        assert_eq!(placed.map(|order| order.content.mention), Ok(username));
        assert_eq!(
            mention(r#""tag_client":"1","client_id":"7","client_username":"@x1""#),
            Ok(Some(Mention::User { user_id: 7 }))
        );
        assert_eq!(
            mention(r#""tag_client":true,"client_username":"Client_1""#),
            Ok(Some(Mention::Username { username: "@client_1".to_owned() }))
        );
        assert_eq!(
            mention(r#""tag_client":1,"exclude_usernames":["@a1"]"#),
            Ok(Some(Mention::Auto { auto: true, exclude: vec!["@a1".to_owned()] }))
        );
        let excluded = r#""tag_client":1,"client_username":"@A1","exclude_usernames":["a1"]"#;
        let no_one = Ok(Some(Mention::Auto { auto: false, exclude: Vec::new() }));
        assert_eq!(mention(excluded), no_one);
        assert_eq!(mention(r#""tag_client":1,"client_username":"имя""#), no_one);
        assert_eq!(mention(r#""tag_client":1,"client_id":"x""#), Err(Wrong::ClientId));
        assert_eq!(mention(r#""tag_client":1,"client_id":-5"#), Err(Wrong::ClientId));
    }
}
