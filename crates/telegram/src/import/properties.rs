//! The planner's promises, over whatever is found and whichever accounts exist.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{AccountName, Purpose, UserId};
use proptest::prelude::*;
use store::KeyFingerprint;

use super::account_index::AccountIndex;
use super::account_index::tests::{existing, user};
use super::plan_file::{Plan, PlannedSession};
use super::planner::{Application, Decision, Identity, ImportAction, Person, Subject, Wishes, plan};
use super::row::SessionOutcome;

fn key(number: u8) -> KeyFingerprint {
    KeyFingerprint([number; 8])
}

fn name(text: &str) -> AccountName {
    text.parse().expect("a name")
}

fn subject(number: u8) -> Subject {
    Subject {
        key: key(number),
        files: vec![format!("/demo/{number}.session")],
        kind: "Telethon file".to_owned(),
        dc_id: 2,
        stated_user: None,
        peers: 3,
    }
}

fn person(user_id: i64) -> Person {
    Person {
        user_id: user(user_id),
        username: Some(format!("demo_{user_id}")),
        display_name: "Demo".to_owned(),
        phone: Some(format!("7000000000{user_id}")),
    }
}

fn wishes() -> Wishes {
    let application = Application { api_id: 1_000_001, api_hash: "demo".into() };
    Wishes { application: Some(application), ..Wishes::default() }
}

/// Who lives here after the plan was carried out, new accounts first.
fn after(mut index: AccountIndex, subjects: &[(Subject, Identity)], decisions: &[Decision]) -> AccountIndex {
    let mut work: Vec<_> = subjects.iter().zip(decisions).collect();
    work.sort_by_key(|(_, decision)| !decision.makes_an_account());
    for ((subject, whose), decision) in work {
        match &decision.action {
            Some(ImportAction::Join { account, purposes, new }) => {
                if new.is_some() {
                    index.accounts.push(super::account_index::ExistingAccount {
                        is_stored: true,
                        ..existing(account.as_str())
                    });
                }
                let home = index.get_mut(account).expect("it was made");
                home.keys.push(subject.key);
                home.taken.extend(purposes);
                if let Identity::Person(person) = whose {
                    home.user_id = Some(person.user_id);
                }
                index.ownerless.retain(|key| *key != subject.key);
            }
            Some(ImportAction::Keep) => index.ownerless.push(subject.key),
            None => {}
        }
    }
    index
}

fn decided(
    index: AccountIndex,
    sessions: &[(Subject, Identity)],
    wishes: &Wishes,
) -> Vec<(SessionOutcome, Option<String>)> {
    let shown =
        |decision: Decision| (decision.row.what, decision.row.account.map(|account| account.to_string()));
    plan(sessions, index, wishes).into_iter().map(shown).collect()
}

fn main(user_id: Option<i64>) -> AccountIndex {
    let main = super::account_index::ExistingAccount {
        user_id: user_id.map(user),
        phone: Some("+70000000001".to_owned()),
        ..existing("main")
    };
    AccountIndex { accounts: vec![main], ownerless: Vec::new() }
}

#[test]
fn the_first_session_gets_all_work_and_the_next_is_spare() {
    let sessions = [1, 2].map(|number| (subject(number), Identity::Person(person(1))));
    let decisions = plan(&sessions, main(None), &Wishes::default());
    assert_eq!(decisions[0].row.purposes, Purpose::ALL);
    assert_eq!(
        (decisions[0].row.what, decisions[1].row.what),
        (SessionOutcome::New, SessionOutcome::Ownerless)
    );
    assert_eq!(decisions[0].row.phone.as_deref(), Some("+7••••••••01"));
    let again = plan(&sessions, after(main(None), &sessions, &decisions), &Wishes::default());
    assert!(
        again.iter().all(|decision| decision.action.is_none() && decision.row.what == SessionOutcome::Known)
    );
}

#[test]
fn a_plan_gives_each_session_its_work() {
    let planned = |number: u8, purposes: &[Purpose]| PlannedSession {
        fingerprint: Some(key(number).to_string()),
        purposes: purposes.to_vec(),
        ..PlannedSession::default()
    };
    let sessions = [1, 2, 3].map(|number| (subject(number), Identity::Person(person(1))));
    let plan_file = Plan {
        sessions: vec![
            planned(1, &[Purpose::CreateChat]),
            planned(2, &[]),
            PlannedSession { skip: true, ..planned(3, &[]) },
        ],
        ..Plan::default()
    };
    let decisions = plan(&sessions, main(Some(1)), &Wishes { plan: plan_file, ..Wishes::default() });
    assert_eq!(decisions[0].row.purposes, [Purpose::CreateChat]);
    assert_eq!(decisions[1].row.purposes, [Purpose::SendText, Purpose::SendMedia, Purpose::LeaveChat]);
    assert_eq!(decisions[2].row.what, SessionOutcome::Skipped);
}

#[test]
fn idle_sessions_take_the_work_later_ones_leave() {
    let planned = |number: u8, purposes: &[Purpose]| PlannedSession {
        fingerprint: Some(key(number).to_string()),
        purposes: purposes.to_vec(),
        ..PlannedSession::default()
    };
    let sessions = [1, 2, 3].map(|number| (subject(number), Identity::Person(person(1))));
    let wishes = |sessions| Wishes { plan: Plan { sessions, ..Plan::default() }, ..Wishes::default() };
    // The first is not in the plan at all; the second is, for nothing that is said.
    let planned_sessions = vec![planned(2, &[]), planned(3, &[Purpose::SendText])];
    let decisions = plan(&sessions, main(Some(1)), &wishes(planned_sessions));
    assert_eq!(decisions[1].row.purposes, [Purpose::CreateChat, Purpose::SendMedia, Purpose::LeaveChat]);
    assert_eq!(
        (decisions[2].row.what, &decisions[2].row.purposes[..]),
        (SessionOutcome::New, &[Purpose::SendText][..])
    );
    let decisions = plan(&sessions[..2], main(Some(1)), &wishes(vec![planned(2, &[Purpose::SendText])]));
    assert_eq!(decisions[0].row.purposes, [Purpose::CreateChat, Purpose::SendMedia, Purpose::LeaveChat]);
    assert_eq!(decisions[1].row.purposes, [Purpose::SendText]);
}

#[test]
fn someone_elses_session_goes_into_no_account() {
    let sessions = [(subject(1), Identity::Person(person(2)))];
    let named = Wishes { account: Some(name("main")), ..Wishes::default() };
    assert_eq!(
        decided(main(Some(1)), &sessions, &named),
        [(SessionOutcome::OtherPerson, Some("main".to_owned()))]
    );
    let mut both = main(Some(1));
    both.accounts
        .push(super::account_index::ExistingAccount { user_id: Some(user(2)), ..existing("backup_1") });
    assert_eq!(decided(both, &sessions, &named), [(SessionOutcome::OtherPerson, Some("main".to_owned()))]);
}

#[test]
fn without_an_application_no_account_is_made() {
    let sessions = [(subject(1), Identity::Person(person(2)))];
    assert_eq!(decided(main(Some(1)), &sessions, &Wishes::default()), [(SessionOutcome::Ownerless, None)]);
    assert_eq!(
        decided(main(Some(1)), &sessions, &wishes()),
        [(SessionOutcome::New, Some("demo_2".to_owned()))]
    );
}

#[test]
fn an_ownerless_session_joins_a_new_account() {
    let sessions = [(subject(1), Identity::Person(person(1)))];
    let index = AccountIndex { ownerless: vec![key(1)], ..AccountIndex::default() };
    assert_eq!(decided(index.clone(), &sessions, &Wishes::default()), [(SessionOutcome::Known, None)]);
    assert_eq!(decided(index, &sessions, &wishes()), [(SessionOutcome::New, Some("demo_1".to_owned()))]);
}

#[test]
fn an_ownerless_session_joins_once_its_account_is_proved() {
    let planned = PlannedSession {
        fingerprint: Some(key(2).to_string()),
        account: Some(name("main")),
        purposes: vec![Purpose::SendMedia],
        ..PlannedSession::default()
    };
    let sessions = [1, 2].map(|number| (subject(number), Identity::Person(person(1))));
    let plan_file = Plan { sessions: vec![planned], ..Plan::default() };
    let unknown = AccountIndex { accounts: vec![existing("main")], ownerless: Vec::new() };
    let decisions = plan(&sessions, unknown, &Wishes { plan: plan_file, ..Wishes::default() });
    assert_eq!((decisions[0].row.what, decisions[1].row.what), (SessionOutcome::New, SessionOutcome::New));
    assert_eq!(decisions[0].row.purposes, [Purpose::CreateChat, Purpose::SendText, Purpose::LeaveChat]);
}

#[test]
fn a_dry_run_calls_no_account_with_a_known_phone_ownerless() {
    let stated = Subject { stated_user: Some(user(1)), ..subject(1) };
    let sessions = [(stated, Identity::Unasked)];
    let decisions = plan(&sessions, main(None), &Wishes::default());
    assert_eq!(decisions[0].row.what, SessionOutcome::Unasked);
    let decisions = plan(&sessions, main(Some(2)), &Wishes::default());
    assert_eq!(decisions[0].row.what, SessionOutcome::Ownerless);
}

#[test]
fn a_dry_run_trusts_the_file_and_reports_it() {
    let stated = Subject { stated_user: Some(user(1)), ..subject(1) };
    let sessions = [(stated, Identity::Unasked), (subject(2), Identity::Unasked)];
    let decisions = plan(&sessions, main(Some(1)), &Wishes::default());
    assert_eq!(
        (decisions[0].row.what, decisions[1].row.what),
        (SessionOutcome::New, SessionOutcome::Unasked)
    );
    assert!(decisions[0].row.detail.as_deref().is_some_and(|detail| detail.contains("what the file says")));
}

fn any_whose() -> impl Strategy<Value = Identity> {
    prop_oneof![
        6 => (1_i64..5).prop_map(|user_id| Identity::Person(person(user_id))),
        1 => Just(Identity::Unasked),
        1 => Just(Identity::Gone(SessionOutcome::SignedOut, "signed out".to_owned())),
    ]
}

fn any_purposes() -> impl Strategy<Value = Vec<Purpose>> {
    proptest::sample::subsequence(Purpose::ALL.to_vec(), 0..=4)
}

prop_compose! {
    fn any_sessions()(
        all in proptest::collection::vec((any_whose(), proptest::option::of(1_i64..5)), 0..8)
    ) -> Vec<(Subject, Identity)> {
        let number = |place: usize| u8::try_from(place + 1).expect("small");
        all.into_iter().enumerate().map(|(place, (whose, user_id))| (Subject { stated_user: user_id.map(user), ..subject(number(place)) }, whose)).collect()
    }
}

prop_compose! {
    fn any_house()(
        people in proptest::collection::vec(
            (proptest::option::of(1_i64..5), proptest::option::of(1_i64..5), any_purposes(), any::<bool>(), any::<bool>()),
            0..4,
        ),
        ownerless in proptest::collection::vec(1_u8..9, 0..3),
    ) -> AccountIndex {
        let mut met = HashSet::new();
        let mut accounts = Vec::new();
        for (place, (user_id, phone, taken, is_stored, has_key)) in people.into_iter().enumerate() {
            let user_id = user_id.map(user).filter(|user_id| met.insert(*user_id));
            accounts.push(super::account_index::ExistingAccount {
                user_id,
                phone: phone.map(|phone| format!("+7 000 000-00-0{phone}")),
                // Some of what is found lives here already.
                keys: if has_key { vec![key(u8::try_from(place + 1).expect("small"))] } else { Vec::new() },
                taken,
                is_stored,
                ..existing(["main", "backup_1", "demo_2", "demo_3"][place])
            });
        }
        AccountIndex { accounts, ownerless: ownerless.into_iter().map(key).collect() }
    }
}

prop_compose! {
    fn any_wishes()(
        named in proptest::option::of(prop_oneof![Just("main"), Just("demo_2"), Just("fresh")]),
        purposes in any_purposes(),
        application: bool,
        planned in proptest::collection::vec(
            (1_u8..9, proptest::option::of(prop_oneof![Just("backup_1"), Just("other")]), any_purposes(), any::<bool>()),
            0..4,
        ),
    ) -> Wishes {
        let sessions = planned.into_iter().map(|(number, account, purposes, skip)| PlannedSession {
            fingerprint: Some(key(number).to_string()),
            account: account.map(name),
            purposes,
            skip,
            ..PlannedSession::default()
        });
        Wishes {
            account: named.map(name),
            purposes,
            application: if application { wishes().application } else { None },
            plan: Plan { sessions: sessions.collect(), accounts: Vec::new(), names: BTreeMap::new() },
        }
    }
}

proptest! {
    #[test]
    fn each_session_has_one_outcome_and_people_are_not_mixed(
        sessions in any_sessions(), index in any_house(), wishes in any_wishes(),
    ) {
        let decisions = plan(&sessions, index.clone(), &wishes);
        prop_assert_eq!(decisions.len(), sessions.len());
        let mut people: HashMap<AccountName, UserId> =
            index.accounts.iter().filter_map(|one| Some((one.name.clone(), one.user_id?))).collect();
        let mut taken: HashSet<(AccountName, Purpose)> =
            index.accounts.iter().flat_map(|one| one.taken.iter().map(|purpose| (one.name.clone(), *purpose))).collect();
        for ((subject, whose), decision) in sessions.iter().zip(&decisions) {
            prop_assert_eq!(&decision.row.fingerprint, &Some(subject.key.to_string()));
            if index.holder(subject.key).is_some() {
                prop_assert!(decision.action.is_none(), "opened twice");
            }
            if matches!(whose, Identity::Gone(..)) {
                prop_assert!(decision.action.is_none());
            }
            if let Some(phone) = &decision.row.phone {
                prop_assert!(phone.contains('•'), "{}", phone);
            }
            if let (Some(ImportAction::Join { account, purposes, new }), Some(user_id)) = (&decision.action, decision.row.user_id) {
                prop_assert!(!purposes.is_empty());
                prop_assert_eq!(*people.entry(account.clone()).or_insert(user_id), user_id, "mixed");
                prop_assert!(new.is_none() || index.get(account).is_none());
                for purpose in purposes {
                    prop_assert!(taken.insert((account.clone(), *purpose)), "two sessions for one purpose");
                }
            }
        }
    }

    #[test]
    fn a_repeated_import_changes_nothing(sessions in any_sessions(), index in any_house(), wishes in any_wishes()) {
        // What no one asked about is planned and never carried out.
        let sessions: Vec<_> = sessions.into_iter().filter(|(_, whose)| *whose != Identity::Unasked).collect();
        let decisions = plan(&sessions, index.clone(), &wishes);
        let again = plan(&sessions, after(index, &sessions, &decisions), &wishes);
        for decision in again {
            prop_assert!(decision.action.is_none(), "{:?}", decision);
        }
    }
}
