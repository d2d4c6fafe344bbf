//! The pages of settings drawn in both languages.

use std::collections::BTreeMap;
use std::time::Duration;

use access::{Role, SessionView};
use api::{
    AlertTarget, ApiKey, AuditActor, AuditEntry, Backup, BackupCopies, BackupCopy, BackupCopyFailing,
    BackupDrill, BackupDrills, MaintenanceWindow, User, UserSession,
};
use askama::Template;
use domain::Timestamp;

use super::Tabs;
use super::alerts::Alerts;
use super::audit::{Audit, AuditFilter};
use super::backups::Backups;
use super::keys::KeysPage;
use super::maintenance::{Maintenance, RemoveQuestion};
use super::me::Me;
use super::people::{People, Person};
use super::second_factor::{CodesPage, Offer};
use crate::page::QrCode;
use crate::view::{BackupState, DrillOf, Language, Tab, Theme, Zone};
use crate::visitor::{Csrf, NavCountsSource, Visitor};
use crate::words::{
    AlertsWords, AuditWords, KeysWords, MaintenanceWords, MeWords, OverviewWords, PeopleWords,
};

const LANGUAGES: [Language; 2] = [Language::English, Language::Russian];

fn now() -> Timestamp {
    "2026-11-20T11:07:31Z".parse().expect("a time")
}

fn ago(hours: u64) -> Timestamp {
    now().minus(Duration::from_hours(hours))
}

/// An admin who looks at a page at noon.
pub(crate) fn visitor(language: Language) -> Visitor {
    Visitor {
        user: Some("anna".parse().expect("a name")),
        session: None,
        role: Role::Admin,
        language,
        theme: Theme::Dark,
        zone: Zone::from_word("180").expect("a zone"),
        csrf: Csrf::new("made-up-token"),
        address: None,
        now: now(),
        tallied: NavCountsSource::default(),
        flash: None,
        here: "/settings/me".to_owned(),
    }
}

fn drawn(name: &str, language: Language, page: &impl Template) {
    insta::assert_snapshot!(format!("{name}_{}", language.code()), page.render().expect("drawn"));
}

fn sessions() -> [SessionView; 2] {
    let session = |id: &str, browser: Option<&str>, hours| SessionView {
        id: id.parse().expect("an id"),
        created_at: ago(hours + 20),
        seen_at: ago(hours),
        address: Some("192.0.2.7".parse().expect("an address")),
        browser: browser.map(str::to_owned),
    };
    [
        session("ses_00000000000000000000000001", Some("Demo/1 <script>"), 0),
        session("ses_00000000000000000000000002", None, 30),
    ]
}

#[test]
fn oneself_with_and_without_a_second_factor() {
    for language in LANGUAGES {
        let visitor = visitor(language);
        let sessions = sessions();
        for (name, second_factor) in [("me", false), ("me_with_factor", true)] {
            let page = Me {
                visitor: &visitor,
                words: MeWords::of(language),
                wall: visitor.wall(),
                tabs: Tabs::new(&visitor, Tab::Me),
                name: "anna",
                second_factor,
                recovery_codes: 3,
                sessions: &sessions,
                own: Some(sessions[0].id),
            };
            drawn(name, language, &page);
        }
    }
}

#[test]
fn the_second_factor_with_its_picture_and_its_codes() {
    for language in LANGUAGES {
        let visitor = visitor(language);
        let words = MeWords::of(language);
        let tabs = || Tabs::new(&visitor, Tab::Me);
        let secret = "GEZD GNBV GY3T QOJQ".to_owned();
        let picture = Some(QrCode::of("demo").expect("a picture"));
        drawn("second_factor", language, &Offer { visitor: &visitor, words, tabs: tabs(), picture, secret });
        let codes = vec!["abcd-efgh-ijkm-npqr", "stuv-wxyz-2345-6789"];
        drawn("recovery_codes", language, &CodesPage { words, tabs: tabs(), codes });
    }
}

#[test]
fn people_and_one_of_them() {
    for language in LANGUAGES {
        let visitor = visitor(language);
        let words = PeopleWords::of(language);
        let user = |name: &str, role, signed_in: Option<u64>| User {
            name: name.parse().expect("a name"),
            role,
            second_factor: role == Role::Admin,
            recovery_codes: 0,
            created_at: ago(2000),
            password_at: ago(2000),
            signed_in_at: signed_in.map(ago),
        };
        let users = [user("anna", Role::Admin, Some(1)), user("борис@example.com", Role::Viewer, None)];
        let (wall, tabs) = (visitor.wall(), || Tabs::new(&visitor, Tab::People));
        drawn("people", language, &People { visitor: &visitor, words, wall, tabs: tabs(), users: &users });
        let session = UserSession {
            id: "ses_00000000000000000000000001".parse().expect("an id"),
            created_at: ago(23),
            seen_at: ago(3),
            address: Some("2001:db8::7".to_owned()),
            browser: Some("Demo/1".to_owned()),
        };
        let sessions = [session];
        let person =
            Person { visitor: &visitor, words, wall, tabs: tabs(), user: &users[0], sessions: &sessions };
        drawn("person", language, &person);
    }
}

#[test]
fn keys_that_work_and_that_do_not() {
    for language in LANGUAGES {
        let visitor = visitor(language);
        let key = |number: u8, revoked: bool| ApiKey {
            id: format!("key_0000000000000000000000000{number}").parse().expect("an id"),
            name: "n8n & co".to_owned(),
            scopes: ["send", "read"].into_iter().filter_map(api::Scope::from_word).collect(),
            created_at: ago(100),
            revoked_at: revoked.then(|| ago(2)),
            repeats: (!revoked).then(|| "10m".to_owned()),
            accounts: (!revoked).then(|| "main".parse().expect("a name")).into_iter().collect(),
            chats: (!revoked).then(|| "-1001234567890".parse().expect("a chat")).into_iter().collect(),
            channels: Vec::new(),
            expires_at: (!revoked).then(|| now().plus(Duration::from_hours(30))),
            rate: (!revoked).then(|| "10/s".to_owned()),
            burst: std::num::NonZeroU32::new(20).filter(|_| !revoked),
            last_used_at: (!revoked).then(|| ago(1)),
            last_used_from: "192.0.2.7".parse().ok().filter(|_| !revoked),
        };
        let keys = [key(1, false), key(2, true)];
        let tabs = Tabs::new(&visitor, Tab::Keys);
        let words = KeysWords::of(language);
        drawn(
            "keys",
            language,
            &KeysPage { visitor: &visitor, words, wall: visitor.wall(), tabs, keys: &keys },
        );
    }
}

#[test]
fn the_audit_log_with_each_kind_of_someone() {
    for language in LANGUAGES {
        let visitor = visitor(language);
        let entry = |kind: &str, name: Option<&str>, result: &str, code: Option<&str>, times| AuditEntry {
            number: 1,
            last_at: ago(5),
            at: ago(5),
            who: AuditActor {
                kind: kind.to_owned(),
                name: name.map(str::to_owned),
                key_name: (kind == "api_key").then(|| "n8n".to_owned()),
            },
            action: "act_on_service".to_owned(),
            subject: Some("send_text".to_owned()),
            details: BTreeMap::from([("action".to_owned(), "stop".to_owned())]),
            address: Some("192.0.2.7".to_owned()),
            result: result.to_owned(),
            code: code.map(str::to_owned),
            times,
        };
        let entries = [
            entry("user", Some("anna"), "done", None, 1),
            entry("api_key", Some("key_00000000000000000000000001"), "refused", Some("forbidden_scope"), 1),
            entry("nobody", None, "refused", Some("wrong_password"), 1412),
            entry("machine", None, "failed", Some("internal"), 1),
            entry("program", None, "unknown", None, 1),
        ];
        let filter = AuditFilter {
            who: "\"anna\"".to_owned(),
            result: "refused".to_owned(),
            ..AuditFilter::default()
        };
        let page = Audit {
            words: AuditWords::of(language),
            wall: visitor.wall(),
            tabs: Tabs::new(&visitor, Tab::Audit),
            filter: &filter,
            entries: &entries,
            older: Some("/settings/audit?cursor=7".to_owned()),
        };
        drawn("audit", language, &page);
        drawn(
            "audit_empty",
            language,
            &Audit { entries: &[], older: None, tabs: Tabs::new(&visitor, Tab::Audit), ..page },
        );
    }
}

#[test]
fn targets_in_each_state() {
    for language in LANGUAGES {
        let visitor = visitor(language);
        let target = |name: &str, kind: &str, source: &str| AlertTarget {
            name: name.to_owned(),
            kind: serde_json::from_value(kind.into()).expect("a kind"),
            signed: false,
            created_at: None,
            created_by: None,
            place: "https://example.com".to_owned(),
            source: source.to_owned(),
            waiting: 0,
            waiting_since: None,
            notified_at: None,
            failed_at: None,
            last_error: None,
            off_at: None,
        };
        let targets = [
            AlertTarget { notified_at: Some(ago(1)), ..target("owner", "telegram", "settings") },
            AlertTarget {
                waiting: 3,
                failed_at: Some(ago(2)),
                last_error: Some("503 <busy>".to_owned()),
                ..target("hook", "webhook", "store")
            },
            AlertTarget { off_at: Some(ago(9)), ..target("gone", "webhook", "store") },
            AlertTarget {
                waiting: 2,
                waiting_since: Some(ago(5)),
                notified_at: Some(ago(6)),
                ..target("chat", "telegram", "store")
            },
            target("mail", "email", "store"),
        ];
        let words = AlertsWords::of(language);
        let page = |targets| {
            let tabs = Tabs::new(&visitor, Tab::Alerts);
            Alerts { visitor: &visitor, words, wall: visitor.wall(), tabs, targets }
        };
        drawn("alerts", language, &page(&targets));
        drawn("alerts_none", language, &page(&[]));
    }
}

#[test]
fn windows_for_once_and_for_every_week() {
    for language in LANGUAGES {
        let visitor = visitor(language);
        let window = MaintenanceWindow {
            id: "maint_00000000000000000000000001".parse().expect("an id"),
            created_at: ago(2),
            note: "backup".to_owned(),
            scope: "all".to_owned(),
            from: Some(ago(1)),
            until: Some(now()),
            days: None,
            start: None,
            minutes: None,
            utc_offset: None,
            now_until: Some(now()),
            created_by: "anna".to_owned(),
        };
        let weekly = MaintenanceWindow {
            from: None,
            until: None,
            days: Some(vec!["sat".to_owned(), "sun".to_owned()]),
            start: Some("02:00".to_owned()),
            minutes: Some(121),
            utc_offset: Some("+03:00".to_owned()),
            now_until: None,
            ..window.clone()
        };
        let tabs = Tabs::new(&visitor, Tab::Maintenance);
        let words = MaintenanceWords::of(language);
        let windows = [window, weekly];
        let cards = ["account:main", "account:backup_1", "store"].map(crate::overview::tests::card);
        let overview = OverviewWords::of(language);
        let wall = visitor.wall();
        let page =
            Maintenance { visitor: &visitor, words, overview, wall, tabs, windows: &windows, cards: &cards };
        drawn("maintenance", language, &page);
        let question = |window| RemoveQuestion { visitor: &visitor, words, window };
        drawn("remove_window", language, &question(&windows[0]));
        drawn("remove_weekly_window", language, &question(&windows[1]));
    }
}

#[test]
fn backups_in_each_state() {
    let backup = |hours: u64, state: BackupState, wrong: Option<&str>| Backup {
        name: format!("switchboard-20261120T{hours:02}0731.000Z.tar.gz"),
        made_at: ago(hours),
        state,
        bytes: (!matches!(state, BackupState::Making | BackupState::Failed)).then_some(1_540_000 * hours),
        proven_at: (state == BackupState::Proven).then(|| ago(hours - 1)),
        wrong: wrong.map(str::to_owned),
    };
    let list = |items| api::Backups {
        items,
        folder: "/srv/two words/backups".to_owned(),
        every_seconds: 86_400,
        keep: 7,
        keep_for_seconds: 0,
        next_at: Some(now().plus(Duration::from_hours(20))),
        copies: None,
        drills: BackupDrills { every_seconds: 604_800, next_at: None, last: None, running: false },
    };
    let name = "switchboard-20261120T040731.000Z.tar.gz".to_owned();
    let copies = |failing| BackupCopies {
        to: "s3://demo-backups/switchboard".to_owned(),
        encrypted: true,
        count: 3,
        keep: 30,
        keep_for_seconds: 0,
        last: Some(BackupCopy { name: name.clone(), at: ago(3), bytes: 6_160_000, sha256: "ab".repeat(32) }),
        failing,
    };
    let drills = |wrong: Option<&str>| BackupDrills {
        every_seconds: 604_800,
        running: false,
        next_at: Some(now().plus(Duration::from_hours(90))),
        last: Some(BackupDrill {
            at: ago(2),
            name: name.clone(),
            of: DrillOf::EncryptedCopy,
            rows: wrong.is_none().then_some(5099),
            wrong: wrong.map(str::to_owned),
        }),
    };
    let away = BackupCopyFailing {
        since: Some(ago(2)),
        attempts: 3,
        why: "the bucket is <away>".to_owned(),
        next_at: Some(now()),
    };
    let lists = [
        (
            "backups",
            list(vec![backup(4, BackupState::Proven, None), backup(28, BackupState::Unproven, None)]),
        ),
        (
            "backups_moving",
            list(vec![
                backup(0, BackupState::Making, None),
                backup(1, BackupState::Broken, Some("<not> whole")),
            ]),
        ),
        (
            "backups_failing",
            list(vec![
                backup(1, BackupState::Failed, Some("the disk is <full>")),
                backup(2, BackupState::Unproven, None),
                backup(3, BackupState::Broken, Some("torn")),
            ]),
        ),
        (
            "backups_copied",
            api::Backups {
                copies: Some(copies(None)),
                drills: drills(None),
                ..list(vec![backup(4, BackupState::Proven, None)])
            },
        ),
        (
            "backups_uncopied",
            api::Backups {
                copies: Some(copies(Some(away))),
                drills: drills(Some("it is not <whole>")),
                ..list(vec![backup(4, BackupState::Proven, None)])
            },
        ),
        ("backups_none", api::Backups { every_seconds: 0, next_at: None, ..list(Vec::new()) }),
    ];
    for language in LANGUAGES {
        for (name, list) in &lists {
            drawn(name, language, &Backups::new(&visitor(language), list));
        }
        // Who may not press finds nothing to press.
        let viewer = Visitor { role: Role::Operator, ..visitor(language) };
        let page = Backups::new(&viewer, &lists[0].1).render().expect("drawn");
        assert!(!page.contains("<form") && !page.contains("/content"), "{page}");
    }
}
