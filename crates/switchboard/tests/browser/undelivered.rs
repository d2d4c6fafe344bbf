//! Who did not get a message today, and why: found from the overview by following visible text alone.

use std::time::Duration;

use serde_json::json;
use testkit::ACCOUNTS;

use crate::chromium::Tab;
use crate::demo::{doubted_message, refused_text};
use crate::stage::Stage;

const ROWS: &str =
    "[...document.querySelectorAll('#messages tbody tr')].map((row) => row.innerText.replace(/\\s+/g, ' '))";

/// What the pages say in a language: the tile, the link to the overview, and of each message its chat, its state, why it has not
/// arrived, and what its own page opens with.
struct Said {
    tile: &'static str,
    overview: &'static str,
    refused: [&'static str; 4],
    doubted: [&'static str; 4],
    waits: [&'static str; 4],
    unknown: [&'static str; 4],
}

const ENGLISH: Said = Said {
    tile: "Not delivered today",
    overview: "Overview",
    refused: ["@client_9", "Failed", "Telegram refused the message", "Not sent."],
    doubted: ["@client_10", "In doubt", "It may have been delivered", "In doubt: it may have been sent."],
    waits: ["@client_11", "Queued", "Waits for an account that can send it", "Waits in the queue."],
    unknown: ["-1009999999999", "Failed", "No account finds this chat", "Not sent."],
};

const RUSSIAN: Said = Said {
    tile: "Не дошло сегодня",
    overview: "Обзор",
    refused: ["@client_9", "Не удалось", "Telegram отклонил сообщение", "Не отправлено."],
    doubted: ["@client_10", "Под вопросом", "Возможно, дошло", "Под вопросом: возможно, отправлено."],
    waits: ["@client_11", "В очереди", "Ждёт аккаунта, который сможет отправить", "Ждёт в очереди."],
    unknown: ["-1009999999999", "Не удалось", "Ни один аккаунт не находит этот чат", "Не отправлено."],
};

/// A zone in which it is between midnight and one: its name, and by how many minutes it is ahead of UTC.
async fn young_day(stage: &Stage) -> (String, i32) {
    let now = stage.program.now().await;
    let hour: i32 = now[11..13].parse().expect("an hour");
    let ahead = if hour >= 10 { 24 - hour } else { -hour };
    // Zones of this kind are named by how far UTC is ahead of them.
    (format!("Etc/GMT{:+}", -ahead), ahead * 60)
}

/// Follows the number on the overview to the list of that many, and opens each message in it.
async fn finds_who_and_why(tab: &Tab, said: &Said) {
    tab.press_words("nav a", said.overview).await;
    tab.until("location.pathname === '/' && document.readyState === 'complete'").await;
    let tile = format!(
        "[...document.querySelectorAll('#facts a')].find((one) => one.textContent.includes('{}'))",
        said.tile
    );
    tab.until(&format!("{tile}?.querySelector('b').textContent === '4'")).await;
    for [who, state, why, opens_with] in [&said.refused, &said.doubted, &said.waits, &said.unknown] {
        tab.press_words("#facts a", said.tile).await;
        tab.until(&format!("location.pathname === '/messages' && {ROWS}.length === 4")).await;
        assert_eq!(tab.findings().await, Vec::<String>::new());
        let row = format!("{ROWS}.find((row) => row.includes('{who}'))");
        let row = tab.text(&row).await;
        assert!(row.contains(state) && row.contains(why), "{who}: {row}");
        let link = format!(
            "[...document.querySelectorAll('#messages tbody tr')].find((row) => row.innerText.includes('{who}')).querySelector('[data-item]').textContent"
        );
        let words = tab.text(&link).await;
        tab.press_words("#messages tbody a", &words).await;
        tab.until(&format!("document.querySelector('h1').textContent === '{opens_with}'")).await;
        tab.press_words("nav a", said.overview).await;
        tab.until("location.pathname === '/' && document.readyState === 'complete'").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_got_no_message_today_and_why_is_found_from_the_start() {
    let stage = Stage::start().await;
    let (world, program) = (&stage.world, &stage.program);
    // Yesterday, by the clock of the viewer.
    refused_text(world, program).await;
    program.advance(Duration::from_hours(2)).await;
    for name in ACCOUNTS {
        program.account_is(name, "ready").await;
    }
    assert_eq!(program.send("@client_1", "Your phone is ready.").await.0, 200);
    // Chats that no account finds have a page of their own too, and the list says where.
    assert_eq!(program.send("-1009999999999", "Is anybody there?").await.0, 404);
    refused_text(world, program).await;
    doubted_message(world, program).await;
    world.fault("flood_wait", json!({ "account": "main", "seconds": 7200 })).await;
    let order =
        json!({ "chat": "@client_11", "text": "The courier comes at noon.", "account": "main", "wait": 0 });
    assert_eq!(program.post("/v1/messages", &order).await.0, 202);
    // It is back in the queue before time leaps: a leap over its attempt would leave that without an answer.
    program.account_is("main", "flood_wait").await;
    let waits = "/v1/messages?q=courier&state=queued";
    let is_queued =
        || async { program.get(waits).await.1["items"].as_array().is_some_and(|all| !all.is_empty()) };
    program.until("the message waits", is_queued).await;
    program.advance(Duration::from_secs(90)).await;
    let tab = stage.tab().await;
    let (zone, minutes) = young_day(&stage).await;
    tab.call("Emulation.setTimezoneOverride", json!({ "timezoneId": zone })).await;
    tab.cookie("zone", &minutes.to_string()).await;
    tab.open("/").await;
    finds_who_and_why(&tab, &ENGLISH).await;
    tab.press_words("#rail footer a", "RU").await;
    tab.until("document.documentElement.lang === 'ru'").await;
    finds_who_and_why(&tab, &RUSSIAN).await;
    // The day before has the other one, and says which filter that is.
    tab.press_words("#facts a", RUSSIAN.tile).await;
    tab.until("location.pathname === '/messages' && document.readyState === 'complete'").await;
    tab.choose_option("form.filters select[name=range]", "yesterday").await;
    tab.until(&format!("location.search.includes('yesterday') && {ROWS}.length === 1")).await;
    tab.press_words("#rail footer a", "EN").await;
    tab.until("document.documentElement.lang === 'en' && document.readyState === 'complete'").await;
    tab.open("/messages?state=undelivered").await;
    tab.press_words("main .alert a", "Chats not found").await;
    tab.is_at("/chats/unresolved").await;
    assert_ne!(tab.tell("document.querySelectorAll('tbody tr').length").await, 0);
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
