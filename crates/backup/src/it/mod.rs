//! Copies of backups elsewhere, and restores for practice, over a real store: a folder, a bucket of a store that others wrote,
//! files that Debian's `age` opens.

mod age;
mod bucket;
mod drill;
mod folder;
mod world;
