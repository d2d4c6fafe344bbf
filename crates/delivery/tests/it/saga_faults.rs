//! Bad days of sagas: lost answers, bans, broken code and restarts at every step. Always one chat, and the truth.

use std::time::{Duration, Instant};

use delivery::SagaChanged;
use domain::account::Reason;
use domain::saga::{Ended, SagaState, Verdict};
use domain::{ChatId, Outcome};
use proptest::prelude::*;

use crate::folder::Folder;
use crate::provider::{Chat, Desk, Does, create, is_true_of, leave};
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
            let desk = Desk::new().await;
            desk.provider.does("main", step, [does.clone(), does.clone()]);
            let saga = desk.settled(desk.submit(create("Order 1")).await).await;
            let chats = desk.provider.chats();
            assert_eq!(chats.len(), 1, "{step} {does:?}");
            assert!(is_true_of(&saga, &chats[0]), "{step} {does:?}: {saga:?}");
            assert_eq!(saga.progress.export_link, Some(Ended::Ok), "{step}");
        }
    }
}

#[tokio::test]
async fn a_chat_that_shows_late_is_adopted() {
    let desk = Desk::new().await;
    desk.provider.world().hidden_for = 1;
    desk.provider.does("main", "create", [Does::LosesAnswer]);
    let saga = desk.settled(desk.submit(create("Order 1")).await).await;
    assert_eq!((saga.state, saga.chat_id), (SagaState::Done, Some(group(1))));
    assert_eq!((desk.provider.chats().len(), desk.provider.times("create")), (1, 1));
}

#[tokio::test]
async fn a_chat_that_shows_long_after_its_call_is_made_once() {
    let desk = Desk::new().await;
    desk.provider.world().hidden_for = 5;
    desk.provider.does("main", "create", [Does::TimesOut]);
    let saga = desk.settled(desk.submit(create("Order 1")).await).await;
    assert_eq!((saga.state, desk.provider.times("create")), (SagaState::Done, 1));
}

#[tokio::test]
async fn the_chat_of_another_saga_is_not_taken_for_ones_own() {
    let desk = Desk::new().await;
    let first = desk.settled(desk.submit(create("Order 1")).await).await;
    desk.provider.does("main", "create", [unknown()]);
    let second = desk.settled(desk.submit(create("Order 1")).await).await;
    assert_eq!((first.chat_id, second.chat_id), (Some(group(1)), Some(group(2))));
}

#[tokio::test]
async fn an_account_that_makes_no_chat_is_passed_over() {
    let desk = Desk::new().await;
    desk.provider.does("main", "create", [unknown(), unknown(), unknown()]);
    let saga = desk.settled(desk.submit(create("Order 1")).await).await;
    assert_eq!((saga.account, desk.provider.chats().len()), (Some(name("backup")), 1));
}

#[tokio::test]
async fn while_one_is_in_doubt_the_others_go_elsewhere() {
    let desk = Desk::new().await;
    desk.provider.world().blind = true;
    desk.provider.does("main", "create", [Does::LosesAnswer]);
    let first = desk.submit(create("Order 1")).await;
    desk.until(|world| !world.chats.is_empty()).await;
    desk.breathe().await;
    let second = desk.submit(create("Order 1")).await;
    let second = desk.settled(second).await;
    assert_eq!((second.account, second.chat_id), (Some(name("backup")), Some(group(2))));
    assert!(matches!(desk.sagas.cancel(first, None).await, Ok(SagaChanged::Refused(_))), "it may be there");
    desk.provider.world().blind = false;
    let first = desk.settled(first).await;
    assert_eq!((first.account, first.chat_id), (Some(name("main")), Some(group(1))));
    assert_eq!(desk.provider.chats().len(), 2);
    let third = desk.settled(desk.submit(create("Order 3")).await).await;
    assert_eq!(third.account, Some(name("main")), "the turn is free again");
}

#[tokio::test]
async fn a_chat_in_doubt_whose_maker_is_gone_waits_for_a_person() {
    for made in [true, false] {
        let desk = Desk::new().await;
        desk.provider.world().blind = true;
        let does = if made { Does::LosesAnswer } else { unknown() };
        desk.provider.does("main", "create", [does]);
        let id = desk.submit(create("Order 1")).await;
        desk.until(|world| world.calls.iter().any(|(_, step)| step.name() == "create")).await;
        desk.breathe().await;
        desk.provider.lose("main");
        assert_eq!(desk.settled(id).await.state, SagaState::InDoubt);
        assert_eq!(desk.history(id).await.last().map(String::as_str), Some("in_doubt"));
        let desk = desk.restart().await;
        desk.breathe().await;
        assert_eq!(desk.get(id).await.state, SagaState::InDoubt, "only a person ends it");

        let verdict = if made { Verdict::Done(Some(group(1))) } else { Verdict::Again };
        assert!(matches!(desk.sagas.resolve(id, verdict).await, Ok(SagaChanged::Done(_))));
        let saga = desk.settled(id).await;
        assert_eq!((saga.state, saga.chat_id), (SagaState::Done, Some(group(1))));
        assert_eq!(desk.provider.chats().len(), 1);
        assert!(is_true_of(&saga, &desk.provider.chats()[0]), "{saga:?}");
        let maker = if made { "main" } else { "backup" };
        assert_eq!(saga.account, Some(name(maker)));
        assert_eq!(saga.progress.invite_link.is_some(), !made);
        let record = desk.store.chats().get(group(1)).await.expect("reads").expect("is there");
        assert_eq!((record.account, record.operation), (Some(name(maker)), Some(id)));
        assert!(matches!(desk.sagas.resolve(id, verdict).await, Ok(SagaChanged::Refused(_))));
    }
}

#[tokio::test]
async fn a_ban_before_the_chat_moves_on_and_after_it_is_told() {
    for step in CHANGING {
        let desk = Desk::new().await;
        desk.provider.does("main", step, [banned()]);
        let saga = desk.settled(desk.submit(create("Order 1")).await).await;
        let chats = desk.provider.chats();
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
            let desk = Desk::on(folder).await;
            desk.provider.does("main", step, [does.clone()]);
            let id = desk.submit(create("Order 1")).await;
            desk.until(|world| world.calls.iter().any(|(_, taken)| taken.name() == step)).await;
            desk.breathe().await;
            let desk = desk.restart().await;
            let saga = desk.settled(id).await;
            let chats = desk.provider.chats();
            assert_eq!(chats.len(), 1, "{step} {does:?}");
            assert!(is_true_of(&saga, &chats[0]), "{step} {does:?}: {saga:?}");
            assert_eq!(saga.account, Some(name("main")));
            let resumed = desk.history(id).await.contains(&"resumed".to_owned());
            assert_eq!(resumed, step != "resolve", "a question leaves no doubt");
        }
    }
}

#[tokio::test]
async fn restart_settles_a_doubtful_chat_before_new_ones() {
    let desk = Desk::new().await;
    desk.provider.does("main", "create", [Does::HangsAfter]);
    let first = desk.submit(create("Order 1")).await;
    desk.until(|world| !world.chats.is_empty()).await;
    let second = desk.submit(create("Order 1")).await;
    desk.breathe().await;
    desk.provider.world().blind = true;
    let desk = desk.restart().await;
    let second = desk.settled(second).await;
    assert_eq!(second.account, Some(name("backup")));
    desk.provider.world().blind = false;
    assert_eq!(desk.settled(first).await.chat_id, Some(group(1)));
    assert_eq!(desk.provider.chats().len(), 2);
}

#[tokio::test]
async fn code_that_breaks_in_any_step_loses_nothing() {
    for step in CHANGING {
        let desk = Desk::new().await;
        desk.provider.does("main", step, [Does::Breaks]);
        let saga = desk.settled(desk.submit(create("Order 1")).await).await;
        let chats = desk.provider.chats();
        assert_eq!(chats.len(), 1, "{step}");
        assert!(is_true_of(&saga, &chats[0]), "{step}: {saga:?}");
    }
}

#[tokio::test]
async fn leaving_is_repeated_until_it_is_known_to_be_done() {
    let desk = Desk::new().await;
    desk.provider.world().chats.insert(group(1).get(), Chat::default());
    let gone = Does::Refuses(Outcome::NotFound("CHANNEL_INVALID".into()));
    desk.provider.does("main", "leave", [Does::LosesAnswer, unknown(), gone]);
    let saga = desk.settled(desk.submit(leave(group(1), false)).await).await;
    assert_eq!((saga.state, desk.provider.times("leave")), (SagaState::Done, 3));
    assert_eq!(desk.provider.chats()[0].left_by, ["main"]);

    desk.provider.does("main", "leave", [Does::LosesAnswer, banned()]);
    let id = desk.submit(leave(group(1), false)).await;
    assert_eq!(desk.settled(id).await.state, SagaState::InDoubt);
    let resolved = desk.sagas.resolve(id, Verdict::Done(None)).await.expect("writes");
    let SagaChanged::Done(saga) = resolved else { panic!("{resolved:?}") };
    assert_eq!(saga.state, SagaState::Done);
    desk.breathe().await;
    assert!(desk.comes_to_rest().await);
    assert_eq!(desk.get(id).await.state, SagaState::Done);
    assert_eq!(desk.store.chats().left().await.expect("reads"), [group(1)]);
    assert_eq!(desk.provider.times("leave"), 5, "nobody else leaves");
}

#[tokio::test]
async fn a_restart_in_the_middle_of_removing_goes_on() {
    let desk = Desk::new().await;
    let members = vec![1, 3, 5];
    desk.provider.world().chats.insert(group(1).get(), Chat { members, ..Chat::default() });
    desk.provider.does("main", "remove", [Does::Works, Does::HangsAfter]);
    let id = desk.submit(leave(group(1), true)).await;
    let begun = Instant::now();
    while desk.provider.times("remove") < 2 && begun.elapsed() < Duration::from_mins(1) {
        desk.clock.advance(Duration::from_millis(500));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let desk = desk.restart().await;
    let saga = desk.settled(id).await;
    let removed: Vec<i64> = saga.progress.removed.into_iter().map(i64::from).collect();
    assert_eq!((saga.state, removed), (SagaState::Done, vec![1, 3, 5]));
    assert_eq!(desk.provider.times("list_members"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_retry_in_the_middle_of_a_cancel_is_carried_once() {
    let desk = Desk::new().await;
    let until = desk.clock.now().plus(Duration::from_mins(5));
    for account in ["main", "backup"] {
        desk.provider.hold(account, domain::account::Operation::CreateChat, until);
    }
    let mut ids = Vec::new();
    for number in 0..30 {
        let id = desk.submit(create(&number.to_string())).await;
        ids.push(id);
        let sagas = desk.sagas.clone();
        let retrying = tokio::spawn(async move {
            while !matches!(sagas.retry(id).await, Ok(SagaChanged::Done(_))) {
                tokio::task::yield_now().await;
            }
        });
        desk.sagas.cancel(id, None).await.expect("writes");
        retrying.await.expect("retried");
    }
    desk.clock.advance(Duration::from_secs(301));
    for id in ids {
        assert_eq!(desk.settled(id).await.state, SagaState::Done);
    }
    assert!(desk.comes_to_rest().await);
    assert_eq!(desk.provider.chats().len(), 30, "each once");
}

fn faults() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    prop::collection::vec((0_u8..2, 0_u8..6, 0_u8..9), 0..25)
}

async fn play(faults: Vec<(u8, u8, u8)>) -> Result<(), TestCaseError> {
    let desk = Desk::new().await;
    let soon = desk.clock.now().plus(Duration::from_secs(20));
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
        desk.provider.does(account, steps[usize::from(*step)], [does]);
    }
    let ids = [desk.submit(create("a")).await, desk.submit(create("a")).await];
    let mut made = 0;
    for id in ids {
        let saga = desk.settled(id).await;
        prop_assert!(matches!(saga.state, SagaState::Done | SagaState::Failed), "{:?}", saga);
        let chat_id = saga.chat_id.map(ChatId::get);
        let chat = chat_id.and_then(|chat_id| desk.provider.world().chats.get(&chat_id).cloned());
        prop_assert_eq!(chat.is_some(), saga.state == SagaState::Done);
        if let Some(chat) = chat {
            made += 1;
            prop_assert!(is_true_of(&saga, &chat), "{:?} {:?}", saga, chat);
            prop_assert_eq!(saga.account.map(|account| account.to_string()), Some(chat.maker));
        }
    }
    prop_assert_eq!(desk.provider.chats().len(), made, "exactly one chat for each");
    prop_assert!(desk.comes_to_rest().await);
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
