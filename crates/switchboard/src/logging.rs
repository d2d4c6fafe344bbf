//! Log lines on standard error: text for people, JSON for machines.

use std::io::IsTerminal;

use config::{LogFormat, LogSettings};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

/// Changes the level of a running program.
#[derive(Clone)]
pub(crate) struct LogLevel(reload::Handle<EnvFilter, tracing_subscriber::Registry>);

impl LogLevel {
    /// Sets the level named in the settings.
    pub(crate) fn set(&self, settings: &LogSettings) {
        if let Err(error) = self.0.reload(filter(settings)) {
            tracing::warn!(%error, "the log level stays as it was");
        }
    }
}

fn filter(settings: &LogSettings) -> EnvFilter {
    // The protocol library warns at every lost connection; the lines' own states tell it better.
    let level = settings.level.as_str();
    EnvFilter::new(format!("{level},grammers_mtsender=error,grammers_session=error,grammers_mtproto=error"))
}

/// Starts logging; once per program.
pub(crate) fn start(settings: &LogSettings) -> LogLevel {
    let (filter, handle) = reload::Layer::new(filter(settings));
    let registry = tracing_subscriber::registry().with(filter);
    match settings.format {
        LogFormat::Text => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(std::io::stderr().is_terminal())
                    .with_target(false),
            )
            .init(),
        LogFormat::Json => {
            registry.with(tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr)).init();
        }
    }
    LogLevel(handle)
}
