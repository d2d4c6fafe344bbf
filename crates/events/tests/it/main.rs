//! Callbacks against a receiver of the test's own, on a store of its own, with a clock that the test moves.

#[cfg(test)]
mod invite;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod world;
