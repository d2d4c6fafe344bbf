//! Accounts: how they are, how they come and go, and signing in, over the API and from the command line.

mod command;
mod floods;
mod limits;
mod qr_codes;
mod roster;
mod signing_in;
pub(crate) mod stage;
mod states;
