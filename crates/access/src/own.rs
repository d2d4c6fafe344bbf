//! What users change about themselves: the password, the second factor, the sessions.

use domain::{SecretText, SessionId};
use store::{AuditResult, AuditWho, Keeping, StoredUser};

use crate::error::{ChangeError, SignInError};
use crate::session::{ClientInfo, Visitor};
use crate::throttle::Source;
use crate::{Access, one_time_code, password, recovery_code};

/// Recovery codes, to be shown this once.
pub type RecoveryCodes = Vec<SecretText>;

/// A second factor to be confirmed with its first code.
#[derive(Debug)]
pub struct OfferedFactor {
    /// The address for the picture that an authenticator reads.
    pub address: SecretText,
    /// The secret for typing, base 32.
    pub secret: SecretText,
}

impl Access {
    /// Changes the password and ends all other sessions.
    pub async fn change_password(
        &self,
        visitor: &Visitor,
        present: SecretText,
        new: SecretText,
        client: &ClientInfo,
    ) -> Result<(), ChangeError> {
        password::check(&new, &visitor.user)?;
        self.check_present(visitor, present, client).await?;
        let kept = self.0.hashing.hash(new).await?;
        let keeping = Keeping::This(visitor.session);
        let at = self.0.clock.now();
        if !self.0.store.users().set_password(&visitor.user, &kept, at, keeping).await? {
            return Err(ChangeError::Unknown);
        }
        self.note_change(visitor, "change_password", client).await;
        Ok(())
    }

    /// Offers a second factor, which is in force after its first code; an earlier offer is void. One in force is not
    /// replaced, or a stolen session would lock the owner out: turning it off asks for the password.
    pub async fn offer_second_factor(&self, visitor: &Visitor) -> Result<OfferedFactor, ChangeError> {
        let secret = one_time_code::draw()?;
        if !self.0.store.users().offer_factor(&visitor.user, &secret).await? {
            self.own(visitor).await?;
            return Err(ChangeError::HasFactor);
        }
        Ok(one_time_code::offer(&visitor.user, &secret)?)
    }

    /// The second factor that was offered and not confirmed yet.
    pub async fn offered_second_factor(
        &self,
        visitor: &Visitor,
    ) -> Result<Option<OfferedFactor>, ChangeError> {
        let user = self.own(visitor).await?;
        let offered = user.offered.filter(|_| user.factor.is_none());
        Ok(offered.map(|offered| one_time_code::offer(&visitor.user, &offered.secret)).transpose()?)
    }

    /// Puts the offered second factor in force. The answer has the recovery codes.
    pub async fn confirm_second_factor(
        &self,
        visitor: &Visitor,
        code: &str,
        client: &ClientInfo,
    ) -> Result<RecoveryCodes, ChangeError> {
        let user = self.own(visitor).await?;
        if user.factor.is_some() {
            return Err(ChangeError::HasFactor);
        }
        let offered = user.offered.ok_or(ChangeError::NotOffered)?;
        let step = one_time_code::step_of(&offered.secret, code, self.0.clock.now())
            .ok_or(ChangeError::WrongCode)?;
        let (shown, stored) = recovery_code::draw()?;
        if !self.0.store.users().confirm_factor(&visitor.user, offered, step, stored).await? {
            return Err(ChangeError::NotOffered);
        }
        self.note_change(visitor, "turn_on_second_factor", client).await;
        Ok(shown)
    }

    /// Takes the second factor away; the password shows that it is its owner who asks.
    pub async fn drop_second_factor(
        &self,
        visitor: &Visitor,
        present: SecretText,
        client: &ClientInfo,
    ) -> Result<(), ChangeError> {
        self.check_present(visitor, present, client).await?;
        if !self.0.store.users().drop_factor(&visitor.user).await? {
            return Err(ChangeError::NoFactor);
        }
        self.note_change(visitor, "turn_off_second_factor", client).await;
        Ok(())
    }

    /// New recovery codes in place of the old ones.
    pub async fn renew_recovery_codes(
        &self,
        visitor: &Visitor,
        present: SecretText,
        client: &ClientInfo,
    ) -> Result<RecoveryCodes, ChangeError> {
        self.check_present(visitor, present, client).await?;
        let (shown, stored) = recovery_code::draw()?;
        if !self.0.store.users().replace_recovery_codes(&visitor.user, stored).await? {
            return Err(ChangeError::NoFactor);
        }
        self.note_change(visitor, "renew_recovery_codes", client).await;
        Ok(shown)
    }

    /// Ends one of one's own sessions; false when it had ended.
    pub async fn end_own_session(
        &self,
        visitor: &Visitor,
        id: SessionId,
        client: &ClientInfo,
    ) -> Result<bool, ChangeError> {
        let ended = self.end_session(&visitor.user, id).await?;
        self.note_change(visitor, "end_own_session", client).await;
        Ok(ended)
    }

    /// Ends all of one's own sessions but the present one; says how many.
    pub async fn end_own_other_sessions(
        &self,
        visitor: &Visitor,
        client: &ClientInfo,
    ) -> Result<u64, ChangeError> {
        let ended = self.end_sessions(&visitor.user, Some(visitor.session)).await?;
        self.note_change(visitor, "end_own_sessions", client).await;
        Ok(ended)
    }

    async fn own(&self, visitor: &Visitor) -> Result<StoredUser, ChangeError> {
        self.0.store.users().get(&visitor.user).await?.ok_or(ChangeError::Unknown)
    }

    /// Whether the present password is right, with the same throttle as at the sign-in.
    async fn check_present(
        &self,
        visitor: &Visitor,
        present: SecretText,
        client: &ClientInfo,
    ) -> Result<(), ChangeError> {
        let now = self.0.clock.running();
        // Who is signed in waits for wrong ones of their own alone.
        let source = Source::Session(visitor.session);
        let verdict = self.throttle().password(visitor.user.as_str(), source, now);
        self.enforce(verdict, client).await.map_err(|error| match error {
            SignInError::Wait(wait) => ChangeError::Wait(wait),
            other => ChangeError::Failed(other.to_string()),
        })?;
        let right = self.is_present(visitor, present).await.inspect_err(|_| {
            // A busy or broken server does not count against the caller.
            self.throttle().not_checked(visitor.user.as_str(), source);
        })?;
        if !right {
            self.audit_failure(AuditWho::User(visitor.user.clone()), "wrong_password", client).await;
            return Err(ChangeError::WrongPassword);
        }
        self.throttle().right(&visitor.user, source);
        Ok(())
    }

    async fn is_present(&self, visitor: &Visitor, present: SecretText) -> Result<bool, ChangeError> {
        let user = self.own(visitor).await?;
        Ok(self.0.hashing.verify(present, Some(user.password)).await?)
    }

    async fn note_change(&self, visitor: &Visitor, action: &str, client: &ClientInfo) {
        let who = AuditWho::User(visitor.user.clone());
        let subject = Some(visitor.user.to_string());
        self.note(self.entry(who, action, subject, client.address, AuditResult::Done)).await;
    }
}
