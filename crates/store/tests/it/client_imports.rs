//! What an older program has of clients, taken over: twice, merged, gone on with, and undone.

use std::time::Duration;

use ambient::Ids;
use domain::{
    AppealState, Author, ChannelChat, ClientIdentity, EventFilter, EventId, ImportId, InboundChange,
    InboundEvent, InboundMessage, Responder,
};
use store::{
    ImportTaken, OutsideStages, Page, PastAppeal, PastClient, PastMerge, PastMessage, PastPage, PipelineRule,
    PipelineRules, StoreError, TakenFromChannel,
};

use crate::support::{World, conformance};

conformance! {
    old_clients_are_imported_once_and_found_by_old_id,
    a_client_gets_its_old_id_and_loses_it_on_undo,
    an_undone_import_leaves_what_went_on_since,
    old_messages_are_never_answered,
    an_appeal_that_moved_on_there_moves_on_here,
    many_clients_are_taken_twice,
}

fn client(id: &str, telegram: &str) -> PastClient {
    PastClient {
        id: id.to_owned(),
        identities: ClientIdentity::new("telegram", telegram).into_iter().collect(),
        name: Some(format!("Client {id}")),
        phone: Some("+70000000001".to_owned()),
        ..PastClient::default()
    }
}

fn chat(of: &str) -> ChannelChat {
    format!("telegram:shop/{of}").parse().unwrap()
}

fn appeal(id: &str, client: Option<&str>, telegram: &str, state: AppealState) -> PastAppeal {
    PastAppeal {
        id: id.to_owned(),
        client: client.map(ToOwned::to_owned),
        chat: chat(telegram),
        state,
        assignee: None,
        opened_at: None,
        closed_at: None,
        updated_at: None,
    }
}

fn message(id: &str, appeal: &str, author: Author, text: &str, world: &World) -> PastMessage {
    PastMessage {
        id: id.to_owned(),
        appeal: Some(appeal.to_owned()),
        client: None,
        chat: None,
        author,
        external_id: None,
        text: text.into(),
        at: world.now().minus(Duration::from_hours(48)),
        nth: 0,
    }
}

/// Two people, one of whom was merged into the other, with an appeal each and words that would opt out.
fn old(world: &World) -> PastPage {
    PastPage {
        clients: vec![client("7", "700"), client("b7e23ec2-9af2-4b3f-8f4e-2f1a6d1c0a11", "800")],
        appeals: vec![
            appeal("a-1", Some("7"), "700", AppealState::WaitingUs),
            appeal("a-2", Some("b7e23ec2-9af2-4b3f-8f4e-2f1a6d1c0a11"), "800", AppealState::Closed),
            appeal("a-3", None, "900", AppealState::Open),
        ],
        messages: vec![
            message("1", "a-1", Author::Client, "Is it still there?", world),
            message("2", "a-1", Author::Agent, "It is", world),
            message("3", "a-2", Author::Client, "stop", world),
            PastMessage { chat: None, ..message("4", "unknown", Author::Client, "of no chat", world) },
        ],
        merges: vec![
            PastMerge { merged: "b7e23ec2-9af2-4b3f-8f4e-2f1a6d1c0a11".to_owned(), master: "7".to_owned() },
            PastMerge { merged: "gone".to_owned(), master: "7".to_owned() },
        ],
    }
}

impl World {
    async fn begin_run(&self) -> ImportId {
        let id = ImportId::from_uuid(Ids::new(self.clock.clone()).next());
        self.store.pipeline().begin_import(id, "old.example.com/crm").await.unwrap().id
    }

    async fn take_past(&self, id: ImportId, page: PastPage) -> ImportTaken {
        self.store.pipeline().take_past(id, page, &Ids::new(self.clock.clone())).await.unwrap()
    }

    /// Undoes a run to its end; says what is gone and what stays.
    async fn undo(&self, id: ImportId) -> (u64, u64) {
        let (mut removed, mut kept) = (0, 0);
        for _ in 0..10_000 {
            let undone = self.store.pipeline().undo_import(id, 1000).await.unwrap();
            removed += undone.removed;
            kept += undone.kept;
            if undone.finished {
                return (removed, kept);
            }
        }
        panic!("it does not end");
    }

    async fn events(&self) -> usize {
        let filter = EventFilter::default();
        self.store.events().after(EventId::ZERO, &filter, 1000).await.unwrap().events.len()
    }

    /// A customer writes in Telegram's bot, and what waits is worked on.
    async fn customer_writes(&self, user: &str, id: &str) {
        let ChannelChat { channel, account, chat } = chat(user);
        let message = InboundMessage {
            user: Some(user.to_owned()),
            ..InboundMessage::private(chat, id, "Good day".to_owned(), self.now())
        };
        let change = InboundChange::Message(Box::new(message));
        let events = vec![InboundEvent { key: id.to_owned(), change }];
        let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
        self.store.channels().take(taken).await.unwrap();
        self.work_through().await;
    }

    async fn work_through(&self) {
        let rule = PipelineRule {
            channel: None,
            account: None,
            is_on: true,
            silence: Duration::from_secs(1),
            longest: Duration::from_secs(2),
            responder: Responder::Human,
        };
        let rules = PipelineRules {
            rules: vec![rule],
            reopen_within: Duration::from_hours(24),
            hears_within: None,
            outside: OutsideStages::default(),
            customers: domain::CustomerRule::default(),
        };
        let ids = Ids::new(self.clock.clone());
        for _ in 0..2 {
            while self.store.pipeline().take_in(&rules, 100).await.unwrap().took > 0 {}
            self.store.pipeline().advance(&rules, &ids, 100).await.unwrap();
            self.clock.advance(Duration::from_secs(3));
        }
    }
}

async fn old_clients_are_imported_once_and_found_by_old_id(world: World) {
    let first = world.begin_run().await;
    let before = world.events().await;
    let taken = world.take_past(first, old(&world)).await;
    let expected = ImportTaken {
        clients: 2,
        made: 1,
        appeals: 3,
        messages: 3,
        merges: 1,
        left: 2,
        ..ImportTaken::default()
    };
    assert_eq!(taken, expected);
    let second = world.begin_run().await;
    let again = world.take_past(second, old(&world)).await;
    assert_eq!(again, ImportTaken { known: 9, left: 2, ..ImportTaken::default() });
    // No event reports it, and no one is on the do-not-contact list.
    assert_eq!(world.events().await, before);
    assert_eq!(world.texts("SELECT contact FROM do_not_contact"), [""; 0]);
    let one = |sql: &str| world.texts(sql);
    assert_eq!(one("SELECT telegram_id FROM clients WHERE id = '7'"), ["700"]);
    assert_eq!(one("SELECT client_id FROM appeals WHERE id = 'a-2' AND status = 'closed'"), ["7"]);
    assert_eq!(one("SELECT status FROM appeals ORDER BY id"), ["waiting_us", "closed", "open"]);
    assert_eq!(
        one(
            "SELECT id || ' ' || message_type || ' ' || external_chat_id FROM messages_history WHERE appeal_id = 'a-1' ORDER BY id"
        ),
        ["1 client 700", "2 agent 700"]
    );
    let found = world.store.pipeline().client_by_old_id("7").await.unwrap().unwrap();
    assert_eq!(world.store.pipeline().appeal_by_old_id("a-1").await.unwrap().unwrap().client, found.id);
    let page = Page { limit: 50, cursor: None };
    let texts = world.store.pipeline().conversation(found.id, &page).await.unwrap().items;
    let texts: Vec<_> = texts.iter().map(|message| message.text.as_str()).collect();
    // The history of the one who was merged is there too.
    assert_eq!(texts.len(), 3, "{texts:?}");
    // Undoing the second run changes nothing; undoing the first leaves nothing.
    assert_eq!(world.undo(second).await, (0, 0));
    assert_eq!(one("SELECT name FROM clients WHERE id = '7'"), ["Client 7"]);
    world.undo(first).await;
    for table in ["clients", "identities", "chats", "appeals", "messages", "merges"] {
        assert_eq!(one(&format!("SELECT CAST(count(*) AS TEXT) FROM pipeline_{table}")), ["0"], "{table}");
    }
    let refused = world.store.pipeline().take_past(first, old(&world), &Ids::new(world.clock.clone())).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    // It can be taken over once more.
    let third = world.begin_run().await;
    assert_eq!(world.take_past(third, old(&world)).await, expected);
    let runs = world.store.pipeline().imports().await.unwrap();
    let of = |id| runs.iter().find(|run| run.id == id).unwrap();
    assert!(of(first).undone_at.is_some() && of(third).undone_at.is_none());
    assert_eq!((of(third).clients, of(third).appeals, of(third).messages), (3, 3, 3));
}

async fn a_client_gets_its_old_id_and_loses_it_on_undo(world: World) {
    world.work_through().await;
    world.customer_writes("700", "m-1").await;
    let run = world.begin_run().await;
    let taken = world.take_past(run, old(&world)).await;
    assert_eq!((taken.clients, taken.joined), (1, 1));
    assert_eq!(world.texts("SELECT phone FROM clients WHERE id = '7'"), ["+70000000001"]);
    world.undo(run).await;
    assert_eq!(world.texts("SELECT telegram_id FROM clients WHERE phone IS NULL AND id <> '7'"), ["700"]);
    assert_eq!(world.texts("SELECT message_text FROM messages_history"), ["Good day"]);
}

async fn an_undone_import_leaves_what_went_on_since(world: World) {
    world.work_through().await;
    let run = world.begin_run().await;
    world.take_past(run, old(&world)).await;
    world.customer_writes("700", "m-1").await;
    // The old appeal goes on: no new one is opened.
    assert_eq!(
        world.texts("SELECT appeal_id FROM messages_history WHERE message_text = 'Good day'"),
        ["a-1"]
    );
    let (_, kept) = world.undo(run).await;
    assert!(kept > 0);
    assert_eq!(world.texts("SELECT id FROM clients"), ["7"]);
    assert_eq!(world.texts("SELECT id FROM appeals"), ["a-1"]);
    assert_eq!(world.texts("SELECT message_text FROM messages_history"), ["Good day"]);
}

async fn old_messages_are_never_answered(world: World) {
    world.work_through().await;
    let run = world.begin_run().await;
    world.take_past(run, old(&world)).await;
    world.work_through().await;
    assert_eq!(world.store.pipeline().next_due().await.unwrap(), None);
    world.customer_writes("700", "m-1").await;
    let batches = world.texts("SELECT CAST(count(*) AS TEXT) FROM pipeline_turns");
    assert_eq!(batches, ["1"]);
    let of_turn = "
        SELECT m.text FROM pipeline_messages AS m JOIN pipeline_turns AS t ON t.id = m.turn";
    assert_eq!(world.texts(of_turn), ["Good day"]);
}

async fn an_appeal_that_moved_on_there_moves_on_here(world: World) {
    let first = world.begin_run().await;
    world.take_past(first, old(&world)).await;
    let mut page = PastPage::default();
    page.appeals.push(appeal("a-3", None, "900", AppealState::Closed));
    let second = world.begin_run().await;
    assert_eq!(world.take_past(second, page.clone()).await.changed, 1);
    assert_eq!(world.texts("SELECT status FROM appeals WHERE id = 'a-3'"), ["closed"]);
    assert_eq!(world.take_past(second, page).await.known, 1);
}

async fn many_clients_are_taken_twice(world: World) {
    const PAGES: usize = 40;
    let page = |number: usize| {
        let mut page = PastPage::default();
        for place in number * 500..(number + 1) * 500 {
            let id = place.to_string();
            page.clients.push(client(&id, &id));
            if number % 2 == 1 {
                continue;
            }
            page.appeals.push(appeal(&id, Some(&id), &id, AppealState::Closed));
            // All of them at one time, as a table that was filled at once has them.
            page.messages.push(message(&id, &id, Author::Client, "Good day", &world));
        }
        page
    };
    let rows = || {
        let tables = ["clients", "identities", "chats", "appeals", "messages", "merges", "words"];
        tables.map(|table| world.number(&format!("SELECT count(*) FROM pipeline_{table}")))
    };
    let (mut counted, all) = ([0; 7], 1_000 * PAGES as u64);
    for expected in [0, all] {
        let run = world.begin_run().await;
        let mut taken = ImportTaken::default();
        for number in 0..PAGES {
            let ImportTaken { known, clients, appeals, messages, .. } =
                world.take_past(run, page(number)).await;
            taken.known += known;
            taken.clients += clients + appeals + messages;
        }
        assert_eq!((taken.known, taken.clients), (expected, all - expected));
        if expected > 0 {
            assert_eq!(rows(), counted, "the second time changes nothing");
        }
        counted = rows();
    }
    assert_eq!(u64::try_from(counted[0]).unwrap(), all / 2);
}
