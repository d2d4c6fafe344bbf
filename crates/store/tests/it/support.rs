//! A store on a fresh directory, and messages to put in it.

use std::time::Duration;

use ambient::{Clock, Ids};
use domain::media::{FileKey, Media, MediaForm, MediaSource, Sha256};
use domain::message::{Content, OnFlood, OutboundMessage, Part, PartItem, PartState};
use domain::outcome::SentIds;
use domain::saga::{Begun, Progress, Saga, SagaEntry, SagaState, Step as SagaStep, Task};
use domain::text::{FormattedText, ParseMode};
use domain::timeline::{Entry, Step};
use domain::{AccountName, ChatId, ChatRef, MessageId, MessageState, OperationId, Service, Timestamp};
use store::{
    Accept, AcceptSaga, Accepted, Begin, Binding, Disk, Doubt, Idempotency, Join, Keep, MasterKey, OpenError,
    Origin, PartSent, PartUnsent, SagaAccepted, SagaChange, SameBy, Store, StoreOptions, Then,
};
use tempfile::TempDir;
use testkit::postgres::Database;

/// Runs functions that take a [`World`] as tests on SQLite and on PostgreSQL, and those behind `sqlite:` on SQLite alone.
macro_rules! conformance {
    ($($name:ident),* $(,)? $(; sqlite: $($sqlite:ident),* $(,)?)?) => {
        mod on_sqlite {
            crate::support::tests! { fresh: $($name)* $($($sqlite)*)? }
        }
        mod on_postgres {
            crate::support::tests! { on_postgres: $($name)* }
        }
    };
}
pub(crate) use conformance;

macro_rules! tests {
    ($world:ident: $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::support::World::$world().await).await;
            }
        )*
    };
}
pub(crate) use tests;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) dir: TempDir,
    /// None where the database is a file in the directory. It is dropped after the store.
    pub(crate) postgres: Option<Database>,
}

impl World {
    pub(crate) async fn fresh() -> Self {
        Self::on(Disk::default()).await
    }

    pub(crate) async fn on(disk: Disk) -> Self {
        Self::open(disk, None).await
    }

    pub(crate) async fn on_postgres() -> Self {
        let database = Database::migrated(async |url| {
            let (dir, clock) = (tempfile::tempdir().unwrap(), Clock::system());
            Store::open(StoreOptions { url, ..options(&dir, &clock) }).await.unwrap().close().await;
        });
        Self::open(Disk::default(), Some(database.await)).await
    }

    /// For properties, which are looked at on SQLite more often: it is faster.
    pub(crate) async fn fresh_on(postgres: bool) -> Self {
        if postgres { Self::on_postgres().await } else { Self::fresh().await }
    }

    async fn open(disk: Disk, postgres: Option<Database>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let options = on(postgres.as_ref(), options(&dir, &clock));
        let store = Store::open_on(options, disk).await.unwrap();
        Self { store, ids: Ids::new(clock.clone()), clock, dir, postgres }
    }

    pub(crate) async fn open_again(&self) -> Result<Store, OpenError> {
        self.open_with(self.options()).await
    }

    pub(crate) async fn open_with(&self, options: StoreOptions) -> Result<Store, OpenError> {
        Store::open(options).await
    }

    /// How its store is opened.
    pub(crate) fn options(&self) -> StoreOptions {
        on(self.postgres.as_ref(), options(&self.dir, &self.clock))
    }

    fn file(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.dir.path().join("data/switchboard.db")).unwrap()
    }

    /// Changes rows past the store.
    pub(crate) fn run(&self, sql: &str) {
        match &self.postgres {
            None => self.file().execute_batch(sql).unwrap(),
            Some(database) => drop(database.query(sql)),
        }
    }

    /// Whether the database refuses a statement past the store.
    pub(crate) fn refuses(&self, sql: &str) -> bool {
        match &self.postgres {
            None => self.file().execute_batch(sql).is_err(),
            Some(database) => database.try_query(sql).is_err(),
        }
    }

    /// The texts that a statement finds past the store, one in a row.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        match &self.postgres {
            None => {
                let (file, text) = (self.file(), |row: &rusqlite::Row<'_>| row.get(0));
                file.prepare(sql).unwrap().query_map([], text).unwrap().map(Result::unwrap).collect()
            }
            Some(database) => database.query(sql).into_iter().flatten().flatten().collect(),
        }
    }

    /// The number that a statement finds past the store.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.texts(&format!("SELECT CAST(({sql}) AS TEXT)"))[0].parse().unwrap()
    }

    /// Whether these bytes are stored anywhere as they are, or in hexadecimal digits.
    pub(crate) fn holds(&self, needle: &[u8]) -> bool {
        let mut stored = Vec::new();
        for file in std::fs::read_dir(self.dir.path().join("data")).unwrap() {
            stored.extend(std::fs::read(file.unwrap().path()).unwrap());
        }
        if let Some(database) = &self.postgres {
            for table in database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") {
                let table = table[0].as_ref().unwrap();
                let rows = database.query(&format!("SELECT t::text FROM \"{table}\" AS t"));
                stored.extend(rows.into_iter().flatten().flatten().flat_map(String::into_bytes));
            }
        }
        assert!(stored.len() > 500, "there is something to look at");
        let digits = hex::encode(needle);
        [needle, digits.as_bytes()].iter().any(|one| memchr::memmem::find(&stored, one).is_some())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn id(&self) -> MessageId {
        MessageId::from_uuid(self.ids.next())
    }

    /// A queued message in so many parts.
    pub(crate) fn message(&self, parts: u16) -> OutboundMessage {
        let now = self.now();
        let text = FormattedText::plain("hello");
        OutboundMessage {
            id: self.id(),
            chat: ChatRef::Id(chat()),
            address: Some(chat().into()),
            pin: None,
            account: None,
            content: Content {
                text: text.clone(),
                parse_mode: ParseMode::None,
                reply_to: None,
                mention: None,
                mention_optional: false,
                written_by: domain::message::Writer::Program,
                silent: false,
                preview: false,
                media: Vec::new(),
                provider_options: None,
            },
            parts: (0..parts)
                .map(|index| {
                    let own = if parts == 1 { "hello".to_owned() } else { format!("part {index}") };
                    Part::of_text(index, FormattedText::plain(&own), i64::from(index) + 1000)
                })
                .collect(),
            state: MessageState::Queued,
            failure: None,
            on_flood: OnFlood::Wait,
            send_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// A message in so many parts that is in the outbox.
    pub(crate) async fn queued(&self, parts: u16) -> MessageId {
        let message = self.message(parts);
        let id = message.id;
        assert_eq!(self.store.outbox().accept(accept(message)).await, Ok(Accepted::New));
        id
    }

    /// The same, its first part begun at acceptance.
    pub(crate) async fn sending(&self, parts: u16) -> MessageId {
        let message = begun(self.message(parts));
        let id = message.id;
        assert_eq!(self.store.outbox().accept(accept(message)).await, Ok(Accepted::New));
        id
    }

    pub(crate) async fn state(&self, id: MessageId) -> MessageState {
        self.get(id).await.state
    }

    pub(crate) async fn get(&self, id: MessageId) -> OutboundMessage {
        self.store.outbox().get(id).await.unwrap().expect("the message is there")
    }

    pub(crate) async fn steps(&self, id: MessageId) -> Vec<Step> {
        self.store.outbox().timeline(id).await.unwrap().into_iter().map(|entry| entry.step).collect()
    }

    pub(crate) fn begin(&self, id: MessageId, part: u16) -> Begin {
        Begin {
            id,
            account: account("main"),
            address: chat().into(),
            part,
            plan: None,
            failover: None,
            passed_over: None,
            at: self.now(),
        }
    }

    pub(crate) fn sent(&self, id: MessageId, part: u16) -> PartSent {
        PartSent {
            id,
            part,
            is_only: false,
            account: account("main"),
            address: chat().into(),
            message_ids: SentIds::one(Some(i64::from(part) + 500)),
            binding: Binding::Unchanged,
            counted: false,
            repeatable: true,
            at: self.now(),
        }
    }

    pub(crate) fn unsent(&self, id: MessageId, part: u16, then: Then) -> PartUnsent {
        let entry = self.entry(Step::Attempted, Some("not_found"));
        PartUnsent { id, part, entry, then, hold: None, at: self.now() }
    }

    pub(crate) fn doubt(&self, id: MessageId) -> Doubt {
        Doubt { id, entry: self.entry(Step::Attempted, Some("unknown")), counted: false, at: self.now() }
    }

    /// A queued saga.
    pub(crate) fn saga(&self, task: Task) -> Saga {
        let now = self.now();
        Saga {
            id: OperationId::from_uuid(self.ids.next()),
            task,
            state: SagaState::Queued,
            pin: None,
            on_flood: OnFlood::Wait,
            patient_until: now.plus(TIMEOUT),
            account: None,
            chat_id: None,
            begun: None,
            progress: Progress::default(),
            failure: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// A saga that is to make a chat and is in the store.
    pub(crate) async fn making(&self) -> Saga {
        let saga = self.saga(make_chat("Demo"));
        assert_eq!(self.store.sagas().accept(accept_saga(saga.clone())).await, Ok(SagaAccepted::New));
        saga
    }

    /// The same, begun by an account.
    pub(crate) async fn begun_making(&self) -> Saga {
        let saga = self.begin_create(self.making().await);
        self.store.sagas().begin(change(saga.clone())).await.unwrap();
        saga
    }

    /// The saga as it is when the chat is about to be made.
    pub(crate) fn begin_create(&self, saga: Saga) -> Saga {
        let step = SagaStep::Create { title: "Demo".into(), about: String::new() };
        Saga {
            state: SagaState::Running,
            account: Some(account("main")),
            begun: Some(Begun { step, at: self.now() }),
            updated_at: self.now(),
            ..saga
        }
    }

    /// The saga as it is when it ends.
    pub(crate) fn ended(&self, saga: Saga, state: SagaState) -> Saga {
        Saga { state, begun: None, updated_at: self.now(), ..saga }
    }

    pub(crate) async fn get_saga(&self, id: OperationId) -> Saga {
        self.store.sagas().get(id).await.unwrap().expect("the saga is there")
    }

    /// What its history is made of.
    pub(crate) async fn history(&self, id: OperationId) -> Vec<String> {
        self.store
            .sagas()
            .steps(id)
            .await
            .unwrap()
            .into_iter()
            .map(|entry| entry.what.as_str().to_owned())
            .collect()
    }

    pub(crate) fn saga_entry(&self, what: &str, outcome: Option<&str>) -> SagaEntry {
        SagaEntry {
            at: self.now(),
            what: what.parse().unwrap(),
            account: Some(account("main")),
            outcome: outcome.map(|word| word.parse().unwrap()),
            detail: None,
        }
    }

    pub(crate) fn entry(&self, step: Step, outcome: Option<&str>) -> Entry {
        Entry {
            at: self.now(),
            step,
            part: Some(0),
            account: Some(account("main")),
            outcome: outcome.map(|word| word.parse().unwrap()),
            detail: None,
        }
    }
}

/// How long the sagas of these tests wait for floods.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(10);

pub(crate) fn make_chat(title: &str) -> Task {
    serde_json::from_value(serde_json::json!({
        "kind": "create_chat", "title": title, "about": "", "members": ["@demo_main"],
    }))
    .unwrap()
}

pub(crate) fn leave_chat(chat: &str) -> Task {
    Task::LeaveChat {
        chat: chat.parse().unwrap(),
        remove_members: false,
        missing_is_left: false,
        keep_own: false,
    }
}

pub(crate) fn accept_saga(saga: Saga) -> AcceptSaga {
    let origin = Origin { listener: "v1".into(), api_key: None, address: None };
    AcceptSaga { saga, origin, idempotency: None, join: None, keep: None }
}

pub(crate) fn saga_with_key(saga: Saga, scope: u8, fingerprint: u8) -> AcceptSaga {
    let idempotency =
        Idempotency { scope: [scope; 32], fingerprint: [fingerprint; 32], same_by: SameBy::Key };
    AcceptSaga { idempotency: Some(idempotency), ..accept_saga(saga) }
}

pub(crate) fn saga_with_keep(saga: Saga, payload: &str) -> AcceptSaga {
    let endpoint = "/create_chat".to_owned();
    let keep = Keep { service: Service::CreateChat, endpoint, payload: payload.into() };
    AcceptSaga { keep: Some(keep), ..accept_saga(saga) }
}

/// The saga as it is, and nothing else.
pub(crate) fn change(saga: Saga) -> SagaChange {
    SagaChange { saga, entries: Vec::new(), hold: None, registry: Vec::new(), failover: None, callback: None }
}

pub(crate) fn options(dir: &TempDir, clock: &Clock) -> StoreOptions {
    StoreOptions {
        data_dir: dir.path().join("data"),
        url: "sqlite:switchboard.db".into(),
        clock: clock.clone(),
        master_key: MasterKey::File("master.key".into()),
    }
}

fn on(postgres: Option<&Database>, options: StoreOptions) -> StoreOptions {
    match postgres {
        None => options,
        Some(database) => StoreOptions { url: database.url(), ..options },
    }
}

pub(crate) fn account(name: &str) -> AccountName {
    name.parse().unwrap()
}

pub(crate) fn chat() -> ChatId {
    chat_number(1_234_567_890)
}

pub(crate) fn chat_number(bare: i64) -> ChatId {
    ChatId::channel(bare).unwrap()
}

pub(crate) fn begun(mut message: OutboundMessage) -> OutboundMessage {
    message.state = MessageState::Sending;
    message.account = Some(account("main"));
    message.parts[0].state = PartState::Begun;
    message
}

pub(crate) fn accept(message: OutboundMessage) -> Accept {
    let origin = Origin { listener: "v1".into(), api_key: None, address: None };
    Accept { message, origin, idempotency: None, join: None, queue: store::Queue::Pool }
}

pub(crate) fn with_key(message: OutboundMessage, scope: u8, fingerprint: u8) -> Accept {
    let idempotency =
        Idempotency { scope: [scope; 32], fingerprint: [fingerprint; 32], same_by: SameBy::Key };
    Accept { idempotency: Some(idempotency), ..accept(message) }
}

pub(crate) fn with_join(message: OutboundMessage, fingerprint: u8) -> Accept {
    let join = Join { fingerprint: [fingerprint; 32], repeats: Duration::from_mins(1) };
    Accept { join: Some(join), ..accept(message) }
}

/// The name of an outgoing file.
pub(crate) fn file_key(number: u8) -> FileKey {
    format!("file_{}", format!("{number:02x}").repeat(16)).parse().unwrap()
}

/// The message with these files in an album, which is its first part.
pub(crate) fn with_album(mut message: OutboundMessage, files: &[u8]) -> OutboundMessage {
    let photo = |number: &u8| Media {
        source: MediaSource::File { key: file_key(*number), size: 5, sha256: Sha256([*number; 32]) },
        form: MediaForm::Photo { width: 3, height: 2 },
        name: "photo.jpg".into(),
        mime: "image/jpeg".into(),
    };
    message.content.media = files.iter().map(photo).collect();
    message.parts[0].items = (0..)
        .zip(files)
        .map(|(place, _)| PartItem {
            random_id: 2000 + i64::from(place),
            media: Some(place),
            message_id: None,
        })
        .collect();
    message
}
