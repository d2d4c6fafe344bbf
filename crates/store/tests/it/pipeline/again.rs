//! What is begun once more, what people are notified of, and what they begin.

use std::time::Duration;

use ambient::Ids;
use domain::message::Writer;
use domain::outcome::{Failure, SentIds};
use domain::received_message::ReceivedMedia;
use domain::{
    Address, AppealState, Author, ChatId, ChatType, ContactProof, EventFilter, EventId, MergeId, MessageId,
    MessageOrigin, MessageState, ProvedContact, Responder, SpokenText,
};
use store::{
    AppealChange, AppealFilter, AppealOrder, Approval, Begin, ClientFields, Fail, FirstContact, PartSent,
    PipelineRules, Replayed, StoredAppeal, StoredTurn, TurnAnswer,
};

use super::{ANNA, BORIS, SILENCE, Written, page, rules, started, written};
use crate::support::{World, accept, account, conformance};

conformance! {
    a_batch_that_is_answered_goes_along_in_a_merge,
    a_client_whose_draft_is_refused_waits_for_a_person,
    a_client_who_is_written_to_first_does_not_wait,
    a_draft_is_an_answer_once_it_is_sent,
    a_message_that_was_not_taken_in_is_replayed_once,
    a_person_who_is_faster_than_silence_stops_the_program,
    a_resent_answer_that_fails_again_is_a_new_notice,
    a_voice_to_an_account_is_waited_for,
    an_answer_that_is_cancelled_leaves_its_client_waiting,
    each_answer_counts_with_the_wait_before_it,
    each_waiting_time_is_notified_once,
    forty_parts_are_one_batch_in_their_order,
    a_split_gives_back_merged_data,
    messages_since_a_merge_wait_in_their_own_appeal,
    an_appeal_that_is_off_is_not_handed_over,
    an_unanswered_batch_is_retried_until_answered,
    an_answer_that_failed_is_waited_for_until_it_arrives,
    tags_of_a_model_are_there_with_its_answer_alone,
}

impl World {
    /// A person here writes to a client.
    async fn we_write(&self, address: &str) -> MessageId {
        let chat: domain::ChannelChat = address.parse().unwrap();
        let mut message = self.message(1);
        message.account = Some(chat.account.clone());
        message.chat = domain::ChatRef::Channel(chat.clone());
        message.address = Some(domain::Address::Channel(chat));
        message.content.written_by = Writer::Person;
        let id = message.id;
        self.store.outbox().accept(accept(message)).await.unwrap();
        id
    }

    /// A message to Anna fails, and the pipeline takes that in.
    async fn fails(&self, rules: &PipelineRules, id: MessageId) {
        let failure = Failure::NoAccount { asked: Vec::new() };
        assert!(self.store.outbox().fail(Fail { id, failure, at: self.now() }).await.unwrap());
        self.work(rules).await;
    }

    /// The same where it arrives.
    async fn arrives(&self, rules: &PipelineRules, id: MessageId) {
        let (shop, address) = (account("shop"), Address::Channel(ANNA.parse().unwrap()));
        let begin = Begin { account: shop.clone(), address: address.clone(), ..self.begin(id, 0) };
        self.store.outbox().begin(begin).await.unwrap();
        let message_ids = SentIds::one(Some(id.to_string().as_str()));
        let sent = PartSent { account: shop, address, message_ids, ..self.sent(id, 0) };
        self.store.outbox().part_sent(sent).await.unwrap();
        self.work(rules).await;
    }
}

async fn an_unanswered_batch_is_retried_until_answered(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let pipeline = world.store.pipeline();
    let mut failed = Vec::new();
    for id in ["m-1", "m-2"] {
        world.says(written(ANNA, id)).await;
        world.work(&rules).await;
        world.clock.advance(SILENCE);
        world.work(&rules).await;
        if let Some(turn) = world.responding().await.into_iter().next() {
            pipeline.hand_over(turn.id, "timeout").await.unwrap();
            let back = AppealChange { responder: Some(None), ..AppealChange::default() };
            pipeline.change_appeal(turn.appeal.unwrap(), back).await.unwrap();
            failed.push(turn.id);
        }
    }
    let listed = |found: store::Paged<StoredTurn>| -> Vec<_> {
        found.items.into_iter().map(|turn| (turn.id, turn.why)).collect()
    };
    let why = Some("timeout".to_owned());
    let expected = [(failed[1], why.clone()), (failed[0], why)];
    assert_eq!(listed(pipeline.failed_turns(&page()).await.unwrap()), expected);
    let came = pipeline.retry_turns(failed.clone(), &rules).await.unwrap();
    assert_eq!(came, [(failed[0], Replayed::Waits), (failed[1], Replayed::Waits)]);
    assert_eq!(listed(pipeline.failed_turns(&page()).await.unwrap()), []);
    world.work(&rules).await;
    let turns = world.responding().await;
    assert_eq!(turns.len(), 1);
    assert_eq!(world.batch_of(&turns[0]).await, ["text of m-1", "text of m-2"]);
    // What is on its way is not begun again, and what was answered is not answered again.
    let message = pipeline.batch(turns[0].id).await.unwrap()[0].message.parse().unwrap();
    let again = async || pipeline.replay(domain::AnyReceivedId::Channel(message), &rules).await.unwrap();
    assert_eq!(again().await, Some(Replayed::OnItsWay));
    pipeline.hand_over(turns[0].id, "timeout").await.unwrap();
    world.says(Written { origin: MessageOrigin::Owner, ..written(ANNA, "o-1") }).await;
    world.work(&rules).await;
    assert_eq!(listed(pipeline.failed_turns(&page()).await.unwrap()), []);
    assert_eq!(again().await, Some(Replayed::Answered));
    let came = pipeline.retry_turns(vec![turns[0].id], &rules).await.unwrap();
    assert_eq!(came, [(turns[0].id, Replayed::Answered)]);
}

async fn a_message_that_was_not_taken_in_is_replayed_once(world: World) {
    // Before the pipeline was switched on.
    world.says(written(ANNA, "m-1")).await;
    let rules = started(&world, Responder::Ai).await;
    world.clock.advance(SILENCE);
    let pipeline = world.store.pipeline();
    let read = world.store.events().after(EventId::ZERO, &EventFilter::default(), 100).await.unwrap();
    let data: serde_json::Value = serde_json::from_str(&read.events[0].data).unwrap();
    let message: domain::InboundId = data["message_id"].as_str().unwrap().parse().unwrap();
    let again = async |rules| pipeline.replay(domain::AnyReceivedId::Channel(message), rules).await.unwrap();
    let mut off = rules.clone();
    off.rules[0].is_on = false;
    assert_eq!(again(&off).await, Some(Replayed::NotTaken));
    assert_eq!(again(&rules).await, Some(Replayed::Waits));
    assert_eq!(again(&rules).await, Some(Replayed::OnItsWay));
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turns = world.responding().await;
    assert_eq!(turns.len(), 1);
    assert_eq!(world.batch_of(&turns[0]).await, ["text of m-1"]);
    let unknown = domain::InboundId::new(77).unwrap();
    assert_eq!(pipeline.replay(domain::AnyReceivedId::Channel(unknown), &rules).await.unwrap(), None);
}

async fn each_waiting_time_is_notified_once(world: World) {
    let rules = started(&world, Responder::Human).await;
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let (short, long) = (Duration::from_mins(10), Duration::from_mins(30));
    let pipeline = world.store.pipeline();
    let unnotified = async || pipeline.unnotified(short, long, 10).await.unwrap();
    assert_eq!(unnotified().await, []);
    world.clock.advance(short);
    let waiting = unnotified().await.remove(0);
    assert_eq!((waiting.notified_after, waiting.assignee.as_deref()), (Duration::ZERO, None));
    assert!(pipeline.notified(&waiting, short).await.unwrap());
    assert!(!pipeline.notified(&waiting, short).await.unwrap());
    assert_eq!(unnotified().await.remove(0).notified_after, short);
    assert!(pipeline.notified(&waiting, long).await.unwrap());
    assert_eq!(unnotified().await, []);
    // Who was answered does not wait; who writes again waits again.
    world.says(Written { origin: MessageOrigin::Owner, ..written(ANNA, "o-1") }).await;
    world.work(&rules).await;
    world.clock.advance(long);
    assert_eq!(unnotified().await, []);
    world.says(written(ANNA, "m-2")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    world.clock.advance(short);
    let again = unnotified().await.remove(0);
    assert_eq!(again.notified_after, Duration::ZERO);
    assert!(!pipeline.notified(&waiting, long).await.unwrap());
    assert!(pipeline.notified(&again, short).await.unwrap());
}

async fn an_answer_that_failed_is_waited_for_until_it_arrives(world: World) {
    let rules = started(&world, Responder::Human).await;
    let short = Duration::from_mins(10);
    let (pipeline, outbox) = (world.store.pipeline(), world.store.outbox());
    let longest = async || {
        world.listed(AppealFilter { order: AppealOrder::Waiting, ..AppealFilter::default() }).await.len()
    };
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    let (failed, other) = (world.we_write(ANNA).await, world.we_write(ANNA).await);
    world.work(&rules).await;
    assert_eq!(longest().await, 0);
    world.fails(&rules, failed).await;
    // What was on its way beside it says nothing of it.
    world.arrives(&rules, other).await;
    assert_eq!(longest().await, 1);
    assert_eq!(pipeline.unnotified(short, short, 10).await.unwrap(), []);
    world.clock.advance(short);
    assert_eq!(pipeline.unnotified(short, short, 10).await.unwrap().len(), 1);
    assert!(outbox.retry(failed, world.now()).await.unwrap());
    world.work(&rules).await;
    assert_eq!(longest().await, 1);
    world.arrives(&rules, failed).await;
    assert_eq!((longest().await, pipeline.unnotified(short, short, 10).await.unwrap()), (0, vec![]));
    // Who wrote since waits for more than that.
    let late = world.we_write(ANNA).await;
    world.work(&rules).await;
    world.fails(&rules, late).await;
    world.taken_in(&rules, written(ANNA, "m-2")).await;
    assert!(outbox.retry(late, world.now()).await.unwrap());
    world.arrives(&rules, late).await;
    assert_eq!(longest().await, 1);
    // Another answer is one.
    world.we_write(ANNA).await;
    world.work(&rules).await;
    assert_eq!(longest().await, 0);
}

async fn a_resent_answer_that_fails_again_is_a_new_notice(world: World) {
    let rules = started(&world, Responder::Human).await;
    let short = Duration::from_mins(10);
    let pipeline = world.store.pipeline();
    let unnotified = async || pipeline.unnotified(short, short, 10).await.unwrap();
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    let answer = world.we_write(ANNA).await;
    world.work(&rules).await;
    world.fails(&rules, answer).await;
    world.clock.advance(short);
    let waiting = unnotified().await.remove(0);
    assert!(pipeline.notified(&waiting, short).await.unwrap());
    assert!(world.store.outbox().retry(answer, world.now()).await.unwrap());
    world.work(&rules).await;
    assert_eq!(unnotified().await, []);
    world.fails(&rules, answer).await;
    assert_eq!(unnotified().await, [waiting]);
}

impl World {
    /// Anna writes, and the answer of a program awaits approval; her appeal as it was before.
    async fn drafts(&self, rules: &PipelineRules, id: &str) -> (MessageId, StoredAppeal) {
        self.taken_in(rules, written(ANNA, id)).await;
        let turn = self.responding().await.remove(0);
        let pipeline = self.store.pipeline();
        let before = pipeline.appeal(turn.appeal.unwrap()).await.unwrap().unwrap();
        let text = TurnAnswer::Text {
            text: SpokenText::read("Yes").unwrap(),
            needs_approval: true,
            why: None,
            closes: true,
        };
        assert!(pipeline.answer(turn.id, text, ClientFields::default()).await.unwrap());
        let (draft, _) = self.answers(&turn, MessageState::AwaitingApproval).await;
        self.work(rules).await;
        (draft, before)
    }

    /// A person decides about a draft.
    async fn decides(&self, rules: &PipelineRules, draft: MessageId, approval: Approval) {
        let (outbox, by) = (self.store.outbox(), "olga".to_owned());
        assert!(outbox.decide(draft, approval, self.now(), by).await.unwrap());
        self.work(rules).await;
    }
}

async fn a_draft_is_an_answer_once_it_is_sent(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let short = Duration::from_mins(10);
    let pipeline = world.store.pipeline();
    let (draft, before) = world.drafts(&rules, "m-1").await;
    let appeal = async || pipeline.appeal(before.id).await.unwrap().unwrap();
    let waits = appeal().await;
    let expected =
        StoredAppeal { state: AppealState::WaitingUs, updated_at: waits.updated_at, ..before.clone() };
    assert_eq!(waits, expected);
    assert_eq!(
        pipeline.conversation(before.client, &page()).await.unwrap().items[0].message,
        draft.to_string()
    );
    world.clock.advance(short);
    assert_eq!(pipeline.unnotified(short, short, 10).await.unwrap().len(), 1);
    // What the client adds is another batch of the program, and waits on once the first answer has left.
    world.taken_in(&rules, written(ANNA, "m-2")).await;
    assert_eq!(world.responding().await.len(), 1);
    world.decides(&rules, draft, Approval::Approved).await;
    assert_eq!(appeal().await.waiting_since, before.waiting_since);
    world.arrives(&rules, draft).await;
    let added = pipeline.conversation(before.client, &page()).await.unwrap().items[0].at;
    let answered = appeal().await;
    assert_eq!((answered.state, answered.waiting_since), (AppealState::WaitingUs, Some(added)));
    assert_eq!((answered.first_author, answered.responder), (Some(Author::Ai), None));
    assert!(answered.first_wait.unwrap() >= short);
    let (draft, _) = world.drafts(&rules, "m-3").await;
    world.decides(&rules, draft, Approval::Approved).await;
    world.arrives(&rules, draft).await;
    let answered = appeal().await;
    assert_eq!((answered.state, answered.waiting_since), (AppealState::WaitingClient, None));
    assert_eq!(answered.next_answers, 1);
}

async fn a_client_whose_draft_is_refused_waits_for_a_person(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let (draft, before) = world.drafts(&rules, "m-1").await;
    world.decides(&rules, draft, Approval::Rejected).await;
    let appeal = async || world.store.pipeline().appeal(before.id).await.unwrap().unwrap();
    let refused = appeal().await;
    assert_eq!((refused.state, refused.responder), (AppealState::WaitingUs, Some(Responder::Human)));
    assert_eq!((refused.waiting_since, refused.first_answer_at), (before.waiting_since, None));
    // Of one who was answered meanwhile nothing changes.
    let back = AppealChange { responder: Some(None), ..AppealChange::default() };
    world.store.pipeline().change_appeal(before.id, back).await.unwrap();
    let (draft, _) = world.drafts(&rules, "m-2").await;
    world.we_write(ANNA).await;
    world.work(&rules).await;
    let answered = appeal().await;
    world.decides(&rules, draft, Approval::Rejected).await;
    assert_eq!((answered.state, appeal().await), (AppealState::WaitingClient, answered));
}

async fn an_answer_that_is_cancelled_leaves_its_client_waiting(world: World) {
    let rules = started(&world, Responder::Human).await;
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    let client = world.client_of(ANNA).await;
    let waits = async || {
        let appeal = world.store.pipeline().appeals_of(client, 1).await.unwrap().remove(0);
        (appeal.state, appeal.waiting_since.is_some())
    };
    let cancels = async |id| {
        world.work(&rules).await;
        assert!(world.store.outbox().cancel(id, world.now(), None).await.unwrap());
        world.work(&rules).await;
    };
    let (owed, answered) = ((AppealState::WaitingUs, true), (AppealState::WaitingClient, false));
    let answer = world.we_write(ANNA).await;
    cancels(answer).await;
    assert_eq!(waits().await, owed);
    // Sent again it arrives, and of what is written after it no client waits.
    assert!(world.store.outbox().retry(answer, world.now()).await.unwrap());
    world.arrives(&rules, answer).await;
    assert_eq!(waits().await, answered);
    cancels(world.we_write(ANNA).await).await;
    assert_eq!(waits().await, answered);
}

async fn tags_of_a_model_are_there_with_its_answer_alone(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    let turn = world.responding().await.remove(0);
    let pipeline = world.store.pipeline();
    for (is_taken, tag) in [(true, "kettle"), (false, "lamp")] {
        let (nothing, none) = (TurnAnswer::Nothing { why: "a test".to_owned() }, ClientFields::default());
        let taken = pipeline.answer_of_model(turn.id, nothing, none, vec![tag.to_owned()], Vec::new());
        assert_eq!(taken.await.unwrap(), is_taken);
        assert_eq!(pipeline.appeal(turn.appeal.unwrap()).await.unwrap().unwrap().tags, ["kettle"]);
    }
}

async fn a_client_who_is_written_to_first_does_not_wait(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let ids = Ids::new(world.clock.clone());
    let chat = "whatsapp:phone/70000000001@c.us";
    let contact = FirstContact {
        chat: chat.parse().unwrap(),
        user: None,
        name: Some("Anna".to_owned()),
        chat_type: ChatType::Private,
        phone: Some(ProvedContact::new("+70000000001", ContactProof::ChannelId)),
        email: None,
    };
    let pipeline = world.store.pipeline();
    let begin = async |contact: &FirstContact| {
        let begun = pipeline.begin_conversation(contact.clone(), Some("olga".to_owned()), &ids).await;
        let (target, appeal) = begun.unwrap().unwrap();
        assert_eq!(target.chat(), &contact.chat);
        (target.client(), appeal)
    };
    let (client, appeal) = begin(&contact).await;
    assert_eq!(begin(&contact).await, (client, appeal));
    let opened = pipeline.appeal(appeal).await.unwrap().unwrap();
    assert_eq!((opened.waiting_since, opened.responder), (None, Some(Responder::Human)));
    assert_eq!(opened.assignee.as_deref(), Some("olga"));
    assert_eq!(pipeline.next_due().await.unwrap(), None);
    world.we_write(chat).await;
    world.work(&rules).await;
    let ours = pipeline.appeal(appeal).await.unwrap().unwrap();
    assert_eq!((ours.first_answer_at, ours.first_author, ours.first_wait), (None, None, None));
    // What they answer is of the same client and goes to the same person.
    world.says(Written { phone: Some("+70000000001"), ..written(chat, "w-1") }).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!(world.client_of(chat).await, client);
    let stored = pipeline.appeal(appeal).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.unread), (AppealState::WaitingUs, 1));
    world.clock.advance(Duration::from_mins(5));
    world.we_write(chat).await;
    world.work(&rules).await;
    assert_eq!(waits(&pipeline.appeal(appeal).await.unwrap().unwrap()), (Some(5), 0, 0));
}

/// The wait for the first answer, the number of answers after it and the wait for all of those: whole minutes.
fn waits(appeal: &StoredAppeal) -> (Option<u64>, u64, u64) {
    let minutes = |wait: Duration| wait.as_secs() / 60;
    (appeal.first_wait.map(minutes), appeal.next_answers, minutes(appeal.next_wait))
}

async fn each_answer_counts_with_the_wait_before_it(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let pipeline = world.store.pipeline();
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    let turn = world.responding().await.remove(0);
    let counted = async || waits(&pipeline.appeal(turn.appeal.unwrap()).await.unwrap().unwrap());
    world.clock.advance(Duration::from_mins(5));
    // A model that closes the appeal with its answer has answered.
    let text = TurnAnswer::Text {
        text: SpokenText::read("Yes").unwrap(),
        needs_approval: false,
        why: None,
        closes: true,
    };
    assert!(pipeline.answer(turn.id, text, ClientFields::default()).await.unwrap());
    assert!(world.submits(&turn).await);
    world.work(&rules).await;
    assert_eq!(counted().await, (Some(5), 0, 0));
    // What follows an answer answers nothing.
    world.says(Written { origin: MessageOrigin::Owner, ..written(ANNA, "o-1") }).await;
    world.work(&rules).await;
    assert_eq!(counted().await, (Some(5), 0, 0));
    world.taken_in(&rules, written(ANNA, "m-2")).await;
    world.taken_in(&rules, written(ANNA, "m-3")).await;
    world.clock.advance(Duration::from_mins(10));
    world.says(Written { origin: MessageOrigin::Owner, ..written(ANNA, "o-2") }).await;
    world.work(&rules).await;
    assert_eq!(counted().await, (Some(5), 1, 10));
    world.taken_in(&rules, written(ANNA, "m-4")).await;
    world.clock.advance(Duration::from_mins(20));
    world.we_write(ANNA).await;
    world.work(&rules).await;
    assert_eq!(counted().await, (Some(5), 2, 30));
    let opened = pipeline.appeal(turn.appeal.unwrap()).await.unwrap().unwrap().opened_at;
    let figures = pipeline.opened(opened, world.now()).await.unwrap().remove(0);
    assert_eq!((figures.first_wait.unwrap().as_secs() / 60, figures.next_answers), (5, 2));
    assert_eq!(figures.next_wait.as_secs() / 60, 30);
}

async fn a_split_gives_back_merged_data(world: World) {
    let rules = started(&world, Responder::Human).await;
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    world.taken_in(&rules, written(BORIS, "v-1")).await;
    let (anna, boris) = (world.client_of(ANNA).await, world.client_of(BORIS).await);
    let pipeline = world.store.pipeline();
    let [phone, email] = ["+70000000002", "boris@example.com"].map(|text| Some(text.to_owned()));
    let known = ClientFields { name: None, phone, email };
    pipeline.change_client(boris, known.clone()).await.unwrap();
    let merge = MergeId::from_uuid(Ids::new(world.clock.clone()).next());
    pipeline.merge(merge, anna, boris, "olga").await.unwrap();
    let fields = async |client| {
        let known = pipeline.client(client).await.unwrap().unwrap();
        ClientFields { name: None, phone: known.phone, email: known.email }
    };
    assert_eq!(fields(anna).await, known);
    let phone = Some("+70000000003".to_owned());
    pipeline
        .change_client(anna, ClientFields { phone: phone.clone(), ..ClientFields::default() })
        .await
        .unwrap();
    // What the chat begins from then on is one of its own.
    for client in [anna, boris] {
        for appeal in pipeline.appeals_of(client, 10).await.unwrap() {
            let closed = AppealChange { closed: Some(true), ..AppealChange::default() };
            pipeline.change_appeal(appeal.id, closed).await.unwrap();
        }
    }
    world.clock.advance(Duration::from_hours(48));
    world.taken_in(&rules, written(BORIS, "v-2")).await;
    assert_eq!(pipeline.appeals_of(anna, 10).await.unwrap().len(), 3);
    pipeline.split(merge).await.unwrap();

    // Who stays keeps what was said of it since, and has no more what was the other one's.
    assert_eq!(fields(anna).await, ClientFields { phone, ..ClientFields::default() });
    assert_eq!(fields(boris).await, known);
    for (text, expected) in [
        ("text of m", vec![anna]),
        ("text of v", vec![boris]),
        ("boris@example.com", vec![boris]),
        ("+70000000002", vec![boris]),
        ("+70000000003", vec![anna]),
    ] {
        assert_eq!(world.found(text).await, expected, "{text}");
    }
    let appeals = async |client| pipeline.appeals_of(client, 10).await.unwrap().len();
    assert_eq!((appeals(anna).await, appeals(boris).await), (1, 2));
}

async fn messages_since_a_merge_wait_in_their_own_appeal(world: World) {
    let rules = started(&world, Responder::Human).await;
    world.taken_in(&rules, written(BORIS, "v-1")).await;
    world.says(Written { origin: MessageOrigin::Owner, ..written(BORIS, "o-1") }).await;
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    let (anna, boris) = (world.client_of(ANNA).await, world.client_of(BORIS).await);
    let pipeline = world.store.pipeline();
    let merge = MergeId::from_uuid(Ids::new(world.clock.clone()).next());
    pipeline.merge(merge, anna, boris, "olga").await.unwrap();
    // It goes to the appeal that waits, which is not of this chat.
    world.taken_in(&rules, written(BORIS, "v-2")).await;
    pipeline.split(merge).await.unwrap();
    let own = pipeline.appeals_of(boris, 1).await.unwrap().remove(0);
    let messages = pipeline.conversation(boris, &page()).await.unwrap().items;
    assert_eq!((messages[0].appeal, own.state), (Some(own.id), AppealState::WaitingUs));
    assert_eq!(own.waiting_since, Some(messages[0].at));
}

async fn a_batch_that_is_answered_goes_along_in_a_merge(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let other_chat = "vk:club/2000002";
    world.says(written(ANNA, "m-1")).await;
    world.says(written(other_chat, "v-1")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turns = world.responding().await;
    let turn = turns.iter().find(|turn| turn.chat.to_string() == other_chat).unwrap();
    let (anna, other) = (world.client_of(ANNA).await, turn.client.unwrap());
    let pipeline = world.store.pipeline();
    let merge = MergeId::from_uuid(Ids::new(world.clock.clone()).next());
    pipeline.merge(merge, anna, other, "olga").await.unwrap();
    let text = TurnAnswer::Text {
        text: SpokenText::read("Yes").unwrap(),
        needs_approval: false,
        why: None,
        closes: false,
    };
    assert!(pipeline.answer(turn.id, text, ClientFields::default()).await.unwrap());
    assert!(world.submits(turn).await);
    world.work(&rules).await;
    let authors = async |client| {
        let thread = pipeline.conversation(client, &page()).await.unwrap().items;
        thread.iter().map(|message| message.author).collect::<Vec<_>>()
    };
    assert_eq!(authors(anna).await, [Author::Ai, Author::Client, Author::Client]);
    let appeal = pipeline.appeal(turn.appeal.unwrap()).await.unwrap().unwrap();
    assert_eq!((appeal.client, appeal.state), (anna, AppealState::WaitingClient));
    pipeline.split(merge).await.unwrap();
    assert_eq!((authors(anna).await.len(), authors(other).await.len()), (1, 2));
    // What people change is an event, once where nothing changed.
    let before = *world.store.events().newest().borrow();
    pipeline.add_note(appeal.id, "olga", "calls later".to_owned()).await.unwrap();
    for _ in 0..2 {
        let tags = AppealChange { tags: Some(vec!["kettle".to_owned()]), ..AppealChange::default() };
        pipeline.change_appeal(appeal.id, tags).await.unwrap();
    }
    pipeline.change_client(anna, ClientFields::default()).await.unwrap();
    assert!(pipeline.erase(anna).await.unwrap());
    let read = world.store.events().after(before, &EventFilter::default(), 100).await.unwrap();
    let types: Vec<_> = read.events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(types, ["appeal.changed", "appeal.changed", "client.changed", "client.erased"]);
}

async fn a_voice_to_an_account_is_waited_for(world: World) {
    started(&world, Responder::Ai).await;
    let rules = PipelineRules { hears_within: Some(SILENCE), ..rules(Responder::Ai) };
    let mut message = world.received(ChatId::user(5_000_000_001).unwrap(), 1, "");
    message.media = Some(ReceivedMedia { kind: "voice".to_owned(), file: None });
    let id = world.take(message).await;
    world.work(&rules).await;
    let pipeline = world.store.pipeline();
    assert_eq!(pipeline.voices(10).await.unwrap().remove(0).0, id);
    assert!(pipeline.heard(&rules, &id, Some("come today".into())).await.unwrap());
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turn = world.responding().await.remove(0);
    assert_eq!(world.batch_of(&turn).await, ["[Голосовое]: come today"]);
}

async fn a_person_who_is_faster_than_silence_stops_the_program(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let pipeline = world.store.pipeline();
    let other = "vk:club/2000002";
    world.says(written(ANNA, "m-1")).await;
    world.says(written(other, "v-1")).await;
    world.work(&rules).await;
    world.says(Written { origin: MessageOrigin::Owner, ..written(ANNA, "o-1") }).await;
    world.we_write(other).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!(world.responding().await, []);
    let of = async |address: &str| {
        let client = world.client_of(address).await;
        let appeal = pipeline.appeals_of(client, 1).await.unwrap().remove(0);
        let messages = pipeline.conversation(client, &page()).await.unwrap().items;
        let authors: Vec<_> = messages.iter().map(|message| message.author).collect();
        (appeal.state, appeal.responder, authors)
    };
    let person = Some(Responder::Human);
    // In the app all is seen; who writes here may not have seen what waited.
    let answered = (AppealState::WaitingClient, person, vec![Author::Elsewhere, Author::Client]);
    assert_eq!(of(ANNA).await, answered);
    assert_eq!(of(other).await, (AppealState::WaitingUs, person, vec![Author::Agent, Author::Client]));
    // What the client adds before silence is that person's too.
    world.says(written(ANNA, "m-2")).await;
    world.work(&rules).await;
    world.says(Written { origin: MessageOrigin::Owner, ..written(ANNA, "o-2") }).await;
    world.taken_in(&rules, written(ANNA, "m-3")).await;
    assert_eq!(world.responding().await, []);
    assert_eq!(of(ANNA).await.0, AppealState::WaitingUs);
}

async fn forty_parts_are_one_batch_in_their_order(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let mut expected = Vec::new();
    for part in 0..40 {
        let id = format!("m-{part}");
        world.says(written(ANNA, &id)).await;
        world.work(&rules).await;
        world.clock.advance(Duration::from_secs(1));
        expected.push(format!("text of {id}"));
    }
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turns = world.responding().await;
    assert_eq!(turns.len(), 1);
    assert_eq!(world.batch_of(&turns[0]).await, expected);
}

async fn an_appeal_that_is_off_is_not_handed_over(world: World) {
    let rules = started(&world, Responder::Off).await;
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    let pipeline = world.store.pipeline();
    assert_eq!((world.responding().await, pipeline.counts().await.unwrap().stages), (vec![], vec![]));
    let client = world.client_of(ANNA).await;
    let appeal = pipeline.appeals_of(client, 1).await.unwrap().remove(0);
    assert_eq!((appeal.state, appeal.first_answer_at), (AppealState::New, None));
    // It is kept, and no one is called to answer.
    assert_eq!(pipeline.conversation(client, &page()).await.unwrap().items.len(), 1);
    let read = world.store.events().after(EventId::ZERO, &EventFilter::default(), 100).await.unwrap();
    assert!(read.events.iter().all(|event| event.kind.as_str() != "appeal.handed_over"));
}
