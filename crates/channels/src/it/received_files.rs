//! Files that customers send are stored before the links of providers end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ambient::Clock;
use channels::http::{Http, Route};
use channels::{Account, FilesStatus, OpenError, ReceivedFiles, Reception, Setup};
use config::{ChannelFields, ChannelKind, MediaRule};
use delivery::Ambient;
use domain::media::MediaForm;
use domain::{
    ExternalChat, InboundChange, InboundEvent, InboundKind, InboundMedia, InboundMessage, Timestamp,
};
use media::{Disk, Limits, Outgoing};
use outbound::{AllowList, Allowed};
use serde_json::{Value, json};
use store::{InboundFile, Store, StoredInbound};

use crate::it::program::{Program, received};
use crate::it::support::{Receiver, World, hurried};

const FOLDER: Limits =
    Limits { most: 1 << 30, idle: Duration::from_hours(1), total: Duration::from_hours(24) };

/// An account of Instagram, whose links last for an hour, and what it keeps of messages.
struct Studio {
    world: World,
    store: Store,
    clock: Clock,
    folder: Outgoing,
    free: Arc<AtomicU64>,
    account: Arc<Account>,
    reception: Reception,
    posts: Receiver,
}

impl Studio {
    async fn open(set: impl FnOnce(&mut ChannelFields)) -> Self {
        let world = World::start().await;
        let mut fields = world.fields(ChannelKind::Instagram);
        set(&mut fields);
        // Its files are at servers of the test.
        let loopback = vec!["127.0.0.0/8".parse().unwrap()];
        let names = outbound::Names::of_system(Allowed::new(AllowList::Media, loopback));
        let route = Route { names, ..Route::default() };
        let http = Http::new(Clock::system(), fields.api(), &route).unwrap();
        let setup = Setup { http, ..World::setup(fields.clone()) };
        let provider = channels::make(setup).unwrap();
        provider.check().await.unwrap();
        assert_eq!(provider.register("https://example.com/hook").await, Ok(()));
        let posts = Receiver::start(Arc::clone(&provider)).await;
        let order = json!({
            "channel": "instagram", "account": "studio", "url": posts.url, "verify_token": "planted-verify-token"
        });
        assert_eq!(world.type_hook(&order).await, 204);
        posts.next().await;
        let program = Program::open(&world, fields, provider, "made-up").await;
        let Ambient { clock, ids, chance } = program.ambient.clone();
        let free = Arc::new(AtomicU64::new(1 << 40));
        let disk = Arc::clone(&free);
        let disk = Disk::with_free_space(move |_| Ok(disk.load(Ordering::Relaxed)));
        let folder = Outgoing::open(program.data_dir.join("received"), ids, clock.clone(), FOLDER);
        let folder = folder.await.unwrap().on(disk);
        let (channels, store) = (program.channels.clone(), program.store.clone());
        let files = ReceivedFiles::new(channels, store, folder.clone(), chance, outbound::Names::public());
        let reception = program.reception(None).with_files(files.unwrap());
        reception.start();
        let Program { store, account, .. } = program;
        Self { world, store, clock, folder, free, account, reception, posts }
    }

    /// A customer sends files, and the product hears of it.
    async fn writes(&self, media: Value) -> StoredInbound {
        let deed = json!({"channel": "instagram", "from": "5550001", "name": "Lena", "media": media});
        self.world.customer(deed).await;
        let post = self.posts.next().await;
        self.reception.let_in(&self.account, post).await.unwrap();
        self.last().await
    }

    async fn last(&self) -> StoredInbound {
        received(&self.store).await.into_iter().next().unwrap()
    }

    async fn file(&self, message: &StoredInbound) -> Option<InboundFile> {
        let files = self.store.channels().files(message.id).await.unwrap();
        files.into_iter().next().map(|(_, file)| file)
    }

    /// Waits until what is known of the first file is as wanted, with waits that take no time where `hurry` is set.
    async fn until(&self, message: &StoredInbound, hurry: bool, wanted: impl Fn(&InboundFile) -> bool) {
        let waiting = async {
            while !self.file(message).await.is_some_and(|file| wanted(&file)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waiting = async {
            if hurry { hurried(&self.clock, Duration::from_secs(20), waiting).await } else { waiting.await }
        };
        tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("it comes to that");
    }

    async fn content(&self, message: &StoredInbound) -> Result<Vec<u8>, OpenError> {
        let opened = self.reception.files().unwrap().open(message, 0).await?.expect("a file");
        Ok(std::fs::read(self.folder.path(&opened.file.key)).unwrap())
    }

    async fn is_link_dead(&self, message: &StoredInbound) -> bool {
        self.account.provider.fetch(&message.message.media[0], 1_000).await.is_err()
    }
}

const fn is_stored(file: &InboundFile) -> bool {
    matches!(file, InboundFile::Stored(_))
}

fn picture() -> Value {
    json!([{"kind": "image"}])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_outlives_the_link_of_its_provider() {
    let studio = Studio::open(|_| {}).await;
    let message = studio.writes(picture()).await;
    studio.until(&message, false, is_stored).await;
    studio.world.fault(json!({"provider": "instagram", "fault": "links_expired", "times": 1})).await;
    assert!(studio.is_link_dead(&message).await);
    assert_eq!(studio.content(&message).await.unwrap(), b"a pretend image");
    // One that was lost here is fetched again, where its provider has it.
    let message = studio.writes(picture()).await;
    studio.until(&message, false, is_stored).await;
    let Some(InboundFile::Stored(file)) = studio.file(&message).await else { panic!("it is stored") };
    std::fs::remove_file(studio.folder.path(&file.key)).unwrap();
    assert_eq!(studio.content(&message).await.unwrap(), b"a pretend image");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_is_reported_as_gone() {
    let studio = Studio::open(|_| {}).await;
    let order = json!({"provider": "instagram", "method": "/files/", "fault": "links_expired", "times": 1});
    studio.world.fault(order).await;
    let message = studio.writes(picture()).await;
    studio.until(&message, true, |file| matches!(file, InboundFile::Gone(why) if why.contains("404"))).await;
    assert!(matches!(studio.content(&message).await, Err(OpenError::Gone(_))));
    assert_eq!(studio.account.status().stopped, None, "it is no fault of the account");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_come_is_requested_again() {
    let studio = Studio::open(|_| {}).await;
    for order in [
        json!({"provider": "instagram", "method": "/files/", "fault": "error", "code": 503, "times": 3}),
        json!({"provider": "instagram", "method": "/files/", "fault": "cut", "times": 1}),
        json!({"provider": "instagram", "method": "/files/", "fault": "error", "code": 429, "times": 1}),
    ] {
        studio.world.fault(order).await;
    }
    let message = studio.writes(picture()).await;
    studio.until(&message, true, is_stored).await;
    assert_eq!(studio.content(&message).await.unwrap(), b"a pretend image");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_storing_until_there_is_room() {
    let studio = Studio::open(|_| {}).await;
    studio.free.store(0, Ordering::Relaxed);
    let message = studio.writes(picture()).await;
    let stopped = FilesStatus { waiting: 1, stopped: Some("disk_full") };
    let waiting = async {
        while studio.account.status().files != stopped {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("it stops");
    assert_eq!(studio.file(&message).await, Some(InboundFile::Wanted));
    studio.free.store(1 << 40, Ordering::Relaxed);
    studio.until(&message, true, is_stored).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_may_store_none_and_one_may_be_too_large() {
    let studio = Studio::open(|fields| fields.media = MediaRule::OnDemand).await;
    let message = studio.writes(picture()).await;
    assert_eq!(studio.file(&message).await, None);
    assert_eq!(studio.content(&message).await.unwrap(), b"a pretend image");
    let left: Vec<_> = std::fs::read_dir(studio.world.folder.path().join("data/received")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");

    let studio = Studio::open(|fields| fields.media_up_to = 14).await;
    let message = studio.writes(picture()).await;
    studio.until(&message, false, |file| matches!(file, InboundFile::TooLarge(_))).await;
    let refused = studio.content(&message).await.unwrap_err();
    assert!(matches!(&refused, OpenError::Fetch(error) if error.is_too_large()), "{refused:?}");
}

/// Many at once, of which one is as large as a long recording.
#[tokio::test(flavor = "multi_thread")]
async fn a_recording_of_50_mb_is_stored_among_others() {
    const RECORDING: usize = 50_000_000;
    let studio = Studio::open(|_| {}).await;
    let serve = async |size| {
        let content = vec![7; size];
        let form = MediaForm::Document;
        studio.world.served_file(form, "voice.ogg", "audio/ogg", &content).await.link.unwrap()
    };
    let mut media = vec![InboundMedia::at(InboundKind::Voice, serve(RECORDING).await)];
    for size in 1..=9 {
        media.push(InboundMedia::at(InboundKind::Voice, serve(size).await));
    }
    let chat = ExternalChat::new("5550001").unwrap();
    let at: Timestamp = studio.clock.now();
    let message = InboundMessage { media, ..InboundMessage::private(chat, "m1", "listen", at) };
    let change = InboundChange::Message(Box::new(message));
    let event = InboundEvent { key: "one".to_owned(), change };
    studio.reception.take(&studio.account, vec![event], None).await.unwrap();
    let message = studio.last().await;
    studio.until(&message, false, is_stored).await;
    let waiting = async {
        while studio.store.channels().stored_files().await.unwrap().len() < 10 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("all are stored");
    assert_eq!(studio.content(&message).await.unwrap().len(), RECORDING);
}
