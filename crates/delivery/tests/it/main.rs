//! The delivery against a real store and a scripted way out.

mod chaos;
mod once;
mod script;
mod waiting;
