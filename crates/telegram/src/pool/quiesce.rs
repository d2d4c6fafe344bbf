//! Silence: lines that ask nothing of Telegram for a while, whatever is switched on; and asking on purpose.

use domain::account::AccountState;
use domain::{AccountName, Purpose, Service};

use crate::pool::Pool;
use ambient::lock::Mutex;

/// The services that nothing is asked for.
#[derive(Debug, Default)]
pub(crate) struct Quiesced(Mutex<Vec<Service>>);

impl Quiesced {
    pub(crate) fn new(services: Vec<Service>) -> Self {
        Self(Mutex::new(services))
    }

    fn services(&self) -> Vec<Service> {
        self.0.lock().clone()
    }

    fn set(&self, services: &[Service]) {
        *self.0.lock() = services.to_vec();
    }

    /// Whether a line for these is silent: one that serves anything else goes on.
    pub(crate) fn covers(&self, purposes: &[Purpose]) -> bool {
        let silent: Vec<Purpose> = self.services().into_iter().map(Service::purpose).collect();
        !purposes.is_empty() && purposes.iter().all(|purpose| silent.contains(purpose))
    }
}

impl Pool {
    /// From now on nothing is asked of Telegram for these services, and for the others something may be: a line that
    /// serves none of the others is not even connected. What waits for it goes on waiting, as for one that connects.
    /// Anyone who wants it kept over a restart writes it into the store first.
    pub fn quiesce(&self, services: &[Service]) {
        self.running.quiesced.set(services);
        for account in self.all().iter() {
            for line in account.lines().iter() {
                line.quiesce(self.running.quiesced.covers(&line.purposes()));
            }
        }
        self.changes.tell();
    }

    pub fn quiesced(&self) -> Vec<Service> {
        self.running.quiesced.services()
    }

    /// Lets a line ask something at once, if it is connected. Its place is the one among the account's
    /// [`crate::AccountView::lines`].
    pub fn probe(&self, account: &AccountName, place: usize) {
        if let Some(account) = self.get(account)
            && let Some(line) = account.lines().get(place)
            && line.state() == AccountState::Ready
        {
            line.ask();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_silent_when_all_its_purposes_are() {
        let quiesced = Quiesced::new(vec![Service::SendText, Service::SendMedia]);
        assert!(quiesced.covers(&[Purpose::SendText]));
        assert!(!quiesced.covers(&[Purpose::SendText, Purpose::LeaveChat]));
        assert!(!quiesced.covers(&[]));
        quiesced.set(&Service::ALL);
        assert!(quiesced.covers(&Purpose::ALL));
    }
}
