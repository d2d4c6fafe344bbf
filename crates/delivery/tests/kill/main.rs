//! A program that dies between any two steps of a message with albums, a caption and more text: after the next start each
//! item has arrived once, in order, through one account.
//!
//! It dies by its runtime: whatever waits at that instant is dropped where it is, and only the store's file and the other
//! side remember. The points are those of the whole process, so these are tests of a program of their own, one at a time.

#[cfg(test)]
#[path = "../it/folder.rs"]
mod folder;
#[cfg(test)]
#[path = "../it/script.rs"]
#[expect(dead_code, reason = "the other tests need more of it")]
mod script;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    use ambient::Clock;
    use delivery::{Capabilities, Dedup, Limits, Submission};
    use domain::{MessageState, Outcome};
    use failpoint::testing;
    use store::{Idempotency, SameBy};
    use tokio::runtime::{Builder, Runtime};

    use crate::folder::Folder;
    use crate::script::{Act, Bench, CAPABILITIES, Prepares, Script, album, group, mentioning};

    /// What happens to the message before it is killed.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Day {
        /// Nothing.
        Good,
        /// Someone is mentioned, so that the parts are known only with the account.
        Mention,
        /// The answer to the first album is lost.
        LostAnswer,
        /// The first account is flooded at the first album.
        Flood,
        /// The first account cannot prepare the first album.
        Unprepared,
    }

    /// Where it is killed, on which day, and after how many have passed the point.
    const KILLS: [(&str, Day, u32); 17] = [
        ("store.accept", Day::Good, 1),
        ("store.accept", Day::Mention, 1),
        ("store.begin", Day::Good, 3),
        ("store.begin", Day::Mention, 3),
        ("store.begin", Day::Unprepared, 3),
        ("store.begin", Day::Flood, 4),
        ("store.part_sent", Day::Good, 3),
        ("store.part_sent", Day::LostAnswer, 3),
        ("store.part_unsent", Day::Flood, 1),
        ("store.note", Day::LostAnswer, 1),
        ("store.note", Day::Unprepared, 1),
        ("script.prepare", Day::Good, 2),
        ("script.prepare", Day::Unprepared, 3),
        ("script.prepare", Day::LostAnswer, 3),
        ("script.send", Day::Good, 3),
        ("script.send", Day::Mention, 3),
        ("script.send", Day::LostAnswer, 4),
    ];

    const PHOTOS: u16 = 12;

    /// A key is known for ever.
    const FOR_EVER: Dedup = Dedup::Key { window: None };

    fn submission(day: Day) -> Submission {
        let words = format!("{}\n\n{}", "a".repeat(1_000), "b".repeat(900));
        let mut submission = album(group(1), usize::from(PHOTOS), &words);
        if day == Day::Mention {
            submission.content.mention = mentioning(group(1), "").content.mention;
        }
        // A caller that asks for it does so again under the same key.
        submission.idempotency =
            Some(Idempotency { scope: [1; 32], fingerprint: [2; 32], same_by: SameBy::Key });
        submission
    }

    /// How often something stopped at this point so far.
    fn stopped(point: &str) -> u32 {
        testing::stopped().get(point).copied().unwrap_or(0)
    }

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
    }

    /// The message goes on its way until the program stops at the point; then the program is dropped.
    fn live_until(
        (point, skip): (&str, u32),
        day: Day,
        folder: &Folder,
        clock: &Clock,
        script: &Arc<Script>,
    ) {
        let runtime = runtime();
        let before = stopped(point);
        testing::arm(point, skip);
        runtime.block_on(async {
            let (delivery, _store) = Bench::run(folder, clock, script, Limits::default()).await;
            let submitting = tokio::spawn(async move {
                // At the points of its acceptance this never ends.
                delivery.submit(submission(day)).await.expect("accepted");
                std::future::pending::<()>().await;
            });
            let stops = async {
                while stopped(point) == before {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::time::timeout(Duration::from_mins(1), stops)
                .await
                .unwrap_or_else(|_| panic!("{point} is reached on a day like {day:?} after {skip}"));
            submitting.abort();
        });
        runtime.shutdown_timeout(Duration::from_secs(20));
        testing::arm(point, u32::MAX);
    }

    fn check(
        dedup: Dedup,
        (point, skip): (&str, u32),
        day: Day,
        folder: &Folder,
        clock: &Clock,
        script: &Arc<Script>,
    ) {
        let context = format!("{dedup:?} {point} {day:?} after {skip}");
        // A flood that is met in doubt is waited for.
        clock.advance(Duration::from_mins(6));
        let runtime = runtime();
        let message = runtime.block_on(async {
            let (delivery, store) = Bench::run(folder, clock, script, Limits::default()).await;
            delivery.resume().await.expect("resumes");
            let id = delivery.submit(submission(day)).await.expect("accepted").id;
            let message = loop {
                let message = delivery.settled(id, Duration::ZERO).await.expect("reads").expect("exists");
                if message.state.is_final() {
                    break message;
                }
                clock.advance(Duration::from_secs(1));
                tokio::time::sleep(Duration::from_millis(2)).await;
            };
            delivery.drain(Duration::from_secs(5)).await;
            store.close().await;
            message
        });
        runtime.shutdown_timeout(Duration::from_secs(20));
        let effects = script.effects();
        let places: Vec<_> = effects.iter().map(|effect| effect.media).collect();
        let all: Vec<_> = (0..PHOTOS).map(Some).chain([None]).collect();
        assert!(all.starts_with(&places), "{context}: {places:?}");
        assert!(effects.iter().all(|effect| effect.account == effects[0].account), "{context}");
        let mentions = effects.first().is_some_and(|first| first.text.contains("Anna"));
        assert_eq!(mentions, day == Day::Mention && !effects.is_empty(), "{context}");
        let random_ids = message.parts.iter().flat_map(|part| &part.items).map(|item| item.random_id);
        let random_ids: Vec<_> = random_ids.take(effects.len()).collect();
        assert!(random_ids.into_iter().eq(effects.iter().map(|effect| effect.random_id)), "{context}");
        let otherwise = match dedup {
            Dedup::Key { window: None } | Dedup::ReadBack => MessageState::Sent,
            Dedup::Key { window: Some(_) } => MessageState::Failed,
            Dedup::None => MessageState::InDoubt,
        };
        assert!([MessageState::Sent, otherwise].contains(&message.state), "{context}: {:?}", message.state);
        let known = message.message_ids().len();
        match message.state {
            MessageState::Sent => assert_eq!((known, places), (all.len(), all), "{context}"),
            // Nothing of what failed is there.
            MessageState::Failed => assert_eq!(known, effects.len(), "{context}"),
            _ => assert!(known <= effects.len(), "{context}"),
        }
    }

    #[test]
    fn killed_at_every_point_each_item_arrives_once() {
        kill_everywhere(FOR_EVER, Folder::on_sqlite);
        // Shorter than the program is away.
        let window = Some(Duration::from_mins(1));
        for dedup in [Dedup::Key { window }, Dedup::ReadBack, Dedup::None] {
            kill_everywhere(dedup, Folder::on_sqlite);
        }
    }

    mod on_postgres {
        use super::{FOR_EVER, Folder, kill_everywhere, runtime};

        #[test]
        fn killed_at_every_point_each_item_arrives_once() {
            kill_everywhere(FOR_EVER, || runtime().block_on(Folder::on_postgres()));
        }
    }

    fn kill_everywhere(dedup: Dedup, folder: impl Fn() -> Folder) {
        // The points are those of the process.
        static TURN: Mutex<()> = Mutex::new(());
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // With a key alone a lost answer leads to another attempt, which reaches the points as often as the table says.
        let reached = |day: Day| dedup == FOR_EVER || day != Day::LostAnswer;
        for (place, day, times) in KILLS.into_iter().filter(|(_, day, _)| reached(*day)) {
            for (point, skip) in ["before", "after"]
                .iter()
                .flat_map(|side| (0..times).map(move |skip| (format!("{place}.{side}"), skip)))
            {
                let (folder, clock) = (folder(), Clock::system());
                let script = Script::new(&clock, Capabilities { dedup, ..CAPABILITIES });
                let soon = clock.now().plus(Duration::from_mins(5));
                match day {
                    Day::Good | Day::Mention => {}
                    Day::LostAnswer => script.act("main", [Act::SendSilently]),
                    Day::Flood => script.act("main", [Act::Refuse(Outcome::held(soon))]),
                    Day::Unprepared => {
                        script.prepare("main", [Prepares::Fails(Outcome::Unavailable("no progress".into()))]);
                    }
                }
                live_until((&point, skip), day, &folder, &clock, &script);
                check(dedup, (&point, skip), day, &folder, &clock, &script);
            }
        }
    }
}
