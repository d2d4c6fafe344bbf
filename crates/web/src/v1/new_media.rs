//! The files of a new message as callers of `/v1` write them, and what is wrong with them. Pure.

use std::path::PathBuf;

use api::schemas;
use delivery::MOST_MEDIA;
use domain::UploadId;
use media::{FileName, Wish};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::extract::Object;
use crate::files::{Named, Source, post};
use crate::problem::FieldError;

/// The longest address, path or link that is read, in bytes.
const LONGEST_SOURCE: usize = 4096;

/// A file that a message carries: exactly one of `url`, `upload`, `path` and `post` says where it comes from.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewMedia, example = json!({"url": "https://example.com/photo.jpg"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct MediaBody {
    /// An `http` or `https` address that the file is fetched from.
    #[schema(example = "https://example.com/photo.jpg")]
    url: Option<String>,
    /// The id of an upload.
    #[schema(example = "upl_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    upload: Option<String>,
    /// A path inside the server's media folder.
    #[schema(example = "price-list.pdf")]
    path: Option<String>,
    /// A link to a public post, whose media are sent again.
    #[schema(example = "https://t.me/demo_channel/45")]
    post: Option<String>,
    /// What it is to be called.
    #[schema(example = "photo.jpg")]
    filename: Option<String>,
    /// As what it is sent; `auto` is by its content.
    #[serde(rename = "as")]
    #[schema(schema_with = schemas::media_wish, required = false)]
    wish: Option<WishWord>,
}

/// As what a file is sent.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WishWord {
    Auto,
    Document,
    Voice,
    /// As a moving picture without sound.
    Animation,
}

impl From<WishWord> for Wish {
    fn from(word: WishWord) -> Self {
        match word {
            WishWord::Auto => Self::Auto,
            WishWord::Document => Self::Document,
            WishWord::Voice => Self::Voice,
            WishWord::Animation => Self::Animation,
        }
    }
}

/// Reads all of them; all errors are reported at once.
pub(super) fn read(bodies: Vec<Object<MediaBody>>) -> Result<Vec<Named>, Vec<FieldError>> {
    if bodies.len() > MOST_MEDIA {
        let message =
            format!("has {} files; a message takes {MOST_MEDIA} at most, send several", bodies.len());
        return Err(vec![FieldError::new("media", message)]);
    }
    let mut errors = Vec::new();
    let mut named = Vec::new();
    for (index, Object(body)) in bodies.into_iter().enumerate() {
        match body.read() {
            Ok(one) => named.push(one),
            Err((field, message)) => {
                let stop = if field.is_empty() { "" } else { "." };
                errors.push(FieldError::new(format!("media[{index}]{stop}{field}"), message));
            }
        }
    }
    if errors.is_empty() { Ok(named) } else { Err(errors) }
}

/// Reads media as lists of messages name them: as an object, or as text that is an upload, an address, a link to a post or a path.
pub(super) fn named(values: Vec<Value>) -> Result<Vec<Named>, Vec<FieldError>> {
    let wrong = |error: serde_json::Error| vec![FieldError::new("media", format!("is wrong: {error}"))];
    let bodies = values.into_iter().map(|value| {
        let Value::String(text) = value else { return serde_json::from_value(value) };
        let is_address = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
        let field = match () {
            () if text.starts_with("upl_") => "upload",
            () if post(&text).is_some_and(|post| is_address || post.is_ok()) => "post",
            () if is_address => "url",
            () => "path",
        };
        serde_json::from_value(json!({ field: text }))
    });
    read(bodies.collect::<Result<_, _>>().map_err(wrong)?)
}

impl MediaBody {
    fn read(self) -> Result<Named, (&'static str, String)> {
        let Self { url, upload, path, post: link, filename, wish } = self;
        let given = [("url", url), ("upload", upload), ("path", path), ("post", link)];
        let mut given = given.into_iter().filter_map(|(field, text)| Some((field, text?)));
        let (Some((field, text)), None) = (given.next(), given.next()) else {
            return Err(("", "needs exactly one of url, upload, path and post".to_owned()));
        };
        let wish = wish.map_or(Wish::Auto, Into::into);
        let source = source(field, text, wish).map_err(|message| (field, message))?;
        if filename.as_deref().is_some_and(|name| FileName::new(name).is_none()) {
            return Err(("filename", "is wrong: nothing of it can be a file name".to_owned()));
        }
        Ok(Named { source, name: filename, wish, streamable: None })
    }
}

fn source(field: &str, text: String, wish: Wish) -> Result<Source, String> {
    if text.trim().is_empty() {
        return Err("is empty".to_owned());
    }
    if text.len() > LONGEST_SOURCE {
        return Err(format!("is longer than {LONGEST_SOURCE} bytes"));
    }
    match field {
        "upload" => match text.parse::<UploadId>() {
            Ok(id) => Ok(Source::Upload(id)),
            Err(error) => Err(format!("is wrong: {error}")),
        },
        "path" => Ok(Source::Path(PathBuf::from(text))),
        "post" if wish != Wish::Auto => Err("is sent as what it is; leave as out".to_owned()),
        "post" => match post(&text) {
            Some(Ok((channel, message_id))) => Ok(Source::Post { channel, message_id }),
            Some(Err(error)) => Err(error.to_string()),
            None => Err(crate::files::NoPost.to_string()),
        },
        _ if post(&text).is_some() => {
            Err("leads to Telegram; write a link to a public post as post instead of url".to_owned())
        }
        _ => Ok(Source::Url(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Result<Vec<Named>, Vec<FieldError>> {
        read(serde_json::from_str(json).expect("bodies"))
    }

    #[test]
    fn all_four_file_sources_are_read() {
        let id = "upl_01k2v7m3w0e9tq4b8s6n5x1zyr";
        let named = of(&format!(
            r#"[{{"url":"https://example.com/a.jpg","filename":"b.jpg","as":"document"}},{{"upload":"{id}"}},
                {{"path":"a/b.pdf","as":"auto"}},{{"post":"https://t.me/demo_channel/45"}}]"#
        ));
        let named = named.expect("all are right");
        assert_eq!(named[0].source, Source::Url("https://example.com/a.jpg".to_owned()));
        assert_eq!((named[0].name.as_deref(), named[0].wish), (Some("b.jpg"), Wish::Document));
        assert_eq!(named[1].source, Source::Upload(id.parse().expect("an id")));
        assert_eq!(named[2].source, Source::Path("a/b.pdf".into()));
        let channel = "demo_channel".parse().expect("a name");
        assert_eq!(named[3].source, Source::Post { channel, message_id: 45_i64.try_into().expect("an id") });
    }

    #[test]
    fn a_text_names_a_file_by_what_it_looks_like() {
        let upload = "upl_01k2v7m3w0e9tq4b8s6n5x1zyr";
        let texts = ["https://example.com/a.jpg", upload, "a/b.pdf", "https://t.me/demo_channel/45"];
        let fields: Vec<_> = named(texts.map(Value::from).to_vec())
            .expect("all are right")
            .iter()
            .map(|one| one.source.field())
            .collect();
        assert_eq!(fields, ["url", "upload", "path", "post"]);
        let one = named(vec![json!({"path": "a.pdf", "as": "document"})]).expect("an object");
        assert_eq!(one[0].wish, Wish::Document);
        for wrong in [json!(5), json!({"file": "a"}), json!("https://t.me/c/1/45"), json!("")] {
            assert!(named(vec![wrong.clone()]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_wrong_file_is_named() {
        for (json, field) in [
            ("[{}]", "media[0]"),
            (r#"[{"filename":"a"}]"#, "media[0]"),
            (r#"[{"path":"a"},{"url":"https://example.com","path":"a"}]"#, "media[1]"),
            (r#"[{"url":" "}]"#, "media[0].url"),
            (r#"[{"url":"https://t.me/demo_channel/45"}]"#, "media[0].url"),
            (r#"[{"upload":"upl_1"}]"#, "media[0].upload"),
            (r#"[{"post":"https://example.com/a/45"}]"#, "media[0].post"),
            (r#"[{"post":"https://t.me/c/1/45"}]"#, "media[0].post"),
            (r#"[{"post":"https://t.me/demo_channel/45","as":"voice"}]"#, "media[0].post"),
            (r#"[{"path":"a","filename":"\u0001/"}]"#, "media[0].filename"),
        ] {
            let errors = of(json).expect_err(json);
            assert_eq!(errors[0].field, field, "{json}");
        }
        let both = of(r#"[{"url":""},{"path":"a"},{"post":"x"}]"#).expect_err("two are wrong");
        assert_eq!(both.len(), 2);
        let many = format!("[{}]", vec![r#"{"path":"a"}"#; 51].join(","));
        let errors = of(&many).expect_err("too many");
        assert!(errors[0].field == "media" && errors[0].message.contains("51"), "{errors:?}");
    }
}
