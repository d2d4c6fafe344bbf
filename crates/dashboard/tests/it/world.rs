//! A program that listens nowhere, its pages, and people who look at them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use access::{Access, ClientInfo, SignIn};
use ambient::{Chance, Clock, Ids};
use axum::Router;
use axum::body::Body;
use config::{LegacySettings, TelegramSettings};
use dashboard::Dashboard;
use delivery::{Ambient, Delivery, SagaLimits, Sagas};
use domain::Role;
use health::{Health, HealthParts};
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use media::shelf::Rules;
use media::{AllowList, Allowed, Fetcher, Limits, Names, Outgoing, Shelf, Timeouts};
use store::{MasterKey, Store, StoreOptions};
use telegram::{Pool, PoolParts};
use tokio::sync::Notify;
use tower::ServiceExt;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The settings as the doctor sees them: what is to be reached is on this machine.
fn examined() -> config::Settings {
    let mut settings = config::Settings::default();
    settings.telegram.data_centres = vec![config::DataCentre { id: 2, address: ([127, 0, 0, 1], 9).into() }];
    settings
}

/// The program and its pages.
pub(crate) struct World {
    pub(crate) pages: Router,
    pub(crate) health: Health,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) ids: Ids,
    pub(crate) sagas: Sagas,
    /// Where a test logs.
    pub(crate) log: Dispatch,
    pub(crate) access: Access,
    dir: tempfile::TempDir,
}

/// Somebody who is signed in, or not.
pub(crate) struct Browser<'a> {
    world: &'a World,
    cookies: String,
    pub(crate) csrf: String,
}

/// A page as it came.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Clock::system();
        let options = StoreOptions {
            data_dir: dir.path().to_owned(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File(dir.path().join("master.key")),
        };
        let store = Store::open(options).await.expect("the store opens");
        let ids = Ids::new(clock.clone());
        let ambient = Ambient { clock: clock.clone(), ids: ids.clone(), chance: Chance::from_seed(1) };
        let settings = TelegramSettings::default();
        let parts = PoolParts {
            settings: &settings,
            hold: std::time::Duration::from_secs(100),
            store: store.clone(),
            clock: clock.clone(),
            chance: ambient.chance.clone(),
            ids: ids.clone(),
            outgoing: None,
        };
        let pool = Pool::start(parts).await.expect("a pool");
        let delivery =
            Delivery::new(store.clone(), pool.clone(), ambient.clone(), delivery::Limits::default());
        let sagas = Sagas::new(store.clone(), pool.clone(), ambient, SagaLimits::default());
        let health = Health::new(HealthParts {
            store: store.clone(),
            delivery: delivery.clone(),
            sagas: sagas.clone(),
            accounts: telegram::Monitor::new(pool.clone(), store.clone(), clock.clone()),
            clock: clock.clone(),
            version: "0.0.0",
        });
        let access = Access::new(store.clone(), clock.clone(), ids.clone());
        let alerts = alerts::Alerts::start(alerts::AlertsParts {
            store: store.clone(),
            delivery: delivery.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            settings: &config::AlertSettings::default(),
            allowed: media::Allowed::new(media::AllowList::Events, Vec::new()),
            server: "demo".to_owned(),
        })
        .await
        .expect("the alerts start");
        let (layer, gathered) = logs::layer(clock.clone());
        let keeping = logs::Retention::new(10_000_000, Duration::from_hours(24));
        let keeping = keeping.with_timeout(Duration::from_mins(1));
        let logs = logs::LogStore::open(&dir.path().join("logs"), keeping, gathered);
        let services = web::Services {
            logs: logs.expect("the log store opens"),
            health: health.clone(),
            backups: backup::Backups::new(backup::BackupParts {
                store: store.clone(),
                clock: clock.clone(),
                data_dir: dir.path().to_owned(),
                settings: config::BackupSettings::default(),
                version: "0.0.0",
                at_rest: false,
            }),
            files: files(dir.path(), &ids, &clock).await,
            store: store.clone(),
            delivery,
            sagas: sagas.clone(),
            callbacks_due: Arc::new(Notify::new()),
            pool,
            access: access.clone(),
            alerts,
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let options = web::Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control_socket: None,
            trusted_proxies: Vec::new(),
            legacy: LegacySettings::default(),
            examined: web::Examined {
                data_dir: dir.path().to_owned(),
                settings_file: None,
                settings: Arc::new(examined()),
                fingerprint: "made-up".to_owned(),
            },
            limits: web::Limits::default(),
        };
        let state = web::State::new(services, options);
        health.start(state.ports());
        let log = Dispatch::new(tracing_subscriber::registry().with(layer));
        Self {
            pages: dashboard::router(Dashboard::new(state)),
            health,
            clock,
            store,
            ids,
            sagas,
            log,
            access,
            dir,
        }
    }

    /// A folder of the data directory.
    pub(crate) fn folder(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Logs, with this program's store in the place of the process's.
    pub(crate) fn logs(&self, log: impl FnOnce()) {
        tracing::dispatcher::with_default(&self.log, log);
    }

    /// How many folders there are in one of the data directory's.
    pub(crate) fn folders_in(&self, name: &str) -> usize {
        std::fs::read_dir(self.folder(name)).map_or(0, Iterator::count)
    }

    /// Somebody who is not signed in.
    pub(crate) fn stranger(&self) -> Browser<'_> {
        Browser { world: self, cookies: String::new(), csrf: String::new() }
    }

    /// Somebody who is signed in with a role.
    pub(crate) async fn person(&self, role: Role) -> Browser<'_> {
        let name = role.as_str();
        self.access
            .add(name.parse().expect("a name"), role, PASSWORD.to_owned().into())
            .await
            .expect("a user");
        let signed_in = self.access.sign_in(name, PASSWORD.to_owned().into(), &ClientInfo::default()).await;
        let SignIn::Done(session) = signed_in.expect("the password is right") else {
            panic!("no second factor was set up");
        };
        let cookie = access::cookie::begin(&session.token, false);
        let cookies = cookie.split(';').next().expect("a cookie").to_owned();
        Browser { world: self, cookies, csrf: session.visitor.csrf.as_str().to_owned() }
    }
}

impl Browser<'_> {
    /// The same with one more cookie.
    pub(crate) fn with(mut self, cookie: &str) -> Self {
        self.cookies = [self.cookies.as_str(), cookie]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("; ");
        self
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Page {
        let answer = self.send(Method::GET, path, headers, String::new()).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Page {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Sends a form as a browser without script does.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_with(path, &[("sec-fetch-site", "same-origin")], fields).await
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Page {
        let form = serde_urlencoded::to_string(fields).expect("a form");
        self.post_body(path, headers, form).await
    }

    /// Sends a body as it is.
    pub(crate) async fn post_body(&self, path: &str, headers: &[(&str, &str)], body: String) -> Page {
        let answer = self.send(Method::POST, path, headers, body).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Page {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// The answer before its body has come.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path).header(COOKIE, &self.cookies);
        if !headers.iter().any(|(name, _)| *name == "accept") {
            request = request.header(ACCEPT, "text/html,application/xhtml+xml");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.body(Body::from(body)).expect("a request");
        self.world.pages.clone().oneshot(request).await.expect("an answer")
    }
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The value of a cookie that this answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let mut lines = self.headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        let line = lines.find(|line| line.starts_with(&format!("{name}=")))?;
        Some(line.split(';').next()?.split_once('=')?.1.to_owned())
    }
}

async fn files(dir: &std::path::Path, ids: &Ids, clock: &Clock) -> web::Files {
    let limits = Limits { most: 1 << 20, idle: Duration::from_secs(30), total: Duration::from_mins(30) };
    let outgoing = Outgoing::open(dir.join("outgoing"), ids.clone(), clock.clone(), limits).await;
    let outgoing = outgoing.expect("a folder");
    let rules = Rules { keep: Duration::from_hours(24), most_bytes: 1 << 20, most_files: 10 };
    let shelf = Shelf::open(dir.join("uploads"), ids.clone(), clock.clone(), limits, rules).await;
    let timeouts = Timeouts { connection: Duration::from_secs(10), answer: Duration::from_secs(20) };
    let allowed = Allowed::new(AllowList::Media, Vec::new());
    let fetcher = Fetcher::new(Names::of_system(allowed), outgoing.intake().clone(), timeouts);
    let folder = dir.join("media");
    std::fs::create_dir_all(&folder).expect("a folder");
    web::Files { outgoing, shelf: shelf.expect("a shelf"), fetcher: fetcher.expect("a client"), folder }
}
