//! Pretend providers of messaging: each knows where the webhooks of its accounts are registered, and reports it to callers that
//! ask as the real one wants to be asked. Everything else is refused, as it is there, and each call is remembered.

mod avito;
mod max;
mod request;
mod telegram_bot;
mod vk;
mod wappi;

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use request::{Reply, Request};

/// The most calls that are remembered.
const MOST_CALLS: usize = 10_000;

/// Whose webhooks they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provider {
    TelegramBot,
    Avito,
    Max,
    Vk,
    Wappi,
}

/// An account at a provider, with where its webhooks are registered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) provider: Provider,
    /// The token of a bot, the key of a community, the token of a cabinet; the secret of an application of Avito.
    pub(crate) token: String,
    /// The name of an application, the number of a community, the id of a profile; a bot has none.
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) webhooks: Vec<Webhook>,
    /// Updates that wait to be delivered.
    #[serde(default)]
    pub(crate) waiting: u64,
    #[serde(default)]
    pub(crate) last_error: Option<LastError>,
    /// Whether the account of a profile is signed in.
    #[serde(default = "yes")]
    pub(crate) authorized: bool,
    /// How it answers, if not as it should.
    #[serde(default)]
    pub(crate) trouble: Option<Trouble>,
}

const fn yes() -> bool {
    true
}

/// Where one is registered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    /// `ok`, `wait`, `failed` or `unconfigured`, as VK has it.
    #[serde(default = "ok")]
    pub(crate) status: String,
    /// What VK sends along, so that the receiver knows who posts.
    #[serde(default)]
    pub(crate) secret_key: String,
}

fn ok() -> String {
    "ok".to_owned()
}

/// When a delivery failed last, in seconds since 1970, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LastError {
    pub(crate) at: i64,
    pub(crate) message: String,
}

/// How a provider answers that is not well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trouble {
    /// 503, with a page for people.
    Unavailable,
    /// 200, with a page for people.
    Garbage,
    /// 200, and more than anybody wants to read.
    Huge,
    /// 302, to itself.
    Redirect,
    Unpaid,
}

impl Trouble {
    fn reply(self) -> Reply {
        let page = "<html><body>We will be back soon.</body></html>".to_owned();
        match self {
            Self::Unavailable => Reply { status: 503, body: page, location: None },
            Self::Garbage => Reply { status: 200, body: page, location: None },
            Self::Huge => Reply { status: 200, body: " ".repeat(1 << 20), location: None },
            Self::Redirect => {
                Reply { status: 302, body: String::new(), location: Some("/providers/elsewhere") }
            }
            Self::Unpaid => {
                Reply::json(402, &json!({ "error": { "code": 402, "message": "payment required" } }))
            }
        }
    }
}

/// One call, as it is remembered. A token in a path is left out.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    pub(crate) provider: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
}

#[derive(Debug, Default)]
pub(crate) struct Providers {
    accounts: Mutex<Vec<Account>>,
    calls: Mutex<Vec<Call>>,
}

impl Providers {
    /// Makes an account, or makes it again.
    pub(crate) fn put(&self, account: Account) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        // A bot is its token; the others keep their name when their secret changes.
        let key = |one: &Account| {
            let name = if one.id.is_empty() { one.token.clone() } else { one.id.clone() };
            (one.provider, name)
        };
        accounts.retain(|one| key(one) != key(&account));
        accounts.push(account);
    }

    pub(crate) fn accounts(&self) -> Vec<Account> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every call since the start, or since they were forgotten.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn forget_calls(&self) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Answers a call to the provider of this name.
    pub(crate) fn answer(&self, provider: &str, request: &Request) -> Reply {
        let accounts = self.accounts();
        let of = |provider| accounts.iter().filter(|one| one.provider == provider).collect::<Vec<_>>();
        let (reply, path) = match provider {
            "telegram_bot" => (
                telegram_bot::answer(request, &of(Provider::TelegramBot)),
                telegram_bot::without_token(request),
            ),
            "avito" => (avito::answer(request, &of(Provider::Avito)), request.path.clone()),
            "max" => (max::answer(request, &of(Provider::Max)), request.path.clone()),
            "vk" => (vk::answer(request, &of(Provider::Vk)), request.path.clone()),
            "wappi" => (wappi::answer(request, &of(Provider::Wappi)), request.path.clone()),
            _ => (Reply::json(404, &json!({ "error": "no such provider" })), request.path.clone()),
        };
        self.remember(provider, &request.method, path, reply.status);
        reply
    }

    /// Remembers a call.
    pub(crate) fn remember(&self, provider: &str, method: &str, path: String, status: u16) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() < MOST_CALLS {
            let (provider, method) = (provider.to_owned(), method.to_owned());
            calls.push(Call { provider, method, path, status });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn providers() -> Providers {
        let providers = Providers::default();
        for (provider, token, id) in [
            (Provider::TelegramBot, "1000:word", ""),
            (Provider::Avito, "secret", "client"),
            (Provider::Max, "word", ""),
            (Provider::Vk, "key", "100"),
            (Provider::Wappi, "cabinet", "1a2b"),
        ] {
            let url = "https://example.com/hook".to_owned();
            providers.put(Account {
                provider,
                token: token.to_owned(),
                id: id.to_owned(),
                webhooks: vec![Webhook { url, status: ok(), secret_key: String::new() }],
                waiting: 2,
                last_error: None,
                authorized: true,
                trouble: None,
            });
        }
        providers
    }

    fn ask(
        providers: &Providers,
        provider: &str,
        (method, path): (&str, &str),
        authorization: Option<&str>,
        (query, body): (&str, &str),
    ) -> (u16, Value) {
        let reply = providers.answer(
            provider,
            &Request {
                method: method.to_owned(),
                path: path.to_owned(),
                query: query.to_owned(),
                authorization: authorization.map(str::to_owned),
                body: body.to_owned(),
            },
        );
        (reply.status, serde_json::from_str(&reply.body).unwrap_or_default())
    }

    const NOTHING: (&str, &str) = ("", "");

    #[test]
    fn telegram_knows_its_tokens_and_its_methods() {
        let providers = providers();
        let get = |path: &str| ask(&providers, "telegram_bot", ("GET", path), None, NOTHING);
        let (status, body) = get("/bot1000:word/getWebhookInfo");
        assert_eq!((status, &body["result"]["url"]), (200, &json!("https://example.com/hook")));
        assert_eq!(body["result"]["pending_update_count"], 2);
        assert_eq!(get("/bot1000:other/getWebhookInfo").0, 401);
        assert_eq!(get("/botword/getWebhookInfo").0, 404);
        assert_eq!(get("/bot1000:word/deleteWebhook").0, 404);
        let paths: Vec<_> = providers.calls().into_iter().map(|call| (call.path, call.status)).collect();
        assert_eq!(paths[0], ("/bot…/getWebhookInfo".to_owned(), 200));
        assert_eq!(paths[3], ("/bot…/deleteWebhook".to_owned(), 404));
        providers.forget_calls();
        assert!(providers.calls().is_empty());
    }

    #[test]
    fn max_wants_the_bare_token_in_its_header() {
        let providers = providers();
        let get = |token, query| ask(&providers, "max", ("GET", "/subscriptions"), token, (query, ""));
        assert_eq!(get(Some("word"), "").1["subscriptions"][0]["url"], "https://example.com/hook");
        for (token, query) in
            [(Some("Bearer word"), ""), (None, "access_token=word"), (Some("other"), ""), (None, "")]
        {
            assert_eq!(get(token, query).0, 401, "{token:?} {query}");
        }
        assert_eq!(ask(&providers, "max", ("DELETE", "/subscriptions"), Some("word"), NOTHING).0, 404);
    }

    #[test]
    fn avito_gives_a_token_and_takes_post_alone() {
        let providers = providers();
        let call = |method: &str, path: &str, token: Option<&str>, form: &str| {
            ask(&providers, "avito", (method, path), token, ("", form))
        };
        let form = "grant_type=client_credentials&client_id=client&client_secret=secret";
        let (status, granted) = call("POST", "/token", None, form);
        let token = format!("Bearer {}", granted["access_token"].as_str().unwrap_or_default());
        assert_eq!((status, call("POST", "/token/", None, form).0), (200, 200));
        let path = "/messenger/v1/subscriptions";
        assert_eq!(call("POST", path, Some(&token), "").1["subscriptions"][0]["version"], "3");
        assert_eq!(call("GET", path, Some(&token), "").0, 405);
        assert_eq!(call("POST", path, Some("Bearer other"), "").0, 401);
        assert_eq!(call("POST", path, None, "").0, 401);
        let wrong = call("POST", "/token", None, &form.replace("=secret", "=other"));
        assert_eq!((wrong.0, &wrong.1["error"]), (200, &json!("invalid_client")));
        assert_eq!(call("POST", "/token", None, "").0, 400);
    }

    #[test]
    fn vk_refuses_with_200() {
        let providers = providers();
        let call = |path: &str, token: Option<&str>, form: &str| {
            let (status, body) = ask(&providers, "vk", ("POST", path), token, ("", form));
            assert_eq!(status, 200);
            body
        };
        let path = "/groups.getCallbackServers";
        let body = call(path, Some("Bearer key"), "group_id=100&v=5.199");
        assert_eq!(body["response"]["items"][0]["status"], "ok");
        assert_eq!(call(path, None, "group_id=100&v=5.199&access_token=key")["response"]["count"], 1);
        for (path, token, form, code) in [
            (path, Some("Bearer other"), "group_id=100&v=5.199", 5),
            (path, None, "group_id=100&v=5.199", 5),
            (path, Some("Bearer key"), "group_id=100", 8),
            (path, Some("Bearer key"), "{\"group_id\":100,\"v\":\"5.199\"}", 8),
            (path, Some("Bearer key"), "v=5.199", 100),
            (path, Some("Bearer key"), "group_id=7&v=5.199", 125),
            ("/groups.getcallbackservers", Some("Bearer key"), "group_id=100&v=5.199", 3),
        ] {
            assert_eq!(call(path, token, form)["error"]["error_code"], code, "{path} {token:?} {form}");
        }
    }

    #[test]
    fn wappi_wants_the_bare_token_and_a_profile() {
        let providers = providers();
        let get =
            |token, query| ask(&providers, "wappi", ("GET", "/api/sync/get/status"), token, (query, ""));
        let (status, body) = get(Some("cabinet"), "profile_id=1a2b");
        assert_eq!((status, &body["webhook_url"]), (200, &json!("https://example.com/hook")));
        for (token, query, status) in [
            (Some("Bearer cabinet"), "profile_id=1a2b", 401),
            (None, "profile_id=1a2b", 401),
            (Some("cabinet"), "", 400),
            (Some("cabinet"), "profile_id=other", 404),
        ] {
            assert_eq!(get(token, query).0, status, "{token:?} {query}");
        }
    }

    #[test]
    fn authorized_requests_meet_the_configured_trouble() {
        let providers = providers();
        for (trouble, status) in [
            (Trouble::Unavailable, 503),
            (Trouble::Garbage, 200),
            (Trouble::Huge, 200),
            (Trouble::Redirect, 302),
            (Trouble::Unpaid, 402),
        ] {
            for account in providers.accounts() {
                providers.put(Account { trouble: Some(trouble), ..account });
            }
            let response = ask(&providers, "max", ("GET", "/subscriptions"), Some("word"), NOTHING);
            assert_eq!(response.0, status);
        }
        assert_eq!(providers.accounts().len(), 5);
    }
}
