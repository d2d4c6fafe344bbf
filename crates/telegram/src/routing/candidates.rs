//! Who could do something in a chat: from memory, or after asking for the one chat that memory does not know.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use delivery::{Candidate, Candidates, Query, Readiness, RefusalKind};
use domain::account::{Operation, Reason};
use domain::{AccountName, ChatId, ChatKind, ChatRef, Timestamp, outcome};
use futures::future::join_all;

use crate::account::Account;
use crate::peers::PeerRelation;
use crate::peers::lookup;
use crate::pool::Pool;
use crate::routing::dialog_moves::Presence;
use crate::routing::registry::Bound;
use crate::routing::router::{self, Choice, Facts, Refusal, Usable};
use crate::routing::single_flight::{Flight, LookupResult};

/// How long asking may take, waiting for accounts that are still connecting included.
const ASK: Duration = Duration::from_secs(15);

/// How many accounts are asked for one chat at once, and how many answers about one name are enough.
const MOST_QUERIED: usize = 8;

/// Whom one question was put to by now: no one is asked twice, whatever they answered.
#[derive(Debug, Default)]
struct Inquiry {
    answered: Vec<usize>,
    /// Those who could not say, and why.
    failed: Vec<(usize, String)>,
    /// A chat of which the id is known was looked up by its name as well.
    named: bool,
}

impl Inquiry {
    fn has_queried(&self, account: &Account) -> bool {
        self.answered.contains(&account.index) || self.failed.iter().any(|(index, _)| *index == account.index)
    }

    /// Those who could have been asked and gave no answer, and why.
    fn unasked(&self, pool: &Pool, query: &Query) -> Vec<(usize, String)> {
        let silent = |account: &&Arc<Account>| {
            account.usable() == Usable::Now && !self.answered.contains(&account.index)
        };
        let why = |account: &Arc<Account>| {
            let failed = self.failed.iter().find(|(index, _)| *index == account.index);
            failed.cloned().unwrap_or_else(|| (account.index, "there was no time to ask it".to_owned()))
        };
        considered(pool, query).iter().filter(silent).map(why).collect()
    }

    /// What there is to say when no one is left to be asked.
    fn end(&self) -> AskOutcome {
        if self.answered.is_empty() { AskOutcome::Failed } else { AskOutcome::NotFound(self.failed.clone()) }
    }
}

enum AskOutcome {
    /// Something was learned, or there are others to ask: look again.
    GoOn,
    /// The chat does not exist, or none of them knows it; some may not have been able to say.
    NotFound(Vec<(usize, String)>),
    /// No one could be asked.
    Failed,
    /// Accounts are still coming, or still reading their dialogs.
    NotYet,
}

impl AskOutcome {
    const fn looked(&self) -> LookupResult {
        match self {
            Self::GoOn => LookupResult::WentOn,
            Self::NotFound(_) => LookupResult::NotFound,
            Self::Failed => LookupResult::Failed,
            Self::NotYet => LookupResult::NotYet,
        }
    }
}

pub(crate) fn now(pool: &Pool, query: &Query, operation: Operation) -> Option<Candidates> {
    let now = pool.clock.now();
    let topic = || (query.chat.clone(), pin(pool, query));
    let anyone = || considered(pool, query).iter().any(|account| !matches!(account.usable(), Usable::No(..)));
    let Some(chat_id) = pool.find_fresh(&query.chat) else {
        let may_learn = anyone() && !pool.lookups.is_missed(&topic(), now);
        // An old name that no one can ask for is better than none.
        return (!may_learn).then(|| match pool.find(&query.chat) {
            Some(chat_id) => {
                let choice = choose(pool, query, chat_id, operation, now);
                render(pool, query, chat_id, &choice, &remembered(pool, query, &choice))
            }
            None => unknown_chat(pool, query, &[]),
        });
    };
    let choice = choose(pool, query, chat_id, operation, now);
    let may_learn = (choice.able.is_empty() || choice.stays)
        && choice.refused.iter().any(|(_, refusal)| is_ignorance(*refusal))
        && !pool.lookups.is_missed(&topic(), now);
    (!may_learn).then(|| render(pool, query, chat_id, &choice, &remembered(pool, query, &choice)))
}

/// Those who could not be asked the last time that no one knew the chat, and why.
fn remembered(pool: &Pool, query: &Query, choice: &Choice) -> Vec<(usize, String)> {
    if !choice.able.is_empty() {
        return Vec::new();
    }
    pool.lookups.unasked(&(query.chat.clone(), pin(pool, query)), pool.clock.now())
}

const fn is_ignorance(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Unknown | Refusal::CannotTell)
}

pub(crate) async fn ask(pool: &Pool, query: &Query, operation: Operation) -> Candidates {
    let deadline = pool.clock.now().plus(ASK);
    let mut inquiry = Inquiry::default();
    loop {
        let mut changes = pool.changes.subscribe();
        if let Some(candidates) = now(pool, query, operation) {
            return candidates;
        }
        let topic = (query.chat.clone(), pin(pool, query));
        match pool.lookups.join(topic.clone()) {
            Flight::Follow(mut answered) => {
                // Ends when the other question does.
                let _ = pool.clock.timeout_at(deadline, answered.changed()).await;
            }
            Flight::Lead(_flight) => {
                let asking = ask_once(pool, query, &mut inquiry, deadline);
                let outcome = pool.clock.timeout_at(deadline, asking).await.unwrap_or(AskOutcome::NotYet);
                pool.lookups.count(outcome.looked());
                match outcome {
                    AskOutcome::GoOn => {}
                    AskOutcome::NotFound(unasked) => pool.lookups.miss(topic, unasked, pool.clock.now()),
                    AskOutcome::Failed => match &query.chat {
                        ChatRef::Username(name) if is_old(pool, &query.chat) => {
                            pool.names.put_off(name, pool.clock.now());
                        }
                        _ => return in_vain(pool, query, operation, &inquiry),
                    },
                    AskOutcome::NotYet => {
                        let _ = pool.clock.timeout_at(deadline, changes.changed()).await;
                    }
                }
            }
        }
        if pool.clock.now() >= deadline {
            return in_vain(pool, query, operation, &inquiry);
        }
    }
}

/// The candidates when not all who should have been asked could be, or not in time: they deny nothing.
fn in_vain(pool: &Pool, query: &Query, operation: Operation, inquiry: &Inquiry) -> Candidates {
    let unasked = inquiry.unasked(pool, query);
    let Some(chat_id) = pool.find(&query.chat) else { return unknown_chat(pool, query, &unasked) };
    let choice = choose(pool, query, chat_id, operation, pool.clock.now());
    render(pool, query, chat_id, &choice, &unasked)
}

/// Whether it is a name that was learned too long ago.
fn is_old(pool: &Pool, chat: &ChatRef) -> bool {
    pool.find_fresh(chat).is_none() && pool.find(chat).is_some()
}

/// Who could make a chat. Anyone who cannot invite anyone comes last: a chat is made for others.
pub(crate) fn creators(pool: &Pool, pin: Option<&AccountName>) -> Candidates {
    let now = pool.clock.now();
    let facts = |account: &Arc<Account>| {
        let stranger = account.health.restriction() == Some(Reason::PeerFlood);
        Facts {
            relation: PeerRelation::Dialog,
            hampered: stranger || account.flood_waits.flood(Operation::Invite, now).is_some(),
            held_until: account.flood_waits.flood(Operation::CreateChat, now),
            marked: false,
            ..facts_of(account)
        }
    };
    let pinned = pin.map(|name| pool.index(name).unwrap_or(usize::MAX));
    let choice = router::choose(ChatKind::Channel, pinned, None, pool.all().iter().map(facts), now);
    let name = |index: usize| pool.at(index).map(|account| account.name.clone());
    let refused = choice.refused.iter().filter_map(|(index, refusal)| {
        let account = pool.at(*index)?;
        Some(refused(&account, in_words(&account, None, *refusal), refusal.why()))
    });
    Candidates {
        address: None,
        refused: refused.collect(),
        preferred: pin.cloned().or_else(|| name(choice.preferred?)),
        able: able(pool, &choice),
        ..Candidates::default()
    }
}

/// The same candidates where a chat is to be left or emptied. Anyone who is out of it has nothing to leave; and once it was
/// left, the other accounts in it stay there unless the caller names one of them.
pub(crate) fn leaving(pool: &Pool, query: &Query, mut candidates: Candidates) -> Candidates {
    for (_, why) in &mut candidates.refused {
        if matches!(why, RefusalKind::Forbidden | RefusalKind::NotInChat) {
            *why = RefusalKind::NotFound;
        }
    }
    if query.pin.is_none() && pool.is_left(&query.chat) {
        let stays = |able: Candidate| {
            let why = "the chat was left; name this account to take it out too".to_owned();
            (outcome::Refusal { account: able.account, why }, RefusalKind::NotFound)
        };
        candidates.refused.extend(candidates.able.drain(..).map(stays));
    }
    candidates
}

/// The same candidates for a service that is stopped: the work waits.
pub(crate) fn held_back(mut candidates: Candidates) -> Candidates {
    candidates.able.iter_mut().for_each(|able| able.readiness = Readiness::Connecting);
    candidates
}

async fn ask_once(pool: &Pool, query: &Query, inquiry: &mut Inquiry, deadline: Timestamp) -> AskOutcome {
    let known = pool.find_fresh(&query.chat);
    let ignorant = |account: &Arc<Account>| {
        known.is_none_or(|chat_id| account.peers.relation(chat_id) == PeerRelation::No)
    };
    let needs_dialogs = matches!(query.chat, ChatRef::Id(chat_id) if chat_id.kind() != ChatKind::Group);
    let mut coming = false;
    let mut ready = Vec::new();
    for account in considered(pool, query).into_iter().filter(ignorant) {
        let usable = account.usable();
        match usable {
            _ if inquiry.has_queried(&account) => {}
            Usable::Connecting => coming = true,
            Usable::Now if needs_dialogs && !account.dialogs_complete.load(Ordering::Acquire) => {
                // Those who have read theirs are asked meanwhile; and no one waits for what takes too long anyway.
                match account
                    .flood_waits
                    .flood(Operation::Read, pool.clock.now())
                    .filter(|until| *until > deadline)
                {
                    Some(until) => inquiry.failed.push((account.index, still_reading(until))),
                    None => coming = true,
                }
            }
            Usable::Now if ready.len() < MOST_QUERIED => ready.push(account),
            Usable::Now | Usable::No(..) => {}
        }
    }
    let is_name = matches!(query.chat, ChatRef::Username(_));
    let is_enough = is_name && inquiry.answered.len() >= MOST_QUERIED;
    // An old name is better than a long wait.
    let has_answer = is_old(pool, &query.chat) && !inquiry.failed.is_empty();
    if ready.is_empty() || is_enough {
        return if coming && !has_answer && !is_enough { AskOutcome::NotYet } else { inquiry.end() };
    }
    match &query.chat {
        ChatRef::Channel(_) => return AskOutcome::NotFound(Vec::new()),
        ChatRef::Username(name) => {
            for account in ready {
                match lookup::resolve(&account, name).await {
                    // A name means the same to everyone; one answer is enough.
                    Ok(Some(_)) => {
                        inquiry.answered.push(account.index);
                        break;
                    }
                    Ok(None) => return AskOutcome::NotFound(Vec::new()),
                    Err(error) => inquiry.failed.push((account.index, error.to_string())),
                }
            }
        }
        ChatRef::Id(chat_id) => {
            let chat_id = pool.registry.today(*chat_id);
            let answers = join_all(ready.iter().map(|account| lookup::by_id(account, chat_id))).await;
            let found = answers.iter().any(|answer| matches!(answer, Ok(true)));
            for (account, answer) in ready.iter().zip(answers) {
                match answer {
                    Ok(_) => inquiry.answered.push(account.index),
                    Err(error) => inquiry.failed.push((account.index, error.to_string())),
                }
            }
            if !found && !inquiry.named {
                inquiry.named = by_name(&ready, pool.registry.today(chat_id)).await;
            }
        }
    }
    AskOutcome::GoOn
}

fn still_reading(until: Timestamp) -> String {
    format!("its dialogs are still being read; flood wait until {}", until.to_the_second())
}

/// Reaches a chat that another account knows under a public name: names mean the same to everyone. Returns whether
/// there was an answer: a second one would be the same.
async fn by_name(ready: &[Arc<Account>], chat_id: ChatId) -> bool {
    let Some(name) = ready.first().and_then(|account| account.names.of(chat_id)) else { return false };
    for account in ready {
        // Anyone who may not ask now leaves it to the next.
        if lookup::resolve(account, &name).await.is_ok() {
            return true;
        }
    }
    false
}

fn pin(pool: &Pool, query: &Query) -> Option<usize> {
    query.pin.as_ref().and_then(|name| pool.index(name))
}

fn considered(pool: &Pool, query: &Query) -> Vec<Arc<Account>> {
    let pinned = pin(pool, query);
    let known = pool.find(&query.chat);
    let bound = known.and_then(|chat_id| pool.bound(chat_id));
    let private = known.is_some_and(|chat_id| chat_id.kind() == ChatKind::User);
    let moves =
        private && bound.and_then(|bound| pool.at(bound)).is_some_and(|bound| goes_over(pool, &bound));
    let is_considered = |account: &&Arc<Account>| match (&query.pin, bound) {
        (Some(_), _) => pinned == Some(account.index),
        (None, Some(bound)) if private && !moves => bound == account.index,
        (None, bound) => account.in_pool() || bound == Some(account.index),
    };
    pool.all().iter().filter(is_considered).cloned().collect()
}

fn choose(pool: &Pool, query: &Query, chat_id: ChatId, operation: Operation, now: Timestamp) -> Choice {
    // A pin that names no account leaves no one.
    let pinned = query.pin.is_some().then(|| pin(pool, query).unwrap_or(usize::MAX));
    let (bound, orphaned) = match pool.registry.bound(chat_id) {
        Some(Bound::To(index)) => (Some(index), false),
        Some(Bound::ToMissing(_)) => (None, true),
        None => (None, false),
    };
    let all = pool.all();
    if let (ChatKind::User, None, Some(bound)) = (chat_id.kind(), pinned, bound)
        && let Some(bound) = pool.at(bound).filter(|bound| goes_over(pool, bound))
    {
        let others = all.iter().map(|account| facts(account, chat_id, operation, now));
        let away = |one: &Facts| pool.at(one.index).is_some_and(|account| goes_over(pool, &account));
        return router::succeed(&facts(&bound, chat_id, operation, now), others, away, now);
    }
    let facts = all.iter().map(|account| {
        let mut facts = facts(account, chat_id, operation, now);
        // The dialog of an account that is gone goes to one that has it too, not to a stranger.
        if orphaned && facts.relation == PeerRelation::Contact && pinned.is_none() {
            facts.relation = PeerRelation::No;
        }
        facts
    });
    router::choose(chat_id.kind(), pinned, bound, facts, now)
}

/// Whether the private dialogs of an account go over to others, by the rule of the settings.
fn goes_over(pool: &Pool, account: &Account) -> bool {
    let now = pool.clock.now();
    let held_until = account.flood_waits.flood(Operation::SendMessage, now);
    let presence = Presence { lost: account.is_lost(), away_since: account.away_since(), held_until };
    pool.move_rule.read().moves(&presence, now)
}

fn facts(account: &Account, chat_id: ChatId, operation: Operation, now: Timestamp) -> Facts {
    let relation = account.peers.relation(chat_id);
    let facts = Facts { relation, ..facts_of(account) };
    if relation == PeerRelation::No {
        // That is all that matters: most accounts do not know most chats.
        return facts;
    }
    let held = account.flood_waits.of(chat_id, operation, now);
    Facts {
        hampered: operation == Operation::Invite && facts.peer_flood,
        held_until: held.until,
        limited_until: account.pace.held_until(now).filter(|_| operation == Operation::SendMessage),
        marked: held.marked,
        ..facts
    }
}

/// What is true of an account whatever it is asked for.
fn facts_of(account: &Account) -> Facts {
    Facts {
        index: account.index,
        priority: account.priority(),
        in_pool: account.in_pool(),
        load: account.health.load(),
        usable: account.usable(),
        relation: PeerRelation::No,
        is_reading: !account.dialogs_complete.load(Ordering::Acquire),
        peer_flood: account.health.restriction() == Some(Reason::PeerFlood),
        hampered: false,
        held_until: None,
        limited_until: None,
        marked: false,
    }
}

/// Whether the account that a chat belongs to can never do anything there again.
fn is_lost(pool: &Pool, bound: &Bound, chat_id: ChatId) -> bool {
    let Bound::To(index) = bound else { return true };
    pool.at(*index).is_none_or(|account| {
        let closed = matches!(account.health.restriction(), Some(Reason::Banned | Reason::Deactivated));
        let is_out = chat_id.kind() != ChatKind::User
            && account.dialogs_complete.load(Ordering::Acquire)
            && account.peers.relation(chat_id) != PeerRelation::Dialog;
        closed || is_out
    })
}

fn able(pool: &Pool, choice: &Choice) -> Vec<Candidate> {
    let named = |(index, readiness): &(usize, Readiness)| {
        Some(Candidate { account: pool.at(*index)?.name.clone(), readiness: *readiness })
    };
    choice.able.iter().filter_map(named).collect()
}

/// `unasked` are those who could not look for the chat, and why.
fn render(
    pool: &Pool,
    query: &Query,
    chat_id: ChatId,
    choice: &Choice,
    unasked: &[(usize, String)],
) -> Candidates {
    let able = able(pool, choice);
    // Who does not know the chat is of interest only when no one can write there.
    let is_reported = |refusal: &Refusal| able.is_empty() || !is_ignorance(*refusal);
    let mut refused: Vec<_> = choice
        .refused
        .iter()
        .filter(|(_, refusal)| is_reported(refusal))
        .filter_map(|(index, refusal)| {
            let account = pool.at(*index)?;
            let account = account.as_ref();
            let reason = unasked.iter().find(|(unasked, _)| unasked == index);
            Some(match reason.filter(|_| is_ignorance(*refusal)) {
                Some((_, reason)) => {
                    refused(account, format!("could not look for the chat: {reason}"), RefusalKind::Unusable)
                }
                None => refused(account, in_words(account, Some(chat_id), *refusal), refusal.why()),
            })
        })
        .collect();
    let bound = pool.registry.bound(chat_id);
    let is_bound = bound.is_some();
    let bound = bound.filter(|_| query.pin.is_none());
    let mut preferred = choice.preferred.and_then(|index| Some(pool.at(index)?.name.clone()));
    if let Some(Bound::ToMissing(gone)) = &bound {
        let why = "the chat belongs to it, and there is no such account any more".to_owned();
        refused.insert(0, (outcome::Refusal { account: gone.clone(), why }, RefusalKind::Unusable));
        preferred = Some(gone.clone());
    }
    Candidates {
        address: Some(chat_id.into()),
        able,
        refused,
        preferred: query.pin.clone().or(preferred),
        lost: choice.moves || bound.is_some_and(|bound| is_lost(pool, &bound, chat_id)),
        is_bound,
    }
}

fn refused(account: &Account, why: String, kind: RefusalKind) -> (outcome::Refusal, RefusalKind) {
    (outcome::Refusal { account: account.name.clone(), why }, kind)
}

fn in_words(account: &Account, chat_id: Option<ChatId>, refusal: Refusal) -> String {
    match refusal {
        Refusal::CannotTell if account.usable() == Usable::Connecting => "connecting".to_owned(),
        Refusal::CannotTell => "does not know the chat; its dialogs are still being read".to_owned(),
        Refusal::Unknown => "does not know the chat".to_owned(),
        Refusal::NotInIt => "is not, or no longer, in the chat".to_owned(),
        Refusal::Marked => chat_id
            .and_then(|chat_id| account.flood_waits.why(chat_id, account.now()))
            .unwrap_or_else(|| "may not write there".to_owned()),
        Refusal::FirstContact => "may make no new contacts: peer_flood".to_owned(),
        Refusal::Held(until) => format!("flood wait until {}", until.to_the_second()),
        Refusal::Unusable(state, Some(reason)) | Refusal::Gone(state, Some(reason))
            if reason.as_str() != state.as_str() =>
        {
            format!("{state}: {reason}")
        }
        Refusal::Unusable(state, _) | Refusal::Gone(state, _) => state.to_string(),
    }
}

/// The chat is not known, not even by its id. `unasked` are those who could not look it up, and why.
fn unknown_chat(pool: &Pool, query: &Query, unasked: &[(usize, String)]) -> Candidates {
    let refused = considered(pool, query)
        .iter()
        .map(|account| match account.usable() {
            Usable::No(state, reason) => {
                let refusal = Refusal::of_unusable(state, reason, PeerRelation::No);
                refused(account, in_words(account, None, refusal), refusal.why())
            }
            Usable::Connecting => refused(account, "connecting".to_owned(), RefusalKind::Unusable),
            Usable::Now => match unasked.iter().find(|(index, _)| *index == account.index) {
                Some((_, reason)) => refused(
                    account,
                    format!("could not look {} up: {reason}", query.chat),
                    RefusalKind::Unusable,
                ),
                None => refused(account, format!("does not find {}", query.chat), RefusalKind::NotFound),
            },
        })
        .collect();
    Candidates { refused, ..Candidates::default() }
}
