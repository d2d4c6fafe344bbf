//! `switchboard service`: what the running server does, stopped and started by hand; and the program as a service of
//! this machine.

mod unit;

use clap::{Subcommand, ValueEnum};
use hyper::Method;
use serde_json::{Value, json};

use crate::calls::Calls;
use crate::control;
use crate::output::{say, say_json};
use crate::{Location, table};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Service {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List what the running server does: whether each service works, and its counts since the start
    #[command(after_help = "Examples:\n  switchboard service list\n  switchboard service list --json")]
    List {
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a service of the running server work again
    #[command(after_help = "Examples:\n  switchboard service start send_text")]
    Start(Choice),
    /// Let nothing more out; callers get 503 until it is started again
    #[command(after_help = "Callers that wait get their answer when it is started again, or when their \
            time is over.\n\nExamples:\n  switchboard service stop create_chat")]
    Stop(Choice),
    /// Start a service and count from nothing
    #[command(after_help = "Examples:\n  switchboard service restart send_media")]
    Restart(Choice),
    /// Read all dialogs again in the background; what is known stays
    #[command(after_help = "Examples:\n  switchboard service reload-cache")]
    ReloadCache {
        #[command(flatten)]
        location: Location,
    },
    /// Have systemd run the program itself: write its units, start it, now and at boot
    #[command(
        after_help = "Writes NAME.service, which runs `switchboard up` with few rights, a watchdog and a limit on memory, \
                            and starts it again whenever it ends; and NAME-alert@.service, which tells the targets of alerts \
                            when it is dead. What changes is shown first; when nothing does, nothing is done. A unit that \
                            was not written by this command is never touched.\n\nExamples:\n  \
                            switchboard service install --print\n  \
                            switchboard service install --config /etc/switchboard/switchboard.toml \\\n    \
                            --master-key /etc/switchboard/master.key\n  \
                            switchboard service install --user gateway --data-dir /srv/gateway --memory-max none"
    )]
    Install(Box<unit::Install>),
    /// Have systemd run the program no more: stop it, remove its units; its data stay
    #[command(after_help = "Examples:\n  sudo switchboard service uninstall\n  sudo switchboard service \
            uninstall --name gateway")]
    Uninstall(unit::Uninstall),
    /// Show how systemd sees the program: whether it runs, since when, how often it was started again
    #[command(after_help = "Examples:\n  switchboard service status\n  switchboard service status --json")]
    Status(unit::Status),
    /// Show what the program wrote into the journal
    #[command(after_help = "What the program keeps about itself is shown by `switchboard logs`; the \
            journal has its start and its end too.\n\nExamples:\n  switchboard service \
            logs -n 50\n  switchboard service logs --follow")]
    Logs(unit::Logs),
}

/// Which service, and where.
#[derive(clap::Args)]
struct Choice {
    /// Which
    #[arg(value_enum)]
    service: ServiceName,
    #[command(flatten)]
    location: Location,
}

/// A service, by the name it has in the settings.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum ServiceName {
    /// Creating chats
    CreateChat,
    /// Sending text
    SendText,
    /// Sending files
    SendMedia,
    /// Leaving chats
    LeaveChat,
}

impl ServiceName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::CreateChat => "create_chat",
            Self::SendText => "send_text",
            Self::SendMedia => "send_media",
            Self::LeaveChat => "leave_chat",
        }
    }
}

impl Service {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { location, json } => {
                let services = control::running(&location.data_dir()?).await?.list("/v1/services").await?;
                if json {
                    say_json(&json!({ "items": services, "next_cursor": null }));
                } else {
                    print_list(&services);
                }
            }
            Action::Start(choice) => choice.act("start").await?,
            Action::Stop(choice) => choice.act("stop").await?,
            Action::Restart(choice) => choice.act("restart").await?,
            Action::ReloadCache { location } => {
                // All services share the accounts and what they know.
                let answer = act(&location, ServiceName::SendText, "reload-cache").await?;
                let known = table::cell(&answer, "cache_size");
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
        say!("{} is {}.", self.service.as_str(), table::cell(&answer, "state"));
        Ok(())
    }
}

async fn act(location: &Location, service: ServiceName, action: &str) -> anyhow::Result<Value> {
    let server = control::running(&location.data_dir()?).await?;
    server.call(Method::POST, &format!("/v1/services/{}/actions/{action}", service.as_str()), None).await
}

fn print_list(services: &[Value]) {
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
    say!("{}", table::of(services, columns));
}
