//! `switchboard user`: the users of the dashboard.

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use domain::{ExposeSecret, SecretText, SessionId, UserName};
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::word::word;
use crate::Location;
use crate::api_client::ApiOptions;
use crate::output::say;
use crate::terminal::{self, Lines, WrongUsage};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct User {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Add a user; the password is asked for, or read from the standard input
    #[command(after_help = "Examples:\n  switchboard user add anna --role operator\n  \
            pass show switchboard/anna | switchboard user add anna")]
    Add {
        /// The name to sign in with: letters, digits and . _ - @; case does not matter
        name: UserName,
        /// What the user may do
        #[arg(long, value_enum, default_value_t = RoleWord::Viewer)]
        role: RoleWord,
        #[command(flatten)]
        options: ApiOptions,
    },
    /// List users with their roles
    #[command(after_help = "Examples:\n  switchboard user list\n  switchboard user list --json")]
    List(ApiOptions),
    /// Set a new password and end all sessions; it is asked for, or read from the standard input
    #[command(after_help = "Examples:\n  switchboard user password anna\n  \
            switchboard user password anna --reset-second-factor")]
    Password {
        /// The user's name
        name: UserName,
        /// Turn off the second factor too, for a user who has lost the telephone
        #[arg(long)]
        reset_second_factor: bool,
        #[command(flatten)]
        location: Location,
    },
    /// Change the role of a user, at once
    #[command(after_help = "Examples:\n  switchboard user role anna admin")]
    Role {
        /// The user's name
        name: UserName,
        /// The new role
        #[arg(value_enum)]
        role: RoleWord,
        #[command(flatten)]
        location: Location,
    },
    /// Remove a user and end all sessions
    #[command(after_help = "Examples:\n  switchboard user remove anna")]
    Remove {
        /// The user's name
        name: UserName,
        #[command(flatten)]
        location: Location,
    },
    /// List the sessions of a user, or end them
    #[command(after_help = "Examples:\n  switchboard user sessions anna\n  \
            switchboard user sessions anna --end ses_01…\n  switchboard user sessions anna --end-all")]
    Sessions {
        /// The user's name
        name: UserName,
        /// End this session
        #[arg(long, value_name = "ID", conflicts_with = "end_all")]
        end: Option<SessionId>,
        /// End all sessions
        #[arg(long)]
        end_all: bool,
        #[command(flatten)]
        options: ApiOptions,
    },
}

/// What a user may do.
#[derive(Clone, Copy, ValueEnum)]
enum RoleWord {
    /// Read
    Viewer,
    /// Also keep it running: start, stop, retry, decide, send
    Operator,
    /// Everything: accounts, keys, users
    Admin,
}

impl User {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Add { name, role, options } => {
                let (password, role) = (new_password(&name).await?, word(&role));
                let body = json!({ "name": name, "role": role, "password": password.expose_secret() });
                let describe = |_: &Value| format!("{name} may sign in as {role}.");
                options.call(Method::POST, "/v1/users", Some(&body), describe).await?;
            }
            Action::List(options) => {
                let none = "There is no user yet; `switchboard up` adds admin at its first start, `switchboard user \
                            add` others.";
                let columns = [
                    ("NAME", "name"),
                    ("ROLE", "role"),
                    ("SECOND FACTOR", "second_factor"),
                    ("SIGNED IN", "signed_in_at"),
                    ("ADDED", "created_at"),
                ];
                options.list("/v1/users", none, columns).await?;
            }
            Action::Password { name, reset_second_factor, location } => {
                let password = new_password(&name).await?;
                let body = json!({ "password": password.expose_secret() });
                location.call(Method::PUT, &path(&name, "/password"), Some(&body)).await?;
                if reset_second_factor {
                    location.call(Method::DELETE, &path(&name, "/second-factor"), None).await?;
                }
                say!("{name} has a new password and has to sign in again everywhere.");
            }
            Action::Role { name, role, location } => {
                let role = word(&role);
                location.call(Method::PATCH, &path(&name, ""), Some(&json!({ "role": role }))).await?;
                say!("{name} is {role} now.");
            }
            Action::Remove { name, location } => {
                location.call(Method::DELETE, &path(&name, ""), None).await?;
                say!("{name} is removed.");
            }
            Action::Sessions { name, end, end_all, options } => {
                let path = path(&name, "/sessions");
                if let Some(id) = end {
                    options.location.call(Method::DELETE, &format!("{path}/{id}"), None).await?;
                    say!("{id} is ended.");
                } else if end_all {
                    options.location.call(Method::DELETE, &path, None).await?;
                    say!("{name} has to sign in again everywhere.");
                } else {
                    let columns = [
                        ("ID", "id"),
                        ("FROM", "address"),
                        ("LAST USED", "seen_at"),
                        ("BEGAN", "created_at"),
                        ("BROWSER", "browser"),
                    ];
                    options.list(&path, &format!("{name} is signed in nowhere."), columns).await?;
                }
            }
        }
        Ok(())
    }
}

fn path(name: &UserName, rest: &str) -> String {
    format!("/v1/users/{}{rest}", utf8_percent_encode(name.as_str(), NON_ALPHANUMERIC))
}

/// Asks for a password twice at a terminal, else reads the first line of the input.
async fn new_password(name: &UserName) -> anyhow::Result<SecretText> {
    let mut lines = Lines::of_standard_input();
    if !terminal::is_interactive() {
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
