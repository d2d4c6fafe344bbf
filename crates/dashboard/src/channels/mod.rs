//! Channels: their accounts, how each is, what customers wrote last, a message to one of them; which are in the settings.

pub(crate) mod act;
pub(crate) mod add;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod one;
pub(crate) mod remove;
pub(crate) mod setup;

use api::Channel;

use crate::page::segment;
use crate::view::Linked;

const HERE: &str = "/channels";
const API: &str = "/v1/channels";

impl Linked for Channel {
    fn path(&self) -> String {
        format!("{HERE}/{}", segment(self.name.as_str()))
    }
}
