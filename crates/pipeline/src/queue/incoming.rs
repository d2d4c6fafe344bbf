//! Messages of clients that other programs push: the store takes each once, by the id that its provider gave it.

use std::collections::BTreeMap;

use ::queue::Taken;
use store::HandInOutcome;

use super::{Fate, Later, read};
use crate::inbound::{self, WrongField, is_true};
use crate::service::Inner;

pub(super) async fn take(inner: &Inner, taken: &[Taken], fates: &mut Vec<Fate>) -> Result<(), Later> {
    let now = inner.parts.clock.now();
    let (mut accounts, mut found) = (BTreeMap::<_, Vec<_>>::new(), Vec::with_capacity(taken.len()));
    for (place, Taken { item, .. }) in taken.iter().enumerate() {
        found.push(match read(item) {
            Err(reason) => Fate::Dead(reason),
            // As a program marks what it has answered itself.
            Ok(body) if is_true(&body["skip"]) => Fate::Taken,
            // The owner's programs alone reach Redis.
            Ok(body) => match inbound::read(&body, now, true) {
                Err(wrong) => Fate::Dead(reason(&wrong)),
                Ok(handed) => match inner.account_of(&handed.channel, handed.account) {
                    Ok(account) => {
                        if handed.is_time_replaced {
                            tracing::warn!(
                                id = %handed.message.external_id,
                                "a message has a time that no clock can have said"
                            );
                        }
                        accounts.entry((handed.channel, account)).or_default().push((place, handed.message));
                        Fate::Taken
                    }
                    Err(wrong) => Fate::Dead(reason(&[wrong])),
                },
            },
        });
    }
    for ((channel, account), messages) in accounts {
        let (places, messages): (Vec<usize>, Vec<_>) = messages.into_iter().unzip();
        let outcomes = inner.hand_in(channel, account, messages).await?;
        for (place, outcome) in places.into_iter().zip(outcomes) {
            if let HandInOutcome::Conflict { first, field } = outcome {
                found[place] = Fate::Dead(conflict(&first.to_string(), field));
            }
        }
    }
    fates.extend(found);
    Ok(())
}

/// Why an id that another message has is refused.
fn conflict(first: &str, field: &str) -> String {
    format!("external_message_id belongs to the message {first}, whose {field} differs")
}

/// The fields that are wrong, as one sentence.
pub(super) fn reason(wrong: &[WrongField]) -> String {
    let problems: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    problems.join("; ")
}
