//! What a dialogue promises, whatever comes in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use grammers_tl_types::{Cursor, Deserializable as _, enums};
use proptest::prelude::*;

use super::super::error::RpcError;
use super::*;

const SESSION: i64 = 77;

type Answered = Result<Vec<u8>, RequestError>;

fn at(seconds: i64) -> Moment {
    let now = Timestamp::from_micros(seconds * 1_000_000);
    Moment { running: Duration::from_micros(now.as_micros().unsigned_abs()), steady: now }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Packed {
    id: i64,
    sequence: i32,
    body: Vec<u8>,
}

#[derive(Debug)]
struct Packet {
    salt: i64,
    outer: Packed,
    messages: Vec<Packed>,
}

impl Packet {
    /// The requests in it, without what is said about the connection itself.
    fn requests(&self) -> Vec<&Packed> {
        self.messages.iter().filter(|message| message.body.starts_with(&REQUEST)).collect()
    }
}

const REQUEST: [u8; 4] = [0xee; 4];

fn message(rest: &mut &[u8]) -> Packed {
    let (header, body) = rest.split_first_chunk::<16>().expect("a header");
    let length =
        usize::try_from(i32::from_le_bytes(header[12..].try_into().expect("four"))).expect("a length");
    *rest = &body[length..];
    Packed {
        id: i64::from_le_bytes(header[..8].try_into().expect("eight")),
        sequence: i32::from_le_bytes(header[8..12].try_into().expect("four")),
        body: body[..length].to_vec(),
    }
}

fn pack(dialogue: &mut Dialogue, now: Moment) -> Option<Packet> {
    let mut bytes = Vec::new();
    if !dialogue.pack(now, &mut bytes) {
        assert!(bytes.is_empty());
        return None;
    }
    let salt = i64::from_le_bytes(bytes[..8].try_into().expect("eight"));
    assert_eq!(bytes[8..16], SESSION.to_le_bytes());
    let mut rest = &bytes[16..];
    let outer = message(&mut rest);
    assert!(rest.is_empty());
    let messages = if outer.body.starts_with(&CONTAINER.to_le_bytes()) {
        let mut rest = &outer.body[8..];
        let mut messages = Vec::new();
        while !rest.is_empty() {
            messages.push(message(&mut rest));
        }
        assert_eq!(outer.body[4..8], i32::try_from(messages.len()).expect("few").to_le_bytes());
        messages
    } else {
        vec![outer.clone()]
    };
    Some(Packet { salt, outer, messages })
}

fn body(number: u32, words: usize) -> Vec<u8> {
    let mut body = [&REQUEST[..], &number.to_le_bytes()].concat();
    body.resize(8 + words * 4, 7);
    body
}

fn ask(dialogue: &mut Dialogue, body: Vec<u8>) -> oneshot::Receiver<Answered> {
    let (answer, result) = oneshot::channel();
    dialogue.ask(body, Updates::Wanted, answer);
    result
}

fn hear(dialogue: &mut Dialogue, what: Content<'_>, now: Moment) -> Vec<UpdatesLike> {
    let mut arrived = Vec::new();
    // The time of the data centre is 1000 s.
    let message = Message { id: (1_000 << 32) | 1, is_content: false, what };
    dialogue.hear(message, now, &mut arrived);
    arrived
}

fn not_taken(message: i64, reason: i32, salt: Option<i64>) -> Content<'static> {
    Content::NotTaken { message, reason, salt }
}

#[test]
fn waiting_requests_leave_together_and_large_ones_alone() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let _results: Vec<_> = [10, 20, 30_000, 10].map(|words| ask(&mut dialogue, body(1, words))).into();
    let lengths = |packet: Packet| packet.messages.iter().map(|one| one.body.len()).collect::<Vec<_>>();
    let first = pack(&mut dialogue, at(1_000)).expect("a packet");
    assert!(first.outer.id > first.messages[1].id && first.messages[1].id > first.messages[0].id);
    assert_eq!((first.salt, first.outer.sequence % 2), (5, 0));
    assert!(first.messages.iter().all(|one| one.sequence % 2 == 1 && one.id % 4 == 0));
    assert_eq!(lengths(first), [48, 88]);
    assert_eq!(lengths(pack(&mut dialogue, at(1_000)).expect("a packet")), [120_008]);
    assert_eq!(lengths(pack(&mut dialogue, at(1_000)).expect("a packet")), [48]);
    assert!(pack(&mut dialogue, at(1_000)).is_none());
}

#[test]
fn requests_are_not_compressed() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let bodies = [body(1, 4_000), body(2, 200_000)];
    for body in bodies {
        let _result = ask(&mut dialogue, body.clone());
        let packet = pack(&mut dialogue, at(1_000)).expect("a packet");
        assert_eq!(packet.messages[0].body, body);
    }
}

#[test]
fn a_request_that_no_packet_holds_is_refused_at_once() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    for length in [0, 3, 9, LONGEST + 4] {
        let mut result = ask(&mut dialogue, vec![1; length]);
        assert_eq!(result.try_recv(), Ok(Err(RequestError::Unsendable(length))));
    }
    assert!(dialogue.is_quiet());
}

#[test]
fn after_a_wrong_salt_requests_are_repeated_in_order() {
    let mut dialogue = Dialogue::new(SESSION, 0, 0);
    let mut results: Vec<_> = (0..3).map(|number| ask(&mut dialogue, body(number, 1))).collect();
    let first = pack(&mut dialogue, at(1_000)).expect("a packet");
    dialogue.begun();
    let _later = ask(&mut dialogue, body(3, 1));
    // The container is named, not what it holds.
    hear(&mut dialogue, not_taken(first.outer.id, 48, Some(9)), at(1_000));
    let again = pack(&mut dialogue, at(1_000)).expect("a packet");
    assert_eq!((again.salt, dialogue.learned()), (9, (9, 0)));
    let bodies: Vec<_> = again.messages.iter().map(|one| one.body.clone()).collect();
    assert_eq!(bodies, (0..4).map(|number| body(number, 1)).collect::<Vec<_>>());
    assert!(again.messages.iter().all(|one| first.messages.iter().all(|before| before.id < one.id)));
    for (one, result) in again.messages.iter().zip(&mut results) {
        hear(&mut dialogue, Content::Result { request: one.id, body: vec![1; 4].into() }, at(1_000));
        assert_eq!(result.try_recv(), Ok(Ok(vec![1; 4])));
    }
}

#[test]
fn a_wrong_clock_is_corrected() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let mut result = ask(&mut dialogue, body(0, 1));
    // Ours is an hour ahead.
    let now = at(4_600);
    let first = pack(&mut dialogue, now).expect("a packet");
    dialogue.begun();
    assert_eq!(first.outer.id >> 32, 4_600);
    hear(&mut dialogue, not_taken(first.outer.id, 17, None), now);
    let again = pack(&mut dialogue, now).expect("a packet");
    assert_eq!(again.outer.id >> 32, 1_000);
    hear(&mut dialogue, Content::Result { request: again.outer.id, body: vec![2; 4].into() }, now);
    assert_eq!(result.try_recv(), Ok(Ok(vec![2; 4])));
}

#[test]
fn abandoned_requests_keep_no_large_body() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let mut waiting = Vec::new();
    for number in 0..4 {
        waiting.push(ask(&mut dialogue, body(number, 128 * 1024)));
        pack(&mut dialogue, at(1_000)).expect("a packet");
        dialogue.begun();
    }
    let held =
        |dialogue: &Dialogue| dialogue.flying.values().map(|one| one.request.body.len()).sum::<usize>();
    drop(waiting.split_off(1));
    assert!(!dialogue.is_quiet());
    dialogue.forget_abandoned();
    assert!((512 * 1024..600 * 1024).contains(&held(&dialogue)), "{}", held(&dialogue));
    drop(waiting);
    dialogue.forget_abandoned();
    assert!(held(&dialogue) < 1_024 && dialogue.is_quiet());
    assert_eq!(dialogue.flying.len(), 4, "a late answer is still known by its request");
}

#[test]
fn wrong_sequence_numbers_are_corrected() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let _result = ask(&mut dialogue, body(0, 1));
    let first = pack(&mut dialogue, at(1_000)).expect("a packet");
    dialogue.begun();
    hear(&mut dialogue, not_taken(first.outer.id, 32, None), at(1_000));
    let again = pack(&mut dialogue, at(1_000)).expect("a packet");
    assert!(again.outer.sequence > first.outer.sequence + 32);
    dialogue.begun();
    hear(&mut dialogue, not_taken(again.outer.id, 33, None), at(1_000));
    let lower = pack(&mut dialogue, at(1_000)).expect("a packet").outer.sequence;
    assert!(lower < again.outer.sequence && lower % 2 == 1);
}

#[test]
fn repeatedly_refused_requests_are_given_up() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let mut result = ask(&mut dialogue, body(0, 1));
    let mut written = 0;
    while let Some(packet) = pack(&mut dialogue, at(1_000)) {
        dialogue.begun();
        written += 1;
        hear(&mut dialogue, not_taken(packet.outer.id, 48, Some(written)), at(1_000));
    }
    assert_eq!(written, i64::from(MOST_REFUSALS) + 1);
    assert_eq!(result.try_recv(), Ok(Err(RequestError::NotTaken(48))));
}

#[test]
fn an_uncorrectable_refusal_is_reported() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let mut result = ask(&mut dialogue, body(0, 1));
    let packet = pack(&mut dialogue, at(1_000)).expect("a packet");
    dialogue.begun();
    hear(&mut dialogue, not_taken(packet.outer.id, 64, None), at(1_000));
    assert_eq!(result.try_recv(), Ok(Err(RequestError::NotTaken(64))));
    assert!(pack(&mut dialogue, at(1_000)).is_none());
}

#[test]
fn requests_abandoned_before_writing_are_not_written() {
    let mut dialogue = Dialogue::new(SESSION, 0, 0);
    drop(ask(&mut dialogue, body(0, 1)));
    assert!(pack(&mut dialogue, at(1_000)).is_none());
    // One that was written and refused is as good as not written.
    let result = ask(&mut dialogue, body(1, 1));
    let packet = pack(&mut dialogue, at(1_000)).expect("a packet");
    dialogue.begun();
    drop(result);
    hear(&mut dialogue, not_taken(packet.outer.id, 48, Some(1)), at(1_000));
    assert!(pack(&mut dialogue, at(1_000)).is_none());
}

#[test]
fn a_lost_connection_separates_begun_and_waiting() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let lost = |written| Ok(Err(RequestError::Lost { loss: Loss::Ended, written }));
    let mut begun = ask(&mut dialogue, body(0, 1));
    assert!(pack(&mut dialogue, at(1_000)).is_some());
    dialogue.begun();
    let mut packed = ask(&mut dialogue, body(1, 1));
    assert!(pack(&mut dialogue, at(1_000)).is_some());
    let mut waiting = ask(&mut dialogue, body(2, 1));
    dialogue.end(&Loss::Ended);
    assert_eq!(begun.try_recv(), lost(true));
    assert_eq!(packed.try_recv(), lost(false));
    assert_eq!(waiting.try_recv(), lost(false));
}

#[test]
fn an_answer_to_something_unknown_ends_nothing() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let mut result = ask(&mut dialogue, body(0, 1));
    pack(&mut dialogue, at(1_000)).expect("a packet");
    dialogue.begun();
    let error = RequestError::Unpackable;
    assert!(
        hear(&mut dialogue, Content::Result { request: 4, body: vec![1; 4].into() }, at(1_000)).is_empty()
    );
    hear(&mut dialogue, Content::Failed { request: 4, error }, at(1_000));
    hear(&mut dialogue, not_taken(4, 48, Some(1)), at(1_000));
    hear(&mut dialogue, not_taken(4, 64, None), at(1_000));
    assert!(result.try_recv().is_err());
    // An update that no one asked for is still one.
    let too_long = enums::Updates::TooLong.to_bytes();
    let arrived = hear(&mut dialogue, Content::Update(too_long.into()), at(1_000));
    assert!(matches!(arrived[..], [UpdatesLike::Updates(enums::Updates::TooLong)]));
}

#[test]
fn a_request_without_updates_is_wrapped_and_tells_none() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let (answer, mut result) = oneshot::channel();
    dialogue.ask(body(0, 1), Updates::Unwanted, answer);
    let packet = pack(&mut dialogue, at(1_000)).expect("a packet");
    let query = [&0xbf94_59b7_u32.to_le_bytes()[..], &body(0, 1)].concat();
    assert_eq!(packet.outer.body, query);
    let updates = enums::Updates::TooLong.to_bytes();
    let result_of = Content::Result { request: packet.outer.id, body: updates.clone().into() };
    assert!(hear(&mut dialogue, result_of, at(1_000)).is_empty());
    assert_eq!(result.try_recv(), Ok(Ok(updates)));
}

#[test]
fn an_error_names_the_request_that_it_answers() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let mut result = ask(&mut dialogue, body(0, 1));
    let packet = pack(&mut dialogue, at(1_000)).expect("a packet");
    let error = RpcError { code: 400, name: "A".to_owned(), value: None, caused_by: None };
    hear(&mut dialogue, Content::Failed { request: packet.outer.id, error: error.clone().into() }, at(1_000));
    let caused_by = Some(0xeeee_eeee);
    assert_eq!(result.try_recv(), Ok(Err(RequestError::Rpc(RpcError { caused_by, ..error }))));
}

#[test]
fn messages_are_acknowledged_with_a_packet_or_in_time() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let say = |dialogue: &mut Dialogue, id| {
        let message = Message { id, is_content: true, what: Content::Nothing };
        dialogue.hear(message, at(1_000), &mut Vec::new());
    };
    let acknowledged = |packet: &Packet| {
        let ack = packet.messages.iter().find_map(|one| {
            let fields = one.body.strip_prefix(&types::MsgsAck::CONSTRUCTOR_ID.to_le_bytes())?;
            assert_eq!(one.sequence % 2, 0);
            types::MsgsAck::deserialize(&mut Cursor::from_slice(fields)).ok()
        });
        ack.map(|ack| ack.msg_ids).unwrap_or_default()
    };
    say(&mut dialogue, 11);
    assert!(pack(&mut dialogue, at(1_001)).is_none());
    assert_eq!(dialogue.acknowledges_at(), Some(at(1_000).running + ACKNOWLEDGED_WITHIN));
    assert_eq!(acknowledged(&pack(&mut dialogue, at(1_020)).expect("in time")), [11]);
    assert_eq!(dialogue.acknowledges_at(), None);
    say(&mut dialogue, 13);
    let _result = ask(&mut dialogue, body(0, 1));
    assert_eq!(acknowledged(&pack(&mut dialogue, at(1_000)).expect("with a request")), [13]);
    let many: Vec<i64> = (20..36).collect();
    for id in &many {
        say(&mut dialogue, *id);
    }
    assert_eq!(acknowledged(&pack(&mut dialogue, at(1_000)).expect("many")), many);
}

#[test]
fn an_announced_answer_is_requested() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let _result = ask(&mut dialogue, body(0, 1));
    let packet = pack(&mut dialogue, at(1_000)).expect("a packet");
    dialogue.begun();
    hear(&mut dialogue, Content::Answered { request: Some(packet.outer.id), by: 9 }, at(1_000));
    let resend_request = pack(&mut dialogue, at(1_000)).expect("a packet").outer;
    assert_eq!(resend_request.body, object(&types::MsgResendReq { msg_ids: vec![9] }));
    // What came already is acknowledged.
    hear(&mut dialogue, Content::Answered { request: Some(4), by: 13 }, at(1_000));
    assert!(pack(&mut dialogue, at(1_000)).is_none());
    assert!(pack(&mut dialogue, at(1_030)).is_some());
}

#[test]
fn a_session_that_telegram_forgot_is_a_gap() {
    let mut dialogue = Dialogue::new(SESSION, 0, 0);
    assert!(hear(&mut dialogue, Content::NewSession { salt: 3 }, at(1_000)).is_empty());
    assert_eq!(dialogue.learned().0, 3);
    let arrived = hear(&mut dialogue, Content::NewSession { salt: 4 }, at(1_000));
    assert!(matches!(arrived[..], [UpdatesLike::MalformedUpdates]));
}

#[test]
fn a_ping_keeps_the_connection_and_answers_no_request() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    dialogue.ping(8);
    let ping = functions::PingDelayDisconnect { ping_id: 8, disconnect_delay: 75 }.to_bytes();
    let packet = pack(&mut dialogue, at(1_000)).expect("a packet").outer;
    assert_eq!(packet.body, ping);
    hear(&mut dialogue, Content::Result { request: packet.id, body: vec![1; 4].into() }, at(1_000));
    assert!(dialogue.is_quiet());
}

#[test]
fn requests_are_bounded_and_abandoned_ones_make_room() {
    let mut dialogue = Dialogue::new(SESSION, 5, 0);
    let mut results = Vec::new();
    while dialogue.has_room() {
        results.push(ask(&mut dialogue, body(0, 1)));
    }
    assert_eq!(results.len(), MOST_REQUESTS);
    while pack(&mut dialogue, at(1_000)).is_some() {
        dialogue.begun();
    }
    assert!(!dialogue.has_room());
    results.pop();
    assert!(dialogue.has_room());
}

#[derive(Debug, Clone)]
enum Event {
    Ask(usize),
    GiveUp(prop::sample::Index),
    Pack,
    Begun,
    ReplySender(prop::sample::Index),
    Fail(prop::sample::Index),
    Refuse(prop::sample::Index, i32),
    RefuseContainer(prop::sample::Index),
    Strange(i64),
    Later,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (1..40_000_usize).prop_map(Event::Ask),
        1 => any::<prop::sample::Index>().prop_map(Event::GiveUp),
        4 => Just(Event::Pack),
        4 => Just(Event::Begun),
        3 => any::<prop::sample::Index>().prop_map(Event::ReplySender),
        1 => any::<prop::sample::Index>().prop_map(Event::Fail),
        1 => (any::<prop::sample::Index>(), prop::sample::select(vec![16, 17, 32, 33, 48, 64, 20]))
            .prop_map(|(which, reason)| Event::Refuse(which, reason)),
        1 => any::<prop::sample::Index>().prop_map(Event::RefuseContainer),
        1 => any::<i64>().prop_map(Event::Strange),
        1 => Just(Event::Later),
    ]
}

proptest! {
    /// Whatever happens, each request is answered once; what is said to be unwritten was not begun, or Telegram refused it; new
    /// requests leave in the order in which they were asked.
    #[test]
    fn requests_end_once_and_written_ones_count_as_written(
        events in proptest::collection::vec(event(), 0..120),
    ) {
        let mut dialogue = Dialogue::new(SESSION, 0, 0);
        let mut now = 1_000;
        let mut results: BTreeMap<u32, oneshot::Receiver<Answered>> = BTreeMap::new();
        let mut ended: BTreeMap<u32, Answered> = BTreeMap::new();
        // Message id of what is in flight, with its request and container; what of it is begun.
        let mut flying: BTreeMap<i64, (u32, i64)> = BTreeMap::new();
        let (mut begun, mut fresh) = (BTreeSet::new(), BTreeSet::new());
        let (mut next, mut left_first, mut last_id) = (0_u32, Vec::new(), 0_i64);
        for event in events {
            let pick = |which: prop::sample::Index| {
                let written: Vec<i64> = flying.keys().filter(|id| begun.contains(*id)).copied().collect();
                (!written.is_empty()).then(|| written[which.index(written.len())])
            };
            match event {
                Event::Ask(words) => {
                    results.insert(next, ask(&mut dialogue, body(next, words)));
                    next += 1;
                }
                Event::GiveUp(which) => {
                    let held: Vec<u32> = results.keys().copied().collect();
                    if !held.is_empty() {
                        results.remove(&held[which.index(held.len())]);
                    }
                }
                Event::Pack => {
                    if let Some(packet) = pack(&mut dialogue, at(now)) {
                        prop_assert!(packet.messages.iter().all(|one| one.id <= packet.outer.id));
                        last_id = packet.outer.id;
                        for one in packet.requests() {
                            let number = u32::from_le_bytes(one.body[4..8].try_into().expect("four"));
                            prop_assert!(!ended.contains_key(&number));
                            prop_assert!(flying.values().all(|(other, _)| *other != number), "twice at once");
                            flying.insert(one.id, (number, packet.outer.id));
                            fresh.insert(one.id);
                            if !left_first.contains(&number) {
                                left_first.push(number);
                            }
                        }
                        // One packet at a time is on its way.
                        dialogue.begun();
                        begun.append(&mut fresh);
                    }
                }
                Event::Begun => dialogue.begun(),
                Event::ReplySender(which) => if let Some(id) = pick(which) {
                    let (number, _) = flying.remove(&id).expect("in flight");
                    let what = Content::Result { request: id, body: number.to_le_bytes().to_vec().into() };
                    hear(&mut dialogue, what, at(now));
                },
                Event::Fail(which) => if let Some(id) = pick(which) {
                    flying.remove(&id);
                    hear(&mut dialogue, Content::Failed { request: id, error: RequestError::Unpackable }, at(now));
                },
                Event::Refuse(which, reason) => if let Some(id) = pick(which) {
                    flying.retain(|own, (_, outer)| *own != id && *outer != id);
                    let salt = (reason == 48).then_some(now);
                    hear(&mut dialogue, not_taken(id, reason, salt), at(now));
                },
                Event::RefuseContainer(which) => if let Some(id) = pick(which) {
                    let container = flying[&id].1;
                    flying.retain(|own, (_, outer)| *own != container && *outer != container);
                    hear(&mut dialogue, not_taken(container, 48, Some(now)), at(now));
                },
                Event::Strange(id) => if !flying.contains_key(&id) && id != last_id {
                    hear(&mut dialogue, Content::Result { request: id, body: vec![0; 4].into() }, at(now));
                },
                Event::Later => now += 7,
            }
            for (number, result) in &mut results {
                if let Ok(result) = result.try_recv() {
                    prop_assert!(ended.insert(*number, result).is_none(), "answered twice");
                }
            }
        }
        dialogue.end(&Loss::Ended);
        for (number, mut result) in results {
            if let Ok(result) = result.try_recv() {
                prop_assert!(ended.insert(number, result).is_none(), "answered twice");
            }
            let ended = ended.get(&number);
            prop_assert!(ended.is_some(), "{number} was not answered");
            let in_flight = flying.values().any(|(other, _)| *other == number);
            match ended {
                Some(Ok(body)) => prop_assert_eq!(&body[..], number.to_le_bytes()),
                Some(Err(RequestError::Lost { written, .. })) => prop_assert_eq!(*written, in_flight),
                _ => prop_assert!(!in_flight),
            }
        }
        prop_assert!(left_first.is_sorted(), "{left_first:?}");
    }
}
