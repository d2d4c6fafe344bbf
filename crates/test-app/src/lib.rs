//! The program in one process, for tests: its parts as the binary wires them, in a data directory of its own.
//!
//! A dev-dependency only. It panics where a test should fail.

#![expect(clippy::missing_panics_doc, reason = "everything here is an assertion of a test")]

mod files;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use access::{Access, ClientInfo, NewSession, Role, SignIn};
use ambient::{Chance, Clock, Ids};
use config::{LegacySettings, TelegramSettings};
use delivery::{Ambient, Delivery, SagaLimits, Sagas, Sender, Senders, Steps};
use health::{Health, HealthParts};
use store::{MasterKey, Store, StoreOptions};
use telegram::{Pool, PoolParts};
use tempfile::TempDir;
use tokio::sync::Notify;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;
use web::{Options, Services, State};

pub use files::{Free, KEEP, MOST, MOST_UPLOADED, SILENCE};

/// The password of each [`TestApp::user`].
pub const PASSWORD: &str = "correct horse battery staple";

/// The parts of a program that is not listening yet.
pub struct TestApp {
    pub store: Store,
    pub delivery: Delivery,
    pub sagas: Sagas,
    pub callbacks_due: Arc<Notify>,
    pub pool: Arc<Pool>,
    pub access: Access,
    pub health: Health,
    pub flows: flows::Flows,
    /// Conversations with clients; it moves once it is started.
    pub pipeline: pipeline::Pipeline,
    pub clock: Clock,
    pub ids: Ids,
    pub state: State,
    /// The room on the disk for files.
    pub free: Free,
    /// Where a test logs.
    pub log: Dispatch,
    dir: TempDir,
}

/// Where providers are said to reach it.
pub const PUBLIC_URL: &str = "https://switchboard.example.com";

/// What differs from one test to the next.
pub struct Builder {
    dir: TempDir,
    telegram: TelegramSettings,
    scripted: Option<(Arc<dyn Sender>, Arc<dyn Steps>)>,
    channels: Vec<channels::Account>,
    pipeline: config::PipelineSettings,
    queue: config::QueueSettings,
    channel_changes: Option<web::ChannelChanges>,
}

impl Builder {
    /// Takes over a data directory.
    #[must_use]
    pub fn in_directory(self, dir: TempDir) -> Self {
        Self { dir, ..self }
    }

    /// Has these accounts.
    #[must_use]
    pub fn with_telegram(self, telegram: TelegramSettings) -> Self {
        Self { telegram, ..self }
    }

    /// Sends by these instead of the accounts.
    #[must_use]
    pub fn sending_by(self, sender: Arc<dyn Sender>, steps: Arc<dyn Steps>) -> Self {
        Self { scripted: Some((sender, steps)), ..self }
    }

    /// Has these accounts of channels, which send beside the others.
    #[must_use]
    pub fn with_channels(self, channels: Vec<channels::Account>) -> Self {
        Self { channels, ..self }
    }

    /// Answers clients so.
    #[must_use]
    pub fn with_pipeline(self, pipeline: config::PipelineSettings) -> Self {
        Self { pipeline, ..self }
    }

    /// Shares lists in Redis so.
    #[must_use]
    pub fn with_queue(self, queue: config::QueueSettings) -> Self {
        Self { queue, ..self }
    }

    /// Hands changes of the accounts of channels in the settings over to these.
    #[must_use]
    pub fn with_channel_changes(self, changes: web::ChannelChanges) -> Self {
        Self { channel_changes: Some(changes), ..self }
    }

    /// Puts the parts together, after a change of the options.
    pub async fn build(self, change: impl FnOnce(&mut Options)) -> TestApp {
        let Self { dir, telegram, scripted, channels, pipeline, queue, channel_changes } = self;
        let data_dir = dir.path().to_owned();
        let clock = Clock::system();
        let ids = Ids::new(clock.clone());
        let seeded = Chance::from_seed(1);
        let free = Free::plenty();
        let options = StoreOptions {
            data_dir: data_dir.clone(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File(data_dir.join("master.key")),
        };
        let store = Store::open_on(options, free.of_store()).await.expect("the store opens");
        let pool = Pool::start(PoolParts {
            settings: &telegram,
            hold: Duration::from_secs(100),
            store: store.clone(),
            clock: clock.clone(),
            chance: seeded.clone(),
            ids: ids.clone(),
            outgoing: None,
            received: None,
            contacts: false,
            connections: tokio::runtime::Handle::current(),
        });
        let pool = pool.await.expect("a pool");
        let (sender, steps) = scripted.unwrap_or_else(|| (Arc::clone(&pool) as _, Arc::clone(&pool) as _));
        let files = files::open(&data_dir, &ids, &clock, &free).await;
        let channels = channels::Channels::new(
            channels,
            Some(Arc::new(files::Sent(files.outgoing.clone()))),
            clock.clone(),
        );
        let links = channels::Links::new(Some("https://shop.example.com"), "made-up".into(), clock.clone());
        let received = channels::ReceivedFiles::new(
            channels.clone(),
            store.clone(),
            files.received.clone(),
            Chance::from_seed(4),
            outbound::Names::public(),
        );
        let received = received.expect("a client");
        for name in channels.accounts() {
            pool.reserve_name(name);
        }
        let sender = match channels.all().next() {
            Some(_) => Senders::join(vec![sender, Arc::new(channels.clone())]).expect("names differ"),
            None => sender,
        };
        let ambient = Ambient { clock: clock.clone(), ids: ids.clone(), chance: seeded };
        let sagas = Sagas::new(store.clone(), steps, ambient.clone(), SagaLimits::default());
        let delivery = Delivery::new(store.clone(), sender, ambient, delivery::Limits::default());
        delivery.resume().await.expect("resumes");
        sagas.resume().await.expect("resumes");
        let alerts = alerts::Alerts::start(alerts::AlertsParts {
            store: store.clone(),
            delivery: delivery.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            settings: &config::AlertSettings::default(),
            allowed: outbound::Allowed::new(
                outbound::AllowList::Events,
                vec!["127.0.0.0/8".parse().expect("a network")],
            ),
            server: "demo".to_owned(),
        })
        .await
        .expect("the alerts start");
        let webhooks = events::Webhooks::start(events::WebhooksParts {
            store: store.clone(),
            clock: clock.clone(),
            chance: Chance::from_seed(2),
            allowed: outbound::Allowed::new(
                outbound::AllowList::Events,
                vec!["127.0.0.0/8".parse().expect("a network")],
            ),
            vouched: Vec::new(),
            links: links.clone(),
        });
        let flows = flows::FlowsParts {
            store: store.clone(),
            pool: Arc::clone(&pool),
            delivery: delivery.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let flows = flows::Flows::at_rest(&test_flows(), flows).await.expect("the flows are there");
        let campaigns = campaigns::Campaigns::at_rest(campaigns::CampaignsParts {
            logs: None,
            store: store.clone(),
            delivery: delivery.clone(),
            pool: Arc::clone(&pool),
            clock: clock.clone(),
            ids: ids.clone(),
            chance: Chance::from_seed(3),
            browsers: campaigns::Browsers::new(
                &config::CampaignBrowserSettings::default(),
                &data_dir,
                outbound::Allowed::new(
                    outbound::AllowList::Campaigns,
                    ["127.0.0.0/8", "10.0.0.0/8"].map(|it| it.parse().expect("a network")).into(),
                ),
            ),
            files: None,
        });
        let pipeline = pipeline::Pipeline::new(pipeline::PipelineParts {
            store: store.clone(),
            delivery: delivery.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            received: Some(received.clone()),
            pool: Arc::clone(&pool),
            settings: config::PipelineSettings { enabled: true, ..pipeline },
            channels: channels.clone(),
            links: links.clone(),
            queue,
        })
        .expect("a pipeline");
        let health = Health::new(HealthParts {
            store: store.clone(),
            delivery: delivery.clone(),
            sagas: sagas.clone(),
            accounts: telegram::Monitor::new(Arc::clone(&pool), store.clone(), clock.clone()),
            clock: clock.clone(),
            version: "0.0.0",
        });
        let (layer, gathered) = logs::layer(clock.clone());
        let retention = logs::Retention::new(10_000_000, Duration::from_hours(24));
        let retention = retention.with_timeout(Duration::from_mins(1));
        let backups = backup::BackupParts {
            store: store.clone(),
            clock: clock.clone(),
            data_dir: data_dir.clone(),
            settings: config::BackupSettings::default(),
            master_key: MasterKey::File(data_dir.join("master.key")),
            version: "0.0.0",
            at_rest: false,
        };
        let access = Access::new(store.clone(), clock.clone(), ids.clone());
        let callbacks_due = Arc::new(Notify::new());
        let services = Services {
            health: health.clone(),
            backups: backup::Backups::new(backups),
            store: store.clone(),
            delivery: delivery.clone(),
            sagas: sagas.clone(),
            callbacks_due: Arc::clone(&callbacks_due),
            pool: Arc::clone(&pool),
            access: access.clone(),
            alerts,
            webhooks,
            flows: flows.clone(),
            campaigns,
            pipeline: pipeline.clone(),
            channels: channels::Reception::new(
                channels,
                store.clone(),
                delivery.clone(),
                Some(PUBLIC_URL.to_owned()),
            )
            .with_files(received),
            links,
            files,
            logs: logs::LogStore::open(&data_dir.join("logs"), retention, gathered)
                .expect("the log store opens"),
            clock: clock.clone(),
            ids: ids.clone(),
            reload: None,
            channel_changes,
        };
        // What the doctor is to reach is on this machine.
        let mut examined = config::Settings { telegram, ..config::Settings::default() };
        examined.telegram.data_centres =
            vec![config::DataCentre { id: 2, address: ([127, 0, 0, 1], 9).into() }];
        let mut options = Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: None,
            control_socket: Some(data_dir.join("control.sock")),
            trusted_proxies: Vec::new(),
            legacy: LegacySettings::default(),
            examined: web::Examined {
                data_dir,
                settings_file: None,
                settings: Arc::new(examined),
                fingerprint: "made-up".to_owned(),
            },
            limits: web::Limits::default(),
        };
        change(&mut options);
        let state = State::new(services, options);
        let log = Dispatch::new(tracing_subscriber::registry().with(layer));
        TestApp {
            store,
            delivery,
            sagas,
            callbacks_due,
            pool,
            access,
            health,
            flows,
            pipeline,
            clock,
            ids,
            state,
            free,
            log,
            dir,
        }
    }
}

impl TestApp {
    /// One with an empty data directory and no accounts, unless set otherwise.
    pub fn builder() -> Builder {
        let dir = tempfile::tempdir().expect("a directory");
        let (telegram, pipeline) = (TelegramSettings::default(), config::PipelineSettings::default());
        let queue = config::QueueSettings::default();
        Builder {
            dir,
            telegram,
            scripted: None,
            channels: Vec::new(),
            pipeline,
            queue,
            channel_changes: None,
        }
    }

    /// The data directory.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// Logs, with this program's store in the place of the process's.
    pub fn logs(&self, log: impl FnOnce()) {
        tracing::dispatcher::with_default(&self.log, log);
    }

    /// Adds a user of this role, who is called like it, and signs them in.
    pub async fn user(&self, role: Role) -> NewSession {
        let name = role.as_str();
        let added = self.access.add(name.parse().expect("a name"), role, PASSWORD.to_owned().into()).await;
        added.expect("a user");
        let signed_in = self.access.sign_in(name, PASSWORD.to_owned().into(), &ClientInfo::default()).await;
        let SignIn::Done(session) = signed_in.expect("the password is right") else {
            panic!("no second factor was set up");
        };
        session
    }
}

/// A flow that watches nothing: its account is at rest.
fn test_flows() -> Vec<config::FlowSettings> {
    let text = "[[flows]]\nname = \"trip\"\naccount = \"main\"\nwatch = \"@demo_trips_bot\"\n\
        trigger = { text = \"trip\" }\nsteps = [{ press = { text = \"Book\" } }]\n";
    config::read_flows(text, std::path::Path::new("/flows.toml")).expect("a flow")
}
