//! One call as a method sees it: the state, who asks, and when.

use std::sync::Arc;

use grammers_tl_types::enums;

use super::bots::Pause;
use super::ledger::{Effect, PressNote};
use super::message::Body;
use super::peer::Peer;
use super::render::Cast;
use super::rpc::{Result, unauthorized};
use super::sessions::SessionKey;
use super::state::{Moment, State};
use crate::call::Caller;

/// The call.
pub(crate) struct Context<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) caller: &'a Caller,
    /// Whose the key is.
    pub(crate) user: Option<i64>,
    pub(crate) at: Moment,
    /// As in TL.
    pub(crate) method: &'static str,
    /// When the answer is sent.
    pub(crate) pause: Pause,
}

impl Context<'_> {
    /// Who asks; methods for anyone never call this.
    pub(crate) fn me(&self) -> Result<i64> {
        self.user.ok_or(unauthorized("AUTH_KEY_UNREGISTERED"))
    }

    /// The session that asks: it gets the answer, and no push of what it did itself.
    pub(crate) fn here(&self) -> SessionKey {
        self.caller.into()
    }

    /// Writes an effect into the ledger.
    pub(crate) fn record(
        &mut self,
        chat: Peer,
        random_id: Option<i64>,
        text: impl Into<Arc<str>>,
        message_id: Option<i32>,
    ) {
        let (method, text) = (self.method, text.into());
        let entities = None;
        self.note(Effect { method, chat, random_id, text, entities, message_id, media: None, press: None });
    }

    /// Writes a press into the ledger.
    pub(crate) fn record_press(&mut self, chat: Peer, data: &[u8], message_id: i32, note: PressNote) {
        let (method, text) = (self.method, String::from_utf8_lossy(data).into());
        let wire = self.caller.since_keyboard;
        let wire_us = wire.map(|wire| u64::try_from(wire.as_micros()).unwrap_or(u64::MAX));
        let (message_id, press) = (Some(message_id), Some(Box::new(PressNote { wire_us, ..note })));
        let entities = None;
        self.note(Effect { method, chat, random_id: None, text, entities, message_id, media: None, press });
    }

    /// Writes a message that was sent into the ledger.
    pub(crate) fn record_sent(&mut self, chat: Peer, random_id: i64, body: &Body, message_id: i32) {
        let (method, random_id, message_id) = (self.method, Some(random_id), Some(message_id));
        let media = self.state.media_note(body).map(Box::new);
        let (text, entities) = (Arc::clone(&body.text), body.entities.clone());
        self.note(Effect { method, chat, random_id, text, entities, message_id, media, press: None });
    }

    fn note(&mut self, effect: Effect) {
        let account = self.user.and_then(|user| self.state.account_of(user));
        if let Some(name) = account.map(|account| Arc::clone(&account.name)) {
            self.state.ledger.record(self.at.0, name, effect);
        }
    }

    /// `updates` as the answer of a method.
    pub(crate) fn updates(&self, me: i64, updates: Vec<enums::Update>, cast: &Cast) -> enums::Updates {
        self.state.updates(me, updates, cast, self.at)
    }
}
