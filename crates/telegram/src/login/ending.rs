//! How a login ends: someone is signed in, gives it up, or leaves it alone.

use std::sync::atomic::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use grammers_tl_types::{enums, functions};
use store::{OwnerlessSession, SelfUser};

use super::LoginError;
use super::meaning::Meaning;
use super::record::{By, Record, Step};
use super::state::{LoginFailure, LoginState, SignedInAs};
use super::turn::{LONGEST_WAIT, Reply, Turn};
use super::watch::{IN_VAIN, LEFT_ALONE, due};
use crate::peers::parsing;
use crate::roster::{RosterError, Taken};
use crate::session::SignedIn;
impl Turn {
    pub(super) async fn authorized(&mut self, answer: enums::auth::Authorization) -> Result<(), LoginError> {
        let enums::auth::Authorization::Authorization(signed) = answer else {
            let detail = "no account has this phone number".to_owned();
            return self.fail(LoginFailure::SignUpRequired, detail).await;
        };
        match parsing::own(&signed.user) {
            Some(user) => self.signed_in(user).await,
            None => Err(LoginError::Unreachable("Telegram did not say who signed in".to_owned())),
        }
    }

    /// Ends the login if it is not the account's person who signed in. Returns whether it did.
    pub(super) async fn is_another_person(&mut self, user: &SelfUser) -> Result<bool, LoginError> {
        let (name, who) = (&self.login.account, format!("{} ({})", user.display_name, user.user_id));
        let detail = match self.pool.known_user(&self.account).await? {
            Some(known) if known == user.user_id => return Ok(false),
            Some(known) => {
                format!("{who} signed in, and the account is the user {known}; that session was ended")
            }
            None => match self.pool.other_account_of(user.user_id, name).await? {
                Some(other) => format!(
                    "{who} signed in, and is the account {other} already: {name} and {other} would be the same \
                     person; that session was ended"
                ),
                None => return Ok(false),
            },
        };
        // Ours alone: the other sessions of that person stay as they are.
        self.sign_out().await?;
        self.fail(LoginFailure::OtherPerson, detail).await?;
        Ok(true)
    }

    /// The right person is signed in with the key: it becomes a session of the account.
    pub(super) async fn adopt(&mut self, user: SelfUser) -> Result<(), LoginError> {
        // Two connections with one key would end it.
        self.hang_up().await;
        let record = self.record()?;
        record.in_doubt = true;
        let (key, purposes) = (record.key(), record.purposes.clone());
        let Some(mut key) = key else { return Err(LoginError::NotNow(self.login.state())) };
        key.user_id = Some(user.user_id);
        let (name, person, spare) = (self.login.account.clone(), user.clone(), key.copy());
        let taken = Taken { key, user: Some(user), purposes, ends_login: true };
        match self.pool.change(move |pool| async move { pool.take_session(&name, taken).await }).await {
            Ok(_) => {}
            Err(error @ (RosterError::Store(_) | RosterError::NotClosed(_) | RosterError::Ending)) => {
                return Err(error.into());
            }
            Err(error) => return self.keep_apart(spare, person, &error).await,
        }
        self.inner.record = None;
        let SelfUser { user_id, username, display_name } = person;
        self.login.show(LoginState::Done { user: SignedInAs { user_id, username, display_name } });
        tracing::info!(account = %self.login.account, "signed in");
        Ok(())
    }

    /// Someone is signed in, and the account cannot use it: it is kept without an owner.
    pub(super) async fn keep_apart(
        &mut self,
        key: SignedIn,
        user: SelfUser,
        why: &RosterError,
    ) -> Result<(), LoginError> {
        let session = OwnerlessSession {
            fingerprint: key.fingerprint(),
            dc_id: key.dc_id,
            auth_key: key.key,
            user: Some(user),
            origin: format!("a sign-in to the account {}", self.login.account),
        };
        self.pool.store.accounts().save_ownerless(&[session]).await?;
        let detail = format!("{why}; the session that was signed in is kept without an account");
        self.fail(LoginFailure::Refused, detail).await
    }

    /// No one knows whether someone is signed in with the key: it is kept without an owner, so that it is not lost.
    async fn keep_in_doubt(&mut self) -> Result<(), LoginError> {
        let record = self.record()?;
        let user = match &record.step {
            Step::Terms { user, .. } => {
                let SignedInAs { user_id, username, display_name } = user.clone();
                Some(SelfUser { user_id, username, display_name })
            }
            _ => None,
        };
        let Some(key) = record.key() else { return Ok(()) };
        let session = OwnerlessSession {
            fingerprint: key.fingerprint(),
            dc_id: key.dc_id,
            auth_key: key.key,
            user,
            origin: format!("an unconfirmed sign-in to the account {}", self.login.account),
        };
        Ok(self.pool.store.accounts().save_ownerless(&[session]).await?)
    }

    /// Checks whether someone is signed in already with a key whose last answer got lost. Returns whether that is so,
    /// or the login is over: then the step that was asked for is not the next one any more.
    pub(super) async fn settle(&mut self) -> Result<bool, LoginError> {
        let Some(record) = self.inner.record.as_ref() else {
            // A caller that sends the code twice is answered that it was right.
            return Ok(matches!(self.login.state(), LoginState::Done { .. }));
        };
        if !record.in_doubt || record.key().is_none() {
            return Ok(false);
        }
        if let Some(until) = record.held_until.filter(|until| *until > self.now()) {
            return Err(LoginError::TooSoon(until));
        }
        let request = functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] };
        match self.ask(&request).await? {
            Reply::Got(users) => match users.iter().find_map(parsing::own) {
                Some(user) => self.signed_in(user).await.map(|()| true),
                None => Ok(false),
            },
            Reply::Refused(Meaning::PasswordNeeded, _) => {
                if !matches!(self.record()?.step, Step::Password { .. }) {
                    self.want_password(0).await?;
                }
                self.record()?.in_doubt = false;
                Ok(false)
            }
            Reply::Refused(Meaning::Failed(code @ LoginFailure::Banned), words) => {
                self.fail(code, words).await.map(|()| true)
            }
            // Not known yet: the key may be one that someone is signed in with.
            Reply::Refused(Meaning::Wait(wait), _) => {
                let until = self.now().plus(wait.min(LONGEST_WAIT));
                self.record()?.held_until = Some(until);
                self.save().await?;
                Err(LoginError::TooSoon(until))
            }
            Reply::Refused(Meaning::Trouble, words) => Err(LoginError::Unreachable(words)),
            Reply::Refused(meaning, words) => {
                if meaning == Meaning::NotSignedIn && matches!(self.record()?.step, Step::Terms { .. }) {
                    return self.ended_elsewhere(&words).await.map(|()| true);
                }
                self.record()?.in_doubt = false;
                Ok(false)
            }
        }
    }

    pub(super) async fn cancel(&mut self) -> Result<(), LoginError> {
        self.give_up().await?;
        let now = self.now();
        if self.inner.record.as_ref().is_some_and(|record| record.held_until.is_none_or(|until| until <= now))
        {
            self.inner.record = None;
        }
        self.login.show(LoginState::None);
        Ok(())
    }

    /// Ends what is under way: a code is called back, a session that was signed in is signed out, the key forgotten.
    pub(super) async fn give_up(&mut self) -> Result<(), LoginError> {
        let now = self.now();
        let Some(record) = self.inner.record.as_ref() else { return Ok(()) };
        if record.key().is_some() {
            // What cannot be asked now ends by itself: a code expires, and a key that no one has is of no use.
            if let (By::Phone { phone }, Step::Code { hash, .. }) = (&record.by, &record.step) {
                let (phone_number, phone_code_hash) = (phone.clone(), hash.clone());
                let request = functions::auth::CancelCode { phone_number, phone_code_hash };
                let _ = self.ask(&request).await;
            }
            let is_new = self.inner.record.as_ref().is_some_and(Record::is_blank);
            if !is_new {
                let may_be_signed_in = self.record()?.may_be_signed_in();
                match self.sign_out().await {
                    Err(error) if may_be_signed_in => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        self.hang_up().await;
        let record = self.record()?;
        record.forget_key();
        if record.held_until.is_some_and(|until| until > now) {
            let detail = "given up; Telegram wants a wait before the next one".to_owned();
            record.step = Step::Failed { code: LoginFailure::Flood, detail };
            return self.save().await;
        }
        self.pool.store.accounts().forget_login(&self.login.account).await?;
        Ok(())
    }

    /// Does what is due. Returns when to look again; `None` when there is nothing more to do. `failing_since` is when
    /// the first of the attempts was that all came to nothing.
    pub(super) async fn tend(
        &mut self,
        failing_since: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, LoginError> {
        let now = self.now();
        let Some(record) = &self.inner.record else { return Ok(None) };
        if let Step::Failed { .. } = record.step {
            if record.held_until.is_some_and(|until| until > now) {
                return Ok(record.held_until);
            }
            self.pool.store.accounts().forget_login(&self.login.account).await?;
            return Ok(None);
        }
        let alone = record.touched_at.plus(LEFT_ALONE) <= now;
        let in_vain = alone && failing_since.is_some_and(|since| since.plus(IN_VAIN) <= now);
        match self.settle().await {
            Ok(true) => return Ok(self.inner.record.as_ref().and_then(due)),
            // It ends all the same.
            Err(LoginError::Unreachable(_)) if in_vain => {}
            settled => drop(settled?),
        }
        if alone {
            let mut detail = "it was not continued for 15 minutes".to_owned();
            if self.record()?.may_be_signed_in() {
                match self.sign_out().await {
                    Err(LoginError::Unreachable(words)) if in_vain => {
                        self.keep_in_doubt().await?;
                        detail = format!(
                            "{detail}, and Telegram could not be asked whether the session is signed in ({words}); \
                             the session is kept without an account"
                        );
                    }
                    signed_out => signed_out?,
                }
            }
            self.fail(LoginFailure::LeftAlone, detail).await?;
            return Ok(self.inner.record.as_ref().and_then(due));
        }
        match self.inner.record.as_ref().map(|record| record.step.clone()) {
            Some(Step::Token { expires_at, .. })
                if expires_at <= now || self.login.accepted.load(Ordering::Acquire) =>
            {
                self.show_token().await?;
            }
            Some(Step::Moving { token }) => match STANDARD.decode(token) {
                Ok(token) => {
                    if let Some(answer) = self.bring(token).await? {
                        self.token(answer).await?;
                    }
                }
                Err(_) => self.show_token().await?,
            },
            Some(Step::StartOver) => self.request_first_step().await?,
            _ => {}
        }
        Ok(self.inner.record.as_ref().and_then(due))
    }
}
