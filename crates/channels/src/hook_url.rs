//! The addresses that providers post to, and which of them lead to an account.

use domain::ChannelName;
use sha2::{Digest, Sha256};

use crate::accounts::{Account, ReceivesBy};
use crate::posting::Registered;
use crate::provider::Incoming;
use crate::reception::Reception;

impl Reception {
    /// The address that an account's provider posts to; none without `public_url`.
    pub fn hook_url(&self, account: &Account) -> Option<String> {
        let url = self.public_url.as_ref()?;
        Some(format!("{url}{}{}", account.hook_path(), account.provider.hook_query()))
    }

    /// Distinguishes the address of an account from those that it had before, without its secret.
    pub(crate) fn address_id(&self, account: &Account) -> String {
        let url = self.hook_url(account).unwrap_or_else(|| account.hook_path());
        hex::encode(&Sha256::digest(url)[..8])
    }

    /// Whether an address leads to an account: its own, or the one of the old server where the settings allow that.
    pub(crate) fn is_hook_url(&self, account: &Account, url: &str) -> bool {
        self.hook_url(account).is_some_and(|ours| ours == url)
            || account.fields.old_hook && is_old_hook(&account.channel, url)
    }

    /// Whether an address was an account's own before its secret changed.
    pub(crate) fn is_former_hook_url(&self, account: &Account, url: &str) -> bool {
        let Some(base) = &self.public_url else { return false };
        let place = format!("{base}/hooks/{}/{}/", account.channel, account.name());
        url.starts_with(&place) && !self.is_hook_url(account, url)
    }

    /// Whether an address is below `public_url`, where providers post to.
    pub(crate) fn is_below_public_url(&self, url: &str) -> bool {
        let rest = self.public_url.as_deref().and_then(|base| url.strip_prefix(base));
        rest.is_some_and(|path| path.starts_with("/hooks/") || path.starts_with("/webhook/"))
    }

    /// The address at which posts of an account's provider should arrive now; none where none are expected.
    pub(crate) fn posted_url(&self, account: &Account) -> Option<String> {
        let status = account.status();
        let posts = status.receives_by == ReceivesBy::Webhook
            && account.provider.receives().contains(&Incoming::Webhook)
            && account.provider.public_path().is_none();
        match status.webhook.filter(|_| posts) {
            None => posts.then(|| self.hook_url(account)).flatten(),
            Some(seen) => seen.registered.urls.into_iter().find(|url| self.is_hook_url(account, url)),
        }
    }

    /// The address that is shown, to be entered at an account's provider or in pages; none without `public_url`, and where nothing
    /// posts.
    pub fn shown_url(&self, account: &Account) -> Option<String> {
        if !account.provider.receives().contains(&Incoming::Webhook) {
            return None;
        }
        match account.provider.public_path() {
            Some(path) => self.public_url.as_ref().map(|url| format!("{url}{path}")),
            None => self.hook_url(account),
        }
    }

    /// Whether the provider posts all that customers write to us, as far as it says.
    pub fn is_registered(&self, account: &Account, registered: &Registered) -> bool {
        registered.posts_to(|url| self.is_hook_url(account, url)) == Some(Ok(()))
    }
}

/// Whether an address is the one that the old server of a channel had, on whatever host.
fn is_old_hook(channel: &ChannelName, url: &str) -> bool {
    let path = outbound::Url::parse(url).ok();
    path.is_some_and(|url| url.path().trim_end_matches('/') == format!("/webhook/{channel}"))
}
