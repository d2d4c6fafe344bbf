//! Tests of the sandbox from outside.

// Marked as tests so that clippy takes their unwraps as such.
#[cfg(test)]
mod bot_api;
#[cfg(test)]
mod control;
#[cfg(test)]
mod mtproto;
#[cfg(test)]
mod outsiders;
#[cfg(test)]
mod telethon;
#[cfg(test)]
mod web_k;
#[cfg(test)]
mod world;
