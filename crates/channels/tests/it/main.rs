//! Channels against their pretend providers.

// Marked as tests so that clippy takes their unwraps as such.
#[cfg(test)]
mod avito;
#[cfg(test)]
mod email;
#[cfg(test)]
mod form;
#[cfg(test)]
mod instagram;
#[cfg(test)]
mod max;
#[cfg(test)]
mod sms;
#[cfg(test)]
mod support;
#[cfg(test)]
mod telegram;
#[cfg(test)]
mod telegram_bot;
#[cfg(test)]
mod vk;
#[cfg(test)]
mod whatsapp;
