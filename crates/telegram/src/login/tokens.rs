//! Tokens that are shown as a QR code, accepted by another device, and taken to the data centre of their user.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::Timestamp;
use domain::secret::ExposeSecret;
use grammers_tl_types::{enums, functions};

use super::LoginError;
use super::meaning::Meaning;
use super::record::Step;
use super::turn::{Reply, Turn};

/// A token is good for so long at least and at most, whatever our clock thinks of Telegram's.
const TOKEN_LIFE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(1));

impl Turn {
    pub(super) async fn show_token(&mut self) -> Result<(), LoginError> {
        let definition = self.account.definition();
        let request = functions::auth::ExportLoginToken {
            api_id: definition.api_id,
            api_hash: definition.api_hash.expose_secret().to_owned(),
            except_ids: Vec::new(),
        };
        self.login.accepted.store(false, Ordering::Release);
        loop {
            self.may_sign_in().await?;
            match self.ask(&request).await? {
                Reply::Refused(Meaning::Elsewhere(dc_id), _) => {
                    // A token that was shown is of no use there.
                    let step =
                        if self.record()?.is_blank() { self.record()?.step.clone() } else { Step::StartOver };
                    if !self.move_to(dc_id, step).await? {
                        return Ok(());
                    }
                }
                answer => return self.token(answer).await,
            }
        }
    }

    pub(super) async fn token(
        &mut self,
        mut answer: Reply<enums::auth::LoginToken>,
    ) -> Result<(), LoginError> {
        loop {
            match answer {
                Reply::Got(enums::auth::LoginToken::Token(shown)) => {
                    let (now, expires) = (self.now(), i64::from(shown.expires).saturating_mul(1_000_000));
                    let expires_at =
                        Timestamp::from_micros(expires).clamp(now.plus(TOKEN_LIFE.0), now.plus(TOKEN_LIFE.1));
                    let url = format!("tg://login?token={}", URL_SAFE_NO_PAD.encode(shown.token));
                    return self.go_to(Step::Token { url, expires_at }).await;
                }
                Reply::Got(enums::auth::LoginToken::Success(done)) => {
                    return self.authorized(done.authorization).await;
                }
                Reply::Got(enums::auth::LoginToken::MigrateTo(to)) => {
                    let token = STANDARD.encode(&to.token);
                    if !self.move_to(to.dc_id, Step::Moving { token }).await? {
                        return Ok(());
                    }
                    let Some(next) = self.bring(to.token).await? else { return Ok(()) };
                    answer = next;
                }
                Reply::Refused(meaning, words) => return self.refused(meaning, words).await,
            }
        }
    }

    /// Takes an accepted token to the data centre of its user, and on to where that one sends it. Nothing when the login is
    /// over.
    pub(super) async fn bring(
        &mut self,
        token: Vec<u8>,
    ) -> Result<Option<Reply<enums::auth::LoginToken>>, LoginError> {
        let request = functions::auth::ImportLoginToken { token };
        loop {
            self.may_sign_in().await?;
            match self.ask(&request).await? {
                Reply::Refused(Meaning::Elsewhere(dc_id), _) => {
                    if !self.carry_to(dc_id).await? {
                        return Ok(None);
                    }
                }
                answer => return Ok(Some(answer)),
            }
        }
    }

    /// Notes that the next call signs in, if the token was accepted.
    pub(super) async fn may_sign_in(&mut self) -> Result<(), LoginError> {
        let record = self.record()?;
        if record.is_blank() {
            return Ok(());
        }
        record.in_doubt = true;
        self.save().await
    }
}
