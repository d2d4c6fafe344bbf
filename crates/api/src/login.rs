//! A sign-in to an account: how far it is, and the one step that comes next.

use domain::{AccountName, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telegram::CodeDelivery;
use utoipa::ToSchema;

/// How far a sign-in is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Login {
    /// The account.
    #[schema(value_type = String, example = "main")]
    pub account: AccountName,
    /// `none`, `code_wanted`, `password_wanted`, `terms_wanted`, `qr_shown`, `done` or `failed`.
    #[schema(example = "code_wanted")]
    pub state: String,
    /// What to do now, in words.
    pub advice: String,
    /// The call that goes on, with what is to be filled in; null when there is nothing to send.
    pub next_step: Option<LoginStep>,
    /// With `code_wanted`: how the code was sent, such as `app`, `sms` or `call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "app")]
    pub sent_by: Option<CodeDelivery>,
    /// With `code_wanted`: how many characters it has, if Telegram reported that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 5)]
    pub length: Option<u32>,
    /// With `code_wanted` and `password_wanted`: how often a wrong one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<u32>,
    /// With `code_wanted`: true when this is a new code in the place of one that was sent before, because the account lives
    /// in another data centre of Telegram. The code before is of no use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<bool>,
    /// With `code_wanted`: how it would be sent next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "sms")]
    pub next_by: Option<CodeDelivery>,
    /// With `code_wanted`: from when on it can be sent that way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resend_at: Option<Timestamp>,
    /// With `password_wanted`: what the account's owner wrote down to remember it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// With `terms_wanted`: Telegram's terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// With `terms_wanted`: the least age in years to accept them, if Telegram wants one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_age: Option<u32>,
    /// With `qr_shown`: what to show as a QR code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tg://login?token=…")]
    pub url: Option<String>,
    /// With `qr_shown`: until when the code is good. A new one is made by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// With `done`: who signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<SignedIn>,
    /// With `failed`: the stable word for why, as the call that failed answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "phone_banned")]
    pub code: Option<String>,
    /// With `failed`: what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// With `failed`: until when Telegram asks to wait, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The call that comes next.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LoginStep {
    #[schema(example = "POST")]
    pub method: String,
    #[schema(example = "/v1/accounts/main/login/code")]
    pub path: String,
    /// What to send; `…` stands for what only the owner knows.
    #[schema(value_type = Object, example = json!({ "code": "…" }))]
    pub body: Value,
}

/// Who signed in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// Telegram's id.
    #[schema(value_type = i64)]
    pub user_id: UserId,
    /// The public name.
    pub username: Option<String>,
    /// The name.
    pub display_name: Option<String>,
}
