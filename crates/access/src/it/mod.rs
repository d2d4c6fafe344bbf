//! Signing in and what follows, on a real store.

#[cfg(test)]
mod first;
#[cfg(test)]
mod own;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod world;
