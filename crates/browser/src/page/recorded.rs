//! What is decided on the pretend page in each of its states, as `tests/python/record.py` recorded what the script reads there.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;

use super::restriction::restriction;
use super::{
    Card, Facts, Held, Message, Mid, Opening, Page, Popup, PopupKind, Progress, Restriction, Row, Sending,
    Unread, found_again, is_open, named, page, progress, ready,
};

const RECORDED: &str = include_str!("recorded.json");

/// What was written into each of the pages.
const TEXT: &str = "Hello";

fn recorded() -> BTreeMap<String, Facts> {
    serde_json::from_str(RECORDED).expect("facts")
}

fn peer(facts: &Facts) -> i64 {
    facts.chat.as_ref().and_then(|chat| chat.title_peer).unwrap_or_default()
}

/// What is said of the text, or of a file with this caption, so long after the click.
fn after(facts: &Facts, media: bool, seconds: u64) -> Progress {
    let (bubble_within, answer_within) = (Duration::from_secs(5), Duration::from_secs(90));
    let sending = Sending { peer: peer(facts), text: TEXT, media, before: &[], bubble_within, answer_within };
    progress(&sending, facts, Duration::from_secs(seconds))
}

/// All that is decided on a page.
#[derive(Debug, PartialEq)]
struct Decided {
    page: Page,
    restriction: Option<Restriction>,
    ready: bool,
    open: Option<i64>,
    progress: [Progress; 2],
    found: [Option<(i64, Option<i64>)>; 2],
}

fn decided(facts: &Facts, seconds: u64) -> Decided {
    let peer = peer(facts);
    Decided {
        page: page(facts),
        restriction: facts.chat.as_ref().and_then(restriction),
        ready: ready(facts.clone(), peer).is_ok(),
        open: is_open(Opening::Peer(peer), facts),
        progress: [false, true].map(|media| after(facts, media, seconds)),
        found: [false, true].map(|media| found_again(facts, peer, (TEXT, media), 0)),
    }
}

#[test]
fn the_record_has_each_fact_that_is_read() {
    let read: Value = serde_json::from_str(RECORDED).unwrap();
    assert_eq!(serde_json::to_value(recorded()).unwrap(), read);
}

#[test]
fn each_recorded_page_is_what_it_shows() {
    let restricted = |restriction| (Page::LoggedIn, Some(restriction), false);
    let open = |ready| (Page::LoggedIn, None, ready);
    let shown = |page| (page, None, false);
    let expected = [
        ("answered", open(true)),
        ("asked", open(false)),
        ("blocked by us", restricted(Restriction::BlockedByUs)),
        ("deactivated", shown(Page::Deactivated)),
        ("file", open(false)),
        ("file sent", open(true)),
        ("forbidden, client_9", restricted(Restriction::NoTexts)),
        ("forbidden, guest_3", restricted(Restriction::Restricted)),
        ("frozen, client_9", restricted(Restriction::Frozen)),
        ("frozen, guest_3", restricted(Restriction::Frozen)),
        ("list", open(false)),
        ("locked", shown(Page::Locked)),
        ("logged out", shown(Page::LoggedOut(Card::Code))),
        ("logged out later", shown(Page::LoggedOut(Card::Code))),
        ("must join", restricted(Restriction::MustJoin)),
        ("must start", restricted(Restriction::MustStart)),
        ("paid, client_9", restricted(Restriction::Paid)),
        ("paid, guest_3", restricted(Restriction::Paid)),
        ("premium, client_9", restricted(Restriction::Premium)),
        ("premium, guest_3", restricted(Restriction::Premium)),
        ("read only", restricted(Restriction::ReadOnly)),
        ("refused", open(true)),
        ("search", open(false)),
        ("sending", open(true)),
        ("sent, then a notice", open(false)),
        ("slow mode", open(true)),
        ("unknown name", open(false)),
        ("white", shown(Page::Blank)),
        ("writable", open(true)),
    ];
    let found: Vec<_> = recorded()
        .into_iter()
        .map(|(name, facts)| {
            let Decided { page, restriction, ready, .. } = decided(&facts, 0);
            (name, (page, restriction, ready))
        })
        .collect();
    let expected: Vec<_> = expected.into_iter().map(|(name, shown)| (name.to_owned(), shown)).collect();
    assert_eq!(found, expected);
}

#[test]
fn each_recorded_message_ends_as_it_shows() {
    let recorded = recorded();
    for (name, media, expected) in [
        ("writable", false, Progress::Unknown),
        ("asked", false, Progress::Held(Held::Popup(PopupKind::Confirmation))),
        ("slow mode", false, Progress::Held(Held::Silently)),
        ("sending", false, Progress::Unknown),
        ("refused", false, Progress::Refused),
        ("file", true, Progress::Held(Held::Silently)),
        ("file sent", false, Progress::Unknown),
        ("logged out later", true, Progress::Unknown),
    ] {
        assert_eq!(after(&recorded[name], media, 90), expected, "{name}");
    }
    for (name, media) in [("sent, then a notice", false), ("file sent", true), ("answered", true)] {
        let facts = &recorded[name];
        let last = facts.chat.as_ref().unwrap().own.last().unwrap();
        let (message_id, at) = (last.mid.server().unwrap(), last.at);
        assert_eq!(after(facts, media, 0), Progress::Sent { message_id, at }, "{name}");
    }
}

#[test]
fn an_advert_and_the_old_chat_are_not_who_was_named() {
    let recorded = recorded();
    let rows = &recorded["search"].rows;
    assert!(rows[0].sponsored && rows[0].subtitle == "@guest_12");
    assert_eq!(named(rows, "guest_12").map(|row| row.peer), Some(6_200_000_012));
    let name = "no_such_name";
    assert_eq!(is_open(Opening::Name { name, before: None }, &recorded["unknown name"]), None);
}

fn any_page() -> impl Strategy<Value = Facts> {
    prop::sample::select(recorded().into_values().collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn irrelevant_facts_change_no_decision(
        facts in any_page(),
        (nodes, toast, below) in any::<(u32, bool, bool)>(),
        user_id in any::<Option<i64>>(),
        words in ".{0,20}",
        seconds in 0_u64..200,
    ) {
        let mut noisy = Facts { nodes, toast, user_id, address: words.clone(), ..facts.clone() };
        noisy.rows.push(Row { peer: 1, subtitle: words.clone(), sponsored: below, shown: toast });
        noisy.unread.push(Unread { peer: 1, mark: words.clone() });
        if let Some(popup) = &mut noisy.popup {
            (popup.title, popup.words) = (words.clone(), words);
        }
        if let Some(chat) = &mut noisy.chat {
            chat.below = below;
            // What others write is nothing that was sent, whatever it says.
            let theirs = Message { mid: Mid("900".to_owned()), peer: chat.title_peer, at: Some(i64::MAX), ..Message::default() };
            chat.incoming.push(Message { text: TEXT.to_owned(), ..theirs });
        }
        prop_assert_eq!(decided(&noisy, seconds), decided(&facts, seconds));
    }

    #[test]
    fn a_message_without_a_whole_id_is_not_sent(
        facts in any_page(),
        mid in "[0-9]{0,12}\\.[0-9]{1,6}|-[0-9]{1,6}|[a-z]{0,3}",
        error in any::<bool>(),
        seconds in 0_u64..200,
    ) {
        let mut facts = facts;
        let (peer, own) = (peer(&facts), facts.chat.iter_mut().flat_map(|chat| &mut chat.own));
        for message in own {
            *message = Message { mid: Mid(mid.clone()), peer: Some(peer), text: TEXT.to_owned(), error, ..message.clone() };
        }
        let Decided { progress, found, .. } = decided(&facts, seconds);
        prop_assert!(!progress.iter().any(|progress| matches!(progress, Progress::Sent { .. })), "{progress:?}");
        prop_assert_eq!(found, [None, None]);
    }

    #[test]
    fn no_page_with_a_mark_against_it_is_ready(facts in any_page(), mark in 0..11_u8, other in any::<i64>()) {
        let mut facts = facts;
        let requested = peer(&facts);
        match (mark, &mut facts.chat) {
            (0, _) => facts.locked = true,
            (1, _) => facts.deactivated = true,
            (2, _) => facts.chats_shown = false,
            (3, _) => facts.columns_opaque = false,
            (4, _) => facts.popup = Some(Popup::default()),
            (_, None) => {}
            (5, Some(chat)) => chat.plate = true,
            (6, Some(chat)) => chat.editable = false,
            (7, Some(chat)) => chat.input_hidden = true,
            (8, Some(chat)) => chat.stars = true,
            (9, Some(chat)) => chat.empty_restricted = true,
            (_, Some(chat)) => {
                prop_assume!(other != requested);
                chat.title_peer = Some(other);
            }
        }
        prop_assert!(ready(facts, requested).is_err());
    }
}
