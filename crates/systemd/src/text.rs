//! The text of the units: one that runs the program, hardened, and one that reports that it is dead. Pure.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The first line of every unit that is written here; by it they are known again.
pub(super) const MARK: &str = "# Written by `switchboard service install`, which writes it anew.";

/// Where the service manager keeps the state of services.
const STATE: &str = "/var/lib";

/// As whom the program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// A user that exists only while it runs.
    Dynamic,
    /// This user, who exists already.
    Named(String),
}

/// How the program is to run as a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitOptions {
    /// The name of the unit without `.service`: 1 to 40 of the letters a-z, digits and -.
    pub name: String,
    /// The program; an absolute path.
    pub program: PathBuf,
    pub account: Account,
    /// The settings file; an absolute path.
    pub config: Option<PathBuf>,
    /// The data directory; an absolute path.
    pub data_dir: PathBuf,
    /// Where the master key is that the service gets as a credential.
    pub master_key: Option<PathBuf>,
    /// Further credentials: a name, and the file that it is read from.
    pub credentials: Vec<(String, PathBuf)>,
    /// A file with variables, one `NAME=value` a line.
    pub environment: Option<PathBuf>,
    /// The most memory it may take, such as `512M`.
    pub memory_max: Option<String>,
}

/// An option that no unit can have. Names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option} {what}")]
pub struct InvalidUnit {
    pub option: &'static str,
    /// What is wrong with it, and what to give.
    pub what: String,
}

impl UnitOptions {
    /// Whether units can be made of this.
    ///
    /// # Errors
    /// Names the first option that is wrong.
    pub fn check(&self) -> Result<(), InvalidUnit> {
        let wrong = |option, what: &str| Err(InvalidUnit { option, what: what.to_owned() });
        let named = (1..=40).contains(&self.name.len())
            && self
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !self.name.starts_with('-');
        if !named {
            return wrong("--name", "is wrong: write 1 to 40 of the letters a-z, digits and -");
        }
        if let Account::Named(user) = &self.account {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
            if user.is_empty() || user.len() > 32 || !user.bytes().all(plain) {
                return wrong("--user", "is no name of a user");
            }
        }
        if self.account == Account::Dynamic && self.state_directory().is_none() {
            return wrong(
                "--data-dir",
                "must lie directly below /var/lib when the service has no user of its own; name another directory, or \
                 a user with --user",
            );
        }
        let memory = |text: &str| {
            let number = text.trim_end_matches(['K', 'M', 'G']);
            text.len() - number.len() <= 1 && number.parse::<u32>().is_ok_and(|number| number > 0)
        };
        if self.memory_max.as_deref().is_some_and(|text| !memory(text)) {
            return wrong("--memory-max", "is wrong: write a size such as 512M");
        }
        let name = |name: &str| {
            !name.is_empty()
                && name != "master.key"
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        if self.credentials.iter().any(|(given, _)| !name(given)) {
            return wrong(
                "--credential",
                "is wrong: write NAME:FILE, with a name of letters, digits, _, - and .",
            );
        }
        let paths = [("--program", Some(&self.program)), ("--config", self.config.as_ref())]
            .into_iter()
            .chain([("--data-dir", Some(&self.data_dir)), ("--master-key", self.master_key.as_ref())])
            .chain([("--environment-file", self.environment.as_ref())])
            .chain(self.credentials.iter().map(|(_, file)| ("--credential", Some(file))));
        for (option, path) in paths {
            if path.is_some_and(|path| !writable(path)) {
                return wrong(
                    option,
                    "must be an absolute path without quotes, colons, line ends and other odd letters",
                );
            }
        }
        Ok(())
    }

    /// The name of the unit that runs the program.
    pub fn unit(&self) -> String {
        format!("{}.service", self.name)
    }

    /// The name of the template that reports that it is dead.
    pub fn alert_unit(&self) -> String {
        format!("{}-alert@.service", self.name)
    }

    pub(super) fn units(&self) -> [(String, String); 2] {
        [(self.unit(), self.main_text()), (self.alert_unit(), self.alert_text())]
    }

    fn main_text(&self) -> String {
        let mut text = format!(
            "{MARK}\n[Unit]\nDescription=Switchboard\nWants=network-online.target time-sync.target\n\
             After=network-online.target time-sync.target\n\
             # On the empty place of a disk that is not mounted a new store would begin.\n\
             RequiresMountsFor={}\n\
             # One that ends again and again is left alone after ten starts in ten minutes: each start asks Telegram.\n\
             StartLimitIntervalSec=600\nStartLimitBurst=10\nOnFailure={}-alert@%n.service\n\n[Service]\nType=notify\n\
             NotifyAccess=main\n",
            quoted(&self.data_dir),
            self.name
        );
        self.command(&mut text, "up");
        text.push_str(
            "ExecReload=/bin/kill -HUP $MAINPID\nRestart=always\nRestartSec=10\n\
             # It ends with 2 for wrong settings: a start that changes nothing helps no one. 3 stands for an account that\n\
             # Telegram has frozen; a server goes on without it, and never ends with 3.\n\
             RestartPreventExitStatus=2 3\nWatchdogSec=60\nTimeoutStartSec=120\nTimeoutStopSec=30\nLimitNOFILE=65536\n",
        );
        if let Some(memory) = &self.memory_max {
            line(&mut text, "MemoryMax", memory);
        }
        self.owner(&mut text);
        self.given(&mut text);
        text.push_str(HARDENED);
        text.push_str("\n[Install]\nWantedBy=multi-user.target\n");
        text
    }

    fn alert_text(&self) -> String {
        let mut text = format!(
            "{MARK}\n[Unit]\nDescription=Tell that %i is dead\nWants=network-online.target\n\
             After=network-online.target\n\n[Service]\nType=oneshot\n"
        );
        self.command(&mut text, "alert send --unit %i");
        text.push_str("TimeoutStartSec=180\nMemoryMax=128M\n# To tell the last lines of the journal.\nSupplementaryGroups=systemd-journal\n");
        self.owner(&mut text);
        self.given(&mut text);
        text.push_str(HARDENED);
        text
    }

    fn command(&self, text: &mut String, command: &str) {
        let config =
            self.config.as_ref().map_or_else(String::new, |file| format!(" --config {}", quoted(file)));
        let value =
            format!("{} {command}{config} --data-dir {}", quoted(&self.program), quoted(&self.data_dir));
        line(text, "ExecStart", &value);
    }

    /// As whom it runs, and what it may write.
    fn owner(&self, text: &mut String) {
        match &self.account {
            Account::Dynamic => {
                line(text, "DynamicUser", "yes");
                // Both units have one name, so that they are one user.
                line(text, "User", &self.name);
            }
            Account::Named(user) => line(text, "User", user),
        }
        match self.state_directory() {
            Some(name) => {
                line(text, "StateDirectory", &name);
                line(text, "StateDirectoryMode", "0700");
            }
            None => line(text, "ReadWritePaths", &quoted(&self.data_dir)),
        }
    }

    fn given(&self, text: &mut String) {
        if let Some(file) = &self.master_key {
            line(text, "LoadCredential", &format!("master.key:{}", escaped(file)));
        }
        for (name, file) in &self.credentials {
            line(text, "LoadCredential", &format!("{name}:{}", escaped(file)));
        }
        if let Some(file) = &self.environment {
            line(text, "EnvironmentFile", &escaped(file));
        }
    }

    /// The name of the data directory below `/var/lib`, if it is there.
    fn state_directory(&self) -> Option<String> {
        let name = self.data_dir.strip_prefix(STATE).ok()?.to_str()?;
        (!name.is_empty() && !name.contains('/')).then(|| name.to_owned())
    }
}

/// What a service that needs the network and its own directory can do without.
const HARDENED: &str = "UMask=0077
LimitCORE=0
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
";

fn line(text: &mut String, key: &str, value: &str) {
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{key}={value}");
}

/// Whether a path can be written in a unit. Quotes and line ends could become other lines, colons other fields.
fn writable(path: &Path) -> bool {
    path.is_absolute()
        && path.to_str().is_some_and(|text| {
            !text.contains(|c: char| c.is_control() || "\"'\\:;$`{}".contains(c))
                && text.split('/').all(|part| part != "..")
        })
}

/// `%` begins a specifier.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace('%', "%%")
}

fn quoted(path: &Path) -> String {
    let text = escaped(path);
    if text.contains(char::is_whitespace) { format!("\"{text}\"") } else { text }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in super::super) fn options() -> UnitOptions {
        UnitOptions {
            name: "switchboard".into(),
            program: "/usr/local/bin/switchboard".into(),
            account: Account::Dynamic,
            config: Some("/etc/switchboard/switchboard.toml".into()),
            data_dir: "/var/lib/switchboard".into(),
            master_key: Some("/etc/switchboard/master.key".into()),
            credentials: vec![("hash".into(), "/etc/switchboard/hash".into())],
            environment: None,
            memory_max: Some("512M".into()),
        }
    }

    #[test]
    fn requested_options_are_in_the_unit() {
        let [(name, main), (alert_name, alert)] = options().units();
        assert_eq!(
            (name.as_str(), alert_name.as_str()),
            ("switchboard.service", "switchboard-alert@.service")
        );
        for wanted in [
            "After=network-online.target time-sync.target\n",
            "RequiresMountsFor=/var/lib/switchboard\n",
            "Type=notify\n",
            "ExecStart=/usr/local/bin/switchboard up --config /etc/switchboard/switchboard.toml --data-dir /var/lib/switchboard\n",
            "OnFailure=switchboard-alert@%n.service\n",
            "Restart=always\nRestartSec=10\n",
            "RestartPreventExitStatus=2 3\n",
            "DynamicUser=yes\nUser=switchboard\nStateDirectory=switchboard\n",
            "LoadCredential=master.key:/etc/switchboard/master.key\n",
            "LoadCredential=hash:/etc/switchboard/hash\n",
            "MemoryMax=512M\n",
            "WatchdogSec=60\n",
            "WantedBy=multi-user.target\n",
        ] {
            assert!(main.contains(wanted), "{wanted}: {main}");
        }
        assert!(alert.contains("alert send --unit %i --config"), "{alert}");
        assert!(
            alert.contains("Type=oneshot") && !alert.contains("[Install]") && !alert.contains("OnFailure"),
            "{alert}"
        );
    }

    #[test]
    fn neither_unit_leaves_its_memory_on_the_disk() {
        for (name, text) in options().units() {
            assert!(text.contains("\nUMask=0077\nLimitCORE=0\n"), "{name}: {text}");
        }
    }

    #[test]
    fn a_named_user_may_have_its_data_anywhere() {
        let named = UnitOptions {
            account: Account::Named("gateway".into()),
            data_dir: "/srv/my data".into(),
            memory_max: None,
            master_key: None,
            ..options()
        };
        named.check().expect("fine");
        let [(_, text), _] = named.units();
        assert!(text.contains("User=gateway\nReadWritePaths=\"/srv/my data\"\n"), "{text}");
        assert!(text.contains("\nRequiresMountsFor=\"/srv/my data\"\n"), "{text}");
        assert!(
            !text.contains("DynamicUser") && !text.contains("MemoryMax") && !text.contains("master.key"),
            "{text}"
        );
    }

    #[test]
    fn options_that_no_unit_can_have_are_named() {
        let refused = |options: UnitOptions| options.check().expect_err("wrong").option;
        assert_eq!(refused(UnitOptions { name: "a/b".into(), ..options() }), "--name");
        assert_eq!(refused(UnitOptions { account: Account::Named("a b".into()), ..options() }), "--user");
        assert_eq!(refused(UnitOptions { data_dir: "/srv/x".into(), ..options() }), "--data-dir");
        assert_eq!(refused(UnitOptions { data_dir: "/var/lib/a/b".into(), ..options() }), "--data-dir");
        assert_eq!(refused(UnitOptions { memory_max: Some("lots".into()), ..options() }), "--memory-max");
        assert_eq!(refused(UnitOptions { config: Some("a.toml".into()), ..options() }), "--config");
        assert_eq!(
            refused(UnitOptions { credentials: vec![("a b".into(), "/a".into())], ..options() }),
            "--credential"
        );
        options().check().expect("fine");
    }

    proptest! {
        /// Whatever is given: it is refused, or it is on its own line and adds no other.
        #[test]
        fn no_option_becomes_another_line(name in "\\PC{0,12}", file in "/\\PC{0,12}|\\PC{0,12}", memory in "\\PC{0,6}") {
            let odd = UnitOptions {
                name,
                config: Some(file.into()),
                memory_max: Some(memory),
                ..options()
            };
            if odd.check().is_ok() {
                let usual = options().units().map(|(_, text)| text.lines().count());
                prop_assert_eq!(odd.units().map(|(_, text)| text.lines().count()), usual);
            }
        }
    }
}
