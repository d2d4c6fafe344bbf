//! Messages of clients that other programs push: the store takes each once, by the id that its provider gave it.

use std::collections::BTreeMap;

use ::queue::Taken;

use super::{Fate, Later, read};
use crate::inbound::{self, WrongField, is_true};
use crate::service::Inner;

pub(super) async fn take(inner: &Inner, taken: &[Taken], fates: &mut Vec<Fate>) -> Result<(), Later> {
    let now = inner.parts.clock.now();
    let (mut accounts, mut found) = (BTreeMap::<_, Vec<_>>::new(), Vec::with_capacity(taken.len()));
    for Taken { item, .. } in taken {
        found.push(match read(item) {
            Err(reason) => Fate::Dead(reason),
            // As a program marks what it has answered itself.
            Ok(body) if is_true(&body["skip"]) => Fate::Taken,
            // The owner's programs alone reach Redis.
            Ok(body) => match inbound::read(&body, now, true) {
                Err(wrong) => Fate::Dead(reason(&wrong)),
                Ok(handed) => match inner.account_of(&handed.channel, handed.account) {
                    Ok(account) => {
                        accounts.entry((handed.channel, account)).or_default().push(handed.message);
                        Fate::Taken
                    }
                    Err(wrong) => Fate::Dead(reason(&[wrong])),
                },
            },
        });
    }
    for ((channel, account), messages) in accounts {
        inner.hand_in(channel, account, messages).await?;
    }
    fates.extend(found);
    Ok(())
}

/// The fields that are wrong, as one sentence.
pub(super) fn reason(wrong: &[WrongField]) -> String {
    let problems: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    problems.join("; ")
}
