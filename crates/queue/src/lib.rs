//! Lists in Redis that other programs share with this one, under the names that they know.
//!
//! What is in a list is another program's until [`Redis::take`] has moved it to a list of its own, under an id; it leaves that one with
//! [`Redis::acknowledge`], after the store has what the id stands for. What an outside program does is offered with
//! [`Redis::offer`], and offered again until its result has come. Every step may be done twice.

pub mod keys;
mod redis;
mod watch;

pub use redis::{Done, QueueError, Redis, Taken};
pub use watch::{Popper, Watch};

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as queue;
#[cfg(test)]
mod it;
