//! What every store must do, whatever database it is on, and what this one does about its disk.
//!
//! The functions of the conformance suite take a [`support::World`]; `conformance!` runs them on SQLite and on PostgreSQL.

#[cfg(test)]
mod support;

#[cfg(test)]
mod access;
#[cfg(test)]
mod accounts;
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod beats;
#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod campaigns;
#[cfg(test)]
mod channel_messages;
#[cfg(test)]
mod channels;
#[cfg(test)]
mod chats;
#[cfg(test)]
mod client_imports;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod copying;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod do_not_contact;
#[cfg(test)]
mod events;
#[cfg(test)]
mod failed_requests;
#[cfg(test)]
mod failovers;
#[cfg(test)]
mod fences;
#[cfg(test)]
mod first_contacts;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod inspect;
#[cfg(test)]
mod key_rotation;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod media;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod pipeline;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod received;
#[cfg(test)]
mod restored;
#[cfg(test)]
mod restored_properties;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod room;
#[cfg(test)]
mod saga_properties;
#[cfg(test)]
mod sagas;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod sent_counts;
#[cfg(test)]
mod services;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod stats;
#[cfg(test)]
mod unresolved;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod work;
