//! How far someone is with signing in, and what they are to do next.

use domain::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// How a code goes to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeDelivery {
    /// As a message in the apps where the account is signed in.
    App,
    /// As a text message.
    Sms,
    /// As a word or a phrase in a text message.
    SmsWords,
    Call,
    /// By a call that is not to be answered: the code is in the number.
    FlashCall,
    /// By a call that is not to be answered: the code is the last digits of the number.
    MissedCall,
    /// To the e-mail address of the account.
    Email,
    /// As a message on fragment.com, for anonymous numbers.
    Fragment,
}

impl CodeDelivery {
    const fn location(self) -> &'static str {
        match self {
            Self::App => "in the Telegram app, in the chat with Telegram",
            Self::Sms => "in a text message",
            Self::SmsWords => "in a text message, as words",
            Self::Call => "in a phone call",
            Self::FlashCall | Self::MissedCall => "in the last digits of the number that calls",
            Self::Email => "in the e-mail of the account",
            Self::Fragment => "on fragment.com",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedInAs {
    pub user_id: UserId,
    pub username: Option<String>,
    pub display_name: String,
}

/// Why a login came to nothing.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginFailure {
    /// The phone number is none.
    PhoneInvalid,
    /// Telegram banned the phone number.
    PhoneBanned,
    /// No account has this phone number.
    SignUpRequired,
    /// Telegram wants an e-mail address first.
    EmailRequired,
    /// Telegram wants to be paid for the code.
    PaymentRequired,
    /// The code is too old, or was tried too often.
    CodeExpired,
    /// Telegram asks to wait.
    Flood,
    /// The application's number or secret is wrong.
    ApiIdInvalid,
    /// Someone else signed in.
    OtherPerson,
    /// The account is banned or deleted.
    Banned,
    /// Someone did not accept the terms of service.
    TermsDeclined,
    /// No one went on with it.
    LeftAlone,
    /// Telegram has no other way for a code, or wants it started over.
    #[serde(rename = "begin_anew")]
    #[strum(serialize = "begin_anew")]
    StartOver,
    /// Anything else that Telegram said.
    Refused,
}

domain::enum_words!(LoginFailure);

impl LoginFailure {
    pub const fn next(self) -> &'static str {
        match self {
            Self::PhoneInvalid => "check the phone number, with its + and country, and sign in again",
            Self::PhoneBanned | Self::Banned => "write to Telegram's support, or use another account",
            Self::SignUpRequired => "make the account in a Telegram app first; this program never does",
            Self::EmailRequired => {
                "set up an e-mail address for signing in with a Telegram app, then sign in again"
            }
            Self::PaymentRequired => "sign in with a QR code, or in a Telegram app first",
            Self::CodeExpired => "sign in again for a new code",
            Self::Flood => "wait until then, and sign in again",
            Self::ApiIdInvalid => "check api_id and api_hash on my.telegram.org, and sign in again",
            Self::OtherPerson => {
                "sign in as the person of this account, or add another account for the other one"
            }
            Self::TermsDeclined => "sign in again and accept them; without that the account cannot be used",
            Self::LeftAlone | Self::StartOver => "sign in again",
            Self::Refused => "look at the detail, and sign in again",
        }
    }
}

/// How far someone is with signing in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LoginState {
    None,
    /// A code went out.
    CodeWanted {
        sent_by: CodeDelivery,
        /// How many characters it has, where that is known.
        length: Option<u32>,
        next_by: Option<CodeDelivery>,
        /// From when on another one can be asked for.
        resend_at: Option<Timestamp>,
        wrong: u32,
        /// It is in the place of one that was sent before: the account lives in another data centre.
        moved: bool,
    },
    /// The two-step password is wanted.
    PasswordWanted {
        hint: Option<String>,
        wrong: u32,
    },
    /// A QR code is to be shown to a Telegram app that is signed in.
    QrShown {
        url: String,
        expires_at: Timestamp,
    },
    /// Someone signed in, and Telegram wants its terms of service to be accepted before the session is used.
    TermsWanted {
        text: String,
        /// The age in years that anyone who accepts them must have, if there is one.
        min_age: Option<u32>,
    },
    /// Someone signed in, and the session is in use.
    Done {
        user: SignedInAs,
    },
    /// It came to nothing.
    Failed {
        code: LoginFailure,
        detail: String,
        next: &'static str,
        /// Until when Telegram wants nothing of it, if it said so.
        until: Option<Timestamp>,
    },
}

impl LoginState {
    pub fn advice(&self) -> String {
        match self {
            Self::None => "sign in by phone number or by QR code".to_owned(),
            Self::CodeWanted { sent_by, wrong: 0, moved: true, .. } => {
                format!(
                    "the account lives in another data centre of Telegram, and a new code was sent from there; enter \
                     the new one, the one before is of no use; it is {}",
                    sent_by.location()
                )
            }
            Self::CodeWanted { sent_by, wrong: 0, .. } => {
                format!("enter the code; it is {}", sent_by.location())
            }
            Self::CodeWanted { sent_by, .. } => {
                format!("the code was wrong; enter the one that is {}", sent_by.location())
            }
            Self::PasswordWanted { wrong: 0, .. } => "enter the two-step password".to_owned(),
            Self::PasswordWanted { .. } => "the password was wrong; enter the two-step password".to_owned(),
            Self::QrShown { .. } => {
                "open Telegram on a phone, Settings, Devices, Link Desktop Device, and scan the QR code"
                    .to_owned()
            }
            Self::TermsWanted { min_age: None, .. } => {
                "read Telegram's terms of service, and accept them or not".to_owned()
            }
            Self::TermsWanted { min_age: Some(years), .. } => {
                format!(
                    "read Telegram's terms of service, and accept them or not; who accepts them says to be at \
                     least {years} years old"
                )
            }
            Self::Done { .. } => "nothing: the account is signed in".to_owned(),
            Self::Failed { next, .. } => (*next).to_owned(),
        }
    }

    pub const fn is_over(&self) -> bool {
        matches!(self, Self::None | Self::Done { .. } | Self::Failed { .. })
    }
}
