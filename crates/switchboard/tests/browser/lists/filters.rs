//! Each field of a filter: what is left is what it says, and all of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{LED_TO, items, rows};
use crate::chromium::{Tab, Theme};
use crate::stage::{ACCOUNTS, Stage};

/// A group that all accounts of the pool are in.
const GROUP: &str = "-1002000000001";

/// A list, what the API has of it, and where each of its rows leads.
struct List {
    page: &'static str,
    items: Vec<Value>,
    leads_to: fn(&Value) -> String,
}

fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item[field].as_str().unwrap_or_default()
}

/// Where the page of a piece of work is.
fn page_of(id: &str) -> String {
    if id.starts_with("msg_") { format!("/messages/{id}") } else { format!("/operations/{id}") }
}

impl List {
    async fn of(stage: &Stage, page: &'static str, api: &str, leads_to: fn(&Value) -> String) -> Self {
        let items = items(stage, api).await;
        assert!((2..=50).contains(&items.len()), "one page: {page} has {}", items.len());
        Self { page, items, leads_to }
    }

    /// Where the rows lead that are wanted, in no order.
    fn those(&self, wanted: impl Fn(&Value) -> bool) -> Vec<String> {
        let mut those: Vec<_> = self.items.iter().filter(|item| wanted(item)).map(self.leads_to).collect();
        those.sort();
        those
    }

    /// All are shown.
    async fn is_whole(&self, tab: &Tab) {
        shows(tab, &self.those(|_| true)).await;
    }

    /// An option of a list leaves these, at once.
    async fn option(&self, tab: &Tab, name: &str, value: &str, wanted: impl Fn(&Value) -> bool) {
        tab.open(self.page).await;
        self.is_whole(tab).await;
        tab.choose_option(&format!("form.filters select[name={name}]"), value).await;
        self.leaves(tab, name, value, wanted).await;
    }

    /// Words in a field leave these, once the button is pressed.
    async fn words(&self, tab: &Tab, name: &str, value: &str, wanted: impl Fn(&Value) -> bool) {
        tab.open(self.page).await;
        self.is_whole(tab).await;
        tab.fill(&format!("form.filters input[name={name}]"), value).await;
        tab.press("form.filters > button").await;
        self.leaves(tab, name, value, wanted).await;
    }

    async fn leaves(&self, tab: &Tab, name: &str, value: &str, wanted: impl Fn(&Value) -> bool) {
        asks_for(tab, name, value).await;
        let those = self.those(wanted);
        assert!(
            (1..self.items.len()).contains(&those.len()),
            "{name} {value} tells nothing: {:#?}",
            self.items
        );
        shows(tab, &those).await;
        // The field says what it was asked.
        let field = format!("document.querySelector('form.filters [name={name}]').value");
        assert_eq!(tab.text(&field).await, value, "{}", self.page);
    }

    /// A filter that leaves nothing says so and leads back to all.
    async fn leads_back(&self, tab: &Tab, query: &str) {
        tab.open(&format!("{}?{query}", self.page)).await;
        shows(tab, &[]).await;
        tab.press(".empty a.btn").await;
        tab.is_at(self.page).await;
        self.is_whole(tab).await;
    }
}

/// The rows lead to these, in any order.
async fn shows(tab: &Tab, wanted: &[String]) {
    let mut shown = rows(tab, LED_TO).await;
    shown.sort();
    let here = tab.text("location.pathname + location.search").await;
    assert_eq!(shown, wanted, "{here}");
}

/// The address asks for it, and the page is there.
async fn asks_for(tab: &Tab, name: &str, value: &str) {
    let asked = format!("new URLSearchParams(location.search).get('{name}') === {}", json!(value));
    tab.until(&format!("{asked} && document.readyState === 'complete'")).await;
}

/// A day before the day: one message. Another account stands in for a chat, and another is left.
async fn two_days(stage: &Stage) {
    assert_eq!(stage.program.send("@client_1", "It was yesterday.").await.0, 200);
    stage.program.advance(Duration::from_hours(25)).await;
    for name in ACCOUNTS {
        stage.program.account_is(name, "ready").await;
    }
    stage.day().await;
    stage.world.delete("/faults").await;
    let flood =
        |account: &str, method: &str| json!({ "account": account, "method": method, "seconds": 5400 });
    stage.world.fault("flood_wait", flood("main", "messages.sendMessage")).await;
    let (status, told) = stage.program.send(GROUP, "To the group.").await;
    assert_eq!((status, &told["account"]), (200, &json!("backup_1")), "{told}");
    // Two have to be stood in for.
    stage.world.fault("flood_wait", flood("backup_1", "channels.createChannel")).await;
    let (status, made) = stage.program.post("/v1/chats", &json!({ "title": "Left soon" })).await;
    assert_eq!((status, &made["account"]), (201, &json!("backup_2")), "{made}");
    stage.world.delete("/faults").await;
    let path = format!("/v1/chats/{}", text(&made, "chat_id"));
    let (status, told) = stage.program.delete(&path).await;
    assert!((200..300).contains(&status), "{status} {told}");
    let left = || async { stage.program.get(&path).await.1["state"] == "left" };
    stage.program.until("the chat is left", left).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_of_a_filter_leaves_what_it_says() {
    let stage = Stage::start().await;
    two_days(&stage).await;
    let tab = stage.tab().await;
    let later = tab.text("new Date(Date.now() + 30 * 86400000).toISOString()").await;
    let later = json!({ "chat": "@client_1", "text": "Next month", "send_at": later, "wait": 0 });
    assert_eq!(stage.program.post("/v1/messages", &later).await.0, 202);
    messages(&stage, &tab).await;
    operations(&stage, &tab).await;
    failovers(&stage, &tab).await;
    chats(&stage, &tab).await;
    accounts(&stage, &tab).await;
    failed_requests(&stage, &tab).await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

async fn messages(stage: &Stage, tab: &Tab) {
    let list = List::of(stage, "/messages", "/v1/messages?limit=200", |one| page_of(text(one, "id"))).await;
    list.words(tab, "q", "пайки", |one| text(one, "text").contains("пайки")).await;
    // A part of a name is enough to find it.
    let to_client =
        |one: &Value| ["chat", "chat_username"].iter().any(|name| text(one, name).contains("@client_1"));
    list.words(tab, "q", "@client_1", to_client).await;
    for state in ["failed", "in_doubt", "sent"] {
        list.option(tab, "state", state, |one| one["state"] == state).await;
    }
    list.option(tab, "state", "undelivered", |one| one["state"] == "failed" || one["state"] == "in_doubt")
        .await;
    let young = |one: &Value| !text(one, "text").contains("yesterday");
    list.option(tab, "range", "1d", young).await;
    list.option(tab, "account", "backup_3", |one| one["account"] == "backup_3").await;
    list.words(tab, "chat", GROUP, |one| one["chat_id"] == GROUP).await;
    list.leads_back(tab, "chat=nowhere").await;
    list.leads_back(tab, "q=nobody+wrote+this").await;

    // On a telephone times are behind a word, and stay in sight while they narrow the list.
    let yesterday = list.items.iter().find(|one| !young(one)).expect("the message of yesterday");
    let noon = |hours: i64| {
        let at = format!("Date.parse('{}') + {hours} * 3600000", text(yesterday, "created_at"));
        async move { tab.text(&format!("new Date({at}).toISOString().slice(0, 16)")).await }
    };
    let (before, after) = (noon(-1).await, noon(1).await);
    tab.open("/messages").await;
    tab.look(390, Theme::Light).await;
    tab.press(".more-filters summary").await;
    tab.fill("form.filters input[name=from]", &before).await;
    tab.fill("form.filters input[name=to]", &after).await;
    tab.press("form.filters > button").await;
    asks_for(tab, "to", &after).await;
    asks_for(tab, "from", &before).await;
    shows(tab, &list.those(|one| !young(one))).await;
    let times = "document.querySelector('form.filters input[name=from]').checkVisibility()";
    assert_eq!(tab.tell(times).await, true);
    tab.look(1280, Theme::Light).await;
    assert_eq!(tab.tell(times).await, true);
}

async fn operations(stage: &Stage, tab: &Tab) {
    let all = "/v1/operations?kind=operation&limit=200";
    let list = List::of(stage, "/operations", all, |one| page_of(text(one, "id"))).await;
    for kind in ["create_chat", "leave_chat"] {
        list.option(tab, "kind", kind, |one| one["kind"] == kind).await;
    }
    // What is in doubt is open too.
    list.option(tab, "state", "open", |one| one["finished"] == false).await;
    list.option(tab, "state", "finished", |one| one["finished"] == true).await;
    list.option(tab, "state", "in_doubt", |one| one["state"] == "in_doubt").await;
    list.option(tab, "account", "backup_2", |one| one["account"] == "backup_2").await;
    list.words(tab, "chat", "left SOON", |one| one["chat_title"] == "Left soon").await;
    list.leads_back(tab, "kind=invite&account=fifth").await;
}

async fn failovers(stage: &Stage, tab: &Tab) {
    let list =
        List::of(stage, "/failovers", "/v1/failovers?limit=200", |one| page_of(text(one, "subject"))).await;
    list.words(tab, "chat", GROUP, |one| one["chat_id"] == GROUP).await;
    let of = |name: &str| {
        let name = name.to_owned();
        move |one: &Value| one["from"] == name.as_str() || one["to"] == name.as_str()
    };
    list.option(tab, "account", "backup_2", of("backup_2")).await;
    list.option(tab, "account", "backup_1", of("backup_1")).await;
    list.leads_back(tab, "chat=nowhere").await;
    list.leads_back(tab, "account=fifth").await;
}

async fn chats(stage: &Stage, tab: &Tab) {
    let list =
        List::of(stage, "/chats", "/v1/chats?limit=200", |one| format!("/chats/{}", text(one, "chat_id")))
            .await;
    for kind in ["group", "supergroup", "channel"] {
        list.option(tab, "kind", kind, |one| one["kind"] == kind).await;
    }
    for state in ["active", "left"] {
        list.option(tab, "state", state, |one| one["state"] == state).await;
    }
    let served =
        |one: &Value| one["account"] == "backup_1" || one["accounts"].to_string().contains("\"backup_1\"");
    list.option(tab, "account", "backup_1", served).await;
    list.words(tab, "q", GROUP, |one| one["chat_id"] == GROUP).await;
    list.words(tab, "q", "left soon", |one| one["title"] == "Left soon").await;
    list.leads_back(tab, "q=no+chat+at+all").await;
    list.leads_back(tab, "kind=channel&state=left").await;
}

async fn accounts(stage: &Stage, tab: &Tab) {
    let list = List::of(stage, "/accounts", "/v1/accounts?limit=200", |one| {
        format!("/accounts/{}", text(one, "name"))
    })
    .await;
    list.words(tab, "q", "backup_2", |one| one["name"] == "backup_2").await;
    for state in ["banned", "needs_login"] {
        list.option(tab, "state", state, |one| one["state"] == state).await;
    }
    let bad = ["error", "restricted", "needs_login", "banned"];
    list.option(tab, "state", "trouble", |one| bad.contains(&text(one, "state"))).await;
    list.leads_back(tab, "q=nobody").await;
}

/// The states of failed requests are links.
async fn failed_requests(stage: &Stage, tab: &Tab) {
    let all = "/v1/failed-requests?limit=200";
    let requests = items(stage, all).await;
    let path = |at: usize| format!("/v1/failed-requests/{}", text(&requests[at], "id"));
    assert_eq!(stage.program.delete(&path(0)).await.0, 204);
    let (status, told) = stage.program.post(&format!("{}/retry", path(1)), &json!({})).await;
    assert!((200..300).contains(&status), "{status} {told}");
    let retried = || async { stage.program.get(&path(1)).await.1["state"] == "done" };
    stage.program.until("it is done", retried).await;
    let list = List::of(stage, "/failed?state=all", all, |one| format!("/failed/{}", text(one, "id"))).await;
    for state in ["pending", "done", "dropped"] {
        tab.open(list.page).await;
        list.is_whole(tab).await;
        tab.press(&format!("nav.seg a[href='/failed?state={state}']")).await;
        tab.is_at(&format!("/failed?state={state}")).await;
        shows(tab, &list.those(|one| one["state"] == state)).await;
    }
    tab.press("nav.seg a[href='/failed?state=retried']").await;
    tab.is_at("/failed?state=retried").await;
    shows(tab, &list.those(|one| one["state"] == "retried")).await;
    tab.press("nav.seg a[href='/failed?state=all']").await;
    tab.is_at("/failed?state=all").await;
    list.is_whole(tab).await;
}
