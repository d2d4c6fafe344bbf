//! `switchboard campaign profiles` and `proxies`: browsers that send for campaigns, and the proxies that they get.

use std::path::PathBuf;

use clap::Subcommand;
use hyper::Method;
use serde_json::{Map, Value, json};

use super::{encoded, imported, read, some_usable};
use crate::api_client::ApiOptions;
use crate::reply::ApiError;
use crate::table::{self, cell};
use crate::terminal::WrongUsage;

const PROFILES: &str = "/v1/campaign-profiles";
const PROXIES: &str = "/v1/campaign-proxies";

#[derive(Subcommand)]
pub(super) enum Profiles {
    /// List the browser profiles
    #[command(after_help = "Examples:\n  switchboard campaign profiles list")]
    List(ApiOptions),
    /// Set a browser profile up, or change where its browser is
    #[command(
        after_help = "Its owner logs in there: `switchboard campaign profiles log-in`.\n\nExamples:\n  \
            switchboard campaign profiles add shop-1\n  \
            switchboard campaign profiles add shop-3 --firefox\n  \
            switchboard campaign profiles add shop-2 --driver http://127.0.0.1:9515"
    )]
    Add(Add),
    /// Let a browser profile send again, in each of its campaigns
    #[command(after_help = "Examples:\n  switchboard campaign profiles unblock shop-1")]
    Unblock(Named),
    /// Open a browser profile and test its page; nothing is sent
    #[command(after_help = "Examples:\n  switchboard campaign profiles check shop-1")]
    Check(Named),
    /// Write the code with which the owner logs in to a file, to be scanned with the phone
    #[command(
        after_help = "The code changes every few seconds: write it again until it says done.\n\nExamples:\n  \
            switchboard campaign profiles log-in shop-1 --out code.png"
    )]
    LogIn {
        #[command(flatten)]
        named: Named,
        /// Where the picture goes
        #[arg(long)]
        out: PathBuf,
    },
    /// Remove a browser profile, from its campaigns too; its directory stays
    #[command(after_help = "Examples:\n  switchboard campaign profiles remove shop-1 --yes")]
    Remove {
        #[command(flatten)]
        named: Named,
        /// Without asking
        #[arg(long, required = true)]
        yes: bool,
    },
}

#[derive(Subcommand)]
pub(super) enum Proxies {
    /// List the proxies of browser profiles
    #[command(after_help = "Examples:\n  switchboard campaign proxies list")]
    List(ApiOptions),
    /// Add the proxies of a file: HOST:PORT, HOST:PORT:USER:PASSWORD or USER:PASSWORD@HOST:PORT, one a line
    #[command(after_help = "Examples:\n  switchboard campaign proxies import proxies.txt\n  \
            switchboard campaign proxies import proxies.txt --dry-run")]
    Import(ImportProxies),
    /// Test whether Telegram Web is reached through a proxy
    #[command(after_help = "Examples:\n  switchboard campaign proxies check socks5://127.0.0.1:1080")]
    Check(Named),
    /// Remove a proxy that no profile has
    #[command(after_help = "Examples:\n  switchboard campaign proxies remove socks5://127.0.0.1:1080")]
    Remove(Named),
}

/// Which profile or proxy.
#[derive(clap::Args)]
pub(super) struct Named {
    /// Its name
    name: String,
    #[command(flatten)]
    options: ApiOptions,
}

/// A file of proxies.
#[derive(clap::Args)]
pub(super) struct ImportProxies {
    /// The file
    file: PathBuf,
    /// Change nothing, say what is wrong in the file
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    options: ApiOptions,
}

/// Where the browser of a profile is: here, unless an address says otherwise.
#[derive(clap::Args)]
pub(super) struct Add {
    /// Its name
    name: String,
    /// One of the proxies of `proxies list`
    #[arg(long, conflicts_with_all = ["donut", "driver"])]
    proxy: Option<String>,
    /// A Firefox of this machine in the place of a Chromium
    #[arg(long, conflicts_with_all = ["donut", "driver"])]
    firefox: bool,
    /// The id of a profile of Donut Browser
    #[arg(long, conflicts_with = "driver", requires = "token_file")]
    donut: Option<String>,
    /// The file with the token of Donut's local API
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// The address of Donut's local API
    #[arg(long, default_value = "http://127.0.0.1:10108")]
    donut_api: String,
    /// The address of a driver elsewhere, on loopback or through a tunnel
    #[arg(long)]
    driver: Option<String>,
    /// What is asked of that driver: WebDriver capabilities, JSON
    #[arg(long, default_value = "{}", value_parser = object)]
    capabilities: Value,
    #[command(flatten)]
    options: ApiOptions,
}

impl Profiles {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(options) => {
                let columns = [
                    ("PROFILE", "name"),
                    ("KIND", "kind"),
                    ("STATE", "state"),
                    ("WHY", "reason"),
                    ("PROXY", "proxy"),
                    ("USER", "user_id"),
                    ("LAST ERROR", "last_error"),
                ];
                options.list(PROFILES, "There are no browser profiles.", columns).await
            }
            Self::Add(add) => add.run().await,
            Self::Unblock(named) => named.call(Method::POST, PROFILES, "/unblock").await,
            Self::Check(named) => named.call(Method::POST, PROFILES, "/check").await,
            Self::LogIn { named: Named { name, options }, out } => {
                let path = format!("{PROFILES}/{}/log-in", encoded(&name));
                let seen = options.location.call(Method::POST, &path, None).await?;
                if let Some(picture) = seen["picture"].as_str() {
                    use base64::Engine;
                    std::fs::write(&out, base64::engine::general_purpose::STANDARD.decode(picture)?)?;
                }
                options.print(&seen, || match seen["state"].as_str() {
                    Some("code") => format!("The code is in {}: scan it with the phone.", out.display()),
                    Some("done") => "It is logged in.".to_owned(),
                    Some("loading") => "The page is still coming: try again.".to_owned(),
                    _ => format!("Its window asks for: {}.", cell(&seen, "state")),
                });
                Ok(())
            }
            Self::Remove { named, yes: _ } => named.remove(PROFILES).await,
        }
    }
}

impl Proxies {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(options) => {
                let columns = [
                    ("PROXY", "name"),
                    ("HEALTH", "health"),
                    ("WHY", "reason"),
                    ("TESTED", "checked_at"),
                    ("PROFILE", "profile"),
                ];
                options.list(PROXIES, "There are no proxies.", columns).await
            }
            Self::Import(import) => import.run().await,
            Self::Check(named) => named.call(Method::POST, PROXIES, "/check").await,
            Self::Remove(named) => named.remove(PROXIES).await,
        }
    }
}

impl ImportProxies {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let body = json!({ "file": read(&self.file)? });
        let path = format!("{PROXIES}?dry_run={}", self.dry_run);
        let answer = self.options.location.call(Method::POST, &path, Some(&body)).await?;
        self.options.print(&answer, || imported(&answer));
        some_usable(&answer)
    }
}

impl Named {
    async fn call(self, method: Method, path: &str, what: &str) -> anyhow::Result<()> {
        let path = format!("{path}/{}{what}", encoded(&self.name));
        self.options.call(method, &path, None, shown).await
    }

    async fn remove(self, path: &str) -> anyhow::Result<()> {
        let path = format!("{path}/{}", encoded(&self.name));
        self.options.location.call(Method::DELETE, &path, None).await?;
        self.options.print(&json!({ "removed": self.name }), || format!("{} is removed.", self.name));
        Ok(())
    }
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let body = match (self.donut, self.driver) {
            (Some(id), _) => {
                let token = self.token_file.as_deref().map(read).transpose()?.unwrap_or_default();
                json!({ "kind": "donut", "api": self.donut_api, "id": id, "token": token.trim() })
            }
            (None, Some(driver)) => {
                json!({ "kind": "endpoint", "driver": driver, "capabilities": self.capabilities })
            }
            (None, None) => {
                let kind = if self.firefox { "firefox" } else { "chromium" };
                json!({ "kind": kind, "proxy": self.proxy })
            }
        };
        let path = format!("{PROFILES}/{}", encoded(&self.name));
        let put = self.options.location.call(Method::PUT, &path, Some(&body)).await;
        let profile = put.map_err(|error| match ApiError::of(&error) {
            // The field of this name of an account is given in other ways.
            Some(refused) if refused.is_about("proxy") => {
                let why = "--proxy names no proxy here: `switchboard campaign proxies list` lists them, `import-proxies` adds some";
                WrongUsage(why.to_owned()).into()
            }
            _ => error,
        })?;
        self.options.print(&profile, || shown(&profile));
        Ok(())
    }
}

fn object(text: &str) -> Result<Value, String> {
    let read: Result<Map<String, Value>, _> = serde_json::from_str(text);
    let wanted = r#"an object of JSON is wanted, such as {"browserName": "chrome"}"#;
    read.map(Value::Object).map_err(|error| format!("{error}; {wanted}"))
}

/// A profile or a proxy, and what is wrong with it.
fn shown(one: &Value) -> String {
    let state = if one["health"].is_null() { "state" } else { "health" };
    let mut text =
        table::of(std::slice::from_ref(one), [("NAME", "name"), ("STATE", state), ("WHY", "reason")])
            .to_string();
    if !one["last_error"].is_null() {
        text.extend(["\n", &cell(one, "last_error")]);
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        add: Add,
    }

    #[test]
    fn capabilities_that_are_no_object_name_their_option() {
        let typed = |text: &str| {
            let typed = ["add", "shop", "--driver", "http://127.0.0.1:9515", "--capabilities", text];
            Typed::try_parse_from(typed).map(|typed| typed.add.capabilities)
        };
        let wanted = json!({ "browserName": "chrome" });
        assert_eq!(typed(&wanted.to_string()).expect("an object"), wanted);
        for wrong in ["{", "5"] {
            let error = typed(wrong).expect_err("it is refused").to_string();
            assert!(error.contains("--capabilities") && error.contains("an object of JSON"), "{error}");
        }
    }
}
