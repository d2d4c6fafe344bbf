//! How `/v1` shows a sign-in: how far it is, and the one step that comes next.

use api::{Login, LoginStep, SignedIn};
use domain::AccountName;
use serde_json::{Value, json};
use telegram::LoginState;

use super::refusal;

pub(super) fn login(account: AccountName, state: LoginState) -> Login {
    let advice = refusal::sentence(&state.advice());
    let step = |rest: &str, body: Value| {
        Some(LoginStep {
            method: "POST".to_owned(),
            path: format!("/v1/accounts/{account}/login{rest}"),
            body,
        })
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
    let mut shown = Login {
        account,
        state: word.to_owned(),
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
            shown.code = Some(refusal::code_of(code).as_str().to_owned());
            (shown.detail, shown.until) = (Some(refusal::sentence(&detail)), until);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use telegram::CodeDelivery;

    fn shown(state: LoginState) -> Value {
        serde_json::to_value(login("main".parse().expect("a name"), state)).expect("JSON")
    }

    #[test]
    fn a_state_names_the_call_that_goes_on() {
        let wanted = LoginState::CodeWanted {
            sent_by: CodeDelivery::App,
            length: Some(5),
            next_by: Some(CodeDelivery::Sms),
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
