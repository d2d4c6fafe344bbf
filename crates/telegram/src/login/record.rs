//! What is stored of a login before each step, so that a session that was signed in is never lost.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::secret::{ExposeSecret, Zeroize};
use domain::{Purpose, Secret, SecretText, Timestamp};
use mtproto::AuthKey;
use serde::{Deserialize, Serialize};

use super::state::{CodeDelivery, LoginFailure, LoginState, SignedInAs};
use crate::session::SignedIn;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub(crate) enum By {
    Phone { phone: String },
    Qr,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(crate) enum Step {
    /// Nothing was asked with the key.
    Fresh,
    Code {
        hash: String,
        sent_by: CodeDelivery,
        length: Option<u32>,
        next_by: Option<CodeDelivery>,
        resend_at: Option<Timestamp>,
        wrong: u32,
        /// It is in the place of one that was sent from another data centre.
        #[serde(default)]
        moved: bool,
    },
    Password {
        hint: Option<String>,
        wrong: u32,
    },
    /// A token is shown.
    Token {
        url: String,
        expires_at: Timestamp,
    },
    /// An accepted token is taken to the data centre of its user.
    Moving {
        token: String,
    },
    /// The data centre that the login was sent to knows nothing of it: there it is started over.
    #[serde(rename = "anew")]
    StartOver,
    /// Someone is signed in, and has not yet accepted the terms of service.
    Terms {
        id: String,
        text: String,
        min_age: Option<u32>,
        user: SignedInAs,
    },
    Failed {
        code: LoginFailure,
        detail: String,
    },
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) by: By,
    /// Empty: those that no working session has.
    pub(crate) purposes: Vec<Purpose>,
    /// When someone last did something about it.
    pub(crate) touched_at: Timestamp,
    /// Until when Telegram wants nothing of it.
    pub(crate) held_until: Option<Timestamp>,
    pub(crate) dc_id: i32,
    /// The fresh key, in base64.
    key: Option<String>,
    /// The key may be signed in: an answer got lost.
    pub(crate) in_doubt: bool,
    /// How often it was sent to another data centre.
    #[serde(default)]
    pub(crate) moves: u32,
    /// It was sent on at this step: the code or the password was asked for in another data centre.
    #[serde(default)]
    pub(crate) carried: bool,
    #[serde(flatten)]
    pub(crate) step: Step,
}

impl Drop for Record {
    fn drop(&mut self) {
        self.forget_key();
    }
}

impl Record {
    pub(crate) fn new(by: By, purposes: Vec<Purpose>, dc_id: i32, now: Timestamp) -> Self {
        let (held_until, key, step) = (None, None, Step::Fresh);
        let (in_doubt, moves, carried) = (false, 0, false);
        Self { by, purposes, touched_at: now, held_until, dc_id, key, in_doubt, moves, carried, step }
    }

    /// `None` for what no version of the program wrote.
    pub(crate) fn read(text: &SecretText) -> Option<Self> {
        serde_json::from_str(text.expose_secret()).ok()
    }

    pub(crate) fn to_text(&self) -> Option<SecretText> {
        serde_json::to_string(self).ok().map(SecretText::from)
    }

    pub(crate) fn forget_key(&mut self) {
        if let Some(mut key) = self.key.take() {
            key.zeroize();
        }
    }

    pub(crate) fn set_key(&mut self, key: &AuthKey) {
        self.forget_key();
        self.key = Some(STANDARD.encode(key.expose_secret()));
    }

    pub(crate) fn key(&self) -> Option<SignedIn> {
        let mut bytes = STANDARD.decode(self.key.as_ref()?).ok()?;
        let mut key = Box::new([0; 256]);
        let right = bytes.len() == key.len();
        if right {
            key.copy_from_slice(&bytes);
        }
        bytes.zeroize();
        right.then(|| SignedIn { dc_id: self.dc_id, key: Secret::new(key), user_id: None })
    }

    /// Whether someone is, or may be, signed in with the key: it is not forgotten before it is signed out.
    pub(crate) fn may_be_signed_in(&self) -> bool {
        self.in_doubt || matches!(self.step, Step::Terms { .. })
    }

    /// Whether no one has anything to do at this step: what is shown stays until the next one.
    pub(crate) fn is_transitional(&self) -> bool {
        matches!(self.step, Step::Moving { .. } | Step::StartOver)
    }

    /// Whether nothing came of the key yet: no one can be signed in with it.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self.step, Step::Fresh | Step::StartOver)
    }

    pub(crate) fn state(&self) -> LoginState {
        match self.step.clone() {
            Step::Fresh | Step::Moving { .. } | Step::StartOver => LoginState::None,
            Step::Code { sent_by, length, next_by, resend_at, wrong, moved, hash: _ } => {
                LoginState::CodeWanted { sent_by, length, next_by, resend_at, wrong, moved }
            }
            Step::Password { hint, wrong } => LoginState::PasswordWanted { hint, wrong },
            Step::Token { url, expires_at } => LoginState::QrShown { url, expires_at },
            Step::Terms { text, min_age, .. } => LoginState::TermsWanted { text, min_age },
            Step::Failed { code, detail } => {
                LoginState::Failed { code, detail, next: code.next(), until: self.held_until }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_records_are_read_back() {
        let phone = "+70000000001".to_owned();
        let mut record =
            Record::new(By::Phone { phone }, vec![Purpose::SendText], 2, Timestamp::from_micros(5));
        let key: AuthKey = Secret::new(Box::new([7; 256]));
        record.set_key(&key);
        record.step = Step::Code {
            hash: "hash".into(),
            sent_by: CodeDelivery::App,
            length: Some(5),
            next_by: Some(CodeDelivery::Sms),
            resend_at: Some(Timestamp::from_micros(9_000_000)),
            wrong: 2,
            moved: true,
        };
        let again = Record::read(&record.to_text().expect("text")).expect("a record");
        assert_eq!((&again.by, &again.step, &again.purposes), (&record.by, &record.step, &record.purposes));
        assert_eq!(again.key().expect("a key").key.expose_secret(), &[7; 256]);
        assert!(Record::read(&SecretText::from("{}".to_owned())).is_none());
        record.forget_key();
        assert!(record.key().is_none());
    }
}
