//! The sections `[[channels]]` of the settings file and the files of their secrets: changed by `switchboard channel add` and
//! `remove`, and by a server that its API asks to.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use ambient::FileLock;
use channels::{Identity, SetupError, StoredValues};
use config::{
    ChannelFields, ChannelKey, ChannelKeyForm, ChannelValue, EditError, Problem, Settings, SettingsError,
};
use delivery::Ambient;
use domain::{AccountName, ChannelName, ExposeSecret};
use outbound::Names;
use tokio::sync::mpsc::Receiver;
use web::{ChannelAdded, ChannelChange, NewChannel, NotChanged};

use crate::output::explain;
use crate::reload::SettingsSource;
use crate::{Location, location};

/// The folder beside the settings file that typed secrets go to.
const SECRETS: &str = "secrets";

/// Makes each change that the API asks for, one at a time. Never ends.
pub(crate) async fn answer(source: &SettingsSource, ambient: &Ambient, mut changes: Receiver<ChannelChange>) {
    let file = || {
        let location = source.world.is_none().then(|| source.location.clone()).ok_or(NotChanged::OfDemo);
        blocking(move || SettingsFile::of(&location?))
    };
    while let Some(change) = changes.recv().await {
        // Who asked may have gone.
        match change {
            ChannelChange::Add(new, answer) => {
                let added = async { file().await?.add(of_caller(new), ambient).await };
                let _ = answer.send(added.await);
            }
            ChannelChange::Remove(name, answer) => {
                let removed = async { file().await?.remove(name).await };
                let _ = answer.send(removed.await);
            }
        }
    }
    std::future::pending::<()>().await;
}

/// An account as a call adds it: the settings do not vouch for the addresses that it names.
fn of_caller(mut new: NewChannel) -> NewChannel {
    let secrets = new.secrets.iter().map(|(key, _)| *key);
    let mark = ChannelKey::mark_of_caller(new.keys.iter().map(|(key, _)| *key).chain(secrets));
    new.keys.extend(mark);
    new
}

/// A settings file that is changed.
#[derive(Debug, Clone)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    text: String,
    /// Whose typed secrets are, where root runs this: that of the data directory, as which the server runs.
    owner: Option<Owner>,
}

/// A user and a group.
type Owner = (u32, u32);

/// A text that is right, and is not in its place yet.
struct Staged {
    file: SettingsFile,
    text: String,
    written: Written,
    _change: Change,
}

/// Files that were written for an account; they go again, unless it stays.
#[derive(Default)]
struct Written(Vec<PathBuf>);

/// While it lives, no other program changes the settings.
struct Change {
    _lock: FileLock,
}

impl SettingsFile {
    /// The one of a place, which need not be there yet.
    pub(crate) fn of(location: &Location) -> Result<Self, NotChanged> {
        let unknown = |error: anyhow::Error| NotChanged::File(explain(&error));
        let path = location.settings_path().map_err(unknown)?;
        // What a link leads to is changed, and not the link.
        let path = fs::canonicalize(&path).or_else(|_| std::path::absolute(&path)).map_err(of_file(&path))?;
        let text = read(&path)?;
        let data = if location::is_root() { location.data_dir().ok() } else { None };
        let owner = data.and_then(|data| fs::metadata(data).ok()).map(|data| (data.uid(), data.gid()));
        Ok(Self { path, text, owner })
    }

    /// Whether it has an account.
    pub(crate) fn check_has(&self, name: &AccountName) -> Result<(), NotChanged> {
        config::without_channel(&self.text, name).map(drop).map_err(not_edited)
    }

    /// The file that a secret of an account would go to, if a setting names it already; relative to the settings. One that none
    /// names was left by a program that ended before its account was in the settings.
    pub(crate) fn taken_secret(&self, name: &AccountName, key: &str) -> Option<PathBuf> {
        let file = format!("/{name}.{key}");
        let is_named =
            self.text.contains(&file) || location::environment().any(|(_, value)| value.contains(&file));
        Some(secret_path(name, key)).filter(|path| is_named && self.folder().join(path).exists())
    }

    /// Adds an account, once its provider has said that it works.
    pub(crate) async fn add(self, new: NewChannel, ambient: &Ambient) -> Result<ChannelAdded, NotChanged> {
        let (file, check) = (self.path.clone(), new.check);
        let (fields, staged) = blocking(move || self.stage(new)).await?;
        let identity = ask_provider(&fields, check, ambient).await?;
        blocking(move || staged.put()).await?;
        Ok(ChannelAdded { file, identity })
    }

    /// Takes an account out, and the files of its secrets that were typed. The answer is the settings file.
    pub(crate) async fn remove(self, name: AccountName) -> Result<PathBuf, NotChanged> {
        blocking(move || {
            let _change = self.begin()?;
            let after = config::without_channel(&self.text, &name).map_err(not_edited)?;
            self.tried(&after, None).map_err(|error| match error {
                NotChanged::Wrong { text, keys } => {
                    let text = format!("a setting names the account; change that first: {text}");
                    NotChanged::Wrong { text, keys }
                }
                error => error,
            })?;
            self.replace(&after)?;
            for key in ChannelKey::all().filter(|key| key.form == ChannelKeyForm::Secret) {
                let path = secret_path(&name, key.name);
                let written = format!("\"{}\"", path.display());
                if self.text.contains(&written) && !after.contains(&written) {
                    // One that stays is no harm.
                    drop(fs::remove_file(self.folder().join(path)));
                }
            }
            Ok(self.path)
        })
        .await
    }

    /// Writes the secrets, and tries the settings with the account.
    fn stage(self, new: NewChannel) -> Result<(ChannelFields, Staged), NotChanged> {
        let NewChannel { name, channel, mut keys, secrets, .. } = new;
        let change = self.begin()?;
        if self.check_has(&name).is_ok() {
            let text = format!("the settings have an account {name} already");
            return Err(NotChanged::Wrong { keys: vec![("name".to_owned(), text.clone())], text });
        }
        let mut written = Written::default();
        for (key, secret) in secrets {
            let path = secret_path(&name, key);
            let file = self.folder().join(&path);
            if self.taken_secret(&name, key).is_some() {
                return Err(of_file(&file)(io::ErrorKind::AlreadyExists.into()));
            }
            written.write(&file, secret.expose_secret(), self.owner)?;
            keys.push((key, ChannelValue::File(path)));
        }
        let text = config::with_channel(&self.text, &name, channel, &keys).map_err(not_edited)?;
        let settings = self.tried(&text, Some(config::channels_in(&self.text)))?;
        let fields = settings.channels.into_iter().find(|fields| fields.name == name);
        let fields = fields.ok_or_else(|| wrong("the new section is not in the settings".to_owned()))?;
        Ok((fields, Staged { file: self, text, written, _change: change }))
    }

    /// Begins a change of the file as it was read.
    fn begin(&self) -> Result<Change, NotChanged> {
        let folder = self.folder();
        fs::create_dir_all(folder).map_err(of_file(folder))?;
        // The folder itself may be the data directory, whose lock the server has.
        let path = self.path.with_extension("toml.lock");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = open.map_err(of_file(&path))?;
        let lock = FileLock::take(lock).map_err(|error| match error {
            TryLockError::WouldBlock => NotChanged::Busy,
            TryLockError::Error(error) => of_file(&path)(error),
        })?;
        self.check_unchanged()?;
        Ok(Change { _lock: lock })
    }

    fn check_unchanged(&self) -> Result<(), NotChanged> {
        if read(&self.path)? == self.text {
            return Ok(());
        }
        let why = format!("{} was changed meanwhile; try again", self.path.display());
        Err(NotChanged::File(why))
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new("/"))
    }

    fn beside(&self) -> PathBuf {
        self.path.with_extension("toml.new")
    }

    /// What another text of it says; `new` is the place of the account that it has more.
    fn tried(&self, text: &str, new: Option<usize>) -> Result<Settings, NotChanged> {
        let beside = self.beside();
        self.write(&beside, text)?;
        let read = Settings::load_at_start(Some(&beside), location::environment());
        fs::remove_file(&beside).map_err(of_file(&beside))?;
        match read {
            Ok((settings, _)) => Ok(settings),
            Err(error) => {
                let keys = match &error {
                    SettingsError::Wrong { problems } => of_account(problems, new),
                    _ => Vec::new(),
                };
                let text = explain(&error.into());
                let (tried, named) = (beside.display().to_string(), self.path.display().to_string());
                Err(NotChanged::Wrong { text: text.replace(&tried, &named), keys })
            }
        }
    }

    /// Puts another text in its place, all of it or nothing.
    fn replace(&self, text: &str) -> Result<(), NotChanged> {
        self.check_unchanged()?;
        let beside = self.beside();
        self.write(&beside, text)?;
        fs::rename(&beside, &self.path).map_err(of_file(&self.path))
    }

    /// With the rights and the owner of the file.
    fn write(&self, new: &Path, text: &str) -> Result<(), NotChanged> {
        let old = fs::metadata(&self.path).ok();
        let mode = old.as_ref().map_or(0o600, |old| old.permissions().mode() & 0o777);
        let write = || {
            fs::create_dir_all(self.folder())?;
            let _ = fs::remove_file(new);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(new)?;
            if let Some(old) = &old {
                let written = file.metadata()?;
                if (old.uid(), old.gid()) != (written.uid(), written.gid()) {
                    chown(new, Some(old.uid()), Some(old.gid()))?;
                }
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(of_file(new))
    }
}

impl Staged {
    fn put(self) -> Result<(), NotChanged> {
        // The files go before the change ends.
        let Self { _change, file, text, written } = self;
        file.replace(&text)?;
        written.stay();
        Ok(())
    }
}

impl Written {
    fn write(&mut self, path: &Path, secret: &str, owner: Option<Owner>) -> Result<(), NotChanged> {
        let give = |path: &Path| match owner {
            Some((user, group)) => chown(path, Some(user), Some(group)),
            None => Ok(()),
        };
        let open = || {
            if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
                give(folder)?;
            }
            let _ = fs::remove_file(path);
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
        };
        let mut file = open().map_err(of_file(path))?;
        self.0.push(path.to_owned());
        let filled = file.write_all(secret.as_bytes()).and_then(|()| file.sync_all());
        filled.and_then(|()| give(path)).map_err(of_file(path))
    }

    fn stay(mut self) {
        self.0.clear();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // No setting named any of them.
        for path in &self.0 {
            drop(fs::remove_file(path));
        }
    }
}

/// Who the account is at its provider: a real call that changes nothing. What speaks to the provider is made whether it is asked
/// or not: a server with an account of which that cannot be made does not start.
async fn ask_provider(
    fields: &ChannelFields,
    check: bool,
    ambient: &Ambient,
) -> Result<Option<Identity>, NotChanged> {
    let channel = fields.channel.as_str().parse::<ChannelName>().map_err(|error| wrong(error.to_string()))?;
    let judged = channels::judge_named(fields, &ambient.clock).await;
    judged.map_err(|error| not_made(&error.into()))?;
    let kept = StoredValues::in_memory(channel, fields.name.clone());
    let made =
        crate::channels::provider(fields, kept, "unregistered".into(), None, ambient, &Names::public());
    let (provider, _) = made.map_err(|error| not_made(&error))?;
    if !check {
        return Ok(None);
    }
    provider.check().await.map(Some).map_err(NotChanged::Refused)
}

fn not_made(error: &anyhow::Error) -> NotChanged {
    let keys = match error.downcast_ref() {
        Some(SetupError::Field { field, message }) => vec![((*field).to_owned(), message.clone())],
        _ => Vec::new(),
    };
    NotChanged::Wrong { text: explain(error), keys }
}

/// What of all that is wrong is about keys of an account.
fn of_account(problems: &[Problem], account: Option<usize>) -> Vec<(String, String)> {
    let Some(account) = account else { return Vec::new() };
    let start = format!("channels[{account}].");
    let key = |problem: &Problem| {
        let key = problem.key.strip_prefix(&start)?.split(['.', '[']).next()?;
        Some((key.to_owned(), problem.message.clone()))
    };
    problems.iter().filter_map(key).collect()
}

fn secret_path(name: &AccountName, key: &str) -> PathBuf {
    PathBuf::from(SECRETS).join(format!("{name}.{key}"))
}

fn read(path: &Path) -> Result<String, NotChanged> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(of_file(path)),
    }
}

fn of_file(path: &Path) -> impl FnOnce(io::Error) -> NotChanged {
    move |error| NotChanged::File(format!("the file {}: {error}", path.display()))
}

fn wrong(text: String) -> NotChanged {
    NotChanged::Wrong { text, keys: Vec::new() }
}

fn not_edited(error: EditError) -> NotChanged {
    match error {
        EditError::NoSuchAccount(name) => NotChanged::NoSuchAccount(name),
        EditError::NotToml { .. } | EditError::NoList => wrong(error.to_string()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, NotChanged> + Send + 'static,
) -> Result<T, NotChanged> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(NotChanged::File(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_of_a_new_account_is_reported_by_its_key() {
        let problem = |key: &str| Problem {
            place: config::SettingSource::Defaults,
            key: key.to_owned(),
            message: "is wrong".to_owned(),
        };
        let all =
            ["channels[1].token.file", "channels[1].name", "channels[11].token", "legacy.ports[1].name"]
                .map(problem);
        let keys = |account| of_account(&all, account).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys(Some(1)), ["token", "name"]);
        assert!(keys(None).is_empty());
    }

    fn bot() -> NewChannel {
        NewChannel {
            name: "bot".parse().expect("a name"),
            channel: config::ChannelKind::Telegram,
            keys: Vec::new(),
            secrets: vec![("token", "planted".into())],
            check: false,
        }
    }

    /// A settings file, and where the secret of [`bot`] goes.
    fn settings(folder: &Path) -> (SettingsFile, PathBuf) {
        let path = folder.join("switchboard.toml");
        fs::write(&path, "# before\n").expect("written");
        let location = Location { config: Some(path), data_dir: Some(folder.join("data")) };
        (SettingsFile::of(&location).expect("a file"), folder.join("secrets/bot.token"))
    }

    #[test]
    fn a_secret_that_no_setting_names_blocks_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, secret) = settings(folder.path());
        fs::create_dir(secret.parent().expect("a folder")).expect("a folder");
        fs::write(&secret, "of one that was killed").expect("written");
        let (_, staged) = file.clone().stage(bot()).expect("the settings are right");
        assert!(matches!(file.stage(bot()), Err(NotChanged::Busy)), "one change at a time");
        staged.put().expect("it is in its place");
        assert_eq!(fs::read_to_string(&secret).expect("a secret"), "planted");
    }

    #[test]
    fn a_typed_secret_is_of_the_user_that_reads_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut file, secret) = settings(folder.path());
        // Only root gives files away; anyone else has them already.
        let owner = |path: &Path| fs::metadata(path).map(|it| (it.uid(), it.gid())).expect("an owner");
        let other = if location::is_root() { (65_534, 65_534) } else { owner(folder.path()) };
        file.owner = Some(other);
        let (_, staged) = file.stage(bot()).expect("the settings are right");
        staged.put().expect("it is in its place");
        assert_eq!((owner(&secret), owner(secret.parent().expect("a folder"))), (other, other));
    }

    #[tokio::test]
    async fn an_account_of_a_call_reaches_nothing_on_this_machine() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, secret) = settings(folder.path());
        let inside = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = inside.local_addr().expect("an address").port();
        let ambient = crate::app_context::ambient(ambient::Clock::system());
        let at = |host: &str| {
            let api = ChannelValue::Text(format!("http://{host}:{port}"));
            NewChannel { keys: vec![("api", api)], check: true, ..bot() }
        };
        for host in ["127.0.0.1", "localhost"] {
            let refused = file.clone().add(of_caller(at(host)), &ambient).await.expect_err("it is inside");
            let NotChanged::Wrong { text, keys } = refused else { panic!("{refused}") };
            assert!(keys[0].0 == "api" && text.contains("[[channels]]"), "{text}");
        }
        let mail = |imap: String| NewChannel {
            channel: config::ChannelKind::Email,
            keys: vec![("address", ChannelValue::Text("shop@example.com".to_owned()))],
            secrets: vec![("smtp", "smtps://8.8.8.8".into()), ("imap", imap.into())],
            check: false,
            ..bot()
        };
        let new = of_caller(mail(format!("imap://demo:word@127.0.0.1:{port}")));
        let refused = file.clone().add(new, &ambient).await.expect_err("it is inside");
        assert!(matches!(&refused, NotChanged::Wrong { keys, .. } if keys[0].0 == "imap"), "{refused}");
        assert_eq!(fs::read_to_string(&file.path).expect("settings"), "# before\n");
        assert!(!secret.with_file_name("bot.imap").exists(), "nothing stays");
        let dialled = tokio::time::timeout(std::time::Duration::from_millis(50), inside.accept()).await;
        assert!(dialled.is_err(), "nothing was dialled");

        // What is written is marked, and the mark outlives a restart.
        let new = of_caller(mail("imaps://demo:word@8.8.8.8".to_owned()));
        file.clone().add(new, &ambient).await.expect("nothing is asked");
        let (settings, _) = Settings::load_at_start(Some(&file.path), []).expect("right");
        assert!(settings.channels[0].named_by_caller);
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, secret) = settings(folder.path());
        let path = file.path.clone();
        let (_, staged) = file.stage(bot()).expect("the settings are right");
        assert_eq!(fs::read_to_string(&secret).expect("a secret"), "planted");
        fs::write(&path, "# of another\n").expect("written");
        assert!(matches!(staged.put(), Err(NotChanged::File(_))));
        assert_eq!(fs::read_to_string(&path).expect("settings"), "# of another\n");
        assert!(!secret.exists(), "it went with what it was for");
    }
}
