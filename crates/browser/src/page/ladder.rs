//! What is tried, one after the other, on a page that stays white.

/// A rung of the ladder. The login is never touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rung {
    Reload,
    /// An empty page first, then the address.
    Leave,
    /// Workers and files of the page are forgotten.
    ForgetWorkers,
}

impl Rung {
    /// What is tried first.
    pub(crate) const FIRST: Self = Self::Reload;

    /// What is tried when this did not help; none when the browser has to be started again.
    pub(crate) const fn next(self) -> Option<Self> {
        match self {
            Self::Reload => Some(Self::Leave),
            Self::Leave => Some(Self::ForgetWorkers),
            Self::ForgetWorkers => None,
        }
    }
}
