//! The steps of a sign-in: each is one call; where it leads is shown by the page.

use access::Right;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::{ExposeSecret, SecretText};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::show::ask;
use crate::accounts::path_of;
use crate::accounts::purposes::Ticked;
use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{self, refusal, segment};
use crate::visitor::{Posted, Visitor};
use crate::words::LoginWords;

/// What the forms of the steps send; each has what it needs. What is secret is handed on and never shown.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Step {
    by: String,
    phone: Option<SecretText>,
    code: Option<SecretText>,
    password: Option<SecretText>,
    accept: String,
    #[serde(flatten)]
    ticked: Ticked,
}

/// `POST /accounts/{name}/login/actions/{step}`.
pub(crate) async fn act(
    State(dashboard): State<Dashboard>,
    Path((name, step)): Path<(String, String)>,
    Posted { visitor, form }: Posted<Step>,
) -> Response {
    if !visitor.may(Right::Operate) {
        return refusal::not_allowed(&visitor);
    }
    let words = LoginWords::of(visitor.language);
    let here = format!("{}/login", path_of(&name));
    let Some((method, rest, body)) = call(&step, &form) else { return refusal::no_such_page(&visitor) };
    let path = format!("/v1/accounts/{}/login{rest}", segment(&name));
    if step == "cancel"
        && ask(&dashboard, &visitor, &name).await.is_ok_and(|login| !login.state.is_under_way())
    {
        // It ended while its page was still open; nothing is there to be cancelled, and nothing is said to be.
        return Redirect::to(&path_of(&name)).into_response();
    }
    match dashboard.ask::<Value>(&visitor, method, &path, body).await {
        Ok(_) if step == "cancel" => page::done(&visitor, &path_of(&name), words.cancelled),
        Ok(_) => Redirect::to(&here).into_response(),
        Err(why) if why.code == "account_not_found" => refusal::no_such_page(&visitor),
        Err(why) => refused(&dashboard, &visitor, &name, &here, &why).await,
    }
}

/// The call of a step: its method, the rest of its path, its body.
fn call(step: &str, form: &Step) -> Option<(Method, &'static str, Option<Value>)> {
    let secret = |text: &Option<SecretText>| {
        text.as_ref().map(|text| text.expose_secret().to_owned()).unwrap_or_default()
    };
    let (rest, body) = match step {
        "start" => {
            // Anyone who presses this sees no other sign-in; one that another began meanwhile is not broken off.
            let mut body = json!({ "by": form.by, "for": form.ticked.words() });
            let phone = secret(&form.phone);
            if form.by == "phone" && !phone.trim().is_empty() {
                body["phone"] = phone.trim().into();
            }
            ("", Some(body))
        }
        "code" => ("/code", Some(json!({ "code": secret(&form.code).trim() }))),
        "password" => ("/password", Some(json!({ "password": secret(&form.password) }))),
        "terms" => ("/terms", Some(json!({ "accept": form.accept == "yes" }))),
        "resend" => ("/resend", None),
        "cancel" => return Some((Method::DELETE, "", None)),
        _ => return None,
    };
    Some((Method::POST, rest, body))
}

/// Back to the page. What its state says itself is not said twice: a wrong code or password, and why it came to nothing.
async fn refused(
    dashboard: &Dashboard,
    visitor: &Visitor,
    name: &str,
    here: &str,
    why: &Refused,
) -> Response {
    let shown = match why.code.as_str() {
        "code_invalid" | "password_invalid" => true,
        code => ask(dashboard, visitor, name).await.is_ok_and(|login| login.code.as_deref() == Some(code)),
    };
    if shown {
        return Redirect::to(here).into_response();
    }
    let words = LoginWords::of(visitor.language);
    match why.code.as_str() {
        "internal" | "store_unavailable" | "shutting_down" => page::refused(visitor, here, why),
        "invalid_request" => page::not_done(visitor, here, words.why("phone_invalid")),
        code => page::not_done(visitor, here, words.why(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(step: &str, form: &str) -> Option<Value> {
        call(step, &serde_urlencoded::from_str(form).expect("a form")).expect("a call").2
    }

    #[test]
    fn each_step_is_its_own_call() {
        assert_eq!(body("start", "by=qr&phone=%2B7"), Some(json!({ "by": "qr", "for": [] })));
        assert_eq!(
            body("start", "by=phone&phone=+%2B70000000001+&send_text=yes"),
            Some(json!({ "by": "phone", "phone": "+70000000001", "for": ["send_text"] }))
        );
        assert_eq!(body("start", "by=phone&phone="), Some(json!({ "by": "phone", "for": [] })));
        assert_eq!(body("code", "code=+12345+"), Some(json!({ "code": "12345" })));
        // A password may begin or end with a space.
        assert_eq!(body("password", "password=+a"), Some(json!({ "password": " a" })));
        assert_eq!(body("terms", "accept=no"), Some(json!({ "accept": false })));
        assert_eq!(body("terms", "accept=yes"), Some(json!({ "accept": true })));
        assert_eq!(body("resend", ""), None);
        assert!(call("dance", &Step::default()).is_none());
    }
}
