//! What keeps an account from sending: what Telegram asked it to wait for, and the quota that its owner set.

pub(crate) mod flood_waits;
pub(crate) mod quota;
