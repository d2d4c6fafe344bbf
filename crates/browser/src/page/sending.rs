//! What became of a message after the click.

use std::time::Duration;

use super::facts::{Chat, Facts, Message, Mid, PopupKind, Preview};
use super::state::{Page, page};
use super::text::same;

/// A message that was sent off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending<'a> {
    pub(crate) peer: i64,
    pub(crate) text: &'a str,
    /// It carries a file, and the text is its caption.
    pub(crate) media: bool,
    /// The own messages that were on the screen before.
    pub(crate) before: &'a [Mid],
    /// By when a bubble, or a reason for none, must be there.
    pub(crate) bubble_within: Duration,
    /// By when the server must have it.
    pub(crate) answer_within: Duration,
}

/// What held a message back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// A popup.
    Popup(PopupKind),
    /// Nothing that can be seen: slow mode says no more than that.
    Silently,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Waiting,
    /// The server has it.
    Sent {
        message_id: i64,
        at: Option<i64>,
    },
    /// The server refused it; why is not shown.
    Refused,
    /// It never left the field.
    Held(Held),
    /// It may have been sent: only a look can show it.
    Unknown,
}

/// Looks at the page so long after the click.
///
/// "Held" is said only while the text is still in the field of the chat and no bubble has it; whatever else is unclear
/// ends as unknown.
pub(crate) fn progress(sending: &Sending<'_>, facts: &Facts, elapsed: Duration) -> Progress {
    let over = |limit: Duration, progress| if elapsed >= limit { progress } else { Progress::Waiting };
    let here = facts.chat.as_ref().filter(|chat| chat.title_peer == Some(sending.peer));
    let (Some(chat), Page::LoggedIn) = (here, page(facts)) else {
        return over(sending.answer_within, Progress::Unknown);
    };
    let own = |message: &&Message| {
        message.peer == Some(sending.peer)
            && is_it(message, sending.text, sending.media)
            && !sending.before.contains(&message.mid)
    };
    match chat.own.iter().find(own) {
        Some(message) => match message.mid.server() {
            Some(message_id) => Progress::Sent { message_id, at: message.at },
            None if message.error => Progress::Refused,
            None => over(sending.answer_within, Progress::Unknown),
        },
        None if still_here(sending, chat, facts.preview.as_ref()) => match &facts.popup {
            Some(popup) if popup.kind != PopupKind::Media => Progress::Held(Held::Popup(popup.kind)),
            Some(_) | None => over(sending.bubble_within, Progress::Held(Held::Silently)),
        },
        None => over(sending.answer_within, Progress::Unknown),
    }
}

/// Whether what was to be sent is where it was written: nothing has left.
fn still_here(sending: &Sending<'_>, chat: &Chat, preview: Option<&Preview>) -> bool {
    let typed = if sending.media { preview.map(|preview| &preview.typed) } else { Some(&chat.typed) };
    typed.is_some_and(|typed| same(typed, sending.text))
}

/// Whether a message is the one that says this, or carries a file with this caption.
pub(crate) fn is_it(message: &Message, text: &str, media: bool) -> bool {
    message.media == media && same(&message.text, text)
}

/// An own message with this text that the server has had since then: the one proof after a restart.
pub(crate) fn found_again(
    facts: &Facts,
    peer: i64,
    (text, media): (&str, bool),
    since: i64,
) -> Option<(i64, Option<i64>)> {
    let chat = facts.chat.as_ref().filter(|chat| chat.title_peer == Some(peer))?;
    chat.own
        .iter()
        .filter(|message| message.peer == Some(peer) && message.at.is_some_and(|at| at >= since))
        .filter(|message| is_it(message, text, media))
        .find_map(|message| Some((message.mid.server()?, message.at)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::facts::Popup;
    use super::super::state::Card;
    use super::*;

    const PEER: i64 = 7;
    const TEXT: &str = "Hello\nthere 👋";

    fn message(mid: &str, text: &str) -> Message {
        Message {
            mid: Mid(mid.to_owned()),
            peer: Some(PEER),
            at: Some(100),
            text: text.to_owned(),
            media: false,
            error: false,
        }
    }

    fn facts(typed: &str, own: Vec<Message>) -> Facts {
        let chat = Chat {
            title_peer: Some(PEER),
            field_peer: Some(PEER),
            typed: typed.to_owned(),
            own,
            ..Chat::default()
        };
        Facts { chats_shown: true, columns_opaque: true, list: true, chat: Some(chat), ..Facts::default() }
    }

    fn look(facts: &Facts, seconds: u64) -> Progress {
        let before = [Mid("5".to_owned())];
        let sending = Sending {
            peer: PEER,
            text: TEXT,
            media: false,
            before: &before,
            bubble_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(90),
        };
        progress(&sending, facts, Duration::from_secs(seconds))
    }

    #[test]
    fn each_step_of_a_message_is_recognized_by_its_marks() {
        let old = || message("5", TEXT);
        let fresh = |mid: &str| facts("", vec![old(), message(mid, "Hello\nthere 👋\u{a0}")]);
        let refused = facts("", vec![old(), Message { error: true, ..message("5.0001", TEXT) }]);
        let popup = Popup { kind: PopupKind::Confirmation, ..Popup::default() };
        let confirmation = Facts { popup: Some(popup), ..facts(TEXT, vec![old()]) };
        let logged_out = Facts { chats_shown: false, card: Some(Card::Code), ..fresh("5.0001") };
        let elsewhere = Facts { chat: None, ..facts("", Vec::new()) };
        for (facts, seconds, expected) in [
            (facts(TEXT, vec![old()]), 0, Progress::Waiting),
            (facts(TEXT, vec![old()]), 5, Progress::Held(Held::Silently)),
            (confirmation, 0, Progress::Held(Held::Popup(PopupKind::Confirmation))),
            (facts("", vec![old()]), 89, Progress::Waiting),
            (facts("", vec![old()]), 90, Progress::Unknown),
            (fresh("5.0001"), 89, Progress::Waiting),
            (fresh("5.0001"), 90, Progress::Unknown),
            (fresh("6"), 0, Progress::Sent { message_id: 6, at: Some(100) }),
            (fresh("4294967302"), 0, Progress::Sent { message_id: 6, at: Some(100) }),
            (refused, 0, Progress::Refused),
            (logged_out.clone(), 89, Progress::Waiting),
            (logged_out, 90, Progress::Unknown),
            (elsewhere, 90, Progress::Unknown),
        ] {
            assert_eq!(look(&facts, seconds), expected, "{facts:?} after {seconds} s");
        }
    }

    #[test]
    fn a_message_is_found_again_by_text_and_time() {
        let facts = facts("", vec![message("5", TEXT), message("5.0001", TEXT), message("9", "other")]);
        let found = |peer, text, media, since| found_again(&facts, peer, (text, media), since);
        assert_eq!(found(PEER, TEXT, false, 100), Some((5, Some(100))));
        assert_eq!(found(PEER, TEXT, false, 101), None);
        assert_eq!(found(PEER, TEXT, true, 100), None);
        assert_eq!(found(8, TEXT, false, 0), None);
        assert_eq!(found(PEER, "more", false, 0), None);
    }

    #[test]
    fn a_file_is_held_while_its_popup_stays() {
        let popup = |kind| Some(Popup { kind, ..Popup::default() });
        let preview = Some(Preview { items: 1, typed: TEXT.to_owned(), sends: true });
        let shown = Facts { popup: popup(PopupKind::Media), preview, ..facts("", vec![message("5", TEXT)]) };
        let confirmation = Facts { popup: popup(PopupKind::Confirmation), ..shown.clone() };
        let sent = facts("", vec![Message { media: true, ..message("6", TEXT) }]);
        let a_text = facts("", vec![message("6", TEXT)]);
        let look = |facts: &Facts, seconds| {
            let (bubble_within, answer_within) = (Duration::from_secs(5), Duration::from_secs(90));
            let sending =
                Sending { peer: PEER, text: TEXT, media: true, before: &[], bubble_within, answer_within };
            progress(&sending, facts, Duration::from_secs(seconds))
        };
        assert_eq!(look(&shown, 4), Progress::Waiting);
        assert_eq!(look(&shown, 5), Progress::Held(Held::Silently));
        assert_eq!(look(&confirmation, 0), Progress::Held(Held::Popup(PopupKind::Confirmation)));
        assert_eq!(look(&sent, 0), Progress::Sent { message_id: 6, at: Some(100) });
        assert_eq!(look(&a_text, 90), Progress::Unknown);
    }

    fn any_message() -> impl Strategy<Value = Message> {
        let mid = prop_oneof![Just("5"), Just("5.0001"), Just("6"), Just("4294967302"), Just("6.0002")];
        let text = prop_oneof![Just(TEXT), Just("other"), Just("")];
        (mid, text, prop_oneof![Just(PEER), Just(8)], any::<bool>())
            .prop_map(|(mid, text, peer, error)| Message { peer: Some(peer), error, ..message(mid, text) })
    }

    fn any_facts() -> impl Strategy<Value = Facts> {
        let typed = prop_oneof![Just(TEXT), Just(""), Just("half")];
        (typed, proptest::collection::vec(any_message(), 0..5), any::<[bool; 5]>()).prop_map(
            |(typed, own, [shown, popup, logged_out, chat, deactivated])| {
                let mut facts = facts(typed, own);
                facts.chats_shown = shown;
                facts.popup = popup.then(Popup::default);
                facts.card = logged_out.then_some(Card::Code);
                facts.deactivated = deactivated;
                facts.chat = facts.chat.filter(|_| chat);
                facts
            },
        )
    }

    proptest! {
        #[test]
        fn sent_has_a_new_id_and_held_a_text_that_never_left(facts in any_facts(), seconds in 0_u64..100) {
            let fresh = |message: &&Message| message.peer == Some(PEER) && message.text == TEXT && message.mid.0 != "5";
            let chat = facts.chat.as_ref();
            let bubbles: Vec<_> = chat.iter().flat_map(|chat| &chat.own).filter(fresh).collect();
            match look(&facts, seconds) {
                Progress::Sent { message_id, .. } => {
                    prop_assert!(bubbles.iter().any(|bubble| bubble.mid.server() == Some(message_id)));
                }
                Progress::Refused => prop_assert!(bubbles.iter().any(|bubble| bubble.error && bubble.mid.server().is_none())),
                Progress::Held(_) => {
                    prop_assert!(bubbles.is_empty());
                    prop_assert_eq!(chat.map(|chat| chat.typed.as_str()), Some(TEXT));
                }
                Progress::Unknown => prop_assert!(seconds >= 90),
                Progress::Waiting => prop_assert!(seconds < 90),
            }
        }

        #[test]
        fn an_end_stays_the_end_on_the_same_page(facts in any_facts(), early in 0_u64..100, later in 0_u64..100) {
            let (early, later) = (early.min(later), early.max(later));
            let first = look(&facts, early);
            if first != Progress::Waiting {
                prop_assert_eq!(look(&facts, later), first);
            }
        }
    }
}
