//! The pipeline against what it talks to.

// Marked as tests so that clippy takes their unwraps as such.
#[cfg(test)]
mod ai;
