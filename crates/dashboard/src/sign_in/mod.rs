//! The door: name and password, a code where there is a second factor, and the way out.

mod door;
pub(crate) mod enter;
pub(crate) mod leave;
pub(crate) mod stranger;
#[cfg(test)]
mod tests;
