//! A connection against a data centre made by hand.

mod centre;
mod connection;
mod memory;
mod routes;
