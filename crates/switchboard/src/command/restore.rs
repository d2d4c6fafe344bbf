//! `switchboard restore`: a data directory is put back from a backup.

use std::path::{Path, PathBuf};

use ambient::Clock;
use anyhow::bail;
use backup::{self, Done, Manifest, Places, Ready, Waiting};
use clap::ValueEnum;
use config::StoreUrl;
use serde_json::json;
use store::{HeldBack, RESTORED};

use crate::Location;
use crate::control;
use crate::output::{say, say_json};
use crate::terminal::confirm;

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Restore {
    /// The file of the backup
    file: PathBuf,

    /// What to do with messages and operations that waited when it was made
    #[arg(long, value_enum, default_value_t = WaitingName::Hold)]
    waiting: WaitingName,

    /// The file with the identity of age that opens an encrypted copy
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,

    /// Check everything and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    location: Location,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What becomes of what waited.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum WaitingName {
    /// Hold them for you to decide: the server may have sent them since
    Hold,
    /// Send them: the server was stopped before the backup was made, and has not run since
    Send,
}

impl Restore {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (data_dir, clock) = (self.location.data_dir()?, Clock::system());
        if control::find(&data_dir).await.is_some() {
            bail!("a server runs on {}; stop it first: systemctl stop switchboard", data_dir.display());
        }
        let settings = self.location.settings()?;
        let (database, server) = match &settings.store.url {
            StoreUrl::Sqlite(database) => (database.as_path(), None),
            StoreUrl::Postgres(_) => (Path::new(RESTORED), Some(super::store::of(&settings.store.url))),
        };
        let places = Places {
            database: data_dir.join(database),
            backups: data_dir.join(&settings.backup.folder),
            data_dir: data_dir.clone(),
        };
        if backup::is_interrupted(&data_dir)? {
            if self.dry_run {
                bail!(
                    "a restore is half in place in {}; call without --dry-run, which finishes it",
                    data_dir.display()
                );
            }
            if let Some(done) = backup::finish(places.clone(), &clock).await? {
                self.tell(&done, None, None);
                bail!(
                    "that restore had been begun before; if another backup is wanted, give the command again"
                );
            }
        }
        if let Some(server) = &server {
            if places.database.exists() {
                if self.dry_run {
                    bail!(
                        "a restore is half in place in {}; call without --dry-run, which finishes it",
                        data_dir.display()
                    );
                }
                self.put_on(server, &data_dir).await?;
                bail!(
                    "a restore that had been begun before is in place now; if another backup is wanted, empty the database and give the command again"
                );
            }
            store::check_target(server.clone(), data_dir.clone(), clock.now()).await?;
        }
        crate::test_build::check(&data_dir)?;
        let ready = self.prepare(places, clock).await?;
        let (made_at, replaces) = (ready.manifest.made_at, ready.replaces);
        if self.dry_run {
            self.tell_before(&ready, &data_dir);
            return Ok(());
        }
        if !self.yes {
            self.tell_before(&ready, &data_dir);
            let instead = if replaces { " in place of what is there" } else { "" };
            let question = format!(
                "Put the backup of {} into {}{instead}?",
                made_at.to_the_second(),
                data_dir.display()
            );
            tokio::select! {
                confirmed = confirm(&question) => confirmed?,
                // This removes what was prepared.
                _ = tokio::signal::ctrl_c() => bail!("nothing was done"),
            }
        }
        let (manifest, held) = (ready.manifest.clone(), ready.held);
        let done = ready.put_in_place().await?;
        if let Some(server) = &server {
            self.put_on(server, &data_dir).await?;
        }
        crate::test_build::mark(&data_dir)?;
        self.tell(&done, Some(&manifest), held.as_ref());
        Ok(())
    }

    /// Copies what was put into the data directory to the server, and removes it there. Until that is done no program starts on
    /// the server's database; giving the command again goes on.
    async fn put_on(&self, server: &str, data_dir: &Path) -> anyhow::Result<()> {
        let from = format!("sqlite:{RESTORED}");
        super::store::copy(from, server.to_owned(), data_dir, self.json).await?;
        std::fs::remove_file(data_dir.join(RESTORED))?;
        Ok(())
    }

    async fn prepare(&self, places: Places, clock: Clock) -> anyhow::Result<Ready> {
        let restore = backup::Restore {
            file: self.file.clone(),
            master_key: super::up::master_key(&places.data_dir)?,
            places,
            waiting: match self.waiting {
                WaitingName::Hold => Waiting::Hold,
                WaitingName::Send => Waiting::Send,
            },
            identity: self.identity.as_deref().map(backup::Identity::read).transpose()?,
            clock,
        };
        Ok(restore.prepare().await?)
    }

    /// What would be done.
    fn tell_before(&self, ready: &Ready, data_dir: &Path) {
        let Manifest { made_at, version, files, .. } = &ready.manifest;
        if self.json {
            say_json(
                &json!({ "dry_run": true, "made_at": made_at, "version": version, "held_back": ready.held.as_ref().map(held_as_json) }),
            );
            return;
        }
        eprintln!(
            "The backup was made at {} by version {version}; it has the database and {} more files. Nothing is wrong with it.",
            made_at.to_the_second(),
            files.len().saturating_sub(1)
        );
        if ready.replaces {
            eprintln!("What is in {} now is kept there, in a folder of its own.", data_dir.display());
        }
        eprintln!("{}", held_back_summary(ready.held.as_ref()));
    }

    fn tell(&self, done: &Done, manifest: Option<&Manifest>, held: Option<&HeldBack>) {
        if self.json {
            let version = manifest.map(|manifest| &manifest.version);
            say_json(
                &json!({ "made_at": done.made_at, "version": version, "replaced": done.replaced, "held_back": held.map(held_as_json) }),
            );
            return;
        }
        say!("The backup of {} is in place.", done.made_at.to_the_second());
        if let Some(replaced) = &done.replaced {
            say!("What was there before is in {}; remove it when it is needed no more.", replaced.display());
        }
        if manifest.is_some() {
            say!("{}", held_back_summary(held));
        }
        say!(
            "\nBefore you start the server:\n  \
             - No other server may run on these accounts, on no machine.\n  \
             - What was asked for since the backup is not in it. Anyone who asks for the same again gets it again, also with the\n    \
               same Idempotency-Key.\n  \
             - API keys that were revoked since count again: switchboard key list"
        );
    }
}

fn held_as_json(held: &HeldBack) -> serde_json::Value {
    json!({
        "messages_failed": held.messages_failed,
        "messages_in_doubt": held.messages_in_doubt,
        "operations_failed": held.operations_failed,
        "operations_in_doubt": held.operations_in_doubt,
        "callbacks": held.callbacks,
        "notices": held.notices,
        "webhooks": held.webhooks,
        "user_sessions": held.user_sessions,
    })
}

/// What became of what waited.
fn held_back_summary(held: Option<&HeldBack>) -> String {
    let Some(held) = held else { return "What waited is sent when the server starts.".to_owned() };
    let counted = [
        (held.messages_failed, "messages failed"),
        (held.messages_in_doubt, "messages in doubt"),
        (held.operations_failed, "operations failed"),
        (held.operations_in_doubt, "operations in doubt"),
        (held.callbacks, "callbacks failed"),
        (held.webhooks, "webhooks paused"),
    ];
    let counted: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if counted.is_empty() {
        return "Nothing waited in it.".to_owned();
    }
    format!(
        "What waited may have been sent since and is held back for you: {}. Nothing of it is sent by itself; see \
         `switchboard failed list`, and on the dashboard Messages (failed, code restored) and In doubt.",
        counted.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_back_messages_are_counted_in_a_sentence() {
        assert_eq!(held_back_summary(None), "What waited is sent when the server starts.");
        assert_eq!(held_back_summary(Some(&HeldBack::default())), "Nothing waited in it.");
        let held = HeldBack { messages_failed: 3, callbacks: 1, ..HeldBack::default() };
        assert!(
            held_back_summary(Some(&held)).contains("3 messages failed, 1 callbacks failed. Nothing"),
            "{}",
            held_back_summary(Some(&held))
        );
    }
}
