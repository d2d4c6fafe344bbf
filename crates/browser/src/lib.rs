//! Telegram Web K in a real browser, driven over W3C WebDriver: one page as an object, profiles it runs in, pictures of what
//! went wrong.
//!
//! * [`WebK`] opens a chat, writes one text and says what became of it.
//! * `page` holds the decisions, pure, on [`Facts`] that one script gathers.
//! * `selectors` is the one table of where things are in the page.
//! * [`Local`], [`Donut`] and [`Endpoint`] are the kinds of profile; a [`Lease`] is one in use.

mod order;
mod page;
mod pictures;
mod profile;
mod selectors;
mod web_k;
mod webdriver;

pub use order::{Attachment, Incoming, Order, Outcome, Prepared, Target};
pub use page::{
    Card, Chat, Facts, Held, Message, Mid, Page, Popup, PopupKind, Preview, Restriction, Row, TextFault,
    Unread,
};
pub use pictures::{Pictures, Retention};
pub use profile::{Donut, DonutError, Endpoint, Engine, Lease, Local, ProfileError, Proxy};
pub use selectors::VERSION as SELECTORS;
pub use web_k::{Consequence, Failure, Limits, WebK};
pub use webdriver::{DriverError, Session};

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as browser;
#[cfg(test)]
mod it;
