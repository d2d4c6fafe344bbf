//! `switchboard do-not-contact`: the contacts that no message goes to.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use domain::contact_list;
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::word::word;
use crate::Location;
use crate::api_client::{ApiClient, ApiOptions};
use crate::output::{line, say};
use crate::table::cell;

const PATH: &str = "/v1/do-not-contact";

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct DoNotContact {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the contacts that no message goes to
    #[command(after_help = "Examples:\n  switchboard do-not-contact list\n  \
            switchboard do-not-contact list --contact @client_1 --json")]
    List {
        /// Only the entry that keeps messages from this contact
        #[arg(long, allow_negative_numbers = true)]
        contact: Option<String>,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Add contacts; no message and no invitation goes to them from then on
    #[command(
        after_help = "Examples:\n  switchboard do-not-contact add @client_1 --reason 'asked to stop'\n  \
            switchboard do-not-contact add +70000000001 name@example.com"
    )]
    Add {
        /// A chat id, a username, a link, a phone number, an address or vk:ACCOUNT/ID (repeatable)
        #[arg(required = true, allow_negative_numbers = true)]
        contacts: Vec<String>,
        /// What they are, where a number can be read in two ways
        #[arg(long, value_enum)]
        kind: Option<KindWord>,
        /// Why, in a few words
        #[arg(long)]
        reason: Option<String>,
        /// Refuse campaigns and first messages only; answers to what they ask are sent
        #[arg(long)]
        advertising: bool,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Remove a contact from the list, so that messages can be sent to it again
    #[command(after_help = "Examples:\n  switchboard do-not-contact remove @client_1\n  \
            switchboard do-not-contact remove dnc_01…")]
    Remove {
        /// The contact, or the id of its entry
        #[arg(allow_negative_numbers = true)]
        contact: String,
        #[command(flatten)]
        location: Location,
    },
    /// Add the contacts of a file: CSV with a column `contact`, `phone` or `email`, or one contact a line
    #[command(after_help = "Examples:\n  switchboard do-not-contact import stop.csv\n  \
            crm-export | switchboard do-not-contact import - --json")]
    Import {
        /// The file; `-` reads standard input
        file: PathBuf,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Print the list as CSV, which `import` takes
    #[command(after_help = "Examples:\n  switchboard do-not-contact export > stop.csv")]
    Export(Location),
}

/// What a contact is named by: the words of [`domain::ContactKind`].
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum KindWord {
    /// A chat id
    ChatId,
    /// A username
    Username,
    /// A phone number
    Phone,
    /// An address elsewhere
    Address,
}

impl DoNotContact {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { contact, options } => {
                let columns = [
                    ("ID", "id"),
                    ("CONTACT", "contact"),
                    ("REFUSES", "level"),
                    ("SOURCE", "source"),
                    ("BY", "added_by"),
                    ("ADDED", "added_at"),
                    ("REASON", "reason"),
                ];
                let path = match contact {
                    Some(contact) => format!("{PATH}?contact={}", encoded(&contact)),
                    None => format!("{PATH}?limit=500"),
                };
                options.list(&path, "There is no such contact on the list.", columns).await
            }
            Action::Add { contacts, kind, reason, advertising, options } => {
                let level = if advertising { "advertising" } else { "all" };
                let body = json!({
                    "contacts": contacts, "kind": kind.as_ref().map(word), "reason": reason, "level": level
                });
                options.call(Method::POST, PATH, Some(&body), added).await
            }
            Action::Remove { contact, location } => {
                let path = format!("{PATH}/{}", encoded(&contact));
                location.call(Method::DELETE, &path, None).await?;
                say!("{contact} is not on the do-not-contact list any more.");
                Ok(())
            }
            Action::Import { file, options } => {
                let body = json!({ "list": read(&file)? });
                options.call(Method::POST, &format!("{PATH}/import"), Some(&body), added).await
            }
            Action::Export(location) => export(&location).await,
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let read = match file.to_str() {
        Some("-") => std::io::stdin().read_to_end(&mut bytes).map(drop),
        _ => std::fs::read(file).map(|read| bytes = read),
    };
    read.with_context(|| format!("{} cannot be read", file.display()))?;
    domain::text::read_file(&bytes)
        .with_context(|| format!("{} is no text in UTF-8 or UTF-16; save it as CSV UTF-8", file.display()))
}

/// New contacts that are printed.
const MOST_PRINTED: usize = 50;

/// What was added, as it is compared: a person sees whether it is who was meant.
fn added(answer: &Value) -> String {
    let added = format!("{} added, {} on the list already.", cell(answer, "added"), cell(answer, "already"));
    let items = answer["items"].as_array().map_or(&[][..], Vec::as_slice);
    let new = items.iter().take(MOST_PRINTED);
    let new = new.map(|item| format!("Added {} ({}).", cell(item, "contact"), cell(item, "kind")));
    let more = items.len().saturating_sub(MOST_PRINTED);
    let more = (more > 0).then(|| format!("Further {more} are in `do-not-contact list`."));
    let wrong = answer["wrong"].as_array().into_iter().flatten();
    let wrong = wrong.map(|line| format!("Line {}: {}.", cell(line, "line"), cell(line, "message")));
    std::iter::once(added).chain(new).chain(more).chain(wrong).collect::<Vec<_>>().join("\n")
}

async fn export(location: &Location) -> anyhow::Result<()> {
    let api = ApiClient::open(location).await?;
    let items = api.list(&format!("{PATH}?limit=500")).await;
    api.close().await;
    let row = |item: &Value| {
        let field = |name: &&str| item[*name].as_str().unwrap_or_default().to_owned();
        let fields: Vec<String> = contact_list::COLUMNS.iter().map(field).collect();
        contact_list::line(&fields.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let text: String = items?.iter().map(row).collect();
    line(format_args!("{}{}", contact_list::line(&contact_list::COLUMNS), text.trim_end()));
    Ok(())
}
