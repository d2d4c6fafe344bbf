//! `switchboard user`: people who may sign in to the dashboard.

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use domain::{ExposeSecret, Role, SecretText, SessionId, UserName};
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::api_client;
use crate::output::{say, say_json};
use crate::terminal::{self, Lines, WrongUsage};
use crate::{Location, table};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct User {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add somebody; the password is asked for, or read from the standard input
    #[command(after_help = "Examples:\n  switchboard user add anna --role operator\n  pass show \
            switchboard/anna | switchboard user add anna")]
    Add {
        /// What they sign in with: letters, digits and . _ - @; capitals do not matter
        name: UserName,
        /// What they may
        #[arg(long, value_enum, default_value_t = RoleName::Viewer)]
        role: RoleName,
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List them with their roles
    #[command(after_help = "Examples:\n  switchboard user list\n  switchboard user list --json")]
    List {
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give somebody a new password and end their sessions; it is asked for, or read from the standard input
    #[command(after_help = "Examples:\n  switchboard user password anna\n  switchboard user password anna \
            --reset-second-factor")]
    Password {
        /// Whose
        name: UserName,
        /// Turn off the second factor as well, for somebody who has lost the telephone
        #[arg(long)]
        reset_second_factor: bool,
        #[command(flatten)]
        location: Location,
    },
    /// Give somebody another role, at once
    #[command(after_help = "Examples:\n  switchboard user role anna admin")]
    Role {
        /// Whose
        name: UserName,
        /// What they may from now on
        #[arg(value_enum)]
        role: RoleName,
        #[command(flatten)]
        location: Location,
    },
    /// Remove somebody and end their sessions
    #[command(after_help = "Examples:\n  switchboard user remove anna")]
    Remove {
        /// Whom
        name: UserName,
        #[command(flatten)]
        location: Location,
    },
    /// Show where somebody is signed in, or end that
    #[command(after_help = "Examples:\n  switchboard user sessions anna\n  switchboard user sessions anna \
            --end ses_01…\n  switchboard user sessions anna --end-all")]
    Sessions {
        /// Whose
        name: UserName,
        /// End this one, as the list shows it
        #[arg(long, value_name = "ID", conflicts_with = "end_all")]
        end: Option<SessionId>,
        /// End all of them
        #[arg(long)]
        end_all: bool,
        #[command(flatten)]
        location: Location,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// What a user may.
#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    /// Look
    Viewer,
    /// Keep it running as well: start, stop, retry, decide, send
    Operator,
    /// Everything: accounts, keys, people
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Operator => Self::Operator,
            RoleName::Admin => Self::Admin,
        }
    }
}

impl User {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Add { name, role, location, json } => add(&location, &name, role.into(), json).await,
            Action::List { location, json } => list(&location, json).await,
            Action::Password { name, reset_second_factor, location } => {
                password(&location, &name, reset_second_factor).await
            }
            Action::Role { name, role, location } => {
                let role = Role::from(role).as_str();
                api_client::call(&location, Method::PATCH, &path(&name, ""), Some(&json!({ "role": role })))
                    .await?;
                say!("{name} is {role} now.");
                Ok(())
            }
            Action::Remove { name, location } => {
                api_client::call(&location, Method::DELETE, &path(&name, ""), None).await?;
                say!("{name} is removed.");
                Ok(())
            }
            Action::Sessions { name, end, end_all, location, json } => match (end, end_all) {
                (Some(id), _) => {
                    api_client::call(
                        &location,
                        Method::DELETE,
                        &path(&name, &format!("/sessions/{id}")),
                        None,
                    )
                    .await?;
                    say!("{id} is ended.");
                    Ok(())
                }
                (None, true) => {
                    api_client::call(&location, Method::DELETE, &path(&name, "/sessions"), None).await?;
                    say!("{name} has to sign in again everywhere.");
                    Ok(())
                }
                (None, false) => sessions(&location, &name, json).await,
            },
        }
    }
}

fn path(name: &UserName, rest: &str) -> String {
    format!("/v1/users/{}{rest}", utf8_percent_encode(name.as_str(), NON_ALPHANUMERIC))
}

async fn add(location: &Location, name: &UserName, role: Role, json: bool) -> anyhow::Result<()> {
    let password = new_password(name).await?;
    let body = json!({ "name": name, "role": role, "password": password.expose_secret() });
    let added = api_client::call(location, Method::POST, "/v1/users", Some(&body)).await?;
    if json {
        say_json(&added);
    } else {
        say!("{name} may sign in as {}.", role.as_str());
    }
    Ok(())
}

async fn password(location: &Location, name: &UserName, reset_second_factor: bool) -> anyhow::Result<()> {
    let password = new_password(name).await?;
    let body = json!({ "password": password.expose_secret() });
    api_client::call(location, Method::PUT, &path(name, "/password"), Some(&body)).await?;
    if reset_second_factor {
        api_client::call(location, Method::DELETE, &path(name, "/second-factor"), None).await?;
    }
    say!("{name} has a new password and has to sign in again everywhere.");
    Ok(())
}

async fn list(location: &Location, json: bool) -> anyhow::Result<()> {
    let users = api_client::list(location, "/v1/users").await?;
    if json {
        say_json(&json!({ "items": users, "next_cursor": null }));
        return Ok(());
    }
    if users.is_empty() {
        say!(
            "There is no user yet; `switchboard up` adds admin at its first start, `switchboard user add` others."
        );
        return Ok(());
    }
    let columns = [
        ("NAME", "name"),
        ("ROLE", "role"),
        ("SECOND FACTOR", "second_factor"),
        ("SIGNED IN", "signed_in_at"),
        ("ADDED", "created_at"),
    ];
    say!("{}", table::of(&users, columns));
    Ok(())
}

async fn sessions(location: &Location, name: &UserName, json: bool) -> anyhow::Result<()> {
    let sessions = api_client::list(location, &path(name, "/sessions")).await?;
    if json {
        say_json(&json!({ "items": sessions, "next_cursor": null }));
        return Ok(());
    }
    if sessions.is_empty() {
        say!("{name} is signed in nowhere.");
        return Ok(());
    }
    let columns = [
        ("ID", "id"),
        ("FROM", "address"),
        ("LAST USED", "seen_at"),
        ("BEGAN", "created_at"),
        ("BROWSER", "browser"),
    ];
    say!("{}", table::of(&sessions, columns));
    Ok(())
}

/// Asks for a password twice where somebody can be asked, else reads the first line of the input. Never an argument: those
/// are seen by everybody on the machine.
async fn new_password(name: &UserName) -> anyhow::Result<SecretText> {
    let mut lines = Lines::of_standard_input();
    if !terminal::somebody_is_there() {
        let line = lines.next().await?.filter(|line| !line.expose_secret().is_empty());
        let none = || {
            WrongUsage("no password came in; pipe one line to this command, or run it in a terminal".into())
        };
        return Ok(line.ok_or_else(none)?);
    }
    let ended = "the input ended before there was a password";
    let first = lines.ask_hidden(&format!("New password for {name} (not shown): ")).await?.context(ended)?;
    let again = lines.ask_hidden("The same again: ").await?.context(ended)?;
    if first.expose_secret() != again.expose_secret() {
        bail!("the two are not the same; nothing was changed");
    }
    Ok(first)
}
