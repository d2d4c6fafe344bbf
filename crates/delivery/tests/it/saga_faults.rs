//! Bad days of sagas: lost answers, bans, broken code and restarts at every step. Always one chat, and the truth.

use std::time::{Duration, Instant};

use delivery::SagaChanged;
use domain::account::Reason;
use domain::saga::{Ended, SagaState, Verdict};
use domain::{ChatId, Outcome};
use proptest::prelude::*;

use crate::folder::Folder;
use crate::provider::{Chat, Does, SagaBench, create, is_true_of, leave};
use crate::script::name;

pub(crate) const CHANGING: [&str; 5] = ["create", "open_history", "invite", "promote", "export_link"];

fn unknown() -> Does {
    Does::Refuses(Outcome::Unknown("timeout".into()))
}

fn banned() -> Does {
    Does::Refuses(Outcome::Banned(Reason::Banned))
}

fn group(number: i64) -> ChatId {
    ChatId::channel(number).expect("a chat")
}

#[tokio::test]
async fn an_answer_lost_at_any_step_makes_no_second_chat() {
    for step in CHANGING {
        for does in [Does::LosesAnswer, unknown()] {
            let bench = SagaBench::new().await;
            bench.provider.does("main", step, [does.clone(), does.clone()]);
            let saga = bench.settled(bench.submit(create("Order 1")).await).await;
            let chats = bench.provider.chats();
            assert_eq!(chats.len(), 1, "{step} {does:?}");
            assert!(is_true_of(&saga, &chats[0]), "{step} {does:?}: {saga:?}");
            assert_eq!(saga.progress.export_link, Some(Ended::Ok), "{step}");
        }
    }
}

#[tokio::test]
async fn a_chat_that_shows_late_is_adopted() {
    let bench = SagaBench::new().await;
    bench.provider.world().hidden_for = 1;
    bench.provider.does("main", "create", [Does::LosesAnswer]);
    let saga = bench.settled(bench.submit(create("Order 1")).await).await;
    assert_eq!((saga.state, saga.chat_id), (SagaState::Done, Some(group(1))));
    assert_eq!((bench.provider.chats().len(), bench.provider.times("create")), (1, 1));
}

#[tokio::test]
async fn a_chat_that_shows_long_after_its_call_is_made_once() {
    let bench = SagaBench::new().await;
    bench.provider.world().hidden_for = 5;
    bench.provider.does("main", "create", [Does::TimesOut]);
    let saga = bench.settled(bench.submit(create("Order 1")).await).await;
    assert_eq!((saga.state, bench.provider.times("create")), (SagaState::Done, 1));
}

#[tokio::test]
async fn the_chat_of_another_saga_is_not_taken_for_ones_own() {
    let bench = SagaBench::new().await;
    let first = bench.settled(bench.submit(create("Order 1")).await).await;
    bench.provider.does("main", "create", [unknown()]);
    let second = bench.settled(bench.submit(create("Order 1")).await).await;
    assert_eq!((first.chat_id, second.chat_id), (Some(group(1)), Some(group(2))));
}

#[tokio::test]
async fn an_account_that_makes_no_chat_is_passed_over() {
    let bench = SagaBench::new().await;
    bench.provider.does("main", "create", [unknown(), unknown(), unknown()]);
    let saga = bench.settled(bench.submit(create("Order 1")).await).await;
    assert_eq!((saga.account, bench.provider.chats().len()), (Some(name("backup")), 1));
}

#[tokio::test]
async fn while_one_is_in_doubt_the_others_go_elsewhere() {
    let bench = SagaBench::new().await;
    bench.provider.world().blind = true;
    bench.provider.does("main", "create", [Does::LosesAnswer]);
    let first = bench.submit(create("Order 1")).await;
    bench.until(|world| !world.chats.is_empty()).await;
    bench.breathe().await;
    let second = bench.submit(create("Order 1")).await;
    let second = bench.settled(second).await;
    assert_eq!((second.account, second.chat_id), (Some(name("backup")), Some(group(2))));
    assert!(matches!(bench.sagas.cancel(first, None).await, Ok(SagaChanged::Refused(_))), "it may be there");
    bench.provider.world().blind = false;
    let first = bench.settled(first).await;
    assert_eq!((first.account, first.chat_id), (Some(name("main")), Some(group(1))));
    assert_eq!(bench.provider.chats().len(), 2);
    let third = bench.settled(bench.submit(create("Order 3")).await).await;
    assert_eq!(third.account, Some(name("main")), "the turn is free again");
}

#[tokio::test]
async fn a_chat_in_doubt_whose_maker_is_gone_waits_for_a_person() {
    for made in [true, false] {
        let bench = SagaBench::new().await;
        bench.provider.world().blind = true;
        let does = if made { Does::LosesAnswer } else { unknown() };
        bench.provider.does("main", "create", [does]);
        let id = bench.submit(create("Order 1")).await;
        bench.until(|world| world.calls.iter().any(|(_, step)| step.name() == "create")).await;
        bench.breathe().await;
        bench.provider.lose("main");
        assert_eq!(bench.settled(id).await.state, SagaState::InDoubt);
        assert_eq!(bench.history(id).await.last().map(String::as_str), Some("in_doubt"));
        let bench = bench.restart().await;
        bench.breathe().await;
        assert_eq!(bench.get(id).await.state, SagaState::InDoubt, "only a person ends it");

        let verdict = if made { Verdict::Done(Some(group(1))) } else { Verdict::Again };
        assert!(matches!(bench.sagas.resolve(id, verdict).await, Ok(SagaChanged::Done(_))));
        let saga = bench.settled(id).await;
        assert_eq!((saga.state, saga.chat_id), (SagaState::Done, Some(group(1))));
        assert_eq!(bench.provider.chats().len(), 1);
        assert!(is_true_of(&saga, &bench.provider.chats()[0]), "{saga:?}");
        let maker = if made { "main" } else { "backup" };
        assert_eq!(saga.account, Some(name(maker)));
        assert_eq!(saga.progress.invite_link.is_some(), !made);
        let record = bench.store.chats().get(group(1)).await.expect("reads").expect("is there");
        assert_eq!((record.account, record.operation), (Some(name(maker)), Some(id)));
        assert!(matches!(bench.sagas.resolve(id, verdict).await, Ok(SagaChanged::Refused(_))));
    }
}

#[tokio::test]
async fn a_ban_moves_the_saga_before_and_is_reported_after_the_chat() {
    for step in CHANGING {
        let bench = SagaBench::new().await;
        bench.provider.does("main", step, [banned()]);
        let saga = bench.settled(bench.submit(create("Order 1")).await).await;
        let chats = bench.provider.chats();
        assert_eq!(chats.len(), 1, "{step}");
        assert!(is_true_of(&saga, &chats[0]), "{step}: {saga:?}");
        let maker = if step == "create" { "backup" } else { "main" };
        assert_eq!(saga.account, Some(name(maker)), "{step}");
        assert_eq!(saga.progress.invite_link.is_some(), step == "create", "{step}");
    }
}

#[tokio::test]
async fn a_restart_in_any_step_goes_on_where_it_was() {
    for step in CHANGING.into_iter().chain(["resolve"]) {
        for (does, folder) in [
            (Does::HangsBefore, Folder::on_sqlite()),
            (Does::HangsAfter, Folder::on_sqlite()),
            (Does::HangsBefore, Folder::on_postgres().await),
            (Does::HangsAfter, Folder::on_postgres().await),
        ] {
            let bench = SagaBench::on(folder).await;
            bench.provider.does("main", step, [does.clone()]);
            let id = bench.submit(create("Order 1")).await;
            bench.until(|world| world.calls.iter().any(|(_, taken)| taken.name() == step)).await;
            bench.breathe().await;
            let bench = bench.restart().await;
            let saga = bench.settled(id).await;
            let chats = bench.provider.chats();
            assert_eq!(chats.len(), 1, "{step} {does:?}");
            assert!(is_true_of(&saga, &chats[0]), "{step} {does:?}: {saga:?}");
            assert_eq!(saga.account, Some(name("main")));
            let resumed = bench.history(id).await.contains(&"resumed".to_owned());
            assert_eq!(resumed, step != "resolve", "a question leaves no doubt");
        }
    }
}

#[tokio::test]
async fn restart_settles_a_doubtful_chat_before_new_ones() {
    let bench = SagaBench::new().await;
    bench.provider.does("main", "create", [Does::HangsAfter]);
    let first = bench.submit(create("Order 1")).await;
    bench.until(|world| !world.chats.is_empty()).await;
    let second = bench.submit(create("Order 1")).await;
    bench.breathe().await;
    bench.provider.world().blind = true;
    let bench = bench.restart().await;
    let second = bench.settled(second).await;
    assert_eq!(second.account, Some(name("backup")));
    bench.provider.world().blind = false;
    assert_eq!(bench.settled(first).await.chat_id, Some(group(1)));
    assert_eq!(bench.provider.chats().len(), 2);
}

#[tokio::test]
async fn code_that_breaks_in_any_step_loses_nothing() {
    for step in CHANGING {
        let bench = SagaBench::new().await;
        bench.provider.does("main", step, [Does::Breaks]);
        let saga = bench.settled(bench.submit(create("Order 1")).await).await;
        let chats = bench.provider.chats();
        assert_eq!(chats.len(), 1, "{step}");
        assert!(is_true_of(&saga, &chats[0]), "{step}: {saga:?}");
    }
}

#[tokio::test]
async fn leaving_is_repeated_until_it_is_known_to_be_done() {
    let bench = SagaBench::new().await;
    bench.provider.world().chats.insert(group(1).get(), Chat::default());
    let gone = Does::Refuses(Outcome::NotFound("CHANNEL_INVALID".into()));
    bench.provider.does("main", "leave", [Does::LosesAnswer, unknown(), gone]);
    let saga = bench.settled(bench.submit(leave(group(1), false)).await).await;
    assert_eq!((saga.state, bench.provider.times("leave")), (SagaState::Done, 3));
    assert_eq!(bench.provider.chats()[0].left_by, ["main"]);

    bench.provider.does("main", "leave", [Does::LosesAnswer, banned()]);
    let id = bench.submit(leave(group(1), false)).await;
    assert_eq!(bench.settled(id).await.state, SagaState::InDoubt);
    let resolved = bench.sagas.resolve(id, Verdict::Done(None)).await.expect("writes");
    let SagaChanged::Done(saga) = resolved else { panic!("{resolved:?}") };
    assert_eq!(saga.state, SagaState::Done);
    bench.breathe().await;
    assert!(bench.comes_to_rest().await);
    assert_eq!(bench.get(id).await.state, SagaState::Done);
    assert_eq!(bench.store.chats().left().await.expect("reads"), [group(1)]);
    assert_eq!(bench.provider.times("leave"), 5, "no one else leaves");
}

#[tokio::test]
async fn a_restart_in_the_middle_of_removing_goes_on() {
    let bench = SagaBench::new().await;
    let members = vec![1, 3, 5];
    bench.provider.world().chats.insert(group(1).get(), Chat { members, ..Chat::default() });
    bench.provider.does("main", "remove", [Does::Works, Does::HangsAfter]);
    let id = bench.submit(leave(group(1), true)).await;
    let begun = Instant::now();
    while bench.provider.times("remove") < 2 && begun.elapsed() < Duration::from_mins(1) {
        bench.clock.advance(Duration::from_millis(500));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let bench = bench.restart().await;
    let saga = bench.settled(id).await;
    let removed: Vec<i64> = saga.progress.removed.into_iter().map(i64::from).collect();
    assert_eq!((saga.state, removed), (SagaState::Done, vec![1, 3, 5]));
    assert_eq!(bench.provider.times("list_members"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_retry_in_the_middle_of_a_cancel_is_carried_once() {
    let bench = SagaBench::new().await;
    let until = bench.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        bench.provider.hold(account, domain::account::Operation::CreateChat, until);
    }
    let mut ids = Vec::new();
    for number in 0..30 {
        let id = bench.submit(create(&number.to_string())).await;
        ids.push(id);
        let sagas = bench.sagas.clone();
        let retrying = tokio::spawn(async move {
            while !matches!(sagas.retry(id).await, Ok(SagaChanged::Done(_))) {
                tokio::task::yield_now().await;
            }
        });
        bench.sagas.cancel(id, None).await.expect("writes");
        retrying.await.expect("retried");
    }
    bench.clock.advance(Duration::from_secs(301));
    for id in ids {
        assert_eq!(bench.settled(id).await.state, SagaState::Done);
    }
    assert!(bench.comes_to_rest().await);
    assert_eq!(bench.provider.chats().len(), 30, "each once");
}

fn faults() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    prop::collection::vec((0_u8..2, 0_u8..6, 0_u8..9), 0..25)
}

async fn play(faults: Vec<(u8, u8, u8)>) -> Result<(), TestCaseError> {
    let bench = SagaBench::new().await;
    let soon = bench.clock.now().plus(Duration::from_secs(20));
    for (account, step, fault) in &faults {
        let does = match fault {
            0..=1 => Does::Works,
            2 => Does::LosesAnswer,
            3 => unknown(),
            4 => Does::Refuses(Outcome::held(soon)),
            5 => Does::Refuses(Outcome::Unavailable("not connected".into())),
            6 => Does::Breaks,
            7 => Does::Refuses(Outcome::Forbidden("USER_RESTRICTED".into())),
            _ => Does::Refuses(Outcome::InProgress),
        };
        let account = if *account == 0 { "main" } else { "backup" };
        let steps = ["create", "open_history", "invite", "promote", "export_link", "resolve"];
        bench.provider.does(account, steps[usize::from(*step)], [does]);
    }
    let ids = [bench.submit(create("a")).await, bench.submit(create("a")).await];
    let mut made = 0;
    for id in ids {
        let saga = bench.settled(id).await;
        prop_assert!(matches!(saga.state, SagaState::Done | SagaState::Failed), "{:?}", saga);
        let chat_id = saga.chat_id.map(ChatId::get);
        let chat = chat_id.and_then(|chat_id| bench.provider.world().chats.get(&chat_id).cloned());
        prop_assert_eq!(chat.is_some(), saga.state == SagaState::Done);
        if let Some(chat) = chat {
            made += 1;
            prop_assert!(is_true_of(&saga, &chat), "{:?} {:?}", saga, chat);
            prop_assert_eq!(saga.account.map(|account| account.to_string()), Some(chat.maker));
        }
    }
    prop_assert_eq!(bench.provider.chats().len(), made, "exactly one chat for each");
    prop_assert!(bench.comes_to_rest().await);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_there_is_one_chat_for_each(faults in faults()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
            .expect("a runtime");
        runtime.block_on(play(faults))?;
    }
}
