//! Signing in with a password and, where there is a second factor, a code; and being known again by a session.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use domain::{SecretText, SessionId, Timestamp, UserName};
use store::{AuditResult, AuditWho, BeginSession, StoreError, StoredUser};

use crate::error::SignInError;
use crate::session::{ClientInfo, DEVICE_LASTS, NewSession, OLD_DEVICE_LASTS, Visitor, is_over};
use crate::throttle::{Source, Throttle, Verdict};
use crate::ticket::{Ticket, Tickets};
use crate::token::{DeviceToken, SessionToken};
use crate::{Access, one_time_code, recovery_code};

/// How often it is written down that a session is in use.
const ACTIVITY_INTERVAL: Duration = Duration::from_mins(1);
/// The most characters of what a browser calls itself.
const LONGEST_BROWSER: usize = 200;

/// How a right password is answered.
#[derive(Debug)]
pub enum SignIn {
    Done(NewSession),
    /// A code of the second factor is wanted; this ticket goes with it, for five minutes and five tries.
    CodeWanted(SecretText),
}

impl Access {
    /// Checks a password. Unknown names take as long as known ones.
    pub async fn sign_in(
        &self,
        name: &str,
        password: SecretText,
        client: &ClientInfo,
    ) -> Result<SignIn, SignInError> {
        let now = self.0.clock.now();
        let source = self.source(name.parse().ok().as_ref(), client).await?;
        let verdict = self.throttle().password(name, source, self.0.clock.running());
        self.enforce(verdict, client).await?;

        let looked_at = self.look_at_password(name, password).await;
        let (user, right) = looked_at.inspect_err(|_| {
            // A busy or broken server does not count against the caller.
            self.throttle().not_checked(name, source);
        })?;
        let Some(user) = user.as_ref().filter(|_| right) else {
            let who = user.map_or(AuditWho::Unidentified, |user| AuditWho::User(user.name));
            self.audit_failure(who, "wrong_password", client).await;
            return Err(SignInError::Wrong);
        };
        self.throttle().right(&user.name, source);
        if user.factor.is_some() {
            let ticket = self.tickets().give(user.name.clone(), user.password_at, now)?;
            return Ok(SignIn::CodeWanted(ticket));
        }
        self.begin(user, client).await.map(SignIn::Done)
    }

    /// Where an attempt comes from: a browser in which this very user has signed in, or anywhere else.
    async fn source(&self, user: Option<&UserName>, client: &ClientInfo) -> Result<Source, StoreError> {
        let since = self.0.clock.now().minus(DEVICE_LASTS);
        let Some(user) = user else { return Ok(Source::elsewhere(client.address)) };
        for device in &client.devices {
            if self.0.store.user_sessions().knows_device(user, device.0, since).await? {
                return Ok(Source::Device(*device));
            }
        }
        Ok(Source::elsewhere(client.address))
    }

    /// Whose password it would be, and whether it is right.
    async fn look_at_password(
        &self,
        name: &str,
        password: SecretText,
    ) -> Result<(Option<StoredUser>, bool), SignInError> {
        // What cannot be a name takes the same work as an unknown one.
        let user = match name.parse::<UserName>() {
            Ok(name) => self.0.store.users().get(&name).await?,
            Err(_) => None,
        };
        let kept = user.as_ref().map(|user| user.password.clone());
        let right = self.0.hashing.verify(password, kept).await?;
        Ok((user, right))
    }

    /// Checks the code that goes with a ticket: one of the second factor, or a recovery code.
    pub async fn second_step(
        &self,
        ticket: &str,
        code: &str,
        client: &ClientInfo,
    ) -> Result<NewSession, SignInError> {
        let now = self.0.clock.now();
        let Ticket { user: name, password_at, .. } =
            self.tickets().present(ticket, now).ok_or(SignInError::TicketOver)?;
        let source =
            self.source(Some(&name), client).await.inspect_err(|_| self.tickets().give_back(ticket))?;
        let verdict = self.throttle().code(&name, source, self.0.clock.running());
        if let Err(error) = self.enforce(verdict, client).await {
            self.tickets().give_back(ticket);
            return Err(error);
        }
        let looked_at = self.look_at_code(&name, password_at, code, now).await;
        let (user, right) = looked_at.inspect_err(|error| {
            if matches!(error, SignInError::Store(_)) {
                self.throttle().code_not_checked(&name, source);
                self.tickets().give_back(ticket);
            }
        })?;
        if !right {
            self.audit_failure(AuditWho::User(name), "wrong_code", client).await;
            return Err(SignInError::WrongCode);
        }
        self.throttle().right_code(&name, source);
        if !self.tickets().take(ticket) {
            return Err(SignInError::TicketOver);
        }
        self.begin(&user, client).await
    }

    /// Who has the ticket, if their password is still the one that was checked, and whether the code is right.
    async fn look_at_code(
        &self,
        name: &UserName,
        password_at: Timestamp,
        code: &str,
        now: Timestamp,
    ) -> Result<(StoredUser, bool), SignInError> {
        let user = self.0.store.users().get(name).await?.ok_or(SignInError::TicketOver)?;
        if user.password_at != password_at {
            return Err(SignInError::TicketOver);
        }
        let right = self.is_right_code(&user, code, now).await?;
        Ok((user, right))
    }

    /// The user of a session token, which is marked as used; nothing when the session is unknown or over.
    pub async fn session(
        &self,
        token: &SessionToken,
        client: &ClientInfo,
    ) -> Result<Option<Visitor>, StoreError> {
        let sessions = self.0.store.user_sessions();
        let Some(found) = sessions.find(token.hash()).await? else { return Ok(None) };
        let now = self.0.clock.now();
        if is_over(found.created_at, found.seen_at, now) {
            sessions.end(&found.user, found.id).await?;
            return Ok(None);
        }
        if now.since(found.seen_at) >= ACTIVITY_INTERVAL
            && let Err(error) = sessions.seen(found.id, now, client.address).await
        {
            // A full disk must not keep users from seeing that it is full.
            tracing::debug!(%error, "that a session is in use could not be written");
        }
        Ok(Some(Visitor {
            user: found.user,
            role: found.role,
            session: found.id,
            csrf: token.csrf(),
            since: found.created_at,
            second_factor: found.second_factor,
        }))
    }

    /// The same for the first of several tokens that has a session.
    pub async fn session_of(
        &self,
        tokens: &[SessionToken],
        client: &ClientInfo,
    ) -> Result<Option<Visitor>, StoreError> {
        for token in tokens {
            if let Some(visitor) = self.session(token, client).await? {
                return Ok(Some(visitor));
            }
        }
        Ok(None)
    }

    /// Whether the session of this visitor lasts, with the role that they had: for what goes on without further requests.
    /// It is not noted that they were seen, for they did nothing.
    pub async fn still_lasts(&self, visitor: &Visitor) -> Result<bool, StoreError> {
        let now = self.0.clock.now();
        let found = self.0.store.user_sessions().list(&visitor.user).await?;
        let own = found.into_iter().find(|session| session.id == visitor.session);
        Ok(own.is_some_and(|session| {
            session.role == visitor.role && !is_over(session.created_at, session.seen_at, now)
        }))
    }

    pub async fn sign_out(&self, visitor: &Visitor, client: &ClientInfo) -> Result<(), StoreError> {
        self.0.store.user_sessions().end(&visitor.user, visitor.session).await?;
        let who = AuditWho::User(visitor.user.clone());
        self.note(self.entry(who, "sign_out", None, client.address, AuditResult::Done)).await;
        Ok(())
    }

    /// Whether a code opens the door; it does so once.
    pub(crate) async fn is_right_code(
        &self,
        user: &StoredUser,
        code: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let users = self.0.store.users();
        // It was taken away in between: the password is enough.
        let Some(factor) = &user.factor else { return Ok(true) };
        if let Some(step) = one_time_code::step_of(&factor.secret, code, now) {
            return users.use_step(&user.name, step).await;
        }
        match recovery_code::hash(code) {
            Some(hash) => users.use_recovery_code(&user.name, hash).await,
            None => Ok(false),
        }
    }

    async fn begin(&self, user: &StoredUser, client: &ClientInfo) -> Result<NewSession, SignInError> {
        let (token, device) = (SessionToken::draw()?, DeviceToken::draw()?);
        let now = self.0.clock.now();
        let id = SessionId::from_uuid(self.0.ids.next());
        let session = BeginSession {
            token: token.hash(),
            id,
            user: user.name.clone(),
            password_at: user.password_at,
            at: now,
            address: client.address,
            browser: client.browser.as_ref().map(|name| name.chars().take(LONGEST_BROWSER).collect()),
            device: device.id().0,
            known_as: client.devices.iter().map(|known_as| known_as.0).collect(),
            known_as_since: now.minus(DEVICE_LASTS).plus(OLD_DEVICE_LASTS),
        };
        if !self.0.store.user_sessions().begin(&session).await? {
            return Err(SignInError::Wrong);
        }
        let who = AuditWho::User(user.name.clone());
        self.note(self.entry(who, "sign_in", None, client.address, AuditResult::Done)).await;
        let visitor = Visitor {
            user: user.name.clone(),
            role: user.role,
            session: id,
            csrf: token.csrf(),
            since: now,
            second_factor: user.factor.is_some(),
        };
        Ok(NewSession { token, device, visitor })
    }

    /// Refuses an attempt if the throttle says so, and logs those that were refused.
    pub(crate) async fn enforce(&self, verdict: Verdict, client: &ClientInfo) -> Result<(), SignInError> {
        let (reported, obeyed) = match verdict {
            Verdict::Check { unreported } => (unreported, Ok(())),
            Verdict::Wait { wait, reported } => (reported.unwrap_or(0), Err(SignInError::Wait(wait))),
        };
        if reported > 0 {
            let address = client.address.map(|address| address.to_string()).unwrap_or_default();
            tracing::warn!(address, times = reported, "sign-ins were turned away after too many wrong ones");
            let mut entry =
                self.entry(AuditWho::Unidentified, "sign_in", None, client.address, AuditResult::Refused);
            entry.code = Some("rate_limited".to_owned());
            self.count(entry, reported).await;
        }
        obeyed
    }

    /// Writes down a wrong password or code. What was typed as a name is written only when it is one: people type
    /// passwords into the wrong field.
    pub(crate) async fn audit_failure(&self, who: AuditWho, code: &str, client: &ClientInfo) {
        let mut entry = self.entry(who, "sign_in", None, client.address, AuditResult::Refused);
        entry.code = Some(code.to_owned());
        self.count(entry, 1).await;
    }

    pub(crate) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.0.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.0.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
