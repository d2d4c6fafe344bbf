//! What a person answers: the code, and the two-step password behind it.

use domain::SecretText;
use domain::secret::ExposeSecret;
use grammers_tl_types::{enums, functions, types};

use super::LoginError;
use super::meaning::Meaning;
use super::password::proof;
use super::record::{By, Step};
use super::state::CodeDelivery;
use super::turn::{LONGEST_WAIT, Reply, Turn};
impl Turn {
    pub(super) async fn submit_code(&mut self, code: SecretText) -> Result<(), LoginError> {
        if self.settle().await? {
            return Ok(());
        }
        if self.was_broken_off().await? {
            return Ok(());
        }
        let now = self.now();
        let record = self.record()?;
        let (By::Phone { phone }, Step::Code { hash, sent_by, .. }) = (&record.by, &record.step) else {
            return Err(LoginError::NotNow(self.login.state()));
        };
        if let Some(until) = record.held_until.filter(|until| *until > now) {
            return Err(LoginError::TooSoon(until));
        }
        let code: String = code.expose_secret().trim().to_owned();
        let is_mail = *sent_by == CodeDelivery::Email;
        let mail = || types::EmailVerificationCode { code: code.clone() }.into();
        let request = functions::auth::SignIn {
            phone_number: phone.clone(),
            phone_code_hash: hash.clone(),
            email_verification: is_mail.then(mail),
            phone_code: (!is_mail).then_some(code),
        };
        self.touch(true).await?;
        let mut answer = self.ask(&request).await?;
        while let Reply::Refused(Meaning::Elsewhere(dc_id), _) = answer {
            if !self.carry_to(dc_id).await? {
                return Ok(());
            }
            self.touch(true).await?;
            answer = self.ask(&request).await?;
        }
        match answer {
            Reply::Got(authorization) => self.authorized(authorization).await,
            Reply::Refused(meaning, _) if self.is_unknown_here(&meaning)? => self.start_over().await,
            Reply::Refused(Meaning::WrongCode, _) => {
                let record = self.record()?;
                record.in_doubt = false;
                if let Step::Code { wrong, .. } = &mut record.step {
                    *wrong += 1;
                }
                self.save().await
            }
            Reply::Refused(Meaning::Wait(wait), _) => {
                let until = now.plus(wait.min(LONGEST_WAIT));
                let record = self.record()?;
                (record.held_until, record.in_doubt) = (Some(until), false);
                self.save().await?;
                Err(LoginError::TooSoon(until))
            }
            Reply::Refused(meaning, words) => self.refused(meaning, words).await,
        }
    }

    pub(super) async fn want_password(&mut self, wrong: u32) -> Result<(), LoginError> {
        let hint = match self.ask(&functions::account::GetPassword {}).await {
            Ok(Reply::Got(enums::account::Password::Password(settings))) => settings.hint,
            // A fresh key knows nothing of the code or the token that came before the password.
            Ok(Reply::Refused(Meaning::Elsewhere(dc_id), _)) => {
                return if self.move_to(dc_id, Step::StartOver).await? {
                    self.request_first_step().await
                } else {
                    Ok(())
                };
            }
            // It is wanted all the same.
            Ok(Reply::Refused(..)) | Err(LoginError::Unreachable(_)) => None,
            Err(error) => return Err(error),
        };
        self.go_to(Step::Password { hint, wrong }).await
    }

    pub(super) async fn submit_password(&mut self, password: SecretText) -> Result<(), LoginError> {
        if self.settle().await? {
            return Ok(());
        }
        if self.was_broken_off().await? {
            return Ok(());
        }
        let now = self.now();
        let record = self.record()?;
        let Step::Password { wrong, .. } = record.step else {
            return Err(LoginError::NotNow(self.login.state()));
        };
        if let Some(until) = record.held_until.filter(|until| *until > now) {
            return Err(LoginError::TooSoon(until));
        }
        self.touch(true).await?;
        // A question that was asked meanwhile makes the one before void, once.
        let mut void = 0;
        while void < 2 {
            let question = match self.ask(&functions::account::GetPassword {}).await? {
                Reply::Got(enums::account::Password::Password(question)) => question,
                Reply::Refused(Meaning::Elsewhere(dc_id), _) => {
                    if !self.carry_to(dc_id).await? {
                        return Ok(());
                    }
                    self.touch(true).await?;
                    continue;
                }
                Reply::Refused(meaning, _) if self.is_unknown_here(&meaning)? => {
                    return self.start_over().await;
                }
                Reply::Refused(meaning, words) => return self.refused(meaning, words).await,
            };
            let secret = password.clone();
            let proved = tokio::task::spawn_blocking(move || proof(question, &secret)).await;
            let proved =
                proved.map_err(|_| LoginError::Password("the password could not be used".to_owned()))?;
            let password = proved.map_err(|error| LoginError::Password(error.to_string()))?;
            match self.ask(&functions::auth::CheckPassword { password }).await? {
                Reply::Got(authorization) => return self.authorized(authorization).await,
                Reply::Refused(Meaning::AskAgain, _) => void += 1,
                Reply::Refused(Meaning::Elsewhere(dc_id), _) => {
                    if !self.carry_to(dc_id).await? {
                        return Ok(());
                    }
                    self.touch(true).await?;
                }
                Reply::Refused(meaning, _) if self.is_unknown_here(&meaning)? => {
                    return self.start_over().await;
                }
                Reply::Refused(Meaning::WrongPassword, _) => return self.want_password(wrong + 1).await,
                Reply::Refused(Meaning::Wait(wait), _) => {
                    let until = now.plus(wait.min(LONGEST_WAIT));
                    let record = self.record()?;
                    (record.held_until, record.in_doubt) = (Some(until), false);
                    self.save().await?;
                    return Err(LoginError::TooSoon(until));
                }
                Reply::Refused(meaning, words) => return self.refused(meaning, words).await,
            }
        }
        Err(LoginError::Unreachable("Telegram asks for the password again and again".to_owned()))
    }
}
