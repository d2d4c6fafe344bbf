//! The proxies that browser profiles get: kept with their passwords sealed, tested, marked sick.

use domain::secret::ExposeSecret;
use domain::{ProxyHealth, SecretText, Timestamp};

use super::Campaigns;
use super::profiles::opened;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::statement::statements;
use crate::write::Transaction;
use crate::{StoreError, codes, point};

pub(crate) const TABLE: &str = "campaign_proxies";

/// Proxies there may be.
const MOST: u32 = 10_000;

statements! {
    PROXIES = "
        SELECT name, address, health, why, checked_at, (
            SELECT min(p.name) FROM campaign_profiles AS p WHERE p.proxy = campaign_proxies.name
        ) FROM campaign_proxies ORDER BY name LIMIT $1";
    PROXY = "
        SELECT name, address, health, why, checked_at, (
            SELECT min(p.name) FROM campaign_profiles AS p WHERE p.proxy = campaign_proxies.name
        ) FROM campaign_proxies WHERE name = $1";
    COUNT = "SELECT count(*) FROM campaign_proxies";
    ADD = "
        INSERT INTO campaign_proxies (name, address, health, why, checked_at, added_at)
        VALUES ($1, $2, 0, NULL, NULL, $3) ON CONFLICT (name) DO NOTHING";
    CHANGE = "UPDATE campaign_proxies SET address = $1 WHERE name = $2";
    REMOVE = "DELETE FROM campaign_proxies WHERE name = $1";
    TESTED = "UPDATE campaign_proxies SET health = $1, why = $2, checked_at = $3 WHERE name = $4";
}

/// A proxy of browser profiles.
#[derive(Debug, Clone)]
pub struct StoredProxy {
    /// Its address without the password.
    pub name: String,
    pub address: SecretText,
    pub health: ProxyHealth,
    /// Why it is sick.
    pub why: Option<String>,
    pub checked_at: Option<Timestamp>,
    /// The profile that has it.
    pub profile: Option<String>,
}

impl Campaigns<'_> {
    /// All proxies, by name.
    pub async fn proxies(&self) -> Result<Vec<StoredProxy>, StoreError> {
        let sealed = self.store.all(PROXIES, [MOST], read).await?;
        sealed.into_iter().map(|sealed| self.open(sealed)).collect()
    }

    /// A proxy.
    pub async fn proxy(&self, name: &str) -> Result<Option<StoredProxy>, StoreError> {
        let sealed = self.store.first(PROXY, [name.to_owned()], read).await?;
        sealed.map(|sealed| self.open(sealed)).transpose()
    }

    /// Adds proxies: names and addresses. Those that are there get their new passwords; how many are new.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there would be more than there may be (10,000).
    pub async fn add_proxies(
        &self,
        proxies: Vec<(String, SecretText)>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let vault = &self.store.inner.vault;
        let seal = |(name, address): (String, SecretText)| {
            let sealed = vault.seal(TABLE, &name, address.expose_secret().as_bytes());
            sealed.map(|sealed| (name, sealed)).map_err(|error| StoreError::Unavailable(error.to_string()))
        };
        let sealed = proxies.into_iter().map(seal).collect::<Result<Vec<_>, _>>()?;
        let change = move |transaction: &Transaction<'_>| {
            let mut added = 0;
            for (name, address) in &sealed {
                if transaction.execute(ADD, params![name, address, now.as_micros()])? > 0 {
                    added += 1;
                } else {
                    transaction.run(CHANGE, params![address, name])?;
                }
            }
            let count = transaction.first(COUNT, (), |row| Columns::new(row, TABLE).count(0))?;
            if count.unwrap_or_default() > u64::from(MOST) {
                return Err(StoreError::conflict(TABLE, format!("there can be {MOST} proxies")));
            }
            Ok(added)
        };
        self.store.change(point::SAVE_CAMPAIGN, change).await
    }

    /// Removes a proxy. False when there is none.
    pub async fn remove_proxy(&self, name: &str) -> Result<bool, StoreError> {
        let removed = self.store.execute(point::SAVE_CAMPAIGN, REMOVE, [name.to_owned()]);
        Ok(removed.await? > 0)
    }

    /// Keeps how a proxy is.
    pub async fn proxy_is(
        &self,
        name: &str,
        health: ProxyHealth,
        why: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = (codes::of_proxy_health(health), why, now.as_micros(), name.to_owned());
        self.store.execute(point::SAVE_CAMPAIGN, TESTED, row).await.map(drop)
    }

    fn open(self, (proxy, sealed): (StoredProxy, Vec<u8>)) -> Result<StoredProxy, StoreError> {
        let address = opened(&self.store.inner.vault, TABLE, &proxy.name, &sealed)?;
        Ok(StoredProxy { address, ..proxy })
    }
}

fn read(row: &Row<'_>) -> Result<(StoredProxy, Vec<u8>), StoreError> {
    let columns = Columns::new(row, TABLE);
    let proxy = StoredProxy {
        name: columns.get(0)?,
        address: String::new().into(),
        health: columns.coded(2, "health of a proxy", codes::proxy_health)?,
        why: columns.get(3)?,
        checked_at: columns.maybe_time(4)?,
        profile: columns.get(5)?,
    };
    Ok((proxy, columns.get(1)?))
}
