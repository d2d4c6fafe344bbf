//! `switchboard channel add` and `remove`: the sections `[[channels]]` of the settings file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ambient::Clock;
use anyhow::{Context, anyhow, bail};
use channels::Kept;
use config::{ChannelFields, ChannelKey, ChannelKeyForm, ChannelKind, ChannelValue, Settings};
use domain::{AccountName, ExposeSecret};
use hyper::Method;
use serde_json::json;

use super::{PATH, shown};
use crate::api_client::ApiOptions;
use crate::output::{say, say_json};
use crate::terminal::{self, Lines, WrongUsage};
use crate::{Location, app_context, location};

/// The folder beside the settings file that typed secrets go to.
const SECRETS: &str = "secrets";

/// The account to add.
#[derive(clap::Args)]
pub(super) struct Add {
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(ChannelKind::ALL.map(ChannelKind::as_str)), help = "Its channel")]
    channel: String,
    /// A name: 1 to 64 of a-z, 0-9, _ and -
    name: AccountName,
    /// A key of its section, such as `group_id=100`; may be given more than once
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// A secret that a variable of the server's environment holds, such as `token=SHOP_TOKEN`; may be given more than once
    #[arg(long, value_name = "KEY=VARIABLE")]
    env: Vec<String>,
    /// A secret that a file holds, such as `token=secrets/shop`; may be given more than once
    #[arg(long, value_name = "KEY=FILE")]
    file: Vec<String>,
    /// Do not ask the provider whether the account works
    #[arg(long)]
    no_check: bool,
    #[command(flatten)]
    options: ApiOptions,
}

/// The account to remove.
#[derive(clap::Args)]
pub(super) struct Remove {
    /// The name of the account
    name: AccountName,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Remove it although messages wait for it; they fail after the restart
    #[arg(long)]
    with_waiting: bool,
    #[command(flatten)]
    options: ApiOptions,
}

type Keys = Vec<(&'static str, ChannelValue)>;

impl Add {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let channel: ChannelKind = self.channel.parse().map_err(|_| anyhow!("there is no such channel"))?;
        let file = SettingsFile::of(&self.options.location)?;
        let mut keys = self.given()?;
        let mut typed = Vec::new();
        self.ask(channel, &file, &mut keys, &mut typed).await?;
        let after = config::with_channel(&file.text, &self.name, channel, &keys)?;
        let added = async {
            for (path, secret) in &typed {
                write_secret(path, secret.expose_secret())?;
            }
            let settings = file.tried(&after)?;
            let fields = settings.channels.iter().find(|fields| fields.name == self.name);
            let fields = fields.context("the new section is not in the settings")?;
            let identity = if self.no_check { None } else { Some(check(fields).await?) };
            file.replace(&after)?;
            anyhow::Ok(identity)
        };
        let identity = match added.await {
            Ok(identity) => identity,
            Err(error) => {
                // They were made a moment ago, for nothing; none of them was there before.
                for (path, _) in &typed {
                    drop(fs::remove_file(path));
                }
                return Err(error);
            }
        };
        let missing = identity.as_ref().map(|identity| identity.missing.clone()).unwrap_or_default();
        let answer = json!({
            "name": self.name, "channel": channel.as_str(), "file": file.path, "needs_restart": true,
            "is": identity.as_ref().map(|identity| &identity.name), "missing": missing,
        });
        if self.options.json {
            say_json(&answer);
            return Ok(());
        }
        let who = identity.map(|identity| format!(" ({})", identity.name)).unwrap_or_default();
        say!("{}{who} is in {}.", self.name, file.path.display());
        for one in missing {
            say!("Missing: {one}");
        }
        say!("Restart the server, then: switchboard channel connect {}", self.name);
        Ok(())
    }

    /// What the options say.
    fn given(&self) -> anyhow::Result<Keys> {
        let mut keys = Keys::new();
        for given in &self.set {
            let (key, text) = pair(given)?;
            let value = key
                .value(text)
                .ok_or_else(|| WrongUsage(format!("{} takes {}", key.name, form(key.form))))?;
            keys.push((key.name, value));
        }
        let secrets = |given: &[String], make: fn(&str) -> ChannelValue| {
            let one = |given: &String| {
                let (key, text) = pair(given)?;
                if key.form == ChannelKeyForm::Secret {
                    return Ok((key.name, make(text)));
                }
                Err(anyhow::Error::from(WrongUsage(format!("{} is no secret: give it with --set", key.name))))
            };
            given.iter().map(one).collect::<anyhow::Result<Vec<_>>>()
        };
        keys.extend(secrets(&self.env, |name| ChannelValue::Variable(name.to_owned()))?);
        keys.extend(secrets(&self.file, |path| ChannelValue::File(path.into()))?);
        Ok(keys)
    }

    /// Asks for what the channel needs and no option says; a secret goes into a file of its own.
    async fn ask(
        &self,
        channel: ChannelKind,
        file: &SettingsFile,
        keys: &mut Keys,
        typed: &mut Vec<(PathBuf, domain::SecretText)>,
    ) -> anyhow::Result<()> {
        let is_given = |keys: &Keys, key: &str| keys.iter().any(|(known, _)| *known == key);
        let missing = channel.needs().iter().filter_map(|name| ChannelKey::named(name));
        let missing: Vec<_> = missing.filter(|key| !is_given(keys, key.name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if !terminal::somebody_is_there() {
            let named: Vec<_> = missing.iter().map(|key| key.name).collect();
            let why = format!(
                "a channel {} needs {}: give each with --set, --env or --file",
                channel.as_str(),
                named.join(", ")
            );
            return Err(WrongUsage(why).into());
        }
        for step in channels::steps(channel) {
            eprintln!("* {}", step[0]);
        }
        let mut lines = Lines::of_standard_input();
        for key in missing {
            let question = format!("{} ({}): ", key.name, key.meaning);
            let is_secret = key.form == ChannelKeyForm::Secret;
            let answer =
                if is_secret { lines.ask_hidden(&question).await? } else { lines.ask(&question).await? };
            let answer = answer.filter(|answer| !answer.expose_secret().is_empty());
            let answer = answer.with_context(|| format!("no {} was given", key.name))?;
            let value = if is_secret {
                let path = PathBuf::from(SECRETS).join(format!("{}.{}", self.name, key.name));
                if file.folder().join(&path).exists() {
                    bail!("{} is there already: name it with --file {}={0}", path.display(), key.name);
                }
                typed.push((file.folder().join(&path), answer));
                ChannelValue::File(path)
            } else {
                let value = key.value(answer.expose_secret());
                value.with_context(|| format!("{} takes {}", key.name, form(key.form)))?
            };
            keys.push((key.name, value));
        }
        Ok(())
    }
}

impl Remove {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { name, yes, with_waiting, options } = self;
        let file = SettingsFile::of(&options.location)?;
        let after = config::without_channel(&file.text, &name)?;
        let account = options.location.call(Method::GET, &format!("{PATH}/{name}"), None).await?;
        let waiting = account["waiting"].as_u64().unwrap_or(0);
        if waiting > 0 && !with_waiting {
            bail!(
                "{waiting} messages wait for {name}, and would fail; let them leave or cancel them, or say --with-waiting"
            );
        }
        if !yes {
            eprintln!("{}", shown(&account));
            let question = format!(
                "Remove {name}? What was received and sent stays; nothing more comes in or leaves after the restart."
            );
            terminal::confirm(&question).await?;
        }
        file.tried(&after).context("a setting names the account; change that first")?;
        file.replace(&after)?;
        let posts_here = account["webhook"]["state"] == "here";
        let answer = json!({
            "name": name, "file": file.path, "needs_restart": true, "waiting": waiting, "still_registered": posts_here,
        });
        let again = if posts_here {
            format!(
                "\nIts provider posts here still. Before the restart: switchboard channel disconnect {name}"
            )
        } else {
            String::new()
        };
        options.print(&answer, || {
            let file = file.path.display();
            format!("{name} is no longer in {file}. Restart the server. What was received and sent through it stays.{again}")
        });
        Ok(())
    }
}

/// A settings file that is changed.
struct SettingsFile {
    path: PathBuf,
    text: String,
}

impl SettingsFile {
    /// The one of a place, which need not be there yet.
    fn of(location: &Location) -> anyhow::Result<Self> {
        let path = match location.settings_file()? {
            Some(path) => path,
            None => location.data_dir()?.join("switchboard.toml"),
        };
        // What a link leads to is changed, and not the link.
        let path = fs::canonicalize(&path).or_else(|_| std::path::absolute(&path))?;
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.with_context(|| format!("the settings file {}", path.display()))?,
        };
        Ok(Self { path, text })
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new("/"))
    }

    fn beside(&self) -> PathBuf {
        self.path.with_extension("toml.new")
    }

    /// What another text of it says.
    fn tried(&self, text: &str) -> anyhow::Result<Settings> {
        let new = self.beside();
        self.write(&new, text)?;
        let read = Settings::load_at_start(Some(&new), location::environment());
        fs::remove_file(&new).with_context(|| new.display().to_string())?;
        let named = |error| {
            let text = crate::output::explain(&anyhow::Error::from(error));
            anyhow!(text.replace(&new.display().to_string(), &self.path.display().to_string()))
        };
        Ok(read.map_err(named)?.0)
    }

    /// Puts another text in its place, all of it or nothing.
    fn replace(&self, text: &str) -> anyhow::Result<()> {
        let new = self.beside();
        self.write(&new, text)?;
        fs::rename(&new, &self.path).with_context(|| format!("the settings file {}", self.path.display()))
    }

    /// With the rights and the owner of the file.
    fn write(&self, new: &Path, text: &str) -> anyhow::Result<()> {
        use std::os::unix::fs::{MetadataExt, chown};
        let named = || format!("the file {}", new.display());
        let old = fs::metadata(&self.path).ok();
        let mode = old.as_ref().map_or(0o600, |old| old.permissions().mode() & 0o777);
        fs::create_dir_all(self.folder()).with_context(named)?;
        let _ = fs::remove_file(new);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(mode).open(new).with_context(named)?;
        if let Some(old) = old {
            let written = file.metadata().with_context(named)?;
            if (old.uid(), old.gid()) != (written.uid(), written.gid()) {
                chown(new, Some(old.uid()), Some(old.gid())).with_context(named)?;
            }
        }
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(named)
    }
}

/// What the provider of an account says of it: a real call that changes nothing.
async fn check(fields: &ChannelFields) -> anyhow::Result<channels::Identity> {
    let ambient = app_context::ambient(Clock::system());
    let kept = Kept::in_memory(fields.channel.as_str().parse()?, fields.name.clone());
    let (provider, _) = crate::channels::provider(fields, kept, "unregistered".into(), &ambient).await?;
    let identity = provider.check().await;
    identity.map_err(|error| anyhow!("{error}. Nothing was changed; --no-check adds it all the same"))
}

fn pair(given: &str) -> anyhow::Result<(ChannelKey, &str)> {
    let (key, text) = given.split_once('=').ok_or_else(|| WrongUsage(format!("{given}: write KEY=VALUE")))?;
    let known = ChannelKey::named(key.trim());
    let key = known.ok_or_else(|| {
        let all: Vec<_> = ChannelKey::all().map(|key| key.name).collect();
        WrongUsage(format!("{key} is no key of an account; known are {}", all.join(", ")))
    })?;
    Ok((key, text))
}

const fn form(form: ChannelKeyForm) -> &'static str {
    match form {
        ChannelKeyForm::Number => "a whole number",
        ChannelKeyForm::Flag => "true or false",
        ChannelKeyForm::List => "texts with commas between",
        ChannelKeyForm::Text | ChannelKeyForm::Secret => "a text",
    }
}

fn write_secret(path: &Path, secret: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let named = || format!("the file {}", path.display());
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(named)?;
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(named)?;
    file.write_all(secret.as_bytes()).and_then(|()| file.sync_all()).with_context(named)
}
