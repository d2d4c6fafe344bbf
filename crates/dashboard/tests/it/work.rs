//! Pages of work: what they show, what their buttons do, and what happens when two people press at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::message::{Content, OnFlood};
use domain::outcome::Failure;
use domain::text::{FormattedText, ParseMode};
use domain::timeline::{Entry, Step};
use domain::{ChatId, ChatRef, MessageId, MessageState, Role};
use http::StatusCode;
use store::{Accept, Begin, Doubt, Fail, Origin};

use crate::channel_login::with_phone;
use crate::world::{World, note, send, submit};

/// The chat that messages are for where a test names no other.
pub(crate) const CHAT: &str = "-1001234567890";

impl World {
    fn step(&self, step: Step, outcome: Option<&str>) -> Entry {
        Entry {
            at: self.clock.now(),
            step,
            part: Some(0),
            account: "main".parse().ok(),
            outcome: outcome.and_then(|word| word.parse().ok()),
            detail: None,
        }
    }

    pub(crate) async fn queued(&self, text: &str) -> MessageId {
        self.queued_for(CHAT, text).await
    }

    /// A message for a chat that waits, and is carried by no one.
    pub(crate) async fn queued_for(&self, chat: &str, text: &str) -> MessageId {
        let (now, id) = (self.clock.now(), MessageId::from_uuid(self.ids.next()));
        let chat: ChatId = chat.parse().expect("a chat");
        let text = FormattedText::plain(text);
        let message = domain::message::OutboundMessage {
            id,
            chat: ChatRef::Id(chat),
            address: Some(chat.into()),
            pin: None,
            account: None,
            parts: vec![domain::message::Part::of_text(0, text.clone(), 77)],
            content: Content {
                text,
                parse_mode: ParseMode::None,
                reply_to: None,
                mention: None,
                mention_optional: false,
                written_by: domain::message::Writer::Program,
                silent: false,
                preview: false,
                media: Vec::new(),
                provider_options: None,
            },
            // Put into the store behind the back of the workers, who leave it alone.
            state: MessageState::Queued,
            failure: None,
            on_flood: OnFlood::Wait,
            send_at: None,
            created_at: now,
            updated_at: now,
        };
        let origin = Origin { listener: "5022".into(), api_key: None, address: "192.0.2.7".parse().ok() };
        let accept = Accept { message, origin, idempotency: None, join: None, queue: store::Queue::Pool };
        self.store.outbox().accept(accept).await.expect("accepted");
        id
    }

    pub(crate) async fn failed(&self, text: &str) -> MessageId {
        let id = self.queued(text).await;
        let failure = Failure::Rejected { provider_code: "MESSAGE_EMPTY".into() };
        assert_eq!(self.store.outbox().fail(Fail { id, failure, at: self.clock.now() }).await, Ok(true));
        id
    }

    pub(crate) async fn in_doubt(&self, text: &str) -> MessageId {
        let id = self.queued(text).await;
        let begin = Begin {
            id,
            account: "main".parse().expect("an account"),
            address: CHAT.parse::<ChatId>().expect("a chat").into(),
            part: 0,
            plan: None,
            failover: None,
            passed_over: None,
            at: self.clock.now(),
        };
        self.store.outbox().begin(begin).await.expect("begun");
        let entry = self.step(Step::Attempted, Some("unknown"));
        self.store
            .outbox()
            .doubt(Doubt { id, entry, counted: false, at: self.clock.now() })
            .await
            .expect("in doubt");
        id
    }

    async fn state(&self, id: MessageId) -> MessageState {
        self.store.outbox().get(id).await.expect("read").expect("a message").state
    }

    async fn steps(&self, id: MessageId, wanted: Step) -> usize {
        let timeline = self.store.outbox().timeline(id).await.expect("a timeline");
        timeline.iter().filter(|entry| entry.step == wanted).count()
    }
}

#[tokio::test]
async fn a_message_is_found_by_its_words_and_shows_its_timeline() {
    let world = World::new().await;
    let wanted = world.failed("Ваш телефон ГОТОВ <b>now</b>").await;
    world.queued("something else").await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get("/messages").await;
    assert!(page.body.contains("something else") && page.body.contains(&wanted.to_string()));
    let page = viewer.get("/messages?q=%D0%B3%D0%BE%D1%82%D0%BE%D0%B2").await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    assert!(
        page.body.contains(&wanted.to_string()) && !page.body.contains("something else"),
        "{}",
        page.body
    );
    assert!(page.body.contains("&lt;b&gt;now") || page.body.contains("&#60;b&#62;now"), "{}", page.body);
    assert!(!page.body.contains("<b>now"), "{}", page.body);
    assert!(viewer.get("/messages?q=%D0%BD%D0%B5%D1%82").await.body.contains("Nothing found"));
    // An id leads to its message, which says where it came from and what happened.
    let led = viewer.get(&format!("/messages?q={wanted}")).await;
    assert_eq!(led.header("location"), format!("/messages/{wanted}"));
    let page = viewer.get(&format!("/messages/{wanted}")).await;
    for part in
        ["Not sent.", "MESSAGE_EMPTY", "Accepted and stored", "<h3>Not sent", "port 5022", "192.0.2.7"]
    {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    // What is wrong with a filter is shown beside the form.
    let page = viewer.get("/messages?state=x").await;
    assert!(
        page.status == StatusCode::OK && page.body.contains("The filter has a wrong field"),
        "{}",
        page.body
    );
    // Whatever is typed as a chat finds something or nothing, and is never wrong.
    assert!(viewer.get("/messages?chat=x").await.body.contains("Nothing found"));
    assert_eq!(viewer.get("/messages/msg_1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_viewer_has_no_buttons_and_changes_nothing() {
    let world = World::new().await;
    let (failed, doubt) = (world.failed("one").await, world.in_doubt("two").await);
    let viewer = world.person(Role::Viewer).await;
    for path in [format!("/messages/{failed}"), format!("/doubt/{doubt}"), "/messages".to_owned()] {
        let page = viewer.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            !page.body.contains("/actions/retry") && !page.body.contains("/actions/sent"),
            "{}",
            page.body
        );
        assert!(!page.body.contains("Retry all failed"), "{}", page.body);
    }
    for (path, fields) in [
        (format!("/messages/{failed}/actions/retry"), vec![]),
        (format!("/messages/{doubt}/actions/resend"), vec![]),
        ("/messages/actions/retry-failed".to_owned(), vec![]),
        (format!("/chats/{CHAT}/actions/leave"), vec![]),
        ("/chats/unresolved/actions/forget".to_owned(), vec![("chat", CHAT)]),
        ("/chats/do-not-contact/actions/add".to_owned(), vec![("contact", CHAT)]),
    ] {
        let page = submit(&viewer, &path, &fields).await;
        assert!(note(&page).contains("takes the role"), "{path}: {}", note(&page));
    }
    assert_eq!(
        (world.state(failed).await, world.state(doubt).await),
        (MessageState::Failed, MessageState::InDoubt)
    );
}

#[tokio::test]
async fn do_not_contact_list_is_kept_on_its_page() {
    const HERE: &str = "/chats/do-not-contact";
    let world = World::new().await;
    let (operator, admin) = (world.person(Role::Operator).await, world.person(Role::Admin).await);
    let fields = [("contact", "+7 (000) 000-00-01"), ("reason", "asked <b>to stop</b>")];
    assert!(note(&submit(&operator, &format!("{HERE}/actions/add"), &fields).await).contains("Added: 1."));
    let list = [("list", "@client_1\nno one\n+70000000001")];
    let imported = note(&submit(&operator, &format!("{HERE}/actions/import"), &list).await);
    let shown = "Added: 1. On the list already: 1. On the list now: @client_1. Not added: line 2: this names";
    assert!(imported.contains(shown), "{imported}");
    let fields = [("contact", "(900)0007711")];
    let added = note(&submit(&operator, &format!("{HERE}/actions/add"), &fields).await);
    assert!(added.contains("On the list now: +79000007711."), "{added}");
    let fields = [("contact", "+9000007711")];
    let refused = note(&submit(&operator, &format!("{HERE}/actions/add"), &fields).await);
    assert!(refused.contains("may be the phone number +900007711, +79000007711"), "{refused}");
    let page = operator.get(HERE).await.body;
    for shown in ["+70000000001", "asked &#60;b&#62;to stop", "this page", "@client_1", "import"] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!page.contains("/actions/remove"), "an admin removes");
    let found = admin.get(&format!("{HERE}?q=t.me%2Fclient_1")).await.body;
    assert!(found.contains("@client_1") && !found.contains("+70000000001"), "{found}");
    let id =
        found.split("name=\"id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
    let wrong = submit(&operator, &format!("{HERE}/actions/remove"), &[("id", id)]).await;
    assert!(note(&wrong).contains("takes the role"), "{}", note(&wrong));
    let fields = [("id", id), ("contact", "@client_1")];
    let removed = note(&submit(&admin, &format!("{HERE}/actions/remove"), &fields).await);
    assert!(removed.contains("@client_1 can be written to again"), "{removed}");
    let export = operator.get(&format!("{HERE}/export")).await;
    assert!(
        export.body.contains("+70000000001,phone,all,page,") && !export.body.contains("@client_1"),
        "{export:?}"
    );
}

#[tokio::test]
async fn a_form_of_elsewhere_changes_nothing() {
    let world = World::new().await;
    let doubt = world.in_doubt("two").await;
    let operator = world.person(Role::Operator).await;
    let path = format!("/messages/{doubt}/actions/sent");
    assert_eq!(operator.post(&path, &[]).await.status, StatusCode::FORBIDDEN);
    let fields = [("csrf", operator.csrf.as_str())];
    let page = operator.post_with(&path, &[("sec-fetch-site", "cross-site")], &fields).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(world.state(doubt).await, MessageState::InDoubt);
}

#[tokio::test]
async fn of_two_who_press_opposite_buttons_the_first_decides() {
    let world = World::new().await;
    let doubt = world.in_doubt("two").await;
    let (operator, admin) = (world.person(Role::Operator).await, world.person(Role::Admin).await);
    let page = operator.get("/doubt").await;
    assert!(page.body.contains(&doubt.to_string()), "{}", page.body);
    let page = operator.get(&format!("/doubt/{doubt}")).await;
    for part in ["It was sent", "Send it again", "/actions/sent", "/actions/resend", "two"] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    let (sent, resend) =
        (format!("/messages/{doubt}/actions/sent"), format!("/messages/{doubt}/actions/resend"));
    let (first, second) = tokio::join!(submit(&operator, &sent, &[]), submit(&admin, &resend, &[]));
    let notes = [note(&first), note(&second)];
    let slower =
        notes.iter().filter(|note| note.starts_with("Nothing was done: its state has changed meanwhile."));
    assert_eq!(slower.count(), 1, "{notes:?}");
    assert_eq!(world.steps(doubt, Step::Resolved).await, 1);
    // Anyone who comes late is shown that it is over.
    let page = admin.get(&format!("/doubt/{doubt}")).await;
    assert!(
        page.body.contains("The doubt has ended.") && !page.body.contains("/actions/resend"),
        "{}",
        page.body
    );
}

/// Waits until a message was tried again; once.
async fn is_retried(world: &World, id: MessageId) {
    let begun = Instant::now();
    while world.steps(id, Step::Retried).await == 0 && begun.elapsed() < Duration::from_mins(1) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.steps(id, Step::Retried).await, 1);
}

#[tokio::test]
async fn all_that_failed_is_tried_again_once_and_doubt_is_left_alone() {
    let world = World::new().await;
    let (one, two) = (world.failed("one").await, world.failed("two").await);
    let doubt = world.in_doubt("three").await;
    let operator = world.person(Role::Operator).await;
    let page = operator.get("/messages/retry-failed").await;
    assert!(page.body.contains("Retry 2 failed messages?"), "{}", page.body);
    let page = operator.get("/messages/retry-failed?chat=-1009999999999").await;
    assert!(
        page.body.contains("Retry 0 failed messages?") && !page.body.contains("primary"),
        "{}",
        page.body
    );
    let begin = "/messages/actions/retry-failed";
    let (first, second) = tokio::join!(submit(&operator, begin, &[]), submit(&operator, begin, &[]));
    assert_eq!(first.header("location"), "/messages/retry-failed");
    assert!(note(&first).contains("being retried") && note(&second).contains("being retried"));
    for id in [one, two] {
        is_retried(&world, id).await;
    }
    assert_eq!(
        (world.state(doubt).await, world.steps(doubt, Step::Retried).await),
        (MessageState::InDoubt, 0)
    );
}

#[tokio::test]
async fn only_those_that_the_question_counted_are_tried_again() {
    let world = World::new().await;
    let counted = world.failed("one").await;
    let operator = world.person(Role::Operator).await;
    let page = operator.get("/messages/retry-failed?range=2h").await;
    assert!(page.body.contains("Retry 1 failed message?"), "{}", page.body);
    let fields: Vec<(&str, &str)> = page
        .body
        .split("<input type=\"hidden\" name=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once("\" value=\""))
        .filter_map(|(name, rest)| Some((name, rest.split_once('"')?.0)))
        .filter(|(name, _)| *name != "csrf")
        .collect();
    assert!(fields.contains(&("range", "2h")), "{fields:?}");
    let later = [world.failed("two").await, world.failed("three").await];
    let page = submit(&operator, "/messages/actions/retry-failed", &fields).await;
    assert!(note(&page).contains("1 message is being retried"), "{}", note(&page));
    is_retried(&world, counted).await;
    // A run that went further would be at the next one after 20 ms.
    tokio::time::sleep(Duration::from_millis(100)).await;
    for id in later {
        assert_eq!((world.state(id).await, world.steps(id, Step::Retried).await), (MessageState::Failed, 0));
    }
}

#[tokio::test]
async fn retry_during_a_run_says_none_was_begun() {
    let world = World::new().await;
    for _ in 0..200 {
        world.failed("one of many").await;
    }
    let (anna, boris) = (world.person(Role::Operator).await, world.person(Role::Admin).await);
    let begin = "/messages/actions/retry-failed";
    let first = submit(&anna, begin, &[]).await;
    assert!(note(&first).contains("200 messages are being retried."), "{}", note(&first));
    world.failed("one more").await;
    let second = submit(&boris, begin, &[]).await;
    assert!(
        note(&second).contains("Nothing new was started: 200 messages are already being retried"),
        "{}",
        note(&second)
    );
}

#[tokio::test]
async fn a_refused_form_has_fields_for_what_is_wrong() {
    let world = World::new().await;
    let id: domain::FailedRequestId = "fail_01k2v7m3w0e9tq4b8s6n5x1zyr".parse().expect("an id");
    let form = ("/forms/site".to_owned(), r#"{"name":"Anna"}"#.to_owned(), "phone: is missing".to_owned());
    world.store.failed_requests().keep_form(id, form, world.clock.now()).await.expect("a write");
    let operator = world.person(Role::Operator).await;
    let page = operator.get(&format!("/failed/{id}")).await;
    for shown in ["Correct the form", "name=\"phone\"", "name=\"email\"", "/forms/site"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let path = format!("/failed/{id}");
    let refused = submit(&operator, &path, &[("phone", "+70000000001"), ("email", "")]).await;
    assert!(note(&refused).contains("not there any more"), "{}", note(&refused));
    let viewer = world.person(Role::Viewer).await;
    assert!(!viewer.get(&path).await.body.contains("Correct the form"));
}

#[tokio::test]
async fn a_correction_that_is_refused_stays_in_its_form() {
    let world = World::of(with_phone(&Arc::default())).await;
    let id: domain::FailedRequestId = "fail_01k2v7m3w0e9tq4b8s6n5x1zyr".parse().expect("an id");
    let form = ("/forms/phone".to_owned(), "{}".to_owned(), "phone: is missing".to_owned());
    world.store.failed_requests().keep_form(id, form, world.clock.now()).await.expect("a write");
    let operator = world.person(Role::Operator).await;
    let page = send(&operator, &format!("/failed/{id}"), &[("phone", "12 \"3\"")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page:?}");
    for shown in ["id=\"phone-error\"", "is missing", "value=\"12 &#34;3&#34;\""] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
}

#[tokio::test]
async fn failed_requests_are_handled_in_bulk_after_a_question() {
    let world = World::new().await;
    let mut operations = Vec::new();
    for title in ["Order 1", "Order 2"] {
        let task =
            serde_json::json!({ "kind": "create_chat", "title": title, "members": [], "client_tg_id": "77" });
        let submission = delivery::TaskSubmission {
            task: serde_json::from_value(task).expect("a task"),
            pin: None,
            on_flood: OnFlood::Wait,
            flood_timeout: Duration::from_mins(1),
            origin: Origin { listener: "5021".to_owned(), api_key: None, address: None },
            idempotency: None,
            join: None,
            keep: Some(store::Keep {
                service: domain::Service::CreateChat,
                endpoint: "/create_chat".to_owned(),
                payload: format!(r#"{{"title":"{title}","usernames":["@client_1"]}}"#),
            }),
        };
        let id = world.sagas.submit(submission).await.expect("accepted").id;
        world.sagas.settled(id, Duration::from_secs(10)).await.expect("the store").expect("a saga");
        operations.push(id);
    }
    let page = store::Page { limit: 10, cursor: None };
    let kept = world.store.failed_requests().list(&[], &page).await.expect("a list").items;
    let ids: Vec<String> = kept.iter().map(|request| request.id.to_string()).collect();
    assert_eq!(ids.len(), 2);
    let operator = world.person(Role::Operator).await;
    let listed = operator.get("/failed").await;
    assert!(ids.iter().all(|id| listed.body.contains(id.as_str())), "{}", listed.body);
    let one = operator.get(&format!("/failed/{}", ids[0])).await;
    assert!(!one.body.contains("@client_1") && one.body.contains("Shown to admins only"), "{}", one.body);
    let admin = world.person(Role::Admin).await;
    assert!(admin.get(&format!("/failed/{}", ids[0])).await.body.contains("@client_1"));

    let chosen = format!("/failed/question?do=retry&id={}&id={}", ids[0], ids[1]);
    assert!(operator.get(&chosen).await.body.contains("Retry 2 requests?"));
    assert!(operator.get("/failed/question?do=retry-all").await.body.contains("Retry 2 requests?"));
    let fields = [("id", ids[0].as_str()), ("id", ids[1].as_str()), ("id", ids[1].as_str())];
    let page = submit(&operator, "/failed/actions/retry", &fields).await;
    assert_eq!(note(&page), "Being retried: 2 of 2.");
    for id in &operations {
        world.sagas.settled(*id, Duration::from_secs(10)).await.expect("the store").expect("a saga");
    }
    let mut page = submit(&operator, "/failed/actions/drop", &fields[..1]).await;
    let begun = Instant::now();
    // It fails again first, a moment after its work has ended.
    while note(&page) != "Dropped: 1 of 1." && begun.elapsed() < Duration::from_mins(1) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        page = submit(&operator, "/failed/actions/drop", &fields[..1]).await;
    }
    assert_eq!(note(&page), "Dropped: 1 of 1.");
    let gone = operator.get("/failed?state=dropped").await;
    assert!(gone.body.contains(&ids[0]) && !gone.body.contains(&ids[1]), "{}", gone.body);
    let late = submit(&operator, "/failed/actions/retry", &fields[..1]).await;
    assert!(note(&late).starts_with("Nothing was done"), "{}", note(&late));
}

#[tokio::test]
async fn work_pages_open_in_both_languages_and_when_empty() {
    let world = World::new().await;
    let operator = world.person(Role::Operator).await;
    for (path, english, russian) in [
        ("/messages", "No messages yet", "Сообщений ещё нет"),
        ("/messages?q=a&range=2h&state=sent", "Nothing found", "Ничего не найдено"),
        ("/messages/retry-failed", "Retry 0 failed messages?", "Повторить 0 неудачных сообщений?"),
        ("/chats", "No chats yet", "Чатов ещё нет"),
        ("/chats/unresolved", "Every chat is found", "Все чаты находятся"),
        ("/chats/do-not-contact", "The list is empty", "Список пуст"),
        ("/operations", "No operations yet", "Операций ещё нет"),
        ("/failovers", "No failovers", "Переключений нет"),
        ("/failed", "Nothing waits for you", "Решать нечего"),
        ("/failed/question?do=drop", "No request is chosen", "Ничего не выбрано"),
        ("/doubt", "Nothing is in doubt", "Под вопросом ничего нет"),
        (
            "/logs?from=2020-01-01T00:00&to=2020-01-02T00:00",
            "No lines in this time",
            "За это время строк нет",
        ),
    ] {
        for (language, wanted) in [("en", english), ("ru", russian)] {
            let page = operator.get_with(path, &[("accept-language", language)]).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {page:?}");
            assert!(page.body.contains(wanted), "{wanted} in {path}: {}", page.body);
            assert_eq!(page.body.matches("<h1").count(), 1, "{path}");
            for inline in [" style=", "<style", "onclick=", "<script>", "javascript:", "http://", "https://"]
            {
                assert!(!page.body.contains(inline), "{inline} in {path}");
            }
        }
    }
}
