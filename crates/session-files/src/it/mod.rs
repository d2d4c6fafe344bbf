//! Sessions of other programs, and those programs themselves.

mod broken;
mod fixture;
mod folders;
mod python;
mod registry;
mod round_trips;
