//! Where a mending button leads.

/// Where a mending button leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// To sign an account in.
    SignIn,
    /// To the account.
    Account,
    /// To what helps an account that Telegram has closed.
    Recovery,
    /// To the ways of clearing a flood wait.
    Clearing,
    /// To what is in trouble.
    Trouble,
    /// To the doctor's findings.
    Diagnostics,
}
