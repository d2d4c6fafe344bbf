//! `switchboard events`: what happened, and what happens.

use std::fmt::Write;
use std::time::Duration;

use anyhow::Context;
use domain::{AccountName, EventPattern, EventType};
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::api_client::{ApiClient, ApiOptions};
use crate::output::{line, say, say_json_line};
use crate::table::cell;
use crate::{command, plain_json};

/// How often a follower asks for new events.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// Where the list begins without --after.
const USUAL: &str = "1h";

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Events {
    /// Follow new events until Ctrl+C; takes a running server
    #[arg(long, short)]
    follow: bool,

    /// Only events of this type (repeatable): message.sent, message.*, account.state, ...
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    wanted: Vec<EventPattern>,

    /// Only events about this chat (repeatable)
    #[arg(long, value_name = "CHAT", value_delimiter = ',')]
    chat: Vec<String>,

    /// Only events about this account (repeatable)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    account: Vec<AccountName>,

    /// Only events after this one, or since this time: evt_..., 10m, 2h, or 2030-01-31T12:00:00Z [default: 1h, or now
    /// with --follow]
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,

    /// Print every type of event with an example, as Markdown
    #[arg(long, conflicts_with_all = ["follow", "wanted", "chat", "account", "after", "json"])]
    types: bool,

    #[command(flatten)]
    api: ApiOptions,
}

impl Events {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        if self.types {
            line(format_args!("{}", reference().trim_end()));
            return Ok(());
        }
        let api = if self.follow {
            self.api.location.server().await?
        } else {
            ApiClient::open(&self.api.location).await?
        };
        let done = tokio::select! {
            done = self.show(&api) => done,
            stopped = command::up::until_stop_requested() => stopped,
        };
        api.close().await;
        done
    }

    async fn show(&self, api: &ApiClient) -> anyhow::Result<()> {
        let filter = self.filter();
        let begin = self.after.as_deref().unwrap_or(if self.follow { "0s" } else { USUAL });
        let mut place = begin.to_owned();
        loop {
            let path = format!(
                "/v1/events?limit=500&after={}{filter}",
                utf8_percent_encode(&place, NON_ALPHANUMERIC)
            );
            let page = api.call(Method::GET, &path, None).await?;
            let items = page["items"].as_array().context("the server's answer has no items")?;
            for event in items {
                self.print(event);
            }
            let next = page["next_cursor"].as_str().context("the server's answer has no next_cursor")?;
            let is_end = next == place;
            next.clone_into(&mut place);
            match (is_end, self.follow) {
                (false, _) => {}
                (true, false) => return Ok(()),
                (true, true) => tokio::time::sleep(ASK_AGAIN).await,
            }
        }
    }

    fn filter(&self) -> String {
        let mut filter = String::new();
        let mut narrow = |name: &str, values: Vec<String>| {
            if !values.is_empty() {
                let values = values.join(",");
                let _ = write!(filter, "&{name}={}", utf8_percent_encode(&values, NON_ALPHANUMERIC));
            }
        };
        narrow("type", self.wanted.iter().map(ToString::to_string).collect());
        narrow("chat", self.chat.clone());
        narrow("account", self.account.iter().map(ToString::to_string).collect());
        filter
    }

    fn print(&self, event: &Value) {
        if self.api.json {
            return say_json_line(event);
        }
        let data = plain_json::plain(event["data"].to_string());
        let about: Vec<String> = ["account", "chat"]
            .into_iter()
            .map(|field| cell(event, field))
            .filter(|shown| !shown.is_empty())
            .collect();
        let about = logs::escaped(&about.join(" ")).to_string();
        say!("{} {:<22} {about} {data}", cell(event, "at"), cell(event, "type"));
    }
}

/// The page of all types.
fn reference() -> String {
    let mut page = String::from(
        "# Events\n\n\
         This page is printed by `switchboard events --types`.\n\n\
         `GET /v1/events` has them, as a stream or page by page ([the API](api.md#events)). Each is an object with its `id`, its `type`, \
         the time `at`, the `account` and the `chat` it is about, where there is one, and `data`, which depends on the type. The text of a \
         message is not in it: `GET /v1/messages/{id}` has that.\n\n\
         Of each type new fields may come; take what you know and leave the rest.\n\n\
         | type | when | an example of its `data` |\n|---|---|---|\n",
    );
    for kind in EventType::ALL {
        let _ = writeln!(page, "| `{kind}` | {} | `{}` |", kind.meaning().trim(), kind.example());
    }
    page
}
