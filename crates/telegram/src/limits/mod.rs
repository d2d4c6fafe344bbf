//! What keeps an account from sending that Telegram asked it to wait for. What its owner allows is the delivery's [`delivery::pace`].

pub(crate) mod flood_waits;
