//! Channels against their pretend providers.

// Marked as tests so that clippy takes their unwraps as such.
#[cfg(test)]
mod arrival;
#[cfg(test)]
mod avito;
#[cfg(test)]
mod bound_values;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod email;
#[cfg(test)]
mod email_outsiders;
#[cfg(test)]
mod foreign_posts;
#[cfg(test)]
mod form;
#[cfg(test)]
mod inside_addresses;
#[cfg(test)]
mod instagram;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod max;
#[cfg(test)]
mod program;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod received_files;
#[cfg(test)]
mod smpp;
#[cfg(test)]
mod smpp_outsider;
#[cfg(test)]
mod sms;
#[cfg(test)]
mod support;
#[cfg(test)]
mod table;
#[cfg(test)]
mod telegram;
#[cfg(test)]
mod telegram_bot;
#[cfg(test)]
mod unclear_sends;
#[cfg(test)]
mod vk;
#[cfg(test)]
mod whatsapp;
