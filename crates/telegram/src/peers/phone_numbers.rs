//! The private chats that callers name in another way than by id or username: by a phone number, or as their own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::account::Operation;
use domain::outcome::{HoldScope, Refusal};
use domain::{AccountName, ChatId, Outcome, Phone, Timestamp, Username};
use grammers_tl_types::{enums, functions};

use crate::account::Account;
use crate::calls::classify::{self, CallError};
use crate::chat::ReadError;
use crate::peers::PeerRelation;
use crate::peers::{lookup, parsing};
use crate::pool::Pool;
use crate::routing::router::Usable;
use ambient::lock::Mutex;

/// How many accounts are asked for one number: who may find a person by it is that person's setting.
const MOST_QUERIED: usize = 8;

/// How long a number is believed to be the same person's.
const NUMBER_LASTS: Duration = Duration::from_hours(24);

const MOST_NUMBERS: usize = 10_000;

/// Whose a phone number is, as Telegram answered.
#[derive(Default)]
pub(crate) struct Numbers(Mutex<HashMap<Phone, (ChatId, Timestamp)>>);

impl Numbers {
    fn get(&self, phone: &Phone, now: Timestamp) -> Option<ChatId> {
        let known = self.0.lock();
        let (chat_id, answered_at) = known.get(phone)?;
        (now < answered_at.plus(NUMBER_LASTS)).then_some(*chat_id)
    }

    fn set(&self, phone: &Phone, chat_id: ChatId, now: Timestamp) {
        let mut known = self.0.lock();
        if known.len() >= MOST_NUMBERS {
            known.clear();
        }
        known.insert(phone.clone(), (chat_id, now));
    }
}

/// What a chat is looked up by.
#[derive(Clone, Copy)]
enum Sought<'a> {
    Phone(&'a Phone),
    Username(&'a Username),
}

impl Sought<'_> {
    const fn unknown(self) -> &'static str {
        match self {
            Self::Phone(_) => "finds no one with this phone number",
            Self::Username(_) => "finds no one with this username",
        }
    }
}

impl Pool {
    /// The Saved Messages of an account: of the one that is named, otherwise of the first that can be used, or else of the
    /// first that has signed in.
    pub fn own_chat(&self, pin: Option<&AccountName>) -> Option<(AccountName, ChatId)> {
        let all = self.all();
        let fits = |account: &&Arc<Account>| match pin {
            Some(name) => account.name == *name,
            None => account.in_pool(),
        };
        let own = |account: &Arc<Account>| Some((account.name.clone(), account.health.user_id()?.into()));
        let usable = all.iter().filter(fits).filter(|account| account.usable() == Usable::Now).find_map(own);
        usable.or_else(|| all.iter().filter(fits).find_map(own))
    }

    /// The private chat with the person who has a phone number, as the accounts find it.
    pub async fn by_phone(&self, phone: &Phone, pin: Option<&AccountName>) -> Result<ChatId, ReadError> {
        self.found(Sought::Phone(phone), pin).await
    }

    /// The chat that has a public name, as the accounts find it.
    pub async fn by_username(
        &self,
        username: &Username,
        pin: Option<&AccountName>,
    ) -> Result<ChatId, ReadError> {
        self.found(Sought::Username(username), pin).await
    }

    async fn found(&self, sought: Sought<'_>, pin: Option<&AccountName>) -> Result<ChatId, ReadError> {
        let all = self.all();
        let considered: Vec<_> = all
            .iter()
            .filter(|account| pin.map_or_else(|| account.in_pool(), |name| account.name == *name))
            .collect();
        let reaches =
            |chat_id: &ChatId| considered.iter().any(|one| one.peers.relation(*chat_id) != PeerRelation::No);
        if let Sought::Phone(phone) = sought
            && let Some(chat_id) = self.numbers.get(phone, self.clock.now()).filter(reaches)
        {
            return Ok(chat_id);
        }
        let mut refusals = Vec::new();
        let mut floods = Vec::new();
        let mut denied = false;
        for account in considered.into_iter().take(MOST_QUERIED) {
            let refusal = |why: String| Refusal { account: account.name.clone(), why };
            match account.usable() {
                Usable::Now => {}
                Usable::Connecting => {
                    refusals.push(refusal("connecting".to_owned()));
                    continue;
                }
                Usable::No(state, _) => {
                    refusals.push(refusal(state.to_string()));
                    continue;
                }
            }
            if let Some(until) = account.flood_waits.flood(Operation::ResolvePeer, self.clock.now()) {
                floods.push(until);
                continue;
            }
            let answer = match sought {
                Sought::Phone(phone) => resolve(account, phone).await,
                Sought::Username(username) => lookup::resolve(account, username).await,
            };
            match answer {
                Ok(Some(chat_id)) => {
                    if let Sought::Phone(phone) = sought {
                        self.numbers.set(phone, chat_id, self.clock.now());
                    }
                    return Ok(chat_id);
                }
                Ok(None) => {
                    denied = true;
                    refusals.push(refusal(sought.unknown().to_owned()));
                }
                Err(error) => {
                    if let Outcome::Held { until, scope: HoldScope::Account } =
                        classify::outcome(&error, self.clock.now())
                    {
                        floods.push(until);
                    }
                    refusals.push(refusal(error.to_string()));
                }
            }
        }
        Err(match floods.into_iter().min() {
            // Who was not asked may know them.
            Some(until) => ReadError::FloodWait { until },
            None if denied => ReadError::NotFound { asked: refusals },
            None => ReadError::NoAccount { asked: refusals },
        })
    }
}

/// Looks a phone number up. `None` when this account finds no one by it.
async fn resolve(account: &Account, phone: &Phone) -> Result<Option<ChatId>, CallError> {
    let request = functions::contacts::ResolvePhone { phone: phone.digits().to_owned() };
    let mut answer = match account.read(Operation::ResolvePeer, &request).await {
        Ok(enums::contacts::ResolvedPeer::Peer(answer)) => answer,
        Err(error) if matches!(error.name(), Some("PHONE_NOT_OCCUPIED" | "PHONE_NUMBER_INVALID")) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let chat_id = parsing::chat_id(&answer.peer);
    for user in &mut answer.users {
        if let enums::User::User(user) = user
            && chat_id == ChatId::user(user.id)
        {
            // Not everyone shows it, and the do-not-contact list has to know whose it is.
            user.phone.get_or_insert_with(|| phone.digits().to_owned());
        }
    }
    account.learn(&answer.users, &answer.chats, &[]).await;
    Ok(chat_id)
}
