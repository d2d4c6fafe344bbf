//! Writing settings as a file that can be loaded again.

use secrecy::{ExposeSecret, SecretString};
use toml::{Table, Value};

use crate::{
    alerts::AlertTargetFields,
    doctor::WebhookFields,
    settings::Settings,
    store::StoreUrl,
    telegram::{AccountSettings, SessionSource},
};

impl Settings {
    /// The settings as TOML with their secrets in plain text: for a file that only its owner can read.
    pub fn to_toml_with_secrets(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&self.to_table_with_secrets()?)
    }

    /// The same as values.
    pub(crate) fn to_table_with_secrets(&self) -> Result<Table, toml::ser::Error> {
        let mut table = Table::try_from(self)?;
        if let StoreUrl::Postgres(url) = &self.store.url {
            let store = table.get_mut("store").and_then(Value::as_table_mut);
            put(store, "url", url.expose_secret());
        }
        for (written, account) in items(&mut table, "telegram", "accounts").zip(&self.telegram.accounts) {
            expose(written, account);
        }
        for (written, target) in items(&mut table, "alerts", "targets").zip(&self.alerts.targets) {
            expose_target(written.as_table_mut(), target);
        }
        for (written, webhook) in items(&mut table, "doctor", "webhooks").zip(&self.doctor.webhooks) {
            expose_webhook(written, webhook);
        }
        let control_bots = table.get_mut("control_bots").and_then(Value::as_array_mut);
        for (written, bot) in control_bots.into_iter().flatten().zip(&self.control_bots) {
            if let Some(written) = written.as_table_mut() {
                put_given(written, [("token", &bot.token)]);
            }
        }
        let channels = table.get_mut("channels").and_then(Value::as_array_mut);
        for (written, channel) in channels.into_iter().flatten().zip(&self.channels) {
            let Some(written) = written.as_table_mut() else { continue };
            put_given(written, channel.secrets());
            if let Some(proxy) = &channel.proxy {
                put(Some(written), "proxy", proxy.expose());
            }
        }
        if let Some(redis) = &self.queue.redis {
            put(table.get_mut("queue").and_then(Value::as_table_mut), "redis", redis.expose_secret());
        }
        let key = self.pipeline.ai.as_ref().and_then(|ai| ai.key.as_ref());
        let secret = self.pipeline.webhook.as_ref().and_then(|webhook| webhook.secret.as_ref());
        let hears = self.pipeline.transcription.as_ref().and_then(|hears| hears.key.as_ref());
        for (section, key, secret) in
            [("ai", "key", key), ("transcription", "key", hears), ("webhook", "secret", secret)]
        {
            let written = table.get_mut("pipeline").and_then(|pipeline| pipeline.get_mut(section));
            if let (Some(written), Some(secret)) = (written, secret) {
                put(written.as_table_mut(), key, secret.expose_secret());
            }
        }
        let backup = table.get_mut("backup").and_then(Value::as_table_mut);
        if let Some(copy) = backup.and_then(|backup| backup.get_mut("copy")?.as_table_mut()) {
            let given = &self.backup.copy;
            let secrets =
                [("access_key_id", &given.access_key_id), ("secret_access_key", &given.secret_access_key)];
            put_given(copy, secrets);
        }
        for (written, port) in items(&mut table, "legacy", "channel_ports").zip(&self.legacy.channel_ports) {
            if let Some(written) = written.as_table_mut() {
                put_given(written, [("key", &port.key)]);
            }
        }
        if let Some(callback) = &self.legacy.invite_callback {
            let legacy = table.get_mut("legacy").and_then(Value::as_table_mut);
            let written = legacy.and_then(|legacy| legacy.get_mut("invite_callback")?.as_table_mut());
            if let Some(written) = written {
                put_given(written, [("secret", &callback.secret), ("header", &callback.header)]);
            }
        }
        Ok(table)
    }
}

fn items<'a>(table: &'a mut Table, section: &str, list: &str) -> impl Iterator<Item = &'a mut Value> {
    let items =
        table.get_mut(section).and_then(|section| section.get_mut(list)).and_then(Value::as_array_mut);
    items.into_iter().flatten()
}

impl AlertTargetFields {
    /// The target as TOML with its secrets in plain text: for a place where it is sealed.
    pub fn to_toml_with_secrets(&self) -> Result<SecretString, toml::ser::Error> {
        let mut table = Table::try_from(self)?;
        expose_target(Some(&mut table), self);
        toml::to_string(&table).map(SecretString::from)
    }

    /// Reads what [`Self::to_toml_with_secrets`] wrote.
    pub fn from_toml(text: &SecretString) -> Result<Self, toml::de::Error> {
        toml::from_str(text.expose_secret())
    }
}

fn expose_target(written: Option<&mut Table>, target: &AlertTargetFields) {
    let Some(written) = written else { return };
    put_given(written, [("url", &target.url), ("secret", &target.secret), ("smtp", &target.smtp)]);
}

fn expose_webhook(written: &mut Value, webhook: &WebhookFields) {
    put(written.as_table_mut(), "expect", webhook.expect.expose_secret());
    let Some(written) = written.as_table_mut() else { return };
    let secrets = [
        ("token", &webhook.token),
        ("client_id", &webhook.client_id),
        ("client_secret", &webhook.client_secret),
    ];
    put_given(written, secrets);
}

fn put_given<const N: usize>(table: &mut Table, secrets: [(&str, &Option<SecretString>); N]) {
    for (key, secret) in secrets {
        if let Some(secret) = secret {
            put(Some(table), key, secret.expose_secret());
        }
    }
}

fn expose(written: &mut Value, account: &AccountSettings) {
    put(written.as_table_mut(), "api_hash", account.api_hash.expose_secret());
    if let Some(proxy) = &account.proxy {
        put(written.as_table_mut(), "proxy", proxy.expose());
    }
    let sessions = written.get_mut("sessions").and_then(Value::as_array_mut).into_iter().flatten();
    for (written, session) in sessions.zip(&account.sessions) {
        if let SessionSource::Text(text) = &session.source {
            put(written.as_table_mut(), "string", text.expose_secret());
        }
    }
}

fn put(table: Option<&mut Table>, key: &str, text: &str) {
    if let Some(table) = table {
        table.insert(key.to_owned(), Value::String(text.to_owned()));
    }
}
