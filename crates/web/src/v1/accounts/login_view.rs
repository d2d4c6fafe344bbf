//! How `/v1` shows a sign-in: how far it is, and the one step that comes next.

use domain::{AccountName, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use telegram::{CodeWay, LoginState};
use utoipa::ToSchema;

use super::refusal;

/// How far a sign-in is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Login {
    /// The account.
    #[schema(value_type = String, example = "main")]
    account: AccountName,
    /// `none`, `code_wanted`, `password_wanted`, `terms_wanted`, `qr_shown`, `done` or `failed`.
    #[schema(example = "code_wanted")]
    state: &'static str,
    /// What to do now, in words.
    advice: String,
    /// The call that goes on, with what is to be filled in; null when there is nothing to send.
    next_step: Option<NextStep>,
    /// With `code_wanted`: how the code was sent, such as `app`, `sms` or `call`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "app")]
    sent_by: Option<CodeWay>,
    /// With `code_wanted`: how many characters it has, if Telegram told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 5)]
    length: Option<u32>,
    /// With `code_wanted` and `password_wanted`: how often a wrong one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong: Option<u32>,
    /// With `code_wanted`: true when this is a new code in the place of one that was sent before, because the account lives
    /// in another data centre of Telegram. The code before is of no use.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<bool>,
    /// With `code_wanted`: how it would be sent next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "sms")]
    next_by: Option<CodeWay>,
    /// With `code_wanted`: from when on it can be sent that way.
    #[serde(skip_serializing_if = "Option::is_none")]
    resend_at: Option<Timestamp>,
    /// With `password_wanted`: what the account's owner wrote down to remember it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// With `terms_wanted`: Telegram's terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// With `terms_wanted`: how many years old whoever accepts them says to be at least, if Telegram wants that.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_age: Option<u32>,
    /// With `qr_shown`: what to show as a QR code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "tg://login?token=…")]
    url: Option<String>,
    /// With `qr_shown`: until when the code is good. A new one is made by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// With `done`: who signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<SignedIn>,
    /// With `failed`: the stable word for why, as the call that failed answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "phone_banned")]
    code: Option<&'static str>,
    /// With `failed`: what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// With `failed`: until when Telegram asks to wait, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

/// The call that comes next.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LoginStep)]
pub(crate) struct NextStep {
    #[schema(example = "POST")]
    method: &'static str,
    #[schema(example = "/v1/accounts/main/login/code")]
    path: String,
    /// What to send; `…` stands for what only the owner knows.
    #[schema(value_type = Object, example = json!({ "code": "…" }))]
    body: Value,
}

/// Who signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// Telegram's id.
    user_id: i64,
    /// The public name.
    username: Option<String>,
    /// The name.
    display_name: Option<String>,
}

impl Login {
    /// What is shown of a state.
    pub(super) fn of(account: AccountName, state: LoginState) -> Self {
        let advice = refusal::sentence(&state.advice());
        let step = |rest: &str, body: Value| {
            Some(NextStep { method: "POST", path: format!("/v1/accounts/{account}/login{rest}"), body })
        };
        let begin = || step("", json!({ "by": "phone" }));
        let (word, next_step) = match &state {
            LoginState::None => ("none", begin()),
            LoginState::CodeWanted { .. } => ("code_wanted", step("/code", json!({ "code": "…" }))),
            LoginState::PasswordWanted { .. } => {
                ("password_wanted", step("/password", json!({ "password": "…" })))
            }
            LoginState::TermsWanted { .. } => ("terms_wanted", step("/terms", json!({ "accept": true }))),
            LoginState::QrShown { .. } => ("qr_shown", None),
            LoginState::Done { .. } => ("done", None),
            LoginState::Failed { .. } => ("failed", begin()),
        };
        let mut shown = Self {
            account,
            state: word,
            advice,
            next_step,
            sent_by: None,
            length: None,
            wrong: None,
            moved: None,
            next_by: None,
            resend_at: None,
            hint: None,
            text: None,
            min_age: None,
            url: None,
            expires_at: None,
            user: None,
            code: None,
            detail: None,
            until: None,
        };
        match state {
            LoginState::None => {}
            LoginState::CodeWanted { sent_by, length, next_by, resend_at, wrong, moved } => {
                (shown.sent_by, shown.length, shown.wrong) = (Some(sent_by), length, Some(wrong));
                (shown.next_by, shown.resend_at, shown.moved) = (next_by, resend_at, Some(moved));
            }
            LoginState::PasswordWanted { hint, wrong } => (shown.hint, shown.wrong) = (hint, Some(wrong)),
            LoginState::TermsWanted { text, min_age } => (shown.text, shown.min_age) = (Some(text), min_age),
            LoginState::QrShown { url, expires_at } => {
                (shown.url, shown.expires_at) = (Some(url), Some(expires_at));
            }
            LoginState::Done { user } => {
                let display_name = Some(user.display_name).filter(|name| !name.is_empty());
                let (user_id, username) = (user.user_id, user.username);
                shown.user = Some(SignedIn { user_id, username, display_name });
            }
            LoginState::Failed { code, detail, until, next: _ } => {
                shown.code = Some(refusal::code_of(code).as_str());
                (shown.detail, shown.until) = (Some(refusal::sentence(&detail)), until);
            }
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(state: LoginState) -> Value {
        serde_json::to_value(Login::of("main".parse().expect("a name"), state)).expect("JSON")
    }

    #[test]
    fn a_state_names_the_call_that_goes_on() {
        let wanted = LoginState::CodeWanted {
            sent_by: CodeWay::App,
            length: Some(5),
            next_by: Some(CodeWay::Sms),
            resend_at: None,
            wrong: 0,
            moved: true,
        };
        let code = shown(wanted);
        assert_eq!(code["moved"], true, "{code}");
        assert!(code["advice"].as_str().is_some_and(|advice| advice.contains("enter the new one")), "{code}");
        assert_eq!(
            (&code["state"], &code["sent_by"], &code["next_by"]),
            (&json!("code_wanted"), &json!("app"), &json!("sms"))
        );
        let next =
            json!({ "method": "POST", "path": "/v1/accounts/main/login/code", "body": { "code": "…" } });
        assert_eq!(code["next_step"], next, "{code}");
        assert!(code.get("hint").is_none() && code.get("url").is_none(), "{code}");
        let password = shown(LoginState::PasswordWanted { hint: Some("dog".to_owned()), wrong: 1 });
        assert_eq!((&password["hint"], &password["wrong"]), (&json!("dog"), &json!(1)), "{password}");
        assert_eq!(password["next_step"]["path"], "/v1/accounts/main/login/password", "{password}");
    }

    #[test]
    fn terms_are_shown_with_the_call_that_accepts_them() {
        let state = LoginState::TermsWanted { text: "Be kind.".to_owned(), min_age: Some(16) };
        let terms = shown(state);
        assert_eq!(
            (&terms["state"], &terms["text"]),
            (&json!("terms_wanted"), &json!("Be kind.")),
            "{terms}"
        );
        assert_eq!(
            (&terms["min_age"], &terms["next_step"]["body"]),
            (&json!(16), &json!({ "accept": true }))
        );
        assert_eq!(terms["next_step"]["path"], "/v1/accounts/main/login/terms", "{terms}");
        assert!(terms["advice"].as_str().is_some_and(|advice| advice.contains("16 years")), "{terms}");
    }

    #[test]
    fn a_failure_has_the_word_of_the_problem() {
        let state = LoginState::Failed {
            code: telegram::LoginFailure::SignUpRequired,
            detail: "no account has this number".to_owned(),
            next: telegram::LoginFailure::SignUpRequired.next(),
            until: None,
        };
        let failed = shown(state);
        assert_eq!(
            (&failed["state"], &failed["code"]),
            (&json!("failed"), &json!("sign_up_needed")),
            "{failed}"
        );
        assert_eq!(failed["detail"], "No account has this number.", "{failed}");
    }
}
