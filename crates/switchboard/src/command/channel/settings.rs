//! `switchboard channel add` and `remove`: the sections `[[channels]]` of the settings file.

use ambient::Clock;
use anyhow::{Context, anyhow, bail};
use config::{ChannelKey, ChannelKeyForm, ChannelKind, ChannelValue};
use domain::{AccountName, ExposeSecret, SecretText};
use hyper::Method;
use serde_json::Value;
use web::{ChannelAdded, NewChannel, NotChanged};

use super::{PATH, shown};
use crate::api_client::ApiOptions;
use crate::app_context;
use crate::channel_settings::SettingsFile;
use crate::output::{say, say_json};
use crate::reply::ApiError;
use crate::terminal::{self, Lines, WrongUsage};

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
type Secrets = Vec<(&'static str, SecretText)>;

impl Add {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let channel: ChannelKind = self.channel.parse().map_err(|_| anyhow!("there is no such channel"))?;
        let file = SettingsFile::of(&self.options.location)?;
        let mut keys = self.given()?;
        let secrets = self.ask(channel, &file, &mut keys).await?;
        let new = NewChannel { name: self.name.clone(), channel, keys, secrets, check: !self.no_check };
        let ambient = app_context::ambient(Clock::system());
        let ChannelAdded { file, identity } = file.add(new, &ambient).await.map_err(|error| match error {
            NotChanged::Refused(why) => {
                anyhow!("{why}. Nothing was changed; --no-check adds it all the same")
            }
            error => error.into(),
        })?;
        let (is, missing) = identity.map_or_else(Default::default, |who| (Some(who.name), who.missing));
        let file = file.display().to_string();
        let channel = channel.as_str().parse()?;
        let added = api::AddedChannel { name: self.name, channel, file, needs_restart: true, is, missing };
        if self.options.json {
            say_json(&serde_json::to_value(&added)?);
            return Ok(());
        }
        let who = added.is.map(|is| format!(" ({is})")).unwrap_or_default();
        say!("{}{who} is in {}.", added.name, added.file);
        for one in added.missing {
            say!("Missing: {one}");
        }
        say!("Restart the server, then: switchboard channel connect {}", added.name);
        Ok(())
    }

    /// What the options say.
    fn given(&self) -> anyhow::Result<Keys> {
        let mut keys = Keys::new();
        for given in &self.set {
            let (key, text) = pair(given)?;
            let value = key
                .value(text)
                .ok_or_else(|| WrongUsage(format!("{} takes {}", key.name, key.form.wanted())))?;
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

    /// Asks for what the channel needs and no option says; the answer is what was typed of secrets.
    async fn ask(
        &self,
        channel: ChannelKind,
        file: &SettingsFile,
        keys: &mut Keys,
    ) -> anyhow::Result<Secrets> {
        let is_given = |keys: &Keys, key: &str| keys.iter().any(|(known, _)| *known == key);
        let missing = channel.needs().iter().filter_map(|name| ChannelKey::named(name));
        let missing: Vec<_> = missing.filter(|key| !is_given(keys, key.name)).collect();
        let mut typed = Secrets::new();
        if missing.is_empty() {
            return Ok(typed);
        }
        if !terminal::is_interactive() {
            let named: Vec<_> = missing.iter().map(|key| key.name).collect();
            let why = format!(
                "a channel {} needs {}: give each with --set, --env or --file",
                channel.as_str(),
                named.join(", ")
            );
            return Err(WrongUsage(why).into());
        }
        for step in channels::Nature::of(channel).steps {
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
            if is_secret {
                if let Some(path) = file.taken_secret(&self.name, key.name) {
                    bail!("{} is there already: name it with --file {}={0}", path.display(), key.name);
                }
                typed.push((key.name, answer));
            } else {
                let value = key.value(answer.expose_secret());
                let value = value.with_context(|| format!("{} takes {}", key.name, key.form.wanted()))?;
                keys.push((key.name, value));
            }
        }
        Ok(typed)
    }
}

impl Remove {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { name, yes, with_waiting, options } = self;
        let file = SettingsFile::of(&options.location)?;
        file.check_has(&name)?;
        let account = match options.location.call(Method::GET, &format!("{PATH}/{name}"), None).await {
            // One that the server has not started with is in the settings alone.
            Err(error) if ApiError::of(&error).is_some_and(|error| error.code == "account_not_found") => {
                Value::Null
            }
            account => account?,
        };
        let waiting = account["waiting"].as_u64().unwrap_or(0);
        if waiting > 0 && !with_waiting {
            bail!(
                "{waiting} messages wait for {name}, and would fail; let them leave or cancel them, or say --with-waiting"
            );
        }
        if !yes {
            if !account.is_null() {
                eprintln!("{}", shown(&account));
            }
            let question = format!(
                "Remove {name}? What was received and sent stays; nothing more comes in or leaves after the restart."
            );
            terminal::confirm(&question).await?;
        }
        let file = file.remove(name.clone()).await?.display().to_string();
        let still_registered = account["webhook"]["state"] == "here";
        let removed = api::RemovedChannel { name, file, needs_restart: true, waiting, still_registered };
        let api::RemovedChannel { name, file, .. } = &removed;
        let again = if still_registered {
            format!(
                "\nIts provider posts here still. Before the restart: switchboard channel disconnect {name}"
            )
        } else {
            String::new()
        };
        options.print(&serde_json::to_value(&removed)?, || {
            format!("{name} is no longer in {file}. Restart the server. What was received and sent through it stays.{again}")
        });
        Ok(())
    }
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
