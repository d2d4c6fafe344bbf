//! Steps on chats: each taken once, each with a true answer.

use std::time::Duration;

use delivery::{Call, Candidates, ChatLookup, Readiness, Steps};
use domain::account::Operation;
use domain::outcome::{HoldScope, RejectionCode};
use domain::saga::{MemberResult, RegistryChange, Step, StepAnswer};
use domain::{ChatId, Outcome, SecretText, UserId};
use sandbox::telegram::{FaultName, Invites, MemberOrder, Privacy};
use telegram::{ChangeError, MemberRole, Pool, ReadError};

use crate::it::login::{rules, with_password};
use crate::it::world::{
    World, able, candidates, chat, message_id, name, one_account, query, send_to, state, until,
};

async fn take(
    pool: &Pool,
    account: &str,
    chat_id: Option<ChatId>,
    step: &Step,
) -> Result<StepAnswer, Outcome> {
    pool.take(Call { account: &name(account), chat_id, step }).await
}

async fn done(pool: &Pool, account: &str, chat_id: ChatId, step: Step) {
    assert_eq!(take(pool, account, Some(chat_id), &step).await, Ok(StepAnswer::Done), "{step:?}");
}

fn creation(title: &str) -> Step {
    Step::Create { title: title.to_owned(), about: "A repair".to_owned() }
}

async fn create(pool: &Pool, account: &str, title: &str) -> ChatId {
    match take(pool, account, None, &creation(title)).await {
        Ok(StepAnswer::Created { chat_id }) => chat_id,
        other => panic!("not made: {other:?}"),
    }
}

async fn person(pool: &Pool, account: &str, who: &str) -> UserId {
    match take(pool, account, None, &Step::Resolve { who: chat(who) }).await {
        Ok(StepAnswer::Resolved { person: Some(person) }) => person.user_id,
        other => panic!("{who}: {other:?}"),
    }
}

async fn invite(
    pool: &Pool,
    account: &str,
    chat_id: ChatId,
    users: &[UserId],
) -> Vec<(UserId, MemberResult)> {
    let step = Step::Invite { users: users.to_vec() };
    match take(pool, account, Some(chat_id), &step).await {
        Ok(StepAnswer::Invited { missing, .. }) => {
            missing.into_iter().map(|one| (one.user_id, one.result)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn effects(world: &World, method: &str) -> usize {
    world.telegram().ledger(0, 1_000).iter().filter(|entry| entry.method == method).count()
}

fn reachable(candidates: &Candidates) -> Vec<&str> {
    candidates
        .able
        .iter()
        .filter(|able| able.readiness == Readiness::Ready)
        .map(|able| able.account.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_made_filled_changed_and_left() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    let long = "x".repeat(300);
    let chat_id = create(&pool, "backup_1", &long).await;
    assert_eq!(pool.accounts_in(chat_id), [name("backup_1")]);
    let info = pool.chat_info(&chat(&chat_id.to_string())).expect("known at once");
    assert_eq!((info.title.chars().count(), info.accounts), (128, vec![name("backup_1")]));
    // A new supergroup shows its past already: asking for it twice is as good as once.
    done(&pool, "backup_1", chat_id, Step::OpenHistory).await;
    done(&pool, "backup_1", chat_id, Step::OpenHistory).await;

    let shy = Privacy { invites: Invites::NoOne };
    world.telegram().set_privacy("@client_3", shy).expect("set");
    let mut users = Vec::new();
    for who in ["@client_2", "@client_3", "@demo_bot_1", "@demo_backup_2"] {
        users.push(person(&pool, "backup_1", who).await);
    }
    assert_eq!(invite(&pool, "backup_1", chat_id, &users).await, [(users[1], MemberResult::Privacy)]);
    let again: Vec<_> = invite(&pool, "backup_1", chat_id, &[users[0], users[2]]).await;
    assert_eq!(again, [(users[0], MemberResult::Already), (users[2], MemberResult::Already)]);
    let unknown = UserId::new(123_456).expect("an id");
    let missing = invite(&pool, "backup_1", chat_id, &[unknown]).await;
    assert_eq!(missing, [(unknown, MemberResult::Failed)]);
    done(&pool, "backup_1", chat_id, Step::Promote { user: users[2] }).await;
    until("the other account knows it", || pool.accounts_in(chat_id).len() == 2).await;
    let page = pool.members(&chat(&chat_id.to_string()), None, 200, None).await.expect("members");
    let role = |user: UserId| page.items.iter().find(|one| one.user_id == user).map(|one| one.role);
    assert_eq!((role(users[0]), role(users[2])), (Some(MemberRole::Member), Some(MemberRole::Admin)));
    let ours = page.items.iter().filter(|one| one.is_account.is_some()).count();
    assert_eq!((page.items.len(), ours, page.next_cursor), (4, 2, None));

    let links = [0, 1].map(|_| Step::ExportLink);
    let mut found = Vec::new();
    for step in &links {
        found.push(take(&pool, "backup_1", Some(chat_id), step).await.expect("a link"));
    }
    assert_eq!(found[0], found[1]);
    done(&pool, "backup_1", chat_id, Step::SetTitle { title: "Order 7".to_owned() }).await;
    done(&pool, "backup_1", chat_id, Step::SetTitle { title: "Order 7".to_owned() }).await;
    done(&pool, "backup_1", chat_id, Step::SetAbout { about: "Done".to_owned() }).await;
    done(&pool, "backup_1", chat_id, Step::SetAbout { about: "Done".to_owned() }).await;
    let with_own = Step::ListMembers { keep_own: true };
    let refused = take(&pool, "backup_1", Some(chat_id), &with_own).await;
    assert_eq!(refused, Err(Outcome::Rejected { code: RejectionCode::OwnChat }));
    let owned_by_another = take(&pool, "backup_2", Some(chat_id), &with_own).await;
    assert!(matches!(owned_by_another, Ok(StepAnswer::Members { .. })), "{owned_by_another:?}");
    let without_own = Step::ListMembers { keep_own: false };
    let members = take(&pool, "backup_1", Some(chat_id), &without_own).await.expect("members");
    let StepAnswer::Members { users: mut listed } = members else { panic!("{members:?}") };
    listed.sort_unstable();
    let mut others = vec![users[0], users[2], users[3]];
    others.sort_unstable();
    assert_eq!(listed, others);
    let refused = take(&pool, "backup_2", Some(chat_id), &Step::Remove { user: users[0] }).await;
    assert!(matches!(refused, Err(Outcome::Forbidden(_))), "{refused:?}");
    done(&pool, "backup_1", chat_id, Step::Remove { user: users[0] }).await;
    done(&pool, "backup_1", chat_id, Step::Leave).await;
    done(&pool, "backup_1", chat_id, Step::Leave).await;
    assert!(!pool.accounts_in(chat_id).contains(&name("backup_1")));
    let counted = ["channels.createChannel", "channels.inviteToChannel", "channels.leaveChannel"];
    assert_eq!(counted.map(|method| effects(&world, method)), [1, 1, 1]);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failed_invitation_does_not_block_the_others() {
    let (world, pool) = one_account().await;
    let chat_id = create(&pool, "backup_1", "Order 7").await;
    let private = Privacy { invites: Invites::NoOne };
    world.telegram().set_privacy("@demo_bot_1", private).expect("set");
    let mut users = Vec::new();
    for who in ["@client_1", "@demo_bot_1", "@guest_1"] {
        users.push(person(&pool, "backup_1", who).await);
    }
    assert_eq!(invite(&pool, "backup_1", chat_id, &users).await, [(users[1], MemberResult::Failed)]);
    let info = world.telegram().chats();
    let made = info.iter().find(|chat| chat.title == "Order 7").expect("made");
    assert_eq!(made.members.len(), 3);
    // Whom a call brought whose answer was lost were not there before.
    let late = person(&pool, "backup_1", "@guest_2").await;
    world.fault("backup_1", FaultName::Disconnect).method("channels.inviteToChannel").times(1).on();
    let step = Step::Invite { users: vec![late, users[0]] };
    let lost = take(&pool, "backup_1", Some(chat_id), &step).await;
    assert!(matches!(lost, Err(Outcome::Unknown(_))), "{lost:?}");
    until("connected again", || state(&pool, "backup_1").0 == domain::account::AccountState::Ready).await;
    assert_eq!(invite(&pool, "backup_1", chat_id, &[late]).await, []);
    assert_eq!(invite(&pool, "backup_1", chat_id, &[late]).await, [(late, MemberResult::Already)]);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_whose_answer_was_lost_is_found_and_no_other_one() {
    let (world, pool) = one_account().await;
    // Our clock is an hour ahead of Telegram's: that must not hide the chat.
    world.clock.advance(Duration::from_hours(1));
    let older = create(&pool, "backup_1", "Order 7").await;
    let account = name("backup_1");
    let since = world.clock.now();
    let known = [older];
    let look = async |known: &[ChatId]| pool.find_created(&account, "Order 7", since, known).await;
    assert_eq!(look(&known).await, ChatLookup::NotThere);
    world.fault("backup_1", FaultName::Disconnect).method("channels.createChannel").times(1).on();
    let lost = take(&pool, "backup_1", None, &creation(" Order 7 ")).await;
    assert!(matches!(lost, Err(Outcome::Unknown(_))), "{lost:?}");
    until("connected again", || state(&pool, "backup_1").0 == domain::account::AccountState::Ready).await;
    let ChatLookup::Here(found) = look(&known).await else { panic!("not found") };
    assert_ne!(found, older);
    assert_eq!(pool.accounts_in(found), [name("backup_1")]);
    assert_eq!(look(&[older, found]).await, ChatLookup::NotThere);
    world.fault("backup_1", FaultName::RpcError).method("messages.getDialogs").error(500, "INTERNAL").on();
    assert_eq!(look(&known).await, ChatLookup::CannotTell);
    assert_eq!(effects(&world, "channels.createChannel"), 2);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_on_one_kind_of_call_holds_that_kind_alone() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    let chat_id = create(&pool, "backup_1", "Order 7").await;
    assert_eq!(reachable(&pool.creators(None)), ["backup_1", "backup_2"]);
    assert_eq!(pool.creators(None).preferred, Some(name("backup_1")));
    // Anyone who may not invite would make an empty chat.
    world.fault("backup_1", FaultName::FloodWait).method("channels.inviteToChannel").seconds(60.0).on();
    let user = person(&pool, "backup_1", "@client_1").await;
    let step = Step::Invite { users: vec![user] };
    let Err(Outcome::Held { until, scope: HoldScope::Account }) =
        take(&pool, "backup_1", Some(chat_id), &step).await
    else {
        panic!("no flood")
    };
    // Within the wait Telegram is not asked again.
    assert_eq!(take(&pool, "backup_1", Some(chat_id), &step).await, Err(Outcome::held(until)));
    assert_eq!(world.calls("backup_1", "channels.inviteToChannel"), 1);
    assert_eq!(reachable(&pool.creators(None)), ["backup_2", "backup_1"]);
    assert_eq!(pool.creators(None).preferred, Some(name("backup_1")));
    world.fault("backup_1", FaultName::FloodWait).method("channels.createChannel").seconds(60.0).on();
    let refused = take(&pool, "backup_1", None, &creation("Order 8")).await;
    assert!(matches!(refused, Err(Outcome::Held { scope: HoldScope::Account, .. })), "{refused:?}");
    assert_eq!(reachable(&pool.creators(None)), ["backup_2"]);
    assert_eq!(reachable(&pool.creators(Some(&name("backup_1")))), Vec::<&str>::new());
    assert_eq!(pool.creators(Some(&name("nobody"))).able, []);
    let to = chat_id.to_string();
    let by = |operation| {
        let (pool, to) = (&pool, &to);
        async move { reachable(&pool.reachers(&query(to, None), operation).await).len() }
    };
    assert_eq!((by(Operation::Invite).await, by(Operation::Leave).await), (0, 1));
    assert_eq!(able(&candidates(&pool, &to, None).await), ["backup_1"]);
    assert_eq!(send_to(&pool, "backup_1", chat_id, "hello", 1).await.word(), "sent");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_moves_from_a_removed_account() {
    let world = World::new().await.only(&["main", "backup_1", "backup_2"]);
    let pool = world.ready().await;
    let supergroup = world.demo("Demo supergroup");
    let chat_id: ChatId = supergroup.parse().expect("an id");
    let bound = RegistryChange::Bound { chat_id, account: name("backup_1") };
    assert_eq!(pool.bind(chat_id, &name("backup_1")), Ok(()));
    assert!(pool.bind(chat_id, &name("nobody")).is_err());
    pool.registered(&bound);
    let found = candidates(&pool, &supergroup, None).await;
    assert_eq!((able(&found)[0], found.lost), ("backup_1", false));
    let order: MemberOrder =
        serde_json::from_value(serde_json::json!({"account": "backup_1", "remove": true})).expect("an order");
    world.telegram().move_member(&supergroup, &order).expect("out");
    until("noticed", || pool.accounts_in(chat_id).len() == 2).await;
    let found = candidates(&pool, &supergroup, None).await;
    assert_eq!(able(&found), ["main", "backup_2"]);
    assert_eq!((found.preferred, found.lost), (Some(name("backup_1")), true));
    assert!(pool.bind(chat_id, &name("backup_1")).is_err());
    assert!(!pool.is_left(&chat(&supergroup)));
    pool.registered(&RegistryChange::Left { chat_id });
    assert!(pool.is_left(&chat(&supergroup)));
    pool.registered(&bound);
    assert!(!pool.is_left(&chat(&supergroup)));
    assert!(Steps::is_backup(&*pool, &name("backup_1")) && !Steps::is_backup(&*pool, &name("main")));
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_of_a_deleted_account_moves_to_a_member() {
    let mut world = World::new().await.only(&["main", "backup_1"]);
    let pool = world.ready().await;
    let supergroup = world.demo("Demo supergroup");
    let chat_id: ChatId = supergroup.parse().expect("an id");
    let own = create(&pool, "main", "Mine alone").await;
    let at = world.clock.now();
    let bound = |chat_id| RegistryChange::Bound { chat_id, account: name("main") };
    world.store.chats().change(vec![bound(chat_id), bound(own)], at).await.expect("stored");
    pool.stop(Duration::from_secs(5)).await;
    world.settings.accounts.retain(|account| account.name.as_str() == "backup_1");
    let pool = world.pool().await;
    until("ready", || state(&pool, "backup_1").0 == domain::account::AccountState::Ready).await;
    let found = candidates(&pool, &supergroup, None).await;
    assert_eq!((able(&found), found.lost), (vec!["backup_1"], true));
    assert_eq!(found.preferred, Some(name("main")));
    let orphaned = candidates(&pool, &own.to_string(), None).await;
    assert_eq!(able(&orphaned), Vec::<&str>::new());
    let (refusal, _) = &orphaned.refused[0];
    assert_eq!(refusal.account, name("main"));
    assert!(refusal.why.contains("no such account any more"), "{}", refusal.why);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_paged_and_unknown_chats_are_reported() {
    let (world, pool) = one_account().await;
    let chat_id = create(&pool, "backup_1", "Order 7").await;
    for number in 1..=3 {
        let sent = send_to(&pool, "backup_1", chat_id, &format!("line {number}"), number).await;
        assert_eq!(sent.word(), "sent");
    }
    let to = chat(&chat_id.to_string());
    let newest = pool.history(&to, None, 2, None).await.expect("read");
    let texts: Vec<&str> = newest.items.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, ["line 3", "line 2"]);
    assert!(newest.items.iter().all(|one| one.outgoing && one.from.is_some() && one.service.is_none()));
    let before: i64 = newest.next_cursor.expect("there is more").parse().expect("a number");
    let older = pool.history(&to, None, 100, Some(message_id(before))).await.expect("read");
    assert_eq!((older.items[0].text.as_str(), older.next_cursor), ("line 1", None));
    assert_eq!(older.items.last().and_then(|one| one.service.as_deref()), Some("created"));
    let unknown = pool.history(&chat("-1009999999999"), None, 10, None).await;
    assert!(matches!(unknown, Err(ReadError::NotFound { .. })), "{unknown:?}");
    let wrong = pool.members(&to, None, 10, Some("x".to_owned())).await;
    assert_eq!(wrong, Err(ReadError::InvalidCursor));
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_handed_over_once_whatever_answer_is_lost() {
    let (world, pool) = one_account().await;
    let chat_id = create(&pool, "backup_1", "Order 7").await;
    let heir = person(&pool, "backup_1", "@client_1").await;
    invite(&pool, "backup_1", chat_id, &[heir]).await;
    let group = chat(&chat_id.to_string());
    let hand_over = async |to: &str, password: &str| {
        pool.hand_over(&group, &chat(to), &SecretText::from(password), None).await
    };
    let refused = |code: &str| Err(ChangeError::Rejected { code: code.to_owned() });
    assert_eq!(hand_over("@client_1", "horse").await, refused("PASSWORD_MISSING"));
    rules(&world, "backup_1", &with_password());
    assert_eq!(hand_over("@client_1", "cow").await, refused("PASSWORD_HASH_INVALID"));
    assert_eq!(hand_over("@client_2", "horse").await, refused("USER_NOT_PARTICIPANT"));
    world.fault("backup_1", FaultName::Disconnect).method("messages.editChatCreator").times(1).on();
    let done = hand_over("@client_1", "horse").await.expect("handed over");
    assert_eq!((done.account, done.chat_id), (name("backup_1"), chat_id));
    // It is theirs, and asking again is no error.
    hand_over("@client_1", "forgotten").await.expect("as it is");
    let with_own = Step::ListMembers { keep_own: true };
    let listed = take(&pool, "backup_1", Some(chat_id), &with_own).await;
    assert!(matches!(listed, Ok(StepAnswer::Members { .. })), "it is another's: {listed:?}");
    assert_eq!(effects(&world, "messages.editChatCreator"), 1);
    world.end(&pool).await;
}
