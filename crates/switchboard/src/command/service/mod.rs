//! `switchboard service`: the services of the running server; the program as a service of systemd.

mod unit;

use clap::Subcommand;
use hyper::Method;
use serde_json::Value;

use super::word::{PurposeWord, word};
use crate::Location;
use crate::api_client::ApiOptions;
use crate::output::say;
use crate::table::{self, cell};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Service {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the services of the running server with their states, and their counts since its start
    #[command(after_help = "Examples:\n  switchboard service list\n  switchboard service list --json")]
    List(ApiOptions),
    /// Start a service of the running server
    #[command(after_help = "Examples:\n  switchboard service start send_text")]
    Start(Choice),
    /// Stop a service; requests to it are answered with 503 until it is started again
    #[command(
        after_help = "Callers that wait get their answer when it is started again, or when their time is \
            over.\n\nExamples:\n  switchboard service stop create_chat"
    )]
    Stop(Choice),
    /// Start a service and reset its counts
    #[command(after_help = "Examples:\n  switchboard service restart send_media")]
    Restart(Choice),
    /// Read all dialogs again in the background; what is known stays
    #[command(after_help = "Examples:\n  switchboard service reload-cache")]
    ReloadCache {
        #[command(flatten)]
        location: Location,
    },
    /// Install the program as a service of systemd, and start it now and at boot
    #[command(
        after_help = "It writes NAME.service, which runs `switchboard up` with few rights, a watchdog and a memory \
            limit, and restarts it whenever it ends; and NAME-alert@.service, which notifies the targets of alerts \
            when it has crashed. Changes are shown first; without any, nothing is done. Units that this command did \
            not write are never touched.\n\nExamples:\n  switchboard service install --print\n  \
            switchboard service install --config /etc/switchboard/switchboard.toml \\\n    \
            --master-key /etc/switchboard/master.key\n  \
            switchboard service install --user gateway --data-dir /srv/gateway --memory-max none"
    )]
    Install(Box<unit::Install>),
    /// Stop the service of systemd and remove its units; the data stay
    #[command(after_help = "Examples:\n  sudo switchboard service uninstall\n  \
            sudo switchboard service uninstall --name gateway")]
    Uninstall(unit::Uninstall),
    /// Show the state of the service of systemd: since when it runs, how often it was restarted
    #[command(after_help = "Examples:\n  switchboard service status\n  switchboard service status --json")]
    Status(unit::Status),
    /// Show the journal of the service of systemd
    #[command(
        after_help = "The log of the program itself is shown by `switchboard logs`; the journal also has the \
            start and the end of the program.\n\nExamples:\n  switchboard service logs -n 50\n  \
            switchboard service logs --follow"
    )]
    Logs(unit::Logs),
}

/// Which service.
#[derive(clap::Args)]
struct Choice {
    /// The service
    #[arg(value_enum)]
    service: PurposeWord,
    #[command(flatten)]
    location: Location,
}

impl Service {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(options) => {
                let services = options.location.server().await?.list("/v1/services").await?;
                let columns = [
                    ("SERVICE", "service"),
                    ("STATE", "state"),
                    ("SINCE", "since"),
                    ("HEALTHY", "healthy"),
                    ("CALLS", "operations"),
                    ("ERRORS", "errors"),
                    ("LAST ERROR", "last_error"),
                    ("PORTS", "ports"),
                ];
                options.print_list(&services, |services| table::of(services, columns).to_string());
            }
            Action::Start(choice) => choice.act("start").await?,
            Action::Stop(choice) => choice.act("stop").await?,
            Action::Restart(choice) => choice.act("restart").await?,
            Action::ReloadCache { location } => {
                // All services share the accounts and what they know.
                let answer = act(&location, PurposeWord::SendText, "reload-cache").await?;
                let known = cell(&answer, "cache_size");
                say!("The dialogs are read again in the background; {known} chats and users are known.");
            }
            Action::Install(install) => install.run().await?,
            Action::Uninstall(uninstall) => uninstall.run().await?,
            Action::Status(status) => status.run().await?,
            Action::Logs(logs) => logs.run().await?,
        }
        Ok(())
    }
}

impl Choice {
    async fn act(self, action: &str) -> anyhow::Result<()> {
        let answer = act(&self.location, self.service, action).await?;
        say!("{} is {}.", word(&self.service), cell(&answer, "state"));
        Ok(())
    }
}

async fn act(location: &Location, service: PurposeWord, action: &str) -> anyhow::Result<Value> {
    let path = format!("/v1/services/{}/actions/{action}", word(&service));
    location.server().await?.call(Method::POST, &path, None).await
}
