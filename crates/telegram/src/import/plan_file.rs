//! The plan file: what an owner says about sessions before they are imported. Written by a dry run, edited, and read back.

use std::collections::BTreeMap;
use std::path::Path;

use domain::secret::ExposeSecret;
use domain::{AccountName, Purpose, SecretText};
use serde::{Deserialize, Serialize, Serializer};
use toml::Value;

/// What the owner says about sessions, accounts and old names.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    #[serde(rename = "session", skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<PlannedSession>,
    #[serde(rename = "account", skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<PlannedAccount>,
    /// Names that the old registry had for accounts, and what they are called here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, AccountName>,
}

/// What is said of one session.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlannedSession {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The fingerprint of its key: 16 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// What it is for; nothing means what no other session of the account is for.
    #[serde(rename = "for", skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<Purpose>,
    /// The application to connect as: best the one that the session was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_id: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "hidden")]
    pub api_hash: Option<SecretText>,
    /// It is left alone: neither opened nor kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedAccount {
    pub name: AccountName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_id: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "hidden")]
    pub api_hash: Option<SecretText>,
    /// Lower numbers are used first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// Why a plan file cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlanError {
    #[error("the plan file is wrong: {0}")]
    Wrong(String),
    #[error("{field} refers to the environment variable {variable}, which is not set; set it")]
    NotSet { field: String, variable: String },
    #[error("session {0} of the plan file names neither a file nor a fingerprint; give it one of them")]
    Nameless(usize),
}

impl Plan {
    /// Reads a plan file. Files in it are meant relative to `folder`; secrets may be `{ env = "NAME" }`.
    pub fn read(
        text: &str,
        folder: &Path,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, PlanError> {
        let wrong = |error: toml::de::Error| PlanError::Wrong(error.message().to_owned());
        let mut table: toml::Table = text.parse().map_err(wrong)?;
        for list in ["session", "account"] {
            let entries = table.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            for (index, entry) in entries.enumerate() {
                if let Some(secret) = entry.get_mut("api_hash") {
                    resolve(secret, || format!("api_hash of {list} {}", index + 1), &variable)?;
                }
            }
        }
        let mut plan: Self = Value::Table(table).try_into().map_err(wrong)?;
        for (index, session) in plan.sessions.iter_mut().enumerate() {
            match (&session.file, &session.fingerprint) {
                (None, None) => return Err(PlanError::Nameless(index + 1)),
                (Some(file), _) => session.file = Some(folder.join(file).display().to_string()),
                (None, Some(_)) => {}
            }
        }
        Ok(plan)
    }

    /// The plan as a file to be edited. Secrets are not written; they go into the environment.
    pub fn write(&self) -> Result<String, PlanError> {
        let head = "# What is to become of these sessions. Fill in `account` and `for`, take out what does not matter, and\n\
                    # give the file to `switchboard account import … --plan FILE`. `for` is a list of create_chat, send_text,\n\
                    # send_media and leave_chat; api_hash is best written as { env = \"NAME\" }. `skip = true` leaves one alone.\n\
                    # [names] says what the accounts of the old registry are called here.\n\n";
        let body = toml::to_string_pretty(self).map_err(|error| PlanError::Wrong(error.to_string()))?;
        Ok(format!("{head}{body}"))
    }

    /// The plan as it is sent to anyone who carries it out, secrets and all.
    pub fn exposed(&self) -> serde_json::Value {
        let mut value = serde_json::json!(self);
        let sessions = self.sessions.iter().map(|session| session.api_hash.as_ref());
        let accounts = self.accounts.iter().map(|account| account.api_hash.as_ref());
        for (index, secret) in sessions.enumerate().filter_map(|(index, secret)| Some((index, secret?))) {
            value["session"][index]["api_hash"] = secret.expose_secret().into();
        }
        for (index, secret) in accounts.enumerate().filter_map(|(index, secret)| Some((index, secret?))) {
            value["account"][index]["api_hash"] = secret.expose_secret().into();
        }
        value
    }

    pub(super) fn of(&self, fingerprint: &str, files: &[String]) -> Option<&PlannedSession> {
        let by_key = |one: &&PlannedSession| {
            one.fingerprint.as_ref().is_some_and(|given| given.eq_ignore_ascii_case(fingerprint))
        };
        let by_file = |one: &&PlannedSession| {
            one.fingerprint.is_none() && one.file.as_ref().is_some_and(|file| files.contains(file))
        };
        self.sessions.iter().find(by_key).or_else(|| self.sessions.iter().find(by_file))
    }

    /// What is said of an account that is to be made.
    pub(super) fn account(&self, name: &AccountName) -> Option<&PlannedAccount> {
        self.accounts.iter().find(|account| account.name == *name)
    }
}

fn resolve(
    secret: &mut Value,
    field: impl Fn() -> String,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<(), PlanError> {
    if secret.is_str() {
        return Ok(());
    }
    let name = secret.as_table().filter(|table| table.len() == 1).and_then(|table| table.get("env"));
    let Some(name) = name.and_then(Value::as_str) else {
        return Err(PlanError::Wrong(format!("{} must be a text or {{ env = \"NAME\" }}", field())));
    };
    let found = variable(name).filter(|text| !text.trim().is_empty());
    let text = found.ok_or_else(|| PlanError::NotSet { field: field(), variable: name.to_owned() })?;
    *secret = Value::String(text);
    Ok(())
}

/// Secrets are never written.
#[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
fn hidden<S: Serializer>(_: &Option<SecretText>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str("[REDACTED]")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"
        [[session]]
        file = "main_text.session"
        account = "main"
        for = ["send_text", "send_media"]

        [[session]]
        fingerprint = "00FF00FF00FF00FF"
        account = "backup_1"
        api_id = 1000001
        api_hash = { env = "BACKUP_HASH" }

        [[account]]
        name = "backup_1"
        priority = 2

        [names]
        old_main = "main"
    "#;

    fn read(text: &str) -> Result<Plan, PlanError> {
        Plan::read(text, Path::new("/demo"), |name| (name == "BACKUP_HASH").then(|| "demo-hash".to_owned()))
    }

    #[test]
    fn a_plan_is_read_with_its_secrets_and_its_files() {
        let plan = read(PLAN).expect("a plan");
        let by_file = plan.of("1111111111111111", &["/demo/main_text.session".to_owned()]).expect("planned");
        assert_eq!(by_file.purposes, [Purpose::SendText, Purpose::SendMedia]);
        let by_key = plan.of("00ff00ff00ff00ff", &[]).expect("planned");
        assert_eq!(by_key.api_hash.as_ref().map(ExposeSecret::expose_secret), Some("demo-hash"));
        assert_eq!(plan.names["old_main"].as_str(), "main");
        assert!(plan.of("1111111111111111", &["/elsewhere/main_text.session".to_owned()]).is_none());
        assert!(!format!("{plan:?}").contains("demo-hash"));
        let sent: Plan = serde_json::from_value(plan.exposed()).expect("a plan");
        let hash = sent.sessions[1].api_hash.as_ref().map(ExposeSecret::expose_secret);
        assert_eq!((hash, sent.sessions.len()), (Some("demo-hash"), 2));
    }

    #[test]
    fn plan_errors_are_named() {
        let not_set = "[[session]]\nfile = \"x\"\napi_hash = { env = \"NOWHERE\" }";
        let wrong = read(not_set).expect_err("refused");
        assert_eq!(
            wrong.to_string(),
            "api_hash of session 1 refers to the environment variable NOWHERE, which is not set; set it"
        );
        assert_eq!(read("[[session]]\naccount = \"main\"").expect_err("refused"), PlanError::Nameless(1));
        assert!(read("[[session]]\nfil = \"x\"").expect_err("refused").to_string().contains("fil"));
        assert!(
            read("[[session]]\nfile = \"x\"\napi_hash = 1").expect_err("refused").to_string().contains("env")
        );
    }

    #[test]
    fn a_written_plan_reads_back_without_secrets() {
        let mut plan = read(PLAN).expect("a plan");
        plan.sessions[1].api_hash = None;
        let written = plan.write().expect("written");
        let again = read(&written).expect("a plan");
        assert_eq!(again.sessions.len(), 2);
        assert_eq!(again.sessions[0].file.as_deref(), Some("/demo/main_text.session"));
        assert_eq!(again.write().expect("written"), written);
    }
}
