//! The machine on what a bot may do, one by one and by chance.

mod offers;
use std::collections::{HashMap, HashSet};

use super::*;
use config::FlowSettings;
use domain::{Button, ButtonDeed, ChatId, Keyboard, PersonalDeed};
use proptest::prelude::*;
use telegram::Sender;
use uuid::Uuid;

const TRIP: &str = r#"
[[flows]]
name = "trip"
account = "main"
watch = "@demo_trips_bot"
trigger = { regex = "New trip .* (?P<from>\\w+)" }
[[flows.steps]]
press = { text = "Book" }
[[flows.steps]]
press = { contains = "{from}" }
[[flows.steps]]
press = { regex = "Confirm|Yes" }
expect = { text = "booked", within = "20s" }
"#;

/// A machine, a clock and a chat.
struct Stage {
    machine: Machine,
    now: Now,
    version: i32,
    runs: u128,
    done: Vec<Action>,
}

fn settings(text: &str) -> FlowSettings {
    config::read_flows(text, "/flows.toml".as_ref()).expect("a flow").remove(0)
}

fn callback(label: &str) -> Button {
    Button { label: label.to_owned(), deed: ButtonDeed::Callback(label.as_bytes().to_vec()) }
}

fn keyboard(labels: &[&str]) -> Option<Keyboard> {
    (!labels.is_empty())
        .then(|| Keyboard { rows: vec![labels.iter().map(|label| callback(label)).collect()] })
}

fn id(number: i32) -> TelegramMessageId {
    TelegramMessageId::new(number).expect("an id")
}

impl Stage {
    fn new(text: &str) -> Self {
        let flow = Flow::of(&settings(text)).expect("a flow");
        let wall = "2030-01-06T12:00:00Z".parse().expect("a time");
        let now = Now { wall, running: Duration::from_secs(100) };
        Self { machine: Machine::new(Arc::new(flow)), now, version: 0, runs: 0, done: Vec::new() }
    }

    fn hear(&mut self, input: Input<'_>) {
        let (runs, now) = (&mut self.runs, self.now);
        let actions = self.machine.step(input, now, &mut || {
            *runs += 1;
            FlowRunId::from_uuid(Uuid::from_u128(*runs))
        });
        self.done.extend(actions);
    }

    fn sighting(&mut self, message: i32, text: &str, keyboard: Option<Keyboard>) -> Sighting {
        self.version += 1;
        Sighting {
            chat_id: ChatId::user(7).expect("an id"),
            message_id: id(message),
            version: self.version,
            written_at: self.now.wall,
            arrived: self.now.running,
            is_own: false,
            sender: Sender { id: ChatId::user(7).expect("an id"), is_in_group: false, is_bot: false },
            reply_to: None,
            text: text.to_owned(),
            keyboard: keyboard.map(Arc::new),
        }
    }

    fn shows(&mut self, message: i32, text: &str, labels: &[&str]) {
        let sighting = self.sighting(message, text, keyboard(labels));
        self.hear(Input::Sighted(&sighting));
    }

    fn pass(&mut self, time: Duration) {
        self.now = Now { wall: self.now.wall.plus(time), running: self.now.running + time };
        self.hear(Input::Time);
    }

    fn answer(&mut self, press: u32, answer: PressAnswer) {
        self.hear(Input::Answered { press, answer });
    }

    fn answered(&mut self, press: u32) {
        self.answer(press, PressAnswer::Answered { text: None, is_alert: false, url: None });
    }

    /// What was pressed since this was asked last.
    fn pressed(&mut self) -> Vec<(i32, String)> {
        let press = |action: &Action| match action {
            Action::Press { message_id, data, .. } => {
                Some((message_id.get(), String::from_utf8_lossy(data).into_owned()))
            }
            _ => None,
        };
        let pressed = self.done.iter().filter_map(press).collect();
        self.done.retain(|action| press(action).is_none());
        pressed
    }

    fn last(&self) -> &RunRecord {
        let mut records = self.done.iter().filter_map(|action| match action {
            Action::Record(record) => Some(&**record),
            _ => None,
        });
        records.next_back().expect("a record")
    }

    fn ended(&self) -> (FlowRunState, Option<&'static str>) {
        let last = self.last();
        (last.state, last.code)
    }
}

fn pair(message: i32, label: &str) -> Vec<(i32, String)> {
    vec![(message, label.to_owned())]
}

const OFFER: &str = "New trip tomorrow 07:40 from Tver";

#[test]
fn a_trip_is_booked_in_three_presses() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Details", "Book"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    stage.now.running += Duration::from_micros(700);
    stage.shows(1, "Choose", &["Moscow", "Tver", "Klin"]);
    assert_eq!(stage.pressed(), pair(1, "Tver"));
    stage.answered(1);
    stage.shows(1, "Sure?", &["Confirm", "Cancel"]);
    assert_eq!(stage.pressed(), pair(1, "Confirm"));
    stage.shows(2, "Trip 1 from Tver is booked", &[]);
    stage.answered(2);
    stage.answered(3);
    assert_eq!(stage.ended(), (FlowRunState::Done, None));
    let stages: Vec<_> =
        stage.last().moments.iter().map(|moment| (moment.stage.as_str(), moment.step)).collect();
    assert_eq!(
        stages,
        [
            ("seen", None),
            ("matched", None),
            ("pressed", Some(1)),
            ("pressed", Some(2)),
            ("answered", Some(1)),
            ("pressed", Some(3)),
            ("expected", Some(3)),
            ("answered", Some(2)),
            ("answered", Some(3)),
            ("ended", None),
        ]
    );
    assert_eq!(stage.last().moments[3].at_us, 700);
    assert_eq!(stage.machine.done(), 1);
}

#[test]
fn old_own_and_repeated_messages_begin_no_run() {
    let mut stage = Stage::new(TRIP);
    let old = stage.sighting(1, OFFER, keyboard(&["Book"]));
    let old = Sighting { written_at: stage.now.wall.minus(Duration::from_secs(11)), ..old };
    stage.hear(Input::Sighted(&old));
    let own = Sighting { is_own: true, ..stage.sighting(2, OFFER, keyboard(&["Book"])) };
    stage.hear(Input::Sighted(&own));
    assert_eq!((stage.pressed(), stage.machine.skipped().1), (Vec::new(), Some(Skip::Stale)));
    let new = stage.sighting(3, OFFER, keyboard(&["Book"]));
    stage.hear(Input::Sighted(&new));
    assert_eq!(stage.pressed(), pair(3, "Book"));
    stage.machine.stop("by_hand", stage.now);
    stage.machine.start();
    // Another line brings it too.
    stage.hear(Input::Sighted(&new));
    assert_eq!(stage.pressed(), []);
}

#[test]
fn an_edit_of_a_message_that_a_run_began_with_begins_none() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    stage.machine.stop("by_hand", stage.now);
    stage.machine.start();
    (2..70).for_each(|message| stage.shows(message, "Hello", &[]));
    stage.shows(1, OFFER, &["Details", "Book"]);
    assert_eq!(stage.pressed(), [], "it was forgotten");
    let mut stage = Stage::new(TRIP);
    let message = (ChatId::user(7).expect("an id"), id(1));
    let earlier = EarlierRun { begun_ago: Duration::from_mins(1), message, has_acted: true };
    stage.machine.restore(&[earlier], None, 0, stage.now);
    stage.shows(1, OFFER, &["Details", "Book"]);
    assert_eq!(stage.pressed(), [], "the program began again");
    stage.shows(1, "New trip today 09:10 from Klin", &["Book"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
}

#[test]
fn a_gone_message_and_a_changed_button_are_looked_for_again() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    stage.answer(1, PressAnswer::MessageGone);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    stage.shows(2, "The same trip", &["Book"]);
    assert_eq!(stage.pressed(), pair(2, "Book"));
    stage.answer(2, PressAnswer::DataInvalid);
    assert_eq!(stage.pressed(), []);
    stage.shows(2, "The same trip", &["Book"]);
    assert_eq!(stage.pressed(), pair(2, "Book"));
    stage.answered(3);
    stage.pass(Duration::from_secs(6));
    assert_eq!(stage.ended(), (FlowRunState::Failed, Some("no_button")));
}

#[test]
fn a_flood_is_waited_for_and_then_the_newest_is_pressed() {
    let mut stage = Stage::new(
        &TRIP.replace("press = { text = \"Book\" }", "press = { text = \"Book\" }\nwithin = \"1m\""),
    );
    stage.shows(1, OFFER, &["Book"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    stage.answer(1, PressAnswer::Flood(Duration::from_secs(30)));
    stage.shows(1, OFFER, &["Details", "Book"]);
    stage.pass(Duration::from_secs(29));
    assert_eq!(stage.pressed(), []);
    stage.pass(Duration::from_secs(1));
    assert_eq!(stage.pressed(), pair(1, "Book"));
    // One that lasts longer than the step may is not waited for.
    stage.answer(2, PressAnswer::Flood(Duration::from_secs(90)));
    assert_eq!(stage.ended(), (FlowRunState::Failed, Some("flood_wait")));
}

#[test]
fn all_floods_of_a_step_are_waited_for_as_long_as_it_may_take() {
    let within = "press = { text = \"Book\" }\nwithin = \"4s\"";
    let mut stage = Stage::new(&TRIP.replace("press = { text = \"Book\" }", within));
    stage.shows(1, OFFER, &["Book"]);
    let mut presses = 0;
    while !stage.pressed().is_empty() && presses < 9 {
        presses += 1;
        stage.answer(presses, PressAnswer::Flood(Duration::from_secs(2)));
        stage.pass(Duration::from_secs(2));
    }
    assert_eq!((presses, stage.ended()), (3, (FlowRunState::Failed, Some("flood_wait"))));
}

#[test]
fn a_press_that_may_have_counted_is_not_repeated() {
    for (answer, is_repeated) in [
        (PressAnswer::NotWritten("closed".into()), true),
        (PressAnswer::Unknown("lost".into()), false),
        (PressAnswer::NoResponse, false),
    ] {
        let mut stage = Stage::new(TRIP);
        stage.shows(1, OFFER, &["Book"]);
        assert_eq!(stage.pressed(), pair(1, "Book"));
        stage.answer(1, answer.clone());
        stage.pass(Duration::from_millis(300));
        assert_eq!(stage.pressed().is_empty(), !is_repeated, "{answer:?}");
    }
}

#[test]
fn after_an_interruption_only_new_keyboards_are_pressed() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    stage.shows(1, "Choose", &["Tver", "Confirm"]);
    assert_eq!(stage.pressed().len(), 2);
    stage.hear(Input::Interrupted);
    stage.answered(2);
    stage.pass(Duration::from_secs(1));
    assert_eq!(stage.pressed(), []);
    stage.shows(1, "Sure?", &["Confirm"]);
    assert_eq!(stage.pressed(), pair(1, "Confirm"));
}

#[test]
fn a_run_that_may_have_missed_its_keyboard_is_cut() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    stage.shows(1, "Choose", &["Tver"]);
    stage.answered(1);
    stage.answered(2);
    stage.hear(Input::Interrupted);
    stage.pass(Duration::from_secs(5));
    assert_eq!(stage.ended(), (FlowRunState::Cut, Some("interrupted")));
    // One that went on after it is not.
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    stage.hear(Input::Interrupted);
    stage.shows(1, "Choose", &["Tver"]);
    stage.pass(Duration::from_secs(5));
    assert_eq!(stage.ended(), (FlowRunState::Failed, Some("no_button")));
}

#[test]
fn a_chat_that_became_another_is_forgotten() {
    let mut stage = Stage::new(TRIP);
    stage.version = 100;
    stage.shows(7, OFFER, &["Book"]);
    let actions = stage.machine.forget(stage.now);
    stage.done.extend(actions);
    assert_eq!(stage.ended(), (FlowRunState::Cut, Some("interrupted")));
    // There messages and changes have numbers of their own.
    stage.version = 0;
    let there = stage.sighting(7, OFFER, keyboard(&["Book"]));
    let there = Sighting { chat_id: ChatId::user(8).expect("an id"), ..there };
    stage.hear(Input::Sighted(&there));
    assert_eq!(stage.pressed(), [pair(7, "Book"), pair(7, "Book")].concat());
}

#[test]
fn the_keyboard_serves_the_next_step_after_an_answer() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book", "Tver"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    stage.answered(1);
    assert_eq!(stage.pressed(), pair(1, "Tver"));
    // A button by its place is another one once it was pressed.
    let mut stage =
        Stage::new(&TRIP.replace("press = { contains = \"{from}\" }", "press = { position = [1, 1] }"));
    stage.shows(1, OFFER, &["Book", "Tver"]);
    stage.answered(1);
    assert_eq!(stage.pressed(), pair(1, "Book"));
}

#[test]
fn a_failed_step_ends_goes_on_begins_again_or_alerts() {
    let failing = |on_fail: &str| {
        let step = format!("press = {{ text = \"Book\" }}\nwithin = \"1s\"\non_fail = \"{on_fail}\"");
        let mut stage = Stage::new(&TRIP.replace("press = { text = \"Book\" }", &step));
        stage.shows(1, OFFER, &["Tver"]);
        stage.pass(Duration::from_secs(1));
        stage
    };
    assert_eq!(failing("stop").ended(), (FlowRunState::Failed, Some("no_button")));
    assert_eq!(failing("next").pressed(), pair(1, "Tver"));
    let stage = failing("alert");
    let is_alert = |action: &Action| matches!(action, Action::Alert { reason: "no_button", .. });
    assert!(stage.done.iter().any(is_alert), "{:?}", stage.done);
    let mut stage = failing("restart");
    stage.shows(1, OFFER, &["Book"]);
    assert_eq!(stage.pressed(), pair(1, "Book"));
    let mut stage = failing("restart");
    for _ in 0..MOST_RESTARTS {
        stage.pass(Duration::from_secs(1));
    }
    assert_eq!(stage.ended(), (FlowRunState::Failed, Some("no_button")));
}

#[test]
fn a_refused_last_press_is_no_booking() {
    let text = TRIP.replace("expect = { text = \"booked\", within = \"20s\" }\n", "");
    let ending = |answer: PressAnswer| {
        let mut stage = Stage::new(&text);
        stage.shows(1, OFFER, &["Book"]);
        stage.shows(1, "Choose", &["Tver"]);
        stage.shows(1, "Sure?", &["Yes"]);
        stage.answered(1);
        stage.answered(2);
        stage.answer(3, answer);
        stage.pass(Duration::from_secs(20));
        stage.ended()
    };
    let heard = PressAnswer::Answered { text: None, is_alert: true, url: None };
    assert_eq!(ending(heard), (FlowRunState::Done, None));
    assert_eq!(ending(PressAnswer::NoResponse), (FlowRunState::Done, None));
    assert_eq!(ending(PressAnswer::DataInvalid), (FlowRunState::Failed, Some("button_gone")));
    assert_eq!(
        ending(PressAnswer::Refused("CHAT_RESTRICTED".into())),
        (FlowRunState::Failed, Some("refused"))
    );
}

#[test]
fn the_expected_text_may_be_what_the_bot_shows() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    stage.shows(1, "Choose", &["Tver"]);
    stage.shows(1, "Sure?", &["Yes"]);
    stage.answered(1);
    stage.answered(2);
    stage.answer(3, PressAnswer::Answered { text: Some("Booked!".into()), is_alert: true, url: None });
    assert_eq!(stage.ended(), (FlowRunState::Done, None));
}

#[test]
fn buttons_that_only_a_person_can_press_are_refused_by_name() {
    for (deed, code) in [
        (PersonalDeed::Password, "password_button"),
        (PersonalDeed::WebApp, "web_app_button"),
        (PersonalDeed::Contact, "contact_button"),
        (PersonalDeed::Location, "location_button"),
        (PersonalDeed::Buy, "buy_button"),
        (PersonalDeed::SwitchInline, "switch_inline_button"),
    ] {
        let mut stage = Stage::new(TRIP);
        let button = Button { label: "Book".to_owned(), deed: ButtonDeed::Personal(deed) };
        let sighting = stage.sighting(1, OFFER, Some(Keyboard { rows: vec![vec![button]] }));
        stage.hear(Input::Sighted(&sighting));
        assert_eq!((stage.pressed(), stage.ended()), (Vec::new(), (FlowRunState::Failed, Some(code))));
    }
}

#[test]
fn a_reply_button_is_sent_and_an_address_is_not_opened() {
    let mut stage = Stage::new(TRIP);
    let button = |label: &str, deed| Button { label: label.to_owned(), deed };
    let rows = vec![vec![
        button("Book", ButtonDeed::Text),
        button("Tver", ButtonDeed::Url("https://example.com".into())),
    ]];
    let sighting = stage.sighting(1, OFFER, Some(Keyboard { rows }));
    stage.hear(Input::Sighted(&sighting));
    let sent = |action: &Action| matches!(action, Action::Send { text, .. } if text == "Book");
    assert!(stage.done.iter().any(sent), "{:?}", stage.done);
    stage.hear(Input::Sent { number: 1, refusal: None });
    let address = stage.last().moments.iter().find(|moment| moment.stage == FlowStage::Address).cloned();
    assert_eq!(address.and_then(|address| address.note).as_deref(), Some("Tver: https://example.com"));
    stage.shows(1, "Sure?", &["Yes"]);
    assert_eq!(stage.pressed(), pair(1, "Yes"));

    let mut stage = Stage::new(TRIP);
    stage.hear(Input::Sighted(&Sighting { version: 9, ..sighting }));
    stage.hear(Input::Sent { number: 1, refusal: Some("on the list".into()) });
    assert_eq!(stage.ended(), (FlowRunState::Failed, Some("not_accepted")));
}

#[test]
fn all_that_a_trigger_says_must_hold() {
    let trigger = "{ text = \"NEW trip\", regex = 'from (?P<from>\\w+)', keywords = [\"cheap\", \"free\"], has_button = \"book\" }";
    let flow = TRIP.replace("{ regex = \"New trip .* (?P<from>\\\\w+)\" }", trigger);
    assert_ne!(flow, TRIP);
    for (text, labels, begins) in [
        ("New trip from Tver, free", ["Details", "Book now"].as_slice(), true),
        ("Old trip from Tver, free", &["Book"], false),
        ("New trip to Tver, free", &["Book"], false),
        ("New trip from Tver, freely", &["Book"], false),
        ("New trip from Tver, free", &["Details"], false),
        ("New trip from Tver, free", &[], false),
    ] {
        let mut stage = Stage::new(&flow);
        stage.shows(1, text, labels);
        assert_eq!(stage.machine.is_running(), begins, "{text} {labels:?}");
    }
}

#[test]
fn a_text_is_sent_and_groups_of_its_reply_are_captured() {
    let (head, _) = TRIP.split_once("[[flows.steps]]").expect("steps");
    let steps = "[[flows.steps]]\nsend = \"/trips {from}\"\n[[flows.steps]]\nwait = { regex = '(?P<place>\\w+) is free' }\n\
        within = \"2s\"\n[[flows.steps]]\npress = { contains = \"{place}\" }\n";
    let text = format!("{head}{steps}");
    let begun = || {
        let mut stage = Stage::new(&text);
        stage.shows(1, OFFER, &[]);
        let sent = |action: &Action| matches!(action, Action::Send { text, .. } if text == "/trips Tver");
        assert!(stage.done.iter().any(sent), "{:?}", stage.done);
        stage.hear(Input::Sent { number: 1, refusal: None });
        stage
    };
    let mut stage = begun();
    stage.shows(2, "Wait", &["Klin"]);
    assert_eq!(stage.pressed(), []);
    stage.shows(2, "Klin is free", &["Moscow", "Klin"]);
    assert_eq!(stage.pressed(), pair(2, "Klin"));
    stage.answered(2);
    assert_eq!(stage.ended(), (FlowRunState::Done, None));

    // A bot on the same machine answers before it is known here that the text was accepted.
    let mut stage = Stage::new(&text);
    stage.shows(1, OFFER, &[]);
    stage.shows(2, "Klin is free", &["Moscow", "Klin"]);
    assert_eq!(stage.pressed(), []);
    stage.hear(Input::Sent { number: 1, refusal: None });
    assert_eq!(stage.pressed(), pair(2, "Klin"));

    let mut stage = begun();
    stage.shows(2, "Nothing today", &["Klin"]);
    stage.pass(Duration::from_secs(2));
    assert_eq!((stage.pressed(), stage.ended()), (Vec::new(), (FlowRunState::Failed, Some("no_text"))));
}

#[test]
fn a_booking_that_no_text_confirms_has_failed() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    stage.shows(1, "Choose", &["Tver"]);
    stage.shows(1, "Sure?", &["Yes"]);
    for press in 1..=3 {
        stage.answered(press);
    }
    stage.shows(1, "Someone was faster", &[]);
    stage.pass(Duration::from_millis(19_999));
    assert!(stage.machine.is_running());
    stage.pass(Duration::from_millis(1));
    assert_eq!(stage.ended(), (FlowRunState::Failed, Some("said_no")));
}

#[test]
fn hours_and_limits_hold_and_the_flow_stops_by_itself() {
    let limits =
        "active = \"11:00-12:01 UTC\"\nlimits = { cooldown = \"30s\", stop_after = 2 }\n[[flows.steps]]";
    let text = TRIP.replacen("[[flows.steps]]", limits, 1);
    let one = text.split("[[flows.steps]]").take(2).collect::<Vec<_>>().join("[[flows.steps]]");
    let mut stage = Stage::new(&one);
    let offer = |stage: &mut Stage, message| {
        stage.shows(message, OFFER, &["Book"]);
        let count = stage.pressed().len();
        stage.answered(stage.machine.numbers);
        count
    };
    assert_eq!(offer(&mut stage, 1), 1);
    assert_eq!((offer(&mut stage, 2), stage.machine.skipped().1), (0, Some(Skip::Cooldown)));
    stage.pass(Duration::from_secs(31));
    assert_eq!(offer(&mut stage, 3), 1);
    assert!(stage.machine.is_stopped() && stage.done.contains(&Action::Stop { reason: "stop_after" }));
    stage.machine.start();
    stage.pass(Duration::from_secs(31));
    assert_eq!((offer(&mut stage, 4), stage.machine.skipped().1), (0, Some(Skip::Hours)));
}

#[test]
fn a_clock_that_jumps_stales_messages_and_shortens_no_wait() {
    let text = TRIP.replacen("[[flows.steps]]", "limits = { cooldown = \"1h\" }\n[[flows.steps]]", 1);
    let one = text.split("[[flows.steps]]").take(2).collect::<Vec<_>>().join("[[flows.steps]]");
    let mut stage = Stage::new(&one);
    stage.shows(1, OFFER, &["Book"]);
    stage.answered(1);
    assert_eq!(stage.ended().0, FlowRunState::Done);
    stage.now.wall = stage.now.wall.plus(Duration::from_hours(5));
    stage.shows(2, OFFER, &["Book"]);
    assert_eq!(stage.machine.skipped().1, Some(Skip::Cooldown));
}

#[test]
fn a_clock_that_is_set_back_disturbs_no_run() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    let before = stage.now.wall;
    stage.now.wall = before.minus(Duration::from_hours(5));
    // Telegram's clock goes on.
    let choose = Sighting { written_at: before, ..stage.sighting(1, "Choose", keyboard(&["Tver"])) };
    stage.hear(Input::Sighted(&choose));
    assert_eq!(stage.pressed(), [pair(1, "Book"), pair(1, "Tver")].concat());
    stage.pass(Duration::from_millis(4_999));
    assert!(stage.machine.is_running());
    stage.pass(Duration::from_millis(1));
    assert_eq!(stage.ended(), (FlowRunState::Failed, Some("no_button")));
}

#[test]
fn one_of_a_hundred_fast_changing_buttons_is_pressed() {
    let mut stage = Stage::new(TRIP);
    stage.shows(1, OFFER, &["Book"]);
    for edit in 0..900_usize {
        let labels: Vec<String> = (0..100).map(|place| format!("{} №{edit}", (place + edit) % 100)).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        stage.shows(1, "Choose", &labels);
        stage.now.running += Duration::from_millis(3);
    }
    assert_eq!(stage.pressed(), pair(1, "Book"));
    stage.shows(1, "Choose", &["Klin", "Tver №900"]);
    assert_eq!(stage.pressed(), pair(1, "Tver №900"));
}

#[derive(Debug, Clone)]
enum Deed {
    Show { message: i32, text: u8, labels: Vec<u8>, age: u64, again: bool },
    Answer { press: u32, kind: u8 },
    Gone(i32),
    Interrupt,
    Wait(u64),
    Switch,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let show =
        (1..4, any::<u8>(), prop::collection::vec(0_u8..6, 0..5), 0_u64..14, prop::bool::weighted(0.1))
            .prop_map(|(message, text, labels, age, again)| Deed::Show { message, text, labels, age, again });
    let answer = (1_u32..12, any::<u8>()).prop_map(|(press, kind)| Deed::Answer { press, kind });
    let one = prop_oneof![
        6 => show, 4 => answer, 1 => (1..4).prop_map(Deed::Gone), 1 => Just(Deed::Interrupt),
        2 => (0_u64..4000).prop_map(Deed::Wait), 1 => Just(Deed::Switch),
    ];
    prop::collection::vec(one, 1..60)
}

proptest! {
    /// Whatever a bot does: a press is on the newest keyboard there is, on one that is no older than may be, and none of one
    /// keyboard comes twice unless it is proved that the first was not made. Every run ends.
    #[test]
    fn only_tracked_buttons_are_pressed_and_none_twice(deeds in deeds(), on_fail in 0_usize..4, place in any::<bool>()) {
        const LABELS: [&str; 6] = ["Book", "Tver", "Confirm", "Yes", "Cancel", "Tver 2"];
        const TEXTS: [&str; 4] = [OFFER, "New trip by night from Klin", "Choose", "booked"];
        let on_fail = ["stop", "next", "restart", "alert"][on_fail];
        let mut text = TRIP.replace("[[flows.steps]]\npress", &format!("[[flows.steps]]\non_fail = \"{on_fail}\"\npress"));
        if place {
            text = text.replace("{ contains = \"{from}\" }", "{ first = true }");
        }
        let mut stage = Stage::new(&text);
        let mut newest = HashMap::<i32, (i32, Option<Keyboard>)>::new();
        let mut made = HashSet::new();
        let mut by_number = HashMap::new();
        let mut last = None;
        let mut is_stopped = false;
        for deed in deeds {
            match deed {
                Deed::Show { message, text, labels, age, again } => {
                    let shown: Vec<&str> = labels.iter().map(|label| LABELS[usize::from(*label)]).collect();
                    let sighting = stage.sighting(message, TEXTS[usize::from(text) % 4], keyboard(&shown));
                    let written_at = stage.now.wall.minus(Duration::from_secs(age));
                    let sighting = Sighting { written_at, ..sighting };
                    let sighting = last.take().filter(|_| again).unwrap_or(sighting);
                    let is_newer = newest.get(&sighting.message_id.get()).is_none_or(|(version, _)| *version < sighting.version);
                    if is_newer {
                        let is_fresh = stage.now.wall.since(sighting.written_at) <= Duration::from_secs(10);
                        let shown = sighting.keyboard.as_deref().filter(|_| is_fresh).cloned();
                        newest.insert(sighting.message_id.get(), (sighting.version, shown));
                    }
                    stage.hear(Input::Sighted(&sighting));
                    last = Some(sighting);
                }
                Deed::Answer { press, kind } => {
                    let answer = match kind % 7 {
                        0 => PressAnswer::NoResponse,
                        1 => PressAnswer::MessageGone,
                        2 => PressAnswer::DataInvalid,
                        3 => PressAnswer::Flood(Duration::from_secs(2)),
                        4 => PressAnswer::NotWritten(String::new()),
                        5 => PressAnswer::Unknown(String::new()),
                        _ => PressAnswer::Answered { text: None, is_alert: false, url: None },
                    };
                    let is_open = stage.machine.runs.iter().any(|run| run.open.iter().any(|open| open.number == press));
                    if is_open && matches!(answer, PressAnswer::Flood(_) | PressAnswer::NotWritten(_))
                        && let Some(press) = by_number.get(&press)
                    {
                        made.remove(press);
                    }
                    stage.answer(press, answer);
                }
                Deed::Gone(message) => {
                    stage.version += 1;
                    if let Some(known) = newest.get_mut(&message) {
                        *known = (stage.version, None);
                    }
                    let (message_ids, version) = ([id(message)], stage.version);
                    stage.hear(Input::Gone { message_ids: &message_ids, version });
                }
                Deed::Interrupt => {
                    for (_, shown) in newest.values_mut() {
                        *shown = None;
                    }
                    stage.hear(Input::Interrupted);
                }
                Deed::Wait(millis) => stage.pass(Duration::from_millis(millis)),
                Deed::Switch => {
                    is_stopped = !is_stopped;
                    if is_stopped {
                        let actions = stage.machine.stop("by_hand", stage.now);
                        stage.done.extend(actions);
                    } else {
                        stage.machine.start();
                    }
                }
            }
            for action in std::mem::take(&mut stage.done) {
                if let Action::Press { number, message_id, data, .. } = action {
                    prop_assert!(!is_stopped);
                    let (version, shown) = newest.get(&message_id.get()).expect("a message that is known");
                    let shown = shown.as_ref().expect("a keyboard that is known");
                    let is_on = shown.buttons().any(|(_, _, button)| button.deed == ButtonDeed::Callback(data.clone()));
                    prop_assert!(is_on, "{data:?} is not on {shown:?}");
                    let press = (message_id, *version, data);
                    by_number.insert(number, press.clone());
                    prop_assert!(made.insert(press.clone()), "twice: {press:?}");
                }
            }
        }
        for _ in 0..100 {
            stage.pass(Duration::from_secs(20));
        }
        prop_assert!(stage.machine.due().is_none());
    }
}
