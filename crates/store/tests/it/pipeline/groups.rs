//! Groups, channels and broadcasts: none of them is a private chat.

use ambient::Ids;
use domain::{AppealState, ChatType, ClientId, GroupAnswers, MergeId, Responder};
use store::{ClientFields, PipelineRules, StoredClient, TurnAnswer};

use super::{Written, page, started, written};
use crate::support::{World, conformance};

conformance! {
    a_group_has_a_conversation_of_its_own,
    a_group_is_answered_only_where_that_is_switched_on,
    topics_of_a_group_share_its_conversation_and_are_answered_where_they_are,
    posts_to_readers_make_no_client,
    a_group_is_no_person,
    what_a_member_says_is_not_noted_with_the_group,
}

const PRIVATE: &str = "telegram:bot/2001";
const GROUP: &str = "telegram:bot/-1001234567890";

fn in_group<'a>(address: &'a str, id: &'a str) -> Written<'a> {
    Written { user: Some("2001"), chat_type: ChatType::Group, ..written(address, id) }
}

impl World {
    /// The same person writes in private and then in the group.
    async fn writes_in_both(&self, rules: &PipelineRules) -> (ClientId, ClientId) {
        self.taken_in(
            rules,
            Written { user: Some("2001"), phone: Some("+70000000001"), ..written(PRIVATE, "secret") },
        )
        .await;
        self.taken_in(rules, Written { phone: Some("+70000000001"), ..in_group(GROUP, "g-1") }).await;
        (self.client_of(PRIVATE).await, self.client_of(GROUP).await)
    }

    async fn client(&self, id: ClientId) -> StoredClient {
        self.store.pipeline().client(id).await.unwrap().unwrap()
    }

    /// The chats in which a program is to answer now.
    async fn answered_in(&self) -> Vec<String> {
        self.responding().await.into_iter().map(|turn| turn.chat.to_string()).collect()
    }
}

async fn a_group_has_a_conversation_of_its_own(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let (person, group) = world.writes_in_both(&rules).await;
    assert_ne!(person, group);
    let stored = world.client(group).await;
    assert_eq!((stored.chat_type, stored.group_answers), (ChatType::Group, GroupAnswers::Never));
    // A group has no number, whatever its writers have.
    assert_eq!((stored.phone, stored.email), (None, None));
    let pipeline = world.store.pipeline();
    assert_eq!(pipeline.suggestions(person).await.unwrap(), []);
    assert_eq!(pipeline.suggestions(group).await.unwrap(), []);
    // An answer to the person goes to the private chat, though the person wrote in the group last.
    let target = pipeline.reply_target(person, None).await.unwrap().unwrap();
    assert_eq!(target.chat().to_string(), PRIVATE);
    assert_eq!(pipeline.reply_target(person, Some(GROUP.parse().unwrap())).await.unwrap(), None);
    assert_eq!(pipeline.reply_target(group, Some(PRIVATE.parse().unwrap())).await.unwrap(), None);
    let messages = pipeline.conversation(person, &page()).await.unwrap().items;
    assert!(messages.iter().all(|message| message.chat.to_string() == PRIVATE));
    let messages = pipeline.conversation(group, &page()).await.unwrap().items;
    assert_eq!((messages.len(), messages[0].sender.as_deref()), (1, Some("Anna")));
}

async fn a_group_is_answered_only_where_that_is_switched_on(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let (_, group) = world.writes_in_both(&rules).await;
    assert_eq!(world.answered_in().await, [PRIVATE]);
    let pipeline = world.store.pipeline();
    let appeal = pipeline.appeals_of(group, 1).await.unwrap().remove(0);
    // No one waits for an answer there.
    assert_eq!((appeal.state, appeal.waiting_since, appeal.unread), (AppealState::New, None, 1));
    let mention = |id| Written { mentions_us: true, ..in_group(GROUP, id) };
    world.taken_in(&rules, mention("g-2")).await;
    assert_eq!(world.answered_in().await, [PRIVATE]);
    pipeline.set_group_answers(group, GroupAnswers::WhenMentioned).await.unwrap();
    world.taken_in(&rules, in_group(GROUP, "g-3")).await;
    assert_eq!(world.answered_in().await, [PRIVATE]);
    world.taken_in(&rules, mention("g-4")).await;
    assert_eq!(world.answered_in().await, [PRIVATE, GROUP]);
    let turn = world.responding().await.remove(1);
    let disclosed = pipeline.disclose(&turn, 50).await.unwrap();
    assert_eq!(disclosed.chat_type, ChatType::Group);
    let texts: Vec<_> = disclosed.history.iter().map(|message| message.text.as_str().to_owned()).collect();
    assert_eq!(texts, ["text of g-1", "text of g-2", "text of g-3"]);
    let target = pipeline.reply_target_of(&turn).await.unwrap().unwrap();
    assert_eq!(target.chat().to_string(), GROUP);
    pipeline.hand_over(turn.id, "a test").await.unwrap();
    // The private thread has nothing of the group either.
    let turn = world.responding().await.remove(0);
    assert!(pipeline.disclose(&turn, 50).await.unwrap().history.is_empty());
    pipeline.set_group_answers(group, GroupAnswers::Never).await.unwrap();
    world.taken_in(&rules, mention("g-5")).await;
    assert_eq!(world.answered_in().await, [PRIVATE]);
}

async fn topics_of_a_group_share_its_conversation_and_are_answered_where_they_are(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let topic = |number: u8| format!("{GROUP}/{number}");
    let whole = GROUP.rsplit_once('/').unwrap().1;
    for number in [7, 8] {
        let (address, id) = (topic(number), format!("t-{number}"));
        world.taken_in(&rules, Written { group: Some(whole), ..in_group(&address, &id) }).await;
    }
    let group = world.client_of(&topic(7)).await;
    assert_eq!(world.client_of(&topic(8)).await, group);
    let pipeline = world.store.pipeline();
    pipeline.set_group_answers(group, GroupAnswers::Always).await.unwrap();
    let address = topic(7);
    world.taken_in(&rules, Written { group: Some(whole), ..in_group(&address, "t-9") }).await;
    let turn = world.responding().await.remove(0);
    let target = pipeline.reply_target_of(&turn).await.unwrap().unwrap();
    assert_eq!(target.chat().to_string(), topic(7));
    let history = pipeline.disclose(&turn, 50).await.unwrap().history;
    assert!(history.iter().all(|message| message.chat.to_string() == topic(7)), "{history:?}");
}

async fn posts_to_readers_make_no_client(world: World) {
    let rules = started(&world, Responder::Ai).await;
    for (chat_type, address) in [
        (ChatType::Channel, "telegram:bot/-1009999999999"),
        (ChatType::Broadcast, "whatsapp:phone/status@broadcast"),
    ] {
        world.taken_in(&rules, Written { chat_type, ..written(address, address) }).await;
    }
    assert_eq!(world.store.pipeline().clients(None, &page()).await.unwrap().items, []);
    assert_eq!(world.responding().await, []);
}

async fn a_group_is_no_person(world: World) {
    let rules = started(&world, Responder::Human).await;
    let (person, group) = world.writes_in_both(&rules).await;
    let (pipeline, ids) = (world.store.pipeline(), Ids::new(world.clock.clone()));
    for (master, merged) in [(person, group), (group, person)] {
        let merge = MergeId::from_uuid(ids.next());
        assert!(pipeline.merge(merge, master, merged, "olga").await.is_err());
    }
    let fields = ClientFields { phone: Some("+70000000001".to_owned()), ..ClientFields::default() };
    assert!(pipeline.change_client(group, fields).await.is_err());
    assert!(pipeline.set_group_answers(person, GroupAnswers::Always).await.is_err());
}

async fn what_a_member_says_is_not_noted_with_the_group(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let (_, group) = world.writes_in_both(&rules).await;
    let pipeline = world.store.pipeline();
    let before = pipeline.identities(group).await.unwrap();
    pipeline.set_group_answers(group, GroupAnswers::Always).await.unwrap();
    world.taken_in(&rules, in_group(GROUP, "g-2")).await;
    let turns = world.responding().await;
    let turn = turns.iter().find(|turn| turn.chat.to_string() == GROUP).unwrap();
    let fields = ClientFields {
        name: Some("Boris".to_owned()),
        phone: Some("+70000000009".to_owned()),
        email: Some("boris@example.com".to_owned()),
    };
    let nothing = TurnAnswer::Nothing { why: "a test".to_owned() };
    assert!(pipeline.answer(turn.id, nothing, fields).await.unwrap());
    let StoredClient { name, phone, email, .. } = world.client(group).await;
    assert!(
        name.as_deref() != Some("Boris") && phone.is_none() && email.is_none(),
        "{name:?} {phone:?} {email:?}"
    );
    assert_eq!(pipeline.identities(group).await.unwrap(), before);
}
