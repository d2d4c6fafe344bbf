//! The page object in a real Chromium, or Firefox, on the pretend Web K.

// Marked as tests so that clippy takes their unwraps as such.
#[cfg(test)]
mod donut;
#[cfg(test)]
mod profiles;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod sending;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod trouble;
