//! What a call of `/send_media` asks for. Pure.

use std::path::PathBuf;

use delivery::MOST_MEDIA;
use domain::message::Content;
use domain::missing::MISSING;
use domain::text::{ParseMode, parse_leniently};
use domain::{ChatId, ChatRef};
use media::Wish;
use serde_json::{Map, Value};

use super::fields::{Fields, NotANumber};
use crate::files::{Named, NoPost, Source, post};

/// The shortest text that can be a Bot API file id, in characters.
const SHORTEST_FILE_ID: usize = 20;

/// The longest address, path or file id that is read, in bytes.
const LONGEST_SOURCE: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recipient {
    /// Someone or some chat that can exist.
    Chat(ChatRef),
    /// A number that is no one's.
    NoSuchId,
    NoSuchName,
}

/// Why a call asks for nothing that could be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("Specify 'user_id' or 'username'")]
    NoRecipient,
    #[error(
        "Specify 'user_id' or 'username'; what came is a word for no value (null, undefined), so look at what fills the field"
    )]
    Unset,
    #[error("caption must be a text; it came as a list or an object, and nothing was sent")]
    NestedCaption,
    #[error("caption {MISSING}; nothing was sent")]
    UnsetCaption,
    #[error("user_id must be integer")]
    NotANumber,
    #[error("files must be a non-empty list")]
    NoFiles,
    #[error("{0} files are too many for one call; send at most {MOST_MEDIA}, and the rest in another one")]
    TooMany(usize),
    #[error("files[{0}] must be a text, or an object with a text in file, url or path")]
    NoSource(usize),
    #[error("files[{0}] {NoPost}")]
    NoPost(usize),
}

/// Who is meant: by number, else by name. It is looked at before the files are.
pub(super) fn recipient(fields: &Fields) -> Result<Recipient, Wrong> {
    let field = if fields.has("user_id") { "user_id" } else { "username" };
    if fields.is_unset(field) {
        return Err(Wrong::Unset);
    }
    match fields.number("user_id") {
        Err(NotANumber) => Err(Wrong::NotANumber),
        Ok(Some(id)) => {
            Ok(ChatId::new(id).map_or(Recipient::NoSuchId, |id| Recipient::Chat(ChatRef::Id(id))))
        }
        Ok(None) if fields.has("username") => {
            let name = ChatRef::named(&fields.text("username"));
            Ok(name.map_or(Recipient::NoSuchName, Recipient::Chat))
        }
        Ok(None) => Err(Wrong::NoRecipient),
    }
}

/// The recipient as its caller wrote it: what the answer says it was.
pub(super) fn as_given(fields: &Fields) -> Value {
    let field = if fields.has("user_id") { "user_id" } else { "username" };
    fields.value(field).cloned().unwrap_or_default()
}

/// The caption and how it goes out.
pub(super) fn content(fields: &Fields) -> Content {
    let parse_mode = match fields.text("parse_mode").parse() {
        Ok(mode) if fields.has("parse_mode") => mode,
        // What the old scripts did not know, they took for HTML.
        _ => ParseMode::Html,
    };
    Content {
        text: parse_leniently(parse_mode, &fields.text("caption")),
        parse_mode,
        reply_to: None,
        mention: None,
        mention_optional: true,
        written_by: domain::message::Writer::Program,
        silent: false,
        preview: !fields.flag("disable_web_page_preview", false),
        media: Vec::new(),
        provider_options: None,
    }
}

/// The files, in order.
pub(super) fn files(fields: &Fields) -> Result<Vec<Named>, Wrong> {
    match fields.value("files") {
        Some(Value::Array(files)) if files.len() > MOST_MEDIA => Err(Wrong::TooMany(files.len())),
        Some(Value::Array(files)) if !files.is_empty() => {
            files.iter().enumerate().map(|(index, file)| named(index, file)).collect()
        }
        _ => Err(Wrong::NoFiles),
    }
}

fn named(index: usize, file: &Value) -> Result<Named, Wrong> {
    let bare = |source| Named { source, name: None, wish: Wish::Auto, streamable: None };
    match file {
        Value::String(text) => source(index, text).map(bare),
        Value::Object(fields) => described(index, fields),
        _ => Err(Wrong::NoSource(index)),
    }
}

fn described(index: usize, file: &Map<String, Value>) -> Result<Named, Wrong> {
    let fields = Fields::of(file.clone());
    let field = ["file", "url", "path"].into_iter().find(|field| fields.has(field) && fields.is_plain(field));
    let field = field.ok_or(Wrong::NoSource(index))?;
    let found = source(index, &fields.text(field))?;
    let found = match (field, found) {
        ("path", Source::FileId(path)) => Source::Path(PathBuf::from(path)),
        (_, found) => found,
    };
    let wish = if fields.flag("force_document", false) { Wish::Document } else { Wish::Auto };
    let streamable = match fields.value("supports_streaming") {
        None | Some(Value::Null) => None,
        Some(_) => Some(fields.flag("supports_streaming", false)),
    };
    let name = Some(fields.text("filename")).filter(|name| !name.trim().is_empty());
    Ok(Named { source: found, name, wish, streamable })
}

/// An address, a link to a public post, a file id, else a path on the server.
fn source(index: usize, text: &str) -> Result<Source, Wrong> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST_SOURCE {
        return Err(Wrong::NoSource(index));
    }
    if let Some(post) = post(text) {
        let (channel, message_id) = post.map_err(|NoPost| Wrong::NoPost(index))?;
        return Ok(Source::Post { channel, message_id });
    }
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    Ok(if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        Source::Url(text.to_owned())
    } else if is_file_id(text) {
        Source::FileId(text.to_owned())
    } else {
        Source::Path(PathBuf::from(text))
    })
}

/// Whether a text looks like a file id: long, of the letters of base64, without the dot that names of files have.
fn is_file_id(text: &str) -> bool {
    text.len() >= SHORTEST_FILE_ID
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn who(json: &str) -> Result<Recipient, Wrong> {
        recipient(&Fields::read(json.as_bytes()))
    }

    #[test]
    fn the_recipient_is_read_by_number_and_by_name() {
        let chat = |chat: &str| Ok(Recipient::Chat(chat.parse().expect("a chat")));
        for (json, expected) in [
            (r#"{"user_id":123}"#, chat("123")),
            (r#"{"user_id":"123"}"#, chat("123")),
            (r#"{"user_id":-1001234567890}"#, chat("-1001234567890")),
            (r#"{"user_id":"-1001234567890","username":"demo"}"#, chat("-1001234567890")),
            (r#"{"username":"demo"}"#, chat("@demo")),
            (r#"{"username":"@demo","user_id":""}"#, chat("@demo")),
            (r#"{"user_id":99999999999999}"#, Ok(Recipient::NoSuchId)),
            (r#"{"username":"не имя"}"#, Ok(Recipient::NoSuchName)),
            (r#"{"user_id":"x"}"#, Err(Wrong::NotANumber)),
            (r#"{"user_id":1.5,"username":"demo"}"#, Err(Wrong::NotANumber)),
            (r#"{"user_id":[1]}"#, Err(Wrong::NotANumber)),
            ("{}", Err(Wrong::NoRecipient)),
            (r#"{"user_id":null,"username":""}"#, Err(Wrong::NoRecipient)),
        ] {
            assert_eq!(who(json), expected, "{json}");
        }
    }

    fn of(json: &str) -> Result<Vec<Named>, Wrong> {
        files(&Fields::read(json.as_bytes()))
    }

    #[test]
    fn files_are_a_list_with_something_in_it() {
        for (json, wrong) in [
            (r#"{"files":[]}"#, Wrong::NoFiles),
            (r#"{"files":"https://example.com/a.png"}"#, Wrong::NoFiles),
            ("{}", Wrong::NoFiles),
            (r#"{"files":["a",{"filename":"b"}]}"#, Wrong::NoSource(1)),
            (r#"{"files":[{"file":["a"]}]}"#, Wrong::NoSource(0)),
            (r#"{"files":[""]}"#, Wrong::NoSource(0)),
            (r#"{"files":[7]}"#, Wrong::NoSource(0)),
            (r#"{"files":["https://t.me/demo_channel"]}"#, Wrong::NoPost(0)),
        ] {
            assert_eq!(of(json), Err(wrong), "{json}");
        }
        let many = format!(r#"{{"files":[{}]}}"#, vec![r#""a""#; 51].join(","));
        assert_eq!(of(&many), Err(Wrong::TooMany(51)));
    }

    #[test]
    fn a_text_is_an_address_a_post_a_file_id_or_a_path() {
        let id = "AgACAgIAAxkBAAIBZ2ZvdG8tZmlsZS1pZA";
        let source =
            |text: &str| of(&serde_json::json!({"files": [text]}).to_string()).expect(text)[0].source.clone();
        let url = "HTTPS://example.com/a.png";
        assert_eq!(source(url), Source::Url(url.to_owned()));
        let channel = || "demo_channel".parse().expect("a name");
        assert_eq!(
            source("https://t.me/demo_channel/45"),
            Source::Post { channel: channel(), message_id: 45_i64.try_into().expect("an id") }
        );
        assert_eq!(source(id), Source::FileId(id.to_owned()));
        for path in ["/srv/media/a.png", "a.png", "photo", "C:\\a.png", "file:///etc/passwd"] {
            assert_eq!(source(path), Source::Path(path.into()), "{path}");
        }
        let named = of(&format!(r#"{{"files":[{{"path":"{id}"}}]}}"#)).expect("a path");
        assert_eq!(named[0].source, Source::Path(id.into()));
    }

    #[test]
    fn the_send_options_of_a_file_are_read() {
        let named = of(
            r#"{"files":[{"url":"https://example.com/a","filename":"b.mp4","force_document":1,"supports_streaming":false},
            {"file":"a","supports_streaming":null,"force_document":"false","filename":""},{"file":"","path":"b"}]}"#,
        );
        let named = named.expect("files");
        let how = |one: &Named| (one.name.clone(), one.wish, one.streamable);
        assert_eq!(how(&named[0]), (Some("b.mp4".to_owned()), Wish::Document, Some(false)));
        assert_eq!(how(&named[1]), (None, Wish::Auto, None));
        assert_eq!(named[2].source, Source::Path("b".into()));
    }

    #[test]
    fn the_caption_is_read() {
        let content = |json: &str| content(&Fields::read(json.as_bytes()));
        let plain = content("{}");
        assert!(plain.text.is_blank() && plain.preview);
        let bold = content(r#"{"caption":"<b>a</b>","disable_web_page_preview":true}"#);
        assert_eq!((bold.text.text.as_str(), bold.text.entities.len(), bold.preview), ("a", 1, false));
        assert_eq!(content(r#"{"caption":"**a**","parse_mode":"MD"}"#).text.text, "a");
    }

    #[test]
    fn the_recipient_is_reported_as_it_was_given() {
        for (json, given) in [
            (r#"{"user_id":"0123"}"#, r#""0123""#),
            (r#"{"user_id":-100500,"username":"demo"}"#, "-100500"),
            (r#"{"user_id":"","username":"@Demo"}"#, r#""@Demo""#),
        ] {
            assert_eq!(as_given(&Fields::read(json.as_bytes())).to_string(), given);
        }
    }

    proptest! {
        #[test]
        fn a_number_means_the_same_as_text(id: i64) {
            let number = who(&format!(r#"{{"user_id":{id}}}"#));
            prop_assert_eq!(&number, &who(&format!(r#"{{"user_id":"{id}"}}"#)));
            prop_assert_eq!(number.is_ok(), id != 0);
        }
    }
}
