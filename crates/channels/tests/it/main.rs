//! The client of the Bot API against the pretend Telegram.

// Marked as tests so that clippy takes their unwraps as such.
#[cfg(test)]
mod telegram_bot;
