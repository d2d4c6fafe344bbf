//! Terms of service that Telegram shows after signing in: the session is used when they are accepted, and signed out
//! when they are not.
//!
//! After `help.getTermsOfServiceUpdate`, <https://core.telegram.org/api/config#terms-of-service>.

use grammers_tl_types::{enums, functions, types};
use store::SelfUser;

use super::LoginError;
use super::meaning::Meaning;
use super::record::Step;
use super::state::{LoginFailure, LoginState, SignedInAs};
use super::turn::{LONGEST_WAIT, Reply, Turn};

impl Turn {
    /// Someone is signed in with the key. It is used at once unless there are terms to accept.
    pub(super) async fn signed_in(&mut self, user: SelfUser) -> Result<(), LoginError> {
        // Until it is a session of the account nothing may forget the key.
        self.record()?.in_doubt = true;
        if self.is_another_person(&user).await? {
            return Ok(());
        }
        match self.ask(&functions::help::GetTermsOfServiceUpdate {}).await? {
            Reply::Got(enums::help::TermsOfServiceUpdate::Update(update)) => {
                let enums::help::TermsOfService::Service(terms) = update.terms_of_service;
                let enums::DataJson::Json(id) = terms.id;
                let min_age = terms.min_age_confirm.and_then(|years| u32::try_from(years).ok());
                let SelfUser { user_id, username, display_name } = user;
                let user = SignedInAs { user_id, username, display_name };
                self.go_to(Step::Terms { id: id.data, text: terms.text, min_age, user }).await
            }
            Reply::Got(enums::help::TermsOfServiceUpdate::Empty(_)) => self.adopt(user).await,
            Reply::Refused(Meaning::NotSignedIn, words) => self.ended_elsewhere(&words).await,
            Reply::Refused(_, words) => {
                // Whatever it is, the account works with the session.
                tracing::warn!(account = %self.login.account, words, "Telegram tells no terms of service");
                self.adopt(user).await
            }
        }
    }

    pub(super) async fn answer_terms(&mut self, accepted: bool) -> Result<(), LoginError> {
        // Only where an answer got lost before the terms were known is there something to find out first.
        if !matches!(self.inner.record.as_ref().map(|record| &record.step), Some(Step::Terms { .. }))
            && self.settle().await?
            && matches!(self.login.state(), LoginState::Done { .. })
        {
            return Ok(());
        }
        let record = self.record()?;
        let Step::Terms { id, user, .. } = record.step.clone() else {
            return Err(LoginError::NotNow(self.login.state()));
        };
        self.touch(true).await?;
        if !accepted {
            return self.decline().await;
        }
        let request = functions::help::AcceptTermsOfService { id: types::DataJson { data: id }.into() };
        match self.ask(&request).await? {
            // Asked for once more: there may be others, and those that were accepted before are not sent again.
            Reply::Got(_) => {
                let SignedInAs { user_id, username, display_name } = user;
                self.signed_in(SelfUser { user_id, username, display_name }).await
            }
            Reply::Refused(meaning, words) => self.refused_after_signing_in(meaning, words).await,
        }
    }

    async fn refused_after_signing_in(&mut self, meaning: Meaning, words: String) -> Result<(), LoginError> {
        match meaning {
            Meaning::NotSignedIn => self.ended_elsewhere(&words).await,
            Meaning::Failed(code @ LoginFailure::Banned) => self.fail(code, words).await,
            Meaning::Wait(wait) => Err(LoginError::TooSoon(self.now().plus(wait.min(LONGEST_WAIT)))),
            _ => Err(LoginError::Unreachable(words)),
        }
    }

    /// Someone signed the new session out before it was used.
    pub(super) async fn ended_elsewhere(&mut self, words: &str) -> Result<(), LoginError> {
        let detail = format!("the new session was ended before it was used: {words}");
        self.fail(LoginFailure::StartOver, detail).await
    }

    /// Without the terms there is no session: ours is signed out, and no other.
    async fn decline(&mut self) -> Result<(), LoginError> {
        self.sign_out().await?;
        let detail = "the terms of service were not accepted; the new session was signed out".to_owned();
        self.fail(LoginFailure::TermsDeclined, detail).await
    }

    /// Signs out the session of this login. Done already is done too.
    pub(super) async fn sign_out(&mut self) -> Result<(), LoginError> {
        match self.ask(&functions::auth::LogOut {}).await? {
            Reply::Refused(Meaning::Wait(wait), _) => {
                Err(LoginError::TooSoon(self.now().plus(wait.min(LONGEST_WAIT))))
            }
            Reply::Got(_) | Reply::Refused(..) => Ok(()),
        }
    }
}
