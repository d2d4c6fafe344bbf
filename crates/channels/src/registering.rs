//! Having a provider post here: by order, and again by itself where our address is gone.

use std::time::Duration;

use config::ReceiveBy;
use domain::Timestamp;

use crate::accounts::{Account, AccountStatus, ReceivesBy};
use crate::arrival::CatchUp;
use crate::error::CallError;
use crate::health::WebhookState;
use crate::posting::Registered;
use crate::reception::Reception;

/// After an attempt to register an address again that failed.
const AGAIN: Duration = Duration::from_mins(10);
/// Why posts are lost that come to an account's own address.
const REFUSED: &str = "its posts are refused, because the secret or the signature in them is wrong";

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

/// Why what customers write does not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookLoss<'a> {
    /// Our address is gone, and registering it again failed for this reason.
    #[error("the provider posts here no more, and the address could not be registered again: {0}")]
    Lapsed(&'a str),
    /// Another address is there.
    #[error("the provider posts to another program")]
    Taken,
    /// No address is there.
    #[error("the provider posts nowhere: no address is registered there")]
    Missing,
    /// Our address is there, and not all that customers write comes in: why.
    #[error("not all that customers write is received at the address that is registered there: {0}")]
    GivenUp(&'a str),
    /// Our address is there, and does not lead to this program for this reason.
    #[error("posts of the provider do not arrive at the address that is registered there: {0}")]
    Unreached(&'a str),
    /// Another program asks for what customers write with the same token: what the provider says.
    #[error("{0}")]
    Rival(&'a CallError),
}

impl AccountStatus {
    /// Returns why what customers write does not arrive at an account that receives by `receive`. A person has to see to it.
    pub fn webhook_loss(&self, receive: ReceiveBy) -> Option<WebhookLoss<'_>> {
        if receive == ReceiveBy::Off {
            return None;
        }
        if self.receives_by == ReceivesBy::Poll
            && let Some((error, _)) = &self.rival
        {
            return Some(WebhookLoss::Rival(error));
        }
        let posts = self.receives_by == ReceivesBy::Webhook;
        let Some(seen) = self.webhook.as_ref().filter(|_| receive != ReceiveBy::Poll) else {
            return self.loss_of_posts(None);
        };
        match seen.state {
            WebhookState::Lapsed => self.registering.as_ref()?.error.as_deref().map(WebhookLoss::Lapsed),
            WebhookState::Elsewhere => (self.health.was_here || posts).then_some(WebhookLoss::Taken),
            WebhookState::NotRegistered => posts.then_some(WebhookLoss::Missing),
            WebhookState::Here => self.loss_of_posts(seen.gap.as_deref()),
        }
    }

    /// Why posts do not come in whole, where the provider posts.
    fn loss_of_posts<'a>(&'a self, gap: Option<&'a str>) -> Option<WebhookLoss<'a>> {
        if self.receives_by != ReceivesBy::Webhook {
            return None;
        }
        let refused = self.health.refused_at.map(|_| REFUSED);
        let gap = gap.or(refused).or_else(|| self.identity.as_ref()?.gap.as_deref());
        gap.map(WebhookLoss::GivenUp).or_else(|| self.not_arriving().map(WebhookLoss::Unreached))
    }

    /// Whether our address is to be registered again now.
    fn is_registering_due(&self, receive: ReceiveBy, now: Timestamp) -> bool {
        let should = matches!(receive, ReceiveBy::Auto | ReceiveBy::Webhook);
        should
            && self.webhook.as_ref().is_some_and(|seen| seen.state == WebhookState::Lapsed)
            && self.registering.as_ref().is_none_or(|last| last.error.is_none() || now >= last.at.plus(AGAIN))
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
        let others = before.into_iter().flat_map(|found| found.urls);
        let others = others.filter(|other| *other != url && !self.is_former_hook_url(account, other));
        let others: Vec<_> = others.collect();
        if !others.is_empty() && !take_over {
            return Err(RegisterError::Elsewhere(others));
        }
        self.change_to(account, &url).await
    }

    /// Has an account's provider post to an address that a caller names, and returns the address that is registered. An address of this
    /// program stands for the account's own.
    ///
    /// # Errors
    /// As [`Reception::register`].
    pub async fn register_at(
        &self,
        account: &Account,
        url: &str,
        is_ours: bool,
    ) -> Result<String, RegisterError> {
        let is_ours = is_ours
            || self.is_hook_url(account, url)
            || self.is_below_public_url(url)
            || self.leads_here(url).await;
        match self.hook_url(account).filter(|_| is_ours) {
            Some(ours) => {
                self.register(account, true).await?;
                Ok(ours)
            }
            None if is_ours && !self.is_hook_url(account, url) => Err(RegisterError::NoPublicUrl),
            None => {
                self.change_to(account, url).await?;
                Ok(url.to_owned())
            }
        }
    }

    /// Registers an address, and looks at once where the provider posts to and whether that arrives.
    async fn change_to(&self, account: &Account, url: &str) -> Result<Option<Registered>, RegisterError> {
        account.provider.register(url).await?;
        let now = self.channels().clock().now();
        account.change(|status| {
            status.health.registered_at = Some(now);
            status.health.is_reachable = false;
            status.health.refused_at = None;
            status.arrival = None;
            status.registering = None;
            // Histories have what was not posted here before.
            status.catch_up = CatchUp::default();
            if let Some(identity) = &mut status.identity {
                identity.gap = None;
            }
        });
        let after = self.registered(account).await.transpose()?;
        account.change(|status| {
            let is_here = status.webhook.as_ref().is_none_or(|seen| seen.state == WebhookState::Here);
            if is_here && matches!(account.fields.receive, ReceiveBy::Auto | ReceiveBy::Webhook) {
                status.receives_by = ReceivesBy::Webhook;
            }
        });
        self.prove(account).await;
        self.keep_health(account).await;
        Ok(after)
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
        let done = self.register(account, false).await.map_err(|error| error.to_string()).and_then(|_| {
            let is_here = account.status().webhook.is_some_and(|seen| seen.state == WebhookState::Here);
            if is_here {
                Ok(())
            } else {
                Err("the provider took the address and does not show it".to_owned())
            }
        });
        let (name, channel) = (account.name(), &account.channel);
        match &done {
            Ok(()) => {
                tracing::warn!(account = %name, %channel, "an address that had lapsed is registered again");
            }
            Err(error) => {
                tracing::warn!(account = %name, %channel, %error, "an address that has lapsed is not registered again");
            }
        }
        account.change(|status| status.registering = Some(Attempted { at: now, error: done.err() }));
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
            webhook: Some(WebhookObservation {
                state,
                registered: Registered::default(),
                gap: None,
                at: NOW,
            }),
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
        // So is one that only led here before its secret changed.
        assert!(status(Lapsed, false, None).is_registering_due(ReceiveBy::Webhook, NOW));
    }

    #[test]
    fn an_attempt_that_failed_is_made_again_after_ten_minutes() {
        for (minutes, due) in [(0, false), (9, false), (10, true), (60, true)] {
            let tried = Some((Duration::from_mins(minutes), Some("no answer")));
            let status = status(WebhookState::Lapsed, true, tried);
            assert_eq!(status.is_registering_due(ReceiveBy::Auto, NOW), due, "{minutes}");
        }
        let done = status(WebhookState::Lapsed, true, Some((Duration::ZERO, None)));
        assert!(done.is_registering_due(ReceiveBy::Auto, NOW), "it lapsed again");
    }

    #[test]
    fn posts_that_are_refused_or_left_out_are_a_loss() {
        let part = Some("it leaves out text".to_owned());
        let posted = |gap: Option<String>, refused_at, receives_by| {
            let mut status = AccountStatus { receives_by, ..status(WebhookState::Here, true, None) };
            status.webhook.as_mut().expect("it was looked at").gap = gap;
            status.health.refused_at = refused_at;
            status
        };
        let by = ReceivesBy::Webhook;
        for (mut status, why) in [
            (posted(None, None, by), None),
            (posted(part.clone(), None, by), part.as_deref()),
            (posted(None, Some(NOW), by), Some(REFUSED)),
            (posted(part.clone(), Some(NOW), ReceivesBy::Poll), None),
        ] {
            assert_eq!(status.webhook_loss(ReceiveBy::Auto), why.map(WebhookLoss::GivenUp), "{status:?}");
            assert_eq!(status.webhook_loss(ReceiveBy::Off), None);
            // A provider that does not show its address.
            status.webhook = None;
            status.identity = Some(crate::Identity { gap: part.clone(), ..crate::Identity::default() });
            let why = (status.receives_by == by)
                .then(|| status.health.refused_at.map_or("it leaves out text", |_| REFUSED));
            assert_eq!(status.webhook_loss(ReceiveBy::Auto), why.map(WebhookLoss::GivenUp), "{status:?}");
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
