//! `switchboard import channels`: what the `.env` files of the old servers of channels become, as settings.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::ExposeSecret;
use legacy_survey::channels::{OldChannels, OldServer, secret_file, survey, variable};
use legacy_survey::flows::{EnvFile, Named, SecretLocation};
use serde_json::{Value, json};

use super::{read, write_new};
use crate::Location;
use crate::output::{say, say_json};
use crate::table;

/// `.env` files, and what is done with what they say.
#[derive(clap::Args)]
pub(super) struct Channels {
    /// The `.env` file of an old server; may be given more than once
    #[arg(long = "env", value_name = "FILE", required = true, num_args = 1..)]
    files: Vec<PathBuf>,

    /// Write the settings to a file that is not there yet
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Write each secret to a file of its own in this folder, which the settings name then
    #[arg(long, value_name = "DIR")]
    secrets: Option<PathBuf>,

    #[command(flatten)]
    location: Location,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Channels {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let files = self.files.iter().map(|file| read(file)).collect::<anyhow::Result<Vec<_>>>()?;
        let found = survey(&files);
        let folder = self.secrets.as_ref().map(std::path::absolute).transpose()?;
        let accounts = self.location.settings()?.channels;
        let is_known =
            |server: &OldServer| accounts.iter().any(|account| account.name.as_str() == server.as_str());
        let known: Vec<_> = found.servers().filter(is_known).collect();
        let settings = found.text(&known, &|one| match &folder {
            Some(folder) => SecretLocation::File(secret_file(folder, one)),
            None => SecretLocation::Variable(variable(&found, one)),
        });
        if let Some(folder) = &folder {
            keep(folder, &found, &files)?;
        }
        if let Some(file) = &self.write {
            write_new(file, settings.as_bytes())?;
        }
        if self.json {
            say_json(&as_json(&found, &known, &settings));
        } else {
            self.print(&found, &known, &settings);
        }
        Ok(())
    }

    fn print(&self, found: &OldChannels, known: &[OldServer], settings: &str) {
        let is_new = |server: &OldServer| !known.contains(server);
        let servers: Vec<_> = found.servers().filter(is_new).map(OldServer::as_str).collect();
        for server in known {
            say!("The settings have an account {server} already; it is left out.");
        }
        match &self.write {
            _ if servers.is_empty() => say!("No file names anything of another channel."),
            Some(file) => say!("The settings of {} are in {}.", servers.join(", "), file.display()),
            None => say!("# For the settings file:\n\n{}", settings.trim_end()),
        }
        if let Some(folder) = &self.secrets {
            say!("\nThe secrets are in files of {}, which the settings name.", folder.display());
        } else {
            for one in found.secrets().filter(|one| variable(found, one) != one.named.variable) {
                let Named { file, variable: name } = &one.named;
                say!("\n{} of {} becomes the variable {}.", name, file.display(), variable(found, one));
            }
        }
        let mut rows = table::with_header(["FILE", "VARIABLE", "IS"]);
        for one in &found.recognised {
            let is = format!("{}: {}", one.server, one.setting.as_str());
            rows.add_row([one.named.file.display().to_string(), one.named.variable.clone(), is]);
        }
        for Named { file, variable } in &found.unknown {
            rows.add_row([file.display().to_string(), variable.clone(), "not recognised".to_owned()]);
        }
        if rows.row_count() > 0 {
            say!("\n{rows}");
        }
        if !servers.is_empty() {
            say!(
                "\nNothing was changed. A port listens on loopback: add listen and allow_from where its callers are elsewhere. Stop \
                 the old servers before this program takes their ports, then: switchboard channel connect NAME --take-over"
            );
        }
    }
}

/// Puts each secret into a file of its own. One that is there already with the same content stays.
fn keep(folder: &Path, found: &OldChannels, files: &[EnvFile]) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| folder.display().to_string())?;
    for one in found.secrets() {
        let of_file = files.iter().filter(|file| file.path == one.named.file);
        let held = of_file.flat_map(|file| &file.variables).find(|held| held.name == one.named.variable);
        let Some(held) = held else { continue };
        let (path, secret) = (secret_file(folder, one), held.secret().expose_secret().trim());
        if fs::read_to_string(&path).is_ok_and(|kept| kept == secret) {
            continue;
        }
        write_new(&path, secret.as_bytes())?;
    }
    Ok(())
}

fn as_json(found: &OldChannels, known: &[OldServer], settings: &str) -> Value {
    let recognised = found.recognised.iter().map(|one| {
        json!({
            "file": one.named.file, "variable": one.named.variable, "channel": one.server.as_str(), "is": one.setting.as_str(),
        })
    });
    let unknown =
        found.unknown.iter().map(|Named { file, variable }| json!({ "file": file, "variable": variable }));
    json!({
        "channels": found.servers().map(OldServer::as_str).collect::<Vec<_>>(),
        "known": known.iter().map(|server| server.as_str()).collect::<Vec<_>>(),
        "settings": settings,
        "recognised": recognised.collect::<Vec<_>>(),
        "not_recognised": unknown.collect::<Vec<_>>(),
    })
}
