//! The delivery against a real store and a scripted way out.

mod chaos;
mod once;
mod races;
mod script;
mod waiting;
