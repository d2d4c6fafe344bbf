//! Old servers of channels: what their `.env` files say, and the accounts and ports that they become. Pure.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::flows::{EnvFile, Named, SecretLocation, Variable};

/// An old server, one for each channel.
#[derive(strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OldServer {
    Avito,
    Whatsapp,
    Vk,
    Max,
    Instagram,
    Form,
}

domain::enum_words!(OldServer);

impl OldServer {
    /// The port that it had.
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Avito => 8765,
            Self::Whatsapp => 8766,
            Self::Vk => 8767,
            Self::Max => 8768,
            Self::Instagram => 8769,
            Self::Form => 8770,
        }
    }

    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Avito => &["avito"],
            Self::Whatsapp => &["whatsapp", "wappi", "wa"],
            Self::Vk => &["vk", "vkontakte"],
            Self::Max => &["max"],
            Self::Instagram => &["instagram", "insta", "ig", "meta", "facebook", "fb"],
            Self::Form => &["form", "forms", "tilda", "quiz"],
        }
    }

    /// The server that some words are about.
    fn of(words: &[String]) -> Option<Self> {
        let mut named = Self::ALL.into_iter().filter(|server| has(words, server.words()));
        named.next().filter(|_| named.next().is_none())
    }
}

/// What a variable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// A key of the account that is a secret.
    Secret(&'static str),
    /// A key of the account that is a text or a number.
    Plain(&'static str),
    /// Where messages were passed on to.
    ForwardTo,
    /// The port of the server.
    Port,
    /// The key of those who call the server.
    PortKey,
    /// It is not needed here: it is made here, or asked for.
    NotNeeded,
}

impl Setting {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret(key) | Self::Plain(key) => key,
            Self::ForwardTo => "forward_to",
            Self::Port => "port",
            Self::PortKey => "key of the port",
            Self::NotNeeded => "not needed",
        }
    }
}

/// A variable that was recognised.
#[derive(Debug)]
pub struct Recognised {
    pub server: OldServer,
    pub named: Named,
    pub setting: Setting,
    /// What it holds, where that is no secret.
    plain: Option<String>,
}

/// What the files say.
#[derive(Debug, Default)]
pub struct OldChannels {
    /// In the order of the channels.
    pub recognised: Vec<Recognised>,
    /// Variables that are not recognised.
    pub unknown: Vec<Named>,
}

/// What files of old servers say. A variable that names no channel is of the one that its file is of.
pub fn survey(files: &[EnvFile]) -> OldChannels {
    let mut found = OldChannels::default();
    for file in files {
        let whole = of_file(file);
        for variable in &file.variables {
            let named = Named { file: file.path.clone(), variable: variable.name.clone() };
            let words = words(&variable.name);
            let own = OldServer::of(&words);
            let server = own.or(whole);
            let setting =
                server.and_then(|server| Some((server, setting(server, &words, own.is_some(), variable)?)));
            match setting {
                Some((server, setting)) => {
                    let is_secret =
                        matches!(setting, Setting::Secret(_) | Setting::PortKey | Setting::NotNeeded);
                    let plain = (!is_secret).then(|| variable.value().trim().to_owned());
                    found.recognised.push(Recognised { server, named, setting, plain });
                }
                None => found.unknown.push(named),
            }
        }
    }
    found.recognised.sort_by_key(|one| one.server);
    found
}

/// The server that a file is of: the one that its name or its folder names, or the only one that its variables name.
fn of_file(file: &EnvFile) -> Option<OldServer> {
    let parts = file.path.components().rev().take(2);
    let parts: Vec<String> = parts.flat_map(|part| words(&part.as_os_str().to_string_lossy())).collect();
    let mut named = file.variables.iter().filter_map(|variable| OldServer::of(&words(&variable.name)));
    let first = named.next();
    OldServer::of(&parts).or_else(|| first.filter(|first| named.all(|other| other == *first)))
}

fn words(name: &str) -> Vec<String> {
    let pieces = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    pieces.filter(|piece| !piece.is_empty()).map(str::to_ascii_lowercase).collect()
}

fn has(words: &[String], wanted: &[&str]) -> bool {
    words.iter().any(|word| wanted.contains(&word.as_str()))
}

fn setting(server: OldServer, words: &[String], names_channel: bool, variable: &Variable) -> Option<Setting> {
    use OldServer::{Avito, Form, Instagram, Max, Vk, Whatsapp};
    let value = variable.value().trim();
    if value.is_empty() {
        return None;
    }
    let has = |wanted: &[&str]| has(words, wanted);
    let (is_url, is_number) =
        (value.starts_with("http://") || value.starts_with("https://"), value.parse::<u32>().is_ok());
    let is_path_of_ours = is_url && value.trim_end_matches('/').ends_with(&format!("/webhook/{server}"));
    let is_key = has(&["key", "apikey"]);
    Some(match server {
        _ if is_path_of_ours => Setting::NotNeeded,
        _ if is_url && has(&["n8n", "forward", "workflow", "target", "webhook", "callback"]) => {
            Setting::ForwardTo
        }
        // What is at an address otherwise is the provider, or the server itself.
        _ if is_url => return None,
        _ if is_number && has(&["port"]) => Setting::Port,
        _ if is_key && has(&["server", "mcp", "service", "internal"]) => Setting::PortKey,
        Avito if has(&["client"]) && has(&["id"]) => Setting::Secret("client_id"),
        Avito if has(&["client"]) && has(&["secret"]) => Setting::Secret("client_secret"),
        Whatsapp if has(&["profile"]) => Setting::Plain("profile_id"),
        Whatsapp if has(&["token"]) || (has(&["wappi"]) && is_key) => Setting::Secret("token"),
        Vk if is_number && has(&["group", "community"]) => Setting::Plain("group_id"),
        Vk if has(&["confirmation", "confirm"]) || (names_channel && has(&["secret"])) => Setting::NotNeeded,
        Instagram if has(&["verify"]) => Setting::Secret("verify_token"),
        Instagram if has(&["secret"]) => Setting::Secret("app_secret"),
        Instagram if has(&["app", "client"]) && has(&["id"]) => Setting::Secret("client_id"),
        Instagram if has(&["token"]) => Setting::Secret("token"),
        Vk | Max if has(&["token"]) && (names_channel || has(&["access", "bot", "group"])) => {
            Setting::Secret("token")
        }
        Avito | Vk | Instagram | Whatsapp
            if is_number && has(&["id"]) && has(&["user", "account", "page"]) =>
        {
            Setting::NotNeeded
        }
        Avito | Whatsapp | Vk | Max | Instagram | Form if is_key && has(&["api", "x", "apikey"]) => {
            Setting::PortKey
        }
        _ => return None,
    })
}

impl OldChannels {
    /// The servers that the files are of.
    pub fn servers(&self) -> impl Iterator<Item = OldServer> {
        OldServer::ALL.into_iter().filter(|server| self.of(*server).next().is_some())
    }

    fn of(&self, server: OldServer) -> impl Iterator<Item = &Recognised> {
        self.recognised.iter().filter(move |one| one.server == server)
    }

    /// The variables that hold secrets which the settings name.
    pub fn secrets(&self) -> impl Iterator<Item = &Recognised> {
        self.recognised.iter().filter(|one| matches!(one.setting, Setting::Secret(_) | Setting::PortKey))
    }

    /// The settings that they become, but those of `known`, which are settings already. `locate` says where a secret will be.
    pub fn text(&self, known: &[OldServer], locate: &dyn Fn(&Recognised) -> SecretLocation) -> String {
        let (mut accounts, mut ports) = (String::new(), String::new());
        for server in self.servers().filter(|server| !known.contains(server)) {
            self.account(server, locate, &mut accounts);
            self.port(server, locate, &mut ports);
        }
        format!("{accounts}{ports}")
    }

    fn account(&self, server: OldServer, locate: &dyn Fn(&Recognised) -> SecretLocation, text: &mut String) {
        let mut line = |line: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{line}");
        };
        line(format!("[[channels]]\nname = \"{server}\"\nchannel = \"{server}\""));
        let mut given: Vec<&str> = Vec::new();
        for one in self.of(server) {
            let value = match (one.setting, &one.plain) {
                (Setting::Secret(key), _) => Some((key, locate(one).as_toml())),
                (Setting::Plain("group_id"), Some(number)) => Some(("group_id", number.clone())),
                (Setting::Plain(key), Some(text)) => Some((key, quoted(text))),
                (Setting::ForwardTo, Some(url)) => Some(("forward_to", quoted(url))),
                _ => None,
            };
            let Some((key, value)) = value.filter(|(key, _)| !given.contains(key)) else { continue };
            given.push(key);
            line(format!("{key} = {value}"));
        }
        if given.contains(&"forward_to") {
            let format = if server == OldServer::Avito { "raw" } else { "legacy" };
            line(format!("forward_format = \"{format}\""));
        }
        if server != OldServer::Form {
            line("receive = \"webhook\"\nold_hook = true".to_owned());
            // Its provider posts to the old server too, whose flows still answer.
            line(format!(
                "\n[[pipeline.rules]]\nchannel = \"{server}\"\naccount = \"{server}\"\nresponder = \"off\""
            ));
        }
        line(String::new());
    }

    fn port(&self, server: OldServer, locate: &dyn Fn(&Recognised) -> SecretLocation, text: &mut String) {
        let mut port = self.of(server).filter(|one| one.setting == Setting::Port);
        let port = port.find_map(|one| one.plain.as_deref()?.parse::<u16>().ok());
        let port = port.unwrap_or(server.usual_port());
        let _ = writeln!(
            text,
            "[[legacy.channel_ports]]\nport = {port}\nchannel = \"{server}\"\naccount = \"{server}\""
        );
        if let Some(key) = self.of(server).find(|one| one.setting == Setting::PortKey) {
            let _ = writeln!(text, "key = {}", locate(key).as_toml());
        }
        text.push('\n');
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The variable of this program's environment that a secret is put into: two old servers have variables of one name.
pub fn variable(found: &OldChannels, one: &Recognised) -> String {
    let name = &one.named.variable;
    let is_alone = found.secrets().filter(|other| other.named.variable == *name).count() == 1;
    if is_alone { name.clone() } else { format!("{}_{name}", one.server.as_str().to_ascii_uppercase()) }
}

/// The file that a secret is put into.
pub fn secret_file(folder: &Path, one: &Recognised) -> PathBuf {
    let key = one.setting.as_str().replace(' ', "-");
    folder.join(format!("{}-{key}", one.server))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(path: &str, text: &str) -> EnvFile {
        EnvFile::read(path.into(), text)
    }

    #[test]
    fn each_old_server_becomes_an_account_and_a_port() {
        let files = [
            file(
                "/old/avito-server/.env",
                "AVITO_CLIENT_ID=planted-a\nAVITO_CLIENT_SECRET=planted-b\nAPI_KEY=planted-c\nPORT=9765\n\
                 N8N_WEBHOOK_URL=https://example.com/webhook/avito-in\nLOG_LEVEL=info\nREDIS_PASSWORD=planted-d",
            ),
            file("/old/wa/.env", "WAPPI_TOKEN=planted-e\nWAPPI_PROFILE_ID=1a2b-3c\nAPI_KEY=planted-f"),
            file("/old/vk/.env", "VK_GROUP_TOKEN=planted-g\nVK_GROUP_ID=100\nVK_CONFIRMATION_CODE=planted-h"),
            file("/old/max.env", "BOT_TOKEN=planted-i\nMAX_PORT=8768"),
            file(
                "/old/ig/.env",
                "INSTAGRAM_ACCESS_TOKEN=planted-j\nAPP_SECRET=planted-k\nVERIFY_TOKEN=planted-l",
            ),
            file("/old/form/.env", "MCP_API_KEY=planted-m\nWEBHOOK_URL=http://127.0.0.1:5678/form"),
        ];
        let found = survey(&files);
        let unknown: Vec<_> = found.unknown.iter().map(|named| named.variable.as_str()).collect();
        assert_eq!(unknown, ["LOG_LEVEL", "REDIS_PASSWORD"]);
        let text = found.text(&[], &|one| SecretLocation::Variable(variable(&found, one)));
        assert!(!text.contains("planted"), "{text}");
        for wanted in [
            "channel = \"avito\"\nclient_id = { env = \"AVITO_CLIENT_ID\" }\nclient_secret = { env = \"AVITO_CLIENT_SECRET\" }\n\
             forward_to = \"https://example.com/webhook/avito-in\"\nforward_format = \"raw\"\n",
            "port = 9765\nchannel = \"avito\"\naccount = \"avito\"\nkey = { env = \"AVITO_API_KEY\" }\n",
            "token = { env = \"WAPPI_TOKEN\" }\nprofile_id = \"1a2b-3c\"\n",
            "port = 8766\nchannel = \"whatsapp\"\naccount = \"whatsapp\"\nkey = { env = \"WHATSAPP_API_KEY\" }\n",
            "token = { env = \"VK_GROUP_TOKEN\" }\ngroup_id = 100\n",
            "channel = \"max\"\ntoken = { env = \"BOT_TOKEN\" }\n",
            "app_secret = { env = \"APP_SECRET\" }\nverify_token = { env = \"VERIFY_TOKEN\" }\n",
            "key = { env = \"MCP_API_KEY\" }\n",
            "[[pipeline.rules]]\nchannel = \"avito\"\naccount = \"avito\"\nresponder = \"off\"\n",
        ] {
            assert!(text.contains(wanted), "{wanted}\n---\n{text}");
        }
        assert!(text.parse::<toml::Table>().is_ok(), "{text}");
    }

    #[test]
    fn a_file_of_several_servers_leaves_what_names_none() {
        let found = survey(&[file("/old/.env", "AVITO_CLIENT_ID=a\nVK_TOKEN=b\nPORT=1\nAPI_KEY=c")]);
        assert_eq!(found.servers().collect::<Vec<_>>(), [OldServer::Avito, OldServer::Vk]);
        assert_eq!(found.unknown.len(), 2);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_no_secret_is_shown(text in "(AVITO_CLIENT_SECRET=planted\n)?\\PC{0,80}") {
            let found = survey(&[file("/old/avito/.env", &text)]);
            let shown = found.text(&[], &|one| SecretLocation::Variable(one.named.variable.clone()));
            prop_assert!(!shown.contains("planted"));
        }
    }
}
