//! Where a mending button leads.

/// Where a mending button leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkTarget {
    SignIn,
    Account,
    /// To what helps an account that Telegram has closed.
    Recovery,
    /// To the ways of clearing a flood wait.
    Clearing,
    Trouble,
    Diagnostics,
}
