//! Callbacks and webhooks against receivers of the tests' own, on a store of its own, with a clock that the test moves.

#[cfg(test)]
mod invite;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod world;
