//! The Bot API of the pretend Telegram: texts, keyboards, updates by polling and by webhook, and what it refuses.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use futures::future::select;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

use crate::it::control::Port;

/// A bot with a token, to whom a client has written.
struct Bot {
    port: Port,
    token: String,
    id: i64,
}

const CLIENT: i64 = 6_000_000_001;

impl Bot {
    async fn made() -> Self {
        let port = Port::open().await;
        let order = json!({"username": "control_bot", "api": true});
        let (status, made) = port.call("POST", "/telegram/bots", Some(order)).await;
        assert_eq!(status, 201, "{made}");
        let token = made["token"].as_str().unwrap().to_owned();
        Self { port, token, id: made["user_id"].as_i64().unwrap() }
    }

    async fn raw(&self, method: &str, body: Value) -> (u16, Value) {
        let path = format!("/providers/telegram_bot/bot{}/{method}", self.token);
        self.port.call("POST", &path, Some(body)).await
    }

    async fn ok(&self, method: &str, body: Value) -> Value {
        let (status, response) = self.raw(method, body).await;
        assert_eq!((status, &response["ok"]), (200, &json!(true)), "{method}: {response}");
        response["result"].clone()
    }

    async fn refused(&self, method: &str, body: Value) -> (u16, String) {
        let (status, response) = self.raw(method, body).await;
        assert_eq!(
            (&response["ok"], &response["error_code"]),
            (&json!(false), &json!(status)),
            "{method}: {response}"
        );
        (status, response["description"].as_str().unwrap().to_owned())
    }

    async fn hears(&self, text: &str) {
        let order = json!({"from": "@client_1", "chat": "@control_bot", "text": text});
        let (status, response) = self.port.call("POST", "/telegram/messages", Some(order)).await;
        assert_eq!(status, 201, "{response}");
    }
}

#[tokio::test]
async fn updates_are_polled_and_confirmed_by_the_offset() {
    let bot = Bot::made().await;
    let me = bot.ok("getMe", json!({})).await;
    assert_eq!(
        (&me["id"], &me["username"], &me["is_bot"]),
        (&json!(bot.id), &json!("control_bot"), &json!(true))
    );
    assert_eq!(bot.ok("getUpdates", json!({})).await, json!([]));
    bot.hears("/start now").await;
    bot.hears("hello").await;
    let updates = bot.ok("getUpdates", json!({"timeout": 20})).await;
    let (first, second) = (&updates[0], &updates[1]);
    assert_eq!(first["message"]["text"], "/start now");
    assert_eq!(first["message"]["from"]["id"], CLIENT);
    assert_eq!(first["message"]["chat"]["type"], "private");
    assert_eq!(first["message"]["entities"], json!([{"type": "bot_command", "offset": 0, "length": 6}]));
    let offset = second["update_id"].as_i64().unwrap();
    assert_eq!(offset, first["update_id"].as_i64().unwrap() + 1);
    let left = bot.ok("getUpdates", json!({ "offset": offset })).await;
    assert_eq!((left.as_array().unwrap().len(), &left[0]), (1, second));
    // A form says the same.
    let url =
        bot.port.url(&format!("/providers/telegram_bot/bot{}/getUpdates?offset={}", bot.token, offset + 1));
    let response: Value = bot.port.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(response["result"], json!([]));
    bot.port.running.stop().await;
}

#[tokio::test]
async fn a_poll_waits_and_ends_when_another_begins() {
    let bot = Bot::made().await;
    let poll = || Box::pin(bot.raw("getUpdates", json!({"timeout": 50})));
    // Whichever comes first.
    let (ended, other) = select(poll(), poll()).await.factor_first();
    assert_eq!(ended.0, 409);
    assert!(
        ended.1["description"].as_str().unwrap().contains("terminated by other getUpdates"),
        "{}",
        ended.1
    );
    bot.hears("late").await;
    assert_eq!(other.await.1["result"][0]["message"]["text"], "late");
    bot.port.running.stop().await;
}

#[tokio::test]
async fn a_press_waits_for_the_bots_answer() {
    let bot = Bot::made().await;
    bot.hears("/start").await;
    let markup = json!({"inline_keyboard": [[{"text": "Stop", "callback_data": "stop:1"}]]});
    let sent =
        bot.ok("sendMessage", json!({"chat_id": CLIENT, "text": "Well?", "reply_markup": markup})).await;
    assert_eq!((&sent["from"]["id"], &sent["reply_markup"]), (&json!(bot.id), &markup));
    let press = json!({
        "from": "@client_1", "bot": "@control_bot", "message_id": sent["message_id"], "data": "stop:1",
    });
    let pressed = bot.port.call("POST", "/telegram/presses", Some(press.clone()));
    let answered = async {
        let updates = bot.ok("getUpdates", json!({"timeout": 20, "offset": 2})).await;
        let query = updates[0]["callback_query"].clone();
        assert_eq!(
            (&query["data"], &query["message"]["message_id"]),
            (&json!("stop:1"), &sent["message_id"])
        );
        let answer = json!({"callback_query_id": query["id"], "text": "Done", "show_alert": true});
        bot.ok("answerCallbackQuery", answer.clone()).await;
        bot.refused("answerCallbackQuery", answer).await
    };
    let ((status, response), late) = tokio::join!(pressed, answered);
    assert_eq!(
        (status, response),
        (200, json!({"answered": true, "text": "Done", "alert": true, "url": null}))
    );
    assert!(late.0 == 400 && late.1.contains("query is too old"), "{late:?}");
    let id = sent["message_id"].clone();
    let edited =
        bot.ok("editMessageText", json!({"chat_id": CLIENT, "message_id": id, "text": "Stopped"})).await;
    assert!(edited["reply_markup"].is_null() && edited["edit_date"].is_i64(), "{edited}");
    let (status, _) = bot.port.call("POST", "/telegram/presses", Some(press)).await;
    assert_eq!(status, 404);
    bot.port.running.stop().await;
}

#[tokio::test]
async fn invalid_requests_are_refused_as_by_telegram() {
    let bot = Bot::made().await;
    let say = |chat: i64, text: &str| json!({"chat_id": chat, "text": text});
    let long = "x".repeat(4_097);
    let markup = |button: Value| json!({"chat_id": CLIENT, "text": "x", "reply_markup": {"inline_keyboard": [[button]]}});
    let wrong = bot.refused("sendMessage", say(CLIENT, "x")).await;
    assert_eq!(wrong, (403, "Forbidden: bot can't initiate conversation with a user".to_owned()));
    bot.hears("/start").await;
    let id = bot.ok("sendMessage", say(CLIENT, "first")).await["message_id"].clone();
    let edit = |id: Value, text: &str| json!({"chat_id": CLIENT, "message_id": id, "text": text});
    for (method, body, code, what) in [
        ("sendMessage", say(1, "x"), 400, "chat not found"),
        ("sendMessage", say(CLIENT, " "), 400, "message text is empty"),
        ("sendMessage", say(CLIENT, &long), 400, "message is too long"),
        (
            "sendMessage",
            markup(json!({"text": "a", "callback_data": "x".repeat(65)})),
            400,
            "BUTTON_DATA_INVALID",
        ),
        ("sendMessage", markup(json!({"text": "a"})), 400, "Text buttons are unallowed"),
        ("editMessageText", edit(id.clone(), "first"), 400, "message is not modified"),
        ("editMessageText", edit(json!(999), "x"), 400, "message to edit not found"),
        ("editMessageText", edit(json!(1), "x"), 400, "message can't be edited"),
        ("answerCallbackQuery", json!({"callback_query_id": "7"}), 400, "query is too old"),
        ("setWebhook", json!({"url": "http://example.com/"}), 400, "An HTTPS URL must be provided"),
        ("setWebhook", json!({"url": "https://example.com:81/"}), 400, "only on ports"),
        (
            "setWebhook",
            json!({"url": "https://example.com/", "secret_token": "a b"}),
            400,
            "unallowed characters",
        ),
        ("sendDice", json!({}), 404, "Not Found"),
    ] {
        let (status, response) = bot.refused(method, body).await;
        assert!(status == code && response.contains(what), "{method}: {status} {response}");
    }
    let block = json!({"from": "@client_1", "account": "@control_bot"});
    bot.port.call("POST", "/telegram/blocks", Some(block)).await;
    assert_eq!(
        bot.refused("sendMessage", say(CLIENT, "x")).await.1,
        "Forbidden: bot was blocked by the user"
    );
    let trouble = json!([{"method": "getMe", "error_code": 429, "description": "Too Many Requests: retry after 5",
        "retry_after": 5, "times": 1}]);
    bot.port.call("PUT", "/telegram/bots/@control_bot/trouble", Some(trouble)).await;
    assert_eq!(bot.raw("getMe", json!({})).await.1["parameters"], json!({"retry_after": 5}));
    bot.ok("getMe", json!({})).await;
    let path = format!("/providers/telegram_bot/bot{}:other/getMe", bot.id);
    assert_eq!(bot.port.call("GET", &path, None).await.0, 401);
    bot.port.running.stop().await;
}

type Posts = Arc<Mutex<(u32, mpsc::Sender<(String, Value)>)>>;

/// Refuses the first post and takes the others.
async fn take(State(posts): State<Posts>, headers: HeaderMap, body: String) -> StatusCode {
    let mut posts = posts.lock().await;
    posts.0 += 1;
    if posts.0 == 1 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let secret = headers.get("x-telegram-bot-api-secret-token").unwrap().to_str().unwrap().to_owned();
    posts.1.send((secret, serde_json::from_str(&body).unwrap())).await.unwrap();
    StatusCode::OK
}

#[tokio::test]
async fn updates_are_posted_to_a_webhook_until_they_are_taken() {
    let bot = Bot::made().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, mut posts) = mpsc::channel(10);
    let router = Router::new().route("/hook", post(take)).with_state(Arc::new(Mutex::new((0, sender))));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    bot.ok("setWebhook", json!({"url": url, "secret_token": "planted"})).await;
    bot.hears("/start").await;
    let (secret, update) =
        tokio::time::timeout(Duration::from_secs(30), posts.recv()).await.unwrap().unwrap();
    assert_eq!((secret.as_str(), &update["message"]["text"]), ("planted", &json!("/start")));
    let info = bot.ok("getWebhookInfo", json!({})).await;
    assert_eq!(info["url"], json!(url));
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 503");
    let refused = bot.refused("getUpdates", json!({})).await;
    assert!(refused.0 == 409 && refused.1.contains("while webhook is active"), "{refused:?}");
    bot.ok("deleteWebhook", json!({})).await;
    bot.ok("getUpdates", json!({})).await;
    serving.abort();
    bot.port.running.stop().await;
}
