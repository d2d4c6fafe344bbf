//! Having a provider post here: by order, and again by itself where our address is gone.

use std::time::Duration;

use config::ReceiveBy;
use domain::Timestamp;

use crate::accounts::{Account, AccountStatus};
use crate::error::CallError;
use crate::health::WebhookState;
use crate::provider::Registered;
use crate::reception::Reception;

/// Between two attempts to register an address again.
const AGAIN: Duration = Duration::from_mins(10);

/// Why an address of ours is not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// There is none.
    #[error("there is no address to register: set `public_url`, the address of this program on the internet")]
    NoPublicUrl,
    /// Addresses of another program are registered; nothing has changed.
    #[error("another address is registered there")]
    Elsewhere(Vec<String>),
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The last attempt to register an address again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    pub at: Timestamp,
    /// Why it did not work.
    pub error: Option<String>,
}

/// Why a provider that posted here does no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookLoss<'a> {
    /// Our address is gone, and registering it again failed for this reason.
    Lapsed(&'a str),
    /// Another address is there.
    Taken,
}

impl AccountStatus {
    /// What a person has to see to, of an account that hears by `receive`.
    pub fn webhook_loss(&self, receive: ReceiveBy) -> Option<WebhookLoss<'_>> {
        match self.webhook_was_lost(receive)? {
            WebhookState::Lapsed => self.registering.as_ref()?.error.as_deref().map(WebhookLoss::Lapsed),
            WebhookState::Elsewhere => Some(WebhookLoss::Taken),
            WebhookState::Here | WebhookState::NotRegistered => None,
        }
    }

    /// Whether our address is to be registered again now.
    fn is_registering_due(&self, receive: ReceiveBy, now: Timestamp) -> bool {
        self.webhook_was_lost(receive) == Some(WebhookState::Lapsed)
            && self.registering.as_ref().is_none_or(|last| now >= last.at.plus(AGAIN))
    }

    /// Where the provider posts to, if it posted here and should still.
    fn webhook_was_lost(&self, receive: ReceiveBy) -> Option<WebhookState> {
        let should = matches!(receive, ReceiveBy::Auto | ReceiveBy::Webhook);
        let seen = self.webhook.as_ref().filter(|_| should && self.health.was_here)?;
        Some(seen.state)
    }
}

impl Reception {
    /// Has an account's provider post here; where it posts to then.
    ///
    /// # Errors
    /// There is no address of ours, or another is registered and not to be taken over, or the provider refuses.
    pub async fn register(
        &self,
        account: &Account,
        take_over: bool,
    ) -> Result<Option<Registered>, RegisterError> {
        let url = self.hook_url(account).ok_or(RegisterError::NoPublicUrl)?;
        let before = self.registered(account).await.transpose()?;
        let others = before.into_iter().flat_map(|found| found.urls).filter(|found| *found != url);
        let others: Vec<_> = others.collect();
        if !others.is_empty() && !take_over {
            return Err(RegisterError::Elsewhere(others));
        }
        account.provider.register(&url).await?;
        Ok(self.registered(account).await.transpose()?)
    }

    /// Has an account's provider post nowhere.
    ///
    /// # Errors
    /// As with [`crate::Provider::unregister`].
    pub async fn unregister(&self, account: &Account, url: &str) -> Result<(), CallError> {
        // First, so that an address that is taken away by order is not registered again, after a kill neither.
        account.change(|status| status.health.was_here = false);
        self.keep_health(account).await;
        account.provider.unregister(url).await
    }

    /// Registers our address again where the provider has it no more and has no other.
    pub(crate) async fn register_again(&self, account: &Account) {
        let now = self.channels().clock().now();
        if !account.status().is_registering_due(account.fields.receive, now) {
            return;
        }
        let done = self.register(account, false).await;
        let (name, channel) = (account.name(), &account.channel);
        match &done {
            Ok(_) => {
                tracing::warn!(account = %name, %channel, "an address that had lapsed is registered again");
            }
            Err(error) => {
                tracing::warn!(account = %name, %channel, %error, "an address that has lapsed is not registered again");
            }
        }
        let error = done.err().map(|error| error.to_string());
        account.change(|status| status.registering = Some(Attempted { at: now, error }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Health, WebhookObservation};

    const NOW: Timestamp = Timestamp::from_micros(1_893_456_000_000_000);

    fn status(state: WebhookState, was_here: bool, tried: Option<(Duration, Option<&str>)>) -> AccountStatus {
        let attempted = |(ago, error): (Duration, Option<&str>)| Attempted {
            at: NOW.minus(ago),
            error: error.map(str::to_owned),
        };
        let mut health = Health::default();
        health.was_here = was_here;
        AccountStatus {
            webhook: Some(WebhookObservation { state, registered: Registered::default(), at: NOW }),
            health,
            registering: tried.map(attempted),
            ..AccountStatus::default()
        }
    }

    #[test]
    fn only_a_lapsed_address_is_registered_again() {
        use WebhookState::{Elsewhere, Here, Lapsed, NotRegistered};
        for (state, due) in [(Here, false), (Elsewhere, false), (NotRegistered, false), (Lapsed, true)] {
            let status = status(state, true, None);
            assert_eq!(status.is_registering_due(ReceiveBy::Auto, NOW), due, "{state:?}");
            assert!(!status.is_registering_due(ReceiveBy::Poll, NOW), "{state:?}");
            assert!(!status.is_registering_due(ReceiveBy::Off, NOW), "{state:?}");
        }
        assert!(!status(Lapsed, false, None).is_registering_due(ReceiveBy::Webhook, NOW));
    }

    #[test]
    fn an_attempt_is_made_every_ten_minutes() {
        for (minutes, due) in [(0, false), (9, false), (10, true), (60, true)] {
            let tried = Some((Duration::from_mins(minutes), Some("no answer")));
            let status = status(WebhookState::Lapsed, true, tried);
            assert_eq!(status.is_registering_due(ReceiveBy::Auto, NOW), due, "{minutes}");
        }
    }

    #[test]
    fn a_person_sees_to_what_failed_or_was_taken() {
        use WebhookState::{Elsewhere, Here, Lapsed};
        let failed = Some((Duration::ZERO, Some("no answer")));
        let done = Some((Duration::ZERO, None));
        for (state, was_here, tried, loss) in [
            (Lapsed, true, None, None),
            (Lapsed, true, done, None),
            (Lapsed, true, failed, Some(WebhookLoss::Lapsed("no answer"))),
            (Here, true, failed, None),
            (Elsewhere, true, None, Some(WebhookLoss::Taken)),
            (Elsewhere, false, None, None),
        ] {
            let status = status(state, was_here, tried);
            assert_eq!(status.webhook_loss(ReceiveBy::Auto), loss, "{state:?}");
            assert_eq!(status.webhook_loss(ReceiveBy::Off), None);
        }
    }
}
