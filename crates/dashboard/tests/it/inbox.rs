//! The inbox: conversations with clients are listed, read and answered once; clients are merged; a viewer looks and acts not.

mod contacts;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::{
    ChannelChat, ChatType, ClientId, ContactProof, InboundChange, InboundEvent, InboundKind, InboundMedia,
    InboundMessage, MessageOrigin, ProvedContact, Role,
};
use http::StatusCode;
use serde_json::json;
use store::{OutsideStages, PipelineRules, Receipt, ReceiptState, StoredClient, TakenFromChannel};
use testkit::{Receiver, RedisServer};

use crate::channel_login::{Phone, lock, with_phone, world};
use crate::world::{World, note, send, send_files, shows, submit};

/// The number of all clients: on WhatsApp it is vouched for, in a form it was typed.
const PHONE: &str = "+70000000001";

/// How long a test waits for what happens by itself.
const SOON: Duration = Duration::from_secs(20);

/// A world with a number on WhatsApp, whose clients are answered by people.
async fn with_clients() -> (World, Arc<Phone>) {
    let phone = Arc::new(Phone::default());
    let world = world(&phone).await;
    world.pipeline.start().await.expect("a start");
    (world, phone)
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, looking).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

impl World {
    /// A client writes.
    async fn client_says(&self, chat: &str, name: &str, text: &str) {
        let address: ChannelChat = chat.parse().expect("a chat");
        let key = format!("{chat}:{text}");
        let is_group = chat.ends_with("@g.us");
        let chat_type = if is_group { ChatType::Group } else { ChatType::Private };
        let is_form = address.channel.as_str() == "form";
        let proof = if is_form { ContactProof::Typed } else { ContactProof::ChannelId };
        let message = InboundMessage {
            sender_proof: proof,
            title: is_group.then(|| "Neighbours".to_owned()),
            user: Some(chat.to_owned()),
            name: Some(name.to_owned()),
            phone: Some(ProvedContact::new(PHONE, proof)),
            origin: MessageOrigin::Person,
            media: [InboundKind::Image, InboundKind::Audio, InboundKind::Video]
                .map(|kind| InboundMedia::at(kind, "https://example.com/a"))
                .to_vec(),
            ..InboundMessage::of(chat_type, address.chat, &key, text, self.clock.now())
        };
        let events = vec![InboundEvent { key, change: InboundChange::Message(Box::new(message)) }];
        let (channel, account) = (address.channel, address.account);
        let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
        self.store.channels().take(taken).await.expect("a write");
    }

    /// All is silent for long enough.
    async fn falls_silent(&self) {
        let waiting = async || self.store.pipeline().counts().await.expect("counts").waiting.0;
        until("it waits for silence", async || waiting().await == 1).await;
        self.clock.advance(Duration::from_secs(21));
    }

    /// A client writes, is silent, and waits for a person.
    async fn client_writes(&self, chat: &str, name: &str, text: &str) -> ClientId {
        self.client_says(chat, name, text).await;
        if !chat.starts_with("form:") {
            self.falls_silent().await;
        }
        until("a person is to answer", async || {
            let found = self.client(name).await;
            let Some(client) = found else { return false };
            let appeals = self.store.pipeline().appeals_of(client.id, 1).await.expect("appeals");
            appeals.iter().any(|appeal| appeal.state == domain::AppealState::WaitingUs)
        })
        .await;
        self.client(name).await.expect("it is known").id
    }

    async fn client(&self, name: &str) -> Option<StoredClient> {
        let page = store::Page { limit: 10, cursor: None };
        let found = self.store.pipeline().clients(Some(name), &page).await.expect("clients");
        found.items.into_iter().next()
    }
}

/// The value of a hidden field of a page.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let after = page.split(&format!("name=\"{name}\" value=\"")).nth(1).expect("a field");
    after.split('"').next().expect("a value")
}

#[tokio::test]
async fn a_conversation_is_listed_read_and_answered_once() {
    let (world, phone) = with_clients().await;
    let (viewer, operator) = (world.person(Role::Viewer).await, world.person(Role::Operator).await);
    shows(&viewer.get("/inbox").await, &["No conversations here"]);
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna <A>", "Is it <b>there</b>?").await;
    let path = format!("/inbox/{client}");
    let listed = ["Anna &#60;A&#62;", &path, "Is it &#60;b&#62;there", "WhatsApp", "Waits for a person"];
    for query in ["", "?view=unassigned", "?channel=whatsapp&state=waiting_us", "?q=anna"] {
        shows(&viewer.get(&format!("/inbox{query}")).await, &listed);
    }
    for query in ["?view=mine", "?view=closed", "?channel=avito", "?q=boris", "?state=open"] {
        let page = viewer.get(&format!("/inbox{query}")).await;
        assert!(!page.body.contains(&path), "{query}: {}", page.body);
    }
    assert!(viewer.get("/inbox?state=strange").await.body.contains("The filter has a wrong field"));

    let page = operator.get(&path).await;
    let inline =
        ["<img class=\"shot\" src=\"/inbox-files/", "<audio controls", "<video class=\"shot\" controls"];
    shows(&page, &inline);
    shows(&page, &["Is it &#60;b&#62;there", "class=\"composer\""]);
    let answer = [("drawn", hidden(&page.body, "drawn")), ("text", "Yes, come by.")];
    for _ in 0..2 {
        assert!(note(&submit(&operator, &path, &answer).await).contains("Sent."));
    }
    assert_eq!(phone.by_persons.load(Ordering::Acquire), 1, "a double click sends once");
    until("the answer is in the thread", async || {
        let page = viewer.get(&path).await;
        page.body.contains("Yes, come by.") && page.body.contains("Answered")
    })
    .await;

    // What is refused keeps what was written.
    let wrong = send(&operator, &path, &[("text", "Elsewhere"), ("chat", "whatsapp:phone/c9")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        wrong.body.contains(">\nElsewhere</textarea>") && wrong.body.contains("text-error"),
        "{}",
        wrong.body
    );
}

#[tokio::test]
async fn a_conversation_is_assigned_closed_noted_and_tagged() {
    let (world, _) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    let path = format!("/inbox/{client}");
    let press = async |action: &str, fields: &[(&str, &str)]| {
        note(&submit(&operator, &format!("{path}/actions/{action}"), fields).await)
    };
    press("assign-to-me", &[]).await;
    assert!(operator.get("/inbox?view=mine").await.body.contains(&path));
    assert!(press("assign", &[("to", "olga")]).await.contains("names no user"));
    world.user(Role::Agent).await;
    press("assign", &[("to", "agent")]).await;
    shows(&operator.get(&path).await, &["Assignee: agent", "actions/assign-to-me", "actions/unassign"]);
    press("unassign", &[]).await;
    assert!(operator.get("/inbox?view=unassigned").await.body.contains(&path));
    press("take-over", &[]).await;
    shows(&operator.get(&path).await, &["answered by: person", "actions/give-back"]);
    press("give-back", &[]).await;
    press("note", &[("text", "Wants it on <Friday>")]).await;
    let page = operator.get(&path).await;
    shows(&page, &["Wants it on &#60;Friday&#62;", "actions/take-over"]);
    press("tag", &[("appeal", hidden(&page.body, "appeal")), ("tags", "repair, , urgent")]).await;
    press("change", &[("name", "Anna Demo"), ("phone", "8 000 000-00-02"), ("email", "")]).await;
    shows(&operator.get(&path).await, &["repair, urgent", "Anna Demo", "+70000000002"]);
    assert!(press("change", &[("phone", "x")]).await.contains("phone"));
    press("close", &[]).await;
    assert!(operator.get("/inbox?view=closed").await.body.contains(&path));
    press("reopen", &[]).await;
    shows(&operator.get(&path).await, &["actions/close"]);
}

#[tokio::test]
async fn clients_are_merged_after_a_question_and_split_again() {
    let (world, _) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    let one = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "a broken screen").await;
    let other = world.client_writes("form:site/f1", "Boris", "a new battery").await;
    let another = world.client_writes("form:site/f2", "Clara", "a charger").await;
    let path = format!("/inbox/{one}");
    let page = operator.get(&path).await;
    let question = format!("{path}/merge?other={other}");
    shows(&page, &["Perhaps the same person", &question]);
    shows(&operator.get(&question).await, &["Merge Boris into Anna?", &format!("value=\"{other}\"")]);
    submit(&operator, &format!("{path}/actions/merge"), &[("name", &other.to_string())]).await;
    let page = operator.get(&path).await;
    shows(&page, &["Merged clients", "a broken screen", "a new battery", "<select name=\"chat\">"]);
    let merged = operator.get(&format!("/inbox/{other}")).await;
    assert_eq!(merged.header("location"), path);
    submit(&operator, &format!("{path}/actions/split"), &[("merge", hidden(&page.body, "merge"))]).await;
    shows(&operator.get(&path).await, &["undone"]);
    shows(&operator.get(&format!("/inbox/{other}")).await, &["Boris"]);
    let question = format!("{path}/dismiss?other={another}");
    shows(&operator.get(&path).await, &[&question]);
    shows(&operator.get(&question).await, &["Are Anna and Clara two people?"]);
    submit(&operator, &format!("{path}/actions/dismiss"), &[("name", &another.to_string())]).await;
    assert!(!operator.get(&path).await.body.contains("Perhaps the same person"));
}

#[tokio::test]
async fn a_viewer_sees_and_cannot_act() {
    let (world, phone) = with_clients().await;
    let viewer = world.person(Role::Viewer).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    let path = format!("/inbox/{client}");
    let page = viewer.get_with(&path, &[("accept-language", "ru")]).await;
    shows(&page, &["Anna", "Hello", "Переписка"]);
    assert!(
        !page.body.contains(&format!("action=\"{path}")) && !page.body.contains("data-key=\"r\""),
        "{}",
        page.body
    );
    assert_eq!(send(&viewer, &path, &[("text", "x")]).await.status, StatusCode::FORBIDDEN);
    let question = viewer.get(&format!("{path}/merge?other={client}")).await;
    assert_eq!(question.status, StatusCode::FORBIDDEN);
    submit(&viewer, &format!("{path}/actions/close"), &[]).await;
    assert!(!viewer.get("/inbox?view=closed").await.body.contains(&path));
    assert_eq!(phone.by_persons.load(Ordering::Acquire), 0);
    assert_eq!(viewer.get("/inbox/client_0").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_pipeline_shows_each_stage() {
    let (program, phone) = (Receiver::start().await, Arc::new(Phone::default()));
    program.answer(202);
    let settings = json!({ "responder": "webhook", "webhook": { "url": program.address() } });
    let settings = serde_json::from_value(settings).expect("settings");
    let world = World::of(with_phone(&phone).with_pipeline(settings)).await;
    world.pipeline.start().await.expect("a start");
    let viewer = world.person(Role::Viewer).await;
    shows(&viewer.get("/pipeline").await, &["Batch", "Resolve", "Appeal", "Respond", "Send", "Behind"]);
    let row = async |stage: &str| {
        let page = viewer.get("/pipeline").await.body;
        let row = page.split(&format!("{stage}</th>")).nth(1).and_then(|rest| rest.split("</tr>").next());
        row.expect("a stage").to_owned()
    };
    world.client_says("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    until("a batch is counted", async || row("Batch").await.contains("</span>1</td>")).await;
    world.falls_silent().await;
    until("the program has it", async || row("Respond").await.contains("</span>1</td>")).await;
    world.clock.advance(Duration::from_mins(3));
    let shown = row("Respond").await;
    assert!(shown.contains("</span>3\u{a0}min</td>"), "{shown}");
}

#[tokio::test]
async fn the_pipeline_says_how_far_it_is_behind() {
    let phone = Arc::new(Phone::default());
    let world = world(&phone).await;
    world.client_says("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    let rules = PipelineRules {
        rules: Vec::new(),
        reopen_within: Duration::ZERO,
        hears_within: None,
        outside: OutsideStages::default(),
        customers: domain::CustomerRule::default(),
    };
    // It begins at what is the newest now, and then takes no more.
    world.store.pipeline().take_in(&rules, 1).await.expect("a write");
    world.clock.advance(Duration::from_hours(3));
    world.client_says("whatsapp:phone/c1@c.us", "Anna", "And now?").await;
    let viewer = world.person(Role::Viewer).await;
    shows(&viewer.get("/pipeline").await, &["<td class=\"num\">3\u{a0}h</td>"]);
}

#[tokio::test]
async fn an_agent_sees_the_inbox_alone() {
    let (world, phone) = with_clients().await;
    let agent = world.person(Role::Agent).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    let path = format!("/inbox/{client}");
    let first = agent.get("/").await;
    assert_eq!((first.status, first.header("location")), (StatusCode::SEE_OTHER, "/inbox"));
    let listed = agent.get("/inbox").await;
    shows(&listed, &[&path, "1 new", "href=\"/settings/me\""]);
    assert!(!listed.body.contains("href=\"/messages\"") && !listed.body.contains("href=\"/logs\""));
    for elsewhere in [
        "/messages",
        "/chats",
        "/logs",
        "/accounts",
        "/campaigns",
        "/flows",
        "/settings/people",
        "/pipeline",
        "/live/overview",
        "/diagnostics",
        "/channels",
        "/webhooks",
        "/inbox-elsewhere",
    ] {
        assert_eq!(agent.get(elsewhere).await.status, StatusCode::FORBIDDEN, "{elsewhere}");
    }
    for own in ["/settings/me", "/inbox-figures", "/inbox-templates", "/inbox-news"] {
        assert_eq!(agent.get(own).await.status, StatusCode::OK, "{own}");
    }
    let page = agent.get(&path).await;
    shows(&page, &["Hello", "class=\"composer\"", "actions/assign-to-me"]);
    assert!(!page.body.contains(&format!("{path}/erase")), "an agent erases no one");
    assert!(!agent.get("/inbox").await.body.contains("1 new"), "it was read");
    submit(&agent, &path, &[("drawn", hidden(&page.body, "drawn")), ("text", "Yes.")]).await;
    assert_eq!(phone.by_persons.load(Ordering::Acquire), 1);
    let forbidden = send(&agent, "/inbox-templates", &[("name", "x"), ("text", "y")]).await;
    assert!(note(&forbidden).contains("role"), "{forbidden:?}");
}

#[tokio::test]
async fn a_conversation_is_snoozed_found_and_answered_by_template() {
    let (world, _) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Is the kettle there?").await;
    let path = format!("/inbox/{client}");
    for query in ["?q=KETT", "?q=anna%20kettle", "?q=8%20000%20000-00-01", "?sort=waiting"] {
        assert!(operator.get(&format!("/inbox{query}")).await.body.contains(&path), "{query}");
    }
    assert!(!operator.get("/inbox?q=teapot").await.body.contains(&path));
    let news = operator.get("/inbox-news").await;
    shows(&news, &["data-news=\"unread-", "Anna"]);
    assert!(!news.body.contains("data-news=\"sort-"), "{}", news.body);
    world.clock.advance(Duration::from_mins(15));
    shows(&operator.get("/inbox-news").await, &["data-news=\"sort-", "Waits for an answer"]);
    shows(&operator.get("/inbox").await, &["<strong>15\u{a0}min</strong>"]);
    submit(&operator, &format!("{path}/actions/snooze"), &[("hours", "4")]).await;
    assert!(!operator.get("/inbox").await.body.contains(&path));
    assert!(operator.get("/inbox?view=snoozed").await.body.contains(&path));
    submit(&operator, &format!("{path}/actions/wake"), &[]).await;
    assert!(operator.get("/inbox").await.body.contains(&path));

    let template = [("name", "greeting"), ("text", "Hello, {{client.name}}!")];
    submit(&operator, "/inbox-templates", &template).await;
    let wrong = send(&operator, "/inbox-templates", &[("name", "price"), ("text", "{{price}}")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    shows(&operator.get("/inbox-templates").await, &["greeting", "Hello, {{client.name}}!"]);
    shows(&operator.get(&path).await, &["data-insert=\"Hello, Anna!\""]);
    shows(&operator.get(&format!("{path}?template=greeting")).await, &[">\nHello, Anna!</textarea>"]);
    submit(&operator, "/inbox-templates/actions/remove", &[("name", "greeting")]).await;
    shows(&operator.get("/inbox-templates").await, &["No templates yet"]);
    world.client_writes("form:site/f1", "Boris", "A new battery").await;
    let charts = [
        "<h2>Conversations a day: WhatsApp</h2>",
        "<rect x=",
        "<h2>Half answered within</h2>",
        "<h2>Later answers after",
        "<h2>Answered first by a model</h2>",
    ];
    shows(&operator.get("/inbox-figures").await, &charts);
}

#[tokio::test]
async fn two_who_answer_at_once_are_warned() {
    let (world, phone) = with_clients().await;
    let (anna, boris) = (world.person(Role::Operator).await, world.person(Role::Agent).await);
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    let path = format!("/inbox/{client}");
    let writing = format!("{path}/writing");
    shows(&send(&anna, &writing, &[("writing", "yes")]).await, &["<p id=\"writing\"></p>"]);
    shows(&send(&boris, &writing, &[("writing", "no")]).await, &["is writing an answer too"]);
    let page = boris.get(&path).await;
    let (drawn, seen) = (hidden(&page.body, "drawn"), hidden(&page.body, "seen"));
    submit(&anna, &path, &[("drawn", "1"), ("text", "First.")]).await;
    until("it is in the thread", async || boris.get(&path).await.body.contains("First.")).await;
    let fields = [("drawn", drawn), ("seen", seen), ("text", "Second.")];
    let warned = send(&boris, &path, &fields).await;
    assert_eq!(warned.status, StatusCode::CONFLICT, "{warned:?}");
    assert!(warned.body.contains(">\nSecond.</textarea>"), "{}", warned.body);
    let again = [("drawn", "2"), ("seen", hidden(&warned.body, "seen")), ("text", "Second.")];
    submit(&boris, &path, &again).await;
    assert_eq!(phone.by_persons.load(Ordering::Acquire), 2);
    let older = boris.get(&format!("{path}?older={}", i64::MAX)).await;
    shows(&older, &["First.", "To the latest messages"]);
    assert!(!older.body.contains("class=\"composer\""), "what is written here would leave unwarned");
}

#[tokio::test]
async fn of_two_who_answer_in_the_same_instant_one_is_warned() {
    let (world, phone) = with_clients().await;
    let (anna, boris) = (world.person(Role::Operator).await, world.person(Role::Agent).await);
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    let path = format!("/inbox/{client}");
    let (first, second) = (anna.get(&path).await, boris.get(&path).await);
    let first =
        [("drawn", hidden(&first.body, "drawn")), ("seen", hidden(&first.body, "seen")), ("text", "1")];
    let second =
        [("drawn", hidden(&second.body, "drawn")), ("seen", hidden(&second.body, "seen")), ("text", "2")];
    let (first, second) = tokio::join!(send(&anna, &path, &first), send(&boris, &path, &second));
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::CONFLICT]);
    assert_eq!(phone.by_persons.load(Ordering::Acquire), 1);
}

#[tokio::test]
async fn files_leave_with_an_answer_and_a_client_is_erased() {
    let (world, phone) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    let path = format!("/inbox/{client}");
    let csrf = operator.csrf.clone();
    let fields = [("csrf", csrf.as_str()), ("drawn", "1"), ("text", "The prices.")];
    let sent = send_files(&operator, &path, &fields, &[("media", "prices.txt", "20")]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{sent:?}");
    assert!(phone.by_persons.load(Ordering::Acquire) > 0);
    until("the file is in the thread", async || operator.get(&path).await.body.contains("prices.txt")).await;

    let all = operator.get(&format!("{path}/export")).await;
    shows(&all, &["\"messages\":[", "The prices."]);
    shows(&operator.get(&format!("{path}/erase")).await, &["Erase Anna?"]);
    submit(&operator, &format!("{path}/actions/erase"), &[]).await;
    assert_eq!(operator.get(&path).await.status, StatusCode::NOT_FOUND);
    assert!(!operator.get("/inbox?q=anna").await.body.contains(&path));
}

#[tokio::test]
async fn an_address_in_a_message_is_noted_with_a_press() {
    let (world, _) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    let text = "My address is Anna@Example.com";
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", text).await;
    let path = format!("/inbox/{client}");
    shows(&operator.get(&path).await, &["In messages", "name=\"email\" value=\"anna@example.com\""]);
    submit(&operator, &format!("{path}/actions/change"), &[("email", "anna@example.com")]).await;
    assert!(!operator.get(&path).await.body.contains("In messages"));
}

#[tokio::test]
async fn unanswered_messages_are_retried_from_the_page() {
    let (world, _) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    shows(&operator.get("/pipeline").await, &["Everything a program was to answer is answered."]);
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    let appeal = async || world.store.pipeline().appeals_of(client, 1).await.expect("appeals").remove(0);
    let to_a_model = store::AppealChange {
        responder: Some(Some(domain::Responder::Ai)),
        ..store::AppealChange::default()
    };
    world.store.pipeline().change_appeal(appeal().await.id, to_a_model).await.expect("a change");
    world.client_writes("whatsapp:phone/c1@c.us", "Anna", "And now?").await;
    let path = format!("href=\"/inbox/{client}\"");
    until("it failed", async || operator.get("/pipeline").await.body.contains(&path)).await;
    shows(&operator.get("/pipeline").await, &["no model is set up", "whatsapp:phone/c1@c.us", "Retry all"]);
    let again = note(&submit(&operator, "/pipeline/actions/retry", &[]).await);
    assert!(again.contains("It goes through the pipeline again."), "{again}");
    until("it is a person's", async || appeal().await.responder == Some(domain::Responder::Human)).await;
    let page = operator.get("/pipeline").await;
    assert!(!page.body.contains(&path), "{}", page.body);
    let nothing = note(&submit(&operator, "/pipeline/actions/retry", &[]).await);
    assert!(nothing.contains("Nothing was put through again"), "{nothing}");
}

#[tokio::test]
async fn a_received_message_is_put_through_again_from_the_page() {
    let (world, _) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    let thread = operator.get(&format!("/inbox/{client}")).await.body;
    let id = thread.split("<li id=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a message");
    for (id, expected) in [(id, "It goes through the pipeline again."), ("rcv_1", "rcv_1")] {
        let came = note(&submit(&operator, "/pipeline/actions/replay", &[("id", id)]).await);
        assert!(came.contains(expected), "{id}: {came}");
    }
}

#[tokio::test]
async fn dead_letters_are_retried_from_the_page() {
    let (redis, phone) = (RedisServer::start(), Arc::new(Phone::default()));
    let queue = serde_json::from_value(json!({ "redis": redis.url() })).expect("settings");
    let world = World::of(with_phone(&phone).with_queue(queue)).await;
    world.pipeline.start().await.expect("a start");
    let (viewer, operator) = (world.person(Role::Viewer).await, world.person(Role::Operator).await);
    shows(&operator.get("/pipeline").await, &["Nothing was left over."]);
    let item = |channel: &str| {
        let item =
            json!({ "channel": channel, "external_chat_id": "c1@c.us", "message_text": "It is here." });
        item.to_string()
    };
    let is_dead = async || redis.list("queue:dead").len() == 1;
    redis.ask(&["RPUSH", "queue:outgoing", &item("pigeon")]);
    until("it is a dead letter", &is_dead).await;
    // One that was left over before the number was in the settings.
    let reason = "channel whatsapp has no account here";
    let letter = json!({ "list": "queue:outgoing", "reason": reason, "item": item("whatsapp"), "at": null });
    redis.ask(&["RPUSH", "queue:dead", &letter.to_string()]);
    let page = operator.get("/pipeline").await;
    shows(&page, &["channel pigeon has no account here", reason, "Retry all"]);
    let looked = viewer.get("/pipeline").await;
    shows(&looked, &[reason]);
    assert!(!looked.body.contains("retry-dead"), "{}", looked.body);

    let press = async |fields: &[(&str, &str)]| {
        note(&submit(&operator, "/pipeline/actions/retry-dead", fields).await)
    };
    // The newest one is on top.
    let newest = [("id", hidden(&page.body, "id"))];
    let (again, nothing) = ("It goes through the pipeline again.", "Nothing was put through again");
    assert!(press(&newest).await.contains(again));
    until("it is sent", async || !lock(&phone.sent).is_empty()).await;
    assert_eq!(*lock(&phone.sent), [("c1@c.us".to_owned(), "It is here.".to_owned())]);
    assert!(press(&newest).await.contains(nothing));
    assert!(press(&[]).await.contains(again), "the other one, which comes back");
    until("it is a dead letter again", &is_dead).await;
}

#[tokio::test]
async fn a_card_has_all_appeals_of_its_client() {
    let phone = Arc::new(Phone::default());
    let settings = serde_json::from_value(json!({ "reopen_within": "0s" })).expect("settings");
    let world = World::of(with_phone(&phone).with_pipeline(settings)).await;
    world.pipeline.start().await.expect("a start");
    let operator = world.person(Role::Operator).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "A broken screen").await;
    let path = format!("/inbox/{client}");
    submit(&operator, &format!("{path}/actions/close"), &[]).await;
    world.client_writes("whatsapp:phone/c1@c.us", "Anna", "A new battery").await;
    let page = operator.get(&path).await;
    shows(&page, &["A broken screen", "A new battery"]);
    let card = page.body.split(" id=\"appeals-title\">").nth(1);
    let appeals = card.and_then(|rest| rest.split("</section>").next()).expect("appeals");
    assert_eq!(appeals.matches("<li>").count(), 2, "{appeals}");
    for state in ["Waits for a person", "Closed"] {
        assert_eq!(appeals.matches(state).count(), 1, "{state}: {appeals}");
    }
}

#[tokio::test]
async fn a_proposed_reply_is_shown_with_its_reason() {
    let (program, phone) = (Receiver::start().await, Arc::new(Phone::default()));
    program.says(200, r#"{"hand_over":true,"text":"Perhaps by seven.","reason":"unsure"}"#);
    let settings = json!({ "responder": "webhook", "webhook": { "url": program.address() } });
    let settings = serde_json::from_value(settings).expect("settings");
    let world = World::of(with_phone(&phone).with_pipeline(settings)).await;
    world.pipeline.start().await.expect("a start");
    let operator = world.person(Role::Operator).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Until when?").await;
    let path = format!("/inbox/{client}");
    let page = operator.get(&path).await;
    shows(&page, &["the model was unsure", "<blockquote class=\"small\">Perhaps by seven.</blockquote>"]);
    let draft = page.body.split(&format!("href=\"{path}?draft=")).nth(1).expect("a link");
    let draft = draft.split('"').next().expect("an address");
    shows(&operator.get(&format!("{path}?draft={draft}")).await, &[">\nPerhaps by seven.</textarea>"]);
    assert!(lock(&phone.sent).is_empty(), "a person sends it, or does not");
}

#[tokio::test]
async fn an_answer_of_a_program_is_approved_in_the_thread() {
    let (program, phone) = (Receiver::start().await, Arc::new(Phone::default()));
    program.says(200, r#"{"text":"Until seven."}"#);
    let settings =
        json!({ "responder": "webhook", "approval": true, "webhook": { "url": program.address() } });
    let settings = serde_json::from_value(settings).expect("settings");
    let world = World::of(with_phone(&phone).with_pipeline(settings)).await;
    world.pipeline.start().await.expect("a start");
    let agent = world.person(Role::Agent).await;
    world.client_says("whatsapp:phone/c1@c.us", "Anna", "Until when?").await;
    world.falls_silent().await;
    until("the client is known", async || world.client("Anna").await.is_some()).await;
    let path = format!("/inbox/{}", world.client("Anna").await.expect("a client").id);
    until("it waits to be approved", async || agent.get(&path).await.body.contains("/approve")).await;
    let page = agent.get(&path).await;
    shows(&page, &["Until seven.", "/actions/reject"]);
    assert!(lock(&phone.sent).is_empty(), "no one has approved it");
    let mut buttons = page.body.split("formaction=\"").filter_map(|rest| rest.split('"').next());
    let approve = buttons.find(|to| to.ends_with("/approve")).expect("a button");
    let message = page.body.split("name=\"message\" value=\"").nth(1).expect("a message");
    let message = message.split('"').next().expect("its id");
    let approved = submit(&agent, approve, &[("message", message)]).await;
    assert_eq!(approved.header("location"), path);
    until("it is sent", async || !lock(&phone.sent).is_empty()).await;
    assert_eq!(*lock(&phone.sent), [("c1@c.us".to_owned(), "Until seven.".to_owned())]);
}

#[tokio::test]
async fn an_answer_that_failed_is_sent_again_from_the_page() {
    let (world, phone) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Is it there?").await;
    let path = format!("/inbox/{client}");
    phone.refuses.store(true, Ordering::Release);
    let refused = send(&operator, &path, &[("drawn", "1"), ("text", "Yes, it is.")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused:?}");
    let page = operator.get(&path).await;
    shows(&page, &["Yes, it is.", "TEXT_REFUSED"]);
    phone.refuses.store(false, Ordering::Release);
    let message = [("message", hidden(&page.body, "message"))];
    let again = note(&submit(&operator, &format!("{path}/actions/resend"), &message).await);
    assert!(again.contains("in the queue again"), "{again}");
    until("it was sent", async || !operator.get(&path).await.body.contains("actions/resend")).await;
    until("it left", async || !lock(&phone.sent).is_empty()).await;
    assert_eq!(*lock(&phone.sent), [("c1@c.us".to_owned(), "Yes, it is.".to_owned())]);
}

#[tokio::test]
async fn an_answer_that_arrived_or_was_read_says_so() {
    let (world, _) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Is it there?").await;
    let path = format!("/inbox/{client}");
    assert!(note(&submit(&operator, &path, &[("drawn", "1"), ("text", "Yes.")]).await).contains("Sent."));
    let pills = async || {
        let page = operator.get(&path).await.body;
        ["Delivered", "Read"].map(|word| page.contains(&format!("</span>{word}</span>")))
    };
    assert_eq!(pills().await, [false, false]);
    for (state, shown) in [(ReceiptState::Delivered, [true, false]), (ReceiptState::Read, [false, true])] {
        let (channel, account) = ("whatsapp".parse().expect("a name"), "phone".parse().expect("a name"));
        let receipt = Receipt { channel, account, provider_id: "m1".into(), state, at: world.clock.now() };
        assert!(world.store.outbox().receipt(receipt).await.expect("a write").is_some());
        until("it is shown", async || pills().await == shown).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_sent_again_holds_another_back() {
    let (world, phone) = with_clients().await;
    let (anna, boris) = (world.person(Role::Operator).await, world.person(Role::Agent).await);
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Is it there?").await;
    let path = format!("/inbox/{client}");
    phone.refuses.store(true, Ordering::Release);
    send(&anna, &path, &[("drawn", "1"), ("text", "Yes, it is.")]).await;
    phone.refuses.store(false, Ordering::Release);
    until("it failed", async || boris.get(&path).await.body.contains("actions/resend")).await;
    let page = boris.get(&path).await;
    let (drawn, seen) = (hidden(&page.body, "drawn"), hidden(&page.body, "seen"));
    submit(&anna, &format!("{path}/actions/resend"), &[("message", hidden(&page.body, "message"))]).await;
    let warned = send(&boris, &path, &[("drawn", drawn), ("seen", seen), ("text", "Yes!")]).await;
    assert_eq!(warned.status, StatusCode::CONFLICT, "{warned:?}");
    until("it left", async || !lock(&phone.sent).is_empty()).await;
    assert_eq!(*lock(&phone.sent), [("c1@c.us".to_owned(), "Yes, it is.".to_owned())]);
}

#[tokio::test]
async fn the_rail_counts_what_is_unread() {
    let (world, _) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    let none = "data-unread hidden><b>0</b>";
    shows(&operator.get("/pipeline").await, &[none]);
    let client = world.client_writes("whatsapp:phone/c1@c.us", "Anna", "Hello").await;
    shows(&operator.get("/pipeline").await, &["data-unread><b>1</b>"]);
    operator.get(&format!("/inbox/{client}")).await;
    shows(&operator.get("/pipeline").await, &[none]);
}

#[tokio::test]
async fn a_conversation_is_begun_where_the_channel_can() {
    let (world, phone) = with_clients().await;
    let operator = world.person(Role::Operator).await;
    shows(&operator.get("/inbox").await, &["href=\"/inbox-new\""]);
    shows(&operator.get("/inbox-new").await, &["the customer writes first", "Telegram"]);
    let fields = [("through", "whatsapp:phone"), ("to", "+70000000001"), ("text", "Hello"), ("drawn", "1")];
    let wrong = send(&operator, "/inbox-new", &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("the customer writes first"), "{}", wrong.body);
    phone.writes_first.store(true, Ordering::Release);
    for _ in 0..2 {
        let begun = submit(&operator, "/inbox-new", &fields).await;
        assert!(begun.header("location").starts_with("/inbox/client_"), "{begun:?}");
    }
    until("it left", async || !lock(&phone.sent).is_empty()).await;
    assert_eq!(*lock(&phone.sent), [("+70000000001".to_owned(), "Hello".to_owned())]);
    let viewer = world.person(Role::Viewer).await;
    assert_eq!(viewer.get("/inbox-new").await.status, StatusCode::FORBIDDEN);
    assert!(!viewer.get("/inbox").await.body.contains("/inbox-new"));
}

#[tokio::test]
async fn what_programs_wrote_has_a_list_of_its_own() {
    let (world, _) = with_clients().await;
    let address: ChannelChat = "email:mail/news@example.org#1".parse().expect("a chat");
    let chat = address.chat.clone();
    let message = InboundMessage {
        origin: MessageOrigin::Bot,
        user: Some("news@example.org".to_owned()),
        name: Some("News of lamps".to_owned()),
        subject: Some("Ten lamps".to_owned()),
        ..InboundMessage::private(chat, "m-1", "They are cheap.", world.clock.now())
    };
    let change = InboundChange::Message(Box::new(message));
    let events = vec![InboundEvent { key: "m-1".to_owned(), change }];
    let (channel, account) = (address.channel, address.account);
    let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
    world.store.channels().take(taken).await.expect("a write");
    let viewer = world.person(Role::Viewer).await;
    shows(&viewer.get("/inbox").await, &["/inbox-programs"]);
    shows(&viewer.get("/inbox-programs").await, &["Ten lamps", "They are cheap.", "News of lamps"]);
    let agent = world.person(Role::Agent).await;
    assert!(!agent.get("/inbox").await.body.contains("/inbox-programs"));
}
