//! What holds for every saga, whatever each step brings: played against a provider that a list of numbers drives.

use std::collections::{BTreeMap, BTreeSet};

use domain::account::Reason;
use domain::message::OnFlood;
use domain::saga::{
    Member, MemberResult, Missing, ObserverRule, Person, Progress, Saga, SagaState, Step, StepAnswer, Task,
};
use domain::{AccountName, ChatId, ChatRef, OperationId, Outcome, Timestamp, UserId};
use proptest::prelude::*;

use super::judge::{self, After, StepContext};
use super::machine::{self, Move, Surroundings};

fn user(number: i64) -> ChatRef {
    ChatRef::Id(ChatId::user(number).expect("a user"))
}

fn accounts() -> Vec<AccountName> {
    ["main", "backup", "third"].map(|name| name.parse().expect("a name")).to_vec()
}

fn supergroup() -> ChatId {
    ChatId::channel(7).expect("a chat")
}

fn saga(task: Task) -> Saga {
    let progress = Progress { members: machine::people(&task), ..Progress::default() };
    Saga {
        id: OperationId::from_uuid(uuid::Uuid::from_u128(1)),
        task,
        state: SagaState::Queued,
        pin: None,
        on_flood: OnFlood::Wait,
        patient_until: Timestamp::from_micros(100),
        account: None,
        chat_id: None,
        begun: None,
        progress,
        failure: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

fn refs(numbers: &[i64]) -> Vec<ChatRef> {
    numbers.iter().map(|number| user(*number)).collect()
}

fn tasks() -> impl Strategy<Value = Task> {
    let people = || prop::collection::vec(1_i64..300, 0..250);
    let rule =
        prop_oneof![Just(ObserverRule::Never), Just(ObserverRule::Always), Just(ObserverRule::ByBackups),];
    let chat = ChatRef::Id(supergroup());
    let (leave, add, remove) = (chat.clone(), chat.clone(), chat.clone());
    prop_oneof![
        4 => (people(), prop::collection::vec(1_i64..300, 0..4), rule, any::<bool>(), 1_usize..300).prop_map(
            |(members, admins, observer, needs_a_member, title)| Task::CreateChat {
                title: "t".repeat(title),
                about: String::new(),
                members: refs(&members),
                admins: refs(&admins),
                observer,
                needs_a_member,
                client_tg_id: None,
            }
        ),
        1 => any::<bool>().prop_map(move |remove_members| Task::LeaveChat {
            chat: leave.clone(),
            remove_members,
            missing_is_left: true,
            keep_own: false,
        }),
        1 => people().prop_map(move |members| Task::AddMembers {
            chat: add.clone(),
            members: refs(&members),
            admins: Vec::new(),
        }),
        1 => people().prop_map(move |members| Task::RemoveMembers {
            chat: remove.clone(),
            members: refs(&members),
        }),
        1 => any::<(bool, bool)>().prop_map(move |(title, about)| Task::EditChat {
            chat: chat.clone(),
            title: title.then(|| "t".into()),
            about: about.then(|| "a".into()),
        }),
    ]
}

/// How a play went.
#[derive(Debug, Default)]
struct Played {
    /// Each step that was answered or whose refusal became its result.
    over: Vec<Step>,
    /// Each step as often as it was taken.
    taken: Vec<(AccountName, Step)>,
    /// The chats that there are at the provider.
    made: u32,
    /// The account that made the chat we know.
    maker: Option<AccountName>,
    end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Failed { settled: bool },
    InDoubt,
}

fn user_id(number: i64) -> UserId {
    UserId::new(number).expect("an id")
}

/// The provider: who is asked for by an odd number is found; every tenth is a bot, every seventh keeps to themselves.
fn answer(step: &Step) -> StepAnswer {
    match step {
        Step::Resolve { who: ChatRef::Id(id) } if id.get() % 2 == 1 => {
            // Two names of one person.
            let number = if id.get() == 299 { 1 } else { id.get() };
            let person = Person { user_id: user_id(number), is_bot: number % 10 == 1 };
            StepAnswer::Resolved { person: Some(person) }
        }
        Step::Resolve { .. } => StepAnswer::Resolved { person: None },
        Step::Create { .. } => StepAnswer::Created { chat_id: supergroup() },
        Step::Invite { users } => StepAnswer::Invited {
            pending: Vec::new(),
            missing: users
                .iter()
                .filter(|user| user.get() % 7 == 0)
                .map(|user| Missing { user_id: *user, result: MemberResult::Privacy, detail: None })
                .collect(),
        },
        Step::ExportLink => StepAnswer::Link { link: "https://example.com/+1".into() },
        Step::ListMembers { .. } => StepAnswer::Members { users: [3, 5, 5, 9].map(user_id).to_vec() },
        _ => StepAnswer::Done,
    }
}

fn refusal(number: u8) -> Option<Outcome> {
    Some(match number {
        1 => Outcome::held(Timestamp::from_micros(50)),
        2 => Outcome::held(Timestamp::from_micros(500)),
        3 => Outcome::NotFound("CHANNEL_INVALID".into()),
        4 => Outcome::Forbidden("CHAT_ADMIN_REQUIRED".into()),
        5 => Outcome::Restricted(Reason::PeerFlood),
        6 => Outcome::Banned(Reason::Banned),
        7 => Outcome::SessionLost(Reason::SessionRevoked),
        8 => Outcome::Unavailable("not connected".into()),
        9 => Outcome::Rejected { code: "CHAT_INVALID".into() },
        10 => Outcome::InProgress,
        11 | 12 => Outcome::Unknown("timeout".into()),
        _ => return None,
    })
}

/// Plays a saga to its end. `script` says what comes of each call; 12 takes effect and loses its answer.
fn play(task: Task, script: &[u8]) -> (Saga, Played) {
    let mut saga = saga(task);
    let mut played = Played::default();
    let mut script = script.iter().copied();
    let mut out: BTreeSet<AccountName> = BTreeSet::new();
    let mut chosen: Option<AccountName> = None;
    let (mut doubtful, mut attempts, mut vain) = (false, 0, BTreeMap::<String, u32>::new());
    let mut unseen = false;
    for _ in 0..5_000 {
        let settled = machine::is_settled(&saga);
        if !settled && !doubtful && chosen.is_none() {
            let next = accounts().into_iter().find(|account| !out.contains(account));
            let Some(next) = next else {
                played.end = Some(End::Failed { settled });
                return (saga, played);
            };
            if saga.task.chat().is_some() {
                saga.chat_id = Some(supergroup());
            }
            if saga.account.as_ref().is_some_and(|before| *before != next) {
                machine::forget_people(&mut saga);
            }
            saga.account = Some(next.clone());
            chosen = Some(next);
        }
        let account = saga.account.clone().expect("chosen");
        let around = Surroundings { observer: Some(user(297)), is_backup: account != accounts()[0] };
        let step = match machine::next(&saga, &around) {
            Move::Finish => {
                played.end = Some(End::Done);
                return (saga, played);
            }
            Move::Fail(_) => {
                played.end = Some(End::Failed { settled });
                return (saga, played);
            }
            Move::Take(step) => step,
        };
        played.taken.push((account.clone(), step.clone()));
        let number = script.next().unwrap_or(0);
        let creates = matches!(step, Step::Create { .. });
        let Some(outcome) = refusal(number) else {
            played.made += u32::from(creates);
            if creates {
                played.maker = Some(account.clone());
            }
            machine::record(&mut saga, &step, Ok(&answer(&step)));
            played.over.push(step);
            (doubtful, attempts) = (false, 0);
            continue;
        };
        attempts += 1;
        if let Step::Resolve { who } = &step {
            *vain.entry(who.to_string()).or_default() += 1;
        }
        if creates && number == 12 {
            played.made += 1;
            unseen = true;
        }
        let times = match &step {
            Step::Resolve { who } => vain[&who.to_string()],
            _ => attempts,
        };
        let context = StepContext {
            task: &saga.task,
            account: &account,
            settled,
            doubtful,
            attempts: times,
            now: Timestamp::from_micros(1),
            patient_until: saga.patient_until,
        };
        match judge::after(&step, &outcome, &context) {
            After::Record => {
                machine::record(&mut saga, &step, Err(&outcome));
                played.over.push(step);
                (doubtful, attempts) = (false, 0);
            }
            After::Done => {
                machine::record(&mut saga, &step, Ok(&StepAnswer::Done));
                played.over.push(step);
                (doubtful, attempts) = (false, 0);
            }
            After::Again(_) => doubtful |= !outcome.proves_unsent() && !step.only_reads(),
            After::Look if unseen => {
                unseen = false;
                played.maker = Some(account);
                machine::record(&mut saga, &step, Ok(&answer(&step)));
                played.over.push(step);
            }
            After::Look => {}
            After::MoveOn { exclude, .. } => {
                assert!(!settled, "what has begun to change something stays: {step:?} {outcome:?}");
                assert!(step.only_reads() || outcome.proves_unsent(), "{step:?} {outcome:?}");
                if exclude.is_some() {
                    out.insert(account);
                }
                chosen = None;
                doubtful = false;
            }
            After::Fail(_) => {
                assert!(!doubtful || matches!(step, Step::Leave), "{step:?} {outcome:?}");
                played.end = Some(End::Failed { settled });
                return (saga, played);
            }
            After::Doubt => {
                played.end = Some(End::InDoubt);
                return (saga, played);
            }
        }
    }
    (saga, played)
}

fn is_complete(one: &Member) -> bool {
    one.result.is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn with_all_answers_each_step_is_taken_once_and_recorded(task in tasks()) {
        let (saga, played) = play(task, &[]);
        let mut seen = Vec::new();
        for (_, step) in &played.taken {
            prop_assert!(!seen.contains(&step), "{:?} twice", step);
            seen.push(step);
        }
        match played.end {
            Some(End::Done) => prop_assert!(saga.progress.members.iter().all(is_complete)),
            Some(End::Failed { .. }) => prop_assert_eq!(played.made, 0),
            other => prop_assert!(false, "{:?}", other),
        }
        if matches!(saga.task, Task::CreateChat { .. }) && played.end == Some(End::Done) {
            prop_assert_eq!(played.made, 1);
            prop_assert!(saga.progress.invite_link.is_some());
        }
    }

    #[test]
    fn whatever_comes_it_ends_with_one_chat_or_none(
        task in tasks(), script in prop::collection::vec(0_u8..20, 0..120),
    ) {
        let (saga, played) = play(task, &script);
        prop_assert!(played.end.is_some(), "it goes on for ever: {:?}", played.taken.last());
        let creates = matches!(saga.task, Task::CreateChat { .. });
        match played.end {
            Some(End::Done) => {
                prop_assert!(saga.progress.members.iter().all(is_complete));
                prop_assert_eq!(played.made, u32::from(creates));
            }
            Some(End::Failed { settled }) => {
                prop_assert_eq!(played.made, 0);
                let leaves = matches!(saga.task, Task::LeaveChat { .. });
                prop_assert!(!settled || leaves);
            }
            _ => prop_assert!(!creates),
        }
        if let Some(maker) = played.maker {
            let made = played.taken.iter().rposition(|(_, step)| matches!(step, Step::Create { .. }));
            let later = &played.taken[made.unwrap_or(0)..];
            prop_assert!(later.iter().all(|(account, _)| *account == maker), "the rest stays");
        }
    }

    #[test]
    fn no_one_is_invited_twice(task in tasks(), script in prop::collection::vec(0_u8..20, 0..120)) {
        let (_, played) = play(task, &script);
        let mut invited = BTreeSet::new();
        for step in &played.over {
            if let Step::Invite { users } = step {
                prop_assert!(users.len() <= 100);
                for user in users {
                    prop_assert!(invited.insert(*user), "{} twice", user);
                }
            }
        }
    }

    /// A lost answer never leads to another account, nor to a refusal of the whole.
    #[test]
    fn doubt_stays_where_it_is(number in 10_u8..13, settled: bool, step in steps()) {
        let outcome = refusal(number).expect("an outcome");
        let main = &accounts()[0];
        let task = Task::EditChat { chat: user(1), title: None, about: None };
        let context = StepContext {
            task: &task, account: main, settled, doubtful: false, attempts: 1,
            now: Timestamp::from_micros(1), patient_until: Timestamp::from_micros(100),
        };
        let after = judge::after(&step, &outcome, &context);
        prop_assert!(matches!(after, After::Again(_) | After::Look), "{:?}", after);
    }
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Create { title: "t".into(), about: String::new() }),
        Just(Step::OpenHistory),
        Just(Step::Invite { users: vec![user_id(1)] }),
        Just(Step::Promote { user: user_id(1) }),
        Just(Step::ExportLink),
        Just(Step::Remove { user: user_id(1) }),
        Just(Step::Leave),
        Just(Step::SetTitle { title: "t".into() }),
        Just(Step::SetAbout { about: "a".into() }),
    ]
}

#[test]
fn the_steps_of_a_new_chat_come_in_their_order() {
    let task = Task::CreateChat {
        title: "t".repeat(300),
        about: "a".into(),
        members: refs(&[1, 2, 3, 7]),
        admins: refs(&[5, 3]),
        observer: ObserverRule::Always,
        needs_a_member: true,
        client_tg_id: None,
    };
    let (saga, played) = play(task, &[]);
    let names: Vec<_> = played.over.iter().map(Step::name).collect();
    assert_eq!(names[..5], ["resolve"; 5]);
    let rest = [
        "create",
        "open_history",
        "invite",
        "promote",
        "promote",
        "promote",
        "resolve",
        "invite",
        "export_link",
    ];
    assert_eq!(names[5..], rest);
    let results: Vec<_> =
        saga.progress.members.iter().map(|one| (one.result, one.promoted.is_some())).collect();
    assert_eq!(
        results,
        [
            (Some(MemberResult::Added), true),
            (Some(MemberResult::NotFound), false),
            (Some(MemberResult::Added), true),
            (Some(MemberResult::Privacy), false),
            (Some(MemberResult::Added), true),
            (Some(MemberResult::Added), false),
        ]
    );
    let Step::Create { title, .. } = &played.over[5] else { panic!("not made") };
    assert_eq!(title.len(), 128);
}

#[test]
fn without_a_right_it_leaves_all_the_same() {
    let task = Task::LeaveChat {
        chat: ChatRef::Id(supergroup()),
        remove_members: true,
        missing_is_left: false,
        keep_own: false,
    };
    let (saga, played) = play(task, &[0, 0, 4]);
    assert_eq!(played.end, Some(End::Done));
    assert_eq!(saga.progress.removed, [user_id(3)]);
    assert_eq!(
        saga.progress.not_removed.iter().map(|(user, _)| *user).collect::<Vec<_>>(),
        [5, 9].map(user_id)
    );
    assert!(saga.progress.left.is_some());
}

#[test]
fn a_person_under_a_second_name_is_not_invited_again() {
    let mut saga = saga(Task::CreateChat {
        title: "t".into(),
        about: String::new(),
        members: refs(&[1]),
        admins: Vec::new(),
        observer: ObserverRule::Always,
        needs_a_member: false,
        client_tg_id: None,
    });
    let resolved = StepAnswer::Resolved { person: Some(Person { user_id: user_id(1), is_bot: false }) };
    machine::record(&mut saga, &Step::Resolve { who: user(1) }, Ok(&resolved));
    machine::record(&mut saga, &Step::Invite { users: vec![user_id(1)] }, Ok(&StepAnswer::Done));
    let who = "@demo_observer".parse().expect("a name");
    machine::record(&mut saga, &Step::Resolve { who }, Ok(&resolved));
    let results: Vec<_> = saga.progress.members.iter().map(|one| one.result).collect();
    assert_eq!(results, [Some(MemberResult::Added); 2]);
}

#[test]
fn more_than_a_hundred_are_invited_in_several_calls() {
    // The last of the 150 is another name of the first.
    let members = refs(&(1..300).step_by(2).collect::<Vec<_>>());
    let task = Task::AddMembers { chat: ChatRef::Id(supergroup()), members, admins: Vec::new() };
    let (_, played) = play(task, &[]);
    let invited = played.over.iter().filter_map(|step| match step {
        Step::Invite { users } => Some(users.len()),
        _ => None,
    });
    assert_eq!(invited.collect::<Vec<_>>(), [100, 49]);
}
