//! `switchboard alert`: open alerts, who is notified of them, and when no one is.

mod maintenance;
mod mute;
mod send;
mod targets;

use clap::Subcommand;

use crate::api_client::ApiOptions;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Alert {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List open alerts, or past ones
    #[command(after_help = "Examples:\n  switchboard alert list\n  switchboard alert list --past --json")]
    List {
        /// List past alerts
        #[arg(long)]
        past: bool,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Mute a card for a while; its checks continue
    #[command(
        after_help = "If it is still broken when the mute ends, the targets are notified then.\n\nExamples:\n  \
            switchboard alert mute account:main --for 2h\n  switchboard alert mute alert_01… --for 30m"
    )]
    Mute(mute::Mute),
    /// Unmute a card
    #[command(after_help = "Examples:\n  switchboard alert unmute account:main\n  \
            switchboard alert unmute alert_01…")]
    Unmute(mute::Unmute),
    /// List, add, remove and test the targets that are notified: Telegram chats, webhooks, mailboxes
    #[command(
        after_help = "Targets of the settings file ([[alerts.targets]]) are changed there.\n\nExamples:\n  \
            switchboard alert targets list\n  \
            switchboard alert targets add owner --kind telegram --chat @demo_main\n  \
            switchboard alert targets add pager --kind webhook --url-env ALERT_HOOK\n  \
            switchboard alert targets add mail --kind email --smtp-file smtp.txt \
            --from alerts@example.com --to owner@example.com\n  switchboard alert targets test owner"
    )]
    Targets(targets::Targets),
    /// List, add and remove maintenance windows, in which no one is notified: once, or every week
    #[command(after_help = "Examples:\n  switchboard alert maintenance add --for 2h --note \"new disk\"\n  \
            switchboard alert maintenance add --days sat,sun --start 02:00 --minutes 120 --utc-offset +03:00 \
            --scope account\n  switchboard alert maintenance list")]
    Maintenance(maintenance::Maintenance),
    /// Notify webhooks and mailboxes that a service has crashed; needs no server and no database
    #[command(
        after_help = "The service manager runs it: `switchboard service install` sets that up (OnFailure=). It reads \
            the settings file and alert-targets.json in the data directory, whose secrets are sealed with the master \
            key. Telegram chats cannot be notified without the program.\n\n\
            Exit codes: 0 all targets were notified, 1 some were not.\n\nExample:\n  \
            switchboard alert send --unit switchboard.service"
    )]
    Send(send::Send),
}

impl Alert {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { past, options } => list(past, &options).await,
            Action::Mute(mute) => mute.run().await,
            Action::Unmute(unmute) => unmute.run().await,
            Action::Targets(targets) => targets.run().await,
            Action::Maintenance(maintenance) => maintenance.run().await,
            Action::Send(send) => send.run().await,
        }
    }
}

async fn list(past: bool, options: &ApiOptions) -> anyhow::Result<()> {
    let (path, none) = if past {
        ("/v1/alerts?state=past", "Nothing was broken.")
    } else {
        ("/v1/alerts?state=open", "Nothing is broken.")
    };
    let columns = [
        ("ALERT", "id"),
        ("CARD", "card"),
        ("REASON", "reason"),
        ("SINCE", "raised_at"),
        ("UNTIL", "closed_at"),
        ("NOTIFIED", "notified_at"),
        ("SILENCE", "silence"),
        ("DETAIL", "detail"),
    ];
    options.list(path, none, columns).await
}
