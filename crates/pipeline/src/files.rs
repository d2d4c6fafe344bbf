//! Where the files of what clients write are fetched from: by links of ours, and pictures by a model as data.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{InboundId, InboundKind};
use store::ClientMessage;

use crate::service::Inner;

/// The most pictures of a batch that are shown to a model.
const MOST_PICTURES: usize = 5;
/// The largest of them, in bytes.
const LARGEST_PICTURE: u64 = 4 * 1024 * 1024;
/// How long a picture may take to come from its provider.
const PICTURE_WITHIN: Duration = Duration::from_secs(10);

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
        let Some(received) = &self.parts.received else { return };
        let mut shown = 0;
        for message in messages {
            let Ok(id) = message.message.parse::<InboundId>() else { continue };
            for (place, media) in (0..).zip(&mut message.media) {
                if media.kind != InboundKind::Image || shown == MOST_PICTURES {
                    continue;
                }
                let opening = async {
                    let stored = self.parts.store.channels().get(id).await.ok()??;
                    let opened = received.open(&stored, place).await.ok()??;
                    let file = tokio::fs::File::open(received.path(&opened)).await.ok()?;
                    let mut bytes = Vec::new();
                    let mut file = tokio::io::AsyncReadExt::take(file, LARGEST_PICTURE + 1);
                    tokio::io::AsyncReadExt::read_to_end(&mut file, &mut bytes).await.ok()?;
                    let mime = opened.file.mime.filter(|mime| mime.starts_with("image/"));
                    let mime = mime.unwrap_or_else(|| "image/jpeg".to_owned());
                    let is_whole = u64::try_from(bytes.len()).is_ok_and(|size| size <= LARGEST_PICTURE);
                    is_whole.then(|| format!("data:{mime};base64,{}", STANDARD.encode(bytes)))
                };
                match self.parts.clock.timeout(PICTURE_WITHIN, opening).await {
                    Ok(Some(data)) => {
                        media.url = Some(data);
                        shown += 1;
                    }
                    Ok(None) | Err(_) => {
                        tracing::info!(message = message.message, "a picture is not shown to the model");
                    }
                }
            }
        }
    }
}
