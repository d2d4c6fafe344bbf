//! What an account of a channel is made from.

use ambient::{Chance, Clock};
use config::ChannelFields;
use domain::secret::ExposeSecret;
use domain::{AccountName, ChannelName, SecretText};
use sha2::{Digest, Sha256};

use crate::http::{Http, NoClient};
use crate::provider::HookPost;
use crate::stored_values::StoredValues;

/// What an account of a channel is made from.
#[derive(Clone)]
pub struct Setup {
    /// What the settings say.
    pub fields: ChannelFields,
    /// Its calls go out through this.
    pub http: Http,
    /// What outlives a restart.
    pub kept: StoredValues,
    pub clock: Clock,
    pub chance: Chance,
    /// The last part of the address that is registered at the provider.
    pub hook_secret: SecretText,
    /// That address, without [`crate::Provider::hook_query`]; none without `public_url`.
    pub hook_url: Option<String>,
}

/// Why an account of a channel cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A key is missing or wrong.
    #[error("`{field}` {message}")]
    Field { field: &'static str, message: String },
    #[error(transparent)]
    NoClient(#[from] NoClient),
}

impl Setup {
    /// A second secret for what a provider sends in a header or a body: letters and digits alone, the same at every start.
    pub fn header_secret(&self) -> SecretText {
        let digest = Sha256::new().chain_update(b"header\n").chain_update(self.hook_secret.expose_secret());
        hex::encode(digest.finalize())[..40].to_owned().into()
    }

    /// A key that its channel cannot do without.
    ///
    /// # Errors
    /// It is not given.
    pub fn needed<T: Clone>(&self, field: &'static str, value: &Option<T>) -> Result<T, SetupError> {
        value.clone().ok_or_else(|| SetupError::Field { field, message: "is missing".to_owned() })
    }

    /// Where the provider's API is, without a slash at its end.
    pub fn api(&self) -> String {
        self.fields.api().to_owned()
    }
}

/// The path of the address that an account's provider posts to.
pub fn hook_path(channel: &ChannelName, account: &AccountName, secret: &SecretText) -> String {
    format!("/hooks/{channel}/{account}/{}", secret.expose_secret())
}

/// Whether a post came to another address than the one with this secret: to that of the old server.
pub(crate) fn lacks_secret(post: &HookPost, secret: &SecretText) -> bool {
    !ends_with_secret(&post.url, secret)
}

/// Whether the path of an address ends with this secret, as an account's own address does.
pub(crate) fn ends_with_secret(url: &str, secret: &SecretText) -> bool {
    let path = url.split('?').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    !last.is_empty() && is_same(secret.expose_secret().as_bytes(), last.as_bytes())
}

/// Whether two secrets are the same; as long a comparison for a wrong one as for the right one.
pub fn is_same(wanted: &[u8], given: &[u8]) -> bool {
    let differ = wanted.iter().zip(given).fold(0, |differ, (one, other)| differ | (one ^ other));
    wanted.len() == given.len() && differ == 0
}
