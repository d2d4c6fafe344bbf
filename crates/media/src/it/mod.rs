//! Fetching from servers that lie, taking files in, keeping uploads: against loopback, with a clock that is moved.

#[cfg(test)]
mod fetch;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod outgoing;
#[cfg(test)]
mod server;
#[cfg(test)]
mod shelf;
#[cfg(test)]
mod world;
