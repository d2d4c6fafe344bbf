//! Cards as tests make them up, and the board drawn in each kind of state.

use std::time::Duration;

use api::Alert;
use domain::account::Reason;
use domain::{Service, Timestamp};
use health::{
    ActionSet, Advice, Amount, Card, CardAction, CardId, CardKind, Causes, Clearing, ClearingView, Facts,
    Lamp, Minute, Phase, ProbeOutcome, Process,
};

use super::board::{Board, Stands, ViewKey};
use super::snapshot::{Numbers, Snapshot};
use super::undelivered::Undelivered;
use super::wanted::{Filter, PAGE};
use crate::view::{Language, Zone};
use crate::words::Wall;

pub(crate) fn now() -> Timestamp {
    "2026-11-20T11:07:31Z".parse().expect("a time")
}

fn ago(minutes: u64) -> Timestamp {
    now().minus(Duration::from_mins(minutes))
}

pub(crate) fn card(id: &str) -> Card {
    let id: CardId = id.parse().expect("an id");
    let kind = id.kind();
    let is_worker = matches!(kind, CardKind::Service | CardKind::Account);
    let calls = is_worker || kind == CardKind::Line;
    let queues = is_worker || kind == CardKind::Queue;
    Card {
        name: id.name().rsplit(':').next().expect("a name").to_owned(),
        up_since: Some(ago(6 * 24 * 60 + 250)),
        operations: calls.then_some(0),
        errors: calls.then_some(0),
        share: calls.then_some(0.0),
        queue: queues.then_some(0),
        sent_last_hour: queues.then_some(0),
        sends: queues.then_some([0; 24]),
        ..Card::new(id, Lamp::Good, "ready", ago(6 * 24 * 60))
    }
}

/// One card in each kind of state, in the order of need.
pub(crate) fn cards() -> Vec<Card> {
    let account = ActionSet::of([CardAction::Stop, CardAction::Restart, CardAction::Pause]);
    let service = ActionSet::of([CardAction::Stop, CardAction::Restart, CardAction::ReloadCache]);
    let busy: [u32; 24] = std::array::from_fn(|hour| {
        [12, 31, 44, 40, 38, 61, 80, 75][hour % 8] + u32::try_from(hour).expect("an hour") * 4
    });
    vec![
        Card {
            lamp: Lamp::Trouble,
            state: "stalled",
            reason: Some("worker_stalled".to_owned()),
            advice: Some(Advice::RestartTheProgram),
            proof: Some("oldest due 4 min ago · 12 messages · account backup_1 is ready".to_owned()),
            since: ago(4),
            queue: Some(12),
            actions: service,
            ..card("service:send_text")
        },
        Card {
            lamp: Lamp::Trouble,
            state: "needs_login",
            reason: Some("session_revoked".to_owned()),
            advice: Some(Advice::Account(Reason::SessionRevoked)),
            proof: Some("AUTH_KEY_UNREGISTERED · +70000000003 · line all".to_owned()),
            since: ago(29),
            errors: Some(10),
            cache: Some(1204),
            actions: ActionSet::of([CardAction::Stop, CardAction::Restart, CardAction::SignIn]),
            ..card("account:backup_2")
        },
        Card {
            lamp: Lamp::Trouble,
            state: "taken",
            reason: Some("port_taken".to_owned()),
            advice: Some(Advice::FreeThePort),
            detail: Some("the address 127.0.0.1:5028 is in use".to_owned()),
            proof: Some("gunicorn, process 4711, since 12:40".to_owned()),
            since: ago(15),
            up_since: None,
            ..card("port:5028")
        },
        Card {
            lamp: Lamp::Waiting,
            state: "flood_wait",
            reason: Some("flood_wait".to_owned()),
            advice: Some(Advice::WaitForDeadline),
            proof: Some("FLOOD_WAIT_1447 · messages.createChat".to_owned()),
            since: ago(1),
            until: Some(now().plus(Duration::from_secs(1_417))),
            errors: Some(1),
            share: Some(0.08),
            cache: Some(4018),
            actions: account,
            ..card("account:main")
        },
        Card {
            lamp: Lamp::Waiting,
            state: "paused",
            reason: Some("paused".to_owned()),
            since: ago(44),
            actions: ActionSet::of([CardAction::Stop, CardAction::Restart, CardAction::Resume]),
            ..card("account:backup_4")
        },
        Card {
            lamp: Lamp::Busy,
            state: "connecting",
            detail: Some("reading dialogs, 62 %".to_owned()),
            up_since: Some(ago(2)),
            cache: Some(741),
            actions: account,
            ..card("account:backup_3")
        },
        Card {
            state: "active",
            operations: Some(8_214),
            share: Some(0.61),
            cpu: Some(0.018),
            memory: Some(52_000_000),
            queue: Some(3),
            sends: Some(busy),
            sent_last_hour: Some(167),
            latency: Some(Duration::from_millis(184)),
            actions: service,
            ..card("service:create_chat")
        },
        Card {
            lamp: Lamp::Off,
            state: "stopped",
            reason: Some("stopped".to_owned()),
            advice: Some(Advice::Start),
            up_since: None,
            actions: ActionSet::of([CardAction::Start, CardAction::ReloadCache]),
            ..card("service:leave_chat")
        },
        Card {
            operations: Some(9_100),
            share: Some(0.61),
            cpu: Some(0.018),
            memory: Some(52_000_000),
            cache: Some(1377),
            queue: Some(3),
            sends: Some(busy),
            sent_last_hour: Some(167),
            latency: Some(Duration::from_millis(184)),
            actions: account,
            ..card("account:backup_1")
        },
        Card {
            parent: "account:main".parse().ok(),
            operations: Some(1_070),
            errors: Some(2),
            ..card("line:main:send_media")
        },
        Card {
            state: "listening",
            operations: Some(412),
            errors: Some(1),
            share: Some(0.94),
            queue: Some(2),
            sends: Some(busy),
            sent_last_hour: Some(167),
            ..card("port:main")
        },
        Card { state: "listening", ..card("port:5022") },
        Card { state: "ready", latency: Some(Duration::from_millis(2)), ..card("store") },
        Card { state: "ready", ..card("queue") },
    ]
}

pub(crate) fn strip(id: &CardId) -> Vec<Minute> {
    (0..120_u64)
        .map(|number| {
            let left = 119 - number;
            let (answer, reason) = match (id.as_str(), left) {
                ("account:backup_2", 0..29) => (ProbeOutcome::Failed, Some("session_revoked")),
                ("port:5028", 0..15) => (ProbeOutcome::Failed, Some("port_taken")),
                ("service:send_text", 0..4) => (ProbeOutcome::Failed, Some("stalled")),
                ("account:main", 0) => (ProbeOutcome::Failed, Some("flood_wait")),
                ("account:main", 40..43) | ("line:main:send_media", 61) => (ProbeOutcome::Slow, None),
                ("account:backup_3", 3..) | ("service:leave_chat", _) | ("port:5022", 20..31) => {
                    (ProbeOutcome::NotAsked, None)
                }
                _ => (ProbeOutcome::Answered, None),
            };
            let latency = match answer {
                ProbeOutcome::Answered => Some(Duration::from_millis(6 + number % 7)),
                ProbeOutcome::Slow => Some(Duration::from_millis(2_400)),
                ProbeOutcome::NotAsked | ProbeOutcome::Failed => None,
            };
            Minute { at: ago(left), answer, latency, reason: reason.map(str::to_owned) }
        })
        .collect()
}

/// What is seen when these cards are all there is.
pub(crate) fn sight(cards: Vec<Card>) -> Snapshot {
    let pool = cards.iter().filter(|card| card.kind == CardKind::Account).map(|card| card.id.clone());
    let causes = Causes::of(&cards, &pool.collect()).into();
    let (lines, cards): (Vec<_>, Vec<_>) = cards.into_iter().partition(|card| card.kind == CardKind::Line);
    let lamp = |lamp: &[Lamp]| cards.iter().filter(|card| lamp.contains(&card.lamp)).count() as u64;
    Snapshot {
        at: now(),
        numbers: Numbers {
            all: cards.len() as u64,
            waiting: lamp(&[Lamp::Waiting]),
            fine: lamp(&[Lamp::Good, Lamp::Busy]),
            off: lamp(&[Lamp::Off]),
            kinds: CardKind::ALL.map(|kind| cards.iter().filter(|card| card.kind == kind).count() as u64),
        },
        matching: cards.len() as u64,
        process: Process {
            memory: Some(86_000_000),
            cpu: Some(0.03),
            started_at: ago(6 * 24 * 60 + 250),
            version: "0.1.0",
        },
        facts: Facts {
            sent_last_hour: 1_412,
            waiting: 12,
            oldest_waiting: Some(Duration::from_mins(15)),
            in_doubt: 1,
            answer_p50: Some(Duration::from_millis(184)),
            answer_p99: Some(Duration::from_millis(640)),
            beats_kept: true,
            hours: std::array::from_fn(|hour| Amount {
                sent: [12, 31, 0, 40][hour % 4],
                failed: u32::from(hour == 7) * 3,
            }),
            ..Facts::default()
        },
        undelivered: Undelivered { count: 3, more: false },
        clearing: None,
        causes,
        cards,
        lines,
        next: None,
    }
}

pub(crate) fn operator(language: Language) -> ViewKey {
    let zone = Zone::from_word("180").expect("a zone");
    ViewKey {
        filter: Filter::default(),
        wall: Wall { language, zone, now: now() }.timeless(),
        may_act: true,
        may_arrange: true,
    }
}

pub(crate) fn draw(language: Language, sight: &Snapshot, alerted: &[Alert]) -> Board {
    Board::draw(&operator(language), sight, alerted, strip).expect("a board")
}

pub(crate) fn alerted() -> Vec<Alert> {
    let alert = serde_json::json!({
        "id": "alert_00000000000000000000000007", "card": "account:backup_2", "kind": "account", "name": "backup_2",
        "state": "open", "reason": "session_revoked", "raised_at": ago(28), "parts": 0,
    });
    vec![serde_json::from_value(alert).expect("an alert")]
}

pub(crate) fn clearing() -> ClearingView {
    ClearingView {
        how: Clearing::StopAll,
        phase: Phase::Silent,
        by: "asked for by anna".to_owned(),
        started_at: ago(2),
        until: Some(now().plus(Duration::from_mins(3))),
        next: Some(Service::CreateChat),
        done: Vec::new(),
        waiting: vec![Service::CreateChat, Service::SendText, Service::SendMedia],
        accounts: Vec::new(),
    }
}

/// Cards of a program in which so many accounts have lost their session, one is well, and a service cannot work because of it.
fn lost(many: usize) -> Vec<Card> {
    let lost = cards().remove(1);
    let account = |number| Card {
        id: format!("account:a{number}").parse().expect("an id"),
        name: format!("a{number}"),
        ..lost.clone()
    };
    let service = Card {
        lamp: Lamp::Trouble,
        state: "unable",
        reason: Some("needs_login".to_owned()),
        advice: Some(Advice::MendAnAccount),
        ..card("service:send_text")
    };
    let well = ["account:well", "port:main", "port:5021", "port:5022"].map(card);
    (0..many).map(account).chain([service]).chain(well).collect()
}

fn alert_of(card: &str) -> Alert {
    Alert {
        id: format!("alert_{:026}", card.len()).parse().expect("an id"),
        card: card.to_owned(),
        name: card.to_owned(),
        ..alerted().remove(0)
    }
}

#[test]
fn a_trouble_is_one_entry_with_what_comes_of_it() {
    let sight = sight(lost(4));
    let alerts = [alert_of("account:a0"), alert_of("service:send_text")];
    let board = draw(Language::English, &sight, &alerts);
    let top: Vec<_> = board.top().map(|group| (group.id, group.cards.len())).collect();
    assert_eq!((board.trouble, top), (4, vec![("g-needs", 4)]));
    let verdict = board.part("verdict").replace(crate::words::number::HARD, " ");
    assert!(
        verdict.contains("4 accounts need you.") && verdict.contains("send_text cannot work."),
        "{verdict}"
    );
    let card = |id: &str| board.cards().find(|card| card.id == id).expect("a card").html.as_str();
    // The service names its accounts, and no second button.
    let service = card("service:send_text");
    assert!(service.contains("href=\"/accounts/a3\"") && !service.contains("cure"), "{service}");
    // An alert is shown in the entry of its card; that of what is elsewhere above the board.
    assert!(card("account:a0").contains("actions/mute") && !card("account:a1").contains("actions/mute"));
    let above = board.part("alerts");
    assert!(above.contains("service:send_text failed") && !above.contains("account:a0"), "{above}");
}

#[test]
fn no_session_is_green_within_an_account_whose_calls_fail() {
    let account = |lamp, state| Card {
        lamp,
        state,
        reason: Some("calls_unanswered".to_owned()),
        ..card("account:main")
    };
    let line = Card { parent: "account:main".parse().ok(), ..card("line:main:all") };
    let lines = |account: Card| {
        let html = draw(Language::English, &sight(vec![account, line.clone()]), &[])
            .cards()
            .next()
            .expect("a card")
            .html
            .clone();
        html.split_once("class=\"lines\"").expect("its sessions").1.to_owned()
    };
    let failing = lines(account(Lamp::Trouble, "failing"));
    assert!(
        failing.contains("lamp bad") && failing.contains("Connected, but work does not get done"),
        "{failing}"
    );
    assert!(!failing.contains("lamp ok"), "{failing}");
    assert!(lines(account(Lamp::Waiting, "stuck")).contains("lamp wait"));
    assert!(lines(Card { reason: None, ..account(Lamp::Good, "ready") }).contains("lamp ok"));
}

#[test]
fn more_than_four_troubles_fold_and_keep_their_buttons() {
    let drawn = |many| {
        let board = draw(Language::English, &sight(lost(many)), &[]);
        board.top().flat_map(|group| &group.cards).map(|card| card.html.clone()).collect::<Vec<_>>()
    };
    for card in drawn(4) {
        assert!(
            card.contains("Sign in again; its chats") && card.contains("AUTH_KEY_UNREGISTERED"),
            "{card}"
        );
    }
    for card in drawn(5) {
        assert!(
            card.contains("the session was ended elsewhere.") && card.contains("Sign in again</a>"),
            "{card}"
        );
        assert!(!card.contains("its chats go out") && !card.contains("AUTH_KEY_UNREGISTERED"), "{card}");
    }
}

#[test]
fn ports_are_one_row_while_all_are_well() {
    let folded = |cards: Vec<Card>| {
        let board = draw(Language::English, &sight(cards), &[]);
        board.groups.iter().find(|group| group.id == "g-port").map(|group| group.stands.clone())
    };
    let ports = ["port:main", "port:5021", "port:5022"].map(card);
    assert_eq!(folded(ports.to_vec()), Some(Stands::Folded("main, 5021, 5022".to_owned())));
    let [main, one, other] = ports;
    let taken = Card { lamp: Lamp::Trouble, state: "taken", ..other };
    assert_eq!(folded(vec![main, one, taken]), Some(Stands::Listed));
}

#[test]
fn several_alerts_of_what_is_elsewhere_are_one_line() {
    let many = ["account:x", "account:y", "account:z", "account:w"].map(alert_of);
    let board = draw(Language::English, &sight(lost(1)), &many);
    let above = board.part("alerts");
    assert!(
        above.contains("<summary>4 alerts: account:x, account:y, account:z and 1 more</summary>"),
        "{above}"
    );
    assert_eq!(above.matches("alert bad").count(), 4);
    let one = draw(Language::English, &sight(lost(1)), &many[..1]);
    assert!(!one.part("alerts").contains("class=\"folded\""));
}

#[test]
fn a_wait_for_a_deadline_is_an_amber_alert() {
    let mut flooded = alerted();
    flooded[0].reason = "flood_wait".to_owned();
    flooded[0].card = "account:elsewhere".to_owned();
    let board = draw(Language::English, &sight(cards()), &flooded);
    let alerts = board.part("alerts");
    assert!(alerts.contains("alert wait") && !alerts.contains("alert bad"), "{alerts}");
    // A service waits only when no one is left to do its work.
    flooded[0].card = "service:elsewhere".to_owned();
    let board = draw(Language::English, &sight(cards()), &flooded);
    assert!(board.part("alerts").contains("alert bad"));
}

/// The page as it is drawn, without what changes with every edit of the stylesheet.
fn page(language: Language, sight: &Snapshot, alerted: &[Alert]) -> String {
    let board = draw(language, sight, alerted);
    let parts = board.parts.iter().map(|part| format!("<!-- {} -->\n{}", part.id, part.html));
    let groups = board.groups.iter().map(|group| {
        let cards: Vec<_> = group.cards.iter().map(|card| card.html.as_str()).collect();
        format!("<!-- {} {} -->\n{}", group.id, group.title, cards.join("\n"))
    });
    let page = parts.chain(groups).collect::<Vec<_>>().join("\n");
    // Icons are named after the content of their file.
    page.replace(crate::assets::ICONS.path(), "icons.svg")
}

#[test]
fn the_board_in_each_kind_of_state_in_english() {
    insta::assert_snapshot!(page(Language::English, &sight(cards()), &alerted()));
}

#[test]
fn the_board_in_each_kind_of_state_in_russian() {
    insta::assert_snapshot!(page(Language::Russian, &sight(cards()), &alerted()));
}

#[test]
fn a_clearing_stands_above_a_board_where_all_is_well() {
    let fine = cards().into_iter().filter(|card| card.lamp == Lamp::Good).collect();
    let mut sight = sight(fine);
    sight.clearing = Some(clearing());
    sight.facts.beats_kept = false;
    insta::assert_snapshot!(page(Language::English, &sight, &[]));
}

#[test]
fn a_program_without_accounts_says_how_to_begin() {
    let sight = sight(vec![card("port:main"), card("store")]);
    let (english, russian) = (draw(Language::English, &sight, &[]), draw(Language::Russian, &sight, &[]));
    assert!(english.part("verdict").contains("There is no account yet."));
    assert!(russian.part("verdict").contains("Аккаунтов ещё нет."));
    for button in ["href=\"/accounts/add\"", "href=\"/accounts/import\""] {
        assert!(english.part("verdict").contains(button), "{button}");
    }
    let reader = ViewKey { may_arrange: false, ..operator(Language::English) };
    let board = Board::draw(&reader, &sight, &[], strip).expect("a board");
    assert!(!board.part("verdict").contains("/accounts/add"));
}

#[test]
fn text_of_a_provider_is_escaped() {
    let evil = "<script>alert(1)</script>\" onfocus=\"x";
    let mut one = cards().remove(1);
    one.name = evil.to_owned();
    one.detail = Some(evil.to_owned());
    one.proof = Some(evil.to_owned());
    one.reason = Some(evil.to_owned());
    one.advice = None;
    let drawn = page(Language::English, &sight(vec![one]), &[]);
    assert!(!drawn.contains("<script") && !drawn.contains("onfocus=\"x"), "{drawn}");
}

#[test]
fn a_viewer_gets_links_and_no_buttons() {
    let viewer = ViewKey { may_act: false, ..operator(Language::English) };
    let board = Board::draw(&viewer, &sight(cards()), &alerted(), strip).expect("a board");
    let all: String = board.parts.iter().chain(board.cards()).map(|drawn| drawn.html.as_str()).collect();
    assert!(!all.contains("formaction") && !all.contains("/stop\""), "{all}");
    assert!(all.contains("/accounts/backup_2\"") && !all.contains("/login"), "{all}");
    assert!(!all.contains("/flood-clearing"), "{all}");
}

#[test]
fn groups_by_kind_keep_each_card_once() {
    let mut viewer = operator(Language::English);
    viewer.filter.grouping = super::wanted::Grouping::Kind;
    let board = Board::draw(&viewer, &sight(cards()), &[], strip).expect("a board");
    assert_eq!(board.cards().count(), cards().len() - 1, "the session stands in its account");
    let ids: Vec<_> = board.groups.iter().map(|group| group.id).collect();
    assert_eq!(ids, ["g-service", "g-account", "g-port", "g-store", "g-queue"]);
}

#[test]
fn a_whole_page_of_cards_is_light() {
    let cards: Vec<_> = (0..PAGE).map(|number| Card { ..card(&format!("account:a{number}")) }).collect();
    let sight = sight(cards);
    let board = draw(Language::English, &sight, &[]);
    let bytes: usize = board.cards().map(|card| card.html.len()).sum();
    assert!(bytes < 150_000, "{PAGE} cards take {bytes} bytes before they are compressed");
}
