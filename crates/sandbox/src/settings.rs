//! The settings file that the product runs on against this sandbox.

use std::fmt::Write;
use std::net::SocketAddr;

use toml::Value;

use crate::AiEndpoint;
use crate::telegram::{Account, Centre, string_session};

/// The legacy ports that are switched on: what each does, and the account it is pinned to, if it is.
const LEGACY_PORTS: [(u16, &str, Option<&str>); 8] = [
    (5021, "create_chat", None),
    (5022, "send_text", None),
    (5023, "send_media", None),
    (5024, "leave_chat", None),
    (5025, "create_chat", Some("backup_1")),
    (5028, "leave_chat", Some("fifth")),
    (5029, "create_chat", Some("backup_2")),
    (5030, "create_chat", Some("backup_3")),
];

/// The ports of the old channel servers.
const CHANNEL_PORTS: [(u16, &str); 6] =
    [(8765, "avito"), (8766, "whatsapp"), (8767, "vk"), (8768, "max"), (8769, "instagram"), (8770, "form")];

/// A flow that books the trips of the demo bot.
pub(crate) const FLOW: &str = r#"
[[flows]]
name = "trip"
account = "main"
watch = "@demo_trips_bot"
trigger = { regex = 'New trip .* (?P<from>\w+)' }
[[flows.steps]]
press = { text = "Book" }
[[flows.steps]]
press = { contains = "{from}" }
[[flows.steps]]
press = { regex = "Confirm|Yes" }
expect = { text = "booked", within = "20s" }
"#;

/// The last priority that the settings allow; of more accounts the rest share it.
const LAST_PRIORITY: usize = 1_000;

/// Writes the settings as TOML.
pub(crate) fn settings(
    centres: &[Centre],
    rsa_public_key: &str,
    accounts: &[impl AsRef<Account>],
    web_k: SocketAddr,
    channels: &[toml::Table],
    ai: &AiEndpoint,
) -> String {
    let mut text = String::from(
        "# Written by the sandbox each time it starts. Its accounts live in a pretend Telegram on this machine.\n\n\
         [telegram]\nobserver = \"@demo_observer\"\n",
    );
    let addresses: Vec<String> = centres
        .iter()
        .map(|centre| {
            format!("{{ id = {}, address = {} }}", centre.dc_id, quoted(&centre.address.to_string()))
        })
        .collect();
    line(&mut text, "data_centres", &list(&addresses));
    // Only a proxy on this machine leads to it.
    line(&mut text, "allow_private_proxies", "[\"127.0.0.0/8\", \"::1/128\"]");
    line(&mut text, "server_keys", &list(&[quoted(rsa_public_key)]));
    for (number, account) in (1..).zip(accounts) {
        account_table(&mut text, LAST_PRIORITY.min(number), account.as_ref(), centres);
    }
    text.push_str("\n[campaigns]\n");
    line(&mut text, "allow_private", "[\"127.0.0.0/8\", \"::1/128\"]");
    text.push_str("\n[campaigns.browser]\n");
    line(&mut text, "web_k", &quoted(&format!("http://{web_k}/k/")));
    for channel in channels {
        text.push_str("\n[[channels]]\n");
        for (key, value) in channel {
            line(&mut text, key, &value.to_string());
        }
    }
    // Customers of the demo are answered by the pretend model, soon.
    text.push_str("\n[pipeline]\nenabled = true\nresponder = \"ai\"\nsilence = \"2s\"\n\n[pipeline.ai]\n");
    line(&mut text, "url", &quoted(&ai.base));
    line(&mut text, "model", &quoted(ai.model));
    line(&mut text, "key", &quoted(ai.key));
    text.push_str("\n[pipeline.transcription]\n");
    line(&mut text, "url", &quoted(&ai.base));
    line(&mut text, "model", &quoted(ai.transcription_model));
    line(&mut text, "key", &quoted(ai.key));
    text.push_str("\n[legacy]\n");
    let ports: Vec<String> = LEGACY_PORTS
        .iter()
        .filter(|(.., pinned)| pinned.is_none_or(|name| named(accounts, name)))
        .map(|(port, service, pinned)| {
            let account = pinned.map(|name| format!(", account = {}", quoted(name))).unwrap_or_default();
            format!("{{ port = {port}, service = {}{account} }}", quoted(service))
        })
        .collect();
    line(&mut text, "ports", &list(&ports));
    let ports: Vec<String> = CHANNEL_PORTS
        .iter()
        .filter_map(|(port, channel)| {
            let account = channels
                .iter()
                .find(|account| account.get("channel").and_then(Value::as_str) == Some(channel))?;
            Some(format!(
                "{{ port = {port}, channel = {}, account = {} }}",
                quoted(channel),
                account.get("name")?
            ))
        })
        .collect();
    if !ports.is_empty() {
        line(&mut text, "channel_ports", &list(&ports));
    }
    text
}

fn account_table(text: &mut String, priority: usize, account: &Account, centres: &[Centre]) {
    let Some(centre) = centres.iter().find(|centre| centre.dc_id == account.dc_id) else { return };
    text.push_str("\n[[telegram.accounts]]\n");
    line(text, "name", &quoted(&account.name));
    line(text, "priority", &priority.to_string());
    line(text, "pool", &account.pool.to_string());
    line(text, "api_id", &account.api_id.to_string());
    line(text, "api_hash", &quoted(&account.api_hash));
    line(text, "phone", &quoted(&account.phone));
    let sessions: Vec<String> = account
        .lines
        .iter()
        .map(|session| {
            let string = quoted(&string_session(centre.dc_id, centre.address, &session.auth_key));
            match &session.purpose {
                Some(purpose) => format!("{{ string = {string}, for = [{}] }}", quoted(purpose)),
                None => format!("{{ string = {string} }}"),
            }
        })
        .collect();
    line(text, "sessions", &list(&sessions));
}

/// A world of few accounts has no port for those it lacks.
fn named(accounts: &[impl AsRef<Account>], name: &str) -> bool {
    accounts.iter().any(|account| &*account.as_ref().name == name)
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn list(items: &[String]) -> String {
    format!("[\n  {},\n]", items.join(",\n  "))
}

fn line(text: &mut String, key: &str, value: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{key} = {value}");
}
