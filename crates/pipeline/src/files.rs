//! Where the files of what clients write are fetched from: by links of ours, and pictures by a model as data.

use std::pin::Pin;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{InboundId, InboundKind, ReceivedId};
use store::ClientMessage;
use telegram::{DownloadOf, DownloadRange};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::StreamReader;

use crate::service::Inner;

/// The most pictures of a batch that are shown to a model.
const MOST_PICTURES: usize = 5;
/// The largest of them, in bytes.
const LARGEST_PICTURE: u64 = 4 * 1024 * 1024;
/// How long a picture may take to come from its provider.
const PICTURE_WITHIN: Duration = Duration::from_secs(10);

/// A picture as it is shown to a model.
struct Picture {
    mime: String,
    bytes: Vec<u8>,
}

impl Inner {
    /// Gives files the addresses of this program, where it has one: those of providers end, and some have a token in them.
    pub(crate) fn link_files(&self, messages: &mut [ClientMessage]) {
        for message in messages {
            let Ok(id) = message.message.parse::<InboundId>() else { continue };
            for (place, media) in (0..).zip(&mut message.media) {
                media.url = self.parts.links.instead(id, place, media);
            }
        }
    }

    /// Writes pictures out as data: a model reaches no address of ours. One that is too large, or does not come, keeps its address.
    pub(crate) async fn show_pictures(&self, messages: &mut [ClientMessage]) {
        let mut shown = 0;
        for message in messages {
            for (place, media) in (0..).zip(&mut message.media) {
                if media.kind != InboundKind::Image || shown == MOST_PICTURES {
                    continue;
                }
                let picture = self.picture(&message.message, place);
                match self.parts.clock.timeout(PICTURE_WITHIN, picture).await {
                    Ok(Some(Picture { mime, bytes })) => {
                        media.url = Some(format!("data:{mime};base64,{}", STANDARD.encode(bytes)));
                        shown += 1;
                    }
                    Ok(None) | Err(_) => {
                        tracing::info!(message = message.message, "a picture is not shown to the model");
                    }
                }
            }
        }
    }

    /// A picture of a message; nothing where it is too large or cannot be had.
    async fn picture(&self, message: &str, place: u32) -> Option<Picture> {
        let (mime, mut reader): (_, Pin<Box<dyn AsyncRead + Send>>) = if let Ok(id) =
            message.parse::<ReceivedId>()
        {
            let message = self.parts.store.received().get(&id).await.ok()??.message;
            let (account, chat_id, message_id) = (message.account, message.chat_id, message.message_id);
            let of = DownloadOf::Counted { account, chat_id, message_id };
            let file = Box::pin(self.parts.pool.download(of, DownloadRange::default())).await.ok()?;
            (Some(file.mime), Box::pin(StreamReader::new(file.stream)))
        } else {
            let received = self.parts.received.as_ref()?;
            let stored = self.parts.store.channels().get(message.parse::<InboundId>().ok()?).await.ok()??;
            let opened = received.open(&stored, place).await.ok()??;
            let file = tokio::fs::File::open(received.path(&opened)).await.ok()?;
            (opened.file.mime, Box::pin(file))
        };
        let mut bytes = Vec::new();
        (&mut reader).take(LARGEST_PICTURE + 1).read_to_end(&mut bytes).await.ok()?;
        let mime = mime.filter(|mime| mime.starts_with("image/")).unwrap_or_else(|| "image/jpeg".to_owned());
        let is_whole = u64::try_from(bytes.len()).is_ok_and(|size| size <= LARGEST_PICTURE);
        is_whole.then_some(Picture { mime, bytes })
    }
}
