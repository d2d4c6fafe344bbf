//! A bot that is written to, writes, is pressed, and is refused.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use channels::telegram_bot::{Bot, BotError, Button, Happening, HookSecret, Keyboard, Press};
use sandbox::telegram::{MadeBot, NewBot, NewMessage, Telegram, TroubleOrder};
use sandbox::{Running, Sandbox, SandboxOptions};
use serde_json::json;

/// A bot and the world it is in.
struct Fixture {
    running: Running,
    bot: Bot,
    clock: Clock,
    _folder: tempfile::TempDir,
}

const CLIENT: i64 = 6_000_000_001;
const WAIT: Duration = Duration::from_secs(20);

impl Fixture {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let running = Sandbox::start(SandboxOptions::new(folder.path()).on_free_ports()).await.unwrap();
        let MadeBot { token, .. } = running
            .telegram
            .make_bot(&NewBot { username: "control_bot".to_owned(), name: None, api: true })
            .unwrap();
        let bot = Bot::new(&api(&running), token.unwrap().into()).unwrap();
        Self { running, bot, clock: Clock::system(), _folder: folder }
    }

    fn hears(&self, text: &str) {
        let order = json!({"from": "@client_1", "chat": "@control_bot", "text": text});
        self.running.telegram.write(&serde_json::from_value::<NewMessage>(order).unwrap()).unwrap();
    }

    fn trouble(&self, order: serde_json::Value) {
        let order: TroubleOrder = serde_json::from_value(order).unwrap();
        self.running.telegram.trouble("@control_bot", &[order]).unwrap();
    }
}

fn api(running: &Running) -> String {
    format!("http://{}/providers/telegram_bot", running.control)
}

fn buttons(data: &str) -> Keyboard {
    Keyboard { rows: vec![vec![Button::new("Stop", data).unwrap()]] }
}

#[tokio::test]
async fn a_bot_hears_answers_and_edits() {
    let Fixture { running, bot, clock, .. } = &fixture().await;
    assert_eq!(bot.get_me(clock).await.unwrap().username, "control_bot");
    let updates = bot.get_updates(clock, 0, WAIT).await.unwrap();
    let Happening::Message(message) = &updates[0].happening else { panic!("{updates:?}") };
    assert_eq!((message.chat.id, message.text.as_deref()), (CLIENT, Some("/start")));
    let sent = bot.send_message(clock, CLIENT, "Well?", Some(&buttons("stop"))).await.unwrap();
    let world: Arc<Telegram> = Arc::clone(&running.telegram);
    let pressed = tokio::spawn({
        let order = json!({"from": "@client_1", "bot": "@control_bot", "message_id": sent, "data": "stop"});
        let url = format!("http://{}/telegram/presses", running.control);
        async move { reqwest_post(&url, &order).await }
    });
    let updates = bot.get_updates(clock, updates[0].id + 1, WAIT).await.unwrap();
    let Happening::Press(Press { id, data, message, .. }) = &updates[0].happening else {
        panic!("{updates:?}")
    };
    assert_eq!((data.as_deref(), message.as_ref().map(|it| it.message_id)), (Some("stop"), Some(sent)));
    bot.answer_callback_query(clock, id, Some("Done")).await.unwrap();
    assert_eq!(bot.answer_callback_query(clock, id, None).await, Err(BotError::TooOld));
    assert_eq!(pressed.await.unwrap()["text"], "Done");
    for _ in 0..2 {
        // The second changes nothing, which is no error.
        bot.edit_message_text(clock, (CLIENT, sent), "Stopped", None).await.unwrap();
    }
    let shown =
        world.message(&CLIENT.to_string(), i32::try_from(sent).unwrap(), Some("@control_bot")).unwrap();
    assert_eq!(shown.text, "Stopped");
}

#[tokio::test]
async fn each_refusal_has_its_error() {
    let fixture = fixture().await;
    let Fixture { running, bot, clock, .. } = &fixture;
    fixture.trouble(json!({"method": "sendMessage", "error_code": 429, "description": "Too Many Requests", "retry_after": 90_000}));
    let send = || bot.send_message(clock, CLIENT, "x", None);
    assert_eq!(send().await, Err(BotError::Flood(Duration::from_hours(25))));
    fixture.trouble(json!({"error_code": 502, "description": "Bad Gateway", "times": 1}));
    assert_eq!(send().await, Err(BotError::Unclear(502)));
    let stranger = bot.send_message(clock, CLIENT + 1, "x", None).await;
    assert!(matches!(stranger, Err(BotError::Forbidden(_))), "{stranger:?}");
    let secret = HookSecret::read("planted".into()).unwrap();
    bot.set_webhook(clock, "https://example.com/hook", &secret, false).await.unwrap();
    let polled = bot.get_updates(clock, 0, WAIT).await;
    assert!(matches!(polled, Err(BotError::Conflict(_))), "{polled:?}");
    bot.delete_webhook(clock).await.unwrap();
    assert_eq!(bot.get_updates(clock, 0, WAIT).await.unwrap().len(), 1);
    let wrong = Bot::new(&api(running), "1:planted-word".to_owned().into()).unwrap();
    assert_eq!(wrong.get_me(clock).await, Err(BotError::Token));
    let nowhere = Bot::new("http://127.0.0.1:1", "1:planted-word".to_owned().into()).unwrap();
    let error = nowhere.get_me(clock).await.unwrap_err();
    assert!(matches!(error, BotError::Unreached(_)) && !error.to_string().contains("planted"), "{error}");
    assert!(!format!("{nowhere:?}").contains("planted"));
}

/// A bot that a client has written to.
async fn fixture() -> Fixture {
    let fixture = Fixture::open().await;
    fixture.hears("/start");
    fixture
}

async fn reqwest_post(url: &str, body: &serde_json::Value) -> serde_json::Value {
    let http = reqwest::Client::builder().tls_certs_only([]).timeout(Duration::from_mins(1)).build().unwrap();
    http.post(url).json(body).send().await.unwrap().json().await.unwrap()
}
