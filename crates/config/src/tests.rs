//! Whole settings: what loads, and what is said when it does not.

use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};

use domain::{Purpose, Service};
use secrecy::ExposeSecret;
use toml::{Table, Value};

use crate::{
    SecretOrigin, SessionSource, Settings, StoreUrl, key_table::KEYS, keys::Presence, settings_reference,
};

mod refusals;

/// A settings file in a folder of its own.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("switchboard.toml"), text).unwrap();
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("switchboard.toml")
    }

    fn load(&self, env: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::load(Some(&self.file()), variables(env))
            .map_err(|error| error.to_string().replace(&self.folder.path().display().to_string(), ""))
    }
}

fn variables(env: &[(&str, &str)]) -> Vec<(String, String)> {
    env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const EXAMPLE: &str = r#"
listen = "127.0.0.1:5099"
trusted_proxies = ["172.17.0.0/16"]

[store]
url = "sqlite:switchboard.db"            # relative to the data directory; or postgres://…

[media]
folder = "media"                          # server paths are read only inside it
allow_private = []                        # CIDRs that media addresses may point to
max_size = "2GB"

[telegram]
probe_every = "20s"
refresh_dialogs_every = "30m"
observer = "@demo_observer"
data_centres = [{ id = 2, address = "127.0.0.1:5097" }]   # left out: Telegram's own

[[telegram.accounts]]
name = "main"
priority = 1
pool = true
api_id = 1000001
api_hash = { env = "MAIN_API_HASH" }
phone = "+70000000001"
sessions = [{ file = "sessions/main.session", for = ["create_chat"] }, { file = "sessions/main_text.session", for = ["send_text"] }]

[[telegram.accounts]]
name = "backup_1"
api_id = 1000002
api_hash = { file = "hash.txt" }
proxy = "socks5://demo:word@127.0.0.1:1080"
sessions = [{ string = "1abcDEF", for = ["leave_chat"] }, { file = "/sessions/backup_1.session" }]

[legacy]
hold = "100s"
join_repeats = "60s"
leave_removes_members = true
leave_own_chats = true
invite_callback = { url = "https://example.com/hook", group_id = "demo" }
ports = [
  { port = 5021, service = "create_chat" },
  { port = 5022, service = "send_text", allow_from = ["10.0.0.0/8"] },
  { port = 5025, service = "create_chat", account = "backup_1" },
]

[events]
allow_private = []
"#;

const EXAMPLE_ENV: [(&str, &str); 1] = [("MAIN_API_HASH", "0123456789abcdef")];

fn example() -> (World, Settings) {
    let world = World::new(EXAMPLE);
    fs::write(world.folder.path().join("hash.txt"), "fedcba9876543210\r\n").unwrap();
    let settings = world.load(&EXAMPLE_ENV).unwrap();
    (world, settings)
}

#[test]
fn the_example_loads() {
    let (world, settings) = example();
    let [main, backup] = settings.telegram.accounts.as_slice() else { panic!("{settings:?}") };
    assert_eq!(main.api_hash.expose_secret(), "0123456789abcdef");
    assert_eq!(backup.api_hash.expose_secret(), "fedcba9876543210");
    assert_eq!((backup.priority, backup.pool, backup.phone.as_deref()), (100, true, None));
    let SessionSource::File(file) = &main.sessions[0].source else { panic!("{main:?}") };
    assert_eq!(*file, world.folder.path().join("sessions/main.session"));
    assert_eq!(main.sessions[1].purposes, [Purpose::SendText]);
    let SessionSource::Text(text) = &backup.sessions[0].source else { panic!("{backup:?}") };
    assert_eq!(text.expose_secret(), "1abcDEF");
    assert_eq!(
        backup.sessions[1].purposes,
        [Purpose::CreateChat, Purpose::SendText, Purpose::SendMedia],
        "a session that names nothing gets the rest"
    );
    assert_eq!(settings.legacy.ports[2].service, Service::CreateChat);
    assert_eq!(settings.legacy.ports[2].account.as_ref().unwrap().as_str(), "backup_1");
    assert_eq!(settings.telegram.data_centres[0].address.port(), 5097);
}

#[test]
fn a_port_may_be_pinned_to_an_account_outside_the_file() {
    let (_world, settings) = example();
    assert_eq!(settings.ports_without_account().count(), 0);
    let world = World::new("legacy.ports = [{ port = 1, service = 'send_text', account = 'later' }]");
    let settings = world.load(&[]).unwrap();
    let found: Vec<_> =
        settings.ports_without_account().map(|(port, account)| (port, account.as_str())).collect();
    assert_eq!(found, [(1, "later")]);
}

#[test]
fn an_empty_file_is_the_defaults() {
    let settings = Settings::load(None, []).unwrap();
    assert_eq!(format!("{settings:?}"), format!("{:?}", Settings::default()));
    assert_eq!(settings.listen.to_string(), "127.0.0.1:5099");
    assert_eq!(settings.limits.body, 1 << 20);
    let empty = World::new("").load(&[]).unwrap();
    assert_eq!(format!("{empty:?}"), format!("{settings:?}"));
}

#[test]
fn the_environment_counts_more() {
    let world = World::new("listen = '127.0.0.1:1'\n[telegram]\nprobe_every = '5s'");
    let settings = world
        .load(&[
            ("SWITCHBOARD_LISTEN", "[::1]:2"),
            ("SWITCHBOARD_LIMITS__REQUESTS_PER_MINUTE_PER_KEY", "60"),
            ("SWITCHBOARD_LEGACY__LEAVE_REMOVES_MEMBERS", "false"),
            ("SWITCHBOARD_LEGACY__INVITE_CALLBACK__URL", "https://example.com/hook"),
            ("SWITCHBOARD_LEGACY__INVITE_CALLBACK__GROUP_ID", "7"),
            ("SWITCHBOARD_STORE__URL", "postgres://demo:word@127.0.0.1/demo"),
            ("SWITCHBOARD_DATA_DIR", "/data"),
            ("SWITCHBOARD_CONFIG", "x"),
            ("SWITCHBOARD_BOOTSTRAP_KEY", "x"),
            ("SWITCHBOARD_ADMIN_PASSWORD", "x"),
            ("SWITCHBOARD_TEST_ANYTHING", "x"),
            ("OTHER", "x"),
        ])
        .unwrap();
    assert_eq!(settings.listen.to_string(), "[::1]:2");
    assert_eq!(settings.telegram.probe_every, Duration::from_secs(5));
    assert_eq!(settings.limits.requests_per_minute_per_key.map(u32::from), Some(60));
    assert!(!settings.legacy.leave_removes_members);
    assert_eq!(settings.legacy.invite_callback.unwrap().group_id, "7");
    assert!(matches!(settings.store.url, StoreUrl::Postgres(_)));
}

#[test]
fn a_variable_of_a_secret_is_no_setting() {
    let world = World::new(concat!(
        "[[telegram.accounts]]\nname = 'main'\napi_id = 1\n",
        "api_hash = { env = 'SWITCHBOARD_MAIN_HASH' }"
    ));
    assert!(world.load(&[("SWITCHBOARD_MAIN_HASH", "abc")]).is_ok());
}

#[test]
fn secrets_are_never_printed() {
    let (_world, mut settings) = example();
    settings.store.url = "postgres://demo:word@127.0.0.1/demo".parse().unwrap();
    let printed = format!("{settings:?} {settings:#?} {}", toml::to_string(&settings).unwrap());
    for secret in ["0123456789abcdef", "fedcba9876543210", "1abcDEF", "word"] {
        assert!(!printed.contains(secret), "{secret}");
    }
}

#[test]
fn written_settings_load_again() {
    let (_world, mut settings) = example();
    settings.store.url = "postgres://demo:word@127.0.0.1/demo".parse().unwrap();
    let text = settings.to_toml_with_secrets().unwrap();
    let again = World::new(&text).load(&[]).unwrap();
    assert_eq!(again.to_toml_with_secrets().unwrap(), text);
    assert!(text.contains("1abcDEF") && text.contains("demo:word@127.0.0.1:1080"));
}

/// The paths of all values in a table, list items without their numbers.
fn paths(table: &Table, path: &str, found: &mut BTreeSet<String>) {
    for (name, value) in table {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let sections = value.as_array().into_iter().flatten().filter_map(Value::as_table).collect::<Vec<_>>();
        match value {
            Value::Table(inner) => paths(inner, &path, found),
            _ if !sections.is_empty() => {
                for inner in sections {
                    paths(inner, &format!("{path}[]"), found);
                }
            }
            _ => {
                found.insert(path);
            }
        }
    }
}

/// The key that cannot be there with all the others.
const NOT_BESIDE_A_BUCKET: &str = "backup.copy.folder";

/// A file that has each other key of the table with its example.
fn all_examples() -> String {
    let mut text = String::new();
    for key in KEYS.iter().filter(|key| !key.path.contains("[]") && key.path != NOT_BESIDE_A_BUCKET) {
        text.push_str(&[key.path, " = ", &key.example(), "\n"].concat());
    }
    for list in
        ["telegram.data_centres", "telegram.accounts", "legacy.ports", "pipeline.rules", "pipeline.notify"]
    {
        text.push_str(&["[[", list, "]]\n"].concat());
        for key in KEYS.iter() {
            let Some(name) = key.path.strip_prefix(list).and_then(|rest| rest.strip_prefix("[].")) else {
                continue;
            };
            match name {
                "sessions[].file" => {
                    text.push_str("sessions = [{ file = 'a', for = ['send_text'] }, { string = 'b' }]\n");
                }
                "account" => text.push_str("account = 'main'\n"),
                // The one service that has all keys of a port.
                "service" => text.push_str("service = 'create_chat'\n"),
                "api_hash" => text.push_str("api_hash = 'abc'\n"),
                _ if name.contains("[]") => {}
                _ => text.push_str(&[name, " = ", &key.example(), "\n"].concat()),
            }
        }
    }
    text.push_str(TARGETS);
    text.push_str(WEBHOOKS);
    text.push_str(FLOWS);
    text.push_str(CONTROL_BOTS);
    text.push_str(CHANNELS);
    text
}

/// Accounts of channels that have each key between them, and the port of an old server.
const CHANNELS: &str = "
[[channels]]
name = 'shop'
channel = 'avito'
client_id = 'made-up'
client_secret = 'made-up'
receive = 'poll'
hook_secret = 'made-up'
old_hook = true
forward_to = 'http://127.0.0.1:5678/webhook/in'
forward_format = 'raw'
api = 'https://api.avito.ru'
proxy = 'socks5://127.0.0.1:1080'
ca_file = 'root.pem'
named_by_caller = true
[[channels]]
name = 'chat'
channel = 'whatsapp'
token = 'made-up'
profile_id = 'a-1'
receive = 'off'
expect = 'https://example.com/hook'
[[channels]]
name = 'bot'
channel = 'telegram'
token = 'made-up'
business_accounts = ['5000000001']
direct_message_channels = ['-1001234567890']
[[channels]]
name = 'club'
channel = 'vk'
token = 'made-up'
group_id = 101
[[channels]]
name = 'photos'
channel = 'instagram'
token = 'made-up'
app_secret = 'made-up'
verify_token = 'made-up'
[[channels]]
name = 'site'
channel = 'form'
origins = ['https://example.com']
[[channels]]
name = 'texts_out'
channel = 'sms'
gateway = 'smsc'
login = 'demo'
sender = '+70000000001'
smpp = 'smpp://127.0.0.1:2775'
request = 'to={to}&text={text}'
success = '/status=ok'
message_id = '/id'
[[channels]]
name = 'mail'
channel = 'email'
address = 'shop@example.com'
reply_to = 'help@example.com'
smtp = 'smtps://mail.example.com:465'
imap = 'imaps://mail.example.com:993'
folder = 'INBOX'
authserv_id = 'mx.example.com'
[[legacy.channel_ports]]
port = 8765
channel = 'avito'
account = 'shop'
listen = '127.0.0.1'
allow_from = ['10.0.0.0/8']
key = 'any shape / 1'
repeats = '10m'
";

/// A control bot of each kind.
const CONTROL_BOTS: &str = "
[[control_bots]]
name = 'owner'
token = '123:planted-in-token'
people = [2001]
webhook = 'https://switchboard.example.com'
api = 'https://api.telegram.org'
[[control_bots]]
name = 'texts'
account = 'main'
people = [2001, 2002]
language = 'ru'
";

/// Flows that have each key between them.
const FLOWS: &str = "
[[flows]]
name = 'trip'
account = 'main'
watch = '@demo_trips_bot'
from = ['bots']
trigger = { text = 'trip', regex = 'from (?P<from>.+)', keywords = ['trip'], has_button = 'Book' }
active = '06:00-23:30 Europe/Moscow'
fresh = '10s'
limits = { per_hour = 6, cooldown = '30s', stop_after = 3 }
steps = [
    { press = { text = 'Book' }, within = '5s', expect = { text = 'places', within = '5s' }, on_fail = 'restart' },
    { press = { contains = '{from}' }, expect = { regex = 'booked' } },
    { press = { regex = 'Yes' } },
    { press = { position = [1, 2] } },
    { press = { keywords = ['window'] } },
    { press = { first = true } },
    { send = '/trips' },
    { wait = { text = 'free' } },
    { wait = { regex = 'free' } },
]
[[flows]]
name = 'two'
accounts = ['main']
watch = '5000000003'
trigger = { text = 'x' }
steps = [{ send = 'y' }]
";

/// A target of each kind: no single one has all the keys.
const TARGETS: &str = "
[[alerts.targets]]
name = 'chat'
kind = 'telegram'
chat = '@demo_main'
account = 'main'
[[alerts.targets]]
name = 'hook'
kind = 'webhook'
url = 'https://example.com/hook/planted-in-url'
secret = 'planted-in-secret'
[[alerts.targets]]
name = 'mail'
kind = 'email'
smtp = 'smtps://demo:planted-in-smtp@mail.example.com'
from = 'alerts@example.com'
to = ['owner@example.com']
";

/// A webhook of each provider: no single one has all the keys.
const WEBHOOKS: &str = "
[[doctor.webhooks]]
name = 'bot'
provider = 'telegram'
expect = 'https://example.com/planted-in-expect'
token = '1:planted-in-token'
api = 'http://telegram-bot-api:8081'
[[doctor.webhooks]]
name = 'seller'
provider = 'avito'
expect = 'https://example.com/planted-in-expect'
client_id = 'planted-in-id'
client_secret = 'planted-in-secret'
[[doctor.webhooks]]
name = 'community'
provider = 'vk'
expect = 'https://example.com/planted-in-expect'
token = 'planted-in-token'
group_id = 100
[[doctor.webhooks]]
name = 'number'
provider = 'wappi'
expect = 'https://example.com/planted-in-expect'
token = 'planted-in-token'
profile_id = '1a2b'
";

#[test]
fn provider_webhooks_are_read_with_their_secret_sources() {
    let settings = World::new(WEBHOOKS).load(&[]).unwrap();
    let shown = format!("{settings:?}{}", toml::to_string(&settings).unwrap());
    assert!(!shown.contains("planted"), "{shown}");
    let written = settings.to_toml_with_secrets().unwrap();
    assert_eq!(written.matches("planted").count(), 9, "{written}");
    assert_eq!(World::new(&written).load(&[]).unwrap().to_toml_with_secrets().unwrap(), written);
    assert_eq!(settings.doctor.webhooks[0].token_origin, SecretOrigin::Written);
    assert_eq!(settings.doctor.webhooks[0].api(), "http://telegram-bot-api:8081");
    // Its name in an older program.
    assert_eq!(settings.doctor.webhooks[3].provider, crate::WebhookProvider::Whatsapp);
    assert!(written.contains("provider = \"whatsapp\""), "{written}");
    assert_eq!(settings.doctor.webhooks[1].api(), "https://api.avito.ru");

    let world = World::new(
        "[[doctor.webhooks]]\nname = 'bot'\nprovider = 'max'\nexpect = { file = 'hook.txt' }\n\
         token = { env = 'BOT_TOKEN' }",
    );
    let file = world.folder.path().join("hook.txt");
    fs::write(&file, "https://example.com/hook\n").unwrap();
    let settings = world.load(&[("BOT_TOKEN", "word")]).unwrap();
    let webhook = &settings.doctor.webhooks[0];
    assert_eq!(webhook.expect.expose_secret(), "https://example.com/hook");
    assert_eq!(webhook.expect_origin, SecretOrigin::File(file));
    assert_eq!(webhook.token_origin, SecretOrigin::Variable("BOT_TOKEN".to_owned()));
}

#[test]
fn incomplete_or_repeated_webhooks_are_refused_by_field() {
    let hook = |name: &str, rest: &str| {
        format!("[[doctor.webhooks]]\nname = '{name}'\nexpect = 'https://example.com/hook'\n{rest}\n")
    };
    let max = |name: &str| hook(name, "provider = 'max'\ntoken = 'planted'");
    for (text, expected) in [
        (
            hook("a", "provider = 'max'"),
            "`doctor.webhooks[0].token` is missing: webhooks of max need the token",
        ),
        (
            hook("a", "provider = 'max'\ntoken = 'planted'\nprofile_id = 'x'"),
            ":6:14: `doctor.webhooks[0].profile_id` belongs to webhooks of whatsapp; this one is of max, take it out",
        ),
        (
            hook("a", "provider = 'avito'\ntoken = 'planted'"),
            "`doctor.webhooks[0].token` belongs to webhooks of telegram, max, vk, whatsapp; this one is of avito",
        ),
        (
            hook("a", "provider = 'instagram'"),
            "telegram, avito, max, vk, whatsapp, such as \"telegram\"; found \"instagram\"",
        ),
        (
            hook("a", "provider = 'telegram_bot'\ntoken = 'planted'"),
            "`doctor.webhooks[0].token` is of another form",
        ),
        (
            hook("a", "provider = 'max'\ntoken = 'planted'\napi = 'http://api.example.com'"),
            "`doctor.webhooks[0].api` must be an https address without a name",
        ),
        (
            "[[doctor.webhooks]]\nname = 'a'\nprovider = 'max'\ntoken = 'planted'".to_owned(),
            "`doctor.webhooks[0].expect` is missing: Where the provider should send what customers write.",
        ),
        (
            "[[doctor.webhooks]]\nname = 'a'\nprovider = 'max'\ntoken = 'planted'\nexpect = 'planted'"
                .to_owned(),
            "`doctor.webhooks[0].expect` must be an http or https address, such as { env = \"SHOP_BOT_HOOK\" }; found a \
             text of another form",
        ),
        (
            [max("a"), max("a")].concat(),
            "`doctor.webhooks[1].name` is \"a\", as is that of `doctor.webhooks[0]`; names must differ",
        ),
        (
            [max("a"), max("b")].concat(),
            "`doctor.webhooks[1].token` is that of `doctor.webhooks[0]` too, and a provider is asked once; keep one",
        ),
    ] {
        let message = World::new(&text).load(&[]).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
        assert!(!message.contains("planted"), "{text}: {message}");
    }
    let other = hook("b", "provider = 'max'\ntoken = 'planted'\napi = 'https://api.example.com'");
    assert!(World::new(&[max("a"), other].concat()).load(&[]).is_ok(), "another place, another account");
}

#[test]
fn alert_targets_are_read_and_their_secrets_stay_hidden() {
    let settings = World::new(TARGETS).load(&[]).unwrap();
    assert!(settings.alerts.targets.iter().all(|target| target.check().is_ok()));
    assert_eq!(settings.alerts.remind_every, Duration::from_hours(6));
    let shown = format!("{settings:?}{}", toml::to_string(&settings).unwrap());
    assert!(!shown.contains("planted"), "{shown}");
    let written = settings.to_toml_with_secrets().unwrap();
    assert_eq!(written.matches("planted").count(), 3, "{written}");
    assert_eq!(World::new(&written).load(&[]).unwrap().to_toml_with_secrets().unwrap(), written);
}

#[test]
fn a_target_that_is_not_whole_is_refused_by_its_fields() {
    let refused = |text: &str| World::new(text).load(&[]).unwrap_err();
    let named = |fields: &str| format!("[[alerts.targets]]\nname = 'a'\n{fields}\n");
    for (text, expected) in [
        (named("kind = 'telegram'"), "`alerts.targets[0].chat` is missing"),
        (
            named("kind = 'webhook'\nchat = '@demo_main'\nurl = 'https://example.com'"),
            "belongs to targets of kind telegram",
        ),
        (
            named("kind = 'email'\nsmtp = 'smtps://mail.example.com'\nfrom = 'a@example.com'"),
            "must be a list of 1 to 20 mailboxes",
        ),
        (named("kind = 'pager'"), "telegram, webhook, email"),
        (
            [
                named("kind = 'webhook'\nurl = 'https://example.com'"),
                named("kind = 'telegram'\nchat = '@demo_main'"),
            ]
            .concat(),
            "names must differ",
        ),
        ("alerts.remind_every = '10s'".to_owned(), "is shorter than 5m"),
    ] {
        let message = refused(&text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn the_table_of_keys_is_what_the_settings_have() {
    let secrets = ["INVITE_HOOK_SECRET", "BACKUP_KEY_ID", "BACKUP_SECRET_KEY", "AI_KEY", "ANSWER_SECRET"];
    let mut given = secrets.map(|name| (name, "made-up-made-up-")).to_vec();
    given.push(("REDIS_URL", "redis://:word@127.0.0.1/4"));
    let settings = World::new(&all_examples()).load(&given).unwrap();
    let written = settings.to_toml_with_secrets().unwrap();
    assert!(!written.contains("[REDACTED]"), "{written}");
    let mut found = BTreeSet::from([NOT_BESIDE_A_BUCKET.to_owned()]);
    paths(&Table::try_from(&settings).unwrap(), "", &mut found);
    let known: BTreeSet<String> = KEYS.iter().map(|key| key.path.to_owned()).collect();
    assert_eq!(found, known);
}

#[test]
fn each_default_and_example_is_taken() {
    for key in KEYS.iter() {
        let texts = match key.presence {
            Presence::Default(text) => vec![text(), key.example()],
            Presence::Required | Presence::Optional => vec![key.example()],
        };
        for text in texts {
            let table: Table = format!("x = {text}").parse().unwrap();
            let values = table["x"].as_array().cloned().unwrap_or_else(|| vec![table["x"].clone()]);
            let fits = |value: &Value| key.kind.accepts(value) || (key.kind.is_secret() && value.is_table());
            assert!(values.iter().all(fits), "{}: {text}", key.path);
            assert_eq!(table["x"].is_array(), key.kind.is_list(), "{}: {text}", key.path);
        }
    }
}

#[test]
fn the_reference_names_every_key() {
    let reference = settings_reference();
    assert_eq!(reference.lines().count(), KEYS.len() + 2);
    assert!(reference.contains(
        "| `telegram.probe_every` | `SWITCHBOARD_TELEGRAM__PROBE_EVERY` | a length of time from 1s to 10m | `\"20s\"` |"
    ));
    assert!(reference.contains(
        "| `legacy.ports[].service` |  | one of create_chat, send_text, send_media, leave_chat | required |"
    ));
}

#[test]
fn settings_are_tried_on_a_demo_world_without_their_accounts() {
    let world = World::new(
        r#"
[telegram]
observer = "@demo_observer"
data_centres = [{ id = 2, address = "127.0.0.1:5097" }]
[[telegram.accounts]]
name = "main"
api_id = 1000001
api_hash = "0123456789abcdef0123456789abcdef"
[[channels]]
name = "site"
channel = "form"
[pipeline]
enabled = true
[legacy]
ports = [{ port = 5022, service = "send_text" }]
channel_ports = [{ port = 8770, channel = "form" }]
"#,
    );
    let mine = |text: &str| {
        let mine = World::new(text);
        let loaded = Settings::load_for_world(&mine.file(), &world.file(), variables(&[]));
        loaded.map(|(settings, _)| settings).map_err(|error| error.to_string())
    };
    let settings = mine(
        r#"
[media]
max_size = "1MB"
[telegram]
probe_every = "7s"
[[telegram.accounts]]
name = "ours"
api_id = 5
api_hash = "0123456789abcdef0123456789abcdef"
sessions = [{ file = "is/not/here.session" }]
[[channels]]
name = "shop"
channel = "telegram"
token = { file = "is/not/here.txt" }
[legacy]
join_repeats = "9s"
channel_ports = [{ port = 8765, channel = "avito" }]
"#,
    );
    let settings = settings.expect("settings");
    assert_eq!(settings.telegram.probe_every, Duration::from_secs(7));
    assert_eq!(settings.telegram.accounts.len(), 1);
    assert_eq!(settings.telegram.accounts[0].name.as_str(), "main");
    assert_eq!(settings.telegram.data_centres.len(), 1);
    assert_eq!(settings.telegram.observer.as_deref(), Some("@demo_observer"));
    assert_eq!((settings.legacy.ports.len(), settings.legacy.join_repeats), (1, Duration::from_secs(9)));
    let channels: Vec<_> = settings.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!((channels, settings.legacy.channel_ports[0].port), (vec!["site"], 8770));
    assert!(
        settings.pipeline.enabled
            && !mine("[pipeline]\nenabled = false\n").expect("settings").pipeline.enabled
    );
    let legacy = mine("[legacy]\nports = []\n").expect("settings").legacy;
    assert!(legacy.ports.is_empty() && legacy.channel_ports.is_empty());
    assert!(mine("[media]\nmax_size = \"much\"\n").expect_err("wrong").contains("max_size"));
}
