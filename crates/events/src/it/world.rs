//! A store with callbacks in it, and the worker over it.

use std::sync::Arc;
use std::time::Duration;

use ambient::{Clock, Ids};
use config::{InviteCallback, LegacySettings};
use domain::message::OnFlood;
use domain::saga::{Begun, ObserverRule, Progress, Saga, SagaState, Step, Task};
use domain::{AccountName, CallbackId, ChatId, OperationId};
use events::InviteCallbacks;
use store::{
    AcceptSaga, FailedRequest, FailedState, MasterKey, NewCallback, Origin, Page, SagaChange, Store,
    StoreOptions,
};
use tokio::sync::Notify;

const SOON: Duration = Duration::from_mins(1);

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) due: Arc<Notify>,
    ids: Ids,
    _folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::system();
        let store = Store::open(StoreOptions {
            data_dir: folder.path().join("data"),
            url: "sqlite:switchboard.db".into(),
            clock: clock.clone(),
            master_key: MasterKey::File(folder.path().join("master.key")),
        })
        .await
        .expect("opens");
        Self { store, due: Arc::default(), ids: Ids::new(clock.clone()), clock, _folder: folder }
    }

    /// An id that was not there before.
    pub(crate) fn id(&self) -> uuid::Uuid {
        self.ids.next()
    }

    pub(crate) fn start(&self, address: &str) -> InviteCallbacks {
        let url = format!("{address}/hook");
        let receiver = InviteCallback { url, group_id: "demo".into(), ..InviteCallback::default() };
        self.start_with(Some(receiver))
    }

    pub(crate) fn start_with(&self, invite_callback: Option<InviteCallback>) -> InviteCallbacks {
        self.start_of(&LegacySettings { invite_callback, ..LegacySettings::default() })
    }

    pub(crate) fn start_of(&self, settings: &LegacySettings) -> InviteCallbacks {
        InviteCallbacks::start(self.store.clone(), settings, self.clock.clone(), self.due.clone())
            .expect("starts")
    }

    /// A chat was made for this client, and the worker is notified.
    pub(crate) async fn made_for(&self, client: &str) -> CallbackId {
        let now = self.clock.now();
        let account: AccountName = "main".parse().expect("a name");
        let mut saga = Saga {
            id: OperationId::from_uuid(self.ids.next()),
            task: Task::CreateChat {
                title: "Repair 7".into(),
                about: String::new(),
                members: Vec::new(),
                admins: Vec::new(),
                observer: ObserverRule::Never,
                needs_a_member: false,
                client_tg_id: Some(client.to_owned()),
            },
            state: SagaState::Queued,
            pin: None,
            on_flood: OnFlood::Wait,
            patient_until: now,
            account: None,
            chat_id: None,
            begun: None,
            progress: Progress::default(),
            failure: None,
            created_at: now,
            updated_at: now,
        };
        let origin = Origin { listener: "5021".into(), api_key: None, address: None };
        let accept = AcceptSaga { saga: saga.clone(), origin, idempotency: None, join: None, keep: None };
        self.store.sagas().accept(accept).await.expect("accepted");
        saga.state = SagaState::Running;
        saga.account = Some(account);
        saga.begun = Some(Begun { step: Step::ExportLink, at: now });
        self.store.sagas().begin(change(&saga, None)).await.expect("begun");
        saga.state = SagaState::Done;
        saga.begun = None;
        saga.chat_id = ChatId::new(-1_000_000_000_007);
        let id = CallbackId::from_uuid(self.ids.next());
        let invite_link = format!("https://t.me/+{client}");
        let callback = NewCallback { id, client_tg_id: client.to_owned(), invite_link };
        self.store.sagas().save(change(&saga, Some(callback))).await.expect("saved");
        self.due.notify_one();
        id
    }

    pub(crate) async fn all_delivered(&self) {
        let empty = async {
            while self.store.callbacks().next_due().await.expect("reads").is_some() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(SOON, empty).await.expect("all are notified");
    }

    /// Waits until the failure of a callback is written, and returns after how long it is tried again.
    pub(crate) async fn put_off(&self) -> Duration {
        let later = async {
            loop {
                let next = self.store.callbacks().next_due().await.expect("reads").expect("one waits");
                // Read behind it: the failure may be written meanwhile.
                let now = self.clock.now();
                if next > now {
                    return next.since(now);
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(SOON, later).await.expect("put off")
    }

    /// Waits until there is a failed request, and returns the newest.
    pub(crate) async fn failed(&self) -> FailedRequest {
        let page = Page { limit: 10, cursor: None };
        let kept = async {
            loop {
                let found =
                    self.store.failed_requests().list(&[FailedState::Pending], &page).await.expect("reads");
                if let Some(request) = found.items.into_iter().next() {
                    return request;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(SOON, kept).await.expect("kept")
    }
}

fn change(saga: &Saga, callback: Option<NewCallback>) -> SagaChange {
    SagaChange {
        saga: saga.clone(),
        entries: Vec::new(),
        hold: None,
        registry: Vec::new(),
        failover: None,
        callback,
    }
}
