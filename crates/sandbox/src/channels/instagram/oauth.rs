//! Logging in at the pretend Instagram: the browser is let in at once, and its code is exchanged for tokens.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use serde_json::json;

use super::super::fake::Outside;
use super::super::request::Reply;
use super::graph::{error, wrong};
use super::{APP, APP_SCOPED_ID, APP_SECRET, DIGITS, ID, Instagram, TOKEN_LIVES, Token};

/// How long a code and the first token live.
const SHORT: Duration = Duration::from_hours(1);
/// What the ids of tokens have before their number.
const TOKEN_KIND: &str = "token";
const SCOPES: [&str; 2] = ["instagram_business_basic", "instagram_business_manage_messages"];

/// What a browser that was let in is given. It counts once.
pub(super) struct Code {
    text: String,
    redirect_uri: String,
    made: Timestamp,
}

fn refused(message: &str) -> Reply {
    Reply::json(400, &json!({"error_type": "OAuthException", "code": 400, "error_message": message}))
}

impl Instagram {
    /// The page on which the owner lets the app in; the owner always does.
    pub(super) fn authorize(&mut self, query: &BTreeMap<String, String>, outside: &Outside) -> Reply {
        let word = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        if word("client_id") != APP {
            return refused("Invalid platform app");
        }
        if word("response_type") != "code" {
            return refused("response_type must be code");
        }
        if !SCOPES.iter().all(|scope| word("scope").split(',').any(|wanted| wanted == *scope)) {
            return refused("Invalid scope");
        }
        if !word("redirect_uri").starts_with("http") {
            return refused("Invalid redirect_uri");
        }
        let (text, redirect_uri) = (self.id("code"), word("redirect_uri").to_owned());
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("code", &text)
            .append_pair("state", word("state"))
            .finish();
        let place = format!("{redirect_uri}?{query}#_");
        self.codes.push(Code { text, redirect_uri, made: outside.now });
        Reply { status: 302, headers: vec![("location", place)], ..Reply::default() }
    }

    /// A token of an hour for a code.
    pub(super) fn exchange(&mut self, form: &BTreeMap<String, String>, outside: &Outside) -> Reply {
        let word = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        if word("client_id") != APP {
            return refused("Invalid platform app");
        }
        if word("client_secret") != APP_SECRET {
            return refused("Error validating client secret.");
        }
        if word("grant_type") != "authorization_code" {
            return refused("Invalid grant_type");
        }
        let Some(place) = self.codes.iter().position(|code| code.text == word("code")) else {
            return refused("Invalid authorization code");
        };
        if self.codes[place].redirect_uri != word("redirect_uri") {
            return refused(
                "Error validating verification code. Please make sure your redirect_uri is identical",
            );
        }
        let code = self.codes.swap_remove(place);
        if outside.now.since(code.made) > SHORT {
            return refused("This authorization code has expired");
        }
        let text = self.make_token(SHORT, outside);
        let response =
            json!({"access_token": text, "user_id": APP_SCOPED_ID, "permissions": SCOPES.join(",")});
        Reply::json(200, &response)
    }

    /// A token of 60 days for one of an hour.
    pub(super) fn lengthen(&mut self, query: &BTreeMap<String, String>, outside: &Outside) -> Reply {
        let word = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        if word("grant_type") != "ig_exchange_token" {
            return wrong("Invalid grant_type");
        }
        if word("client_secret") != APP_SECRET {
            return wrong("Error validating client secret.");
        }
        let is_short = |token: &&Token| token.lives == SHORT && !token.has_ended;
        let token = self.tokens.iter().filter(is_short).find(|token| token.text == word("access_token"));
        if token.and_then(|token| token.made).is_none_or(|made| outside.now.since(made) > SHORT) {
            return error(400, (190, 0), "Invalid OAuth access token - Cannot parse access token");
        }
        self.long_token(outside)
    }

    /// A new token of 60 days.
    pub(super) fn long_token(&mut self, outside: &Outside) -> Reply {
        let text = self.make_token(TOKEN_LIVES, outside);
        let response =
            json!({"access_token": text, "token_type": "bearer", "expires_in": TOKEN_LIVES.as_secs()});
        Reply::json(200, &response)
    }

    /// Accepts a token that an earlier run of this world gave. The program stores its tokens; this world does not.
    pub(super) fn recall_token(&mut self, text: &str) {
        let number = text.strip_prefix(&format!("{ID}{TOKEN_KIND}")).unwrap_or_default();
        let is_of_form = number.len() == DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
        if is_of_form && !self.tokens.iter().any(|token| token.text == text) {
            let text = text.to_owned();
            self.tokens.push(Token { text, made: None, lives: TOKEN_LIVES, has_ended: false });
        }
    }

    fn make_token(&mut self, lives: Duration, outside: &Outside) -> String {
        let text = self.id(TOKEN_KIND);
        self.tokens.push(Token { text: text.clone(), made: Some(outside.now), lives, has_ended: false });
        text
    }
}
