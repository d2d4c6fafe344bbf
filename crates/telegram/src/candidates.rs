//! Who could carry a message: from memory, or after asking for the one chat that memory does not know.

use std::sync::atomic::Ordering;
use std::time::Duration;

use delivery::{Candidate, Candidates, Query, Why};
use domain::account::Reason;
use domain::{ChatId, ChatKind, ChatRef, Timestamp, outcome};
use futures::future::join_all;

use crate::account::Account;
use crate::flights::Boarding;
use crate::lookup;
use crate::peers::Knows;
use crate::pool::Pool;
use crate::router::{self, Choice, Facts, Refusal, Usable};

/// How long asking may take, waiting for accounts that are still connecting included.
const ASK: Duration = Duration::from_secs(15);

/// How many accounts are asked for one chat.
const ASKED: usize = 8;

/// What asking brought.
enum Asked {
    /// Something was learned: look again.
    Learned,
    /// The chat does not exist, or none of them knows it.
    Nobody,
    /// Nobody could be asked: why, by account.
    Failed(Vec<(usize, String)>),
    /// Accounts are still coming, or still reading their dialogs.
    NotYet,
}

/// The candidates as far as memory knows them.
pub(crate) fn now(pool: &Pool, query: &Query) -> Option<Candidates> {
    let now = pool.clock.now();
    let topic = || (query.chat.clone(), pin(pool, query));
    let Some(chat_id) = pool.find(&query.chat) else {
        let anyone = considered(pool, query).any(|account| !matches!(account.usable(), Usable::No(..)));
        let may_learn = anyone && !pool.flights.is_missed(&topic(), now);
        return (!may_learn).then(|| nobody(pool, query));
    };
    let choice = choose(pool, query, chat_id, now);
    let may_learn = choice.able.is_empty()
        && choice.refused.iter().any(|(_, refusal)| *refusal == Refusal::Unknown)
        && !pool.flights.is_missed(&topic(), now);
    (!may_learn).then(|| render(pool, chat_id, &choice))
}

/// The candidates, after asking.
pub(crate) async fn ask(pool: &Pool, query: &Query) -> Candidates {
    let deadline = pool.clock.now().plus(ASK);
    loop {
        let mut changes = pool.changes.subscribe();
        if let Some(candidates) = now(pool, query) {
            return candidates;
        }
        let topic = (query.chat.clone(), pin(pool, query));
        match pool.flights.board(topic.clone()) {
            Boarding::Wait(mut answered) => {
                // Ends when the other question does.
                let _ = pool.clock.timeout_at(deadline, answered.changed()).await;
            }
            Boarding::Ask(_flight) => {
                let asked =
                    pool.clock.timeout_at(deadline, ask_once(pool, query)).await.unwrap_or(Asked::NotYet);
                match asked {
                    Asked::Learned => {}
                    Asked::Nobody => pool.flights.miss(topic, pool.clock.now()),
                    Asked::Failed(why) => return failed(pool, query, &why),
                    Asked::NotYet => {
                        let _ = pool.clock.timeout_at(deadline, changes.changed()).await;
                    }
                }
            }
        }
        if pool.clock.now() >= deadline {
            return match pool.find(&query.chat) {
                Some(chat_id) => render(pool, chat_id, &choose(pool, query, chat_id, deadline)),
                None => nobody(pool, query),
            };
        }
    }
}

// ---- asking ------------------------------------------------------------------------------------------------------

async fn ask_once(pool: &Pool, query: &Query) -> Asked {
    let known = pool.find(&query.chat);
    let ignorant = |account: &&Account| known.is_none_or(|chat_id| account.peers.knows(chat_id) == Knows::No);
    let mut coming = false;
    let mut ready = Vec::new();
    for account in considered(pool, query).filter(ignorant) {
        match account.usable() {
            Usable::Now if ready.len() < ASKED => ready.push(account),
            Usable::Now | Usable::No(..) => {}
            Usable::Connecting => coming = true,
        }
    }
    if ready.is_empty() {
        return if coming { Asked::NotYet } else { Asked::Failed(Vec::new()) };
    }
    match &query.chat {
        ChatRef::Username(name) => {
            let mut failures = Vec::new();
            for account in ready {
                match lookup::resolve(account, name).await {
                    // A name means the same to everyone; one answer is enough.
                    Ok(Some(_)) => return Asked::Learned,
                    Ok(None) => return Asked::Nobody,
                    Err(error) => failures.push((account.index, error.to_string())),
                }
            }
            Asked::Failed(failures)
        }
        ChatRef::Id(chat_id) => {
            let reading = ready.iter().any(|account| !account.dialogs_complete.load(Ordering::Acquire));
            if reading && chat_id.kind() != ChatKind::Group {
                return Asked::NotYet;
            }
            let answers = join_all(ready.iter().map(|account| lookup::by_id(account, *chat_id))).await;
            if answers.iter().any(|answer| matches!(answer, Ok(true))) {
                return Asked::Learned;
            }
            if by_name(&ready, *chat_id).await {
                return Asked::Learned;
            }
            if answers.iter().any(Result::is_ok) {
                return Asked::Nobody;
            }
            let failures = ready.iter().zip(answers);
            Asked::Failed(
                failures
                    .filter_map(|(account, answer)| Some((account.index, answer.err()?.to_string())))
                    .collect(),
            )
        }
    }
}

/// Reaches a chat that another account knows under a public name: names mean the same to everyone.
async fn by_name(ready: &[&Account], chat_id: ChatId) -> bool {
    let Some(name) = ready.first().and_then(|account| account.names.of(chat_id)) else { return false };
    for account in ready {
        // Whoever may not ask now leaves it to the next.
        if let Ok(found) = lookup::resolve(account, &name).await {
            return found == Some(chat_id);
        }
    }
    false
}

// ---- choosing ----------------------------------------------------------------------------------------------------

fn pin(pool: &Pool, query: &Query) -> Option<usize> {
    query.pin.as_ref().and_then(|name| pool.index(name))
}

/// The accounts that this message may be asked of.
fn considered<'a>(pool: &'a Pool, query: &'a Query) -> impl Iterator<Item = &'a Account> {
    let pinned = pin(pool, query);
    let known = pool.find(&query.chat);
    let bound = known.and_then(|chat_id| pool.bound(chat_id));
    let private = known.is_some_and(|chat_id| chat_id.kind() == ChatKind::User);
    pool.accounts.iter().map(AsRef::as_ref).filter(move |account: &&Account| match (&query.pin, bound) {
        (Some(_), _) => pinned == Some(account.index),
        (None, Some(bound)) if private => bound == account.index,
        (None, bound) => account.in_pool || bound == Some(account.index),
    })
}

fn choose(pool: &Pool, query: &Query, chat_id: ChatId, now: Timestamp) -> Choice {
    // A pin that names no account leaves nobody.
    let pinned = query.pin.is_some().then(|| pin(pool, query).unwrap_or(usize::MAX));
    let facts = pool.accounts.iter().map(|account| facts(account, chat_id, now)).collect();
    router::choose(chat_id.kind(), pinned, pool.bound(chat_id), facts, now)
}

fn facts(account: &Account, chat_id: ChatId, now: Timestamp) -> Facts {
    let held = account.holds.of(chat_id, now);
    Facts {
        index: account.index,
        priority: account.priority,
        in_pool: account.in_pool,
        load: account.standing.load(),
        usable: account.usable(),
        knows: account.peers.knows(chat_id),
        peer_flood: account.standing.restriction() == Some(Reason::PeerFlood),
        held_until: held.until,
        marked: held.marked,
    }
}

// ---- telling -----------------------------------------------------------------------------------------------------

fn render(pool: &Pool, chat_id: ChatId, choice: &Choice) -> Candidates {
    let name = |index: usize| pool.accounts.get(index).map(|account| account.name.clone());
    let able: Vec<Candidate> = choice
        .able
        .iter()
        .filter_map(|(index, readiness)| Some(Candidate { account: name(*index)?, readiness: *readiness }))
        .collect();
    // Who does not know the chat is of interest only when nobody can write there.
    let told = |refusal: &Refusal| able.is_empty() || *refusal != Refusal::Unknown;
    let refused = choice
        .refused
        .iter()
        .filter(|(_, refusal)| told(refusal))
        .filter_map(|(index, refusal)| {
            let account = pool.accounts.get(*index)?;
            Some(refused(account, in_words(account, chat_id, *refusal), refusal.why()))
        })
        .collect();
    Candidates { chat_id: Some(chat_id), able, refused }
}

fn refused(account: &Account, why: String, kind: Why) -> (outcome::Refusal, Why) {
    (outcome::Refusal { account: account.name.clone(), why }, kind)
}

fn in_words(account: &Account, chat_id: ChatId, refusal: Refusal) -> String {
    match refusal {
        Refusal::Unknown if !account.dialogs_complete.load(Ordering::Acquire) => {
            "does not know the chat; its dialogs are still being read".to_owned()
        }
        Refusal::Unknown => "does not know the chat".to_owned(),
        Refusal::NotInIt => "is not in the chat".to_owned(),
        Refusal::Marked => account.holds.why(chat_id).unwrap_or_else(|| "may not write there".to_owned()),
        Refusal::FirstContact => "may make no new contacts: peer_flood".to_owned(),
        Refusal::Unusable(state, Some(reason)) => format!("{state}: {reason}"),
        Refusal::Unusable(state, None) => state.to_string(),
    }
}

/// The chat is not known, not even by its id.
fn nobody(pool: &Pool, query: &Query) -> Candidates {
    let refused = considered(pool, query)
        .map(|account| match account.usable() {
            Usable::No(state, Some(reason)) => refused(account, format!("{state}: {reason}"), Why::Unusable),
            Usable::No(state, None) => refused(account, state.to_string(), Why::Unusable),
            Usable::Connecting => refused(account, "connecting".to_owned(), Why::Unusable),
            Usable::Now => refused(account, format!("does not find {}", query.chat), Why::NotFound),
        })
        .collect();
    Candidates { chat_id: None, able: Vec::new(), refused }
}

/// The question itself went wrong.
fn failed(pool: &Pool, query: &Query, why: &[(usize, String)]) -> Candidates {
    let mut candidates = nobody(pool, query);
    for (refusal, kind) in &mut candidates.refused {
        let reason = why.iter().find(|(index, _)| pool.index(&refusal.account) == Some(*index));
        if let Some((_, reason)) = reason {
            refusal.why = format!("could not look {} up: {reason}", query.chat);
            *kind = Why::Unusable;
        }
    }
    candidates.chat_id = pool.find(&query.chat);
    candidates
}
