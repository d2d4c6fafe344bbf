//! Beginning: a key for the right data centre, and a code that goes out, once more or by another way.

use std::time::Duration;

use domain::secret::ExposeSecret;
use grammers_tl_types::{Deserializable, enums, functions, types};

use super::meaning::Meaning;
use super::record::{By, Record, Step};
use super::state::{CodeDelivery, LoginFailure};
use super::turn::{LONGEST_WAIT, Reply, Turn};
use super::watch::watch;
use super::{LoginError, LoginOptions};
impl Turn {
    pub(super) async fn start(&mut self, by: By, options: LoginOptions) -> Result<(), LoginError> {
        let now = self.now();
        let (mut held, mut goes_on) = (None, false);
        if let Some(record) = &self.inner.record {
            held = record.held_until.filter(|until| *until > now);
            let is_held = held.is_some() && record.by == by;
            // A beginning that broke off goes on with its key.
            goes_on = record.is_blank() && record.by == by;
            if is_held || !self.login.state().is_over() && !options.restart && !goes_on {
                return Ok(());
            }
            if !goes_on {
                self.give_up().await?;
            }
        }
        match &mut self.inner.record {
            Some(record) if goes_on => (record.purposes, record.touched_at) = (options.purposes, now),
            _ => {
                let first = self.pool.builder.addresses.first();
                self.inner.record = Some(Record::new(by, options.purposes, first, now));
            }
        }
        self.record()?.held_until = held;
        self.save().await?;
        let begun = match self.record()?.by.clone() {
            By::Phone { phone } => self.send_code(phone).await,
            By::Qr => self.show_token().await,
        };
        watch(&self.pool, &self.login);
        begun
    }

    pub(super) async fn send_code(&mut self, phone: String) -> Result<(), LoginError> {
        loop {
            let definition = self.account.definition();
            let request = functions::auth::SendCode {
                phone_number: phone.clone(),
                api_id: definition.api_id,
                api_hash: definition.api_hash.expose_secret().to_owned(),
                settings: plain_settings()?,
            };
            match self.ask(&request).await? {
                Reply::Got(sent) => return self.code_sent(sent).await,
                Reply::Refused(Meaning::Elsewhere(dc_id), _) => {
                    if !self.carry_to(dc_id).await? {
                        return Ok(());
                    }
                }
                Reply::Refused(meaning, words) => return self.refused(meaning, words).await,
            }
        }
    }

    pub(super) async fn code_sent(&mut self, sent: enums::auth::SentCode) -> Result<(), LoginError> {
        let sent = match sent {
            enums::auth::SentCode::Code(sent) => sent,
            enums::auth::SentCode::Success(done) => return self.authorized(done.authorization).await,
            enums::auth::SentCode::PaymentRequired(_) => {
                let detail = "Telegram wants to be paid for a code to this number".to_owned();
                return self.fail(LoginFailure::PaymentRequired, detail).await;
            }
        };
        let Some((sent_by, length)) = delivery_of(&sent.r#type) else {
            let detail = "Telegram wants an e-mail address to be set up first".to_owned();
            return self.fail(LoginFailure::EmailRequired, detail).await;
        };
        let wait = sent.timeout.map(|seconds| Duration::from_secs(u64::from(seconds.max(0).unsigned_abs())));
        let resend_at = sent.next_type.as_ref().map(|_| self.now().plus(wait.unwrap_or_default()));
        let next_by = sent.next_type.as_ref().map(next_of);
        let hash = sent.phone_code_hash;
        let record = self.record()?;
        let moved = record.carried || matches!(record.step, Step::StartOver);
        self.go_to(Step::Code { hash, sent_by, length, next_by, resend_at, wrong: 0, moved }).await
    }

    pub(super) async fn resend(&mut self) -> Result<(), LoginError> {
        self.settle().await?;
        if self.was_broken_off().await? {
            return Ok(());
        }
        let now = self.now();
        let record = self.record()?;
        let (By::Phone { phone }, Step::Code { hash, resend_at, .. }) = (&record.by, &record.step) else {
            return Err(LoginError::NotNow(self.login.state()));
        };
        match resend_at {
            None => return Err(LoginError::NoOtherDelivery),
            Some(at) if *at > now => return Err(LoginError::TooSoon(*at)),
            Some(_) => {}
        }
        let (phone_number, phone_code_hash) = (phone.clone(), hash.clone());
        let request = functions::auth::ResendCode { phone_number, phone_code_hash, reason: None };
        self.touch(false).await?;
        let mut answer = self.ask(&request).await?;
        while let Reply::Refused(Meaning::Elsewhere(dc_id), _) = answer {
            if !self.carry_to(dc_id).await? {
                return Ok(());
            }
            answer = self.ask(&request).await?;
        }
        match answer {
            Reply::Got(sent) => self.code_sent(sent).await,
            Reply::Refused(meaning, _) if self.is_unknown_here(&meaning)? => self.start_over().await,
            Reply::Refused(Meaning::NoOtherDelivery, _) => {
                if let Step::Code { next_by, resend_at, .. } = &mut self.record()?.step {
                    (*next_by, *resend_at) = (None, None);
                }
                self.save().await?;
                Err(LoginError::NoOtherDelivery)
            }
            Reply::Refused(Meaning::Wait(wait), _) => {
                // The code that was sent is still good.
                let until = now.plus(wait.min(LONGEST_WAIT));
                if let Step::Code { resend_at, .. } = &mut self.record()?.step {
                    *resend_at = Some(until);
                }
                self.save().await?;
                Err(LoginError::TooSoon(until))
            }
            Reply::Refused(meaning, words) => self.refused(meaning, words).await,
        }
    }
}

/// How a code may go: none of the ways that only a phone knows. Telegram writes that as a form with nothing ticked.
fn plain_settings() -> Result<enums::CodeSettings, LoginError> {
    let nothing_ticked = types::CodeSettings::from_bytes(&0_u32.to_le_bytes());
    let broken = |_| LoginError::Unreachable("the question for a code could not be made".to_owned());
    nothing_ticked.map(enums::CodeSettings::from).map_err(broken)
}

/// How a code went, and how long it is; `None` when there has to be an e-mail address first.
fn delivery_of(kind: &enums::auth::SentCodeType) -> Option<(CodeDelivery, Option<u32>)> {
    use enums::auth::SentCodeType as Kind;
    let length = |length: i32| u32::try_from(length).ok();
    Some(match kind {
        Kind::App(code) => (CodeDelivery::App, length(code.length)),
        Kind::Sms(code) => (CodeDelivery::Sms, length(code.length)),
        Kind::Call(code) => (CodeDelivery::Call, length(code.length)),
        Kind::FlashCall(_) => (CodeDelivery::FlashCall, None),
        Kind::MissedCall(code) => (CodeDelivery::MissedCall, length(code.length)),
        Kind::EmailCode(code) => (CodeDelivery::Email, length(code.length)),
        Kind::FragmentSms(code) => (CodeDelivery::Fragment, length(code.length)),
        Kind::FirebaseSms(code) => (CodeDelivery::Sms, length(code.length)),
        Kind::SmsWord(_) | Kind::SmsPhrase(_) => (CodeDelivery::SmsWords, None),
        Kind::SetUpEmailRequired(_) => return None,
    })
}

fn next_of(kind: &enums::auth::CodeType) -> CodeDelivery {
    use enums::auth::CodeType as Kind;
    match kind {
        Kind::Sms => CodeDelivery::Sms,
        Kind::Call => CodeDelivery::Call,
        Kind::FlashCall => CodeDelivery::FlashCall,
        Kind::MissedCall => CodeDelivery::MissedCall,
        Kind::FragmentSms => CodeDelivery::Fragment,
    }
}
