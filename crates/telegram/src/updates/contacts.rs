//! Who is in the contacts of an account: asked for as a whole, as Telegram shows many of them only once they write, and
//! of those who write not always that they are contacts.

use std::collections::{BTreeSet, HashSet};
use std::iter::once;
use std::time::Duration;

use domain::account::Operation;
use domain::{ChatId, Timestamp};
use grammers_tl_types::{enums, functions};

use super::StepError;
use crate::account::Account;

/// How often they are asked for where nothing says that they changed.
const EVERY: Duration = Duration::from_hours(24);

/// The shortest time between two questions, however often they change.
const LEAST: Duration = Duration::from_mins(1);

/// When the contacts of an account are asked for, and which answer was taken last.
#[derive(Debug, Default)]
pub(super) struct Contacts {
    due: Timestamp,
    requested_at: Timestamp,
    /// Sent along for that answer, so that Telegram gives no other unless there is news; 0 before the first.
    hash: i64,
}

impl Contacts {
    pub(super) const fn due(&self) -> Timestamp {
        self.due
    }

    /// Telegram says that they may have changed.
    pub(super) fn changed(&mut self) {
        self.due = self.due.min(self.requested_at.plus(LEAST));
    }

    /// Asks for them. What goes wrong is tried again later, and holds no update up.
    pub(super) async fn ask(&mut self, account: &Account) {
        self.requested_at = account.now();
        let wait = match self.read(account).await {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::debug!(account = %account.name, %error, "the contacts could not be read");
                LEAST
            }
        };
        self.due = self.requested_at.plus(account.health.chance.jitter(wait));
    }

    async fn read(&mut self, account: &Account) -> Result<(), StepError> {
        let request = functions::contacts::GetContacts { hash: self.hash };
        let answer = match account.read(Operation::Read, &request).await? {
            enums::contacts::Contacts::Contacts(answer) => answer,
            enums::contacts::Contacts::NotModified => return Ok(()),
        };
        let id = |contact: &enums::Contact| {
            let enums::Contact::Contact(contact) = contact;
            contact.user_id
        };
        let ids: BTreeSet<i64> = answer.contacts.iter().map(id).collect();
        account.learn(&answer.users, &[], &[]).await;
        let listed: HashSet<ChatId> = ids.iter().filter_map(|id| ChatId::user(*id)).collect();
        let gone = account.peers.contacts_beside(&listed);
        account.store.peers().no_contacts(&account.name, &gone).await?;
        account.peers.no_contacts(&gone);
        self.hash = hash(answer.saved_count, &ids);
        Ok(())
    }
}

/// The number by which Telegram sees that an answer is known.
fn hash(saved_count: i32, ids: &BTreeSet<i64>) -> i64 {
    let numbers = once(i64::from(saved_count)).chain(ids.iter().copied());
    let mixed = numbers.fold(0_u64, |mut mixed, number| {
        mixed ^= mixed >> 21;
        mixed ^= mixed << 35;
        mixed ^= mixed >> 4;
        mixed.wrapping_add(number.cast_unsigned())
    });
    mixed.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_of_the_count_and_the_ids() {
        for (saved_count, ids, wanted) in [
            (0, &[][..], 0),
            (0, &[5], 5),
            (2, &[7, 5], 1_130_485_052_899_470),
            (1, &[777_000, 5_000_000_001], 25_111_564_370_647_260),
        ] {
            assert_eq!(hash(saved_count, &ids.iter().copied().collect()), wanted, "{ids:?}");
        }
    }

    #[test]
    fn changes_are_requested_once_a_minute_at_most() {
        let at = |seconds| Timestamp::from_micros(0).plus(Duration::from_secs(seconds));
        let mut contacts = Contacts { due: at(86_400), requested_at: at(100), hash: 1 };
        contacts.changed();
        assert_eq!(contacts.due(), at(160));
        contacts.due = at(120);
        contacts.changed();
        assert_eq!(contacts.due(), at(120));
    }
}
