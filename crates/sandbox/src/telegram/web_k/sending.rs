//! A text or a file that the page sends: the same method, the same dial and the same ledger as on the wire.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use grammers_tl_types::{Serializable, enums, functions, types};
use serde::{Deserialize, Serialize};

use super::view::mid;
use crate::call::{Caller, ConnectionId};
use crate::keys::AuthKeyId;
use crate::telegram::bots::Pause;
use crate::telegram::context::Context;
use crate::telegram::faults::{FaultName, Loss, Refusal};
use crate::telegram::methods;
use crate::telegram::peer::Peer;
use crate::telegram::rpc::RpcError;
use crate::telegram::state::State;
use crate::telegram::world::{Telegram, now};

/// After how long a client connects again and repeats what was not answered.
const AGAIN: f64 = 0.2;

/// Bytes of a part of a file.
const PART: usize = 512 * 1024;

/// A text for a chat, or a file with a caption.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct WebText {
    pub(crate) peer_id: i64,
    pub(crate) text: String,
    /// Chosen once for each message, and the same when it is repeated.
    pub(crate) random_id: i64,
    #[serde(default)]
    pub(crate) file: Option<WebFile>,
}

impl WebText {
    /// The method as TL has it.
    const fn method(&self) -> &'static str {
        if self.file.is_some() { "messages.sendMedia" } else { "messages.sendMessage" }
    }
}

/// A file that the page has.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct WebFile {
    kind: WebKind,
    name: String,
    mime: String,
    /// In Base64.
    content: String,
}

/// As what a file is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WebKind {
    Photo,
    Document,
}

/// What the page is answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WebOutcome {
    /// It is there.
    Sent { mid: i64, at: i32 },
    /// It was refused; the page does not say why.
    Error,
    /// To be asked again after so many seconds, and meanwhile nothing is said.
    Wait(f64),
    /// No answer comes.
    Silence,
    /// The session is no longer good.
    LoggedOut,
}

impl From<RpcError> for WebOutcome {
    fn from(error: RpcError) -> Self {
        let seconds = error.message.strip_prefix("FLOOD_WAIT_").and_then(|seconds| seconds.parse().ok());
        match (seconds, error.code) {
            (Some(seconds), _) => Self::Wait(seconds),
            (None, 401 | 406) => Self::LoggedOut,
            (None, _) => Self::Error,
        }
    }
}

impl State {
    fn web_send(&mut self, me: i64, peer: Peer, text: &WebText) -> WebOutcome {
        let request = match &text.file {
            None => self.web_text(me, peer, text),
            Some(file) => match self.web_file(me, peer, text, file) {
                Ok(request) => request,
                Err(refused) => return refused,
            },
        };
        if let Err(refused) = self.web_call(me, text.method(), &request) {
            return refused;
        }
        let dialog = self.mailboxes.get(&me).and_then(|mailbox| mailbox.dialog(peer));
        let sent = dialog.and_then(|dialog| dialog.sent.get(&text.random_id));
        sent.map_or(WebOutcome::Error, |sent| WebOutcome::Sent { mid: mid(peer, sent.id), at: sent.date })
    }

    /// The account sees what is in a chat: that is read then.
    pub(crate) fn web_read(&mut self, me: i64, peer: Peer) {
        // Channels have a call of their own, and no one there minds.
        let request = functions::messages::ReadHistory { peer: self.web_input(me, peer), max_id: 0 };
        let _ = self.web_call(me, "messages.readHistory", &request.to_bytes());
    }

    fn web_call(&mut self, me: i64, method: &'static str, request: &[u8]) -> Result<(), WebOutcome> {
        let caller = Caller {
            key: AuthKeyId(0),
            session: 0,
            connection: ConnectionId(0),
            dc_id: 2,
            layer: 0,
            since_keyboard: None,
        };
        let (id, body) = request.split_first_chunk::<4>().ok_or(WebOutcome::Error)?;
        let (user, at) = (Some(me), now());
        let mut context = Context { state: self, caller: &caller, user, at, method, pause: Pause::default() };
        match methods::run(&mut context, u32::from_le_bytes(*id), body) {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(error.into()),
            None => Err(WebOutcome::Error),
        }
    }

    /// Takes a file in, and makes the request that sends it.
    fn web_file(
        &mut self,
        me: i64,
        peer: Peer,
        text: &WebText,
        file: &WebFile,
    ) -> Result<Vec<u8>, WebOutcome> {
        let content = STANDARD.decode(&file.content).map_err(|_| WebOutcome::Error)?;
        let file_id = text.random_id;
        let mut parts = 0;
        for bytes in content.chunks(PART) {
            let part = functions::upload::SaveFilePart { file_id, file_part: parts, bytes: bytes.to_vec() };
            self.web_call(me, "upload.saveFilePart", &part.to_bytes())?;
            parts += 1;
        }
        let name = file.name.clone();
        let input = types::InputFile { id: file_id, parts, name: name.clone(), md5_checksum: String::new() };
        let is_picture = file.kind == WebKind::Photo && file.mime.starts_with("image/");
        let media: enums::InputMedia = if is_picture {
            types::InputMediaUploadedPhoto {
                spoiler: false,
                live_photo: false,
                file: input.into(),
                stickers: None,
                ttl_seconds: None,
                video: None,
            }
            .into()
        } else {
            types::InputMediaUploadedDocument {
                nosound_video: false,
                force_file: file.kind == WebKind::Document,
                spoiler: false,
                file: input.into(),
                thumb: None,
                mime_type: file.mime.clone(),
                attributes: vec![types::DocumentAttributeFilename { file_name: name }.into()],
                stickers: None,
                video_cover: None,
                video_timestamp: None,
                ttl_seconds: None,
            }
            .into()
        };
        let request = functions::messages::SendMedia {
            silent: false,
            background: false,
            clear_draft: true,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: self.web_input(me, peer),
            reply_to: None,
            media,
            message: text.text.clone(),
            random_id: text.random_id,
            reply_markup: None,
            entities: None,
            schedule_date: None,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
        };
        Ok(request.to_bytes())
    }

    fn web_text(&self, me: i64, peer: Peer, text: &WebText) -> Vec<u8> {
        let request = functions::messages::SendMessage {
            no_webpage: false,
            silent: false,
            background: false,
            clear_draft: true,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: self.web_input(me, peer),
            reply_to: None,
            message: text.text.clone(),
            random_id: text.random_id,
            reply_markup: None,
            entities: None,
            schedule_date: None,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
            rich_message: None,
        };
        request.to_bytes()
    }

    fn web_input(&self, me: i64, peer: Peer) -> enums::InputPeer {
        let access_hash = self.seed.access_hash(me, peer);
        match peer {
            Peer::User(user_id) if user_id == me => enums::InputPeer::PeerSelf,
            Peer::User(user_id) => types::InputPeerUser { user_id, access_hash }.into(),
            Peer::Group(chat_id) => types::InputPeerChat { chat_id }.into(),
            Peer::Channel(channel_id) => types::InputPeerChannel { channel_id, access_hash }.into(),
        }
    }
}

/// What the dial leaves of an outcome.
fn after(loss: Option<Loss>, outcome: WebOutcome) -> WebOutcome {
    match loss {
        None => outcome,
        Some(Loss::Silence | Loss::Unreadable) => WebOutcome::Silence,
        Some(Loss::Cut) => WebOutcome::Wait(AGAIN),
    }
}

impl Telegram {
    /// Sends a text or a file for the page.
    pub(crate) async fn send_from_web_k(&self, me: i64, text: &WebText) -> WebOutcome {
        let (verdict, mut cleared) = {
            // Before the delay is decided on, so that nothing falls between the two.
            let cleared = self.cleared.subscribe();
            let mut state = self.lock();
            let name = state.account_of(me).map(|account| account.name.clone());
            state.calls.count(name.clone(), text.method());
            if state.web_fault(Some(me), &[FaultName::Error]).is_some() {
                return WebOutcome::Error;
            }
            if let Some(order) = state.web_fault(Some(me), &[FaultName::SilentWait]) {
                return order.seconds.map_or(WebOutcome::Silence, WebOutcome::Wait);
            }
            (state.faults.decide(name.as_deref(), text.method()), cleared)
        };
        match verdict.refusal {
            Some(Refusal::Error(error)) => return error.into(),
            Some(Refusal::Cut) => return WebOutcome::Wait(AGAIN),
            Some(Refusal::Silence | Refusal::Unreadable) => return WebOutcome::Silence,
            None => {}
        }
        let wait = verdict.delay.unwrap_or(Duration::ZERO);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = cleared.changed() => {}
        }
        let mut state = self.lock();
        let sent = state.web_peer(text.peer_id).map(|peer| state.web_send(me, peer, text));
        after(verdict.loss, sent.unwrap_or(WebOutcome::Error))
    }
}
