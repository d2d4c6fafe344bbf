//! The delivery against a real store and a scripted sender.

mod albums;
mod approval;
mod capabilities;
mod chaos;
mod conformance;
mod dedup;
mod do_not_contact;
mod failovers;
mod fairness;
mod folder;
mod late;
mod lease;
mod limits;
mod once;
mod points;
mod power_cut;
mod provider;
mod races;
mod restored;
mod saga_faults;
mod sagas;
mod script;
mod senders;
mod unclear;
mod unreadable;
mod waiting;
