//! Signing in: codes, passwords, login tokens, terms to accept, and what is ordered of them from outside.

mod codes;
mod password;
mod tokens;

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use grammers_tl_types::{Serializable, enums, types};
use serde::{Deserialize, Serialize};

pub(crate) use codes::Codes;
pub use codes::{SentCode, Way};
pub(crate) use password::{Challenge, Password};
pub(crate) use tokens::Tokens;

use super::orders::OutsideError;
use super::rpc::Result;
use super::state::{Moment, State};
use super::world::{Telegram, now};
use crate::call::Push;
use crate::keys::AuthKeyId;

/// Questions for passwords that wait for an answer.
const MOST_CHALLENGES: usize = 1_024;

/// What an account asks of clients that sign in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demands {
    pub(crate) password: Option<Arc<Password>>,
    /// Terms that are not accepted yet.
    pub(crate) terms: Option<String>,
    pub(crate) banned: bool,
}

/// Everything about signing in.
#[derive(Debug, Default)]
pub(crate) struct Signing {
    pub(crate) codes: Codes,
    pub(crate) tokens: Tokens,
    pub(crate) demands: HashMap<i64, Demands>,
    /// Keys that have shown a code or a token, and owe the password.
    pub(crate) half: HashMap<AuthKeyId, i64>,
    challenges: HashMap<AuthKeyId, Challenge>,
    last_challenge: i64,
}

impl Signing {
    /// Asks a key for a password; the secret is made for this question's number.
    pub(crate) fn challenge(
        &mut self,
        key: AuthKeyId,
        password: &Password,
        secret: impl FnOnce(i64) -> [u8; 256],
    ) -> Challenge {
        self.last_challenge += 1;
        let challenge = password.challenge(self.last_challenge, &secret(self.last_challenge));
        if self.challenges.len() >= MOST_CHALLENGES {
            self.challenges.clear();
        }
        self.challenges.insert(key, challenge.clone());
        challenge
    }

    /// The question that a key answers: each can be answered once.
    pub(crate) fn take_challenge(&mut self, key: AuthKeyId, id: i64) -> Option<Challenge> {
        let known = self.challenges.get(&key).is_some_and(|challenge| challenge.id == id);
        if known { self.challenges.remove(&key) } else { None }
    }
}

/// How an account is to be signed in to; what is left out is asked for no longer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignInRules {
    /// The two-step password.
    pub password: Option<String>,
    /// What helps to remember it.
    pub hint: Option<String>,
    /// Terms of service that have to be accepted.
    pub terms: Option<String>,
    /// Whether the phone is banned.
    pub banned: bool,
}

/// Someone accepts what a QR code shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenOrder {
    /// The token in URL-safe base64, or the whole `tg://login?token=…`.
    pub token: String,
    pub account: String,
}

/// How many codes no longer count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ExpiredCodes {
    /// Codes that were waited for.
    pub codes: usize,
}

impl State {
    /// Accepts a token for a user, and notifies the client that shows it.
    pub(crate) fn accept_token(&mut self, token: &[u8], user: i64, at: Moment) -> Result<()> {
        let key = self.signing.tokens.accept(token, user, at)?;
        let update = enums::Update::LoginToken;
        let updates: enums::Updates = types::UpdateShort { update, date: at.date() }.into();
        self.sessions.push(&[key], None, &Push::plain(updates.to_bytes()));
        Ok(())
    }

    pub(crate) fn password_of(&self, user: i64) -> Option<Arc<Password>> {
        self.signing.demands.get(&user)?.password.clone()
    }
}

impl Telegram {
    /// The codes that wait to be entered, oldest first.
    pub fn codes(&self) -> Vec<SentCode> {
        self.lock().signing.codes.list(now())
    }

    /// Lets all codes expire.
    pub fn expire_codes(&self) -> ExpiredCodes {
        ExpiredCodes { codes: self.lock().signing.codes.expire() }
    }

    /// Sets what an account asks of clients that sign in.
    pub fn set_sign_in(&self, name: &str, rules: &SignInRules) -> std::result::Result<(), OutsideError> {
        let seed = self.lock().seed;
        // Hashing a password takes a while: before anything is locked.
        let password = rules.password.as_deref().filter(|plain| !plain.is_empty());
        let password = password.map(|plain| Arc::new(Password::new(seed, plain, rules.hint.clone())));
        let mut state = self.lock();
        let unknown = || OutsideError::NotFound(format!("account \"{name}\""));
        let user = state.account_named(name).ok_or_else(unknown)?.user_id;
        let demands = Demands { password, terms: rules.terms.clone(), banned: rules.banned };
        state.signing.demands.insert(user, demands);
        Ok(())
    }

    /// The two-step password of an account.
    pub(crate) fn password(&self, user: i64) -> Option<String> {
        self.lock().password_of(user).map(|password| password.plain.clone())
    }

    /// Accepts a QR code's token as an account.
    pub fn accept_login_token(&self, order: &TokenOrder) -> std::result::Result<(), OutsideError> {
        let text = order.token.strip_prefix("tg://login?token=").unwrap_or(&order.token);
        let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        let token = token.map_err(|_| OutsideError::Invalid("token is no URL-safe base64".to_owned()))?;
        let mut state = self.lock();
        let unknown = || OutsideError::NotFound(format!("account \"{}\"", order.account));
        let user = state.account_named(&order.account).ok_or_else(unknown)?.user_id;
        Ok(state.accept_token(&token, user, now())?)
    }
}
