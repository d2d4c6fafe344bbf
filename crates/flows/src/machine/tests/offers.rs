//! Offers that come while others are answered, from anybody in a group, and buttons that a bot says no to.

mod edges;

use super::*;

/// The flow with one step that expects a text.
const ONE: &str = r#"
[[flows]]
name = "trip"
account = "main"
watch = "@demo_trips_bot"
trigger = { regex = "New trip .* (?P<from>\\w+)" }
steps = [{ press = { text = "Book" }, expect = { text = "booked", within = "20s" } }]
"#;

fn limited(limits: &str) -> String {
    format!("{}limits = {{ {limits} }}\n", ONE.trim_start())
}

fn said(text: &str) -> PressAnswer {
    PressAnswer::Answered { text: Some(text.to_owned()), is_alert: true, url: None }
}

impl Stage {
    /// How the runs of messages ended, the first one first.
    fn ends(&self) -> Vec<(i32, FlowRunState, Option<&'static str>)> {
        let ended = self.done.iter().filter_map(|action| match action {
            Action::Record(record) if record.ended_at.is_some() => {
                Some((record.message_id.get(), record.state, record.code))
            }
            _ => None,
        });
        ended.collect()
    }

    /// A message of someone in a group.
    fn writes(&mut self, message: i32, sender: i64, is_bot: bool, text: &str, labels: &[&str]) {
        let sender = Sender { id: ChatId::user(sender).expect("an id"), is_in_group: true, is_bot };
        let sighting = Sighting { sender, ..self.sighting(message, text, keyboard(labels)) };
        self.hear(Input::Sighted(&sighting));
    }
}

#[test]
fn three_offers_at_once_are_all_booked_though_no_press_is_answered() {
    let mut stage = Stage::new(TRIP);
    for message in 1..=3 {
        stage.shows(message, &format!("New trip tomorrow 0{message}:40 from Tver"), &["Details", "Book"]);
        stage.now.running += Duration::from_millis(30);
    }
    assert_eq!(stage.pressed(), [1, 2, 3].map(|message| pair(message, "Book")).concat());
    // Each press belongs to its own message, in whatever order the bot goes on.
    for (label, next) in [("Tver", "Choose"), ("Yes", "Sure?")] {
        for message in [2, 3, 1] {
            stage.shows(message, next, &["Moscow", label]);
            assert_eq!(stage.pressed(), pair(message, label));
        }
    }
    for message in [3, 1, 2] {
        stage.shows(message, "The trip is booked", &[]);
    }
    stage.pass(Duration::from_secs(2));
    let mut ends = stage.ends();
    ends.sort();
    assert_eq!(ends, [1, 2, 3].map(|message| (message, FlowRunState::Done, None)));
    assert_eq!((stage.machine.done(), stage.machine.skipped().0), (3, Vec::new()));
}

#[test]
fn answers_in_messages_of_their_own_go_to_the_run_that_waits_longest() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    stage.shows(2, "New trip today 09:10 from Klin", &["Book"]);
    assert_eq!(stage.pressed().len(), 2);
    // The first one answers the second offer; the other names none.
    let place = stage.sighting(3, "Choose", keyboard(&["Klin", "Tver"]));
    let place = Sighting { reply_to: Some(id(2)), ..place };
    stage.hear(Input::Sighted(&place));
    assert_eq!(stage.pressed(), pair(3, "Klin"));
    stage.shows(4, "Choose", &["Klin", "Tver"]);
    assert_eq!(stage.pressed(), pair(4, "Tver"));
    stage.shows(4, "Sure?", &["Yes"]);
    stage.shows(3, "Sure?", &["Yes"]);
    assert_eq!(stage.pressed(), [pair(4, "Yes"), pair(3, "Yes")].concat());
    // One text proves one booking.
    stage.shows(5, "A trip is booked", &[]);
    stage.pass(Duration::from_secs(2));
    assert_eq!(stage.ends(), [(1, FlowRunState::Done, None)]);
    stage.shows(6, "A trip is booked", &[]);
    stage.pass(Duration::from_secs(2));
    assert_eq!(stage.ends().len(), 2);
}

#[test]
fn what_finds_no_room_waits_while_it_is_fresh() {
    let mut stage = Stage::new(&limited("at_once = 1"));
    stage.shows(1, OFFER, &["Book"]);
    stage.shows(2, "New trip today 09:10 from Klin", &["Book"]);
    stage.shows(3, "New trip today 10:20 from Klin", &["Book"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    stage.pass(Duration::from_secs(6));
    stage.shows(1, "It is booked", &[]);
    assert_eq!(stage.pressed(), pair(2, "Book"), "the run only waits for the answer to its last press");
    assert_eq!(stage.machine.due(), Some(stage.now.running + Duration::from_secs(1)));
    stage.pass(Duration::from_secs(4));
    assert_eq!(stage.pressed(), []);
    assert_eq!(stage.machine.skipped().0, [(Skip::Busy, 1)]);
    let missed = stage.ends().into_iter().find(|(message, ..)| *message == 3);
    assert_eq!(missed, Some((3, FlowRunState::Skipped, Some("busy"))), "it has a row with its reason");
    // One that is gone, or becomes something else, waits no longer.
    stage.shows(4, "New trip at noon from Tver", &["Book"]);
    stage.shows(5, "New trip by night from Tver", &["Book"]);
    stage.shows(4, "Gone", &[]);
    stage.version += 1;
    let (message_ids, version) = ([id(5)], stage.version);
    stage.hear(Input::Gone { message_ids: &message_ids, version });
    assert_eq!(stage.machine.skipped().0, [(Skip::Busy, 3)], "both were missed because no run was free");
    stage.shows(2, "It is booked", &[]);
    assert_eq!(stage.pressed(), []);
}

#[test]
fn an_offer_that_waits_has_a_row_which_its_run_takes_over() {
    let mut stage = Stage::new(&limited("at_once = 1"));
    stage.shows(1, OFFER, &["Book"]);
    stage.shows(2, "New trip today 09:10 from Klin", &["Book"]);
    let waiting = stage.last().clone();
    assert_eq!((waiting.message_id, waiting.state, waiting.ended_at), (id(2), FlowRunState::Running, None));
    stage.shows(3, "New trip today 10:20 from Klin", &["Book"]);
    stage.shows(1, "It is booked", &[]);
    assert_eq!((stage.last().id, stage.last().moments.len()), (waiting.id, 3), "seen, matched, pressed");
    let actions = stage.machine.stop("by_hand", stage.now);
    stage.done.extend(actions);
    let missed = stage.ends().into_iter().find(|(message, ..)| *message == 3);
    assert_eq!(missed, Some((3, FlowRunState::Skipped, Some("stopped"))));
}

#[test]
fn another_trip_in_the_message_of_a_run_is_another_offer() {
    let mut stage = Stage::new(&limited("at_once = 2"));
    stage.shows(1, OFFER, &["Book"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    // The same trip with other words is the same offer.
    stage.shows(1, "New trip with 2 seats tomorrow 07:40 from Tver", &["Book"]);
    assert_eq!(stage.pressed(), []);
    // Another trip waits for the end of the run, and holds up no other message.
    stage.shows(1, "New trip today 09:10 from Klin", &["Book"]);
    assert_eq!(stage.pressed(), []);
    stage.shows(2, "New trip today 10:20 from Klin", &["Book"]);
    assert_eq!(stage.pressed(), pair(2, "Book"));
    let booked = Sighting { reply_to: Some(id(1)), ..stage.sighting(3, "It is booked", None) };
    stage.hear(Input::Sighted(&booked));
    assert_eq!(stage.pressed(), pair(1, "Book"));
}

#[test]
fn an_offer_that_is_edited_while_it_waits_keeps_its_place() {
    let mut stage = Stage::new(&limited("at_once = 1"));
    for message in 1..=3 {
        stage.shows(message, OFFER, &["Book"]);
    }
    // A keyboard that counts down is the same offer; another text is another one.
    stage.shows(2, OFFER, &["Book", "9 s"]);
    assert_eq!(stage.machine.skipped().0, []);
    stage.shows(3, "New trip at noon from Klin", &["Book"]);
    assert_eq!(stage.machine.skipped().0, [(Skip::Busy, 1)]);
    let missed = stage.ends();
    assert_eq!(missed, [(3, FlowRunState::Skipped, Some("busy"))]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    for next in 2..=3 {
        stage.shows(next - 1, "It is booked", &[]);
        assert_eq!(stage.pressed(), pair(next, "Book"));
    }
}

#[test]
fn twenty_offers_within_a_second_are_booked_five_at_a_time() {
    let mut stage = Stage::new(ONE);
    for message in 1..=20 {
        stage.shows(message, &format!("{OFFER} {message}"), &["Book"]);
        stage.now.running += Duration::from_millis(40);
    }
    for first in [1, 6, 11, 16] {
        let five = (first..first + 5).flat_map(|message| pair(message, "Book")).collect::<Vec<_>>();
        assert_eq!(stage.pressed(), five);
        // The chat goes on meanwhile.
        (0..200).for_each(|other| stage.shows(1_000 * first + other, "Hello", &[]));
        (first..first + 5).for_each(|message| stage.shows(message, "It is booked", &[]));
    }
    stage.pass(Duration::from_secs(2));
    assert_eq!((stage.machine.done(), stage.machine.skipped().0), (20, Vec::new()));
}

#[test]
fn one_text_proves_one_run_of_two_that_send_at_once() {
    let sends = ONE.replace("press = { text = \"Book\" }", "send = \"/book {from}\"");
    let mut stage = Stage::new(&sends);
    stage.shows(1, OFFER, &[]);
    stage.shows(2, "New trip today 09:10 from Klin", &[]);
    // The bot answers before it is known here that the texts were accepted.
    stage.shows(3, "A trip is booked", &[]);
    for number in [1, 2] {
        stage.hear(Input::Sent { number, refusal: None });
    }
    assert_eq!(stage.ends(), [(1, FlowRunState::Done, None)]);
    // One that waits reads it first, though another sends.
    stage.shows(4, "New trip by night from Klin", &[]);
    stage.shows(5, "A trip is booked", &[]);
    stage.hear(Input::Sent { number: 3, refusal: None });
    stage.pass(Duration::from_secs(20));
    let ends = stage.ends();
    assert_eq!(ends[1..], [(2, FlowRunState::Done, None), (4, FlowRunState::Failed, Some("no_text"))]);
}

#[test]
fn a_second_button_waits_until_telegram_lets_the_account_press() {
    let button = |data: u8| Button { label: "Book".to_owned(), deed: ButtonDeed::Callback(vec![data]) };
    let rows = || Some(Keyboard { rows: vec![vec![button(b'a')], vec![button(b'b')]] });
    let last = ONE.replace(", expect = { text = \"booked\", within = \"20s\" }", "");
    for (text, wait, is_pressed) in
        [(ONE, 3, true), (ONE, 30, false), (last.as_str(), 3, true), (last.as_str(), 30, false)]
    {
        let mut stage = Stage::new(text);
        for message in [1, 2] {
            let sighting = stage.sighting(message, &format!("{OFFER} {message}"), rows());
            stage.hear(Input::Sighted(&sighting));
        }
        assert_eq!(stage.pressed(), [pair(1, "a"), pair(2, "a")].concat());
        stage.answer(2, PressAnswer::Flood(Duration::from_secs(wait)));
        stage.answer(1, said("Мест\u{a0}нет"));
        assert_eq!(stage.pressed(), [], "{wait}");
        stage.pass(Duration::from_secs(3));
        assert_eq!(stage.pressed().contains(&(1, "b".to_owned())), is_pressed, "{wait}");
        let failed = stage.ends().contains(&(1, FlowRunState::Failed, Some("flood_wait")));
        assert_eq!(failed, !is_pressed, "{wait} {:?}", stage.ends());
    }
}

#[test]
fn a_refused_press_keeps_its_reason_while_another_run_floods() {
    let mut stage = Stage::new(ONE);
    for message in 1..=3 {
        stage.shows(message, &format!("{OFFER} {message}"), &["Book"]);
    }
    stage.answer(2, PressAnswer::Flood(Duration::from_secs(3)));
    stage.answer(1, PressAnswer::DataInvalid);
    stage.pass(Duration::from_secs(1));
    stage.answer(3, PressAnswer::Flood(Duration::from_secs(30)));
    stage.pass(Duration::from_secs(10));
    assert!(stage.ends().contains(&(1, FlowRunState::Failed, Some("button_gone"))), "{:?}", stage.ends());
}

#[test]
fn labels_that_readers_see_as_one_are_one() {
    let mut stage = Stage::new(&ONE.replace("\"Book\"", "\"забронировать всё 🚗\""));
    let button = |label: &str| Button { label: label.to_owned(), deed: ButtonDeed::Callback(label.into()) };
    let labels = ["Забронировать все 🚗", "ЗАБРОНИРОВАТЬ\u{a0}ВСЁ 🚗\u{fe0f}"];
    let rows = labels.iter().map(|label| vec![button(label)]).collect();
    let sighting = stage.sighting(1, OFFER, Some(Keyboard { rows }));
    stage.hear(Input::Sighted(&sighting));
    assert_eq!(stage.pressed(), pair(1, labels[0]));
    stage.answer(1, said("Нет свободных мест"));
    assert_eq!(stage.pressed(), pair(1, labels[1]));
}

#[test]
fn an_answer_that_says_later_presses_no_second_button() {
    let mut stage = Stage::new(ONE);
    let button = |data: u8| Button { label: "Book".to_owned(), deed: ButtonDeed::Callback(vec![data]) };
    let rows = vec![vec![button(1), button(2)]];
    let sighting = stage.sighting(1, OFFER, Some(Keyboard { rows }));
    stage.hear(Input::Sighted(&sighting));
    stage.answer(1, said("Секунду, проверяем"));
    stage.pass(Duration::from_secs(5));
    assert_eq!(stage.pressed().len(), 1);
    stage.shows(2, "It is booked", &[]);
    stage.pass(Duration::from_secs(2));
    assert_eq!(stage.ends(), [(1, FlowRunState::Done, None)]);
}

#[test]
fn a_run_that_waits_for_its_last_answer_keeps_no_offer_out() {
    let one = ONE.replace(", expect = { text = \"booked\", within = \"20s\" }", "");
    let mut stage = Stage::new(&format!("{}limits = {{ at_once = 1 }}\n", one.trim_start()));
    for message in 1..=4 {
        stage.shows(message, &format!("{OFFER} {message}"), &["Book"]);
        assert_eq!(stage.pressed(), pair(message, "Book"));
    }
    // The same message becomes the next offer.
    stage.shows(4, "New trip by night from Klin", &["Book"]);
    assert_eq!(stage.pressed(), pair(4, "Book"));
    stage.pass(Duration::from_secs(15));
    assert_eq!((stage.machine.done(), stage.machine.is_running()), (5, false));
}

#[test]
fn no_more_runs_are_under_way_than_are_wanted() {
    let mut stage = Stage::new(&limited("stop_after = 2"));
    for message in 1..=3 {
        stage.shows(message, &format!("{OFFER} {message}"), &["Book"]);
    }
    assert_eq!(stage.pressed(), [pair(1, "Book"), pair(2, "Book")].concat());
    stage.answer(1, PressAnswer::Refused("USER_BANNED".to_owned()));
    assert_eq!(stage.pressed(), pair(3, "Book"), "the one that failed is not one of the two");
    stage.shows(2, "It is booked", &[]);
    stage.shows(3, "It is booked", &[]);
    stage.pass(Duration::from_secs(2));
    assert!(stage.machine.is_stopped() && stage.machine.done() == 2);
}

#[test]
fn a_cooldown_that_ends_in_time_is_waited_for() {
    let mut stage = Stage::new(&limited("at_once = 1, cooldown = \"3s\""));
    stage.shows(1, OFFER, &["Book"]);
    stage.answer(1, PressAnswer::Refused("USER_BANNED".to_owned()));
    assert_eq!(stage.pressed(), pair(1, "Book"));
    stage.shows(2, "New trip today 09:10 from Klin", &["Book"]);
    stage.pass(Duration::from_millis(2_999));
    assert_eq!(stage.pressed(), []);
    stage.pass(Duration::from_millis(1));
    assert_eq!(stage.pressed(), pair(2, "Book"));
}

#[test]
fn those_that_wait_begin_in_their_order() {
    let mut stage = Stage::new(&limited("at_once = 1, cooldown = \"3s\""));
    stage.shows(1, OFFER, &["Book"]);
    stage.answer(1, PressAnswer::Refused("USER_BANNED".to_owned()));
    for message in 2..=4 {
        stage.shows(message, &format!("{OFFER} {message}"), &["Book"]);
    }
    assert_eq!(stage.pressed(), pair(1, "Book"));
    // The next one comes just when there is room.
    let time = Duration::from_secs(3);
    stage.now = Now { wall: stage.now.wall.plus(time), running: stage.now.running + time };
    stage.shows(5, OFFER, &["Book"]);
    assert_eq!(stage.pressed(), pair(2, "Book"));
    assert_eq!(stage.machine.due(), Some(stage.now.running + Duration::from_secs(7)), "no time in vain");
    // One that comes last may be too old first.
    let written_at = stage.now.wall.minus(Duration::from_secs(8));
    let late = Sighting { written_at, ..stage.sighting(6, OFFER, keyboard(&["Book"])) };
    stage.hear(Input::Sighted(&late));
    stage.pass(Duration::from_secs(2));
    assert_eq!(stage.machine.skipped().0, [(Skip::Busy, 1)]);
    assert_eq!(stage.machine.due(), Some(stage.now.running + Duration::from_secs(5)));
}

#[test]
fn people_in_a_group_begin_and_block_nothing() {
    let mut stage = Stage::new(&limited("per_hour = 1, cooldown = \"1h\", at_once = 1"));
    for (message, sender) in (1..).zip([100, 101, 102]) {
        stage.writes(message, sender, false, OFFER, &[]);
        stage.writes(message, sender, false, OFFER, &["Book"]);
    }
    assert_eq!(
        (stage.pressed(), stage.machine.skipped().0, stage.machine.due()),
        (Vec::new(), Vec::new(), None)
    );
    stage.writes(9, 200, true, OFFER, &["Book"]);
    assert_eq!(stage.pressed(), pair(9, "Book"));
    // Nor do they end the run of another.
    stage.writes(10, 100, false, "It is booked", &[]);
    stage.pass(Duration::from_secs(2));
    assert!(stage.machine.is_running());
    stage.writes(11, 200, true, "It is booked", &[]);
    stage.pass(Duration::from_secs(2));
    assert_eq!(stage.ends(), [(9, FlowRunState::Done, None)]);
}

#[test]
fn the_senders_that_a_flow_names_begin_runs_and_no_others() {
    let sender =
        |id: i64, is_in_group, is_bot| Sender { id: ChatId::user(id).expect("an id"), is_in_group, is_bot };
    let cases = [
        ("[\"bots\"]", sender(200, true, true), true),
        ("[\"bots\"]", sender(100, true, false), false),
        ("[\"bots\"]", sender(100, false, false), true),
        ("[\"anyone\"]", sender(100, true, false), true),
        ("[\"100\"]", sender(100, true, false), true),
        ("[\"@demo_bot\"]", sender(300, true, true), true),
        ("[\"@demo_bot\", \"100\"]", sender(200, true, true), false),
        ("[\"@demo_bot\", \"bots\"]", sender(200, true, true), true),
    ];
    for (from, sender, begins) in cases {
        let mut stage = Stage::new(&ONE.replace("trigger =", &format!("from = {from}\ntrigger =")));
        // The username is of 300.
        let ids = [100, 300].map(|id| ChatId::user(id).expect("an id"));
        let named: Vec<_> =
            ids.into_iter().filter(|id| from.contains(&id.to_string()) || id.get() == 300).collect();
        stage.machine.set_senders(named.into_iter().collect());
        let sighting = Sighting { sender, ..stage.sighting(1, OFFER, keyboard(&["Book"])) };
        stage.hear(Input::Sighted(&sighting));
        assert_eq!(stage.pressed().len(), usize::from(begins), "{from} {sender:?}");
    }
}

#[test]
fn a_run_without_a_press_uses_no_limit_up() {
    let mut stage = Stage::new(&limited("per_hour = 1, cooldown = \"1h\""));
    stage.shows(1, OFFER, &["Details"]);
    stage.pass(Duration::from_secs(5));
    assert_eq!(stage.ends(), [(1, FlowRunState::Failed, Some("no_button"))]);
    stage.shows(2, OFFER, &["Details"]);
    stage.shows(3, OFFER, &["Book"]);
    assert_eq!(stage.pressed(), pair(3, "Book"));
    // The limit is used up when another run finds its button.
    stage.shows(2, OFFER, &["Book"]);
    stage.shows(4, OFFER, &["Book"]);
    assert_eq!((stage.pressed(), stage.machine.acted(stage.now)), (Vec::new(), 1));
    let ends = stage.ends();
    for message in [2, 4] {
        assert!(ends.contains(&(message, FlowRunState::Skipped, Some("per_hour"))), "{ends:?}");
    }
    // One that was not written is no press.
    let mut stage = Stage::new(&limited("per_hour = 1"));
    stage.shows(1, OFFER, &["Book"]);
    stage.answer(1, PressAnswer::NotWritten("closed".into()));
    assert_eq!(stage.machine.acted(stage.now), 0);
    stage.pass(Duration::from_millis(200));
    assert_eq!((stage.pressed().len(), stage.machine.acted(stage.now)), (2, 1));
}

#[test]
fn the_second_button_of_a_label_is_pressed_when_the_bot_says_no() {
    for (text, wait) in [("Sold out!", 0), ("Мест нет", 0), ("Try another one", 19)] {
        let mut stage = Stage::new(ONE);
        let button =
            |data: &str| Button { label: "Book".to_owned(), deed: ButtonDeed::Callback(data.into()) };
        let rows = vec![vec![button("a"), button("b")], vec![callback("Cancel")]];
        let sighting = stage.sighting(1, OFFER, Some(Keyboard { rows }));
        stage.hear(Input::Sighted(&sighting));
        stage.answer(1, said(text));
        assert_eq!(stage.pressed().len(), if wait == 0 { 2 } else { 1 }, "{text}");
        stage.pass(Duration::from_secs(wait));
        assert_eq!(stage.pressed(), if wait == 0 { Vec::new() } else { pair(1, "b") }, "{text}");
        stage.answer(2, said(text));
        stage.pass(Duration::from_secs(2));
        assert_eq!(stage.pressed(), [], "{text}: no other has the label");
        stage.pass(Duration::from_secs(20));
        let code = if wait == 0 { "said_no" } else { "no_text" };
        assert_eq!(stage.ended(), (FlowRunState::Failed, Some(code)), "{text}");
    }
}

#[test]
fn a_second_button_is_not_pressed_once_something_happened() {
    let button = |data: u8| Button { label: "Book".to_owned(), deed: ButtonDeed::Callback(vec![data]) };
    let rows = || Some(Keyboard { rows: vec![vec![button(1), button(2)]] });
    for what in ["expected", "edit", "none", "last"] {
        let text = if what == "last" {
            ONE.replace(", expect = { text = \"booked\", within = \"20s\" }", "")
        } else {
            ONE.to_owned()
        };
        let mut stage = Stage::new(&text);
        let sighting = stage.sighting(1, OFFER, rows());
        stage.hear(Input::Sighted(&sighting));
        match what {
            "expected" => stage.answer(1, said("It is booked")),
            "none" => stage.answered(1),
            // Nothing says whether a last press without an expectation counted.
            "last" => stage.answer(1, said("Hello")),
            _ => {
                stage.answer(1, said("One moment"));
                stage.shows(1, "One moment", &[]);
            }
        }
        stage.pass(Duration::from_secs(2));
        assert_eq!(stage.pressed().len(), 1, "{what}");
    }
}

#[test]
fn a_message_that_was_gone_is_named_and_not_the_button() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    stage.answer(1, PressAnswer::MessageGone);
    stage.pass(Duration::from_secs(5));
    assert_eq!(stage.ended(), (FlowRunState::Failed, Some("message_gone")));
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    stage.answer(1, PressAnswer::DataInvalid);
    stage.pass(Duration::from_secs(5));
    assert_eq!(stage.ended(), (FlowRunState::Failed, Some("button_gone")));
}

#[test]
fn a_button_that_another_flow_pressed_is_not_pressed_again() {
    let mut stage = Stage::new(&limited("per_hour = 1"));
    stage.shows(1, OFFER, &["Book", "Book"]);
    assert_eq!(stage.pressed().len(), 1);
    stage.hear(Input::Taken { press: 1, by: "ride" });
    assert_eq!(stage.pressed(), []);
    assert_eq!(stage.ended(), (FlowRunState::Failed, Some("pressed_by_another_flow")));
    assert_eq!(stage.machine.acted(stage.now), 0, "it pressed nothing");
    let noted =
        stage.last().moments.iter().any(|moment| moment.note.as_deref() == Some("pressed by flow ride"));
    assert!(noted, "{:?}", stage.last());
}

#[test]
fn messages_of_a_run_that_look_like_offers_begin_none() {
    let trigger = "trigger = { text = \"trip\" }";
    let text = TRIP.replace("trigger = { regex = \"New trip .* (?P<from>\\\\w+)\" }", trigger);
    let mut stage = Stage::new(&text.replace("{ contains = \"{from}\" }", "{ text = \"Tver\" }"));
    stage.shows(1, "A trip", &["Book"]);
    stage.shows(2, "Choose a place of the trip", &["Tver"]);
    stage.shows(3, "Is the trip right?", &["Yes"]);
    assert_eq!(stage.pressed(), [pair(1, "Book"), pair(2, "Tver"), pair(3, "Yes")].concat());
    stage.shows(4, "The trip is booked", &[]);
    stage.pass(Duration::from_secs(2));
    assert_eq!(stage.ends(), [(1, FlowRunState::Done, None)]);
    assert_eq!(stage.machine.due(), None, "none of them began a run");
}

#[test]
fn rows_of_skipped_messages_are_bounded_and_all_are_counted() {
    let mut stage = Stage::new(&ONE.replace("trigger =", "active = \"01:00-01:01 UTC\"\ntrigger ="));
    for message in 1..=1_100 {
        stage.shows(message, OFFER, &["Book"]);
    }
    assert_eq!((stage.ends().len(), stage.machine.skipped().0), (1_000, vec![(Skip::Hours, 1_100)]));
}

#[test]
fn a_clock_that_is_ahead_begins_nothing_and_that_is_counted() {
    let mut stage = Stage::new(TRIP);
    let before = stage.now.wall;
    stage.now.wall = before.plus(Duration::from_hours(1));
    let offer = Sighting { written_at: before, ..stage.sighting(1, OFFER, keyboard(&["Book"])) };
    stage.hear(Input::Sighted(&offer));
    assert_eq!((stage.pressed(), stage.machine.skipped().0), (Vec::new(), vec![(Skip::Stale, 1)]));
    stage.now.wall = before;
    stage.shows(1, "New trip at noon from Tver", &["Book"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
}
