//! Values of an account that outlive a restart: tokens that were renewed, secrets that were made. Sealed in the store, read
//! from memory. Beside them, what the account sent last.

use std::collections::BTreeMap;
use std::sync::Arc;

use ambient::lock::Mutex;
use domain::secret::ExposeSecret;
use domain::{AccountName, ChannelName, SecretText};
use store::{Store, StoreError};

/// The kept values of one account. Cheap to clone.
#[derive(Clone)]
pub struct StoredValues {
    store: Option<Store>,
    channel: ChannelName,
    account: AccountName,
    values: Arc<Mutex<BTreeMap<String, SecretText>>>,
    sent: Arc<[String]>,
}

impl StoredValues {
    /// Those that the store has.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn load(store: Store, channel: ChannelName, account: AccountName) -> Result<Self, StoreError> {
        let values = store.channels().values(&channel, &account).await?;
        let sent = store.channels().last_sent(&channel, &account).await?.into();
        Ok(Self { store: Some(store), channel, account, values: Arc::new(Mutex::new(values)), sent })
    }

    /// None, and what is put is gone with the program.
    pub fn in_memory(channel: ChannelName, account: AccountName) -> Self {
        Self { store: None, channel, account, values: Arc::default(), sent: Arc::default() }
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
        let values: Vec<(String, SecretText)> =
            values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if let Some(store) = &self.store {
            store.channels().keep_values(self.channel.clone(), self.account.clone(), values.clone()).await?;
        }
        self.values.lock().extend(values);
        Ok(())
    }
}
