//! Whether posts arrive: the program calls the address that is registered at a provider, by the way that the provider takes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ambient::lock::Mutex;
use ambient::{Chance, Clock};
use config::ReceiveBy;
use domain::Timestamp;
use outbound::Names;

use crate::accounts::{Account, AccountStatus, ReceivesBy};
use crate::health::WebhookState;
use crate::http::{Http, NoClient, Route};
use crate::provider::HookPost;
use crate::reception::Reception;
use crate::shared_hook::is_of_app;

/// The header of a call that proves an address, and of the answer to it.
pub const ARRIVAL_HEADER: &str = "switchboard-arrival";

/// The longest wait for the answer. Within a minute two looks wait so long, and a round of health checks and an alert have their turn.
const LIMIT: Duration = Duration::from_secs(8);
/// The greatest answer that is read.
const LARGEST: u64 = 64 * 1024;
/// How far before the last good look histories are read again: the provider's clock may differ, and a post may have been on its way.
const OVERLAP: Duration = Duration::from_mins(2);
/// How often it is kept that posts arrive.
const KEEP: Duration = Duration::from_mins(10);
/// The longest gap between two attempts, such as to read histories.
const LONGEST_GAP: Duration = Duration::from_mins(10);
/// A chat whose history fails is left out after this time.
const GIVE_UP: Duration = Duration::from_hours(1);
/// The log names at most this number of them.
const MOST_NAMED: usize = 5;
/// So long a post to another account shows that providers reach an address that this program does not reach.
const POST_COUNTS: Duration = Duration::from_hours(24);
/// Two looks take so long at most.
const LOOKS: Duration = Duration::from_secs(45);
/// The most calls that are under way.
const MOST: usize = 1_000;

/// How the last call of an account's own address ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    pub at: Timestamp,
    /// Why the address does not lead to this account.
    pub error: Option<String>,
    /// Whether the same calls fail for another account whose provider posts through the same `public_url`.
    pub others_arrive: bool,
}

/// How far histories are read of what was not posted here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CatchUp {
    /// Whether all that came in was reported here or is read.
    is_done: bool,
    /// When reading failed first, and last.
    failed: Option<(Timestamp, Timestamp)>,
    /// Since when only single chats fail.
    chats_fail_since: Option<Timestamp>,
}

impl CatchUp {
    /// Whether to read again.
    fn is_due(&self, now: Timestamp) -> bool {
        self.failed.is_none_or(|failed| is_due_again(failed, now))
    }
}

/// Whether to try again after attempts of which the first and the last failed at these times. The gap between attempts doubles, up
/// to ten minutes. A clock that went back makes no gap.
pub(crate) fn is_due_again((first, last): (Timestamp, Timestamp), now: Timestamp) -> bool {
    now < last || now.since(last) >= last.since(first).min(LONGEST_GAP)
}

/// Calls addresses to learn whether they lead to this process.
pub struct Prover {
    /// For addresses below `public_url`.
    own: Http,
    /// For addresses that callers name.
    of_callers: Http,
    chance: Chance,
    /// The words of the calls that are under way, each with the word that answers it.
    under_way: Mutex<HashMap<String, String>>,
}

/// What an address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum LeadsTo {
    /// A part of this process that takes posts.
    Posts,
    /// Another part of this process, which answers with this status.
    Here(u16),
    /// Another program, or nothing: why.
    Elsewhere(String),
}

impl Prover {
    /// Makes one for a program at this address. `names` judges the addresses that callers name.
    ///
    /// # Errors
    /// No client can be made.
    pub fn new(clock: &Clock, public_url: &str, names: Names, chance: Chance) -> Result<Self, NoClient> {
        let own = Http::new(clock.clone(), public_url, &Route { names: names.clone(), ..Route::default() })?;
        let of_callers = Http::of_callers(clock.clone(), names)?;
        Ok(Self { own, of_callers, chance, under_way: Mutex::default() })
    }

    /// Returns the word that answers the word of a call that is under way.
    fn answer(&self, word: &str) -> Option<String> {
        self.under_way.lock().get(word).cloned()
    }

    async fn call(&self, http: &Http, url: &str) -> LeadsTo {
        let random = || format!("{:016x}{:016x}", self.chance.random_id(), self.chance.random_id());
        let (word, answer) = (random(), random());
        {
            let mut under_way = self.under_way.lock();
            if under_way.len() >= MOST {
                return LeadsTo::Elsewhere("too many addresses are tried at once".to_owned());
            }
            under_way.insert(word.clone(), answer.clone());
        }
        let request = http.post(url).header(ARRIVAL_HEADER, &word);
        let called = http.call_within(request, LIMIT, LARGEST).await;
        self.under_way.lock().remove(&word);
        match called {
            Err(error) => LeadsTo::Elsewhere(error.to_string()),
            Ok(got)
                if got
                    .headers
                    .get(ARRIVAL_HEADER)
                    .is_none_or(|word| word.as_bytes() != answer.as_bytes()) =>
            {
                LeadsTo::Elsewhere(format!("another program answers there, with {}", got.status))
            }
            Ok(got) if got.is_success() => LeadsTo::Posts,
            Ok(got) => LeadsTo::Here(got.status),
        }
    }
}

impl AccountStatus {
    /// Whether all that customers write is posted here, by the last look.
    fn arrives(&self, receive: ReceiveBy) -> bool {
        self.receives_by == ReceivesBy::Webhook
            && self.webhook.as_ref().is_none_or(|seen| seen.state == WebhookState::Here)
            && self.stopped.is_none()
            && self.present_loss(receive).is_none()
    }

    /// Why posts do not arrive at the address that is registered, by the last call of it. A genuine post that came since such calls
    /// fail proves the address all the same: some networks do not lead back into themselves. For an address that was never reached from
    /// here, a post since it was registered does. So does a post to another account by which such a network is known.
    pub fn not_arriving(&self) -> Option<&str> {
        let arrival = self.arrival.as_ref()?;
        let error = arrival.error.as_deref()?;
        (!arrival.others_arrive && !self.has_come()).then_some(error)
    }

    /// Whether a genuine post came since calls of the address fail, or since it was registered.
    fn has_come(&self) -> bool {
        let health = &self.health;
        // A network that led back into itself before does so again: there only a post since the last looks counts.
        let recent = self.arrival.as_ref().map(|last| last.at.minus(LOOKS));
        let from =
            if health.is_reachable { health.unreached_since.max(recent) } else { health.registered_at };
        health.last_post_at.is_some_and(|at| from.is_none_or(|from| at >= from))
    }

    /// Whether the provider reaches the address and this program does not.
    fn is_reached_by_posts_alone(&self, now: Timestamp) -> bool {
        let is_recent = |at: Timestamp| at <= now && now.since(at) < POST_COUNTS;
        self.arrival.as_ref().is_some_and(|last| last.error.is_some())
            && self.has_come()
            && self.health.last_post_at.is_some_and(is_recent)
    }
}

impl Reception {
    /// The same, with what proves that addresses lead here.
    #[must_use]
    pub fn with_prover(mut self, prover: Prover) -> Self {
        self.prover = Some(prover.into());
        self
    }

    /// Returns the word that answers a call of this process to one of its own addresses.
    pub fn arrival_answer(&self, word: &str) -> Option<String> {
        self.prover.as_ref()?.answer(word)
    }

    /// Whether a request is a call of this process to one of its own addresses.
    pub(crate) fn is_proof(&self, post: &HookPost) -> bool {
        let word = post.header(ARRIVAL_HEADER).and_then(|word| std::str::from_utf8(word).ok());
        word.is_some_and(|word| self.arrival_answer(word).is_some())
    }

    /// Whether an address that a caller names leads to this process.
    pub(crate) async fn leads_here(&self, url: &str) -> bool {
        let Some(prover) = &self.prover else { return false };
        !matches!(prover.call(&prover.of_callers, url).await, LeadsTo::Elsewhere(_))
    }

    /// Reads what an account's provider could not post, once posts arrive: after a start, and after an outage.
    pub(crate) async fn catch_up(&self, account: &Arc<Account>) {
        let (status, now) = (account.status(), self.channels().clock().now());
        if !status.arrives(account.fields.receive) {
            account.change(|status| status.catch_up = CatchUp::default());
            return;
        }
        let (is_done, last) = (status.catch_up.is_done, status.health.caught_up_at);
        if !is_done && !status.catch_up.is_due(now) {
            return;
        }
        if !is_done
            && let Some(last) = last
            && let Err(why) = self.read_missed(account, last.minus(OVERLAP), now).await
        {
            tracing::warn!(account = %account.name(), channel = %account.channel, why, "histories are read again later");
            account.change(|status| {
                let first = status.catch_up.failed.map_or(now, |(first, _)| first);
                status.catch_up.failed = Some((first, now));
                status.health.note(&format!("histories: {why}"), now);
            });
            return;
        }
        // Posts arrived when the provider was asked last. After that they may not have.
        let arrived_at = status.webhook.map_or(now, |seen| seen.at);
        account.change(|status| {
            let is_old = |last| arrived_at < last || arrived_at.since(last) >= KEEP;
            if !is_done || last.is_none_or(is_old) {
                status.health.caught_up_at = Some(arrived_at);
            }
            status.catch_up = CatchUp { is_done: true, ..CatchUp::default() };
        });
    }

    /// Reads histories since then, where the provider has them. A chat that fails is read again for an hour.
    async fn read_missed(
        &self,
        account: &Arc<Account>,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), String> {
        let known = self.known_chats(account).await.map_err(|error| error.to_string())?;
        let Some(missed) = account.provider.missed(since, known) else { return Ok(()) };
        let read = missed.await.map_err(|error| error.to_string())?;
        if !read.events.is_empty() {
            let events = account.provider.complete(read.events).await;
            self.take(account, events, None).await.map_err(|error| error.to_string())?;
        }
        let Some((_, error)) = read.failed.first() else { return Ok(()) };
        let chats: Vec<&str> = read.failed.iter().take(MOST_NAMED).map(|(chat, _)| chat.as_str()).collect();
        let why = format!(
            "{} of the chats cannot be read, such as {}: {error}",
            read.failed.len(),
            chats.join(", ")
        );
        let mut fails_since = now;
        account.change(|status| fails_since = *status.catch_up.chats_fail_since.get_or_insert(now));
        if now.since(fails_since) < GIVE_UP {
            return Err(why);
        }
        tracing::error!(account = %account.name(), channel = %account.channel, why, "chats are left out, which may have messages");
        account.change(|status| status.health.note(&format!("histories are left out: {why}"), now));
        Ok(())
    }

    /// Calls the address of an account as its provider does, and notes whether it leads to the account.
    pub(crate) async fn prove(&self, account: &Account) {
        let Some(prover) = &self.prover else { return };
        let Some(url) = self.posted_url(account) else {
            account.change(|status| status.arrival = None);
            return;
        };
        let leads_to = prover.call(&prover.own, &url).await;
        let at = self.channels().clock().now();
        let others_arrive =
            matches!(leads_to, LeadsTo::Elsewhere(_)) && self.do_others_arrive(account, &url, at);
        let error = match leads_to {
            LeadsTo::Posts => None,
            LeadsTo::Here(status) => Some(format!("this program answers there with {status}")),
            LeadsTo::Elsewhere(why) => Some(why),
        };
        let was = account.status().arrival.is_some_and(|last| last.error.is_some());
        match &error {
            Some(why) if !was => {
                tracing::warn!(account = %account.name(), channel = %account.channel, why, "this program does not reach its own address");
            }
            None if was => {
                tracing::info!(account = %account.name(), channel = %account.channel, "this program reaches its own address again");
            }
            _ => {}
        }
        account.change(|status| {
            let health = &mut status.health;
            health.is_reachable |= error.is_none();
            let since = health.unreached_since.filter(|since| *since <= at).unwrap_or(at);
            health.unreached_since = error.is_some().then_some(since);
            status.arrival = Some(Arrival { at, error, others_arrive });
        });
    }

    /// Whether a person enters the address of an account at a provider that cannot be asked for it, and nothing has come to it since
    /// it is this address. What comes to one account of an app proves the address of all.
    pub(crate) fn is_unproved(&self, account: &Account) -> bool {
        let provider = &account.provider;
        let is_to_post = provider.confirms_addresses() || account.fields.receive == ReceiveBy::Webhook;
        let is_proved = |other: &Account| {
            other.status().health.posted_to.is_some_and(|address| address == self.address_id(other))
        };
        let shares = |other: &Account| {
            other.name() == account.name() || provider.shares_hook() && is_of_app(other, account)
        };
        is_to_post
            && self.posted_url(account).is_some()
            && provider.registered().is_none()
            && !self.channels().of(&account.channel).any(|other| shares(other) && is_proved(other))
    }

    /// Whether another account shows that providers reach `public_url` and this program does not. One that also takes posts without a
    /// secret shows nothing: those may come by another way.
    fn do_others_arrive(&self, account: &Account, url: &str, now: Timestamp) -> bool {
        let is_below = |url: String| self.is_below_public_url(&url);
        is_below(url.to_owned())
            && self.channels().all().any(|other| {
                other.name() != account.name()
                    && !other.fields.old_hook
                    && self.posted_url(other).is_some_and(is_below)
                    && other.status().is_reached_by_posts_alone(now)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_that_came_proves_an_address_that_is_not_reached_from_here() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let failed = Some(Arrival { at: at(100), error: Some("no route".to_owned()), others_arrive: false });
        let fine = Some(Arrival { at: at(100), error: None, others_arrive: false });
        for (arrival, is_reachable, registered_at, last_post_at, expected) in [
            (None, false, None, None, None),
            (fine, false, Some(at(10)), None, None),
            (failed.clone(), false, Some(at(10)), None, Some("no route")),
            (failed.clone(), false, Some(at(10)), Some(at(9)), Some("no route")),
            (failed.clone(), false, Some(at(10)), Some(at(11)), None),
            (failed.clone(), false, None, Some(at(11)), None),
            (failed.clone(), true, Some(at(10)), Some(at(11)), Some("no route")),
            // It fails since the 60th second.
            (failed.clone(), true, Some(at(10)), Some(at(59)), Some("no route")),
            (failed, true, Some(at(10)), Some(at(61)), None),
        ] {
            let mut status = AccountStatus { arrival, ..AccountStatus::default() };
            let health = &mut status.health;
            (health.is_reachable, health.registered_at, health.last_post_at) =
                (is_reachable, registered_at, last_post_at);
            health.unreached_since = Some(at(60));
            assert_eq!(status.not_arriving(), expected, "{status:?}");
        }
    }
}
