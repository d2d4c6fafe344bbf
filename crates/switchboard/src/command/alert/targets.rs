//! `switchboard alert targets`: the targets of notifications.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use domain::{ExposeSecret, SecretText};
use hyper::Method;
use serde_json::json;

use crate::Location;
use crate::api_client::ApiOptions;
use crate::command::account::given;
use crate::command::word::word;
use crate::output::say;
use crate::table::cell;

/// The arguments.
#[derive(clap::Args)]
pub(super) struct Targets {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List targets: what waits for each, and its last error
    #[command(
        after_help = "Examples:\n  switchboard alert targets list\n  switchboard alert targets list --json"
    )]
    List(ApiOptions),
    /// Add a target; its secrets are stored encrypted
    #[command(
        after_help = "Addresses and passwords come from a variable or a file, never from an argument, which \
            every user of the machine could read.\n\nExamples:\n  \
            switchboard alert targets add owner --kind telegram --chat @demo_main\n  \
            switchboard alert targets add pager --kind webhook --url-env ALERT_HOOK --secret-file hook-secret\n  \
            switchboard alert targets add mail --kind email --smtp-file smtp.txt \\\n    \
            --from alerts@example.com --to owner@example.com"
    )]
    Add(Box<Add>),
    /// Remove a target and what waits for it
    #[command(after_help = "Examples:\n  switchboard alert targets remove pager")]
    Remove(One),
    /// Send a test to a target
    #[command(after_help = "Examples:\n  switchboard alert targets test owner")]
    Test(One),
}

/// Which target.
#[derive(clap::Args)]
struct One {
    /// The name of the target
    name: String,
    #[command(flatten)]
    location: Location,
}

/// The target to add.
#[derive(clap::Args)]
struct Add {
    /// A name: 1 to 64 of a-z, 0-9, _ and -
    name: String,
    /// Its kind
    #[arg(long, value_enum)]
    kind: Kind,
    /// telegram: the chat, by id or username
    #[arg(long, allow_hyphen_values = true)]
    chat: Option<String>,
    /// telegram: the account that sends, unless the alert is about it
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// webhook: the environment variable that holds the address
    #[arg(long, value_name = "NAME", conflicts_with = "url_file")]
    url_env: Option<String>,
    /// webhook: the file that holds the address
    #[arg(long, value_name = "FILE")]
    url_file: Option<PathBuf>,
    /// webhook: the environment variable that holds the signing secret
    #[arg(long, value_name = "NAME", conflicts_with = "secret_file")]
    secret_env: Option<String>,
    /// webhook: the file that holds the signing secret
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// email: the environment variable that holds the server, `smtps://USER:PASSWORD@HOST`
    #[arg(long, value_name = "NAME", conflicts_with = "smtp_file")]
    smtp_env: Option<String>,
    /// email: the file that holds the server, `smtps://USER:PASSWORD@HOST`
    #[arg(long, value_name = "FILE")]
    smtp_file: Option<PathBuf>,
    /// email: the sender
    #[arg(long, value_name = "MAILBOX")]
    from: Option<String>,
    /// email: a recipient (repeatable)
    #[arg(long, value_name = "MAILBOX")]
    to: Vec<String>,
    #[command(flatten)]
    location: Location,
}

/// What a target is.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// A Telegram chat
    Telegram,
    /// An HTTP endpoint
    Webhook,
    /// Mailboxes
    Email,
}

impl Targets {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List(options) => {
                let none = "No one is notified. `switchboard alert targets add` makes a target.";
                let columns = [
                    ("NAME", "name"),
                    ("KIND", "kind"),
                    ("WHERE", "place"),
                    ("SOURCE", "source"),
                    ("WAITING", "waiting"),
                    ("NOTIFIED", "notified_at"),
                    ("OFF SINCE", "off_at"),
                    ("LAST ERROR", "last_error"),
                ];
                options.list("/v1/alert-targets", none, columns).await?;
            }
            Action::Add(add) => add.run().await?,
            Action::Remove(One { name, location }) => {
                location.call(Method::DELETE, &format!("/v1/alert-targets/{name}"), None).await?;
                say!("{name} gets no more notices.");
            }
            Action::Test(One { name, location }) => {
                let path = format!("/v1/alert-targets/{name}/test");
                let tested = location.call(Method::POST, &path, None).await?;
                if tested["delivered"] == true {
                    say!("{name} has it.");
                } else {
                    let [message, why] = ["message", "why"].map(|field| cell(&tested, field));
                    say!("It is still on its way to {name} as {message}: {why}.");
                }
            }
        }
        Ok(())
    }
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let url = given::read(self.url_env.as_deref(), self.url_file.as_deref())?;
        let secret = given::read(self.secret_env.as_deref(), self.secret_file.as_deref())?;
        let smtp = given::read(self.smtp_env.as_deref(), self.smtp_file.as_deref())?;
        let shown = |secret: &Option<SecretText>| secret.as_ref().map(|text| text.expose_secret().to_owned());
        let body = json!({
            "name": self.name, "kind": word(&self.kind), "chat": self.chat, "account": self.account,
            "url": shown(&url), "secret": shown(&secret), "smtp": shown(&smtp), "from": self.from, "to": self.to,
        });
        self.location.call(Method::POST, "/v1/alert-targets", Some(&body)).await?;
        say!("{0} is notified from now on. Try it: switchboard alert targets test {0}", self.name);
        Ok(())
    }
}
