//! The world's settings file, narrowed to what a measurement needs.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use toml::{Table, Value};

use crate::world::Account;

/// The settings with only the accounts named (none named: all of Telegram, and none of a channel) and `send_text` as the
/// only legacy service. Both sides may then be signed in at once, and no fixed port is needed.
pub(crate) fn narrowed(text: &str, accounts: &[&str], send_text_port: u16) -> Result<String> {
    let mut settings: Table = toml::from_str(text).context("the world's settings are no TOML")?;
    let present = settings
        .get_mut("telegram")
        .and_then(|telegram| telegram.get_mut("accounts"))
        .and_then(Value::as_array_mut)
        .context("the world's settings have no [[telegram.accounts]]")?;
    let is_named = |account: &Value| {
        account.get("name").and_then(Value::as_str).is_some_and(|name| accounts.contains(&name))
    };
    let mut found = 0;
    if !accounts.is_empty() {
        present.retain(&is_named);
        found += present.len();
    }
    if let Some(channels) = settings.get_mut("channels").and_then(Value::as_array_mut) {
        channels.retain(&is_named);
        found += channels.len();
    }
    if found != accounts.len() {
        bail!("the world's settings do not have all of the accounts {}", accounts.join(", "));
    }
    let port = Table::from_iter([
        ("port".to_owned(), Value::Integer(send_text_port.into())),
        ("service".to_owned(), Value::String("send_text".to_owned())),
    ]);
    let legacy = settings
        .entry("legacy")
        .or_insert_with(|| Value::Table(Table::new()))
        .as_table_mut()
        .context("`legacy` in the world's settings is no table")?;
    legacy.insert("ports".to_owned(), Value::Array(vec![Value::Table(port)]));
    legacy.remove("channel_ports");
    toml::to_string(&settings).context("cannot write the settings")
}

/// The settings without accounts and without legacy ports: what is left says where the world is.
pub(crate) fn without_accounts(text: &str) -> Result<String> {
    let mut settings: Table = toml::from_str(text).context("the world's settings are no TOML")?;
    settings
        .get_mut("telegram")
        .and_then(Value::as_table_mut)
        .context("the world's settings have no [telegram]")?
        .remove("accounts");
    settings.remove("channels");
    settings.remove("legacy");
    toml::to_string(&settings).context("cannot write the settings")
}

/// The settings with one session more for each of these accounts: it is for sending texts, the one before it for the
/// rest.
pub(crate) fn with_more_sessions(text: &str, sessions: &[(&str, String)]) -> Result<String> {
    let mut settings: Table = toml::from_str(text).context("the world's settings are no TOML")?;
    let accounts = settings
        .get_mut("telegram")
        .and_then(|telegram| telegram.get_mut("accounts"))
        .and_then(Value::as_array_mut)
        .context("the world's settings have no [[telegram.accounts]]")?;
    for (name, session) in sessions {
        let account = accounts
            .iter_mut()
            .find(|account| account.get("name").and_then(Value::as_str) == Some(name))
            .with_context(|| format!("the world's settings have no account {name}"))?;
        let sessions = account
            .get_mut("sessions")
            .and_then(Value::as_array_mut)
            .with_context(|| format!("account {name} has no sessions"))?;
        let purposes = |names: &[&str]| Value::Array(names.iter().map(|name| Value::from(*name)).collect());
        for session in sessions.iter_mut().filter_map(Value::as_table_mut) {
            session.insert("for".to_owned(), purposes(&["create_chat", "send_media", "leave_chat"]));
        }
        let string = ("string".to_owned(), Value::String(session.clone()));
        sessions.push(Value::Table(Table::from_iter([string, ("for".to_owned(), purposes(&["send_text"]))])));
    }
    toml::to_string(&settings).context("cannot write the settings")
}

/// The settings with so many copies more of an account of a channel; their names.
pub(crate) fn with_copies(text: &str, of: &str, copies: usize) -> Result<(String, Vec<String>)> {
    let mut settings: Table = toml::from_str(text).context("the world's settings are no TOML")?;
    let channels = settings.get_mut("channels").and_then(Value::as_array_mut);
    let channels = channels.context("the world's settings have no [[channels]]")?;
    let found = channels.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(of));
    let mut account = found.and_then(Value::as_table).with_context(|| format!("there is no {of}"))?.clone();
    let names: Vec<_> = (1..=copies).map(|number| format!("{of}_{number}")).collect();
    for name in &names {
        account.insert("name".to_owned(), Value::from(name.as_str()));
        channels.push(Value::Table(account.clone()));
    }
    Ok((toml::to_string(&settings).context("cannot write the settings")?, names))
}

/// The settings with webhooks on this machine, and with so many events that are kept at most.
pub(crate) fn with_events(text: &str, most: usize) -> Result<String> {
    let mut settings: Table = toml::from_str(text).context("the world's settings are no TOML")?;
    let loopback = Value::Array(vec![Value::from("127.0.0.0/8")]);
    let events = Table::from_iter([
        ("allow_private".to_owned(), loopback),
        ("keep_at_most".to_owned(), Value::Integer(i64::try_from(most)?)),
    ]);
    settings.insert("events".to_owned(), Value::Table(events));
    toml::to_string(&settings).context("cannot write the settings")
}

/// The settings with a pipeline of this responder and silence.
pub(crate) fn with_responder(text: &str, responder: &str, silence: Duration) -> Result<String> {
    let mut settings: Table = toml::from_str(text).context("the world's settings are no TOML")?;
    let pipeline = settings.get_mut("pipeline").and_then(Value::as_table_mut);
    let pipeline = pipeline.context("the world's settings have no [pipeline]")?;
    pipeline.insert("responder".to_owned(), Value::from(responder));
    pipeline.insert("silence".to_owned(), Value::from(format!("{}ms", silence.as_millis())));
    toml::to_string(&settings).context("cannot write the settings")
}

/// The settings with a browser that runs without a screen, under any user.
pub(crate) fn with_browser(text: &str, chromium: &str) -> Result<String> {
    let mut settings: Table = toml::from_str(text).context("the world's settings are no TOML")?;
    let browser = settings
        .get_mut("campaigns")
        .and_then(|campaigns| campaigns.get_mut("browser"))
        .and_then(Value::as_table_mut)
        .context("the world's settings have no [campaigns.browser]")?;
    let switches = ["--headless=new", "--no-sandbox", "--disable-gpu"].map(Value::from);
    browser.insert("chromium".to_owned(), Value::from(chromium));
    browser.insert("arguments".to_owned(), Value::Array(switches.to_vec()));
    toml::to_string(&settings).context("cannot write the settings")
}

/// A session of an account with the key it has for use by hand, as Telethon's `StringSession` writes it.
pub(crate) fn session(account: &Account) -> Result<String> {
    let key = hex::decode(&account.auth_key).context("the key of an account is not hexadecimal")?;
    let address: Ipv4Addr =
        account.host.parse().with_context(|| format!("`{}` is no address", account.host))?;
    let mut bytes = vec![u8::try_from(account.dc_id).context("no such data centre")?];
    bytes.extend(address.octets());
    bytes.extend(account.port.to_be_bytes());
    bytes.extend(key);
    Ok(format!("1{}", URL_SAFE.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = r#"
        listen = "127.0.0.1:5099"
        [telegram]
        data_centres = [{ id = 2, address = "127.0.0.1:5097" }]
        [[telegram.accounts]]
        name = "main"
        priority = 1
        [[telegram.accounts]]
        name = "backup_1"
        [[channels]]
        name = "phone"
        [[channels]]
        name = "shop"
        [legacy]
        hold = "100s"
        ports = [{ port = 5021, service = "create_chat" }, { port = 5022, service = "send_text" }]
        channel_ports = [{ port = 8765, channel = "avito" }]
    "#;

    #[test]
    fn one_account_and_one_port_are_left_and_the_rest_stays() {
        let narrowed: Table = toml::from_str(&narrowed(SETTINGS, &["main", "shop"], 4000).unwrap()).unwrap();
        let expected: Table = toml::from_str(
            r#"
            listen = "127.0.0.1:5099"
            [telegram]
            data_centres = [{ id = 2, address = "127.0.0.1:5097" }]
            [[telegram.accounts]]
            name = "main"
            priority = 1
            [[channels]]
            name = "shop"
            [legacy]
            hold = "100s"
            ports = [{ port = 4000, service = "send_text" }]
            "#,
        )
        .unwrap();
        assert_eq!(narrowed, expected);
    }

    #[test]
    fn an_extra_session_is_appended_after_the_others() {
        let account = Account {
            name: "main".to_owned(),
            dc_id: 2,
            host: "127.0.0.1".to_owned(),
            port: 5097,
            auth_key: "00".repeat(256),
            api_id: 1,
            api_hash: "x".to_owned(),
        };
        let session = session(&account).unwrap();
        assert!(session.starts_with("1An8AAAET6Q"), "{session}");
        assert_eq!(URL_SAFE.decode(&session[1..]).unwrap().len(), 263);
        let text = "[[telegram.accounts]]\nname = \"main\"\nsessions = [{ string = \"1a\" }]\n";
        let more: Table =
            toml::from_str(&with_more_sessions(text, &[("main", session.clone())]).unwrap()).unwrap();
        let sessions = more["telegram"]["accounts"][0]["sessions"].as_array().unwrap();
        assert_eq!((sessions.len(), sessions[1]["string"].as_str()), (2, Some(session.as_str())));
        assert_eq!(
            (sessions[0]["for"].as_array().map(Vec::len), sessions[1]["for"][0].as_str()),
            (Some(3), Some("send_text"))
        );
        assert!(with_more_sessions(text, &[("fifth", session)]).is_err());
    }

    #[test]
    fn copies_of_an_account_have_names_of_their_own() {
        let (text, names) = with_copies(SETTINGS, "shop", 2).unwrap();
        let all: Table = toml::from_str(&text).unwrap();
        assert_eq!((all["channels"].as_array().unwrap().len(), names.join(" ")), (4, "shop_1 shop_2".into()));
        assert!(with_copies(SETTINGS, "none", 1).is_err());
    }

    #[test]
    fn without_accounts_the_world_address_remains() {
        let left: Table = toml::from_str(&without_accounts(SETTINGS).unwrap()).unwrap();
        assert_eq!(left["telegram"]["data_centres"][0]["id"].as_integer(), Some(2));
        assert!(left["telegram"].get("accounts").is_none() && left.get("legacy").is_none());
        assert!(without_accounts("listen = 1").is_err());
    }

    #[test]
    fn none_named_is_all_and_a_missing_one_is_an_error() {
        let all: Table = toml::from_str(&narrowed(SETTINGS, &[], 4000).unwrap()).unwrap();
        assert_eq!(all["telegram"]["accounts"].as_array().unwrap().len(), 2);
        assert_eq!(all["channels"].as_array().unwrap().len(), 0);
        assert!(narrowed(SETTINGS, &["fifth"], 4000).unwrap_err().to_string().contains("fifth"));
        assert!(narrowed("listen = 1", &[], 4000).is_err());
        assert!(narrowed("= 1", &[], 4000).is_err());
    }
}
