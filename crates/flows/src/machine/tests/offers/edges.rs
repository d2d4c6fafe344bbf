//! Offers and answers in forms that bots seldom use.

use super::*;

const NEXT: &str = "New trip today 09:10 from Klin";

fn button(data: &str) -> Button {
    Button { label: "Book".to_owned(), deed: ButtonDeed::Callback(data.into()) }
}

/// A keyboard with a button `Book` for each data, a row each.
fn rows(all: &[&str]) -> Keyboard {
    Keyboard { rows: all.iter().map(|data| vec![button(data)]).collect() }
}

impl Stage {
    fn offers(&mut self, message: i32, text: &str, data: &[&str]) {
        let sighting = self.sighting(message, text, Some(rows(data)));
        self.hear(Input::Sighted(&sighting));
    }

    fn replies(&mut self, message: i32, to: i32, text: &str) {
        let sighting = Sighting { reply_to: Some(id(to)), ..self.sighting(message, text, None) };
        self.hear(Input::Sighted(&sighting));
    }
}

#[test]
fn a_message_that_is_a_bots_no_longer_leaves_no_open_row() {
    let mut stage = Stage::new(&limited("at_once = 1"));
    stage.writes(1, 200, true, OFFER, &["Book"]);
    stage.writes(2, 200, true, NEXT, &["Book"]);
    stage.writes(2, 200, false, NEXT, &[]);
    assert_eq!(stage.ends(), [(2, FlowRunState::Skipped, Some("busy"))]);
}

#[test]
fn offers_that_wait_when_the_chat_becomes_another_are_missed() {
    let mut stage = Stage::new(&limited("at_once = 1"));
    stage.shows(1, OFFER, &["Book"]);
    stage.shows(2, NEXT, &["Book"]);
    let actions = stage.machine.forget(stage.now);
    stage.done.extend(actions);
    let ends = stage.ends();
    assert!(ends.contains(&(2, FlowRunState::Skipped, Some("busy"))), "{ends:?}");
}

#[test]
fn another_text_with_another_button_is_another_offer_though_nothing_is_captured() {
    let text = limited("at_once = 2")
        .replace("{ regex = \"New trip .* (?P<from>\\\\w+)\" }", "{ text = \"New trip\" }");
    let mut stage = Stage::new(&text);
    stage.offers(1, OFFER, &["a"]);
    assert_eq!(stage.pressed(), pair(1, "a"));
    // One of both alone is the same offer.
    stage.offers(1, "New trip tomorrow 07:40 from Tver, 2 seats", &["a"]);
    stage.offers(1, OFFER, &["b"]);
    assert!(stage.machine.waiting.is_empty());
    stage.offers(1, NEXT, &["b"]);
    assert_eq!((stage.pressed(), stage.machine.waiting.len()), (Vec::new(), 1));
    stage.replies(2, 1, "It is booked");
    assert_eq!(stage.pressed(), pair(1, "b"));
}

#[test]
fn an_offer_that_another_replaces_before_the_press_has_its_row() {
    let mut stage = Stage::new(ONE);
    stage.shows(1, OFFER, &["Details"]);
    stage.shows(1, NEXT, &["Book"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    assert_eq!(stage.ends(), [(1, FlowRunState::Failed, Some("no_button"))]);
    // The same while Telegram lets the account press nothing.
    let mut stage = Stage::new(ONE);
    stage.shows(1, OFFER, &["Book"]);
    stage.answer(1, PressAnswer::Flood(Duration::from_secs(3)));
    stage.shows(1, NEXT, &["Book"]);
    assert_eq!(stage.ends(), [(1, FlowRunState::Failed, Some("flood_wait"))]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    stage.pass(Duration::from_secs(3));
    assert_eq!(stage.pressed(), pair(1, "Book"));
}

#[test]
fn a_flood_wait_holds_though_its_run_has_ended() {
    let mut stage = Stage::new(ONE);
    stage.shows(1, OFFER, &["Book"]);
    stage.machine.stop("by_hand", stage.now);
    stage.machine.start();
    stage.answer(1, PressAnswer::Flood(Duration::from_secs(3)));
    stage.shows(2, NEXT, &["Book"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    stage.pass(Duration::from_secs(3));
    assert_eq!(stage.pressed(), pair(2, "Book"));
}

#[test]
fn an_answer_that_comes_before_the_text_is_accepted_begins_no_run() {
    let sends = ONE.replace("press = { text = \"Book\" }", "send = \"/book\"");
    let mut stage =
        Stage::new(&sends.replace("{ regex = \"New trip .* (?P<from>\\\\w+)\" }", "{ text = \"trip\" }"));
    stage.shows(1, "A trip", &[]);
    stage.shows(2, "The trip is booked", &[]);
    stage.hear(Input::Sent { number: 1, refusal: None });
    stage.pass(Duration::from_secs(2));
    assert_eq!(stage.ends(), [(1, FlowRunState::Done, None)]);
    assert!(!stage.machine.is_running());
}

#[test]
fn a_bot_that_says_no_in_a_message_is_heard() {
    for how in ["edit", "reply", "message", "answer"] {
        let mut stage = Stage::new(ONE);
        stage.offers(1, OFFER, &["a", "b"]);
        assert_eq!(stage.pressed(), pair(1, "a"));
        if how != "answer" {
            stage.answered(1);
        }
        match how {
            "edit" => stage.offers(1, "Мест нет", &["a", "b"]),
            "reply" => stage.replies(2, 1, "Занято"),
            "message" => stage.shows(2, "Занято", &[]),
            _ => stage.answer(1, said("занято")),
        }
        assert_eq!(stage.pressed(), pair(1, "b"), "{how}");
        stage.replies(3, 1, "It is booked");
        stage.answered(2);
        assert_eq!(stage.ends(), [(1, FlowRunState::Done, None)], "{how}");
    }
    // Of two runs it is not known which one is meant.
    let mut stage = Stage::new(ONE);
    stage.offers(1, OFFER, &["a", "b"]);
    stage.offers(2, NEXT, &["a", "b"]);
    stage.shows(3, "Занято", &[]);
    assert_eq!(stage.pressed(), [pair(1, "a"), pair(2, "a")].concat());
}

#[test]
fn an_edit_for_all_readers_refuses_no_last_press() {
    let mut stage = Stage::new(&ONE.replace(", expect = { text = \"booked\", within = \"20s\" }", ""));
    stage.writes(1, 200, true, OFFER, &["Book"]);
    let sender = Sender { id: ChatId::user(200).expect("an id"), is_in_group: true, is_bot: true };
    let chat_id = ChatId::group(9).expect("an id");
    let taken = Sighting { chat_id, sender, ..stage.sighting(1, "Мест больше нет", None) };
    stage.hear(Input::Sighted(&taken));
    stage.answered(1);
    assert_eq!(stage.ends(), [(1, FlowRunState::Done, None)]);
}

#[test]
fn a_run_whose_bot_said_no_keeps_no_place() {
    let mut stage = Stage::new(&limited("at_once = 1"));
    stage.shows(1, OFFER, &["Book"]);
    stage.shows(2, NEXT, &["Book"]);
    stage.answer(1, said("Занято"));
    assert_eq!(stage.pressed(), [pair(1, "Book"), pair(2, "Book")].concat());
    // It may be booked all the same.
    stage.replies(3, 1, "It is booked");
    assert_eq!(stage.ends(), [(1, FlowRunState::Done, None)]);
}

#[test]
fn a_changed_flow_takes_over_what_its_limits_count() {
    let mut stage = Stage::new(&limited("per_hour = 1"));
    stage.shows(1, OFFER, &["Book"]);
    stage.machine.stop("changed", stage.now);
    let mut changed = Stage::new(&limited("per_hour = 1, at_once = 2"));
    changed.machine.take_over(&stage.machine);
    changed.shows(2, NEXT, &["Book"]);
    assert_eq!((changed.pressed(), changed.machine.skipped().0), (Vec::new(), vec![(Skip::PerHour, 1)]));
}

#[test]
fn a_caption_repeated_in_an_album_is_booked_once() {
    let mut stage = Stage::new(ONE);
    (1..=3).for_each(|photo| stage.shows(photo, OFFER, &[]));
    stage.shows(4, "Do you want it?", &["Book"]);
    stage.shows(5, "It is booked", &[]);
    stage.answered(1);
    assert_eq!(stage.pressed(), pair(4, "Book"));
}
