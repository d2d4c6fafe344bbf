//! How much waits for somebody, for the numbers in the rail.

/// How much waits for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    /// Cards in trouble.
    pub(crate) trouble: u64,
    /// Messages and operations of which nobody knows whether they happened.
    pub(crate) in_doubt: u64,
    /// Failed requests that wait for a decision.
    pub(crate) failed: u64,
}
