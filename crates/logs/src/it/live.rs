//! Readers who stay, and writers who never wait.

use std::time::Duration;

use logs::{Filter, Level, LogStore, TailEvent};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

use crate::it::world::{World, retention};

const SOON: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_tail_gets_what_it_wants_as_it_is_written() {
    let world = World::new(1 << 20);
    world.log(|| tracing::warn!("before"));
    let mut tail = world.store.tail(Filter { level: Some(Level::Warn), ..Filter::default() });
    assert_eq!(world.all().await.len(), 1);
    let mut messages = Vec::new();
    world.log(|| {
        tracing::info!("unimportant");
        tracing::warn!(account = "main", "first");
        tracing::error!("second");
    });
    while messages.last().is_none_or(|message| message != "second") {
        let next = tokio::time::timeout(SOON, tail.next()).await.expect("in time");
        let Some(TailEvent::Line(line)) = next else { panic!("{next:?}") };
        assert_eq!(world.store.line(line.id).await.expect("reads").as_ref(), Some(&*line));
        messages.push(line.message.clone());
    }
    messages.retain(|message| message != "before");
    assert_eq!(messages, ["first", "second"]);
    let store = world.store.clone();
    world.end().await;
    drop(store);
    assert_eq!(tokio::time::timeout(SOON, tail.next()).await, Ok(None));
}

#[tokio::test]
async fn a_slow_reader_learns_how_much_it_missed() {
    let world = World::new(1 << 24);
    let mut tail = world.store.tail(Filter::default());
    world.log(|| (0..10_000).for_each(|number| tracing::info!(number, "line")));
    assert_eq!(world.all().await.len(), 10_000);
    let mut received = 0;
    while received < 10_000 {
        match tokio::time::timeout(SOON, tail.next()).await.expect("in time").expect("it goes on") {
            TailEvent::LeftOut => panic!("it was never away"),
            TailEvent::Line(_) => received += 1,
            TailEvent::Missed(missed) => {
                assert!(received == 0 && missed > 1_000, "{received} {missed}");
                received += missed;
            }
        }
    }
    world.end().await;
}

#[tokio::test]
async fn returning_reader_gets_the_gap_or_a_notice() {
    let world = World::new(1 << 24);
    world.log(|| tracing::warn!("known"));
    let known = world.all().await[0].id;
    world.log(|| {
        for number in 0..250 {
            tracing::info!("unimportant");
            tracing::warn!(number, "missed");
        }
    });
    assert_eq!(world.all().await.len(), 501);
    let filter = Filter { level: Some(Level::Warn), ..Filter::default() };
    // What each round logs is missed by those after it.
    for (most, missed) in [(249, 250), (251, 251), (1_000, 252), (252, 253)] {
        let mut tail = world.store.tail_after(filter.clone(), known, most).await.expect("reads");
        let mut lines = Vec::new();
        let mut left_out = false;
        while let Some(event) = tail.missed() {
            match event {
                TailEvent::Line(line) => lines.push(line),
                TailEvent::LeftOut => left_out = true,
                TailEvent::Missed(_) => panic!("it is not slow"),
            }
        }
        assert_eq!((lines.len(), left_out), (most.min(missed), most < missed));
        assert!(lines[0].id > known && lines.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert_eq!(lines[0].field("number"), Some("0"));
        world.log(|| tracing::warn!(most, "now"));
        loop {
            let event = tokio::time::timeout(SOON, tail.next()).await.expect("in time");
            let Some(TailEvent::Line(line)) = event else { panic!("{event:?}") };
            // Of what was left out some may still be on its way; nothing comes twice.
            assert!(left_out || line.message == "now", "{line:?}");
            if line.field("most") == Some(most.to_string().as_str()) {
                break;
            }
        }
    }
    world.end().await;
}

#[tokio::test]
async fn early_lines_are_stored_and_overflow_is_counted() {
    let clock = ambient::Clock::system();
    let (layer, gathered) = logs::layer(clock);
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    let body = "y".repeat(8_000);
    tracing::dispatcher::with_default(&dispatch, || {
        tracing::info!("the first");
        (0..1_000).for_each(|_| tracing::info!(body, "much"));
    });
    let folder = tempfile::tempdir().expect("a folder");
    let store = LogStore::open(folder.path(), retention(1 << 24), gathered).expect("opens");
    tracing::dispatcher::with_default(&dispatch, || tracing::info!("the last"));
    // A machine that is busy with other things takes its time for four mebibytes.
    let written = async {
        while store.counts().written + store.counts().dropped < 1_000 + 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, written).await.expect("in time");
    let filter = Filter { text: Some("log lines are missing".to_owned()), ..Filter::default() };
    let page =
        store.search(logs::Query { filter, limit: 10, ..logs::Query::default() }).await.expect("reads");
    let counts = store.counts();
    assert!(counts.dropped > 400 && counts.dropped < 600, "{counts:?}");
    assert_eq!(page.lines.len(), 1);
    assert_eq!(page.lines[0].field("dropped"), Some(counts.dropped.to_string().as_str()));
    assert_eq!(counts.written + counts.dropped, 1_000 + 3);
    store.close().await;
}
