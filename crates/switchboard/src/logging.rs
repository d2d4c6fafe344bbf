//! Log lines: on standard error as text for people or JSON for machines, and into the log store.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use config::{LogFormat, LogSettings};
use logs::{Gathered, LogStore, Retention, StoreLayer};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, reload};

/// The folder of the log store inside the data directory.
pub(crate) use logs::FOLDER;

/// Sets the level of all who write lines.
type SetLevel = dyn Fn(&LogSettings) -> Result<(), reload::Error> + Send + Sync;

/// Changes the level of a running program.
#[derive(Clone)]
pub(crate) struct LogLevel(Arc<SetLevel>);

impl LogLevel {
    /// Sets the level named in the settings.
    pub(crate) fn set(&self, settings: &LogSettings) {
        if let Err(error) = (self.0)(settings) {
            tracing::warn!(%error, "the log level stays as it was");
        }
    }
}

fn stored(settings: &LogSettings) -> EnvFilter {
    // The protocol library warns at every lost connection, which the states of the lines say better. That of `/mcp` logs each
    // request, and at `debug` what is in it.
    let level = settings.level.as_str();
    EnvFilter::new(format!("{level},grammers_session=error,grammers_mtproto=error,rmcp=error"))
}

/// What standard error gets: the same without each step of each message and each request, which are in the log store, and
/// here too at `debug`. A panic is written there by the standard library.
fn shown(settings: &LogSettings) -> EnvFilter {
    let steps = match settings.level {
        config::LogLevel::Debug | config::LogLevel::Trace => settings.level.as_str(),
        _ => "warn",
    };
    let more = [
        format!("delivery::log_events={steps}"),
        format!("web::access_log={steps}"),
        "switchboard::panic=off".to_owned(),
    ];
    more.iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(stored(settings), EnvFilter::add_directive)
}

/// Starts logging. `store` takes the lines that are kept, where any are. Of several programs that a test runs in one process, the
/// first one logs.
pub(crate) fn start(settings: &LogSettings, store: Option<StoreLayer>) -> LogLevel {
    let (kept_now, keep) = reload::Layer::new(stored(settings));
    let (shown_now, show) = reload::Layer::new(shown(settings));
    let terminal = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let terminal = match settings.format {
        LogFormat::Text => terminal.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed(),
        LogFormat::Json => terminal.json().boxed(),
    };
    let registry = tracing_subscriber::registry()
        .with(store.map(|store| store.with_filter(kept_now)))
        .with(terminal.with_filter(shown_now));
    if registry.try_init().is_ok() {
        keep_panics();
    }
    LogLevel(Arc::new(move |settings| {
        show.reload(shown(settings))?;
        match keep.reload(stored(settings)) {
            // Nothing is kept.
            Err(error) if error.is_dropped() => Ok(()),
            done => done,
        }
    }))
}

/// A panic is a line like any other, beside what the standard library writes.
fn keep_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        let place = panic.location().map(ToString::to_string);
        let words = panic.payload_as_str().unwrap_or_default();
        tracing::error!(target: "switchboard::panic", code = "panic", place, panic = words, "a task broke down");
    }));
}

/// Opens the log store of a data directory that this process holds. Without one the lines go to standard error alone.
pub(crate) fn open(settings: &LogSettings, data_dir: &Path, gathered: Gathered) -> LogStore {
    let folder = data_dir.join(FOLDER);
    let keeping = Retention::new(settings.budget, settings.keep);
    #[cfg(feature = "testing")]
    let keeping = keeping.with_timeout(std::time::Duration::from_mins(1));
    match LogStore::open(&folder, keeping, gathered) {
        Ok(store) => store,
        Err(error) => {
            tracing::error!(%error, "log lines are not kept");
            LogStore::at_rest(&folder)
        }
    }
}
