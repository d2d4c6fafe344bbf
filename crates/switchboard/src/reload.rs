//! The settings of the running program, read again: what applies live goes to who works by it, the rest is listed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use api::{NotApplied, ReloadedSettings};
use config::{Applies, Problem, Settings, SettingsError};
use events::InviteCallbacks;
use hyper::Request;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::Receiver;

use crate::app_context::{self, AppContext, Messaging};
use crate::control_bots::ControlBots;
use crate::logging::LogLevel;
use crate::output::explain;
use crate::supervision::Supervision;
use crate::{Location, location};

/// Where this run takes its settings from.
#[derive(Debug, Clone)]
pub(crate) struct SettingsSource {
    /// The file, once there was one: without it all settings would have their defaults.
    pub(crate) location: Location,
    /// The settings of the demo world, where there is one.
    pub(crate) world: Option<PathBuf>,
    /// What the command line says in their place.
    pub(crate) listen: Option<SocketAddr>,
}

impl SettingsSource {
    /// The settings as they are written now, and what is wrong with files of flows, which are left out.
    pub(crate) fn read(&self) -> anyhow::Result<(Settings, Vec<Problem>)> {
        let environment = location::environment();
        let read = match (&self.world, &self.location.config) {
            (Some(world), Some(file)) => Settings::load_for_world(file, world, environment)?,
            (Some(world), None) => Settings::load_at_start(Some(world), environment)?,
            (None, _) => self.location.settings_at_start()?,
        };
        // The first reading counts: a change needs a restart.
        domain::phone::set_home(read.0.home_country);
        Ok(read)
    }

    /// The same where all of it is right.
    fn read_again(&self) -> anyhow::Result<Settings> {
        let (settings, problems) = self.read()?;
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError::Wrong { problems }.into()) }
    }

    /// The same with what the command line says.
    pub(crate) fn as_run(&self, mut settings: Settings) -> Settings {
        settings.listen = self.listen.unwrap_or(settings.listen);
        if self.world.is_some() && settings.public_url.is_none() && settings.listen.port() > 0 {
            // The providers of a demo world are on this machine.
            settings.public_url = Some(format!("http://{}", settings.listen));
        }
        settings
    }

    fn file(&self) -> Option<PathBuf> {
        self.location.settings_file().ok().flatten().or_else(|| self.world.clone())
    }
}

/// Who works by the settings.
pub(crate) struct Reload<'a> {
    pub(crate) source: SettingsSource,
    /// Those that hold.
    pub(crate) settings: Settings,
    pub(crate) tls: Option<web::Tls>,
    pub(crate) examined: web::Examined,
    pub(crate) context: &'a AppContext,
    pub(crate) messaging: &'a Messaging,
    pub(crate) callbacks: &'a InviteCallbacks,
    pub(crate) alerts: &'a alerts::Alerts,
    pub(crate) flows: &'a flows::Flows,
    pub(crate) control_bots: &'a ControlBots,
    pub(crate) backups: &'a backup::Backups,
    pub(crate) state: &'a web::State,
    pub(crate) log_level: &'a LogLevel,
    pub(crate) supervision: &'a Supervision,
}

impl Reload<'_> {
    /// Answers each request, one at a time. Never ends.
    pub(crate) async fn answer(mut self, mut requests: Receiver<web::ReloadRequest>) {
        while let Some(request) = requests.recv().await {
            self.supervision.reloading();
            let reloaded = self.reload().await;
            self.supervision.reloaded(&self.messaging.pool);
            match &reloaded {
                Ok(ReloadedSettings { applied, needs_restart, not_applied, unchanged, .. }) => {
                    let (applied, needs_restart) = (applied.join(", "), needs_restart.join(", "));
                    tracing::info!(applied, needs_restart, unchanged, "the settings were read again");
                    for NotApplied { key, why } in not_applied {
                        tracing::error!(key, why, "a setting was not applied");
                    }
                }
                Err(error) => tracing::error!(error, "the settings were not read again; nothing was changed"),
            }
            // Who asked may have gone.
            let _ = request.send(reloaded);
        }
        std::future::pending::<()>().await;
    }

    async fn reload(&mut self) -> web::Reloaded {
        let source = self.source.clone();
        let reading = tokio::task::spawn_blocking(move || source.read_again());
        let read = reading.await.map_err(|error| error.to_string())?.map_err(|error| explain(&error))?;
        let fingerprint = doctor::settings_fingerprint(&read);
        let changes = self.settings.changes_to(&self.source.as_run(read))?;
        InviteCallbacks::check(&changes.settings.legacy).map_err(|error| error.to_string())?;
        let tls = changes.settings.tls.clone();
        let tls = tokio::task::spawn_blocking(move || tls.as_ref().map(web::Tls::read).transpose());
        let tls = tls.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;

        let (live, later): (Vec<_>, Vec<_>) =
            changes.changed.into_iter().partition(|change| change.applies == Applies::Live);
        if later.is_empty() {
            self.examined.fingerprint = fingerprint;
        }
        self.settings = changes.settings;
        let mut applied: Vec<_> = live.into_iter().map(|change| change.key).collect();
        if let (Some(before), Some(now)) = (&self.tls, &tls)
            && !before.shows_what(now)
            && !applied.iter().any(|key| key.starts_with("tls."))
        {
            // The same file with another certificate.
            applied.push("tls.certificate".to_owned());
        }
        self.tls = tls;
        let not_applied = self.apply().await;
        Ok(ReloadedSettings {
            file: self.source.file().map(|file| file.display().to_string()),
            applied,
            needs_restart: later.into_iter().map(|change| change.key).collect(),
            not_applied,
            unchanged: changes.unchanged,
        })
    }

    /// Hands on what holds. Work under way is not disturbed.
    async fn apply(&mut self) -> Vec<NotApplied> {
        let Self { settings, context, messaging: Messaging { pool, delivery, .. }, .. } = self;
        let mut not_applied = Vec::new();
        let mut failed = |key: String, why: String| not_applied.push(NotApplied { key, why });
        self.log_level.set(&settings.log);
        context.private_sources.set(settings.media.allow_private.clone());
        context.private_receivers.set(settings.events.allow_private.clone());
        context.private_browsers.set(settings.campaigns.allow_private.clone());
        context.store.keep(app_context::retention(settings));
        context.store.limit_contacts(app_context::contact_limits(settings));
        pool.allow_private_proxies(settings.telegram.allow_private_proxies.clone());
        pool.move_dialogs(settings.telegram.private_dialogs, settings.legacy.hold);
        match pool.reload(&settings.telegram.accounts).await {
            Ok(accounts) => accounts.into_iter().for_each(|(account, error)| {
                failed(format!("telegram.accounts[{account}]"), error.to_string());
            }),
            Err(error) => failed("telegram.accounts".to_owned(), error.to_string()),
        }
        delivery.limit(app_context::quotas(settings), settings.limits.give_up_after);
        if let Err(error) = self.callbacks.reload(&settings.legacy) {
            failed("legacy.invite_callback".to_owned(), error.to_string());
        }
        if let Err(error) = self.alerts.reload(&settings.alerts).await {
            failed("alerts".to_owned(), error.to_string());
        }
        if let Err(error) = self.flows.reload(&settings.flows).await {
            failed("flows".to_owned(), error.to_string());
        }
        for (name, error) in self.control_bots.reload(&settings.control_bots).await {
            failed(format!("control_bots[{name}]"), error.to_string());
        }
        self.backups.reload(&settings.backup);
        let examined = web::Examined { settings: Arc::new(settings.clone()), ..self.examined.clone() };
        let control_socket = Some(examined.data_dir.join("control.sock"));
        let options = web::Options::new(settings, control_socket, examined);
        self.state.reload(web::Options { tls: self.tls.clone(), ..options });
        not_applied
    }
}

/// Has the settings read again on each SIGHUP, as `switchboard reload` does. Never ends but in an error.
pub(crate) async fn on_hangup(state: &web::State) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    while hangup.recv().await.is_some() {
        let request = Request::post("/v1/settings/reload").header("host", "localhost");
        let answer = web::InProcessApi::new(state).answer(request.body(String::new().into())?).await;
        tracing::debug!(status = %answer.status(), "a SIGHUP was answered");
    }
    std::future::pending().await
}
