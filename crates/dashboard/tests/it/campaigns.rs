//! Campaigns: listed with how far they are, each chat with what became of it, made and filled by forms, asked about before.

use std::time::Duration;

use domain::{AttemptState, CampaignAttemptId, CampaignRunId, CampaignSender, Role, SenderCaps, SenderState};
use http::StatusCode;
use serde_json::json;
use store::{
    AttemptEnd, AttemptFilter, CampaignRow, Claim, Claiming, NewCampaignMessage, NewPicture, NewRun,
    NextTurn, StoredAttempt,
};

use crate::world::{Browser, World, note, send, send_files, shows};

const ALL: [&str; 7] = [
    "/campaigns/spring",
    "/campaigns/spring?part=failed",
    "/campaigns/spring?part=not_found",
    "/campaigns/spring/chats",
    "/campaigns/spring/chats?blocked=yes",
    "/campaigns/spring/messages",
    "/campaigns/spring/forecast",
];

fn sender() -> CampaignSender {
    CampaignSender::Account("main".parse().expect("a name"))
}

/// A campaign of four chats, whose run has sent one message, lost one chat and has one under way.
async fn spring(world: &World) -> CampaignRunId {
    let campaigns = world.store.campaigns();
    let now = world.clock.now();
    let settings = json!({ "cycles": 2, "active_hours": "00:00-24:00 UTC" }).to_string();
    let row = CampaignRow {
        name: "spring".to_owned(),
        title: "Spring offer".to_owned(),
        settings,
        created_at: now,
    };
    assert!(campaigns.add(row).await.expect("added"));
    campaigns.add_senders("spring", vec![sender()], now).await.expect("added");
    let tasks = (1..=4).map(|number| store::NewCampaignTask {
        chat: format!("@client_{number}").parse().expect("a chat"),
        variables: [("name".to_owned(), "<Anna>".to_owned())].into(),
    });
    campaigns.add_tasks("spring", tasks.collect()).await.expect("added");
    let message = NewCampaignMessage {
        text: "Hello {name}".to_owned(),
        parse_mode: domain::text::ParseMode::None,
        weight: 3,
        is_active: true,
        media: Vec::new(),
    };
    campaigns.add_messages("spring", vec![message], false).await.expect("added");
    let id = CampaignRunId::from_uuid(world.ids.next());
    let new = NewRun { id, campaign: "spring".into(), cycles: 2, canary: None, now, starts_at: now };
    campaigns.begin(new).await.expect("begun");
    let sent = claimed(world, id).await;
    let (peer, text) = ("6000000001".to_owned(), "Hello <Anna>".to_owned());
    campaigns.ready(sent.id, peer, 1, text, domain::text::ParseMode::None).await.expect("readied");
    end(world, &sent, AttemptState::Sent, None, NextTurn::NextCycle).await;
    let lost = claimed(world, id).await;
    let gone = NextTurn::Never("chat_not_found".to_owned());
    end(world, &lost, AttemptState::Failed, Some("chat_not_found"), gone).await;
    claimed(world, id).await;
    id
}

async fn claim(world: &World, run: CampaignRunId) -> Claim {
    let claiming = Claiming {
        run,
        sender: sender(),
        id: CampaignAttemptId::from_uuid(world.ids.next()),
        caps: SenderCaps { hour: 25, day: 300 },
        person: None,
        counted_with: Vec::new(),
        between_cycles: Duration::ZERO,
        now: world.clock.now(),
    };
    world.store.campaigns().claim(claiming).await.expect("claimed")
}

async fn claimed(world: &World, run: CampaignRunId) -> StoredAttempt {
    match claim(world, run).await {
        Claim::Task(attempt) => *attempt,
        other => panic!("{other:?}"),
    }
}

async fn end(
    world: &World,
    attempt: &StoredAttempt,
    state: AttemptState,
    code: Option<&str>,
    next: NextTurn,
) {
    let end = AttemptEnd {
        attempt: attempt.clone(),
        state,
        code: code.map(str::to_owned),
        detail: None,
        outbox_id: None,
        next,
        sender: None,
        now: world.clock.now(),
    };
    world.store.campaigns().end(end).await.expect("ended");
}

#[tokio::test]
async fn campaigns_are_listed_with_how_far_they_are() {
    let world = World::new().await;
    let operator = world.person(Role::Operator).await;
    shows(&operator.get("/campaigns").await, &["No campaigns yet", "/new-campaign"]);
    spring(&world).await;
    let page = operator.get("/campaigns").await;
    shows(&page, &["spring", "Runs", "max=\"4\" value=\"2\"", "2 of 4 chats", "cycle 1 of 2", "1 of 25"]);
    shows(
        &page,
        &["Last message leaves </span><time", "/campaigns/spring/actions/pause", "/campaigns/spring/stop"],
    );
    let russian = operator.with("language=ru");
    shows(&russian.get("/campaigns").await, &["Рассылки", "Идёт", "2 из 4 чатов", "круг 1 из 2"]);
}

#[tokio::test]
async fn one_campaign_says_what_became_of_each_chat() {
    let world = World::new().await;
    let run = spring(&world).await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get("/campaigns/spring").await;
    shows(
        &page,
        &["@client_1", "@client_2", "@client_3", "no account finds the chat", "Under way", "<rect "],
    );
    shows(
        &page,
        &[
            "25 an hour, 300 a day",
            "Limit: 25",
            &format!("/campaigns/spring?run={}", run.to_string().replace('_', "%5F")),
        ],
    );
    assert!(!page.body.contains("@client_4"), "it has not had its turn: {}", page.body);
    assert!(!page.body.contains("/campaign-pictures/"), "nothing has a picture: {}", page.body);
    let lost = AttemptFilter { code: Some("chat_not_found".to_owned()), ..AttemptFilter::default() };
    let page = store::Page { limit: 1, cursor: None };
    let lost = world.store.campaigns().attempts(run, lost, &page).await.expect("reads").items[0].id;
    let now = world.clock.now();
    let (file, profile) = ("1_shop.png".to_owned(), "shop".parse().expect("a name"));
    let picture = NewPicture { file, profile, attempt: Some(lost), taken_at: now, oldest: now };
    world.store.campaigns().add_picture(picture).await.expect("kept");
    shows(&viewer.get("/campaigns/spring").await, &["href=\"/campaign-pictures/1_shop.png\""]);
    let lost = viewer.get("/campaigns/spring?part=not_found").await;
    assert!(lost.body.contains("@client_2") && !lost.body.contains("@client_1"), "{}", lost.body);
    let none = viewer.get("/campaigns/spring?part=skipped").await;
    shows(&none, &["Nothing found"]);
    let not_sent = viewer.get("/campaigns/spring?part=failed_send").await;
    shows(&not_sent, &["Nothing found"]);
    shows(&viewer.get("/campaigns/spring?run=nothing").await, &["The filter has a wrong field"]);
    let chats = viewer.get("/campaigns/spring/chats").await;
    shows(&chats, &["@client_4", "&#60;Anna&#62;", "no account finds the chat"]);
    let blocked = viewer.get("/campaigns/spring/chats?blocked=yes").await;
    assert!(blocked.body.contains("@client_2") && !blocked.body.contains("@client_4"), "{}", blocked.body);
    shows(&viewer.get("/campaigns/spring/messages").await, &["Hello {name}", "Sent </span>1</td>"]);
    let forecast = viewer.get("/campaigns/spring/forecast").await;
    shows(&forecast, &["Hello &#60;Anna&#62;", "no account finds the chat: 1", "Left in this cycle"]);
    // The first one has had its turn.
    let named = |chat: &str| forecast.body.contains(chat);
    assert!(named("@client_4") && !named("@client_1"), "{}", forecast.body);
    let file = viewer.get("/campaigns/spring/attempts?part=failed").await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.body.contains("\r\n@client_2,,main,failed,chat_not_found,"), "{}", file.body);
    assert_eq!(file.body.lines().count(), 2);
    let russian = viewer.with("language=ru");
    shows(&russian.get("/campaigns/spring").await, &["чат не найден ни одним аккаунтом", "В работе"]);
    assert_eq!(russian.get("/campaigns/none").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_run_that_is_chosen_is_shown_by_cycles() {
    let world = World::new().await;
    let run = spring(&world).await;
    claimed(&world, run).await;
    for attempt in world.store.campaigns().open_attempts(run).await.expect("reads") {
        end(&world, &attempt, AttemptState::Sent, None, NextTurn::NextCycle).await;
    }
    assert!(matches!(claim(&world, run).await, Claim::Later(_)), "the cycle is over");
    claimed(&world, run).await;
    let viewer = world.person(Role::Viewer).await;
    let chosen = format!("/campaigns/spring?run={}", run.to_string().replace('_', "%5F"));
    let page = viewer.get("/campaigns/spring").await;
    shows(&page, &[&format!("href=\"{chosen}#campaign-cycles\"")]);
    assert!(!page.body.contains("id=\"campaign-cycles\""), "{}", page.body);
    let page = viewer.get(&chosen).await;
    let (_, cycles) = page.body.split_once("id=\"campaign-cycles\"").expect("a table of cycles");
    let (cycles, _) = cycles.split_once("</section>").expect("its end");
    let rows: Vec<_> = cycles.split("<tr><td>").skip(1).collect();
    let [first, second] = rows[..] else { panic!("{cycles}") };
    assert!(first.contains("Sent") && first.contains("Failed") && !first.contains("Under way"), "{first}");
    assert!(second.contains("Under way") && !second.contains("Sent"), "{second}");
    shows(&viewer.with("language=ru").get(&chosen).await, &["Запуск по кругам"]);
}

#[tokio::test]
async fn a_viewer_looks_at_campaigns_and_changes_none() {
    let world = World::new().await;
    spring(&world).await;
    let viewer = world.person(Role::Viewer).await;
    for path in ALL.into_iter().chain(["/campaigns"]) {
        let page = viewer.get(path).await;
        shows(&page, &["spring"]);
        for offered in ["/campaigns/spring/actions/", "/stop\"", "/change\"", "<textarea", "/new-campaign"] {
            assert!(!page.body.contains(offered), "{path} offers {offered}");
        }
    }
    for path in
        ["/new-campaign", "/campaigns/spring/change", "/campaigns/spring/stop", "/campaigns/spring/remove"]
    {
        assert_eq!(viewer.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in
        ["/new-campaign", "/campaigns/spring/change", "/campaigns/spring/chats", "/campaigns/spring/messages"]
    {
        assert_eq!(send(&viewer, path, &[]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    send(&viewer, "/campaigns/spring/actions/stop", &[]).await;
    assert!(world.store.campaigns().open_run("spring").await.expect("reads").is_some());
}

#[tokio::test]
async fn stopping_and_removing_are_asked_about_before() {
    let world = World::new().await;
    spring(&world).await;
    let operator = world.person(Role::Operator).await;
    shows(&operator.get("/campaigns/spring/stop").await, &["id=\"ask\"", "Stop Spring offer?"]);
    let removed = send(&operator, "/campaigns/spring/actions/remove", &[]).await;
    assert_eq!(removed.header("location"), "/campaigns/spring", "a run of it is open");
    let paused = send(&operator, "/campaigns/spring/actions/pause", &[("back", "/campaigns")]).await;
    assert!(note(&paused).starts_with("Spring offer"), "{paused:?}");
    assert_eq!((paused.status, paused.header("location")), (StatusCode::SEE_OTHER, "/campaigns"));
    shows(&operator.get("/campaigns/spring").await, &["Paused", "by a person", "/actions/resume"]);
    send(&operator, "/campaigns/spring/actions/stop", &[]).await;
    shows(
        &operator.get("/campaigns/spring").await,
        &["Stopped", "/campaigns/spring/forecast", "/campaigns/spring/remove", "/actions/unblock"],
    );
    send(&operator, "/campaigns/spring/actions/unblock", &[]).await;
    let counted = world.store.campaigns().tasks_counted("spring", None).await.expect("reads");
    assert_eq!(counted.blocked, 0);
    shows(&operator.get("/campaigns/spring/remove").await, &["id=\"ask\"", "Remove Spring offer?"]);
    let removed = send(&operator, "/campaigns/spring/actions/remove", &[]).await;
    assert_eq!(removed.header("location"), "/campaigns");
    assert_eq!(operator.get("/campaigns/spring").await.status, StatusCode::NOT_FOUND);
    assert_eq!(send(&operator, "/campaigns/spring/actions/burn", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn one_chat_is_unblocked_on_its_row() {
    let world = World::new().await;
    let run = spring(&world).await;
    let lost = claimed(&world, run).await;
    let gone = NextTurn::Never("chat_not_found".to_owned());
    end(&world, &lost, AttemptState::Failed, Some("chat_not_found"), gone).await;
    let operator = world.person(Role::Operator).await;
    let path = "/campaigns/spring/chats?blocked=yes";
    shows(&operator.get(path).await, &["value=\"@client_2\"", "aria-label=\"Unblock: @client_4\""]);
    let fields = [("chat", "@client_2"), ("back", path)];
    let pressed = send(&operator, "/campaigns/spring/actions/unblock", &fields).await;
    assert_eq!(pressed.header("location"), path);
    let page = operator.with("language=ru").get(path).await;
    shows(&page, &["aria-label=\"Разблокировать: @client_4\""]);
    assert!(!page.body.contains("value=\"@client_2\""), "{}", page.body);
}

#[tokio::test]
async fn a_trial_that_is_over_leads_to_the_forecast_first() {
    let world = World::new().await;
    let run = spring(&world).await;
    let wish = store::RunChange {
        state: domain::CampaignRunState::Paused,
        reason: Some("canary".to_owned()),
        canary: None,
        now: world.clock.now(),
    };
    world.store.campaigns().change_run(run, wish).await.expect("changed");
    let operator = world.person(Role::Operator).await;
    let page = operator.get("/campaigns/spring").await;
    shows(&page, &["after the trial", "Go on…"]);
    assert!(!page.body.contains("/actions/resume"), "{}", page.body);
    shows(
        &operator.get("/campaigns/spring/forecast").await,
        &["Write to 1 chat", "/actions/start", "name=\"limit\""],
    );
    // No server runs it here; a limit that is none is refused before.
    let started = send(&operator, "/campaigns/spring/actions/start", &[("limit", "0")]).await;
    assert_eq!(started.header("location"), "/campaigns/spring/forecast");
}

#[tokio::test]
async fn a_campaign_is_made_and_filled_by_forms() {
    let world = World::new().await;
    let operator = world.person(Role::Operator).await;
    shows(&operator.get("/new-campaign").await, &["name=\"name\"", "09:00-21:00 Europe/Moscow"]);
    let wrong = [("name", "!!!"), ("max_messages_per_hour", "61"), ("active_hours", "always")];
    let page = send(&operator, "/new-campaign", &wrong[..1]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("name-error") && page.body.contains("value=\"!!!\""), "{}", page.body);
    let page = send(&operator, "/new-campaign", &[("name", "spring"), wrong[1]]).await;
    assert!(
        page.body.contains("max_messages_per_hour-error") && page.body.contains("must be 1 to 60"),
        "{}",
        page.body
    );
    let russian = world.person(Role::Admin).await.with("language=ru");
    let page = send(&russian, "/new-campaign", &[("name", "spring"), wrong[2]]).await;
    assert!(page.body.contains("напишите два времени суток и часовой пояс"), "{}", page.body);
    let page = send(&russian, "/new-campaign", &wrong[..1]).await;
    assert!(page.body.contains("хотя бы одна буква или цифра"), "{}", page.body);
    let made = [
        ("name", "spring"),
        ("cycles", "2"),
        ("active_hours", "09:00-21:00 UTC"),
        ("max_messages_per_day", ""),
    ];
    let made = send(&operator, "/new-campaign", &made).await;
    assert_eq!((made.status, made.header("location")), (StatusCode::SEE_OTHER, "/campaigns/spring"));
    shows(&operator.get("/campaigns/spring").await, &["09:00-21:00 UTC", "None yet: add some under Change."]);
    let again = send(&operator, "/new-campaign", &[("name", "spring")]).await;
    assert!(again.body.contains("There is a campaign spring already."), "{}", again.body);
    shows(&operator.get("/campaigns/spring/change").await, &["name=\"cycles\"", "value=\"2\""]);
    let changed = send(&operator, "/campaigns/spring/change", &[("cycles", "3"), ("active_hours", "")]).await;
    assert_eq!(changed.header("location"), "/campaigns/spring");
    shows(
        &operator.get("/campaigns/spring").await,
        &["<dt>Cycles</dt><dd>3</dd>", "<dt>Hours</dt><dd>any</dd>"],
    );

    let chats = send(&operator, "/campaigns/spring/chats", &[("file", "chat,name\r\n@client_1,Anna")]).await;
    assert_eq!(chats.header("location"), "/campaigns/spring/chats");
    let some = send(&operator, "/campaigns/spring/chats", &[("file", "@client_2\r\nno chat")]).await;
    assert_eq!(some.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(some.body.contains("Line 2") && some.body.contains("@client_2"), "{}", some.body);
    let empty = send(&operator, "/campaigns/spring/chats", &[("file", " ")]).await;
    assert!(empty.body.contains("file-error"), "{}", empty.body);
    shows(&operator.get("/campaigns/spring/chats").await, &["@client_1", "Anna", "@client_2"]);

    let messages = async |browser: &Browser<'_>, fields: &[(&str, &str)], files: &[(&str, &str, &str)]| {
        let fields = [&[("csrf", browser.csrf.as_str())], fields].concat();
        send_files(browser, "/campaigns/spring/messages", &fields, files).await
    };
    let looked = [("file", "<b>Hi {name}</b>"), ("parse_mode", "html"), ("preview", "yes")];
    let page = messages(&operator, &looked, &[("media", "", "")]).await;
    shows(&page, &["Nothing is saved yet", "&#60;b&#62;Hi Anna&#60;/b&#62;"]);
    assert_eq!(world.store.campaigns().messages("spring").await.expect("reads"), []);
    let saved = messages(&operator, &looked[..2], &[]).await;
    assert_eq!(saved.header("location"), "/campaigns/spring/messages");
    shows(&operator.get("/campaigns/spring/messages").await, &["&#60;b&#62;Hi {name}&#60;/b&#62;", "html"]);
    // The file that was looked at is kept for the messages.
    let price = [("file", "Our prices"), ("preview", "yes")];
    let page = messages(&operator, &price, &[("media", "price.pdf", "%PDF-1.4 prices")]).await;
    shows(&page, &["Nothing is saved yet", "value=\"price.pdf\""]);
    let (_, rest) = page.body.split_once("name=\"upload\" value=\"").expect("an upload");
    let upload = rest.split_once('"').expect("its end").0;
    let saved = messages(&operator, &[price[0], ("upload", upload)], &[]).await;
    assert_eq!(saved.header("location"), "/campaigns/spring/messages", "{saved:?}");
    shows(&operator.get("/campaigns/spring/messages").await, &["Our prices", "document: price.pdf"]);
    let stranger = send_files(&operator, "/campaigns/spring/messages", &[("csrf", "x"), price[0]], &[]).await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    let broken = messages(&russian, &[("file", "Hi {name")], &[]).await;
    assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(broken.body.contains("скобка на месте 4 не закрыта"), "{}", broken.body);
    assert_eq!(world.store.campaigns().messages("spring").await.expect("reads").len(), 2);
    let audited = russian.get("/settings/audit").await;
    shows(&audited, &["Создание рассылки", "Добавление чатов в рассылку"]);
}

#[tokio::test]
async fn an_account_that_is_stopped_is_shown_with_why() {
    let world = World::new().await;
    spring(&world).await;
    let now = world.clock.now();
    let campaigns = world.store.campaigns();
    campaigns.stop_sender(sender(), SenderState::Blocked, "restricted".into(), now).await.expect("stopped");
    let operator = world.person(Role::Operator).await;
    shows(&operator.get("/campaigns/spring").await, &["the account is restricted", "/actions/unblock"]);
    shows(&operator.get("/campaigns/spring/forecast").await, &["never: no account may send"]);
}
