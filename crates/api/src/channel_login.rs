//! How the owner of a channel account logs in at its provider.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use channels::LogIn;
use domain::secret::ExposeSecret;
use domain::{AccountName, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the owner of a channel account logs in at its provider.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChannelLogIn {
    /// The account.
    #[schema(value_type = String, example = "phone")]
    pub account: AccountName,
    /// `done` (it is logged in), `picture` (scan the QR code with the phone) or `link` (open the address in a browser).
    #[schema(example = "picture")]
    pub state: String,
    /// The QR code, a PNG in base64; the provider replaces it after some seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// The address to open. It counts once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Until when the address can be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl ChannelLogIn {
    pub fn new(account: AccountName, how: LogIn) -> Self {
        let (state, picture, link) = match how {
            LogIn::Done => ("done", None, None),
            LogIn::Picture(picture) => ("picture", Some(STANDARD.encode(picture)), None),
            LogIn::Link { url, until } => ("link", None, Some((url.expose_secret().to_owned(), until))),
        };
        let (url, expires_at) = link.unzip();
        Self { account, state: state.to_owned(), picture, url, expires_at }
    }
}
