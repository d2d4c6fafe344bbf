//! `switchboard alert targets`: those who are told.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use domain::{ExposeSecret, SecretText};
use hyper::Method;
use serde_json::{Value, json};

use crate::api_client;
use crate::command::account::given;
use crate::output::{say, say_json};
use crate::{Location, table};

/// The arguments.
#[derive(clap::Args)]
pub(super) struct Targets {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List them: what waits for each, and what went wrong last
    #[command(after_help = "Examples:\n  switchboard alert targets list\n  switchboard alert targets list \
            --json")]
    List {
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make one; its secrets are kept encrypted
    #[command(after_help = "Addresses and passwords come from a variable or a file, never from an \
            argument, which everybody on the machine could read.\n\nExamples:\n  \
            switchboard alert targets add owner --kind telegram --chat @demo_main\n  \
            switchboard alert targets add pager --kind webhook --url-env ALERT_HOOK \
            --secret-file hook-secret\n  switchboard alert targets add mail --kind email \
            --smtp-file smtp.txt \\\n    --from alerts@example.com --to owner@example.com")]
    Add(Box<Add>),
    /// Take one out, with all that waits for it
    #[command(after_help = "Examples:\n  switchboard alert targets remove pager")]
    Remove(One),
    /// Tell one that this is a test, and say what comes of it
    #[command(after_help = "Examples:\n  switchboard alert targets test owner")]
    Test(One),
}

/// Which target.
#[derive(clap::Args)]
struct One {
    /// Its name
    name: String,
    #[command(flatten)]
    location: Location,
}

/// The target to make.
#[derive(clap::Args)]
struct Add {
    /// What to call it: 1 to 64 of a-z, 0-9, _ and -
    name: String,
    /// What it is
    #[arg(long, value_enum)]
    kind: Kind,
    /// telegram: the chat, by id or username
    #[arg(long, allow_hyphen_values = true)]
    chat: Option<String>,
    /// telegram: the account that writes there, unless the alert is about it
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// webhook: the environment variable that holds the address
    #[arg(long, value_name = "NAME", conflicts_with = "url_file")]
    url_env: Option<String>,
    /// webhook: the file that holds the address
    #[arg(long, value_name = "FILE")]
    url_file: Option<PathBuf>,
    /// webhook: the environment variable that holds what posts are signed with
    #[arg(long, value_name = "NAME", conflicts_with = "secret_file")]
    secret_env: Option<String>,
    /// webhook: the file that holds what posts are signed with
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
    /// email: who gets it; may be given several times
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
    /// A program that is posted to
    Webhook,
    /// Mailboxes
    Email,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }
}

impl Targets {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { location, json } => {
                let targets = api_client::list(&location, "/v1/alert-targets").await?;
                print(&targets, json);
            }
            Action::Add(add) => add.run().await?,
            Action::Remove(One { name, location }) => {
                api_client::call(&location, Method::DELETE, &format!("/v1/alert-targets/{name}"), None)
                    .await?;
                say!("{name} is told nothing more.");
            }
            Action::Test(One { name, location }) => {
                let tested = api_client::call(
                    &location,
                    Method::POST,
                    &format!("/v1/alert-targets/{name}/test"),
                    None,
                )
                .await?;
                if tested["told"] == true {
                    say!("{name} has it.");
                } else {
                    let [message, why] = ["message", "why"].map(|field| table::cell(&tested, field));
                    say!("It is still on its way to {name} as {message}: {why}.");
                }
            }
        }
        Ok(())
    }
}

fn print(targets: &[Value], as_json: bool) {
    if as_json {
        say_json(&json!({ "items": targets, "next_cursor": null }));
    } else if targets.is_empty() {
        say!("No one is notified. `switchboard alert targets add` makes a target.");
    } else {
        let columns = [
            ("NAME", "name"),
            ("KIND", "kind"),
            ("WHERE", "place"),
            ("SOURCE", "source"),
            ("WAITING", "waiting"),
            ("TOLD", "told_at"),
            ("OFF SINCE", "off_at"),
            ("LAST ERROR", "last_error"),
        ];
        say!("{}", table::of(targets, columns));
    }
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let url = given::read(self.url_env.as_deref(), self.url_file.as_deref())?;
        let secret = given::read(self.secret_env.as_deref(), self.secret_file.as_deref())?;
        let smtp = given::read(self.smtp_env.as_deref(), self.smtp_file.as_deref())?;
        let shown = |secret: &Option<SecretText>| secret.as_ref().map(|text| text.expose_secret().to_owned());
        let body = json!({
            "name": self.name, "kind": self.kind.as_str(), "chat": self.chat, "account": self.account,
            "url": shown(&url), "secret": shown(&secret), "smtp": shown(&smtp), "from": self.from, "to": self.to,
        });
        api_client::call(&self.location, Method::POST, "/v1/alert-targets", Some(&body)).await?;
        say!("{0} is told from now on. Try it: switchboard alert targets test {0}", self.name);
        Ok(())
    }
}
