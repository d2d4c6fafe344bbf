//! What `.env` files of old scripts come to: flows, a control bot, and what is not known. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use domain::SecretText;
use domain::secret::ExposeSecret;

use super::env_file::{EnvFile, Variable};
use super::meaning::{self, Meaning, Words, is_expression, several};

/// Words of names that hold several texts: `BUTTON_TEXTS`.
const LISTS: &[&str] = &["texts", "labels", "names", "titles", "words", "list", "sequence"];

/// The longest name of a flow.
const LONGEST: usize = 64;

/// All that the files say.
#[derive(Debug, Default)]
pub struct OldFlows {
    pub flows: Vec<OldFlow>,
    pub controls: Vec<OldControl>,
    /// Variables that were recognised, in the order of the files.
    pub recognised: Vec<(Named, Meaning)>,
    /// Those that were not. What they hold stays unsaid.
    pub unknown: Vec<Named>,
    /// Databases that are named, as they are named there.
    pub databases: Vec<PathBuf>,
    /// Lines of files that are neither a variable nor a comment.
    pub left_lines: Vec<(PathBuf, Vec<usize>)>,
    /// Variables that come more than once in a file, with different values.
    pub repeated: Vec<Named>,
    /// People who are allowed, and no file says in which control bot.
    pub unclaimed: Vec<(PathBuf, Vec<i64>)>,
    /// Files whose flow is that of another file, which stands behind them: one account would press twice.
    pub copies: Vec<(PathBuf, PathBuf)>,
    /// Files whose control bot is that of another file, which stands behind them: a bot answers one program.
    pub shared_bots: Vec<(PathBuf, PathBuf)>,
}

/// A variable of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub file: PathBuf,
    pub variable: String,
}

/// A flow that one file is of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OldFlow {
    pub file: PathBuf,
    /// By the file, or by its folder.
    pub name: String,
    pub api_id: Option<i32>,
    /// The variable that holds the secret of the application.
    pub api_hash: Option<String>,
    pub phone: Option<String>,
    /// The session file, below the folder of the `.env` file where it is relative.
    pub session: Option<PathBuf>,
    /// The variable that holds a session string.
    pub session_string: Option<String>,
    pub watched: Option<String>,
    pub trigger: Trigger,
    /// The buttons, in the order in which they are pressed.
    pub presses: Vec<Press>,
}

/// What begins a run, as far as it is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trigger {
    pub text: Option<String>,
    pub regex: Option<String>,
    pub keywords: Vec<String>,
}

/// A button that is pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// Its label has this in it.
    Contains(String),
    Regex(String),
}

/// The control bot of the old scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldControl {
    pub file: PathBuf,
    /// By the file, or by its folder.
    pub name: String,
    /// The variable that holds its token.
    pub token: String,
    /// Who may control it.
    pub allowed: Vec<i64>,
}

/// Sums the files up. People who are allowed in a file without a token are those of the control bot of its folder, or of the
/// only one. What the database of a panel says of a flow fills in what the `.env` file of the only flow leaves out.
pub fn survey(files: &[EnvFile]) -> OldFlows {
    let mut all = OldFlows::default();
    let (mut given, mut bots) = (BTreeSet::new(), BTreeSet::new());
    let (mut unclaimed, mut of_panels) = (Vec::new(), Vec::new());
    // Of the control bots, in their order.
    let mut tokens = Vec::<&str>::new();
    for file in files {
        if !file.left_lines.is_empty() {
            all.left_lines.push((file.path.clone(), file.left_lines.clone()));
        }
        let named = |variable: &String| Named { file: file.path.clone(), variable: variable.clone() };
        all.repeated.extend(file.repeated.iter().map(named));
        let mut flow = OldFlow { file: file.path.clone(), ..OldFlow::default() };
        let (mut control, mut allowed, mut buttons) = (None, Vec::new(), Vec::new());
        for variable in &file.variables {
            let named = named(&variable.name);
            let Some(meaning) = meaning::meaning(&variable.name, variable.value()) else {
                all.unknown.push(named);
                continue;
            };
            all.recognised.push((named, meaning));
            match meaning {
                Meaning::ControlToken => control = Some(variable),
                Meaning::AllowedIds => allowed.extend(meaning::ids(variable.value()).unwrap_or_default()),
                Meaning::Database => {
                    let path = Path::new(meaning::database(variable.value().trim())).to_owned();
                    if !all.databases.contains(&path) {
                        all.databases.push(path);
                    }
                }
                Meaning::Button => buttons.push(variable),
                Meaning::TwoStepPassword => {}
                other => flow.take(other, variable),
            }
        }
        flow.presses = presses(buttons);
        match control {
            Some(variable) => {
                let token = variable.value().trim();
                let same = tokens.iter().position(|known| *known == token);
                if let Some(place) = same
                    && let Some(first) = all.controls.get_mut(place)
                {
                    first.allowed.extend(allowed);
                    all.shared_bots.push((file.path.clone(), first.file.clone()));
                } else {
                    tokens.push(token);
                    let name = free_name(&name_of(&file.path), &mut bots);
                    let token = variable.name.clone();
                    all.controls.push(OldControl { file: file.path.clone(), name, token, allowed });
                }
            }
            None if allowed.is_empty() => {}
            None => unclaimed.push((file.path.clone(), allowed)),
        }
        if file.is_panel {
            of_panels.push(flow);
        } else if flow.says_something() {
            flow.name = free_name(&name_of(&file.path), &mut given);
            all.flows.push(flow);
        }
    }
    for flow in std::mem::take(&mut all.flows) {
        let first = all.flows.iter().find(|first| flow.is_copy_of(first)).map(|first| first.file.clone());
        match first {
            Some(first) => all.copies.push((flow.file, first)),
            None => all.flows.push(flow),
        }
    }
    for flow in of_panels.into_iter().filter(OldFlow::says_something) {
        if let [only] = all.flows.as_mut_slice() {
            only.fill_in(flow);
        } else {
            let name = free_name(&name_of(&flow.file), &mut given);
            all.flows.push(OldFlow { name, ..flow });
        }
    }
    for (file, allowed) in unclaimed {
        let is_beside = |control: &&mut OldControl| control.file.parent() == file.parent();
        let beside = all.controls.iter().filter(|control| control.file.parent() == file.parent()).count();
        let control = match (all.controls.len(), beside) {
            (1, _) => all.controls.first_mut(),
            (_, 1) => all.controls.iter_mut().find(is_beside),
            _ => None,
        };
        match control {
            Some(control) => control.allowed.extend(allowed),
            None => all.unclaimed.push((file, allowed)),
        }
    }
    for control in &mut all.controls {
        control.allowed.sort_unstable();
        control.allowed.dedup();
    }
    all
}

impl OldFlow {
    fn says_something(&self) -> bool {
        self.watched.is_some() || !self.presses.is_empty() || self.trigger != Trigger::default()
    }

    /// Whether it does the same as another on the same account.
    fn is_copy_of(&self, other: &Self) -> bool {
        is_same_account(self.account(), other.account())
            && (&self.watched, &self.trigger, &self.presses)
                == (&other.watched, &other.trigger, &other.presses)
    }

    /// Its phone number and its session file.
    pub(super) fn account(&self) -> (Option<&str>, Option<&Path>) {
        (self.phone.as_deref(), self.session.as_deref())
    }

    /// Takes what is missing from another.
    fn fill_in(&mut self, other: Self) {
        self.watched = self.watched.take().or(other.watched);
        self.phone = self.phone.take().or(other.phone);
        if self.trigger == Trigger::default() {
            self.trigger = other.trigger;
        }
        if self.presses.is_empty() {
            self.presses = other.presses;
        }
    }

    fn take(&mut self, meaning: Meaning, variable: &Variable) {
        let value = variable.value().trim();
        match meaning {
            Meaning::ApiId => self.api_id = value.parse().ok(),
            Meaning::ApiHash => self.api_hash = Some(variable.name.clone()),
            Meaning::Phone => self.phone = Some(meaning::phone(value)),
            Meaning::SessionFile => {
                // Telethon and Pyrogram add the ending where there is none.
                let ending = if value.ends_with(".session") { "" } else { ".session" };
                let folder = self.file.parent().unwrap_or(Path::new(""));
                self.session = Some(folder.join(format!("{value}{ending}")));
            }
            Meaning::SessionString => self.session_string = Some(variable.name.clone()),
            Meaning::Watched => self.watched = meaning::watched(&Words::of(&variable.name), value),
            Meaning::Trigger => {
                let words = Words::of(&variable.name);
                let is_list =
                    value.starts_with('[') || words.has(&["keywords", "triggers"]) || words.has(LISTS);
                if is_list {
                    self.trigger.keywords = several(value, &[',', ';', '\n']);
                } else if is_expression(&variable.name, value) {
                    self.trigger.regex = Some(value.to_owned());
                } else {
                    self.trigger.text = Some(value.to_owned());
                }
            }
            Meaning::Button
            | Meaning::ControlToken
            | Meaning::AllowedIds
            | Meaning::Database
            | Meaning::TwoStepPassword => {}
        }
    }
}

/// Whether two accounts are one, by their phones and session files. No two accounts have one session.
pub(super) fn is_same_account(
    (phone, session): (Option<&str>, Option<&Path>),
    (other_phone, other_session): (Option<&str>, Option<&Path>),
) -> bool {
    match (phone, other_phone) {
        (Some(phone), Some(other)) => phone == other,
        _ => session.is_some() && session == other_session,
    }
}

/// By the numbers in their names where all have one, else in the order of the file.
fn presses(mut buttons: Vec<&Variable>) -> Vec<Press> {
    let number = |variable: &Variable| {
        let mut digits = variable.name.split(|letter: char| !letter.is_ascii_digit());
        digits.rfind(|digits| !digits.is_empty()).and_then(|digits| digits.parse::<u32>().ok())
    };
    if buttons.iter().all(|variable| number(variable).is_some()) {
        buttons.sort_by_key(|variable| number(variable));
    }
    let presses = buttons.into_iter().flat_map(|variable| {
        let value = variable.value().trim();
        let words = Words::of(&variable.name);
        let is_list = value.starts_with('[') || words.has(&["buttons", "btns"]) || words.has(LISTS);
        let labels = if is_list { several(value, &[',', ';', '\n']) } else { vec![value.to_owned()] };
        labels.into_iter().map(|label| {
            if is_expression(&variable.name, &label) { Press::Regex(label) } else { Press::Contains(label) }
        })
    });
    presses.collect()
}

/// What is left of a file's name without `env`; else the name of its folder.
fn name_of(path: &Path) -> String {
    let plain = |text: &str| {
        let letters = text.to_lowercase();
        let letters = letters.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
        letters
            .collect::<String>()
            .split('-')
            .filter(|word| !word.is_empty() && *word != "env")
            .collect::<Vec<_>>()
            .join("-")
    };
    let of_file = path.file_name().map(|name| plain(&name.to_string_lossy())).unwrap_or_default();
    let of_folder = || path.parent().and_then(Path::file_name).map(|name| plain(&name.to_string_lossy()));
    let name = if of_file.is_empty() { of_folder().unwrap_or_default() } else { of_file };
    let name: String = name.chars().take(LONGEST - 4).collect();
    if name.is_empty() { "flow".to_owned() } else { name }
}

/// How the secrets of several files are called apart.
#[derive(Debug, Default)]
pub struct SecretNames(Vec<(Named, String)>);

impl SecretNames {
    /// The names of variables, as shells can export them. Where files have different secrets in variables of one name, each but the
    /// first gets another name, with that of its file in it. So does a secret under a name of `used`, the variables that the
    /// settings name already, unless that variable has the same value.
    pub fn of_variables(found: &OldFlows, files: &[EnvFile], used: &[(String, Option<SecretText>)]) -> Self {
        let used = used
            .iter()
            .map(|(name, value)| (name.clone(), value.as_ref().map(|value| value.expose_secret().trim())));
        Self::of(
            found,
            files,
            used.collect(),
            |named| exportable(&named.variable),
            |named| {
                let file = name_of(&named.file).to_ascii_uppercase().replace('-', "_");
                format!("{}_{file}", exportable(&named.variable))
            },
        )
    }

    /// The names of files, with as much of the path in them as they need to differ.
    pub fn of_files(found: &OldFlows, files: &[EnvFile]) -> Self {
        let name = |named: &Named, parts: usize| {
            let plain = |text: &str| {
                let letters = text
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
                letters.collect::<String>().trim_matches('-').to_owned()
            };
            let file: Vec<_> = named.file.components().rev().take(parts).collect();
            let path = file.into_iter().rev().map(|part| plain(&part.as_os_str().to_string_lossy()));
            let parts: Vec<_> =
                path.chain([plain(&named.variable)]).filter(|part| !part.is_empty()).collect();
            parts.join("-")
        };
        Self::of(found, files, BTreeMap::new(), |named| name(named, 2), |named| name(named, usize::MAX))
    }

    /// The name of a secret.
    pub fn get(&self, named: &Named) -> String {
        let found = self.0.iter().find(|(other, _)| other == named);
        found.map_or_else(|| named.variable.clone(), |(_, name)| name.clone())
    }

    fn of<'a>(
        found: &OldFlows,
        files: &'a [EnvFile],
        mut taken: BTreeMap<String, Option<&'a str>>,
        short: impl Fn(&Named) -> String,
        long: impl Fn(&Named) -> String,
    ) -> Self {
        let value = |named: &Named| {
            let file = files.iter().find(|file| file.path == named.file)?;
            let variable = file.variables.iter().find(|variable| variable.name == named.variable)?;
            Some(variable.value().trim())
        };
        let mut names = Self::default();
        for (named, _) in found.recognised.iter().filter(|(_, meaning)| meaning.is_secret()) {
            let held = value(named);
            let mut name = short(named);
            if !is_free(&taken, &name, held) {
                name = long(named);
            }
            let base = name.clone();
            for number in 2.. {
                if is_free(&taken, &name, held) {
                    break;
                }
                name = format!("{base}_{number}");
            }
            taken.insert(name.clone(), held);
            names.0.push((named.clone(), name));
        }
        names
    }
}

/// A name that a shell can export: letters, digits and underscores, and no digit first.
pub fn exportable(variable: &str) -> String {
    let letters = variable.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let digit = Some('_').filter(|_| variable.starts_with(|first: char| first.is_ascii_digit()));
    digit.into_iter().chain(letters).collect()
}

/// Whether a name is free for a secret: no other one has it.
fn is_free(taken: &BTreeMap<String, Option<&str>>, name: &str, held: Option<&str>) -> bool {
    taken.get(name).is_none_or(|other| *other == held)
}

pub(super) fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut free = name.to_owned();
    for number in 2.. {
        if taken.insert(free.clone()) {
            break;
        }
        free = format!("{name}-{number}");
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(path: &str, text: &str) -> EnvFile {
        EnvFile::read(path.into(), text)
    }

    #[test]
    fn two_copies_of_a_script_and_its_control_bot_are_taken_apart() {
        let token = format!("5099000001:{}", "AAb_-".repeat(7));
        let files = [
            file(
                "/old/trip/.env",
                "API_ID=5099\nAPI_HASH=5099aa17c0ffee005099aa17c0ffee00\nPHONE=70000000001\nSESSION=main\n\
                 TARGET_BOT=demo_trips_bot\nTRIGGER='New trip .* (?P<from>\\w+)'\nBUTTON_2=Tver\nBUTTON_1=Book\n\
                 BUTTON_3='Confirm|Yes'\nDEBUG=planted",
            ),
            file("/old/trip/.env.second", "WATCH=@demo_trips_bot\nBUTTONS=Book, Yes\nKEYWORDS=trip,ride"),
            file("/old/control.env", &format!("TG={token}\nDATABASE_URL=sqlite:///panel.db")),
            file("/old/people.env", "ADMIN_IDS=5000000002,5000000001"),
        ];
        let found = survey(&files);
        let [trip, second] = found.flows.as_slice() else { panic!("{found:?}") };
        assert_eq!((trip.name.as_str(), second.name.as_str()), ("trip", "second"));
        assert_eq!(trip.watched.as_deref(), Some("@demo_trips_bot"));
        assert_eq!(trip.trigger.regex.as_deref(), Some("New trip .* (?P<from>\\w+)"));
        assert_eq!(trip.session.as_deref(), Some(Path::new("/old/trip/main.session")));
        assert_eq!((trip.api_id, trip.api_hash.as_deref()), (Some(5099), Some("API_HASH")));
        assert_eq!(trip.phone.as_deref(), Some("+70000000001"));
        let press = |text: &str| Press::Contains(text.to_owned());
        assert_eq!(trip.presses, [press("Book"), press("Tver"), Press::Regex("Confirm|Yes".to_owned())]);
        assert_eq!(second.presses, [press("Book"), press("Yes")]);
        assert_eq!(second.trigger.keywords, ["trip", "ride"]);
        let unknown: Vec<_> = found.unknown.iter().map(|one| one.variable.as_str()).collect();
        assert_eq!(unknown, ["DEBUG"]);
        let allowed = vec![5_000_000_001, 5_000_000_002];
        assert_eq!(
            found.controls,
            [OldControl {
                file: "/old/control.env".into(),
                name: "control".into(),
                token: "TG".into(),
                allowed
            }]
        );
        assert_eq!(found.databases, [PathBuf::from("panel.db")]);
    }

    #[test]
    fn secrets_of_one_name_get_names_of_their_own() {
        let hash = |letter: char| format!("API_HASH={}\n", letter.to_string().repeat(32));
        let files = [
            file("/a/trip/.env", &hash('a')),
            file("/a/trip/.env.2nd", &hash('b')),
            file("/b/trip/.env", &hash('c')),
            file("/c/other/.env", &hash('a')),
        ];
        let found = survey(&files);
        let name = |names: &SecretNames, place: usize| names.get(&found.recognised[place].0);
        let variables = SecretNames::of_variables(&found, &files, &[]);
        let of_variables: Vec<_> = (0..4).map(|place| name(&variables, place)).collect();
        // One value may have one name.
        assert_eq!(of_variables, ["API_HASH", "API_HASH_2ND", "API_HASH_TRIP", "API_HASH"]);
        // The settings name the variable already: for the same secret, for another, or for one that is not known here.
        for (value, is_same) in [(Some("a".repeat(32)), true), (Some("b".repeat(32)), false), (None, false)] {
            let used = [("API_HASH".to_owned(), value.map(SecretText::from))];
            let names = SecretNames::of_variables(&found, &files, &used);
            assert_eq!(name(&names, 0) == "API_HASH", is_same);
        }
        let of_files: Vec<_> =
            (0..4).map(|place| name(&SecretNames::of_files(&found, &files), place)).collect();
        assert_eq!(
            of_files,
            ["trip-env-api-hash", "trip-env-2nd-api-hash", "b-trip-env-api-hash", "other-env-api-hash"]
        );
    }

    #[test]
    fn names_of_secrets_can_be_exported() {
        let files = [
            file("/a/.env", "2FA_PASSWORD=planted-a"),
            file("/b/.env.2nd", "2FA_PASSWORD=planted-b\nAPI-HASH=5099aa17c0ffee005099aa17c0ffee00"),
        ];
        let found = survey(&files);
        let names = SecretNames::of_variables(&found, &files, &[]);
        let names: Vec<_> = found.recognised.iter().map(|(named, _)| names.get(named)).collect();
        assert_eq!(names, ["_2FA_PASSWORD", "_2FA_PASSWORD_2ND", "API_HASH"]);
    }

    #[test]
    fn lists_of_labels_are_a_step_each() {
        let press = |text: &str| Press::Contains(text.to_owned());
        for (text, steps) in [
            ("BUTTON_TEXTS=Book,Tver,Confirm", vec![press("Book"), press("Tver"), press("Confirm")]),
            ("BTN_LABELS=Book;Confirm", vec![press("Book"), press("Confirm")]),
            ("BUTTON_TEXT='Yes, book'", vec![press("Yes, book")]),
        ] {
            assert_eq!(survey(&[file("/old/.env", text)]).flows[0].presses, steps, "{text}");
        }
    }

    #[test]
    fn equal_flows_of_one_account_are_one() {
        let text = "PHONE=+70000000001\nBOT=@demo_trips_bot\nTRIGGER=New trip\nBUTTON=Book";
        let files = [
            file("/old/.env", text),
            file("/old/.env.copy", text),
            file("/old/.env.other", &text.replace("Book", "Yes")),
            file("/old/.env.second", &text.replace("0001", "0002")),
        ];
        let found = survey(&files);
        let files: Vec<_> = found.flows.iter().map(|flow| flow.file.clone()).collect();
        assert_eq!(files, ["/old/.env", "/old/.env.other", "/old/.env.second"].map(PathBuf::from));
        assert_eq!(found.copies, [(PathBuf::from("/old/.env.copy"), PathBuf::from("/old/.env"))]);
    }

    #[test]
    fn one_session_is_one_account_and_one_token_one_bot() {
        let text = "SESSION=main\nBOT=@demo_trips_bot\nTRIGGER=New trip\nBUTTON=Book\n";
        let token = format!("TG=5099000001:{}\n", "AAb_-".repeat(7));
        let files = [
            file("/old/.env", &format!("{text}{token}ADMIN_IDS=5000000001")),
            file("/old/.env.copy", &format!("{text}{token}ADMIN_IDS=5000000002")),
            file("/old/.env.other", &format!("PHONE=+70000000001\n{}", text.replace("Book", "Yes"))),
        ];
        let found = survey(&files);
        let of = |place: usize| files[place].path.clone();
        assert_eq!(found.copies, [(of(1), of(0))]);
        assert_eq!(found.shared_bots, [(of(1), of(0))]);
        let allowed: Vec<_> = found.controls.iter().map(|control| control.allowed.clone()).collect();
        assert_eq!(allowed, [vec![5_000_000_001, 5_000_000_002]]);
        // A phone that another file leaves out is its account's.
        assert_eq!(found.flows.len(), 2);
        let (session, other) = (Some(Path::new("/old/main.session")), Some(Path::new("/b.session")));
        let (one, two) = (Some("+70000000001"), Some("+70000000002"));
        assert!(is_same_account((None, session), (one, session)));
        assert!(is_same_account((one, session), (one, other)));
        assert!(!is_same_account((one, session), (two, session)), "phones say more than a name");
        assert!(!is_same_account((None, None), (None, None)));
    }

    #[test]
    fn people_without_a_bot_are_listed() {
        let token = |digit: u8| format!("{digit}099000001:{}", "AAb_-".repeat(7));
        let files = [
            file("/a/control.env", &format!("TG={}", token(5))),
            file("/b/control.env", &format!("TG={}", token(6))),
            file("/b/people.env", "ADMIN_IDS=5000000001"),
            file("/c/people.env", "ADMIN_IDS=5000000002"),
        ];
        let found = survey(&files);
        let allowed: Vec<_> = found.controls.iter().map(|control| control.allowed.clone()).collect();
        assert_eq!(allowed, [vec![], vec![5_000_000_001]]);
        assert_eq!(found.unclaimed, [(PathBuf::from("/c/people.env"), vec![5_000_000_002])]);
    }

    proptest! {
        /// Whatever the files hold, two secrets that differ never have one name.
        #[test]
        fn no_two_secrets_share_a_name(
            held in proptest::collection::vec(("[a-c]", "[.][a-c2-]{0,3}", "API_HASH[12]?", "[ab]{32}"), 1..12),
        ) {
            let mut files: Vec<EnvFile> = Vec::new();
            for (folder, name, variable, value) in &held {
                let path = PathBuf::from(format!("/{folder}/env{name}"));
                match files.iter_mut().find(|file| file.path == path) {
                    Some(file) => file.add(variable, value.clone()),
                    None => files.push(EnvFile::read(path, &format!("{variable}={value}"))),
                }
            }
            let found = survey(&files);
            let value = |named: &Named| {
                let file = files.iter().find(|file| file.path == named.file).expect("a file");
                file.variables.iter().find(|one| one.name == named.variable).expect("one").value().to_owned()
            };
            for names in [SecretNames::of_variables(&found, &files, &[]), SecretNames::of_files(&found, &files)] {
                let mut by_name = BTreeMap::new();
                for (named, _) in &found.recognised {
                    let before = by_name.insert(names.get(named), value(named));
                    prop_assert!(before.is_none_or(|before| before == value(named)));
                }
            }
        }
    }

    #[test]
    fn names_of_flows_are_those_of_files_and_differ() {
        for (path, name) in [
            ("/old/Trip Bot/.env", "trip-bot"),
            ("/old/second.env", "second"),
            ("/old/.env_third", "third"),
            ("/.env", "flow"),
        ] {
            assert_eq!(name_of(Path::new(path)), name, "{path}");
        }
        let mut taken = BTreeSet::new();
        let names = ["a", "a", "a"].map(|name| free_name(name, &mut taken));
        assert_eq!(names, ["a", "a-2", "a-3"]);
    }

    proptest! {
        /// Whatever the files say, each variable is named once, and no flow has another's name.
        #[test]
        fn each_variable_is_named_once(
            texts in proptest::collection::vec(proptest::collection::vec(("[A-Z_0-9]{1,16}", "\\PC{0,30}"), 0..8), 0..4),
        ) {
            let text = |lines: &Vec<(String, String)>| {
                lines.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n")
            };
            let files: Vec<_> = texts.iter().map(|lines| file("/old/.env", &text(lines))).collect();
            let variables: usize = files.iter().map(|file| file.variables.len()).sum();
            let found = survey(&files);
            prop_assert_eq!(found.recognised.len() + found.unknown.len(), variables);
            let names: BTreeSet<_> = found.flows.iter().map(|flow| &flow.name).collect();
            prop_assert_eq!(names.len(), found.flows.len());
        }
    }
}
