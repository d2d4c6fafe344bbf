//! The table of all keys: what each takes, its default, an example and its meaning.

use std::net::{IpAddr, SocketAddr};

use domain::account::{AccountName, PRIORITIES, SendingLimits};
use domain::{ChatRef, Username};
use ipnet::IpNet;

use crate::{
    alerts::{AlertTargetKind, SmtpAddress, mailbox, target_name, webhook_secret},
    doctor::{API_WANTED, WebhookProvider, api_address},
    legacy::{LegacyService, is_header},
    proxy::ProxyAddress,
    repeats,
    settings::{LogFormat, LogLevel},
    shape::{Shape, http_url, not_blank, one_word, phone, reads, rsa_public_key},
    store::StoreUrl,
    telegram::PrivateDialogs,
};

/// One key. Lists of sections are written `[]`; default and example are TOML.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) path: &'static str,
    pub(crate) shape: Shape,
    pub(crate) presence: Presence,
    pub(crate) example: &'static str,
    pub(crate) meaning: &'static str,
}

/// What holds when a key is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Its section cannot do without it.
    Required,
    /// Nothing is set.
    Optional,
    /// This value.
    Default(&'static str),
}

use Presence::{Default, Optional, Required};

const PURPOSES: [&str; 4] = LegacyService::NAMES;

const SIGNING_SECRET: &str = "whsec_ and a key in base64, or one word of 16 characters or more";

const NETWORKS: Shape = Shape::Words { what: "a network such as \"10.0.0.0/8\"", accepts: reads::<IpNet> };

/// How many messages an account may send.
const LIMIT: Shape =
    Shape::Integer { min: *SendingLimits::RANGE.start() as i64, max: *SendingLimits::RANGE.end() as i64 };

/// The greatest file that Telegram takes from an account: 4,000 parts of 512 KiB.
pub const GREATEST_FILE: &str = "2000MiB";

const fn key(
    path: &'static str,
    shape: Shape,
    presence: Presence,
    example: &'static str,
    meaning: &'static str,
) -> Key {
    Key { path, shape, presence, example, meaning }
}

/// All keys, section by section.
pub(crate) const KEYS: &[Key] = &[
    key(
        "listen",
        Shape::Word { what: "an address and a port", accepts: reads::<SocketAddr> },
        Default("\"127.0.0.1:5099\""),
        "\"127.0.0.1:5099\"",
        "Where the dashboard and the API listen.",
    ),
    key(
        "trusted_proxies",
        NETWORKS,
        Default("[]"),
        "[\"172.17.0.0/16\"]",
        "The proxies whose word about a client's address is taken.",
    ),
    key(
        "store.url",
        Shape::Secret {
            what: "sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE",
            accepts: reads::<StoreUrl>,
        },
        Default("\"sqlite:switchboard.db\""),
        "\"sqlite:switchboard.db\"",
        "Where the store is; a relative file is relative to the data directory.",
    ),
    key(
        "backup.every",
        Shape::Duration { min: "0s", max: "30d" },
        Default("\"1d\""),
        "\"1d\"",
        "How often the running program makes a backup; 0s for never by itself.",
    ),
    key(
        "backup.keep",
        Shape::Integer { min: 1, max: 1000 },
        Default("7"),
        "7",
        "How many backups are kept; older ones are removed, but never the last that was proven.",
    ),
    key(
        "backup.folder",
        Shape::Word { what: "the path of a folder", accepts: not_blank },
        Default("\"backups\""),
        "\"backups\"",
        "Where backups lie; a relative folder is relative to the data directory.",
    ),
    key(
        "media.folder",
        Shape::Word { what: "the path of a folder", accepts: not_blank },
        Default("\"media\""),
        "\"media\"",
        "Server paths are read only inside this folder; a relative one is relative to the data directory.",
    ),
    key(
        "media.allow_private",
        NETWORKS,
        Default("[]"),
        "[\"10.0.0.0/8\"]",
        "Private networks that media addresses may point to.",
    ),
    key(
        "media.max_size",
        Shape::Size { min: "1KB", max: GREATEST_FILE },
        Default("\"2GB\""),
        "\"2GB\"",
        "The greatest file; Telegram takes none of more than 2000MiB.",
    ),
    key(
        "media.answer_within",
        Shape::Duration { min: "1s", max: "5m" },
        Default("\"20s\""),
        "\"20s\"",
        "How long the server of a media address may take to begin its answer.",
    ),
    key(
        "media.silence",
        Shape::Duration { min: "1s", max: "10m" },
        Default("\"30s\""),
        "\"30s\"",
        "How long a file on its way in may bring nothing before it is given up.",
    ),
    key(
        "media.file_within",
        Shape::Duration { min: "1s", max: "1d" },
        Default("\"30m\""),
        "\"30m\"",
        "How long one file may take on its way in.",
    ),
    key(
        "media.addresses_within",
        Shape::Duration { min: "1s", max: "1h" },
        Default("\"100s\""),
        "\"100s\"",
        "How long a call of `POST /v1/messages` is kept for the files that it names by address; larger ones are sent \
         ahead with `POST /v1/uploads`.",
    ),
    key(
        "media.uploads_keep",
        Shape::Duration { min: "1m", max: "30d" },
        Default("\"24h\""),
        "\"24h\"",
        "How long an upload is kept for messages to name it.",
    ),
    key(
        "media.uploads_max_size",
        Shape::Size { min: "1KB", max: "1TB" },
        Default("\"4GB\""),
        "\"4GB\"",
        "The most that all uploads kept may have together.",
    ),
    key(
        "telegram.probe_every",
        Shape::Duration { min: "1s", max: "10m" },
        Default("\"20s\""),
        "\"20s\"",
        "After how long without an answered call an account makes one, to know that it is alive.",
    ),
    key(
        "telegram.refresh_dialogs_every",
        Shape::Duration { min: "1m", max: "7d" },
        Default("\"30m\""),
        "\"30m\"",
        "How often an account reads its dialogs again.",
    ),
    key(
        "telegram.observer",
        Shape::Word { what: "a username", accepts: reads::<Username> },
        Optional,
        "\"@demo_observer\"",
        "Who is invited to the chats that backup accounts create.",
    ),
    key(
        "telegram.private_dialogs",
        Shape::Choice(&PrivateDialogs::NAMES),
        Default("\"move_when_lost\""),
        "\"move_when_lost\"",
        "What becomes of a private dialog whose account cannot go on: it stays, it moves to another account when its own is banned, deactivated or signed out by Telegram, or it also moves when its own must wait, is paused, stopped or frozen for longer than legacy.hold.",
    ),
    key(
        "telegram.allow_private_proxies",
        NETWORKS,
        Default("[]"),
        "[\"127.0.0.0/8\"]",
        "Private networks that a proxy may be in which is named over the API, on a page or by a command; those that this file names need none.",
    ),
    key(
        "telegram.data_centres[].id",
        Shape::Integer { min: 1, max: 5 },
        Required,
        "2",
        "The number of a data centre. Without any, Telegram's own addresses are used.",
    ),
    key(
        "telegram.data_centres[].address",
        Shape::Word { what: "an address and a port", accepts: reads::<SocketAddr> },
        Required,
        "\"127.0.0.1:5097\"",
        "Where that data centre is.",
    ),
    key(
        "telegram.server_keys",
        Shape::Words {
            what: "an RSA public key that begins with BEGIN RSA PUBLIC KEY",
            accepts: rsa_public_key,
        },
        Default("[]"),
        "[\"-----BEGIN RSA PUBLIC KEY-----…\"]",
        "Further keys that a data centre may show at a sign-in; Telegram's own is known.",
    ),
    key(
        "telegram.accounts[].name",
        Shape::Word { what: "1 to 64 of the letters a-z, digits, _ and -", accepts: reads::<AccountName> },
        Required,
        "\"main\"",
        "Your name for the account.",
    ),
    key(
        "telegram.accounts[].priority",
        Shape::Integer { min: *PRIORITIES.start() as i64, max: *PRIORITIES.end() as i64 },
        Default("100"),
        "1",
        "Accounts with lower numbers are used first.",
    ),
    key(
        "telegram.accounts[].pool",
        Shape::Bool,
        Default("true"),
        "true",
        "Whether calls that name no account may use it.",
    ),
    key(
        "telegram.accounts[].messages_per_hour",
        LIMIT,
        Optional,
        "30",
        "How many messages it may send within any hour. Further ones wait, or go through another account.",
    ),
    key("telegram.accounts[].messages_per_day", LIMIT, Optional, "300", "The same within any 24 hours."),
    key(
        "telegram.accounts[].api_id",
        Shape::Integer { min: 1, max: i32::MAX as i64 },
        Required,
        "1000001",
        "The application's number, from my.telegram.org.",
    ),
    key(
        "telegram.accounts[].api_hash",
        Shape::Secret { what: "one word", accepts: one_word },
        Required,
        "{ env = \"MAIN_API_HASH\" }",
        "The application's secret, from my.telegram.org.",
    ),
    key(
        "telegram.accounts[].phone",
        Shape::Word { what: "a phone number with + and country code", accepts: phone },
        Optional,
        "\"+70000000001\"",
        "The phone number, for signing in.",
    ),
    key(
        "telegram.accounts[].proxy",
        Shape::Secret {
            what: "socks5://HOST:PORT or socks5://USER:PASSWORD@HOST:PORT (other proxies are not spoken)",
            accepts: reads::<ProxyAddress>,
        },
        Optional,
        "\"socks5://127.0.0.1:1080\"",
        "The proxy to connect through.",
    ),
    key(
        "telegram.accounts[].sessions[].file",
        Shape::File,
        Optional,
        "\"sessions/main.session\"",
        "A session file of Telethon, Pyrogram, Kurigram or grammers; which one it is, is seen in it. A session has either `file` or `string`.",
    ),
    key(
        "telegram.accounts[].sessions[].string",
        Shape::Secret { what: "a session string", accepts: one_word },
        Optional,
        "{ file = \"main.session.txt\" }",
        "A session string of Telethon, Pyrogram or Kurigram.",
    ),
    key(
        "telegram.accounts[].sessions[].for",
        Shape::Choices(&PURPOSES),
        Optional,
        "[\"create_chat\"]",
        "What the session is used for; left out: all that no other session of the account names.",
    ),
    key(
        "legacy.hold",
        Shape::Duration { min: "1s", max: "10m" },
        Default("\"100s\""),
        "\"100s\"",
        "How long a caller of a legacy port is kept waiting.",
    ),
    key(
        "legacy.join_repeats",
        Shape::Duration { min: "0s", max: "1d" },
        Default("\"60s\""),
        "\"60s\"",
        "How long the same body joins a call that ended in doubt or whose answer was never read.",
    ),
    key(
        "legacy.leave_removes_members",
        Shape::Bool,
        Default("true"),
        "true",
        "Whether leaving a chat on a legacy port removes its other members first.",
    ),
    key(
        "legacy.leave_own_chats",
        Shape::Bool,
        Default("true"),
        "true",
        "Whether a legacy port empties and leaves chats that the leaving account owns too; `false` refuses it before anyone is removed.",
    ),
    key(
        "legacy.invite_callback.url",
        Shape::Word { what: "an http or https address", accepts: http_url },
        Required,
        "\"https://example.com/hook\"",
        "Who is told about the invite link of a chat that was created for a client.",
    ),
    key(
        "legacy.invite_callback.group_id",
        Shape::Word { what: "a text", accepts: not_blank },
        Required,
        "\"demo\"",
        "The group that the receiver of the callback wants to be told.",
    ),
    key(
        "legacy.invite_callback.secret",
        Shape::Secret { what: SIGNING_SECRET, accepts: webhook_secret },
        Optional,
        "{ env = \"INVITE_HOOK_SECRET\" }",
        "What posts are signed with, as Standard Webhooks do (header `webhook-signature`).",
    ),
    key(
        "legacy.invite_callback.header",
        Shape::Secret { what: "a header, its name, a colon and its value", accepts: is_header },
        Optional,
        "\"X-Token: made-up\"",
        "A header that each post carries, such as the one that a webhook of n8n asks for.",
    ),
    key(
        "legacy.ports[].port",
        Shape::Integer { min: 0, max: 65535 },
        Required,
        "5022",
        "The number of a legacy port; 0 takes any that is free.",
    ),
    key(
        "legacy.ports[].service",
        Shape::Choice(&LegacyService::NAMES),
        Required,
        "\"send_text\"",
        "What the port does.",
    ),
    key(
        "legacy.ports[].listen",
        Shape::Word { what: "an address without a port", accepts: reads::<IpAddr> },
        Default("\"127.0.0.1\""),
        "\"127.0.0.1\"",
        "The address it listens on; beyond loopback it needs `allow_from` or `key_required`.",
    ),
    key(
        "legacy.ports[].account",
        Shape::Word { what: "the name of an account", accepts: reads::<AccountName> },
        Optional,
        "\"backup_1\"",
        "The one account it uses.",
    ),
    key(
        "legacy.ports[].allow_from",
        NETWORKS,
        Default("[]"),
        "[\"10.0.0.0/8\"]",
        "The networks whose callers it answers; empty means any that reach it.",
    ),
    key(
        "legacy.ports[].key_required",
        Shape::Bool,
        Default("false"),
        "true",
        "Whether its callers need an API key.",
    ),
    key(
        "legacy.ports[].invite_callback_url",
        Shape::Word { what: "an http or https address", accepts: http_url },
        Optional,
        "\"https://example.com/hook\"",
        "Who is told about the invite links of this port's chats instead of `legacy.invite_callback.url`.",
    ),
    key(
        "legacy.ports[].repeats",
        Shape::Duration { min: repeats::SHORTEST, max: repeats::LONGEST },
        Optional,
        "\"10m\"",
        "For how long the same body, sent without an `Idempotency-Key`, is a repeat and not a new request; left out: never.",
    ),
    key(
        "events.allow_private",
        NETWORKS,
        Default("[]"),
        "[\"10.0.0.0/8\"]",
        "Private networks that webhooks may point to.",
    ),
    key(
        "alerts.remind_every",
        Shape::Duration { min: "0s", max: "30d" },
        Default("\"6h\""),
        "\"6h\"",
        "How long after an alert was told its targets are reminded of it, again and again; 0s for never.",
    ),
    key(
        "alerts.targets[].name",
        Shape::Word { what: "1 to 64 of the letters a-z, digits, _ and -", accepts: target_name },
        Required,
        "\"owner\"",
        "Your name for a person or system that is notified when something stays broken.",
    ),
    key(
        "alerts.targets[].kind",
        Shape::Choice(&AlertTargetKind::NAMES),
        Required,
        "\"webhook\"",
        "What it is; the other keys depend on it.",
    ),
    key(
        "alerts.targets[].chat",
        Shape::Word { what: "the id of a chat or a username", accepts: reads::<ChatRef> },
        Optional,
        "\"@demo_main\"",
        "`telegram`: the chat.",
    ),
    key(
        "alerts.targets[].account",
        Shape::Word { what: "the name of an account", accepts: reads::<AccountName> },
        Optional,
        "\"backup_1\"",
        "`telegram`: the account that writes there, unless the alert is about it; left out: any that can.",
    ),
    key(
        "alerts.targets[].url",
        Shape::Secret { what: "an http or https address", accepts: http_url },
        Optional,
        "{ env = \"ALERT_HOOK\" }",
        "`webhook`: where alerts are posted to, as JSON.",
    ),
    key(
        "alerts.targets[].secret",
        Shape::Secret { what: SIGNING_SECRET, accepts: one_word },
        Optional,
        "{ env = \"ALERT_HOOK_SECRET\" }",
        "`webhook`: what posts are signed with, as Standard Webhooks do (header `webhook-signature`).",
    ),
    key(
        "alerts.targets[].smtp",
        Shape::Secret {
            what: "smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST (STARTTLS) or smtp+plain://127.0.0.1:PORT",
            accepts: reads::<SmtpAddress>,
        },
        Optional,
        "{ env = \"ALERT_SMTP\" }",
        "`email`: the server that takes the mail.",
    ),
    key(
        "alerts.targets[].from",
        Shape::Word { what: "the address of a mailbox", accepts: mailbox },
        Optional,
        "\"alerts@example.com\"",
        "`email`: the sender.",
    ),
    key(
        "alerts.targets[].to",
        Shape::Words { what: "the address of a mailbox such as \"owner@example.com\"", accepts: mailbox },
        Optional,
        "[\"owner@example.com\"]",
        "`email`: who gets it.",
    ),
    key(
        "doctor.webhooks[].name",
        Shape::Word { what: "1 to 64 of the letters a-z, digits, _ and -", accepts: target_name },
        Required,
        "\"shop_bot\"",
        "Your name for a webhook; `switchboard doctor` asks the provider whether it is registered where it should be.",
    ),
    key(
        "doctor.webhooks[].provider",
        Shape::Choice(&WebhookProvider::NAMES),
        Required,
        "\"telegram_bot\"",
        "Who is to send there; the other keys depend on it.",
    ),
    key(
        "doctor.webhooks[].expect",
        Shape::Secret { what: "an http or https address", accepts: http_url },
        Required,
        "{ env = \"SHOP_BOT_HOOK\" }",
        "Where the provider should send what customers write.",
    ),
    key(
        "doctor.webhooks[].token",
        Shape::Secret { what: "one word", accepts: one_word },
        Optional,
        "{ env = \"SHOP_BOT_TOKEN\" }",
        "`telegram_bot`, `max`: the token of the bot; `vk`: an access key of the community with the right `manage`; `wappi`: the token of the cabinet.",
    ),
    key(
        "doctor.webhooks[].client_id",
        Shape::Secret { what: "one word", accepts: one_word },
        Optional,
        "{ env = \"AVITO_CLIENT_ID\" }",
        "`avito`: the name of the application.",
    ),
    key(
        "doctor.webhooks[].client_secret",
        Shape::Secret { what: "one word", accepts: one_word },
        Optional,
        "{ env = \"AVITO_CLIENT_SECRET\" }",
        "`avito`: the secret of the application.",
    ),
    key(
        "doctor.webhooks[].group_id",
        Shape::Integer { min: 1, max: i32::MAX as i64 },
        Optional,
        "100",
        "`vk`: the number of the community.",
    ),
    key(
        "doctor.webhooks[].profile_id",
        Shape::Word { what: "one word", accepts: one_word },
        Optional,
        "\"1a2b3c4d-5e6f\"",
        "`wappi`: the id of the profile.",
    ),
    key(
        "doctor.webhooks[].api",
        Shape::Word { what: API_WANTED, accepts: api_address },
        Optional,
        "\"https://api.telegram.org\"",
        "Where the provider's API is; left out: at its own address.",
    ),
    key(
        "limits.body",
        Shape::Size { min: "1KiB", max: "64MiB" },
        Default("\"1MiB\""),
        "\"1MiB\"",
        "The greatest request body; uploads have `media.max_size`.",
    ),
    key(
        "limits.requests_per_minute_per_key",
        Shape::Integer { min: 1, max: 1_000_000 },
        Optional,
        "600",
        "How many requests one API key may make in a minute; no limit when left out.",
    ),
    key(
        "limits.requests_per_minute_per_address",
        Shape::Integer { min: 1, max: 1_000_000 },
        Optional,
        "600",
        "How many requests one client address may make in a minute; no limit when left out.",
    ),
    key(
        "limits.give_up_after",
        Shape::Duration { min: "1m", max: "1d" },
        Default("\"10m\""),
        "\"10m\"",
        "How long a message is tried that Telegram answers with errors of its own, or with nothing that says whether it arrived. Then a look at the chat decides: it was sent, it failed (`provider_error`), or it is in doubt; and the messages behind it go on.",
    ),
    key(
        "log.level",
        Shape::Choice(&LogLevel::NAMES),
        Default("\"info\""),
        "\"info\"",
        "The least important log lines that are written.",
    ),
    key(
        "log.format",
        Shape::Choice(&LogFormat::NAMES),
        Default("\"text\""),
        "\"json\"",
        "Log lines on the standard error for people or for programs; `switchboard logs` reads those that are kept.",
    ),
    key(
        "log.budget",
        Shape::Size { min: "1MB", max: "1TB" },
        Default("\"200MB\""),
        "\"200MB\"",
        "The most disk that the kept log lines take, packed; the oldest go first.",
    ),
    key(
        "log.keep",
        Shape::Duration { min: "1h", max: "3650d" },
        Default("\"30d\""),
        "\"30d\"",
        "How long log lines are kept, if the budget lets them.",
    ),
];

/// What stands at a path.
pub(crate) enum Standing {
    /// A key.
    Key(&'static Key),
    /// A section with keys of its own.
    Section,
    /// A list of such sections.
    List,
}

/// What stands at a path, written without the numbers of list items: `telegram.accounts[].name`.
pub(crate) fn standing(path: &str) -> Option<Standing> {
    KEYS.iter().find_map(|key| {
        let rest = key.path.strip_prefix(path)?;
        if rest.is_empty() {
            Some(Standing::Key(key))
        } else if rest.starts_with('.') {
            Some(Standing::Section)
        } else if rest.starts_with("[].") {
            Some(Standing::List)
        } else {
            None
        }
    })
}

/// The names that a section knows, in the table's order; the empty path is the whole file.
pub(crate) fn names_in(section: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for key in KEYS {
        let inside = if section.is_empty() {
            Some(key.path)
        } else {
            key.path.strip_prefix(section).and_then(|rest| rest.strip_prefix('.'))
        };
        let Some(name) = inside.and_then(|inside| inside.split(['.', '[']).next()) else { continue };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The known key that was probably meant by a name in a section: one beside it, else one of that name elsewhere.
pub(crate) fn nearest(section: &str, name: &str) -> Option<String> {
    let beside = closest(name, names_in(section).into_iter().map(|known| (known, known)))
        .map(|known| if section.is_empty() { known.to_owned() } else { format!("{section}.{known}") });
    beside.or_else(|| {
        closest(name, KEYS.iter().map(|key| (key.path.rsplit('.').next().unwrap_or(key.path), key.path)))
            .map(str::to_owned)
    })
}

/// Of names with something attached the thing at the nearest name, if it is near enough for a slip.
pub(crate) fn closest<'a, T>(name: &str, known: impl Iterator<Item = (&'a str, T)>) -> Option<T> {
    known
        .map(|(candidate, thing)| (strsim::damerau_levenshtein(name, candidate), candidate.len(), thing))
        .filter(|(distance, length, _)| *distance <= (length / 3).max(2).min(length.saturating_sub(1)))
        .min_by_key(|(distance, ..)| *distance)
        .map(|(_, _, thing)| thing)
}
