//! How the owner of an account logs in at its provider.

use domain::{SecretText, Timestamp};

/// What the owner does to log in.
#[derive(Debug, Clone)]
pub enum LogIn {
    /// Nothing: the account is logged in.
    Done,
    /// Scan this QR code with the phone: a PNG. The provider replaces it after some seconds.
    Picture(Vec<u8>),
    /// Open this address in a browser, once, before it ends.
    Link { url: SecretText, until: Timestamp },
}

/// What the browser of the owner brings back from the provider.
#[derive(Debug, Clone, Default)]
pub struct LogInAnswer {
    /// What [`LogIn::Link`] has in its address, as it was.
    pub state: String,
    /// What a token is had for.
    pub code: Option<SecretText>,
    /// Why there is none, in the provider's words.
    pub error: Option<String>,
}
