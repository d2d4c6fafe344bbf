//! `switchboard up`: the gateway, from settings to a clean end.

mod stop_signals;
mod sweeping;

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use anyhow::Context;
use config::Settings;
use delivery::Ambient;
use domain::{ApiKeyId, ExposeSecret, SecretText};
use events::InviteCallbacks;
use logs::Gathered;
use store::{Accepts, MasterKey, Store, StoreKind, StoreOptions};
use tokio_util::sync::CancellationToken;

use self::stop_signals::StopSignals;
use crate::app_context::{self, AppContext, Messaging, Services};
use crate::control_bots::ControlBots;
use crate::logging::LogLevel;
use crate::output::say;
use crate::reload::{Reload, SettingsSource};
use crate::supervision::Supervision;
use crate::{
    Location, alert_feed, allocator, channel_settings, demo_campaign, demo_channels, files, keys, notices,
    reload, test_build,
};

/// How long the wire and open requests may take at the end.
const DRAIN: Duration = Duration::from_secs(10);

/// How long the answers to open requests may take once the store is lost. Another process gets it four seconds later at the
/// earliest.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// How often a process that waits for its store looks whether it may have it.
const STORE_LOOKS_EVERY: Duration = Duration::from_secs(1);

/// The variable that gives the first user's password.
const ADMIN_PASSWORD: &str = "SWITCHBOARD_ADMIN_PASSWORD";

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Up {
    #[command(flatten)]
    location: Location,

    /// The address of the API [default: as the settings say]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,

    /// Run against a simulated Telegram with demo accounts and channels, in a new temporary directory; the accounts and
    /// channels of a settings file are ignored
    #[arg(long)]
    sandbox: bool,

    /// Start with an empty database if the one of the data directory is missing; leave it out the next time
    #[arg(long)]
    begin_empty: bool,

    /// Start on a database that is older than the data directory, or that belongs to another one; leave it out the next time
    #[arg(long)]
    accept_database: bool,
}

/// The options that a program leaves out that begins again by itself.
pub(crate) const ONCE: [&str; 2] = ["--begin-empty", "--accept-database"];

/// A demo world that lives as long as the program.
struct Demo {
    world: sandbox::Running,
    folder: Folder,
}

/// The data directory of a demo: a temporary one, or the one that was named.
enum Folder {
    Temporary(tempfile::TempDir),
    Named(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Named(folder) => folder,
        }
    }
}

impl Up {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let clock = Clock::system();
        let stop_signals = StopSignals::of_start(&clock)?;
        let demo = if self.sandbox { Some(self.start_demo().await?) } else { None };
        let source = SettingsSource {
            location: Location { config: self.settings_file(demo.is_some())?, ..self.location.clone() },
            world: demo.as_ref().map(|demo| demo.world.settings_file.clone()),
            listen: self.listen,
        };
        let (read, wrong_flows) = source.read()?;
        let examined = self.examined(&read, demo.as_ref())?;
        let settings = source.as_run(read);
        let (layer, gathered) = logs::layer(clock.clone());
        let log_level = crate::logging::start(&settings.log, Some(layer));
        for problem in wrong_flows {
            let wrong = problem.to_string();
            tracing::error!(wrong, "a file of flows is not in use; put it right, then: switchboard reload");
        }
        let serving =
            self.serve(source, &settings, examined, demo.as_ref(), (log_level, gathered), stop_signals);
        let ended = Box::pin(serving).await;
        if let Some(demo) = demo {
            demo.world.stop().await;
        }
        ended
    }

    /// The settings file; in a demo world only one that was named.
    fn settings_file(&self, is_demo: bool) -> anyhow::Result<Option<PathBuf>> {
        if is_demo { Ok(self.location.config.clone()) } else { self.location.settings_file() }
    }

    /// What the doctor looks at: the settings as they were read, and where everything is.
    fn examined(&self, settings: &Settings, demo: Option<&Demo>) -> anyhow::Result<web::Examined> {
        let (data_dir, settings_file) = match demo {
            Some(demo) => {
                let file = self.location.config.as_ref().unwrap_or(&demo.world.settings_file);
                (demo.folder.path().to_owned(), Some(std::path::absolute(file)?))
            }
            None => (
                self.location.data_dir()?,
                self.location.settings_file()?.map(std::path::absolute).transpose()?,
            ),
        };
        let fingerprint = doctor::settings_fingerprint(settings);
        Ok(web::Examined { data_dir, settings_file, settings: Arc::new(settings.clone()), fingerprint })
    }

    async fn start_demo(&self) -> anyhow::Result<Demo> {
        let folder = match &self.location.data_dir {
            Some(_) => Folder::Named(self.location.data_dir()?),
            None => Folder::Temporary(tempfile::Builder::new().prefix("switchboard-demo-").tempdir()?),
        };
        store::check_kind(folder.path(), StoreKind::Demo)?;
        // The world is inside the data directory, which must be private from the start.
        store::make_directory(folder.path())?;
        let options = sandbox::SandboxOptions {
            data_dir: folder.path().join("sandbox"),
            flow: true,
            ..Default::default()
        };
        let world = sandbox::Sandbox::start(options).await?;
        Ok(Demo { world, folder })
    }

    async fn serve(
        &self,
        source: SettingsSource,
        settings: &Settings,
        examined: web::Examined,
        demo: Option<&Demo>,
        (log_level, gathered): (LogLevel, Gathered),
        mut stop_signals: StopSignals,
    ) -> anyhow::Result<()> {
        let examined = web::Examined { settings: Arc::new(settings.clone()), ..examined };
        let data_dir = &*examined.data_dir.clone();
        let tls = settings.tls.as_ref().map(web::Tls::read).transpose()?;
        let given = keys::given()?;
        let given_password = std::env::var(ADMIN_PASSWORD).ok().map(SecretText::from);
        let ambient = app_context::ambient(gathered.clock());
        #[cfg(feature = "testing")]
        say!("TEST BUILD   its clock can be moved and it can be stopped at any point; never use it for real");
        test_build::check(data_dir)?;
        let kind = if demo.is_some() { StoreKind::Demo } else { StoreKind::Real };
        let accepts = Accepts { empty: self.begin_empty, other: self.accept_database, kind: Some(kind) };
        let wanted = (settings, data_dir, accepts);
        let Some(store) = open_when_free(wanted, tls.as_ref(), &ambient, &mut stop_signals).await? else {
            return Ok(());
        };
        let newest = sweeping::newest(&store, &ambient.clock).await?;
        let logs = crate::logging::open(&settings.log, data_dir, gathered);
        if store.is_rotating_master_key()
            && let Err(error) = store.rotate_master_key().await
        {
            tracing::error!(%error, "a rotation of the master key that was begun is not finished; both keys stay");
        }
        test_build::mark(data_dir)?;
        say!("Data         {}", data_dir.display());
        let first_key = keys::ensure_first(
            &store,
            given.as_ref(),
            ApiKeyId::from_uuid(ambient.ids.next()),
            ambient.clock.now(),
        )
        .await?;
        let access = access::Access::new(store.clone(), ambient.clock.clone(), ambient.ids.clone());
        if let Some(given) = &given_password {
            access::Access::check_first(given).context(ADMIN_PASSWORD)?;
        }

        let context = AppContext::build(settings, data_dir, store, ambient).await?;
        let connections =
            telegram::ConnectionThread::start().context("the thread of the connections cannot start")?;
        let pool = telegram::Pool::start(context.pool_parts(settings, connections.handle().clone())).await?;
        for (port, account) in settings.ports_without_account() {
            tracing::warn!(port, %account, "the settings name no account of this name; the port has none to send with");
        }
        let messaging = context.messaging(settings, pool).await?;
        let AppContext { store, files, ambient, .. } = &context;
        let Messaging { pool, delivery, sagas, .. } = &messaging;
        let removing =
            tokio::spawn(files::remove_spent(files.clone(), store.clone(), delivery.media_released()));
        let (messages, operations) = (delivery.resume().await?, sagas.resume().await?);
        if messages + operations > 0 {
            tracing::info!(messages, operations, "taken up again from the last run");
        }
        let callbacks_due = sagas.callbacks_due();
        let callbacks = InviteCallbacks::start(
            store.clone(),
            &settings.legacy,
            ambient.clock.clone(),
            Arc::clone(&callbacks_due),
        )?;

        let alerts = alerts::Alerts::start(context.alerts_parts(settings, &messaging)).await?;
        crate::channels::forward(settings, store, ambient).await?;
        let webhooks = events::Webhooks::start(context.webhooks_parts(settings, &messaging));
        let flows = flows::Flows::start(&settings.flows, context.flows_parts(&messaging)).await?;
        if demo.is_some() {
            demo_campaign::add(store, ambient.clock.now()).await?;
        }
        let mut parts = context.campaigns_parts(settings, data_dir, &messaging);
        if let Some(demo) = demo {
            // Whatever a settings file says: a demo never opens the real page.
            parts.browsers.web_k = format!("http://{}/k/", demo.world.web_k);
        }
        let campaigns = campaigns::Campaigns::start(parts).await?;
        let pipeline = context.pipeline(settings, &messaging).context("[pipeline]")?;
        pipeline.start().await?;
        pipeline.notify(Arc::new(notices::ThroughAlerts(alerts.clone())), settings.public_url.clone());

        let stop = CancellationToken::new();
        let health = context.health(&messaging);
        health.load().await?;
        // Hashing takes 19 MB for a moment. By now what stays for long has its place, and these go back whole.
        let first_password = access.ensure_first(given_password.as_ref()).await.context(ADMIN_PASSWORD)?;
        let backups = context.backups(settings, data_dir, false)?;
        let control_parts = context.control_parts(&messaging, &flows, &access);
        let control_bots = ControlBots::start(&settings.control_bots, control_parts, stop.clone()).await?;
        let services = Services {
            health: health.clone(),
            logs: logs.clone(),
            access,
            alerts: alerts.clone(),
            webhooks: webhooks.clone(),
            flows: flows.clone(),
            campaigns: campaigns.clone(),
            pipeline: pipeline.clone(),
            backups: backups.clone(),
        };
        backups.start();
        let options = web::Options {
            tls: tls.clone(),
            ..web::Options::new(settings, Some(data_dir.join("control.sock")), examined.clone())
        };
        let (reload, reload_requests) = web::ReloadRequests::channel();
        let written = if source.world.is_none() { Some(source.location.settings_path()?) } else { None };
        let (changes, channel_changes) = web::ChannelChanges::channel(written);
        let services = context.services(&messaging, services, callbacks_due, Some((reload, changes)));
        let state = web::State::new(services, options);
        let pages = dashboard::router(dashboard::Dashboard::new(state.clone())).merge(control_bots.routes());
        let serving = tokio::spawn(web::serve(state.clone(), pages, stop.clone()));
        let alarming = tokio::spawn(alert_feed::hand_on(
            health.clone(),
            alerts.clone(),
            alert_feed::Sources {
                flows: flows.clone(),
                channels: messaging.channels.channels().clone(),
                store: store.clone(),
                backups: backups.clone(),
                pipeline: pipeline.clone(),
                settings_file: examined.settings_file.clone(),
            },
        ));
        health.start(state.ports());
        let logging_in = demo.map(|demo| {
            let (store, campaigns, clock) = (store.clone(), campaigns.clone(), ambient.clock.clone());
            let (world, stop) = (Arc::clone(&demo.world.telegram), stop.clone());
            tokio::spawn(async move {
                if let Err(error) = demo_campaign::log_in(&store, &campaigns, (&world, &clock), stop).await {
                    tracing::warn!(%error, "the browser profile of the demo is not logged in");
                }
            })
        });
        let sweeping = tokio::spawn(sweeping::sweep(store.clone(), ambient.clock.clone(), newest));
        let telling = tokio::spawn({
            let pool = Arc::clone(pool);
            async move { pool.tell_states().await }
        });
        let clearing = tokio::spawn(files::keep_clear(files.clone(), store.clone(), ambient.clock.clone()));
        let made = first_key.as_ref().map(ExposeSecret::expose_secret);
        let given = given.as_ref().map(ExposeSecret::expose_secret);
        let password = first_password.as_ref().or(demo.and(given_password.as_ref()));
        let shown =
            Shown { key: made.or(demo.and(given)), password: password.map(ExposeSecret::expose_secret) };
        listening(&state).await;
        // They call their own addresses.
        messaging.channels.start();
        if let Some(demo) = demo {
            demo_channels::connect(&messaging.channels, &demo.world).await;
        }
        announce(&state, settings, (demo, self.location.config.as_deref()), shown);
        if pool.accounts().is_empty() {
            say!(
                "\nThere is no account yet. In another terminal, with the same --data-dir:\n  \
                 switchboard account add NAME        then   switchboard account login NAME\n  \
                 switchboard account import PATH     if you have session files of another program"
            );
        }

        stop_signals.started();
        let supervision = Supervision::of_environment();
        let changing = channel_settings::answer(&source, ambient, channel_changes);
        let reload = Reload {
            source: source.clone(),
            settings: settings.clone(),
            tls,
            examined,
            context: &context,
            messaging: &messaging,
            callbacks: &callbacks,
            alerts: &alerts,
            flows: &flows,
            control_bots: &control_bots,
            backups: &backups,
            state: &state,
            log_level: &log_level,
            supervision: &supervision,
        };
        tokio::select! {
            () = stop_signals.received() => {}
            broken = reload::on_hangup(&state) => broken?,
            () = reload.answer(reload_requests) => {}
            () = changing => {}
            () = supervision.keep_notified(&ambient.clock, &state, store, pool) => {}
            () = allocator::give_back() => {}
            lost = store.lost() => {
                // Nothing can be written any more, and another process may hold the accounts soon: there is nothing to drain, and
                // no connection to Telegram may stay open. Who waits for an answer gets it before the listeners go.
                state.lose_store();
                stop.cancel();
                if tokio::time::timeout(LAST_ANSWERS, serving).await.is_err() {
                    tracing::warn!("open requests were not all answered before the program began again");
                }
                logs.close().await;
                let Some(lost) = lost else { return Err(begin_again()) };
                // A database file that was moved gets what is in its log.
                context.store.close().await;
                return Err(lost.into());
            }
        }

        supervision.stopping();
        tracing::info!("stopping: no new requests, what is on the wire is finished");
        stop.cancel();
        // That accounts go offline now is no news of them.
        telling.abort();
        if tokio::time::timeout(2 * DRAIN, serving).await.is_err() {
            tracing::warn!("open requests did not end in time");
        }
        if let Some(logging_in) = logging_in
            && tokio::time::timeout(DRAIN, logging_in).await.is_err()
        {
            tracing::warn!("the browser of the demo's profile did not close in time");
        }
        // What it has in the outbox is finished with the rest.
        campaigns.stop(DRAIN).await;
        pipeline.stop(DRAIN).await;
        tokio::join!(
            delivery.drain(DRAIN),
            sagas.stop(DRAIN),
            callbacks.stop(DRAIN),
            webhooks.stop(DRAIN),
            flows.drain(DRAIN),
            messaging.channels.stop(DRAIN),
            control_bots.ended(DRAIN),
            health.stop(DRAIN),
            alerts.stop(DRAIN),
            backups.stop(DRAIN)
        );
        pool.stop(DRAIN).await;
        for task in [alarming, sweeping, clearing, removing] {
            task.abort();
        }
        context.store.clone().close().await;
        logs.close().await;
        context.store.lost_database().map_or(Ok(()), |lost| Err(lost.into()))
    }
}

/// Waits for Ctrl+C or SIGTERM.
pub(crate) async fn until_stop_requested() -> anyhow::Result<()> {
    StopSignals::watch()?.received().await;
    Ok(())
}

/// Opens the store of a data directory.
pub(crate) async fn open_store(settings: &Settings, data_dir: &Path, clock: Clock) -> anyhow::Result<Store> {
    open_store_with(settings, data_dir, clock, master_key(data_dir)?).await
}

/// The same with a master key that was found elsewhere.
pub(crate) async fn open_store_with(
    settings: &Settings,
    data_dir: &Path,
    clock: Clock,
    master_key: MasterKey,
) -> anyhow::Result<Store> {
    Ok(Store::open(options(settings, data_dir, clock, master_key)).await?)
}

fn options(settings: &Settings, data_dir: &Path, clock: Clock, master_key: MasterKey) -> StoreOptions {
    let url = super::store::of(&settings.store.url);
    StoreOptions { data_dir: data_dir.to_owned(), url, clock, master_key }
}

/// Opens the store as soon as its database answers and no other process works on it; until then each listener answers 503.
/// None when it is stopped before that.
async fn open_when_free(
    (settings, data_dir, accepts): (&Settings, &Path, Accepts),
    tls: Option<&web::Tls>,
    ambient: &Ambient,
    stop_signals: &mut StopSignals,
) -> anyhow::Result<Option<Store>> {
    let ports = settings.legacy.addresses().map(|(address, _)| (address, None));
    let addresses = std::iter::once((settings.listen, tls.cloned())).chain(ports).collect();
    let (stop, mut waiting) = (CancellationToken::new(), None);
    let mut reported = String::new();
    let opened = loop {
        let mut opening = Box::pin(async {
            let options = options(settings, data_dir, ambient.clock.clone(), master_key(data_dir)?);
            anyhow::Ok(Store::open_accepting(options, accepts).await?)
        });
        let tried = tokio::select! {
            tried = &mut opening => Some(tried),
            () = ambient.clock.sleep(STORE_LOOKS_EVERY) => None,
        };
        let refused = match tried {
            Some(Ok(store)) => break Some(store),
            Some(Err(error)) if !is_passing(&error) => return Err(error),
            refused => refused,
        };
        waiting.get_or_insert_with(|| {
            tokio::spawn(web::answer_unavailable(Vec::clone(&addresses), stop.clone()))
        });
        let refused = match refused {
            Some(refused) => refused,
            None => opening.await,
        };
        let what = match refused {
            Ok(store) => break Some(store),
            Err(error) if is_passing(&error) => error.to_string(),
            Err(error) => return Err(error),
        };
        if reported != what {
            say!("Waiting      {what}");
            reported = what;
        }
        tokio::select! {
            () = stop_signals.received() => break None,
            () = ambient.clock.sleep(STORE_LOOKS_EVERY) => {}
        }
    };
    stop.cancel();
    if let Some(answering) = waiting {
        answering.await?;
    }
    Ok(opened)
}

/// Whether the store may be opened later as it is.
fn is_passing(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(store::OpenError::Held { .. } | store::OpenError::Unreachable { .. }))
}

/// Begins this program again from its start, as the same process: it waits for the store like a standby.
fn begin_again() -> anyhow::Error {
    let program = std::env::current_exe().context("the path of this program");
    match program {
        Ok(program) => {
            let arguments = std::env::args_os().skip(1).filter(|word| !ONCE.iter().any(|once| word == *once));
            std::process::Command::new(program).args(arguments).exec().into()
        }
        Err(error) => error,
    }
}

/// The key to what is encrypted at rest: from the environment, as a systemd credential named `master.key`, or from a
/// file in the data directory, which is made at the first start.
pub(crate) fn master_key(data_dir: &Path) -> anyhow::Result<MasterKey> {
    if let Ok(given) = std::env::var("SWITCHBOARD_MASTER_KEY") {
        return Ok(MasterKey::Given(given.into()));
    }
    let credential =
        std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join("master.key"));
    if let Some(credential) = credential.filter(|credential| credential.exists()) {
        let given = ambient::regular_file::read(&credential)
            .and_then(|bytes| String::from_utf8(bytes).map_err(std::io::Error::other))
            .with_context(|| format!("the credential {}", credential.display()))?;
        return Ok(MasterKey::Given(given.trim().to_owned().into()));
    }
    Ok(MasterKey::File(data_dir.join("master.key")))
}

/// What is made at the first start and shown only then; in a demo also what the caller chose.
#[derive(Clone, Copy)]
struct Shown<'a> {
    key: Option<&'a str>,
    password: Option<&'a str>,
}

/// Waits until each listener was tried once: an address with port 0 is known only then, and a provider reaches it.
async fn listening(state: &web::State) {
    let tried = async {
        while state.listeners().iter().any(|listener| listener.state == web::ListenerState::Starting) {
            state.listeners_changed().await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), tried).await;
}

/// Says where everything is, and for a demo what to try.
fn announce(
    state: &web::State,
    settings: &Settings,
    (demo, file): (Option<&Demo>, Option<&Path>),
    shown: Shown<'_>,
) {
    let listeners = state.listeners();
    let address = |name: &str| {
        listeners
            .iter()
            .find(|listener| listener.name == name)
            .map_or("", |listener| listener.address.as_str())
    };
    let main = address("main");
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    say!("Dashboard    {scheme}://{main}/");
    say!("API          {scheme}://{main}/v1    docs {scheme}://{main}/docs");
    for listener in &listeners {
        if let Ok(number) = listener.name.parse::<u16>() {
            say!("Old port     http://{}    {}", listener.address, duty(settings, number));
        }
        if listener.state != web::ListenerState::Listening {
            match &listener.detail {
                Some(detail) => say!("NOT SERVED   {detail}"),
                None => say!("NOT SERVED   {} is not ready yet", listener.address),
            }
        }
    }
    if let Some(demo) = demo {
        if let Some(file) = file {
            say!(
                "Settings     {}, but for its accounts and channels: the sandbox has its own",
                file.display()
            );
        }
        say!("Sandbox      http://{}    (ledger, faults)", demo.world.control);
    }
    if let Some(password) = shown.password {
        let once = if demo.is_some() { "" } else { "    it is shown only this once" };
        say!("Sign in      name {}, password {password}{once}", access::FIRST_USER);
    }
    let Some(key) = shown.key else { return };
    match demo {
        None => say!("\nThe first API key; it is shown only this once:\n  export KEY={key}"),
        Some(demo) => say!(
            "\nIn another terminal:\n  export KEY={key}\n  \
             curl -s http://{main}/v1/messages -H \"X-API-Key: $KEY\" -H 'Content-Type: application/json' \
             -d '{{\"chat\":\"@client_1\",\"text\":\"Hello\"}}'\n  \
             curl -s http://{main}/v1/accounts -H \"X-API-Key: $KEY\"\n  \
             curl -sN http://{main}/v1/events -H \"X-API-Key: $KEY\"    # what happens, as it happens\n  \
             curl -s http://{control}/customers/messages -d '{{\"channel\":\"avito\",\"from\":2000002,\"text\":\"Is it still there?\"}}'    # a customer writes\n  \
             curl -s http://{main}/v1/conversations -H \"X-API-Key: $KEY\"    # two seconds later a pretend model has answered\n  \
             curl -s http://{control}/ledger",
            control = demo.world.control
        ),
    }
}

/// What an old port does, and by which account when it is pinned to one.
fn duty(settings: &Settings, number: u16) -> String {
    if let Some(port) = settings.legacy.channel_ports.iter().find(|port| port.port == number) {
        return format!("the old server of {}", port.channel.as_str());
    }
    let port = settings.legacy.ports.iter().find(|port| port.port == number);
    port.map_or_else(String::new, |port| match &port.account {
        Some(account) => format!("{} by {account}", port.service.as_str()),
        None => port.service.as_str().to_owned(),
    })
}
