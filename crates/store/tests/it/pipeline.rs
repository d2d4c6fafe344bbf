//! The pipeline: batches by silence, clients, appeals, turns, and what a person changes.

mod again;
mod answered;
mod customers;
mod groups;
mod merges;
mod outside;
mod proofs;
mod set_back;
mod swept;
mod switching;
mod templates;
mod unanswered;
mod views;
mod voices;
mod writing;

use std::time::Duration;

use ambient::Ids;
use domain::message::{OutboundMessage, Writer};
use domain::{
    AppealState, Author, ClientId, ContactProof, EventFilter, EventId, MergeId, MessageId, MessageOrigin,
    MessageState, Responder, SpokenText, TurnStage,
};
use store::{
    AppealChange, AppealFilter, AppealOrder, AuditEntry, AuditFilter, AuditResult, AuditWho, BY_AI,
    ClientFields, FoundClient, OutsideStages, Page, PipelineRule, PipelineRules, StoredTurn, TurnAnswer,
};

use self::templates::templates_are_kept_by_name;
use self::views::other_programs_query_clients_appeals_and_messages;
use self::voices::{
    a_batch_waits_for_the_text_of_a_voice, a_voice_that_its_provider_wrote_down_is_not_awaited,
};
use self::writing::{Written, written};
use crate::support::{World, accept, conformance};

conformance! {
    a_batch_waits_for_silence_and_no_longer_than_it_may,
    messages_written_meanwhile_discard_an_answer_twice_at_most,
    a_verified_number_joins_two_channels_into_one_client,
    a_proved_email_leads_to_the_client_that_is_known_by_it,
    a_typed_number_only_suggests,
    a_merge_and_its_undoing_move_all_that_belongs_to_a_client,
    an_appeal_goes_on_and_is_reopened_within_its_time,
    a_person_who_answers_stops_the_program,
    an_answer_counts_once_and_only_in_its_stage,
    actions_of_a_model_are_audited_with_its_answer,
    a_restored_store_leaves_what_was_not_answered_to_people,
    events_taken_twice_are_stored_once,
    other_programs_query_clients_appeals_and_messages,
    views_for_other_programs_are_read_only,
    a_batch_waits_for_the_text_of_a_voice,
    a_voice_that_its_provider_wrote_down_is_not_awaited,
    unread_messages_are_counted,
    appeals_sort_by_waiting_time_and_snoozed_ones_return,
    a_client_of_two_channels_is_found_by_either,
    words_and_numbers_lead_to_conversations,
    an_erased_client_leaves_no_rows,
    templates_are_kept_by_name,
    each_result_of_another_program_counts_once,
}

const SILENCE: Duration = Duration::from_secs(20);
const LONGEST: Duration = Duration::from_mins(1);

fn rules(responder: Responder) -> PipelineRules {
    let rule = PipelineRule {
        channel: None,
        account: None,
        is_on: true,
        silence: SILENCE,
        longest: LONGEST,
        responder,
    };
    PipelineRules {
        rules: vec![rule],
        reopen_within: Duration::from_hours(24),
        hears_within: None,
        outside: OutsideStages::default(),
        customers: domain::CustomerRule::default(),
    }
}

fn page() -> Page {
    Page { limit: 50, cursor: None }
}

impl World {
    /// What the worker of the pipeline does at this instant.
    pub(crate) async fn work(&self, rules: &PipelineRules) {
        let pipeline = self.store.pipeline();
        let ids = Ids::new(self.clock.clone());
        while pipeline.take_in(rules, 100).await.unwrap().took > 0 {}
        pipeline.advance(rules, &ids, 100).await.unwrap();
    }

    async fn responding(&self) -> Vec<StoredTurn> {
        self.store.pipeline().at_stage(TurnStage::Respond, 100).await.unwrap()
    }

    /// The outbox takes the answer of a turn; says whether that was news.
    async fn submits(&self, turn: &StoredTurn) -> bool {
        self.answers(turn, MessageState::Queued).await.1
    }

    /// The same with the answer, which waits so.
    async fn answers(&self, turn: &StoredTurn, state: MessageState) -> (MessageId, bool) {
        let mut message = OutboundMessage { state, ..self.message(1) };
        message.account = Some(turn.chat.account.clone());
        message.chat = domain::ChatRef::Channel(turn.chat.clone());
        message.address = Some(domain::Address::Channel(turn.chat.clone()));
        message.content.written_by = Writer::Program;
        let mut accepting = accept(message.clone());
        accepting.origin.listener = BY_AI.to_owned();
        self.store.outbox().accept(accepting).await.unwrap();
        let is_news = self.store.pipeline().submitted(turn.id, message.id).await.unwrap();
        assert!(!self.store.pipeline().submitted(turn.id, message.id).await.unwrap());
        (message.id, is_news)
    }

    /// What the last event of a kind says.
    async fn last_event(&self, kind: &str) -> serde_json::Value {
        let read = self.store.events().after(EventId::ZERO, &EventFilter::default(), 100).await.unwrap();
        let last = read.events.iter().rfind(|event| event.kind.as_str() == kind);
        serde_json::from_str(&last.expect(kind).data).unwrap()
    }

    async fn batch_of(&self, turn: &StoredTurn) -> Vec<String> {
        let batch = self.store.pipeline().batch(turn.id).await.unwrap();
        batch.into_iter().map(|message| message.text.as_str().to_owned()).collect()
    }

    /// The client of a chat that has written and been taken.
    async fn client_of(&self, address: &str) -> ClientId {
        let found = self.store.pipeline().clients(None, &page()).await.unwrap().items;
        for client in found {
            let chats = self.store.pipeline().chats_of(client.id).await.unwrap();
            if chats.iter().any(|chat| chat.chat.to_string() == address) {
                return client.id;
            }
        }
        panic!("no client of {address}");
    }
}

const ANNA: &str = "avito:shop/u2i-1";

pub(crate) async fn started(world: &World, responder: Responder) -> PipelineRules {
    let rules = rules(responder);
    world.work(&rules).await;
    rules
}

async fn a_batch_waits_for_silence_and_no_longer_than_it_may(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    let due = world.store.pipeline().next_due().await.unwrap().unwrap();
    assert!(due > world.now().plus(SILENCE / 2) && due <= world.now().plus(SILENCE));
    world.clock.advance(Duration::from_secs(15));
    world.says(written(ANNA, "m-2")).await;
    assert!(world.store.pipeline().counts().await.unwrap().behind >= Duration::from_secs(15));
    world.work(&rules).await;
    assert_eq!(world.responding().await, []);
    world.clock.advance(Duration::from_secs(20));
    world.work(&rules).await;
    let turns = world.responding().await;
    assert_eq!(world.batch_of(&turns[0]).await, ["text of m-1", "text of m-2"]);
    assert!(turns[0].client.is_some() && turns[0].appeal.is_some());
    // A person who never stops is answered after the longest time.
    let other = "avito:shop/u2i-2";
    for place in 0..7 {
        world.says(written(other, &format!("n-{place}"))).await;
        world.work(&rules).await;
        world.clock.advance(Duration::from_secs(10));
    }
    world.work(&rules).await;
    let turns = world.responding().await;
    assert_eq!(turns.len(), 2);
    assert!(world.batch_of(&turns[1]).await.len() >= 6);
}

async fn messages_written_meanwhile_discard_an_answer_twice_at_most(world: World) {
    let rules = started(&world, Responder::Ai).await;
    let mut written_so_far = Vec::new();
    for place in 0..4 {
        let id = format!("m-{place}");
        world.says(written(ANNA, &id)).await;
        written_so_far.push(format!("text of {id}"));
        world.work(&rules).await;
        world.clock.advance(SILENCE);
        world.work(&rules).await;
        let turns = world.responding().await;
        assert_eq!(turns.len(), 1);
        let expected = if place < 3 { &written_so_far[..] } else { &written_so_far[..3] };
        assert_eq!(world.batch_of(&turns[0]).await, expected);
    }
    // The last one waits until the answer has left.
    let turn = world.responding().await.remove(0);
    let nothing = TurnAnswer::Nothing { why: "a test".to_owned() };
    assert!(world.store.pipeline().answer(turn.id, nothing, ClientFields::default()).await.unwrap());
    world.work(&rules).await;
    let turns = world.responding().await;
    assert_eq!((turns.len(), world.batch_of(&turns[0]).await), (1, vec!["text of m-3".to_owned()]));
}

async fn a_verified_number_joins_two_channels_into_one_client(world: World) {
    let rules = started(&world, Responder::Human).await;
    let phone = Some("+70000000001");
    world.says(Written { phone, ..written(ANNA, "m-1") }).await;
    world.says(Written { phone, ..written("whatsapp:phone/70000000001@c.us", "w-1") }).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let clients = world.store.pipeline().clients(None, &page()).await.unwrap().items;
    assert_eq!(clients.len(), 1);
    assert_eq!(clients[0].phone.as_deref(), phone);
    let appeals = world.store.pipeline().appeals_of(clients[0].id, 10).await.unwrap();
    assert_eq!((appeals.len(), appeals[0].state), (1, AppealState::WaitingUs));
    assert_eq!(world.store.pipeline().chats_of(clients[0].id).await.unwrap().len(), 2);
    assert_eq!(world.store.pipeline().clients(Some("0000001"), &page()).await.unwrap().items.len(), 1);
    assert_eq!(world.store.pipeline().clients(Some("Boris"), &page()).await.unwrap().items.len(), 0);
}

async fn a_proved_email_leads_to_the_client_that_is_known_by_it(world: World) {
    let rules = started(&world, Responder::Human).await;
    let emails = ["anna@example.com", "Anna@Example.com", "boris@example.com"];
    for (email, address) in emails.into_iter().zip([ANNA, "email:mail/anna", BORIS]) {
        let email_proof = ContactProof::Mail;
        world
            .taken_in(&rules, Written { email: Some(email), email_proof, ..written(address, address) })
            .await;
    }
    let anna = world.client_of(ANNA).await;
    assert_eq!(world.client_of("email:mail/anna").await, anna);
    assert_ne!(world.client_of(BORIS).await, anna);
}

async fn a_typed_number_only_suggests(world: World) {
    let rules = started(&world, Responder::Human).await;
    let phone = Some("+70000000001");
    world.says(Written { phone, ..written(ANNA, "m-1") }).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    world.says(Written { phone, ..written("form:site/f-1", "f-1") }).await;
    // A form waits for no silence.
    world.work(&rules).await;
    let (anna, typed) = (world.client_of(ANNA).await, world.client_of("form:site/f-1").await);
    assert_ne!(anna, typed);
    let pipeline = world.store.pipeline();
    assert_eq!(pipeline.suggestions(anna).await.unwrap()[0].0, typed);
    pipeline.dismiss(typed, anna).await.unwrap();
    assert_eq!(pipeline.suggestions(anna).await.unwrap(), []);
    // The text of a message is "text of" and its id.
    world.says(written("vk:club/2000002", "call 8 (000) 000-00-01")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let wrote = world.client_of("vk:club/2000002").await;
    let why = "the number or address is in a message";
    let perhaps = pipeline.suggestions(wrote).await.unwrap();
    assert_eq!((perhaps[0].0, perhaps[0].1.as_str(), perhaps.len()), (anna, why, 1));
}

async fn a_merge_and_its_undoing_move_all_that_belongs_to_a_client(world: World) {
    let rules = started(&world, Responder::Human).await;
    let other_chat = "vk:club/2000002";
    world.says(written(ANNA, "m-1")).await;
    world.says(written(other_chat, "v-1")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let (anna, other) = (world.client_of(ANNA).await, world.client_of(other_chat).await);
    let pipeline = world.store.pipeline();
    let id = MergeId::from_uuid(Ids::new(world.clock.clone()).next());
    assert!(pipeline.merge(id, anna, anna, "olga").await.is_err());
    pipeline.merge(id, anna, other, "olga").await.unwrap();
    let both = serde_json::json!({ "client_id": anna, "other": other });
    assert_eq!(world.last_event("client.merged").await, both);
    assert_eq!(pipeline.client(other).await.unwrap().unwrap().merged_into, Some(anna));
    assert_eq!(pipeline.conversation(anna, &page()).await.unwrap().items.len(), 2);
    assert_eq!(pipeline.appeals_of(anna, 10).await.unwrap().len(), 2);
    assert!(pipeline.change_client(other, ClientFields::default()).await.is_err());
    // What is written from then on is the master's.
    world.says(written(other_chat, "v-2")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!(pipeline.conversation(anna, &page()).await.unwrap().items.len(), 3);
    pipeline.split(id).await.unwrap();
    assert_eq!(world.last_event("client.split").await, both);
    assert!(pipeline.split(id).await.is_err());
    assert_eq!(pipeline.conversation(other, &page()).await.unwrap().items.len(), 2);
    assert_eq!(pipeline.conversation(anna, &page()).await.unwrap().items.len(), 1);
    assert_eq!(pipeline.appeals_of(other, 10).await.unwrap().len(), 1);
    assert_eq!(world.client_of(other_chat).await, other);
    let merges = pipeline.merges_of(anna).await.unwrap();
    assert!(merges[0].undone_at.is_some() && merges[0].merged_by == "olga");
}

async fn an_appeal_goes_on_and_is_reopened_within_its_time(world: World) {
    let rules = started(&world, Responder::Human).await;
    let mut kinds = Vec::new();
    for (place, pause) in [0, 1, 30].into_iter().enumerate() {
        world.clock.advance(Duration::from_hours(pause));
        world.says(written(ANNA, &format!("m-{place}"))).await;
        world.work(&rules).await;
        world.clock.advance(SILENCE);
        world.work(&rules).await;
        let client = world.client_of(ANNA).await;
        let last = world.store.pipeline().appeals_of(client, 1).await.unwrap().remove(0);
        let close = AppealChange { closed: Some(true), ..AppealChange::default() };
        world.store.pipeline().change_appeal(last.id, close).await.unwrap();
        kinds.push(last.id);
    }
    assert!(kinds[0] == kinds[1] && kinds[1] != kinds[2]);
    let open = AppealFilter { open: true, ..AppealFilter::default() };
    assert_eq!(world.store.pipeline().appeals(&open, &page()).await.unwrap().items.len(), 0);
    assert_eq!(
        world.store.pipeline().appeals(&AppealFilter::default(), &page()).await.unwrap().items.len(),
        2
    );
    let read = world.store.events().after(EventId::ZERO, &EventFilter::default(), 100).await.unwrap();
    let count = |word: &str| read.events.iter().filter(|event| event.kind.as_str() == word).count();
    assert_eq!((count("appeal.opened"), count("appeal.reopened"), count("appeal.closed")), (2, 1, 3));
    assert_eq!(count("client.created"), 1);
}

/// An answer that is sent at once.
fn says(text: &str) -> TurnAnswer {
    let text = SpokenText::read(text).unwrap();
    TurnAnswer::Text { text, needs_approval: false, why: None, closes: false }
}

async fn a_person_who_answers_stops_the_program(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turn = world.responding().await.remove(0);
    world.says(Written { origin: MessageOrigin::Owner, ..written(ANNA, "o-1") }).await;
    world.work(&rules).await;
    let pipeline = world.store.pipeline();
    assert_eq!(pipeline.turn(turn.id).await.unwrap().unwrap().stage, TurnStage::Discarded);
    let late = says("late");
    assert!(!pipeline.answer(turn.id, late, ClientFields::default()).await.unwrap());
    let appeal = pipeline.appeal(turn.appeal.unwrap()).await.unwrap().unwrap();
    assert_eq!((appeal.state, appeal.responder), (AppealState::WaitingClient, Some(Responder::Human)));
    let says = |state: &str, reason: &str| {
        let (client_id, appeal_id) = (appeal.client, appeal.id);
        serde_json::json!({ "appeal_id": appeal_id, "client_id": client_id, "state": state, "reason": reason })
    };
    assert_eq!(world.last_event("appeal.answered").await, says("waiting_client", "elsewhere"));
    // The next message is that person's too, until the appeal is given back.
    world.says(written(ANNA, "m-2")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!(world.responding().await, []);
    assert_eq!(world.last_event("appeal.handed_over").await, says("waiting_us", "human"));
    let back = AppealChange {
        responder: Some(None),
        assignee: Some(Some("olga".to_owned())),
        ..AppealChange::default()
    };
    pipeline.change_appeal(appeal.id, back).await.unwrap();
    assert_eq!(world.last_event("appeal.assigned").await, says("waiting_us", "olga"));
    world.says(written(ANNA, "m-3")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    assert_eq!(world.responding().await.len(), 1);
}

async fn an_answer_counts_once_and_only_in_its_stage(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turn = world.responding().await.remove(0);
    let pipeline = world.store.pipeline();
    let text = says("Yes");
    let fields = ClientFields { email: Some("anna@example.com".to_owned()), ..ClientFields::default() };
    assert!(pipeline.answer(turn.id, text.clone(), fields).await.unwrap());
    assert!(!pipeline.answer(turn.id, text, ClientFields::default()).await.unwrap());
    let client = pipeline.client(turn.client.unwrap()).await.unwrap().unwrap();
    assert_eq!(client.email.as_deref(), Some("anna@example.com"));
    // It leaves at this moment: a person who answers now is refused.
    assert!(!pipeline.take_over(client.id).await.unwrap());
    assert!(world.submits(&turn).await);
    world.work(&rules).await;
    let thread = pipeline.conversation(client.id, &page()).await.unwrap().items;
    assert_eq!(thread.iter().map(|message| message.author).collect::<Vec<_>>(), [Author::Ai, Author::Client]);
    let appeal = pipeline.appeal(turn.appeal.unwrap()).await.unwrap().unwrap();
    assert_eq!((appeal.state, appeal.waiting_since), (AppealState::WaitingClient, None));
    assert!(appeal.first_answer_at.is_some() && appeal.responder.is_none());
}

async fn a_restored_store_leaves_what_was_not_answered_to_people(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    world.says(written("vk:club/2", "v-1")).await;
    world.work(&rules).await;
    world.store.hold_back(world.now()).await.unwrap();
    world.clock.advance(Duration::from_hours(1));
    world.work(&rules).await;
    assert_eq!(world.responding().await, []);
    let appeals = world.store.pipeline().appeals(&AppealFilter::default(), &page()).await.unwrap().items;
    assert_eq!((appeals.len(), appeals[0].state), (1, AppealState::WaitingUs));
    assert_eq!(world.store.pipeline().counts().await.unwrap().stages, []);
}

async fn events_taken_twice_are_stored_once(world: World) {
    let rules = started(&world, Responder::Human).await;
    world.says(written(ANNA, "m-1")).await;
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    world.work(&rules).await;
    assert_eq!(world.store.pipeline().counts().await.unwrap().waiting.0, 1);
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let client = world.client_of(ANNA).await;
    assert_eq!(world.store.pipeline().conversation(client, &page()).await.unwrap().items.len(), 1);
}

async fn views_for_other_programs_are_read_only(world: World) {
    let rules = started(&world, Responder::Human).await;
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    let rows = || {
        let views = ["clients", "appeals", "messages_history"];
        views.map(|view| world.texts(&format!("SELECT CAST(count(*) AS TEXT) FROM {view}")))
    };
    let before = rows();
    for sql in [
        "UPDATE clients SET name = 'Boris'",
        "DELETE FROM clients",
        "UPDATE appeals SET assignee = 'olga'",
        "DELETE FROM appeals",
        "UPDATE messages_history SET message_text = 'another'",
        "DELETE FROM messages_history",
        "INSERT INTO appeals (channel, external_chat_id) VALUES ('vk', '1')",
    ] {
        assert!(world.refuses(sql), "{sql}");
    }
    assert_eq!(rows(), before);
    assert_eq!(world.texts("SELECT name FROM clients"), ["Anna"]);
}

impl World {
    /// It is written, and all that follows by itself has happened.
    async fn taken_in(&self, rules: &PipelineRules, written: Written<'_>) {
        self.says(written).await;
        self.work(rules).await;
        self.clock.advance(SILENCE);
        self.work(rules).await;
    }

    /// The clients of the appeals that are listed, in their order.
    async fn listed(&self, filter: AppealFilter) -> Vec<ClientId> {
        let found = self.store.pipeline().appeals(&filter, &page()).await.unwrap();
        found.items.into_iter().map(|appeal| appeal.client).collect()
    }

    async fn found(&self, text: &str) -> Vec<ClientId> {
        self.listed(AppealFilter { search: Some(text.to_owned()), ..AppealFilter::default() }).await
    }
}

const BORIS: &str = "vk:club/2000002";

async fn unread_messages_are_counted(world: World) {
    let rules = started(&world, Responder::Ai).await;
    for place in 0..2 {
        // Each of them discards the turn before it.
        world.taken_in(&rules, written(ANNA, &format!("m-{place}"))).await;
    }
    let pipeline = world.store.pipeline();
    let anna = world.client_of(ANNA).await;
    let unread = async || pipeline.appeals_of(anna, 1).await.unwrap()[0].unread;
    assert_eq!((unread().await, pipeline.unread().await.unwrap().conversations), (2, 1));
    pipeline.mark_read(anna).await.unwrap();
    assert_eq!((unread().await, pipeline.unread().await.unwrap().unassigned), (0, 0));
    world.taken_in(&rules, written(ANNA, "m-2")).await;
    assert_eq!(unread().await, 1);
    assert_eq!(world.listed(AppealFilter { unread: true, ..AppealFilter::default() }).await, [anna]);
    // A person who answers has read it.
    world.taken_in(&rules, Written { origin: MessageOrigin::Owner, ..written(ANNA, "m-4") }).await;
    let appeal = pipeline.appeals_of(anna, 1).await.unwrap().remove(0);
    assert_eq!((appeal.unread, appeal.first_author), (0, Some(Author::Elsewhere)));
    let opened = pipeline.opened(appeal.opened_at, world.now()).await.unwrap();
    assert_eq!((opened.len(), opened[0].first_answer_at), (1, appeal.first_answer_at));
}

async fn appeals_sort_by_waiting_time_and_snoozed_ones_return(world: World) {
    let rules = started(&world, Responder::Human).await;
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    world.taken_in(&rules, written(BORIS, "v-1")).await;
    let (anna, boris) = (world.client_of(ANNA).await, world.client_of(BORIS).await);
    let waiting = || AppealFilter { open: true, order: AppealOrder::Waiting, ..AppealFilter::default() };
    assert_eq!(world.listed(waiting()).await, [anna, boris]);
    assert_eq!(world.listed(AppealFilter::default()).await, [boris, anna]);
    let pipeline = world.store.pipeline();
    let one = Page { limit: 1, cursor: None };
    let first = pipeline.appeals(&waiting(), &one).await.unwrap();
    let rest = pipeline.appeals(&waiting(), &Page { cursor: first.next_cursor, ..one }).await.unwrap();
    assert_eq!((first.items[0].client, rest.items[0].client, rest.next_cursor), (anna, boris, None));

    let appeal = pipeline.appeals_of(anna, 1).await.unwrap().remove(0);
    let until = world.now().plus(Duration::from_hours(1));
    let snooze = AppealChange { snoozed_until: Some(Some(until)), ..AppealChange::default() };
    pipeline.change_appeal(appeal.id, snooze.clone()).await.unwrap();
    let of = |snoozed| AppealFilter { snoozed: Some(snoozed), ..waiting() };
    assert_eq!((world.listed(of(false)).await, world.listed(of(true)).await), (vec![boris], vec![anna]));
    world.clock.advance(Duration::from_hours(2));
    assert_eq!(world.listed(of(false)).await, [anna, boris]);
    let until = world.now().plus(Duration::from_hours(1));
    let snooze = AppealChange { snoozed_until: Some(Some(until)), ..snooze };
    pipeline.change_appeal(appeal.id, snooze).await.unwrap();
    world.taken_in(&rules, written(ANNA, "m-2")).await;
    assert_eq!(world.listed(of(false)).await, [anna, boris]);
}

async fn a_client_of_two_channels_is_found_by_either(world: World) {
    let rules = started(&world, Responder::Human).await;
    let phone = Some("+70000000001");
    world.taken_in(&rules, Written { phone, ..written(ANNA, "m-1") }).await;
    world.taken_in(&rules, Written { phone, ..written("whatsapp:phone/70000000001@c.us", "w-1") }).await;
    world.taken_in(&rules, written(BORIS, "v-1")).await;
    let (anna, boris) = (world.client_of(ANNA).await, world.client_of(BORIS).await);
    for (channel, expected) in [("avito", vec![anna]), ("whatsapp", vec![anna]), ("vk", vec![boris])] {
        for search in [None, Some("text".to_owned())] {
            let filter =
                AppealFilter { channel: channel.parse().ok(), search, open: true, ..AppealFilter::default() };
            assert_eq!(world.listed(filter).await, expected, "{channel}");
        }
    }
}

async fn words_and_numbers_lead_to_conversations(world: World) {
    let rules = started(&world, Responder::Human).await;
    world.taken_in(&rules, Written { phone: Some("+70000000001"), ..written(ANNA, "m-1") }).await;
    world.taken_in(&rules, written(BORIS, "v-1")).await;
    let (anna, boris) = (world.client_of(ANNA).await, world.client_of(BORIS).await);
    let pipeline = world.store.pipeline();
    let (name, email) = (Some("Борис Ёлкин".to_owned()), Some("boris@example.com".to_owned()));
    let change = ClientFields { name, email, ..ClientFields::default() };
    pipeline.change_client(boris, change).await.unwrap();
    let appeal = pipeline.appeals_of(boris, 1).await.unwrap().remove(0);
    pipeline.add_note(appeal.id, "olga", "Wants it on Friday".to_owned()).await.unwrap();
    let tags = AppealChange { tags: Some(vec!["warranty".to_owned()]), ..AppealChange::default() };
    pipeline.change_appeal(appeal.id, tags).await.unwrap();
    for (text, expected) in [
        ("ANN", vec![boris, anna]),
        ("text of m", vec![anna]),
        ("8 000 000-00-01", vec![anna]),
        ("+7000", vec![anna]),
        ("елк бор", vec![boris]),
        ("friday warranty", vec![boris]),
        ("boris@example.com", vec![boris]),
        ("text nothing", vec![]),
        ("?!", vec![]),
    ] {
        assert_eq!(world.found(text).await, expected, "{text}");
    }
    // A client in more conversations than are looked at one by one is found too.
    let open = AppealFilter { search: Some("text".to_owned()), open: true, ..AppealFilter::default() };
    let first = pipeline.appeals(&open, &Page { limit: 1, cursor: None }).await.unwrap();
    let rest = pipeline.appeals(&open, &Page { limit: 1, cursor: first.next_cursor }).await.unwrap();
    assert_eq!((first.items[0].client, rest.items[0].client), (boris, anna));

    let merge = MergeId::from_uuid(Ids::new(world.clock.clone()).next());
    pipeline.merge(merge, anna, boris, "olga").await.unwrap();
    for text in ["v 1", "friday", "warranty", "елкин"] {
        assert_eq!(world.found(text).await, [anna], "{text}");
    }
}

async fn an_erased_client_leaves_no_rows(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.taken_in(&rules, written(ANNA, "m-1")).await;
    world.taken_in(&rules, written(BORIS, "v-1")).await;
    let (anna, boris) = (world.client_of(ANNA).await, world.client_of(BORIS).await);
    let pipeline = world.store.pipeline();
    assert!(pipeline.erase(anna).await.unwrap());
    assert!(!pipeline.erase(anna).await.unwrap());
    assert_eq!(world.found("text").await, [boris]);
    assert_eq!(
        (pipeline.client(anna).await.unwrap(), pipeline.chats_of(anna).await.unwrap()),
        (None, vec![])
    );
    assert_eq!(pipeline.conversation(anna, &page()).await.unwrap().items, []);
    assert_eq!(world.responding().await.len(), 1);
    assert!(pipeline.without_appeal("text", 10).await.unwrap().is_empty());
    // Who writes again is someone new.
    world.taken_in(&rules, written(ANNA, "m-2")).await;
    assert_ne!(world.client_of(ANNA).await, anna);
}

async fn each_result_of_another_program_counts_once(world: World) {
    let outside = OutsideStages { batch: true, resolve: true, appeal: true };
    let rules = PipelineRules { outside, ..started(&world, Responder::Human).await };
    let (pipeline, ids) = (world.store.pipeline(), Ids::new(world.clock.clone()));
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    world.clock.advance(LONGEST);
    world.work(&rules).await;
    // Nothing moves by itself.
    let waiting = pipeline.waiting(10).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].messages.len(), waiting[0].is_held), (1, 1, false));
    assert_eq!(pipeline.written_after(0, 10).await.unwrap()[0].chat.to_string(), ANNA);
    let (chat, first_at) = (waiting[0].chat.clone(), waiting[0].first_at);
    let turn = domain::TurnId::from_uuid(ids.next());
    assert!(pipeline.end_batch(chat.clone(), first_at, turn).await.unwrap());
    assert!(!pipeline.end_batch(chat, first_at, turn).await.unwrap());
    assert_eq!(pipeline.open_turns(10).await.unwrap()[0].id, turn);

    let fields = ClientFields { name: None, phone: Some("+70000000001".to_owned()), email: None };
    let unknown = FoundClient { client: Some(ClientId::from_uuid(ids.next())), fields: fields.clone() };
    assert!(pipeline.resolved(turn, unknown, &ids).await.is_err());
    let found = FoundClient { client: None, fields };
    assert!(pipeline.resolved(turn, found.clone(), &ids).await.unwrap());
    assert!(!pipeline.resolved(turn, found, &ids).await.unwrap());
    let client = pipeline.client(world.client_of(ANNA).await).await.unwrap().unwrap();
    assert_eq!(client.phone.as_deref(), Some("+70000000001"));

    let answers = (None, Some(Responder::Webhook));
    assert!(pipeline.appeal_found(turn, answers, &rules, &ids).await.unwrap());
    assert!(!pipeline.appeal_found(turn, answers, &rules, &ids).await.unwrap());
    let answer = says("Yes");
    assert!(pipeline.answer(turn, answer, ClientFields::default()).await.unwrap());

    world.says(written(ANNA, "m-2")).await;
    world.work(&rules).await;
    assert!(pipeline.waiting(10).await.unwrap()[0].is_held, "it waits for the turn");
    assert!(pipeline.sent_elsewhere(turn, Some("p-1".to_owned())).await.unwrap());
    assert!(!pipeline.sent_elsewhere(turn, None).await.unwrap());
    let messages = pipeline.conversation(client.id, &page()).await.unwrap().items;
    let ours: Vec<_> = messages.iter().filter(|message| message.author == Author::Program).collect();
    assert_eq!((ours.len(), ours[0].external_id.as_deref(), ours[0].text.as_str()), (1, Some("p-1"), "Yes"));
    assert_eq!(pipeline.open_turns(10).await.unwrap(), []);
}

async fn actions_of_a_model_are_audited_with_its_answer(world: World) {
    let rules = started(&world, Responder::Ai).await;
    world.says(written(ANNA, "m-1")).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let turn = world.responding().await.remove(0);
    let entry = AuditEntry {
        at: world.now(),
        who: AuditWho::Program,
        action: "model_close".to_owned(),
        subject: turn.appeal.map(|appeal| appeal.to_string()),
        details: std::collections::BTreeMap::new(),
        address: None,
        result: AuditResult::Done,
        code: None,
    };
    for (is_taken, result) in [(true, AuditResult::Done), (false, AuditResult::Refused)] {
        let close = TurnAnswer::Close { why: "it is over".to_owned() };
        let (pipeline, none) = (world.store.pipeline(), ClientFields::default());
        let taken = pipeline.answer_of_model(turn.id, close, none, Vec::new(), vec![entry.clone()]);
        assert_eq!(taken.await.unwrap(), is_taken);
        let listed = world.store.audit().list(&AuditFilter::default(), &page()).await.unwrap().items;
        assert_eq!(listed[0].entry.result, result);
    }
}
