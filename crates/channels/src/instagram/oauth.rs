//! Logging in at Instagram: a link for the owner, and the token of 60 days for the code that comes back.
//!
//! Instagram answers with a code that counts once and for an hour, which is exchanged for a token of an hour, and that for one of
//! 60 days (Meta's pages "Business Login for Instagram" and "Access Token").

use std::time::Duration;

use ambient::Clock;
use domain::secret::ExposeSecret;
use domain::{AccountName, SecretText, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::Mutex;

use super::client::{Client, VERSION, new_token, word};
use super::error;
use super::token::NewToken;
use crate::error::CallError;
use crate::http::Http;
use crate::login::{LogIn, LogInAnswer};
use crate::setup::{Setup, is_same};
use crate::stored_values::StoredValues;

/// What the app may do for the account.
const SCOPES: &str = "instagram_business_basic,instagram_business_manage_messages";
/// How long a link works.
const LINK_WORKS: Duration = Duration::from_mins(30);
/// Where the owner logs in, and where a code is exchanged; at `api` where that is another one.
const AUTHORIZE: &str = "https://www.instagram.com";
const EXCHANGE: &str = "https://api.instagram.com";
/// Links from before this instant, in microseconds, were used.
const USED_UP_TO: &str = "log_in_used_up_to";

pub(super) struct OAuth {
    http: Http,
    api: String,
    is_other_api: bool,
    app: SecretText,
    /// The last one first: what is added last is in use.
    secrets: Vec<SecretText>,
    account: AccountName,
    stored: StoredValues,
    clock: Clock,
    /// One log-in at a time.
    turn: Mutex<()>,
}

impl OAuth {
    pub(super) fn new(setup: &Setup, app: SecretText, mut secrets: Vec<SecretText>) -> Self {
        secrets.reverse();
        Self {
            http: setup.http.clone(),
            api: setup.api(),
            is_other_api: setup.api() != setup.fields.channel.api(),
            app,
            secrets,
            account: setup.fields.name.clone(),
            stored: setup.kept.clone(),
            clock: setup.clock.clone(),
            turn: Mutex::new(()),
        }
    }

    /// The link that the owner opens.
    ///
    /// # Errors
    /// There is no address to come back to.
    pub(super) fn link(&self, back: Option<&str>) -> Result<LogIn, CallError> {
        let back = back.ok_or_else(|| {
            CallError::refused("no_public_url", "set `public_url`: Instagram sends the browser back there")
        })?;
        let now = self.clock.now();
        let host = if self.is_other_api { &self.api } else { AUTHORIZE };
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", self.app.expose_secret())
            .append_pair("redirect_uri", back)
            .append_pair("response_type", "code")
            .append_pair("scope", SCOPES)
            .append_pair("state", &self.state(now))
            .finish();
        let url = format!("{host}/oauth/authorize?{query}").into();
        Ok(LogIn::Link { url, until: now.plus(LINK_WORKS) })
    }

    /// Takes what the browser brought, and has the account use the token of 60 days that it is worth.
    ///
    /// # Errors
    /// The link is not ours, was used or has ended; the owner said no; another account is logged in; or Instagram refuses it.
    pub(super) async fn finish(
        &self,
        client: &Client,
        answer: &LogInAnswer,
        back: &str,
    ) -> Result<(), CallError> {
        let _turn = self.turn.lock().await;
        let made = self.read_state(&answer.state)?;
        let used = CallError::refused("used_up", "the link was used, or a newer one was; get another one");
        if self.used_up_to().is_some_and(|used| made <= used) {
            return Err(used);
        }
        self.keep(USED_UP_TO, made.as_micros().to_string().into()).await?;
        if let Some(why) = &answer.error {
            return Err(CallError::refused("not_granted", why.chars().take(200).collect::<String>()));
        }
        let missing = || CallError::refused("no_code", "Instagram sent no code back");
        let code = answer.code.as_ref().ok_or_else(missing)?;
        // It ends with this mark where it was copied from the address of a browser.
        let code = code.expose_secret().trim_end_matches("#_");
        let mut short = Err(missing());
        for secret in &self.secrets {
            short = self.exchange(code, back, secret).await.map(|short| (short, secret));
            if !matches!(short, Err(CallError::Refused { .. })) {
                break;
            }
        }
        let (short, secret) = short?;
        let new = self.lengthen(&short, secret).await?;
        let id = self.who(&new.token).await?;
        if let Some(own) = client.own_id().filter(|own| *own != id) {
            let detail = format!(
                "it is the account {id} that is logged in, and this one is {own}; log out there first"
            );
            return Err(CallError::refused("another_account", detail));
        }
        client.keep_token(new).await?;
        client.keep_own_id(&id).await;
        Ok(())
    }

    /// A token of an hour for a code.
    async fn exchange(&self, code: &str, back: &str, secret: &SecretText) -> Result<SecretText, CallError> {
        let host = if self.is_other_api { &self.api } else { EXCHANGE };
        let form = [
            ("client_id", self.app.expose_secret()),
            ("client_secret", secret.expose_secret()),
            ("grant_type", "authorization_code"),
            ("redirect_uri", back),
            ("code", code),
        ];
        let request = self.http.post(&format!("{host}/oauth/access_token")).form(&form);
        let answer = self.http.call(request).await?;
        short_token(answer.status, &serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    /// A token of 60 days for one of an hour.
    async fn lengthen(&self, short: &SecretText, secret: &SecretText) -> Result<NewToken, CallError> {
        let query = [
            ("grant_type", "ig_exchange_token"),
            ("client_secret", secret.expose_secret()),
            ("access_token", short.expose_secret()),
        ];
        let request = self.http.get(&format!("{}/access_token", self.api)).query(&query);
        new_token(&error::read(&self.http.call(request).await?, |wait| wait)?)
    }

    /// The id of the account that a token is of.
    async fn who(&self, token: &SecretText) -> Result<String, CallError> {
        let url = format!("{}/{VERSION}/me", self.api);
        let request = self.http.get(&url).query(&[("fields", "user_id")]).bearer_auth(token.expose_secret());
        let reply = error::read(&self.http.call(request).await?, |wait| wait)?;
        word(&reply, "user_id")
            .ok_or_else(|| CallError::Unreadable("200 without the id of the account".to_owned()))
    }

    /// Names the account and when the link was made, signed.
    fn state(&self, made: Timestamp) -> String {
        let payload = format!("{}.{}", self.account, made.as_micros());
        format!("{payload}.{}", self.sign(&payload))
    }

    /// What links are signed with: nothing that is in an address.
    fn key(&self) -> &[u8] {
        self.secrets.first().map(|secret| secret.expose_secret().as_bytes()).unwrap_or_default()
    }

    fn sign(&self, payload: &str) -> String {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(self.key()) else {
            return String::new();
        };
        hex::encode(mac.chain_update(format!("log in\n{payload}")).finalize().into_bytes())
    }

    /// When the link of a state was made.
    fn read_state(&self, state: &str) -> Result<Timestamp, CallError> {
        let wrong = || CallError::refused("wrong_state", "this is no link of this account");
        let (payload, signature) = state.rsplit_once('.').ok_or_else(wrong)?;
        let wanted = self.sign(payload);
        if wanted.is_empty() || !is_same(wanted.as_bytes(), signature.as_bytes()) {
            return Err(wrong());
        }
        let made = payload.strip_prefix(self.account.as_str()).and_then(|rest| rest.strip_prefix('.'));
        let made = made.and_then(|made| made.parse().ok()).map(Timestamp::from_micros).ok_or_else(wrong)?;
        if self.clock.now().since(made) > LINK_WORKS {
            return Err(CallError::refused("ended", "the link works for 30 minutes; get another one"));
        }
        Ok(made)
    }

    fn used_up_to(&self) -> Option<Timestamp> {
        Some(Timestamp::from_micros(self.stored.text(USED_UP_TO)?.parse().ok()?))
    }

    async fn keep(&self, name: &'static str, value: SecretText) -> Result<(), CallError> {
        let kept = self.stored.put(vec![(name, value)]).await;
        kept.map_err(|error| CallError::Unreached(format!("the log-in cannot be kept: {error}")))
    }
}

/// The token of an hour; it is in the answer itself, or in the first of a list.
fn short_token(status: u16, reply: &Value) -> Result<SecretText, CallError> {
    let token = word(reply, "access_token").or_else(|| word(reply["data"].get(0)?, "access_token"));
    let message = word(reply, "error_message").or_else(|| word(&reply["error"], "message"));
    match (token, message) {
        (Some(token), _) if (200..300).contains(&status) => Ok(token.into()),
        (_, Some(message)) => {
            Err(CallError::refused("exchange", message.chars().take(200).collect::<String>()))
        }
        _ if status >= 500 => Err(CallError::Server(status.to_string())),
        _ => Err(CallError::Unreadable(format!("{status} without a token"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_token_is_read_from_either_field() {
        for reply in [json!({"access_token": "short"}), json!({"data": [{"access_token": "short"}]})] {
            assert_eq!(short_token(200, &reply).unwrap().expose_secret(), "short");
        }
        let reply =
            json!({"error_type": "OAuthException", "code": 400, "error_message": "Invalid platform app"});
        let refused = short_token(400, &reply).unwrap_err();
        assert!(matches!(&refused, CallError::Refused { detail, .. } if detail == "Invalid platform app"));
        assert!(matches!(short_token(200, &json!([])), Err(CallError::Unreadable(_))));
        assert!(matches!(short_token(502, &Value::Null), Err(CallError::Server(_))));
    }
}
