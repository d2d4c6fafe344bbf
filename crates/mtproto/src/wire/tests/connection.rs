//! A connection: what it survives, what it reports, and what it leaves alone.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{Identifiable as _, Serializable as _, enums, functions, types};
use tokio::sync::mpsc;

use super::super::message::split;
use super::super::message::tests::{boxed, container};
use super::super::{Connection, Loss, RequestError, Updates, Wire};
use super::centre::{Centre, SALT, TIMEOUT, Talk, ask, clock, ended, request};

async fn up(centre: &Centre) -> (Connection, mpsc::Receiver<UpdatesLike>, Talk) {
    let (connection, updates) = centre.connect(&clock());
    let reply = ask(&connection.wire, request(0, 8));
    let mut talk = centre.greeted().await;
    answer_next(&mut talk).await;
    assert_eq!(ended(reply).await, Ok(true.to_bytes()));
    (connection, updates, talk)
}

async fn answer_next(talk: &mut Talk) {
    let received = talk.request().await;
    for (id, _) in received.requests() {
        talk.answer(*id, &true.to_bytes()).await;
    }
}

async fn next(updates: &mut mpsc::Receiver<UpdatesLike>) -> UpdatesLike {
    tokio::time::timeout(TIMEOUT, updates.recv()).await.expect("in time").expect("something")
}

const fn lost(loss: Loss, written: bool) -> RequestError {
    RequestError::Lost { loss, written }
}

async fn comes_back(centre: &Centre, connection: &Connection) {
    let reply = ask(&connection.wire, request(9, 8));
    let mut talk = centre.greeted().await;
    answer_next(&mut talk).await;
    assert_eq!(ended(reply).await, Ok(true.to_bytes()));
}

#[tokio::test]
async fn a_large_request_leaves_as_long_as_it_is() {
    let centre = Centre::start().await;
    let (connection, _updates, mut talk) = up(&centre).await;
    // Zeros would shrink to nothing.
    let reply = ask(&connection.wire, request(1, 512 * 1024));
    let received = talk.request().await;
    assert!(received.length > 512 * 1024, "{}", received.length);
    assert_eq!(received.requests()[0].1, request(1, 512 * 1024));
    talk.answer(received.requests()[0].0, &true.to_bytes()).await;
    assert_eq!(ended(reply).await, Ok(true.to_bytes()));
    connection.close().await;
}

#[tokio::test]
async fn requests_that_wait_together_are_one_packet() {
    let centre = Centre::start().await;
    let (connection, _updates) = centre.connect(&clock());
    let several: Vec<_> = (0..5).map(|number| ask(&connection.wire, request(number, 64))).collect();
    // They wait for the greeting to be answered.
    let mut talk = centre.accept().await;
    let greeting = talk.hear().await.expect("a greeting");
    tokio::task::yield_now().await;
    talk.answer(greeting.outer, &true.to_bytes()).await;
    let received = talk.request().await;
    assert_eq!(received.requests().len(), 5);
    for (id, _) in received.requests() {
        talk.answer(*id, &true.to_bytes()).await;
    }
    for reply in several {
        assert_eq!(ended(reply).await, Ok(true.to_bytes()));
    }
    connection.close().await;
}

#[tokio::test]
async fn a_wrong_salt_costs_one_more_packet_and_is_remembered() {
    let centre = Centre::start().await;
    let (connection, mut updates) = centre.connect(&clock());
    let reply = ask(&connection.wire, request(1, 8));
    let mut talk = centre.accept().await;
    let first = talk.hear().await.expect("a greeting");
    let salt = types::BadServerSalt {
        bad_msg_id: first.outer,
        bad_msg_seqno: 1,
        error_code: 48,
        new_server_salt: SALT,
    };
    talk.say(&boxed(&salt)).await;
    let again = talk.hear().await.expect("once more");
    let greeting = again.messages.iter().find(|(_, body)| *body == first.messages[0].1);
    talk.answer(greeting.expect("the same").0, &true.to_bytes()).await;
    assert_eq!((first.salt, again.salt), (0, SALT));
    answer_next(&mut talk).await;
    assert_eq!(ended(reply).await, Ok(true.to_bytes()));
    drop(talk);
    assert!(matches!(next(&mut updates).await, UpdatesLike::ConnectionClosed));
    // The next connection begins with it.
    let reply = ask(&connection.wire, request(2, 8));
    let mut talk = centre.accept().await;
    assert_eq!(talk.hear().await.expect("a greeting").salt, SALT);
    drop(talk);
    assert!(ended(reply).await.is_err());
    connection.close().await;
}

#[tokio::test]
async fn unrequested_answers_change_nothing() {
    let centre = Centre::start().await;
    let (connection, mut updates, mut talk) = up(&centre).await;
    let reply = ask(&connection.wire, request(1, 8));
    let received = talk.request().await;
    talk.answer(12_345, &true.to_bytes()).await;
    talk.say(&boxed(&types::BadMsgNotification { bad_msg_id: 8, bad_msg_seqno: 1, error_code: 64 })).await;
    talk.say(&boxed(&types::Pong { msg_id: 8, ping_id: 1 })).await;
    talk.say(&boxed(&types::FutureSalt { valid_since: 0, valid_until: 1, salt: 2 })).await;
    talk.say(&container(&[])).await;
    talk.answer(received.requests()[0].0, &true.to_bytes()).await;
    assert_eq!(ended(reply).await, Ok(true.to_bytes()));
    assert!(updates.try_recv().is_err());
    connection.close().await;
}

#[tokio::test]
async fn a_packet_of_another_session_is_not_read() {
    let centre = Centre::start().await;
    let (connection, mut updates, mut talk) = up(&centre).await;
    let reply = ask(&connection.wire, request(1, 8));
    let received = talk.request().await;
    talk.mistake_session();
    talk.answer(received.requests()[0].0, &false.to_bytes()).await;
    talk.say(&enums::Updates::TooLong.to_bytes()).await;
    talk.mistake_session();
    talk.answer(received.requests()[0].0, &true.to_bytes()).await;
    assert_eq!(ended(reply).await, Ok(true.to_bytes()));
    assert!(updates.try_recv().is_err());
    connection.close().await;
}

#[tokio::test]
async fn garbage_ends_the_connection_and_a_request_reopens_it() {
    let centre = Centre::start().await;
    for broken in 0..4 {
        let (connection, mut updates, mut talk) = up(&centre).await;
        let reply = ask(&connection.wire, request(1, 8));
        talk.request().await;
        let garbage = match broken {
            // No frame, a damaged frame, a damaged packet in a whole frame, a message that is none.
            0 => vec![1; 64],
            1 => {
                let mut packet = talk.packet(&[0; 16]);
                packet[20] ^= 1;
                packet
            }
            2 => {
                let mut packet = talk.packet(&[0; 16]);
                packet[20] ^= 1;
                let content = packet.len() - 4;
                let checksum = crc32fast::hash(&packet[..content]);
                packet[content..].copy_from_slice(&checksum.to_le_bytes());
                packet
            }
            _ => talk.packet(&types::BadServerSalt::CONSTRUCTOR_ID.to_le_bytes()),
        };
        talk.raw(&garbage).await;
        match ended(reply).await {
            Err(RequestError::Lost { loss: Loss::Garbled(_), written: true }) => {}
            other => panic!("{broken}: {other:?}"),
        }
        assert!(matches!(next(&mut updates).await, UpdatesLike::ConnectionClosed));
        drop(talk);
        comes_back(&centre, &connection).await;
        connection.close().await;
    }
}

#[tokio::test]
async fn a_refusal_of_the_transport_is_reported() {
    let centre = Centre::start().await;
    for code in [404, 429] {
        let (connection, mut updates, mut talk) = up(&centre).await;
        let reply = ask(&connection.wire, request(1, 8));
        talk.request().await;
        talk.raw(&i32::to_le_bytes(-code)).await;
        assert_eq!(ended(reply).await, Err(lost(Loss::Status(code.unsigned_abs()), true)));
        assert!(matches!(next(&mut updates).await, UpdatesLike::ConnectionClosed));
        connection.close().await;
    }
}

#[tokio::test]
async fn an_unknown_key_is_reported_on_opening() {
    let centre = Centre::start().await;
    for (code, expected) in [(404, RequestError::KeyUnknown), (429, lost(Loss::Status(429), false))] {
        let (connection, mut updates) = centre.connect(&clock());
        let reply = ask(&connection.wire, request(1, 8));
        let mut talk = centre.accept().await;
        talk.hear().await.expect("a greeting");
        talk.raw(&i32::to_le_bytes(-code)).await;
        assert_eq!(ended(reply).await, Err(expected));
        assert!(updates.try_recv().is_err());
        connection.close().await;
    }
}

#[tokio::test]
async fn a_lost_connection_separates_written_and_unwritten() {
    let centre = Centre::start().await;
    let (connection, mut updates, mut talk) = up(&centre).await;
    let written = ask(&connection.wire, request(1, 8));
    talk.request().await;
    // So much that the system does not take all of it: no one reads.
    let stuck: Vec<_> = (0..20).map(|number| ask(&connection.wire, request(number, 1_000_000))).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(talk);
    assert!(matches!(ended(written).await, Err(RequestError::Lost { written: true, .. })));
    let mut begun = 0;
    for reply in stuck {
        match ended(reply).await {
            Err(RequestError::Lost { written, .. }) => begun += u32::from(written),
            other => panic!("{other:?}"),
        }
    }
    // The half-written one is among them; those behind it are known not to have left.
    assert!((1..20).contains(&begun), "{begun}");
    assert!(matches!(next(&mut updates).await, UpdatesLike::ConnectionClosed));
    comes_back(&centre, &connection).await;
    connection.close().await;
}

#[tokio::test]
async fn a_write_that_makes_no_progress_is_given_up() {
    let (centre, clock) = (Centre::start().await, clock());
    let (connection, _updates) = centre.connect(&clock);
    let first = ask(&connection.wire, request(0, 8));
    let mut talk = centre.greeted().await;
    answer_next(&mut talk).await;
    ended(first).await.expect("answered");
    let stuck: Vec<_> = (0..20).map(|number| ask(&connection.wire, request(number, 1_000_000))).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    clock.advance(Duration::from_secs(31));
    for reply in stuck {
        assert!(matches!(ended(reply).await, Err(RequestError::Lost { loss: Loss::Stalled, .. })));
    }
    connection.close().await;
}

#[tokio::test]
async fn abandoned_waiting_requests_are_never_written() {
    let centre = Centre::start().await;
    let (connection, _updates) = centre.connect(&clock());
    let (gone, stays) = (ask(&connection.wire, request(1, 8)), ask(&connection.wire, request(2, 8)));
    let mut talk = centre.accept().await;
    let greeting = talk.hear().await.expect("a greeting");
    gone.abort();
    assert!(gone.await.is_err());
    talk.answer(greeting.outer, &true.to_bytes()).await;
    let received = talk.request().await;
    assert_eq!(received.requests().iter().map(|(_, body)| body[4]).collect::<Vec<_>>(), [2]);
    talk.answer(received.requests()[0].0, &true.to_bytes()).await;
    assert!(ended(stays).await.is_ok());
    connection.close().await;
}

#[tokio::test]
async fn hanging_up_ends_requests_and_the_next_connects_again() {
    let centre = Centre::start().await;
    let (connection, mut updates, mut talk) = up(&centre).await;
    let reply = ask(&connection.wire, request(1, 8));
    talk.request().await;
    connection.wire.hang_up();
    assert_eq!(ended(reply).await, Err(lost(Loss::Closed, true)));
    assert!(talk.hear().await.is_none(), "it is closed");
    drop(talk);
    assert!(updates.try_recv().is_err(), "no one is notified");
    comes_back(&centre, &connection).await;
    connection.close().await;
}

#[tokio::test]
async fn the_next_connection_waits_for_the_end_of_the_last() {
    let centre = Centre::start().await;
    let (connection, _updates, mut talk) = up(&centre).await;
    let reply = ask(&connection.wire, request(1, 8));
    talk.request().await;
    connection.wire.hang_up();
    // Anyone who asked is answered at once.
    assert_eq!(ended(reply).await, Err(lost(Loss::Closed, true)));
    let again = ask(&connection.wire, request(2, 8));
    let early = tokio::time::timeout(Duration::from_millis(100), centre.accept()).await;
    assert!(early.is_err(), "two connections with one key");
    assert!(talk.hear().await.is_none(), "it is closed, and read to its end");
    drop(talk);
    let mut next = centre.greeted().await;
    answer_next(&mut next).await;
    assert_eq!(ended(again).await, Ok(true.to_bytes()));
    // One that never closes is given up.
    connection.wire.hang_up();
    comes_back(&centre, &connection).await;
    connection.close().await;
}

#[tokio::test]
async fn closing_ends_all_requests_without_waiting() {
    let centre = Centre::start().await;
    let (connection, _updates) = centre.connect(&clock());
    let wire = connection.wire.clone();
    // It waits for a greeting that is never answered.
    let several: Vec<_> = (0..3).map(|number| ask(&wire, request(number, 8))).collect();
    let mut talk = centre.accept().await;
    talk.hear().await.expect("a greeting");
    connection.close().await;
    for reply in several {
        assert_eq!(ended(reply).await, Err(lost(Loss::Closed, false)));
    }
    assert!(talk.hear().await.is_none());
    assert_eq!(wire.request(request(4, 8), Updates::Wanted).await, Err(lost(Loss::Closed, false)));
}

#[tokio::test]
async fn a_keep_alive_is_sent_once_a_minute() {
    let (centre, clock) = (Centre::start().await, clock());
    let (connection, _updates) = centre.connect(&clock);
    let first = ask(&connection.wire, request(0, 8));
    let mut talk = centre.greeted().await;
    answer_next(&mut talk).await;
    ended(first).await.expect("answered");
    let ping = functions::PingDelayDisconnect::CONSTRUCTOR_ID;
    for _ in 0..3 {
        clock.advance(Duration::from_mins(1));
        let (mut received, mut pinged) = (Vec::new(), false);
        while !pinged {
            received = talk.hear().await.expect("a ping").messages;
            pinged = received.iter().any(|(_, body)| split(body).is_some_and(|(id, _)| id == ping));
        }
        let body = &received.last().expect("a ping").1;
        assert_eq!(body[12..], 75_i32.to_le_bytes());
    }
    connection.close().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_no_ping_from_leaving() {
    let (centre, clock) = (Centre::start().await, clock());
    let (connection, _updates) = centre.connect(&clock);
    let first = ask(&connection.wire, request(0, 8));
    let mut talk = centre.greeted().await;
    answer_next(&mut talk).await;
    ended(first).await.expect("answered");
    clock.set_back(Duration::from_hours(1));
    clock.advance(Duration::from_mins(1));
    let ping = functions::PingDelayDisconnect::CONSTRUCTOR_ID;
    loop {
        let received = talk.hear().await.expect("a ping");
        let numbered = received.messages.iter().map(|(id, _)| id >> 32);
        // Nor does it change how messages are numbered.
        assert!(numbered.min() >= Some(clock.now().as_seconds() + 3_500), "{received:?}");
        if received.messages.iter().any(|(_, body)| split(body).is_some_and(|(id, _)| id == ping)) {
            break;
        }
    }
    connection.close().await;
}

#[tokio::test]
async fn updates_come_in_order_and_one_that_cannot_be_read_is_a_gap() {
    let centre = Centre::start().await;
    let (connection, mut updates, mut talk) = up(&centre).await;
    let too_long = enums::Updates::TooLong.to_bytes();
    let broken = types::Updates::CONSTRUCTOR_ID.to_le_bytes().to_vec();
    talk.say(&container(&[(1, 1, too_long.clone()), (3, 1, broken), (5, 1, too_long)])).await;
    assert!(matches!(next(&mut updates).await, UpdatesLike::Updates(enums::Updates::TooLong)));
    assert!(matches!(next(&mut updates).await, UpdatesLike::MalformedUpdates));
    assert!(matches!(next(&mut updates).await, UpdatesLike::Updates(enums::Updates::TooLong)));
    connection.close().await;
}

#[tokio::test]
async fn requests_of_the_observer_are_written_first() {
    let centre = Centre::start().await;
    let opened = Arc::new(OnceLock::<Wire>::new());
    let (sight, end) = (Arc::clone(&opened), Arc::clone(&opened));
    let observer = move |_: &UpdatesLike, write: &mut dyn FnMut()| {
        let reply = sight.get().expect("opened").hand_over(request(2, 8), Updates::Wanted);
        tokio::spawn(reply.expect("room"));
        write();
    };
    // What is ordered comes before what waits to be written.
    let arrived = move |_| end.get().expect("opened").hang_up();
    let connection = centre.watched(&clock(), observer, arrived);
    opened.get_or_init(|| connection.wire.clone());
    let reply = ask(&connection.wire, request(1, 8));
    let mut talk = centre.greeted().await;
    answer_next(&mut talk).await;
    assert_eq!(ended(reply).await, Ok(true.to_bytes()));
    talk.say(&enums::Updates::TooLong.to_bytes()).await;
    assert_eq!(talk.request().await.requests()[0].1, request(2, 8));
    drop(talk);
    connection.close().await;
}
