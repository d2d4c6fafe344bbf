//! Whether a message may be written now, and where.

use super::facts::{Chat, Facts};
use super::opening::{Opening, is_open};
use super::restriction::restriction;
use super::sending::Held;
use super::state::{Page, page};
use crate::web_k::Failure;

/// Whether the page is still that of an account that is logged in.
pub(crate) fn still_in(facts: &Facts) -> Result<(), Failure> {
    match page(facts) {
        Page::LoggedIn => Ok(()),
        Page::LoggedOut(card) => Err(Failure::LoggedOut(card)),
        Page::Locked => Err(Failure::Locked),
        Page::Deactivated => Err(Failure::Deactivated),
        Page::Blank => Err(Failure::White),
    }
}

/// The chat of this peer, if it is the open one, nothing covers it and the account may write there.
pub(crate) fn ready(facts: Facts, peer: i64) -> Result<Chat, Failure> {
    still_in(&facts)?;
    if let Some(popup) = &facts.popup {
        return Err(Failure::Held(Held::Popup(popup.kind)));
    }
    let open = is_open(Opening::Peer(peer), &facts).and(facts.chat);
    let chat = open.ok_or(Failure::NotOpened)?;
    match restriction(&chat) {
        Some(restriction) => Err(Failure::Restricted(restriction)),
        None => Ok(chat),
    }
}
