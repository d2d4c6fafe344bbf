//! `switchboard alert`: what is broken, who is told, and when nobody wants to be.

mod look;
mod maintenance;
mod mute;
mod send;
mod targets;

use clap::Subcommand;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Alert {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List what is broken now, or what was
    #[command(after_help = "Examples:\n  switchboard alert list\n  switchboard alert list --past --json")]
    List(look::List),
    /// Tell nobody of a card for a while; its dots go on
    #[command(after_help = "What is still broken when the time is over is told then.\n\nExamples:\n  \
                            switchboard alert mute account:main --for 2h\n  switchboard alert mute alert_01… --for 30m")]
    Mute(mute::Mute),
    /// Tell of a card again
    #[command(after_help = "Examples:\n  switchboard alert unmute account:main\n  switchboard alert \
            unmute alert_01…")]
    Unmute(mute::Unmute),
    /// Show, make, test and take out those who are told: Telegram chats, webhooks, mailboxes
    #[command(
        after_help = "Those that stand in the settings file ([[alerts.targets]]) are changed there.\n\nExamples:\n  \
                            switchboard alert targets list\n  \
                            switchboard alert targets add owner --kind telegram --chat @demo_main\n  \
                            switchboard alert targets add pager --kind webhook --url-env ALERT_HOOK\n  \
                            switchboard alert targets add mail --kind email --smtp-file smtp.txt \
                            --from alerts@example.com --to owner@example.com\n  switchboard alert targets test owner"
    )]
    Targets(targets::Targets),
    /// Show, make and take out times for which nobody is told: once, or every week
    #[command(after_help = "Examples:\n  \
                            switchboard alert maintenance add --for 2h --note \"new disk\"\n  \
                            switchboard alert maintenance add --days sat,sun --start 02:00 --minutes 120 --utc-offset +03:00 \
                            --scope account\n  switchboard alert maintenance list")]
    Maintenance(maintenance::Maintenance),
    /// Tell webhooks and mailboxes that a service is dead; started by the service manager, needs no server and no database
    #[command(
        after_help = "`switchboard service install` sets it up (OnFailure=). It reads the settings file and \
                            alert-targets.json in the data directory, whose secrets are sealed with the master key. A Telegram \
                            chat cannot be told without the program.\n\n\
                            Exit codes: 0 all were told, 1 somebody was not.\n\nExample:\n  \
                            switchboard alert send --unit switchboard.service"
    )]
    Send(send::Send),
}

impl Alert {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(list) => list.run().await,
            Action::Mute(mute) => mute.run().await,
            Action::Unmute(unmute) => unmute.run().await,
            Action::Targets(targets) => targets.run().await,
            Action::Maintenance(maintenance) => maintenance.run().await,
            Action::Send(send) => send.run().await,
        }
    }
}
