//! For end-to-end tests: the real binary as a process, the pretend world as another, and the questions tests ask.
//!
//! A dev-dependency only. It panics where a test should fail.

#![expect(clippy::missing_panics_doc, reason = "everything here is an assertion of a test")]

pub mod authenticator;
pub mod conformance;
mod customer;
mod disk;
mod file_id;
pub mod films;
mod here;
mod hoster;
mod link;
mod migrated;
mod not_tried;
pub mod postgres;
mod postgres_server;
mod process;
mod program;
mod pty;
mod receiver;
mod redis;
mod replicated;
mod shared;
mod supervisor;
mod world;

pub use customer::customer_message;
pub use disk::Disk;
pub use file_id::FileId;
pub use here::{Up, killed_at, run};
pub use hoster::{Hoster, PDF, PNG};
pub use link::Link;
pub use not_tried::not_tried;
pub use postgres_server::PostgresServer;
pub use process::free_port;
pub use program::{Program, Standby, Start};
pub use pty::Pty;
pub use receiver::{Posted, Receiver};
pub use redis::RedisServer;
pub use replicated::Replicated;
pub use shared::shared;
pub use world::{ACCOUNTS, World, without_account};

/// The API key tests use.
pub const KEY: &str = "swb_test_key_that_is_long_enough";
