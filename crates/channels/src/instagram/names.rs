//! Names of customers: posts have none, so that each is asked for once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ambient::lock::Mutex;
use domain::{InboundChange, InboundEvent, InboundMessage, MessageOrigin};

use crate::error::CallError;

use super::client::{Client, word};

/// The most names that are remembered.
const MOST: usize = 10_000;
/// The longest wait for all names of a post.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Names by the ids of customers; none where a customer lets no one know it.
#[derive(Default)]
pub(super) struct Names(Mutex<BTreeMap<String, Option<String>>>);

impl Names {
    /// Fills in names. Who has none keeps none.
    pub(super) async fn fill(&self, client: &Client, mut events: Vec<InboundEvent>) -> Vec<InboundEvent> {
        let unknown: BTreeSet<String> = {
            let names = self.0.lock();
            nameless(&mut events).map(|(user, _)| user).filter(|user| !names.contains_key(user)).collect()
        };
        let ask = async {
            for user in unknown {
                let reply = client.get(&user, &[("fields", "name,username")]).await;
                let known = match reply {
                    Ok(reply) => word(&reply, "name").or_else(|| word(&reply, "username")),
                    // The customer has not agreed to it.
                    Err(CallError::Refused { .. } | CallError::NotFound(_) | CallError::Forbidden(_)) => None,
                    // The next message asks again.
                    Err(_) => return,
                };
                self.remember(user, known);
            }
        };
        // What is not known by then is left out.
        let _ = client.clock().timeout(LONGEST_WAIT, ask).await;
        let names = self.0.lock();
        for (user, message) in nameless(&mut events) {
            message.name = names.get(&user).cloned().flatten();
        }
        drop(names);
        events
    }

    fn remember(&self, user: String, name: Option<String>) {
        let mut names = self.0.lock();
        if names.len() >= MOST {
            names.pop_first();
        }
        names.insert(user, name);
    }
}

fn nameless(events: &mut [InboundEvent]) -> impl Iterator<Item = (String, &mut InboundMessage)> {
    events.iter_mut().filter_map(|event| match &mut event.change {
        InboundChange::Message(message)
            if message.origin == MessageOrigin::Person && message.name.is_none() =>
        {
            // The id is part of a path.
            let user = message.user.clone().filter(|user| user.bytes().all(|byte| byte.is_ascii_digit()))?;
            Some((user, &mut **message))
        }
        _ => None,
    })
}
