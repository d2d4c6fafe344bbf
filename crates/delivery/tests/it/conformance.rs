//! Scripted senders of each kind pass the suite for senders.

use std::time::Duration;

use delivery::{Capabilities, Dedup, Delivery, Submission};
use domain::outcome::Unclear;
use domain::text::{TextLimit, Unit};
use domain::{AccountName, Outcome, Timestamp};
use proptest::prelude::*;
use testkit::conformance::{Answer, Stage, conforms, keeps_pace};
use tokio::runtime::{Builder, Runtime};

use crate::script::{Act, Bench, CAPABILITIES, group, text};

impl Stage for Bench {
    fn plays(&self, answers: &[Answer]) {
        let error = || Outcome::Unknown(Unclear::ServerError("500 INTERNAL".into()));
        for (number, answer) in answers.iter().enumerate() {
            let act = match answer {
                Answer::Takes => Act::Send,
                Answer::TakesUnheard => Act::SendSilently,
                Answer::TakesUnreadably => Act::SendAnd(Outcome::Unknown(Unclear::Unreadable("?".into()))),
                Answer::TakesAndErrs => Act::SendAnd(error()),
                Answer::TakesAndDies => Act::SendAndHang,
                Answer::Silent => Act::Refuse(Outcome::Unknown("no answer in time".into())),
                Answer::Errs => Act::Refuse(error()),
                Answer::Dies => Act::Hang,
                Answer::Floods => Act::Refuse(Outcome::held(self.clock.now().plus(Duration::from_secs(5)))),
                Answer::Refuses => Act::Refuse(Outcome::Rejected { code: "MESSAGE_TOO_LONG".into() }),
            };
            self.script.act(if number % 3 == 0 { "backup" } else { "main" }, [act]);
        }
    }

    fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    fn text(&self, chat: u8, words: &str) -> Submission {
        text(group(chat.into()), words)
    }

    fn ledger(&self) -> Vec<String> {
        self.script.texts()
    }

    fn arrivals(&self) -> Vec<(AccountName, Timestamp)> {
        self.script.effects().into_iter().map(|effect| (effect.account, effect.at)).collect()
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn is_dying(&self) -> bool {
        self.script.hangs()
    }

    async fn restart(self) -> Self {
        Self::restart(self).await
    }
}

/// With a limit that makes two parts of each text.
async fn bench(dedup: Dedup) -> Bench {
    let text = TextLimit::new(8, Unit::Characters);
    Bench::with(Capabilities { text, dedup, ..CAPABILITIES }).await
}

async fn play(dedup: Dedup, answers: &[Answer], chats: &[u8]) -> Result<(), String> {
    conforms(bench(dedup).await, answers, chats).await.map(drop)
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn kinds() -> impl Strategy<Value = Dedup> {
    prop_oneof![
        Just(Dedup::Key { window: None }),
        Just(Dedup::Key { window: Some(Duration::from_secs(20)) }),
        Just(Dedup::ReadBack),
        Just(Dedup::None),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_kind_of_sender_keeps_what_is_promised(
        dedup in kinds(),
        answers in prop::collection::vec(prop::sample::select(&Answer::ALL[..]), 0..20),
        chats in prop::collection::vec(1_u8..4, 1..8),
    ) {
        runtime().block_on(play(dedup, &answers, &chats)).map_err(TestCaseError::fail)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_hour_has_more_than_its_limit_over_deaths(
        dedup in kinds(),
        answers in prop::collection::vec(prop::sample::select(&Answer::ALL[..]), 0..16),
        chats in prop::collection::vec(1_u8..4, 1..8),
        per_hour in 2_u32..5,
    ) {
        let played = async {
            let bench = bench(dedup).await;
            for account in ["main", "backup"] {
                bench.script.limit(account, per_hour).await;
            }
            keeps_pace(bench, &answers, &chats, per_hour).await.map(drop)
        };
        runtime().block_on(played).map_err(TestCaseError::fail)?;
    }
}

/// Each answer alone, on the first part and on the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_survived_by_every_kind_of_sender() {
    let window = Some(Duration::from_secs(20));
    for dedup in [Dedup::Key { window: None }, Dedup::Key { window }, Dedup::ReadBack, Dedup::None] {
        for answer in Answer::ALL {
            // The first is the other account's.
            for answers in [vec![Answer::Takes, answer], vec![Answer::Takes, Answer::Takes, answer]] {
                let kept = play(dedup, &answers, &[1, 1]).await;
                assert_eq!(kept, Ok(()), "{dedup:?} {answers:?}");
            }
        }
    }
}
