//! Browser profiles as senders: where their browsers are, their proxies, and what follows from what the page did.

mod judge;
mod peer;
mod profile_location;
mod proxies;
mod sickness;

pub(crate) use judge::{PROXY_SICK, Trouble, is_of_the_person, judge, trouble};
pub(crate) use peer::{chat_of, peer_of, target_of};
pub use profile_location::{InvalidProfileLocation, ProfileKind, ProfileLocation};
pub(crate) use proxies::as_browsers_take_it;
pub use proxies::read_proxies;
pub(crate) use sickness::Sickness;
