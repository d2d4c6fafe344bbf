//! The world's settings file, narrowed to what a measurement needs.

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The settings with only the accounts named (none named: all of them) and `send_text` as the only legacy service.
/// Both sides may then be signed in at once, and no fixed port is needed.
pub(crate) fn narrowed(text: &str, accounts: &[&str], send_text_port: u16) -> Result<String> {
    let mut settings: Table = toml::from_str(text).context("the world's settings are no TOML")?;
    let present = settings
        .get_mut("telegram")
        .and_then(|telegram| telegram.get_mut("accounts"))
        .and_then(Value::as_array_mut)
        .context("the world's settings have no [[telegram.accounts]]")?;
    if !accounts.is_empty() {
        present.retain(|account| {
            account.get("name").and_then(Value::as_str).is_some_and(|name| accounts.contains(&name))
        });
        if present.len() != accounts.len() {
            bail!("the world's settings do not have all of the accounts {}", accounts.join(", "));
        }
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
    toml::to_string(&settings).context("cannot write the settings")
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
        [legacy]
        hold = "100s"
        ports = [{ port = 5021, service = "create_chat" }, { port = 5022, service = "send_text" }]
    "#;

    #[test]
    fn one_account_and_one_port_are_left_and_the_rest_stays() {
        let narrowed: Table = toml::from_str(&narrowed(SETTINGS, &["main"], 4000).unwrap()).unwrap();
        let expected: Table = toml::from_str(
            r#"
            listen = "127.0.0.1:5099"
            [telegram]
            data_centres = [{ id = 2, address = "127.0.0.1:5097" }]
            [[telegram.accounts]]
            name = "main"
            priority = 1
            [legacy]
            hold = "100s"
            ports = [{ port = 4000, service = "send_text" }]
            "#,
        )
        .unwrap();
        assert_eq!(narrowed, expected);
    }

    #[test]
    fn none_named_is_all_and_a_missing_one_is_an_error() {
        let all: Table = toml::from_str(&narrowed(SETTINGS, &[], 4000).unwrap()).unwrap();
        assert_eq!(all["telegram"]["accounts"].as_array().unwrap().len(), 2);
        assert!(narrowed(SETTINGS, &["fifth"], 4000).unwrap_err().to_string().contains("fifth"));
        assert!(narrowed("listen = 1", &[], 4000).is_err());
        assert!(narrowed("= 1", &[], 4000).is_err());
    }
}
