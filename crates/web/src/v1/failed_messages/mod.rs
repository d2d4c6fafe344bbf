//! `/v1/failed-messages`: how many messages failed, and trying all of them again.

pub(crate) mod act;
mod run;

pub(crate) use run::Retries;
