//! What is seen of the whole in one look: what the accounts, services, ports and the store say of themselves.

use std::collections::HashMap;
use std::time::Duration;

use domain::account::AccountState;
use domain::measure::Spread;
use domain::{AccountName, Purpose, Service, Timestamp};
use store::{Stats, StoreError};
use telegram::{AccountView, CallsCounted, ServiceView};

use crate::card::CardId;
use crate::health::Port;

/// One look at everything that is in memory.
pub(crate) struct Observation {
    pub(crate) at: Timestamp,
    pub(crate) running: Duration,
    pub(crate) accounts: Vec<AccountView>,
    pub(crate) services: Vec<ServiceView>,
    pub(crate) ports: Vec<Port>,
    /// Services that nothing is asked of Telegram for.
    pub(crate) silent: Vec<Service>,
}

impl Observation {
    pub(crate) fn is_silent(&self, purposes: &[Purpose]) -> bool {
        let silent: Vec<Purpose> = self.silent.iter().map(|service| service.purpose()).collect();
        !purposes.is_empty() && purposes.iter().all(|purpose| silent.contains(purpose))
    }
}

/// What only asking could show.
pub(crate) struct Probes {
    /// By the name of the port: how long the answer took, or why there was none.
    pub(crate) ports: HashMap<String, Result<Duration, String>>,
    pub(crate) store: Result<Duration, StoreError>,
    pub(crate) stock: Option<Stats>,
}

/// The ids of an account's lines, in their order. Two lines for the same purposes are distinguished by a number.
pub(crate) fn line_ids(account: &AccountView) -> Vec<CardId> {
    let same_before = |place: usize, name: &str| {
        account.lines.iter().take(place).filter(|other| other.name == name).count()
    };
    let id = |(place, line): (usize, &telegram::LineView)| match same_before(place, &line.name) {
        0 => CardId::line(&account.name, &line.name),
        before => CardId::line(&account.name, &format!("{}.{}", line.name, before + 1)),
    };
    account.lines.iter().enumerate().map(id).collect()
}

/// When each line was answered last, by its place; to know a line that was answered since.
#[derive(Debug, Default)]
pub(crate) struct LastAnswers(HashMap<CardId, (Option<Timestamp>, u32)>);

impl LastAnswers {
    /// Whether a line was answered since it was noted here. Any other time counts, as the clock may have been set back.
    pub(crate) fn is_new(&self, line: &CardId, answer: Option<Timestamp>) -> bool {
        answer.is_some() && self.0.get(line).is_none_or(|(before, _)| *before != answer)
    }

    /// In how many rounds in a row it was connecting by now.
    pub(crate) fn connecting(&self, line: &CardId) -> u32 {
        self.0.get(line).map_or(0, |(_, rounds)| *rounds)
    }

    /// Those of this round take the place of those of the last one.
    pub(crate) fn note(&mut self, accounts: &[AccountView]) {
        let before = std::mem::take(&mut self.0);
        for account in accounts {
            for (id, line) in line_ids(account).into_iter().zip(&account.lines) {
                let rounds = before.get(&id).map_or(0, |(_, rounds)| *rounds);
                let rounds = if line.state == AccountState::Connecting { rounds + 1 } else { 0 };
                self.0.insert(id, (line.last_answer_at, rounds));
            }
        }
    }

    /// Connected lines that were not answered since, each with its account and its place there.
    pub(crate) fn unanswered(&self, accounts: &[AccountView]) -> Vec<(AccountName, usize)> {
        let of_account = |account: &AccountView| {
            let lines = line_ids(account).into_iter().zip(&account.lines).enumerate();
            lines
                .filter(|(_, (id, line))| {
                    line.state == AccountState::Ready && !self.is_new(id, line.last_answer_at)
                })
                .map(|(place, _)| (account.name.clone(), place))
                .collect::<Vec<_>>()
        };
        accounts.iter().flat_map(of_account).collect()
    }
}

/// The time that this part of all answers did not exceed; of a histogram the upper bound of its bucket.
pub(crate) fn quantiles<const N: usize>(calls: &[CallsCounted], parts: [f64; N]) -> [Option<Duration>; N] {
    let spreads: Vec<Spread> = calls.iter().map(|calls| calls.times.clone()).collect();
    parts.map(|part| of_spreads(&spreads, part))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of calls as a part of all of them; a few calls more or less change nothing"
)]
fn of_spreads(spreads: &[Spread], part: f64) -> Option<Duration> {
    let bounds = spreads.first()?.bounds;
    let all: u64 = spreads.iter().map(Spread::count).sum();
    if all == 0 {
        return None;
    }
    let wanted = ((all as f64 * part).ceil() as u64).max(1);
    let mut below = 0;
    for (bucket, bound) in bounds.iter().enumerate() {
        below += spreads.iter().filter_map(|spread| spread.counts.get(bucket)).sum::<u64>();
        if below >= wanted {
            return Some(Duration::from_micros(*bound));
        }
    }
    bounds.last().map(|bound| Duration::from_micros(*bound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::measure::{Histogram, SHORT_TIMES};

    #[test]
    fn a_quantile_is_the_bound_that_so_many_stay_under() {
        let times = Histogram::new(SHORT_TIMES);
        for millis in [1, 1, 1, 40] {
            times.add_time(Duration::from_millis(millis));
        }
        let spreads = [times.spread(), Histogram::new(SHORT_TIMES).spread()];
        assert_eq!(of_spreads(&spreads, 0.5), Some(Duration::from_millis(1)));
        assert_eq!(of_spreads(&spreads, 0.99), Some(Duration::from_millis(50)));
        assert_eq!(of_spreads(&spreads[1..], 0.5), None);
        assert_eq!(of_spreads(&[], 0.5), None);
    }
}
