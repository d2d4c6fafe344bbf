//! Control bots in the pretend Telegram.

// Marked as tests so that clippy takes their unwraps as such.
#[cfg(test)]
mod serving;
