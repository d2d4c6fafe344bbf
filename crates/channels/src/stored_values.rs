//! Values of an account that outlive a restart: tokens that were renewed, secrets that were made. Sealed in the store, read
//! from memory. Beside them, what the account sent last.
//!
//! The values are bound to the servers that they were kept for. An account of the same name with other servers gets none of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use ambient::lock::Mutex;
use config::ChannelFields;
use domain::secret::ExposeSecret;
use domain::{AccountName, ChannelName, SecretText};
use sha2::{Digest, Sha256};
use store::{Store, StoreError};

/// The binding of an account is kept under this name, with its values.
const BOUND_TO: &str = "bound_to";

/// The kept values of one account. Cheap to clone.
#[derive(Clone)]
pub struct StoredValues {
    store: Option<Store>,
    channel: ChannelName,
    account: AccountName,
    /// What the values are bound to; none for values of the program itself.
    binding: Option<SecretText>,
    values: Arc<Mutex<BTreeMap<String, SecretText>>>,
    sent: Arc<[String]>,
}

impl StoredValues {
    /// Loads the values of an account. Those that are bound to other servers are removed.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn load(
        store: Store,
        channel: ChannelName,
        fields: &ChannelFields,
    ) -> Result<Self, StoreError> {
        let (account, binding) = (fields.name.clone(), binding(fields));
        let mut values = store.channels().values(&channel, &account).await?;
        let bound = vec![(BOUND_TO.to_owned(), binding.clone())];
        match values.get(BOUND_TO) {
            Some(known) if known.expose_secret() == binding.expose_secret() => {}
            None if values.is_empty() => {}
            // An earlier version kept them. The owner vouches for the servers of the account.
            None if !fields.named_by_caller => {
                store.channels().keep_values(channel.clone(), account.clone(), bound).await?;
            }
            _ => {
                store.channels().replace_values(channel.clone(), account.clone(), bound).await?;
                values.clear();
                tracing::info!(
                    %channel, %account,
                    "the account has another address or application than before; what was kept for it, such as a log-in, is removed"
                );
            }
        }
        Self::new(store, channel, account, Some(binding), values).await
    }

    /// Loads values of the program itself, which go to no server.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn of_program(
        store: Store,
        channel: ChannelName,
        account: AccountName,
    ) -> Result<Self, StoreError> {
        let values = store.channels().values(&channel, &account).await?;
        Self::new(store, channel, account, None, values).await
    }

    async fn new(
        store: Store,
        channel: ChannelName,
        account: AccountName,
        binding: Option<SecretText>,
        values: BTreeMap<String, SecretText>,
    ) -> Result<Self, StoreError> {
        let sent = store.channels().last_sent(&channel, &account).await?.into();
        let values = Arc::new(Mutex::new(values));
        Ok(Self { store: Some(store), channel, account, binding, values, sent })
    }

    /// None, and what is put is gone with the program.
    pub fn in_memory(channel: ChannelName, account: AccountName) -> Self {
        Self { store: None, channel, account, binding: None, values: Arc::default(), sent: Arc::default() }
    }

    /// The provider's ids of what was sent last before the program started.
    pub(crate) fn sent(&self) -> &[String] {
        &self.sent
    }

    /// A value.
    pub fn get(&self, name: &str) -> Option<SecretText> {
        self.values.lock().get(name).cloned()
    }

    /// A value as text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.expose_secret().to_owned())
    }

    /// Keeps values, all or none of them; they are on disk when this returns.
    ///
    /// # Errors
    /// The store cannot be written; nothing is kept then.
    pub async fn put(&self, values: Vec<(&'static str, SecretText)>) -> Result<(), StoreError> {
        let bound = self.binding.clone().map(|binding| (BOUND_TO, binding));
        let values: Vec<(String, SecretText)> =
            values.into_iter().chain(bound).map(|(name, value)| (name.to_owned(), value)).collect();
        if let Some(store) = &self.store {
            store.channels().keep_values(self.channel.clone(), self.account.clone(), values.clone()).await?;
        }
        self.values.lock().extend(values);
        Ok(())
    }
}

/// What the values of an account are bound to: the server of its API, and the application that a log-in is of. The owner may give an
/// account another proxy or server of mail, and its values stay. To do that, a caller removes the account and adds another.
fn binding(fields: &ChannelFields) -> SecretText {
    let secret = |secret: Option<&SecretText>| secret.map(|it| it.expose_secret().to_owned());
    let mut bound = vec![Some(fields.api().to_owned()), secret(fields.client_id.as_ref())];
    if fields.named_by_caller {
        bound.push(fields.proxy.as_ref().map(|proxy| proxy.expose().to_owned()));
        bound.extend([&fields.smtp, &fields.imap, &fields.smpp].map(|address| secret(address.as_ref())));
    }
    let mut digest = Sha256::new();
    for part in bound {
        let part = part.unwrap_or_default();
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    hex::encode(digest.finalize()).into()
}
