//! The log store from outside: what is written is found, within the budget, whatever happens to the files.

mod bad_days;
mod bounds;
mod kill;
mod live;
mod search;
mod world;
