//! Accounts of channels added to the text of a settings file and taken out of it. Comments, and the order of all else, stay.

use std::path::PathBuf;

use domain::account::AccountName;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

use crate::channels::{ChannelFields, ChannelKind};
use crate::keys::{Row, Section as _};
use crate::value_kind::ValueKind;

/// The list of accounts of channels.
const LIST: &str = "channels";

/// Keys that name what an account calls.
const ADDRESSES: [&str; 6] = ["api", "proxy", "smpp", "smtp", "imap", "forward_to"];
/// The key that a call writes when it names an address.
const NAMED_BY_CALLER: &str = "named_by_caller";
/// Keys that no call sets: they read a file of the machine, have the doctor call a provider, or vouch for addresses.
const OF_OWNER: [&str; 3] = ["ca_file", "expect", NAMED_BY_CALLER];

/// What a key of an account of a channel takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKeyForm {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// Texts.
    List,
    /// A secret, or where it is.
    Secret,
}

impl ChannelKeyForm {
    /// What it takes, as in "takes …".
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Number => "a whole number",
            Self::Flag => "true or false",
            Self::List => "texts with commas between",
            Self::Text | Self::Secret => "a text",
        }
    }
}

/// A key of an account of a channel.
#[derive(Debug, Clone, Copy)]
pub struct ChannelKey {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What it takes.
    pub form: ChannelKeyForm,
    /// The words of which it takes one; none where it takes others.
    pub choices: &'static [&'static str],
}

/// The value of a key, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelValue {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Flag(bool),
    /// Texts.
    List(Vec<String>),
    /// A secret in a variable of the environment.
    Variable(String),
    /// A secret in a file.
    File(PathBuf),
}

/// Why a settings file cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// It says nothing of what is there, which may be a secret.
    #[error("the settings file is no TOML: line {line}: {message}")]
    NotToml { line: usize, message: String },
    #[error("`channels` of the settings is no list of sections")]
    NoList,
    #[error("the settings file has no account {0} in [[channels]]; a file of the environment may name it")]
    NoSuchAccount(AccountName),
}

impl ChannelKey {
    /// All keys of an account but its name and its channel.
    pub fn all() -> impl Iterator<Item = Self> {
        let keys = ChannelFields::ROWS.iter().filter_map(|row| match row {
            Row::Key(key) => Some(key),
            Row::Section(_) => None,
        });
        keys.filter_map(|key| {
            let name = key.path.rsplit('.').next().filter(|name| !["name", "channel"].contains(name))?;
            let form = match key.kind {
                ValueKind::Bool => ChannelKeyForm::Flag,
                ValueKind::Integer { .. } => ChannelKeyForm::Number,
                ValueKind::Secret { .. } => ChannelKeyForm::Secret,
                ValueKind::Words { .. } | ValueKind::Choices(_) => ChannelKeyForm::List,
                _ => ChannelKeyForm::Text,
            };
            let choices = if let ValueKind::Choice(names) = key.kind { names } else { &[] };
            Some(Self { name, meaning: key.meaning(), form, choices })
        })
    }

    /// The mark of an account whose addresses a call names; none where the keys name no address.
    pub fn mark_of_caller<'a>(
        mut keys: impl Iterator<Item = &'a str>,
    ) -> Option<(&'static str, ChannelValue)> {
        keys.any(|key| ADDRESSES.contains(&key)).then_some((NAMED_BY_CALLER, ChannelValue::Flag(true)))
    }

    /// Whether the owner alone sets it, on the machine.
    pub fn is_of_owner(&self) -> bool {
        OF_OWNER.contains(&self.name)
    }

    /// Whether accounts of every channel take it.
    pub fn is_of_all(&self) -> bool {
        ChannelKind::owners(self.name).next().is_none()
    }

    /// The key of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|key| key.name == name)
    }

    /// A value that is written as text.
    pub fn value(&self, text: &str) -> Option<ChannelValue> {
        Some(match self.form {
            ChannelKeyForm::Number => ChannelValue::Number(text.trim().parse().ok()?),
            ChannelKeyForm::Flag => ChannelValue::Flag(text.trim().parse().ok()?),
            ChannelKeyForm::List => {
                ChannelValue::List(text.split(',').map(|one| one.trim().to_owned()).collect())
            }
            ChannelKeyForm::Text | ChannelKeyForm::Secret => ChannelValue::Text(text.to_owned()),
        })
    }
}

/// How many accounts of channels the text of a settings file has.
pub fn channels_in(text: &str) -> usize {
    read(text).ok().and_then(|document| document.get(LIST).map(length)).unwrap_or_default()
}

/// The accounts of channels that the text of a settings file names; none where it is no TOML.
pub fn named_channels(text: &str) -> Option<Vec<(AccountName, ChannelKind)>> {
    let settings: toml::Table = text.parse().ok()?;
    let sections = settings.get(LIST).and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = |section: &toml::Value| -> Option<(AccountName, ChannelKind)> {
        let (name, channel) = (section.get("name")?.as_str()?, section.get("channel")?.as_str()?);
        Some((name.parse().ok()?, channel.parse().ok()?))
    };
    Some(sections.iter().filter_map(named).collect())
}

/// The text of a settings file with one account more, the last of its list.
///
/// # Errors
/// The text is no TOML, or its `channels` is something else than a list.
pub fn with_channel(
    text: &str,
    name: &AccountName,
    channel: ChannelKind,
    keys: &[(&str, ChannelValue)],
) -> Result<String, EditError> {
    let mut document = read(text)?;
    let mut section = Table::new();
    section.insert("name", toml_edit::value(name.as_str()));
    section.insert("channel", toml_edit::value(channel.as_str()));
    for (key, value) in keys {
        section.insert(key, Item::Value(written(value)));
    }
    let list = document.entry(LIST).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    match list {
        Item::ArrayOfTables(list) => list.push(section),
        Item::Value(Value::Array(list)) => list.push(section.into_inline_table()),
        _ => return Err(EditError::NoList),
    }
    Ok(document.to_string())
}

/// The text of a settings file without an account.
///
/// # Errors
/// The text is no TOML, or has no such account.
pub fn without_channel(text: &str, name: &AccountName) -> Result<String, EditError> {
    let mut document = read(text)?;
    let is_it = |value: Option<&str>| value == Some(name.as_str());
    let list = document.get_mut(LIST).ok_or_else(|| EditError::NoSuchAccount(name.clone()))?;
    let before = length(list);
    match list {
        Item::ArrayOfTables(list) => {
            list.retain(|section| !is_it(section.get("name").and_then(Item::as_str)));
        }
        Item::Value(Value::Array(list)) => list.retain(|section| {
            let named = section.as_inline_table().and_then(|section| section.get("name")?.as_str());
            !is_it(named)
        }),
        _ => return Err(EditError::NoList),
    }
    let after = length(list);
    if after == before {
        return Err(EditError::NoSuchAccount(name.clone()));
    }
    if after == 0 {
        document.remove(LIST);
    }
    Ok(document.to_string())
}

fn read(text: &str) -> Result<DocumentMut, EditError> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        EditError::NotToml { line, message: error.message().to_owned() }
    })
}

fn length(list: &Item) -> usize {
    match list {
        Item::ArrayOfTables(list) => list.len(),
        Item::Value(Value::Array(list)) => list.len(),
        _ => 0,
    }
}

fn written(value: &ChannelValue) -> Value {
    let reference = |key: &str, text: &str| {
        let mut table = InlineTable::new();
        table.insert(key, text.into());
        Value::InlineTable(table)
    };
    match value {
        ChannelValue::Text(text) => text.into(),
        ChannelValue::Number(number) => (*number).into(),
        ChannelValue::Flag(flag) => (*flag).into(),
        ChannelValue::List(texts) => Value::Array(texts.iter().collect::<Array>()),
        ChannelValue::Variable(name) => reference("env", name),
        ChannelValue::File(path) => reference("file", &path.to_string_lossy()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# mine\nlisten = \"127.0.0.1:5099\" # here\n\n[legacy]\nhold = \"100s\"\n\n# the shop\n[[channels]]\n\
        name = \"shop\"\nchannel = \"form\"\n\n# at the end\n[log]\nlevel = \"info\"\n";

    fn name(name: &str) -> AccountName {
        name.parse().expect("a name")
    }

    #[test]
    fn an_account_is_added_and_taken_out_and_all_else_stays() {
        let keys = [
            ("token", ChannelValue::Variable("BOT_TOKEN".to_owned())),
            ("old_hook", ChannelValue::Flag(true)),
            ("group_id", ChannelValue::Number(7)),
        ];
        let after = with_channel(BEFORE, &name("bot"), ChannelKind::Telegram, &keys).expect("added");
        let section = "[[channels]]\nname = \"bot\"\nchannel = \"telegram\"\ntoken = { env = \"BOT_TOKEN\" }\nold_hook = true\n\
            group_id = 7\n";
        assert!(after.contains(section), "{after}");
        assert!(BEFORE.lines().all(|line| after.contains(line)), "{after}");
        assert_eq!((channels_in(""), channels_in(BEFORE), channels_in(&after)), (0, 1, 2));
        let again = without_channel(&after, &name("bot")).expect("taken out");
        assert_eq!(again, BEFORE);
        let none = without_channel(BEFORE, &name("shop")).expect("taken out");
        assert!(none.contains("# at the end\n[log]") && !none.contains("[[channels]]"), "{none}");
        assert!(matches!(without_channel(BEFORE, &name("other")), Err(EditError::NoSuchAccount(_))));
    }

    #[test]
    fn an_account_is_marked_when_a_call_names_an_address() {
        let is_marked = |key: &'static str| ChannelKey::mark_of_caller(["token", key].into_iter()).is_some();
        assert!(ADDRESSES.into_iter().all(is_marked) && !is_marked("profile_id"));
        let is_known = |name: &&str| ChannelKey::named(name).is_some();
        assert!(ADDRESSES.iter().all(is_known) && OF_OWNER.iter().all(is_known));
    }

    #[test]
    fn an_account_is_added_to_a_missing_or_one_line_list() {
        for before in ["", "listen = \"127.0.0.1:1\"", "channels = [{ name = \"a\", channel = \"form\" }]\n"]
        {
            let after = with_channel(before, &name("site"), ChannelKind::Form, &[]).expect("added");
            let named = named_channels(&after).expect("TOML");
            assert_eq!(named.last(), Some(&(name("site"), ChannelKind::Form)), "{after}");
            without_channel(&after, &name("site")).expect("taken out");
        }
        assert!(matches!(
            with_channel("channels = 1", &name("a"), ChannelKind::Form, &[]),
            Err(EditError::NoList)
        ));
    }

    #[test]
    fn invalid_toml_is_named_by_its_line_alone() {
        let error = without_channel("# mine\ntoken = planted secret\n", &name("a")).expect_err("no TOML");
        let message = error.to_string();
        assert!(message.contains("line 2") && !message.contains("planted"), "{message}");
    }

    #[test]
    fn each_key_has_a_form_and_a_meaning() {
        let of = |name: &str| ChannelKey::named(name).expect("a key").form;
        assert_eq!(of("token"), ChannelKeyForm::Secret);
        assert_eq!(
            (of("group_id"), of("old_hook"), of("origins")),
            (ChannelKeyForm::Number, ChannelKeyForm::Flag, ChannelKeyForm::List)
        );
        assert!(ChannelKey::named("name").is_none());
        let key = |name: &str| ChannelKey::named(name).expect("a key");
        assert!(key("gateway").choices.contains(&"smsc") && key("token").choices.is_empty());
        assert!(key("receive").is_of_all() && !key("token").is_of_all());
        assert!(ChannelKey::all().all(|key| !key.meaning.is_empty()));
        assert_eq!(ChannelKey::named("group_id").expect("a key").value("x"), None);
    }
}
