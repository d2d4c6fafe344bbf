//! Old flows as settings: `[[flows]]`, the accounts that they need, and their control bots. Secrets are named, never written. Pure.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use toml::Value;

use super::meaning;
use super::survey::{Named, OldControl, OldFlow, OldFlows, Press, free_name, is_same_account};

/// An account that there is already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingAccount {
    pub name: String,
    pub phone: Option<String>,
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretLocation {
    /// In this variable of the environment.
    Variable(String),
    File(PathBuf),
}

impl SecretLocation {
    pub(crate) fn as_toml(&self) -> String {
        match self {
            Self::Variable(name) => format!("{{ env = {} }}", quoted(name)),
            Self::File(file) => format!("{{ file = {} }}", quoted(&file.display().to_string())),
        }
    }
}

/// What the files become, to be looked through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OldSettings {
    /// Accounts and control bots, for the settings file.
    pub settings: String,
    /// The flows, for a file of `flows/` or for the settings file.
    pub flows: String,
}

/// The settings that the files become. `locate` says where the secret of a variable is.
pub fn text(
    found: &OldFlows,
    known: &[ExistingAccount],
    locate: &dyn Fn(&Named) -> SecretLocation,
) -> OldSettings {
    let mut all = OldSettings::default();
    let mut taken: BTreeSet<String> = known.iter().map(|one| one.name.clone()).collect();
    // The accounts with their phone numbers and sessions: two files of one number, or of one session, are of one account.
    let mut accounts: Vec<(Option<String>, Option<PathBuf>, String)> =
        known.iter().map(|one| (one.phone.as_deref().map(meaning::phone), None, one.name.clone())).collect();
    for flow in &found.flows {
        let is_its = |(phone, session, _): &&(Option<String>, Option<PathBuf>, String)| {
            is_same_account((phone.as_deref(), session.as_deref()), flow.account())
        };
        let same = accounts.iter().find(is_its).map(|(_, _, name)| name.clone());
        // A file without an account of its own means the one that has its name.
        let named =
            same.or_else(|| (!has_account(flow) && taken.contains(&flow.name)).then(|| flow.name.clone()));
        let account = named.unwrap_or_else(|| {
            let account = free_name(&flow.name, &mut taken);
            begin(&mut all.settings, &flow.file);
            describe_account(&mut all.settings, flow, &account, locate);
            accounts.push((flow.phone.clone(), flow.session.clone(), account.clone()));
            account
        });
        begin(&mut all.flows, &flow.file);
        describe_flow(&mut all.flows, flow, &account);
    }
    for control in &found.controls {
        begin(&mut all.settings, &control.file);
        describe_control(&mut all.settings, control, locate);
    }
    all
}

/// Whether a file says who its account is.
const fn has_account(flow: &OldFlow) -> bool {
    flow.phone.is_some() || flow.api_id.is_some() || flow.session.is_some() || flow.session_string.is_some()
}

/// What follows is of this file.
fn begin(text: &mut String, file: &Path) {
    if !text.is_empty() {
        text.push('\n');
    }
    line(text, &format!("# {}", file.display()));
}

fn line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{line}");
}

fn quoted(value: &str) -> String {
    Value::String(value.to_owned()).to_string()
}

fn key(text: &mut String, name: &str, value: &str) {
    line(text, &format!("{name} = {}", quoted(value)));
}

fn describe_control(text: &mut String, control: &OldControl, locate: &dyn Fn(&Named) -> SecretLocation) {
    let token = Named { file: control.file.clone(), variable: control.token.clone() };
    line(text, "# The old script must be stopped before this bot is asked.");
    line(text, "[[control_bots]]");
    key(text, "name", &control.name);
    line(text, &format!("token = {}", locate(&token).as_toml()));
    if control.allowed.is_empty() {
        line(text, "# people = […]: no variable names its people; write their ids on Telegram");
    } else {
        let people: Vec<_> = control.allowed.iter().map(ToString::to_string).collect();
        line(text, &format!("people = [{}]", people.join(", ")));
    }
}

fn describe_account(
    text: &mut String,
    flow: &OldFlow,
    account: &str,
    locate: &dyn Fn(&Named) -> SecretLocation,
) {
    let of =
        |variable: &String| locate(&Named { file: flow.file.clone(), variable: variable.clone() }).as_toml();
    let (Some(api_id), Some(api_hash)) = (flow.api_id, &flow.api_hash) else {
        line(text, &format!("# There is no account {account} yet: switchboard account add {account}"));
        return;
    };
    line(text, "[[telegram.accounts]]");
    key(text, "name", account);
    line(text, &format!("api_id = {api_id}"));
    line(text, &format!("api_hash = {}", of(api_hash)));
    if let Some(phone) = &flow.phone {
        key(text, "phone", phone);
    }
    match (&flow.session, &flow.session_string) {
        (Some(file), _) => {
            line(text, "# The old script must be stopped before this is opened.");
            line(text, &format!("sessions = [{{ file = {} }}]", quoted(&file.display().to_string())));
        }
        (None, Some(variable)) => {
            line(text, "# The old script must be stopped before this is opened.");
            line(text, &format!("sessions = [{{ string = {} }}]", of(variable)));
        }
        (None, None) => {}
    }
}

fn describe_flow(text: &mut String, flow: &OldFlow, account: &str) {
    line(text, "[[flows]]");
    key(text, "name", &flow.name);
    key(text, "account", account);
    match &flow.watched {
        Some(watched) => key(text, "watch", watched),
        None => line(text, "# watch = \"@…\": no variable names the bot"),
    }
    let (trigger, first) = (&flow.trigger, flow.presses.first());
    let mut conditions = Vec::new();
    conditions.extend(trigger.text.as_ref().map(|words| format!("text = {}", quoted(words))));
    conditions.extend(trigger.regex.as_ref().map(|regex| format!("regex = {}", quoted(regex))));
    if !trigger.keywords.is_empty() {
        let words: Vec<_> = trigger.keywords.iter().map(|word| quoted(word)).collect();
        conditions.push(format!("keywords = [{}]", words.join(", ")));
    }
    match (conditions.is_empty(), first) {
        (false, _) => line(text, &format!("trigger = {{ {} }}", conditions.join(", "))),
        (true, Some(Press::Contains(label))) => {
            line(text, "# No variable says which message begins a run: one with the first button does.");
            line(text, &format!("trigger = {{ has_button = {} }}", quoted(label)));
        }
        (true, _) => line(text, "# trigger = { text = \"…\" }: no variable says which message begins a run"),
    }
    for press in &flow.presses {
        line(text, "[[flows.steps]]");
        let (by, label) = match press {
            Press::Contains(label) => ("contains", label),
            Press::Regex(regex) => ("regex", regex),
        };
        line(text, &format!("press = {{ {by} = {} }}", quoted(label)));
    }
    if flow.presses.is_empty() {
        line(text, "# [[flows.steps]] press = { text = \"…\" }: no variable names a button");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EnvFile, survey};
    use super::*;
    use proptest::prelude::*;

    fn written(files: &[(&str, &str)], known: &[ExistingAccount]) -> String {
        let files: Vec<_> = files.iter().map(|(path, text)| EnvFile::read((*path).into(), text)).collect();
        let OldSettings { settings, flows } = written_apart(&files, known);
        format!("{settings}\n{flows}")
    }

    fn written_apart(files: &[EnvFile], known: &[ExistingAccount]) -> OldSettings {
        text(&survey(files), known, &|named| SecretLocation::Variable(named.variable.clone()))
    }

    const TRIP: &str = "API_ID=5099\nAPI_HASH=5099aa17c0ffee005099aa17c0ffee00\nPHONE=+70000000001\nSESSION=main\n\
        BOT=@demo_trips_bot\nTRIGGER='New trip .* (?P<from>\\w+)'\nBUTTON_1=Book\nBUTTON_2='Confirm|Yes'\nX=planted";

    #[test]
    fn a_flow_reads_as_settings_and_names_its_secrets() {
        let text = written(&[("/old/trip/.env", TRIP)], &[]);
        assert_eq!(
            text,
            "# /old/trip/.env\n[[telegram.accounts]]\nname = \"trip\"\napi_id = 5099\n\
             api_hash = { env = \"API_HASH\" }\nphone = \"+70000000001\"\n\
             # The old script must be stopped before this is opened.\n\
             sessions = [{ file = \"/old/trip/main.session\" }]\n\n# /old/trip/.env\n[[flows]]\nname = \"trip\"\naccount = \"trip\"\n\
             watch = \"@demo_trips_bot\"\ntrigger = { regex = 'New trip .* (?P<from>\\w+)' }\n[[flows.steps]]\n\
             press = { contains = \"Book\" }\n[[flows.steps]]\npress = { regex = \"Confirm|Yes\" }\n"
        );
    }

    #[test]
    fn a_control_bot_serves_the_people_who_were_allowed() {
        let token = format!("5099000001:{}", "AAb_-".repeat(7));
        let control = format!("CONTROL={token}\nADMIN_IDS=5000000002,5000000001\n");
        let files = vec![
            EnvFile::read("/old/control.env".into(), &control),
            EnvFile::read("/old/second/.env".into(), &format!("BOT={}", token.replace("5099", "5098"))),
        ];
        let file = |named: &Named| SecretLocation::File(PathBuf::from("/kept").join(&named.variable));
        let found = survey(&files);
        let OldSettings { settings, flows } = text(&found, &[], &file);
        assert_eq!(
            settings,
            "# /old/control.env\n# The old script must be stopped before this bot is asked.\n[[control_bots]]\n\
             name = \"control\"\ntoken = { file = \"/kept/CONTROL\" }\npeople = [5000000001, 5000000002]\n\n\
             # /old/second/.env\n# The old script must be stopped before this bot is asked.\n[[control_bots]]\n\
             name = \"second\"\ntoken = { file = \"/kept/BOT\" }\n\
             # people = […]: no variable names its people; write their ids on Telegram\n"
        );
        assert_eq!(flows, "");
    }

    #[test]
    fn a_known_phone_is_its_account_and_two_files_share_one() {
        let second = TRIP.replace("demo_trips_bot", "demo_rides_bot");
        let files = [("/old/trip/.env", TRIP), ("/old/trip/.env.second", second.as_str())];
        let known = [ExistingAccount { name: "main".to_owned(), phone: Some("+70000000001".to_owned()) }];
        let text = written(&files, &known);
        assert!(
            !text.contains("telegram.accounts") && text.matches("account = \"main\"").count() == 2,
            "{text}"
        );
        // However the settings write it.
        let known =
            [ExistingAccount { name: "main".to_owned(), phone: Some("+7 (000) 000-00-01".to_owned()) }];
        let text = written(&files, &known);
        assert_eq!(text.matches("account = \"main\"").count(), 2, "{text}");
        // An account of another number keeps its name.
        let known = [ExistingAccount { name: "trip".to_owned(), phone: Some("+70000000002".to_owned()) }];
        let text = written(&files, &known);
        assert_eq!(text.matches("account = \"trip-2\"").count(), 2, "{text}");
        assert!(text.contains("[[telegram.accounts]]\nname = \"trip-2\""), "{text}");
        let text = written(&files, &[]);
        let accounts = text.matches("[[telegram.accounts]]").count();
        assert_eq!((accounts, text.matches("account = \"trip\"").count()), (1, 2), "{text}");
        // One session without a number is one account too.
        let files = files.map(|(file, text)| (file, text.replace("PHONE=+70000000001\n", "")));
        let files = [0, 1].map(|place| (files[place].0, files[place].1.as_str()));
        let text = written(&files, &[]);
        assert_eq!(text.matches("[[telegram.accounts]]").count(), 1, "{text}");
    }

    proptest! {
        /// Whatever is in the files: what comes out is TOML, and no secret is in it.
        #[test]
        fn it_is_toml_without_secrets(
            values in proptest::collection::vec("[^\\x00\\n]{0,30}", 6), hash in "[0-9a-f]{32}", string in "[A-Za-z0-9_-]{210}",
        ) {
            let mut text = format!("API_ID=5099\nAPI_HASH={hash}\nSESSION_STRING={string}\nTOKEN=5099000001:{}\n", &string[..35]);
            let names = ["TRIGGER", "BUTTON_1", "BUTTONS", "KEYWORDS", "TARGET_BOT", "SESSION_NAME"];
            for (name, value) in names.iter().zip(&values) {
                text = format!("{text}{name}={value}\n");
            }
            let written = written(&[("/old/.env", &text)], &[]);
            prop_assert!(written.parse::<toml::Table>().is_ok(), "{}", written);
            prop_assert!(!written.contains(&hash) && !written.contains(&string[..35]), "{}", written);
        }
    }
}
