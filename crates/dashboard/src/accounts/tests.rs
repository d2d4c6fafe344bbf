//! The pages about accounts drawn in both languages.

use api::{ImportAnswer, OwnerlessSession};
use askama::Template;
use domain::{AccountState, Timestamp};
use serde_json::json;

use super::add::{Add, Wrong};
use super::change::Change;
use super::export::Export;
use super::import::{Form, Look, Over};
use super::list::{List, Query};
use super::login::{Login, Wizard};
use super::one::One;
use super::ownerless::{DropQuestion, GiveQuestion};
use super::remove::Question;
use super::{Account, tint};
use crate::ask::{Refused, WrongField};
use crate::page::QrCode;
use crate::view::Language;
use crate::visitor::Visitor;
use crate::words::{AccountFormWords, AccountsWords, ImportWords, LoginWords, OverviewWords, WorkWords};

const LANGUAGES: [Language; 2] = [Language::English, Language::Russian];

fn now() -> Timestamp {
    "2026-11-20T11:07:31Z".parse().expect("a time")
}

fn drawn(name: &str, visitor: &Visitor, page: &impl Template) {
    let text = page.render().expect("drawn");
    assert!(!text.contains("<script>") && !text.contains("onerror=\""), "{text}");
    insta::assert_snapshot!(format!("{name}_{}", visitor.language.code()), text);
}

fn each(draw: impl Fn(&Visitor)) {
    for language in LANGUAGES {
        draw(&Visitor::made_up(language, now()));
    }
}

/// An account as the API shows it, with what differs.
fn account(name: &str, state: &str, more: serde_json::Value) -> Account {
    let mut account = json!({
        "name": name, "state": state, "state_since": "2026-11-20T10:51:00Z", "reason": null, "detail": null,
        "priority": 1, "pool": true, "switch": "on", "phone": "+7•••••••01", "user_id": 7_700_001, "username": "demo_main",
        "display_name": "Anna", "same_person_as": [], "limits": {}, "keep_messages": {}, "proxy": false, "source": "store", "wants_session": false, "lines": [line("ready")],
        "floods": [], "cached_peers": 4018, "dialogs_complete": true, "dialogs_read": 1204, "dialogs_total": null,
        "operations": 91_000, "errors": 0, "last_error": null, "last_active_at": "2026-11-20T11:07:30Z",
        "updates": { "received": 12, "missed": 0, "gaps": [] },
    });
    let (account_fields, more) = (account.as_object_mut().expect("an object"), more);
    account_fields.extend(more.as_object().expect("an object").clone());
    let view = serde_json::from_value(account).expect("an account");
    Account { view, by_calls: None }
}

fn line(state: &str) -> serde_json::Value {
    json!({
        "name": "all", "purposes": ["create_chat", "send_text", "send_media", "leave_chat"], "source": "store",
        "session": "1f2e3d4c5b6a7988", "state": state, "reason": null, "detail": null, "dc_id": 2,
        "last_answer_at": "2026-11-20T11:07:30Z", "round_trip_ms": 84, "reads_updates": true,
    })
}

fn in_trouble() -> Account {
    account(
        "backup_2",
        "needs_login",
        json!({ "reason": "session_revoked", "detail": "AUTH_KEY_UNREGISTERED", "wants_session": true, "errors": 10, "same_person_as": ["main"],
            "display_name": "<script>alert(1)</script>", "username": "\"onerror=\"x", "lines": [
                { "name": "send_text", "purposes": ["send_text", "leave_chat"], "source": "settings", "session": null,
                  "state": "needs_login", "reason": "session_revoked", "detail": "<b>gone</b>", "dc_id": 4,
                  "last_answer_at": null, "round_trip_ms": null, "reads_updates": false }],
            "last_error": "<i>x</i>", "updates": { "received": 0, "missed": 3, "gaps": [] } }),
    )
}

fn waiting() -> Account {
    let limits = json!({ "messages_per_hour": 30, "messages_per_day": 300, "sent_last_hour": 30, "sent_last_day": 64,
        "free_at": "2026-11-20T11:40:00Z" });
    let floods = json!([{ "operation": "create_chat", "until": "2026-11-20T11:31:08Z" },
        { "operation": "send_message", "until": "2026-11-20T11:20:00Z" }]);
    account(
        "main",
        "flood_wait",
        json!({ "floods": floods, "limits": limits, "source": "settings", "proxy": true, "pool": false,
            "dialogs_complete": false, "dialogs_total": 4000 }),
    )
}

fn gaps() -> api::Page<api::ReceivedGap> {
    let gap = |chat: Option<&str>, failure: Option<&str>| {
        json!({ "chat_id": chat, "chat_title": chat.map(|_| "Order <1>"), "since": "2026-11-18T08:00:00Z", "messages": 1200,
            "noticed_at": "2026-11-20T10:00:00Z", "failure": failure })
    };
    let items = [gap(None, None), gap(Some("-1001234567890"), Some("CHANNEL_PRIVATE"))];
    serde_json::from_value(json!({ "items": items, "next_cursor": "-1001234567890" })).expect("a page")
}

fn session(name: Option<&str>) -> OwnerlessSession {
    let session = json!({
        "id": "1f2e3d4c5b6a7988", "dc_id": 2, "user_id": 7_700_009, "username": null, "display_name": name,
        "origin": "account old: the account was removed",
    });
    serde_json::from_value(session).expect("a session")
}

#[test]
fn accounts_in_each_kind_of_state_and_sessions_of_no_one() {
    let found = api::Page {
        items: vec![
            in_trouble(),
            waiting(),
            account("backup_1", "ready", json!({})),
            account(
                "spare",
                "offline",
                json!({ "switch": "stopped", "lines": [], "username": null, "display_name": null, "phone": null }),
            ),
        ],
        next_cursor: Some("spare".to_owned()),
    };
    let ownerless = [session(Some("<b>Boris</b>")), session(None)];
    each(|visitor| {
        let query = Query::default();
        let list = List {
            visitor,
            words: AccountsWords::of(visitor.language),
            work: WorkWords::of(visitor.language),
            query: &query,
            found: &found,
            ownerless: &ownerless,
            numbers: (1, 4),
            wrong: None,
            may_arrange: true,
            may_operate: true,
        };
        drawn("list", visitor, &list);
        let read = List { may_arrange: false, may_operate: false, ..list };
        let text = read.render().expect("drawn");
        assert!(
            !text.contains("/login") && !text.contains("/accounts/add") && !text.contains("/drop"),
            "{text}"
        );
    });
}

#[test]
fn an_account_has_its_last_two_hours_and_how_to_have_it_back() {
    let mut card = crate::overview::tests::card("account:main");
    card.advice = Some(health::Advice::Account(domain::account::Reason::Banned));
    let account = account("main", "banned", json!({ "reason": "banned" }));
    each(|visitor| {
        let (overview, wall) = (OverviewWords::of(visitor.language), visitor.wall());
        let minutes = crate::overview::tests::strip(&card.id);
        let one = One {
            visitor,
            words: AccountsWords::of(visitor.language),
            work: WorkWords::of(visitor.language),
            overview,
            wall,
            account: &account,
            gaps: &api::Page::default(),
            card: Some((
                &card,
                crate::overview::Now { words: overview, wall, card: &card, minutes: &minutes },
            )),
            may_arrange: true,
            may_operate: true,
            may_export: true,
        };
        drawn("one_banned", visitor, &one);
    });
}

#[test]
fn no_accounts_teach_what_to_do() {
    let found = api::Page::default();
    each(|visitor| {
        let query = Query::default();
        let list = List {
            visitor,
            words: AccountsWords::of(visitor.language),
            work: WorkWords::of(visitor.language),
            query: &query,
            found: &found,
            ownerless: &[],
            numbers: (0, 0),
            wrong: None,
            may_arrange: true,
            may_operate: true,
        };
        drawn("list_empty", visitor, &list);
    });
}

#[test]
fn one_account_in_trouble_waiting_and_for_who_only_reads() {
    each(|visitor| {
        for (name, account, may) in [
            ("one_in_trouble", in_trouble(), true),
            ("one_waiting", waiting(), true),
            ("one_read", waiting(), false),
        ] {
            let one = One {
                visitor,
                words: AccountsWords::of(visitor.language),
                work: WorkWords::of(visitor.language),
                overview: OverviewWords::of(visitor.language),
                wall: visitor.wall(),
                account: &account,
                card: None,
                gaps: &gaps(),
                may_arrange: may,
                may_operate: may,
                may_export: may,
            };
            drawn(name, visitor, &one);
        }
    });
}

#[test]
fn forms_about_an_account() {
    each(|visitor| {
        let words = AccountFormWords::of(visitor.language);
        let (list, work) = (AccountsWords::of(visitor.language), WorkWords::of(visitor.language));
        let add = |wrong| Add {
            visitor,
            words,
            list,
            name: "<main>",
            api_id: "x",
            priority: "100",
            in_pool: true,
            per_hour: "30",
            per_day: "",
            wrong,
        };
        drawn("add", visitor, &add(Wrong::default()));
        let field = |field: &str, message: &str| WrongField { field: field.into(), message: message.into() };
        let fields = vec![
            field("name", "is wrong"),
            field("api_id", "is wrong"),
            field("api_hash", "is wrong"),
            field("phone", "is wrong"),
            field("proxy", "must be <socks5>"),
            field("priority", "is wrong"),
            field("keep_messages.never[0]", "is no id of a chat"),
        ];
        let why =
            Refused { code: "invalid_request".into(), fields, ..Refused::internal("6 fields are wrong") };
        drawn("add_wrong", visitor, &add(Wrong::of(words, &why)));
        let account = account("main", "ready", json!({ "proxy": true }));
        let wrong = Wrong::of(words, &why);
        let form = "priority=100&pool=yes&api_id=many&messages_per_hour=30&keep_rule=all&keep_never=<777>";
        let form = serde_urlencoded::from_str(form).expect("a form");
        let change = Change { visitor, words, list, work, account: &account, form: &form, wrong };
        drawn("change", visitor, &change);
        drawn("export", visitor, &Export { words, work, account: &account });
        drawn(
            "remove",
            visitor,
            &Question { visitor, words, work, account: &account, chats: (500, true), waiting: 1 },
        );
        let accounts = ["main".to_owned(), "backup_1".to_owned()];
        let session = session(Some("<b>Boris</b>"));
        let give = |accounts| GiveQuestion { visitor, words: list, work, session: &session, accounts };
        drawn("give", visitor, &give(&accounts));
        drawn("give_to_nobody", visitor, &give(&[]));
        drawn("drop", visitor, &DropQuestion { visitor, words: list, work, session: &session });
    });
}

#[test]
fn an_import_before_and_after_it_is_done() {
    let session = |file: &str, what: &str, detail: Option<&str>| {
        json!({ "file": file, "what": what, "detail": detail, "kind": "Telethon file, version 7", "user_id": 7, "username": null,
            "display_name": if what == "new" { Some("<b>Anna</b>") } else { None }, "phone": null, "account": "main",
            "purposes": ["send_text"], "peers": 1204 })
    };
    let report = json!({
        "dry_run": true, "sessions": [
            session("main.session", "new", None),
            session("<i>.session", "unasked", Some("<script>alert(1)</script>")),
            session("broken.session", "unreadable", Some("not a session")),
        ],
        "registries": [{ "file": "old.db", "chats_taken": 12, "chats_known": 3, "chats_kept": ["-1001: <main>"],
            "failed_requests_taken": 1, "failovers_taken": 2, "odd": [], "chats_kept_count": 1, "names_unknown": [],
            "failed_requests_known": 0, "failed_requests_settled": 0, "failed_requests_strange": 0, "failovers_left": 0,
            "operations_left": 0, "missing": [] }],
        "notes": ["notes.txt was not <looked> at"],
    });
    let report: ImportAnswer = serde_json::from_value(report).expect("a report");
    let accounts = ["main".to_owned()];
    each(|visitor| {
        let words = ImportWords::of(visitor.language);
        let (list, work) = (AccountsWords::of(visitor.language), WorkWords::of(visitor.language));
        let form = |wrong: Option<&str>, runs| Form {
            visitor,
            words,
            list,
            work,
            wrong: wrong.map(str::to_owned),
            runs,
        };
        drawn("import", visitor, &form(None, false));
        drawn("import_wrong", visitor, &form(Some("<script>"), true));
        let look = Look { visitor, words, list, id: "imp_1", report: &report, accounts: &accounts };
        drawn("import_look", visitor, &look);
        let nothing = ImportAnswer::default();
        drawn("import_nothing", visitor, &Look { report: &nothing, accounts: &[], ..look });
        drawn("import_over", visitor, &Over { words, list, ended: &Ok(report.clone()) });
        let why = Refused::internal("The account main did not take its session: <b>.");
        drawn("import_failed", visitor, &Over { words, list, ended: &Err(why) });
    });
}

#[test]
fn each_step_of_a_sign_in() {
    let states = [
        ("none", json!({ "state": "none" })),
        (
            "code",
            json!({ "state": "code_wanted", "sent_by": "app", "length": 5, "wrong": 0, "next_by": "sms",
            "resend_at": "2026-11-20T11:08:31Z" }),
        ),
        (
            "code_wrong",
            json!({ "state": "code_wanted", "sent_by": "sms_words", "wrong": 2, "next_by": "call",
            "resend_at": "2026-11-20T11:07:31Z" }),
        ),
        (
            "code_moved",
            json!({ "state": "code_wanted", "sent_by": "app", "length": 5, "wrong": 0, "moved": true }),
        ),
        ("password", json!({ "state": "password_wanted", "hint": "<b>dog</b>", "wrong": 1 })),
        ("terms", json!({ "state": "terms_wanted", "text": "Be <b>kind</b>.\nAlways.", "min_age": 16 })),
        (
            "qr",
            json!({ "state": "qr_shown", "url": "tg://login?token=made-up", "expires_at": "2026-11-20T11:08:01Z" }),
        ),
        (
            "done",
            json!({ "state": "done", "user": { "user_id": 7, "username": "demo_main", "display_name": null } }),
        ),
        (
            "failed",
            json!({ "state": "failed", "code": "flood_wait", "detail": "FLOOD_WAIT_<30>.",
            "until": "2026-11-20T11:08:01Z" }),
        ),
    ];
    each(|visitor| {
        for (name, state) in &states {
            let login: Login = serde_json::from_value(state.clone()).expect("a sign-in");
            let account = account("main", "needs_login", json!({ "wants_session": *name != "none" }));
            let picture = login.url.as_deref().and_then(|url| QrCode::of(url).ok());
            let wizard = Wizard {
                visitor,
                words: LoginWords::of(visitor.language),
                list: AccountsWords::of(visitor.language),
                wall: visitor.wall(),
                account: &account,
                login: &login,
                picture,
            };
            let text = wizard.render().expect("drawn");
            assert!(!text.contains("made-up"), "the token is in the picture alone: {text}");
            drawn(&format!("login_{name}"), visitor, &wizard);
        }
    });
}

#[test]
fn every_state_has_a_lamp() {
    for state in AccountState::ALL {
        let fine = matches!(state, AccountState::Ready);
        assert_eq!(tint(state).class() == "ok", fine, "{state:?}");
    }
}
