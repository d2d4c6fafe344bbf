//! A file of a message: what it is and where to read it, never where a caller had it from.

use domain::media::MediaSource;
use domain::message::OutboundMessage;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schemas;

/// A file of a message.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Media {
    /// As what it is sent; `document` for what only Telegram knows.
    #[schema(schema_with = schemas::media_kind)]
    pub kind: String,
    /// What it is called; left out where only Telegram knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "photo.jpg")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub name: Option<String>,
    /// The type of its content; left out where only Telegram knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "image/jpeg")]
    pub mime: Option<String>,
    /// Its size in bytes; left out where only Telegram knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 48213)]
    pub size: Option<u64>,
    /// Where it is from: `file`, `post` or `file_id`.
    #[schema(example = "file")]
    pub from: String,
    /// The post that it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://t.me/demo_channel/45")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub post: Option<String>,
    /// Telegram's id of the message that it became.
    pub message_id: Option<i64>,
    /// Where to read it.
    #[schema(example = "/v1/messages/msg_01k2v7m3w0e9tq4b8s6n5x1zyr/media/0")]
    pub url: String,
    /// Whether it is stored here; otherwise it is read from Telegram once it was sent. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored: Option<bool>,
    /// How many of its bytes Telegram has; null where that is not known, and in lists.
    #[schema(example = 48213)]
    pub uploaded: Option<u64>,
}

/// What is known of the files of a message beside the message itself, each in their order.
#[derive(Debug, Clone, Default)]
pub struct Whereabouts {
    pub stored: Vec<bool>,
    /// How many of its bytes Telegram has.
    pub uploaded: Vec<Option<u64>>,
}

impl Media {
    /// All files of a message, and where they are if that was looked for.
    pub fn all(message: &OutboundMessage, whereabouts: Option<&Whereabouts>) -> Vec<Self> {
        let one = |(place, media)| {
            let stored = whereabouts.map(|known| known.stored.get(place).copied().unwrap_or(false));
            let uploaded = whereabouts.and_then(|known| known.uploaded.get(place).copied().flatten());
            Self::new(message, place, media, stored, uploaded)
        };
        message.content.media.iter().enumerate().map(one).collect()
    }

    fn new(
        message: &OutboundMessage,
        place: usize,
        media: &domain::media::Media,
        stored: Option<bool>,
        uploaded: Option<u64>,
    ) -> Self {
        let (from, size, post) = match &media.source {
            MediaSource::File { size, .. } => ("file", Some(*size), None),
            MediaSource::Post { channel, message_id } => {
                ("post", None, Some(format!("https://t.me/{}/{message_id}", channel.as_str())))
            }
            MediaSource::FileId { .. } => ("file_id", None, None),
        };
        Self {
            kind: media.form.as_str().to_owned(),
            name: Some(media.name.as_str().to_owned()).filter(|name| !name.is_empty()),
            mime: Some(media.mime.as_str().to_owned()).filter(|mime| !mime.is_empty()),
            size,
            from: from.to_owned(),
            post,
            message_id: message_id(message, place),
            url: format!("/v1/messages/{}/media/{place}", message.id),
            stored,
            uploaded,
        }
    }
}

pub fn message_id(message: &OutboundMessage, place: usize) -> Option<i64> {
    let items = message.parts.iter().flat_map(|part| &part.items);
    items
        .filter(|item| item.media.map(usize::from) == Some(place))
        .find_map(|item| item.message_id.as_ref()?.number())
}
