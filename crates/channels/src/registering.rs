//! Having a provider post here: by order, and again by itself where our address is gone.

use config::ReceiveBy;
use domain::Timestamp;

use crate::accounts::{Account, AccountStatus, ReceivesBy};
use crate::arrival::{CatchUp, is_due_again};
use crate::error::CallError;
use crate::health::{WebhookObservation, WebhookState};
use crate::posting::Registered;
use crate::reception::Reception;

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
    /// When the first one was made of those that failed in a row.
    pub since: Timestamp,
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
    /// Our address or its kinds of events were taken away at least twice within ten minutes.
    #[error(
        "another program removes or changes the address that is registered at the provider, again and again"
    )]
    Contested,
    /// Another address is there.
    #[error("the provider posts to another program")]
    Taken,
    /// No address is there.
    #[error("the provider posts nowhere: no address is registered there")]
    Missing,
    /// Our address is there, and not all that the provider should post comes in: why.
    #[error("not all that the provider should post is received at the address that is registered there: {0}")]
    GivenUp(&'a str),
    /// Our address is there, and does not lead to this program for this reason.
    #[error("posts of the provider do not arrive at the address that is registered there: {0}")]
    Unreached(&'a str),
    /// A person enters our address at the provider, which cannot be asked for it.
    #[error("nothing of the provider has come to the address that is to be entered in its pages")]
    Unproved,
    /// Another program asks for what customers write with the same token: what the provider says.
    #[error("{0}")]
    Rival(&'a CallError),
}

impl AccountStatus {
    /// Returns why what customers write does not arrive at an account that receives by `receive`. A person has to see to it.
    pub fn webhook_loss(&self, receive: ReceiveBy) -> Option<WebhookLoss<'_>> {
        let is_contested = matches!(receive, ReceiveBy::Auto | ReceiveBy::Webhook)
            && self.looked_at.is_some_and(|at| self.health.is_contested(at));
        match self.present_loss(receive) {
            None | Some(WebhookLoss::Lapsed(_) | WebhookLoss::GivenUp(_)) if is_contested => {
                Some(WebhookLoss::Contested)
            }
            loss => loss,
        }
    }

    /// Whether two looks in a row found that what customers write does not arrive.
    pub const fn is_loss_confirmed(&self) -> bool {
        self.losses >= 2
    }

    /// The same, without what happened before the last look.
    pub(crate) fn present_loss(&self, receive: ReceiveBy) -> Option<WebhookLoss<'_>> {
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
            return self.loss_of_posts();
        };
        match seen.state {
            WebhookState::Lapsed => self.registering.as_ref()?.error.as_deref().map(WebhookLoss::Lapsed),
            WebhookState::Elsewhere => (self.health.was_here || posts).then_some(WebhookLoss::Taken),
            WebhookState::NotRegistered => posts.then_some(WebhookLoss::Missing),
            WebhookState::Here => self.loss_of_posts(),
        }
    }

    /// Why posts do not come in whole, where the provider posts.
    fn loss_of_posts(&self) -> Option<WebhookLoss<'_>> {
        if self.receives_by != ReceivesBy::Webhook {
            return None;
        }
        let gap = self.gap().filter(|_| self.failed_registering().is_some());
        let refused = self.health.refusals.is_loss().then_some(REFUSED);
        let loss = gap.or(refused).map(WebhookLoss::GivenUp);
        let unproved = self.is_unproved.then_some(WebhookLoss::Unproved);
        loss.or_else(|| self.not_arriving().map(WebhookLoss::Unreached)).or(unproved)
    }

    /// Why not all is posted to our address, which is there.
    fn gap(&self) -> Option<&str> {
        match &self.webhook {
            Some(seen) => seen.gap.as_deref().filter(|_| seen.state == WebhookState::Here),
            None => self.identity.as_ref()?.gap.as_deref(),
        }
    }

    /// The last attempt to register our address again, if that failed.
    fn failed_registering(&self) -> Option<&Attempted> {
        self.registering.as_ref().filter(|last| last.error.is_some())
    }

    /// Whether our address is to be registered again now: it is gone, or not all is posted there.
    fn is_registering_due(&self, receive: ReceiveBy, now: Timestamp) -> bool {
        let is_lapsed = self.webhook.as_ref().is_some_and(|seen| seen.state == WebhookState::Lapsed);
        matches!(receive, ReceiveBy::Auto | ReceiveBy::Webhook)
            && (is_lapsed || self.gap().is_some())
            && self.failed_registering().is_none_or(|last| is_due_again((last.since, last.at), now))
    }
}

impl Reception {
    /// Has an account's provider post here, by order; where it posts to then.
    ///
    /// # Errors
    /// There is no address of ours, or another is registered and not to be taken over, or the provider refuses.
    pub async fn register(
        &self,
        account: &Account,
        take_over: bool,
    ) -> Result<Option<Registered>, RegisterError> {
        let registered = self.register_ours(account, take_over).await?;
        forget_lapses(account);
        Ok(registered)
    }

    async fn register_ours(
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
                forget_lapses(account);
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
            status.health.unreached_since = None;
            status.health.refusals.begin_again();
            status.arrival = None;
            status.registering = None;
            // Histories have what was not posted here before.
            status.catch_up = CatchUp::default();
            if let Some(identity) = &mut status.identity {
                identity.gap = None;
            }
        });
        let after = self.look(account).await.transpose()?;
        account.change(|status| {
            let is_whole = |seen: &WebhookObservation| seen.state == WebhookState::Here && seen.gap.is_none();
            if status.webhook.as_ref().is_none_or(is_whole)
                && matches!(account.fields.receive, ReceiveBy::Auto | ReceiveBy::Webhook)
            {
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
        account.change(|status| {
            status.health.was_here = false;
            status.health.forget_lapses();
        });
        self.keep_health(account).await;
        account.provider.unregister(url).await
    }

    /// Registers our address again where the provider has it no more and has no other, or does not post all there.
    pub(crate) async fn register_again(&self, account: &Account) {
        let (now, status) = (self.channels().clock().now(), account.status());
        if !status.is_registering_due(account.fields.receive, now) {
            return;
        }
        let since = status.failed_registering().map(|last| last.since);
        if since.is_none() {
            account.change(|status| status.health.note_lapse(now));
        }
        let done =
            self.register_ours(account, false).await.map_err(|error| error.to_string()).and_then(|_| {
                let status = account.status();
                if status.webhook.as_ref().is_some_and(|seen| seen.state != WebhookState::Here) {
                    return Err("the provider took the address and does not show it".to_owned());
                }
                status.gap().map_or(Ok(()), |gap| Err(gap.to_owned()))
            });
        let (name, channel) = (account.name(), &account.channel);
        match &done {
            Ok(()) => {
                tracing::warn!(account = %name, %channel, "an address that was removed or changed is registered again");
            }
            Err(error) => {
                tracing::warn!(account = %name, %channel, %error, "an address that was removed or changed is not registered again");
            }
        }
        let attempted = Attempted { since: since.unwrap_or(now), at: now, error: done.err() };
        let before = status.health;
        account.change(|status| {
            status.registering = Some(attempted);
            // The address is the one that it was: what proved it before proves it now.
            let health = &mut status.health;
            health.is_reachable |= before.is_reachable;
            health.registered_at = before.registered_at.or(health.registered_at);
            health.unreached_since = health.unreached_since.map(|at| before.unreached_since.unwrap_or(at));
        });
    }
}

/// What was removed or changed before an order was the owner's doing, or is settled by it. The loop of checks keeps that.
fn forget_lapses(account: &Account) {
    account.change(|status| status.health.forget_lapses());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::Health;

    const NOW: Timestamp = Timestamp::from_micros(1_893_456_000_000_000);

    fn status(state: WebhookState, was_here: bool, tried: Option<(Duration, Option<&str>)>) -> AccountStatus {
        let attempted = |(ago, error): (Duration, Option<&str>)| Attempted {
            since: NOW.minus(ago),
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
    fn only_an_address_that_is_gone_or_has_a_gap_is_registered_again() {
        use WebhookState::{Elsewhere, Here, Lapsed, NotRegistered};
        for (state, due) in [(Here, false), (Elsewhere, false), (NotRegistered, false), (Lapsed, true)] {
            let status = status(state, true, None);
            assert_eq!(status.is_registering_due(ReceiveBy::Auto, NOW), due, "{state:?}");
            assert!(!status.is_registering_due(ReceiveBy::Poll, NOW), "{state:?}");
            assert!(!status.is_registering_due(ReceiveBy::Off, NOW), "{state:?}");
        }
        // So is one that only led here before its secret changed.
        assert!(status(Lapsed, false, None).is_registering_due(ReceiveBy::Webhook, NOW));
        let part = Some("it leaves out text".to_owned());
        for (state, due) in [(Here, true), (Elsewhere, false), (NotRegistered, false)] {
            let mut status = status(state, true, None);
            status.webhook.as_mut().expect("it was looked at").gap.clone_from(&part);
            assert_eq!(status.is_registering_due(ReceiveBy::Auto, NOW), due, "{state:?}");
        }
        let identity = Some(crate::Identity { gap: part, ..crate::Identity::default() });
        let hidden = AccountStatus { identity, ..AccountStatus::default() };
        assert!(hidden.is_registering_due(ReceiveBy::Auto, NOW), "the provider does not show its address");
    }

    #[test]
    fn the_gap_between_attempts_that_fail_doubles_up_to_ten_minutes() {
        let mut status = status(WebhookState::Lapsed, true, None);
        let (mut attempts, mut failed) = (Vec::new(), None);
        // A look every 20 seconds, for an hour.
        for seconds in (0..3_600).step_by(20) {
            let now = NOW.plus(Duration::from_secs(seconds));
            if status.is_registering_due(ReceiveBy::Auto, now) {
                attempts.push(seconds);
                let since = *failed.get_or_insert(now);
                status.registering = Some(Attempted { since, at: now, error: Some("no answer".to_owned()) });
            }
        }
        assert_eq!(attempts, [0, 20, 40, 80, 160, 320, 640, 1_240, 1_840, 2_440, 3_040]);
        assert!(status.is_registering_due(ReceiveBy::Auto, NOW), "the clock went back");
    }

    #[test]
    fn what_was_registered_is_registered_again_at_once() {
        let done = status(WebhookState::Lapsed, true, Some((Duration::ZERO, None)));
        assert!(done.is_registering_due(ReceiveBy::Auto, NOW), "it lapsed again");
    }

    #[test]
    fn posts_that_are_refused_or_left_out_are_a_loss() {
        let part = Some("it leaves out text".to_owned());
        let failed = Some((Duration::ZERO, Some("no answer")));
        let posted = |gap: &Option<String>, tried, is_refused, receives_by| {
            let mut status = AccountStatus { receives_by, ..status(WebhookState::Here, true, tried) };
            status.webhook.as_mut().expect("it was looked at").gap.clone_from(gap);
            for minutes in 0..if is_refused { 3 } else { 0 } {
                status.health.refusals.note(b"post", NOW.plus(Duration::from_mins(minutes)));
            }
            status
        };
        let by = ReceivesBy::Webhook;
        for (mut status, why) in [
            (posted(&None, None, false, by), None),
            (posted(&None, failed, false, by), None),
            (posted(&part, None, false, by), None),
            (posted(&part, failed, false, by), part.as_deref()),
            (posted(&None, None, true, by), Some(REFUSED)),
            (posted(&part, failed, true, ReceivesBy::Poll), None),
        ] {
            assert_eq!(status.webhook_loss(ReceiveBy::Auto), why.map(WebhookLoss::GivenUp), "{status:?}");
            assert_eq!(status.webhook_loss(ReceiveBy::Off), None);
            // A provider that does not show its address.
            let seen = status.webhook.take();
            let gap = seen.and_then(|seen| seen.gap);
            status.identity = Some(crate::Identity { gap, ..crate::Identity::default() });
            assert_eq!(status.webhook_loss(ReceiveBy::Auto), why.map(WebhookLoss::GivenUp), "{status:?}");
        }
    }

    #[test]
    fn an_address_that_lapses_again_and_again_is_a_loss_though_it_is_registered_again() {
        use WebhookState::{Elsewhere, Here, Lapsed};
        let failed = Some((Duration::ZERO, Some("no answer")));
        for (state, tried, loss) in [
            (Here, None, Some(WebhookLoss::Contested)),
            (Lapsed, failed, Some(WebhookLoss::Contested)),
            (Elsewhere, None, Some(WebhookLoss::Taken)),
        ] {
            let mut status = status(state, true, tried);
            for minutes in [0, 9] {
                assert_ne!(status.webhook_loss(ReceiveBy::Auto), Some(WebhookLoss::Contested));
                let now = NOW.plus(Duration::from_mins(minutes));
                status.health.note_lapse(now);
                status.looked_at = Some(now);
            }
            assert_eq!(status.webhook_loss(ReceiveBy::Auto), loss, "{state:?}");
            assert_eq!(status.webhook_loss(ReceiveBy::Poll), None);
            // Histories are read all the same.
            assert_ne!(status.present_loss(ReceiveBy::Auto), Some(WebhookLoss::Contested));
            status.looked_at = Some(NOW.plus(Duration::from_mins(19)));
            assert_ne!(status.webhook_loss(ReceiveBy::Auto), Some(WebhookLoss::Contested), "{state:?}");
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
