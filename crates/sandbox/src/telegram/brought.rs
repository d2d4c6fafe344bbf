//! Files that someone outside brings, and a look at those that are there.

use std::sync::Arc;

use base64::Engine;
use grammers_tl_types::{enums, types};

use super::files::{FileKind, HEAD, Media, StoredFile, extent, form, make_an_album};
use super::message::Body;
use super::orders::{Expired, FileView, MessageView, NewFile, OutsideError};
use super::state::State;
use super::world::{Telegram, now};

/// The most files of one message.
const MOST_FILES: usize = 10;
/// The largest file, as at Telegram.
const LARGEST: u64 = 4_000 * 512 * 1024;

impl Telegram {
    /// Writes the files of an order to disk.
    pub(crate) fn brought(&self, orders: &[NewFile]) -> Result<Vec<StoredFile>, OutsideError> {
        let invalid = |text: &str| Err(OutsideError::Invalid(text.to_owned()));
        if orders.len() > MOST_FILES {
            return invalid("a message has at most 10 files");
        }
        let kinds: Vec<FileKind> = orders.iter().map(|order| order.kind).collect();
        if orders.len() > 1 && !make_an_album(&kinds) {
            return invalid("these kinds do not stand together in an album");
        }
        let (depot, known) = {
            let state = self.lock();
            (state.files.depot.clone(), state.centres.clone())
        };
        let mut files = Vec::with_capacity(orders.len());
        for order in orders {
            let bytes = base64::engine::general_purpose::STANDARD.decode(&order.content);
            let bytes = bytes.map_err(|_| OutsideError::Invalid("content is no base64".to_owned()))?;
            let size = order.size.unwrap_or(bytes.len() as u64);
            if bytes.is_empty() || !(1..=LARGEST).contains(&size) {
                return invalid("a file needs content, and a size from 1 to 2097152000");
            }
            let is_known = |dc_id| known.iter().any(|centre| centre.dc_id == dc_id);
            if !is_known(order.dc_id) || order.said_dc_id.is_some_and(|id| !is_known(id)) {
                return invalid("dc_id must be 2 or 4");
            }
            let head = &bytes[..bytes.len().min(HEAD)];
            let photo = order.kind == FileKind::Photo;
            let extent = extent(head).filter(|_| photo);
            if photo && extent.is_none() {
                return invalid("a photo needs content that is a picture");
            }
            let content =
                depot.keep(&bytes, size).map_err(|error| OutsideError::Invalid(error.to_string()))?;
            files.push(StoredFile {
                kind: order.kind,
                content: Arc::new(content),
                name: order.file_name.clone(),
                mime_type: order.mime_type.clone().unwrap_or_else(|| usual_type(order.kind).to_owned()),
                attributes: attributes(order),
                extent,
                form: form(head),
                dc_id: order.dc_id,
                named_dc_id: order.said_dc_id.unwrap_or(order.dc_id),
                date: now().date(),
                era: 0,
            });
        }
        Ok(files)
    }

    /// All files, in the order they were made.
    pub fn files(&self) -> Vec<FileView> {
        let state = self.lock();
        let view = |(id, kept): (i64, &StoredFile)| FileView { file: kept.note(id, None), dc_id: kept.dc_id };
        state.files.all().map(view).collect()
    }

    /// Lets the references to one file expire, or to all.
    pub fn expire_files(&self, id: Option<i64>) -> Expired {
        Expired { files: self.lock().files.expire(id) }
    }

    /// Shows a message. Outside supergroups and channels its id is in the account's numbering; without an account the
    /// newest message with this id is meant.
    pub fn message(
        &self,
        chat_id: &str,
        message_id: i32,
        account: Option<&str>,
    ) -> Result<MessageView, OutsideError> {
        let state = self.lock();
        let (owner, peer) = state.location_of(chat_id, message_id, account)?;
        let unknown = || OutsideError::NotFound(format!("message {message_id} in chat {chat_id}"));
        let stored = state.stored(owner, peer, message_id).ok_or_else(unknown)?;
        Ok(MessageView {
            chat_id: peer.to_string(),
            message_id,
            from: stored.from,
            text: stored.body.text.to_string(),
            media: state.media_note(&stored.body),
        })
    }
}

impl State {
    /// One body for each file, or the one there is; the caption is under the first.
    pub(crate) fn with_files(&mut self, body: Body, files: Vec<StoredFile>) -> Vec<Body> {
        if files.is_empty() {
            return vec![body];
        }
        let group = (files.len() > 1).then(|| self.next_album());
        let mut first = Some(body);
        let mut bodies = Vec::with_capacity(files.len());
        for kept in files {
            let media = Some(Media { file: self.files.keep(kept), spoiler: false });
            bodies.push(Body { media, group, ..first.take().unwrap_or_default() });
        }
        bodies
    }
}

fn usual_type(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Photo => "image/jpeg",
        FileKind::Video | FileKind::VideoNote | FileKind::Animation => "video/mp4",
        FileKind::Voice => "audio/ogg",
        FileKind::Audio => "audio/mpeg",
        FileKind::Document => "application/octet-stream",
    }
}

fn attributes(order: &NewFile) -> Vec<enums::DocumentAttribute> {
    let film = |round_message| -> enums::DocumentAttribute {
        types::DocumentAttributeVideo {
            round_message,
            supports_streaming: !round_message,
            nosound: false,
            duration: 1.0,
            w: 320,
            h: 240,
            preload_prefix_size: None,
            video_start_ts: None,
            video_codec: None,
        }
        .into()
    };
    let sound = |voice| -> enums::DocumentAttribute {
        types::DocumentAttributeAudio { voice, duration: 1, title: None, performer: None, waveform: None }
            .into()
    };
    let mut attributes = match order.kind {
        FileKind::Photo => return Vec::new(),
        FileKind::Video => vec![film(false)],
        FileKind::VideoNote => vec![film(true)],
        FileKind::Animation => vec![film(false), enums::DocumentAttribute::Animated],
        FileKind::Voice => vec![sound(true)],
        FileKind::Audio => vec![sound(false)],
        FileKind::Document => Vec::new(),
    };
    let name = order.file_name.clone();
    attributes.extend(name.map(|file_name| types::DocumentAttributeFilename { file_name }.into()));
    attributes
}
