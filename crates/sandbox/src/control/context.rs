//! What the control port works with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::channels::Channels;
use crate::files;
use crate::providers::Providers;
use crate::telegram::{Account, Centre, NewAccount, Telegram};

/// The file in the data directory that remembers accounts made at run time, so that a restart has them too.
const JOINED: &str = "accounts.json";

/// The state of the control port.
pub(crate) struct ControlContext {
    pub(crate) telegram: Arc<Telegram>,
    pub(crate) centres: Vec<Centre>,
    /// The public half of the RSA key, as PEM.
    pub(crate) rsa_public_key: String,
    /// Providers that only report where webhooks are registered.
    pub(crate) providers: Providers,
    /// Providers through which customers write.
    pub(crate) channels: Arc<Channels>,
    /// Where the page of Web K is served.
    pub(crate) web_k: SocketAddr,
    data_dir: PathBuf,
    joined: Mutex<Vec<NewAccount>>,
}

impl ControlContext {
    /// Brings back the accounts that joined before, and sits down.
    pub(crate) fn new(
        telegram: Arc<Telegram>,
        centres: Vec<Centre>,
        rsa_public_key: String,
        channels: Arc<Channels>,
        data_dir: PathBuf,
    ) -> std::io::Result<Self> {
        let joined: Vec<NewAccount> = match std::fs::read(data_dir.join(JOINED)) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        for order in &joined {
            if let Err(error) = telegram.add_account(order) {
                tracing::warn!(account = order.name, %error, "an account that joined before is left out");
            }
        }
        let (providers, joined) = (Providers::default(), Mutex::new(joined));
        let web_k = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Ok(Self { telegram, centres, rsa_public_key, providers, channels, web_k, data_dir, joined })
    }

    /// Knows where the page of Web K is served.
    pub(crate) fn with_web_k(self, web_k: SocketAddr) -> Self {
        Self { web_k, ..self }
    }

    /// Remembers an account that joined.
    pub(crate) fn remember(&self, order: NewAccount) -> std::io::Result<()> {
        let mut joined = self.joined.lock().unwrap_or_else(PoisonError::into_inner);
        joined.push(order);
        files::write_private(&self.data_dir.join(JOINED), &serde_json::to_vec_pretty(&*joined)?)
    }

    /// Where the data centre of an account listens.
    pub(crate) fn centre_of(&self, account: &Account) -> Option<Centre> {
        self.centres.iter().find(|centre| centre.dc_id == account.dc_id).copied()
    }
}
