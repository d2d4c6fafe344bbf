//! A turn at a login: what is stored of it, and the calls that are made for it.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use grammers_tl_types::RemoteCall;
use mtproto::fresh_key;
use store::StoredLogin;
use tokio::sync::OwnedMutexGuard;

use super::LoginError;
use super::connection::{LoginConnection, Trouble};
use super::meaning::Meaning;
use super::record::{Record, Step};
use super::state::{LoginFailure, LoginState};
use super::table::{Inner, Login};
use crate::account::Account;
use crate::pool::Pool;
use crate::roster::RosterError;

pub(super) const LONGEST_WAIT: Duration = Duration::from_hours(7 * 24);

/// Anyone who takes a step: no one else takes one of this login meanwhile.
pub(crate) struct Turn {
    pub(super) pool: Arc<Pool>,
    pub(super) login: Arc<Login>,
    pub(super) account: Arc<Account>,
    pub(super) inner: OwnedMutexGuard<Inner>,
}

/// What a call brought that may be answered with a move or a wait.
pub(super) enum Reply<T> {
    Got(T),
    Refused(Meaning, String),
}

impl Turn {
    pub(super) async fn of(pool: Arc<Pool>, login: Arc<Login>) -> Result<Self, LoginError> {
        let inner = Arc::clone(&login.inner).lock_owned().await;
        if login.closing.is_cancelled() {
            return Err(LoginError::Ending);
        }
        let gone = || LoginError::NoSuchAccount(login.account.clone());
        let account = pool.get(&login.account).ok_or_else(gone)?;
        Ok(Self { pool, login, account, inner })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.pool.clock.now()
    }

    pub(super) fn record(&mut self) -> Result<&mut Record, LoginError> {
        self.inner.record.as_mut().ok_or(LoginError::NotNow(LoginState::None))
    }

    pub(super) async fn save(&mut self) -> Result<(), LoginError> {
        let account = self.login.account.clone();
        let record = self.record()?;
        let state = (!record.is_transitional()).then(|| record.state());
        if let Some(record) = record.to_text() {
            self.pool.store.accounts().save_login(&StoredLogin { account, record }).await?;
        }
        if let Some(state) = state {
            self.login.show(state);
        }
        Ok(())
    }

    pub(super) async fn go_to(&mut self, step: Step) -> Result<(), LoginError> {
        let record = self.record()?;
        (record.step, record.in_doubt, record.carried) = (step, false, false);
        self.save().await
    }

    /// Notes that someone does something about it, and that the next call may sign in.
    pub(super) async fn touch(&mut self, in_doubt: bool) -> Result<(), LoginError> {
        let now = self.now();
        let record = self.record()?;
        (record.touched_at, record.in_doubt) = (now, in_doubt);
        self.save().await
    }

    /// It came to nothing. The key is forgotten; a wait is kept.
    pub(super) async fn fail(&mut self, code: LoginFailure, detail: String) -> Result<(), LoginError> {
        self.hang_up().await;
        let now = self.now();
        let record = self.record()?;
        record.forget_key();
        (record.step, record.in_doubt) = (Step::Failed { code, detail }, false);
        if record.held_until.is_some_and(|until| until > now) {
            return self.save().await;
        }
        let state = record.state();
        self.pool.store.accounts().forget_login(&self.login.account).await?;
        tracing::info!(account = %self.login.account, why = code.as_str(), "signing in came to nothing");
        self.login.show(state);
        Ok(())
    }

    pub(super) async fn hang_up(&mut self) {
        if let Some(connection) = self.inner.connection.take() {
            connection.close().await;
        }
    }

    /// Makes sure that there is a key for the data centre, and writes it down before it is used.
    pub(super) async fn ensure_key(&mut self) -> Result<(), LoginError> {
        let record = self.record()?;
        if record.key().is_some() {
            return Ok(());
        }
        let dc_id = record.dc_id;
        let address = self.pool.builder.addresses.of(dc_id).ok_or(RosterError::NoAddress(dc_id))?;
        let definition = self.account.definition();
        let builder = &self.pool.builder;
        let proxy = definition.proxied(&builder.proxies);
        let made = fresh_key(address, proxy.as_ref(), &builder.server_keys, &self.pool.clock).await;
        let key = made.map_err(|error| LoginError::Unreachable(error.to_string()))?;
        let record = self.record()?;
        record.set_key(&key);
        self.save().await
    }

    pub(super) async fn ask<R: RemoteCall>(&mut self, request: &R) -> Result<Reply<R::Return>, LoginError> {
        self.ensure_key().await?;
        if self.inner.connection.is_none() {
            let record = self.record()?;
            let (key, dc_id) = (record.key(), record.dc_id);
            let login = Arc::downgrade(&self.login);
            let accepted = Arc::new(move || {
                if let Some(login) = login.upgrade() {
                    login.accept();
                }
            });
            let builder = &self.pool.builder;
            let application = self.account.definition().application(&builder.proxies);
            let connection = key.and_then(|key| {
                LoginConnection::open(key, &builder.addresses, &application, &self.pool.clock, accepted)
            });
            self.inner.connection = Some(connection.ok_or(RosterError::NoAddress(dc_id))?);
        }
        let Some(connection) = &self.inner.connection else { return Err(LoginError::Ending) };
        let response = tokio::select! {
            biased;
            // What was asked for may be done all the same: the record says so, and the next run finds out.
            () = self.login.closing.cancelled() => return Err(LoginError::Ending),
            response = connection.ask(request) => response,
        };
        match response {
            Ok(answer) => Ok(Reply::Got(answer)),
            Err(Trouble::Refused(Meaning::Trouble, words)) => Err(LoginError::Unreachable(words)),
            Err(Trouble::Refused(meaning, words)) => Ok(Reply::Refused(meaning, words)),
            Err(Trouble::NoAnswer(words)) => {
                self.hang_up().await;
                Err(LoginError::Unreachable(words))
            }
        }
    }

    pub(super) async fn refused(&mut self, meaning: Meaning, words: String) -> Result<(), LoginError> {
        match meaning {
            Meaning::PasswordNeeded => self.want_password(0).await,
            Meaning::Wait(wait) => {
                let until = self.now().plus(wait.min(LONGEST_WAIT));
                self.record()?.held_until = Some(until);
                let detail = format!("Telegram wants nothing of it before {until} ({words})");
                self.fail(LoginFailure::Flood, detail).await
            }
            Meaning::Failed(code) => self.fail(code, words).await,
            Meaning::TokenGone => Box::pin(self.show_token()).await,
            _ => self.fail(LoginFailure::Refused, words).await,
        }
    }
}
