//! `switchboard webhook`: the endpoints of other programs that events are posted to.

use clap::Subcommand;
use domain::{EventId, Timestamp, WebhookId};
use hyper::Method;
use serde_json::{Map, Value, json};

use crate::api_client::ApiOptions;
use crate::output::say;
use crate::table::cell;
use crate::terminal::WrongUsage;

const PATH: &str = "/v1/webhooks";

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Webhook {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add a webhook and print the secret of its signatures, which is shown only once
    #[command(
        after_help = "Without --event it wants all of them.\n\nExamples:\n  switchboard webhook add https://example.com/hook\n  \
            switchboard webhook add https://example.com/hook --event 'message.*' --ordered\n  \
            switchboard webhook add https://example.com/hook --header \"authorization=Bearer demo\"\n  \
            switchboard webhook add https://example.com/hook --account main --chat -1001234567890 --json"
    )]
    Add(Box<Add>),
    /// Change where a webhook is, what it wants and how it is posted to
    #[command(
        after_help = "What is left out stays; a list that is given takes the place of the one before.\n\nExamples:\n  \
            switchboard webhook change hook_01… --url https://example.com/hook\n  \
            switchboard webhook change hook_01… --event 'message.*' --event account.state --ordered\n  \
            switchboard webhook change hook_01… --any-account --any-chat --no-headers"
    )]
    Change(Box<Change>),
    /// List webhooks: how each stands, and what waits for it
    #[command(after_help = "Examples:\n  switchboard webhook list\n  switchboard webhook list --json")]
    List(ApiOptions),
    /// Show the latest events for a webhook, and what came of each
    #[command(after_help = "Examples:\n  switchboard webhook show hook_01…\n  \
            switchboard webhook show hook_01… --state dead --json")]
    Show {
        /// The id of the webhook
        id: WebhookId,
        /// Only those that are waiting, delivered or dead
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Post a ping now; fails when it is not taken
    #[command(after_help = "Examples:\n  switchboard webhook test hook_01…")]
    Test(One),
    /// Post nothing to a webhook until it is resumed; events wait
    #[command(after_help = "Examples:\n  switchboard webhook pause hook_01…")]
    Pause(One),
    /// Post to a webhook again that was paused or switched off
    #[command(after_help = "Examples:\n  switchboard webhook resume hook_01…")]
    Resume(One),
    /// Make a new secret and print it; the old one is used beside it for a day
    #[command(after_help = "Examples:\n  switchboard webhook rotate hook_01…")]
    Rotate(One),
    /// Remove a webhook and what waits for it
    #[command(after_help = "Examples:\n  switchboard webhook remove hook_01…")]
    Remove(One),
    /// Post again what was given up: all of it, or one event
    #[command(after_help = "Examples:\n  switchboard webhook retry hook_01…\n  \
            switchboard webhook retry hook_01… --event evt_1893456000000000")]
    Retry {
        /// The id of the webhook
        id: WebhookId,
        /// This event alone, whatever became of it
        #[arg(long)]
        event: Option<EventId>,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// Post every event since a time once more
    #[command(after_help = "Examples:\n  switchboard webhook replay hook_01… --since 2030-01-01T00:00:00Z")]
    Replay {
        /// The id of the webhook
        id: WebhookId,
        /// The time of the first event
        #[arg(long, value_name = "TIME")]
        since: Timestamp,
        #[command(flatten)]
        options: ApiOptions,
    },
}

/// Which webhook.
#[derive(clap::Args)]
struct One {
    /// The id of the webhook
    id: WebhookId,
    #[command(flatten)]
    options: ApiOptions,
}

/// The webhook to add.
#[derive(clap::Args)]
struct Add {
    /// The address that events are posted to
    url: String,
    #[command(flatten)]
    wanted: Wanted,
    /// Post the events of one chat one after another
    #[arg(long)]
    ordered: bool,
    #[command(flatten)]
    options: ApiOptions,
}

/// What of a webhook is to be another.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed")]
struct Change {
    /// The id of the webhook
    id: WebhookId,
    /// The address that events are posted to
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    wanted: Wanted,
    /// Post events about all accounts
    #[arg(long, conflicts_with = "accounts")]
    any_account: bool,
    /// Post events about all chats
    #[arg(long, conflicts_with = "chats")]
    any_chat: bool,
    /// Post without headers of your own
    #[arg(long, conflicts_with = "headers")]
    no_headers: bool,
    /// Post the events of one chat one after another
    #[arg(long)]
    ordered: bool,
    /// Post the events of one chat at once
    #[arg(long, conflicts_with = "ordered")]
    unordered: bool,
    #[command(flatten)]
    options: ApiOptions,
}

/// What a webhook wants, and the headers it is posted to with.
#[derive(clap::Args)]
struct Wanted {
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// A type of events that it wants, such as `message.sent`, `message.*` or `*` for all (repeatable)
    #[arg(long = "event", value_name = "TYPE")]
    events: Vec<String>,
    /// Only events about this account (repeatable)
    #[arg(long = "account", value_name = "NAME")]
    accounts: Vec<String>,
    /// Only events about this chat (repeatable)
    #[arg(long = "chat", allow_hyphen_values = true)]
    chats: Vec<String>,
    /// A header that posts carry; its value is kept encrypted and never shown (repeatable)
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
}

fn header(given: &str) -> Result<(String, String), String> {
    let pair = given.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    pair.ok_or_else(|| "write NAME=VALUE".to_owned())
}

impl Webhook {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Add(add) => add.run().await,
            Action::Change(change) => change.run().await,
            Action::List(options) => {
                let none = "There are no webhooks. `switchboard webhook add` makes one.";
                let columns = [
                    ("ID", "id"),
                    ("URL", "url"),
                    ("EVENTS", "events"),
                    ("STATE", "state"),
                    ("WAITING", "waiting"),
                    ("DEAD", "dead"),
                    ("DELIVERED", "delivered_at"),
                    ("LAST ERROR", "last_error"),
                ];
                options.list(PATH, none, columns).await
            }
            Action::Show { id, state, options } => {
                let columns = [
                    ("EVENT", "event"),
                    ("TYPE", "type"),
                    ("STATE", "state"),
                    ("ATTEMPTS", "attempts"),
                    ("TRIED", "tried_at"),
                    ("STATUS", "status"),
                    ("MS", "latency_ms"),
                    ("NEXT", "next_at"),
                    ("ERROR", "error"),
                ];
                let state = state.map(|state| format!("&state={state}")).unwrap_or_default();
                let path = format!("{PATH}/{id}/attempts?limit=50{state}");
                let page = options.location.call(Method::GET, &path, None).await?;
                let items = page["items"].as_array().cloned().unwrap_or_default();
                options.print_list(&items, |items| {
                    if items.is_empty() {
                        "There are none.".to_owned()
                    } else {
                        crate::table::of(items, columns).to_string()
                    }
                });
                Ok(())
            }
            Action::Test(One { id, options }) => {
                let tested = options.location.call(Method::POST, &format!("{PATH}/{id}/test"), None).await?;
                options.print(&tested, || test_summary(&tested));
                anyhow::ensure!(tested["taken"] == true, "{id} did not take it");
                Ok(())
            }
            Action::Pause(one) => one.act("pause", "is paused; events wait for it.").await,
            Action::Resume(one) => one.act("resume", "is posted to again.").await,
            Action::Rotate(One { id, options }) => {
                let made = options.location.call(Method::POST, &format!("{PATH}/{id}/rotate"), None).await?;
                shown_once(&made, &options);
                Ok(())
            }
            Action::Remove(One { id, options }) => {
                options.location.call(Method::DELETE, &format!("{PATH}/{id}"), None).await?;
                say!("{id} is removed.");
                Ok(())
            }
            Action::Retry { id, event, options } => {
                let path = match event {
                    Some(event) => format!("{PATH}/{id}/attempts/{event}/retry"),
                    None => format!("{PATH}/{id}/retry"),
                };
                let retried = |answer: &Value| format!("Posted once more: {}.", cell(answer, "retried"));
                options.call(Method::POST, &path, None, retried).await
            }
            Action::Replay { id, since, options } => {
                let path = format!("{PATH}/{id}/replay?since={since}");
                options
                    .call(Method::POST, &path, None, |_| {
                        format!("Events since {since} are posted to {id} once more.")
                    })
                    .await
            }
        }
    }
}

impl One {
    async fn act(self, action: &str, done: &str) -> anyhow::Result<()> {
        let Self { id, options } = self;
        options.call(Method::POST, &format!("{PATH}/{id}/{action}"), None, |_| format!("{id} {done}")).await
    }
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let Self { url, wanted, ordered, options } = self;
        let mut body = wanted.body();
        body.insert("url".to_owned(), json!(url));
        body.insert("ordered".to_owned(), json!(ordered));
        let made = options.location.call(Method::POST, PATH, Some(&Value::Object(body))).await?;
        shown_once(&made, &options);
        Ok(())
    }
}

impl Change {
    async fn run(self) -> anyhow::Result<()> {
        let mut body = self.wanted.body();
        if let Some(url) = &self.url {
            body.insert("url".to_owned(), json!(url));
        }
        let flags = [
            (self.any_account, "accounts", json!([])),
            (self.any_chat, "chats", json!([])),
            (self.no_headers, "headers", json!({})),
            (self.ordered, "ordered", json!(true)),
            (self.unordered, "ordered", json!(false)),
        ];
        for (is_set, field, value) in flags {
            if is_set {
                body.insert(field.to_owned(), value);
            }
        }
        if body.is_empty() {
            let detail = "nothing is to be changed: give --url, --description, --event, --account, --any-account, \
                --chat, --any-chat, --header, --no-headers, --ordered or --unordered";
            return Err(WrongUsage(detail.to_owned()).into());
        }
        let path = format!("{PATH}/{}", self.id);
        let text = |_: &Value| format!("{} is changed.", self.id);
        self.options.call(Method::PATCH, &path, Some(&Value::Object(body)), text).await
    }
}

impl Wanted {
    /// The fields of a body, those that are given.
    fn body(&self) -> Map<String, Value> {
        let headers: Map<String, Value> =
            self.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let lists = [("events", &self.events), ("accounts", &self.accounts), ("chats", &self.chats)];
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let mut body: Map<String, Value> =
            lists.map(|(field, list)| (field.to_owned(), json!(list))).collect();
        if !headers.is_empty() {
            body.insert("headers".to_owned(), Value::Object(headers));
        }
        if let Some(description) = &self.description {
            body.insert("description".to_owned(), json!(description));
        }
        body
    }
}

fn shown_once(made: &Value, options: &ApiOptions) {
    options.print(made, || cell(made, "secret"));
    if !options.json {
        eprintln!("The secret of {}. It is shown only this once.", cell(made, "id"));
    }
}

/// What came of a test, in words.
fn test_summary(tested: &Value) -> String {
    if tested["taken"] == true {
        let [status, took] = ["status", "latency_ms"].map(|field| cell(tested, field));
        format!("It answered {status} in {took} ms.")
    } else {
        format!("It was not taken: {}.", cell(tested, "error"))
    }
}
