//! What an account of a channel has to know after a restart: tokens that were renewed, secrets that were made.

use std::collections::BTreeMap;

use domain::secret::ExposeSecret;
use domain::{AccountName, ChannelName, SecretText};

use super::{Channels, statements as sql};
use crate::column::Columns;
use crate::database::params;
use crate::vault::Sealed;
use crate::{StoreError, point};

pub(crate) const TABLE: &str = "channel_values";

/// What a value is bound to.
pub(crate) fn row_name(channel: &str, account: &str, name: &str) -> String {
    format!("{channel}:{account}/{name}")
}

impl Channels<'_> {
    /// The values of an account.
    ///
    /// # Errors
    /// The store cannot be read, or another master key sealed a value.
    pub async fn values(
        &self,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<BTreeMap<String, SecretText>, StoreError> {
        let read = |row: &crate::database::Row<'_>| {
            let columns = Columns::new(row, TABLE);
            Ok((columns.get::<String>(0)?, columns.get::<Sealed>(1)?))
        };
        let sealed = self.store.all(sql::VALUES_OF, (channel.to_string(), account.to_string()), read).await?;
        let open = |(name, sealed): (String, Sealed)| {
            let row = row_name(channel.as_str(), account.as_str(), &name);
            let plain = self.store.inner.vault.open(TABLE, &row, &sealed);
            let text = plain
                .map_err(|error| error.to_string())
                .and_then(|plain| String::from_utf8(plain).map_err(|_| "is no text".to_owned()));
            match text {
                Ok(text) => Ok((name, SecretText::from(text))),
                Err(why) => Err(StoreError::corrupt(TABLE, "value", row, why)),
            }
        };
        sealed.into_iter().map(open).collect()
    }

    /// Keeps values of an account, all or none of them.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn keep_values(
        &self,
        channel: ChannelName,
        account: AccountName,
        values: Vec<(String, SecretText)>,
    ) -> Result<(), StoreError> {
        self.write_values(channel, account, values, false).await
    }

    /// Keeps these values of an account and removes all others.
    ///
    /// # Errors
    /// The store cannot be written; the values before stay then.
    pub async fn replace_values(
        &self,
        channel: ChannelName,
        account: AccountName,
        values: Vec<(String, SecretText)>,
    ) -> Result<(), StoreError> {
        self.write_values(channel, account, values, true).await
    }

    async fn write_values(
        &self,
        channel: ChannelName,
        account: AccountName,
        values: Vec<(String, SecretText)>,
        removes_others: bool,
    ) -> Result<(), StoreError> {
        let mut sealed = Vec::with_capacity(values.len());
        for (name, value) in values {
            let row = row_name(channel.as_str(), account.as_str(), &name);
            let field = self.store.inner.vault.seal(TABLE, &row, value.expose_secret().as_bytes());
            sealed.push((name, field.map_err(|error| StoreError::corrupt(TABLE, "value", row, error))?));
        }
        let change = move |transaction: &crate::write::Transaction<'_>| {
            if removes_others {
                transaction.run(sql::REMOVE_VALUES, params![channel.as_str(), account.as_str()])?;
            }
            sealed.iter().try_for_each(|(name, value)| {
                transaction
                    .run(sql::SAVE_VALUE, params![channel.as_str(), account.as_str(), name, value.clone()])
            })
        };
        self.store.change(point::KEEP_CHANNEL_VALUES, change).await
    }
}
