//! Where a side is, and the command whose standard input and output lead to it.

use std::path::PathBuf;
use std::str::FromStr;

use crate::terminal::WrongUsage;

/// A side as it is named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A data directory of this machine.
    Here(PathBuf),
    /// Another machine, over the system's OpenSSH.
    Ssh { host: String, port: Option<u16>, data_dir: Option<PathBuf> },
    /// A command that leads to `switchboard` there, such as `ip netns exec other switchboard`.
    Command(Vec<String>),
}

/// What a side is started with beside its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Beside {
    pub(super) data_dir: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
}

impl FromStr for Target {
    type Err = WrongUsage;

    fn from_str(text: &str) -> Result<Self, WrongUsage> {
        let wrong = || {
            WrongUsage(format!(
                "{text:?} is no side of a move; write ssh://USER@HOST[:PORT][/DATA/DIR], a data directory of this machine, or \
                 exec:COMMAND that leads to `switchboard` there"
            ))
        };
        if let Some(rest) = text.strip_prefix("ssh://") {
            let (host, path) = match rest.find('/') {
                Some(at) => rest.split_at(at),
                None => (rest, ""),
            };
            let (host, port) = match host.rsplit_once(':') {
                Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
                None => (host, None),
            };
            // OpenSSH would read it as an option.
            if host.is_empty()
                || host.starts_with('-')
                || host.contains(|c: char| c.is_whitespace() || c.is_control())
            {
                return Err(wrong());
            }
            let data_dir = Some(path).filter(|path| path.len() > 1).map(PathBuf::from);
            return Ok(Self::Ssh { host: host.to_owned(), port, data_dir });
        }
        if let Some(command) = text.strip_prefix("exec:") {
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            return if words.is_empty() { Err(wrong()) } else { Ok(Self::Command(words)) };
        }
        if text.is_empty() || text.contains("://") {
            return Err(wrong());
        }
        Ok(Self::Here(text.into()))
    }
}

impl Target {
    /// How it is called in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Here(data_dir) => data_dir.display().to_string(),
            Self::Ssh { host, .. } => host.clone(),
            Self::Command(words) => words.join(" "),
        }
    }

    /// What leads to a shell of another machine.
    pub(super) fn ssh(host: &str, port: Option<u16>) -> Vec<String> {
        let mut words: Vec<String> =
            ["ssh", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"]
                .map(str::to_owned)
                .into();
        words.extend(port.iter().flat_map(|port| ["-p".to_owned(), port.to_string()]));
        words.extend([host.to_owned(), "--".to_owned()]);
        words
    }

    /// The command whose standard input and output are the line.
    pub(super) fn command(&self, beside: &Beside) -> anyhow::Result<Vec<String>> {
        let mut words = match self {
            Self::Here(_) => vec![std::env::current_exe()?.to_string_lossy().into_owned()],
            Self::Ssh { host, port, .. } => [Self::ssh(host, *port), vec!["switchboard".to_owned()]].concat(),
            Self::Command(words) => words.clone(),
        };
        words.extend(["move".to_owned(), "serve".to_owned()]);
        let data_dir = match self {
            Self::Here(data_dir) => Some(data_dir),
            Self::Ssh { data_dir, .. } => beside.data_dir.as_ref().or(data_dir.as_ref()),
            Self::Command(_) => beside.data_dir.as_ref(),
        };
        for (option, path) in [("--data-dir", data_dir), ("--config", beside.config.as_ref())] {
            if let Some(path) = path {
                // The other end of ssh is a shell.
                let is_read_by_shell = matches!(self, Self::Ssh { .. });
                let path =
                    if is_read_by_shell { doctor::quoted(path) } else { path.to_string_lossy().into_owned() };
                words.extend([option.to_owned(), path]);
            }
        }
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_a_machine_a_directory_or_a_command() {
        let ssh = |host: &str, port, data_dir: Option<&str>| Target::Ssh {
            host: host.into(),
            port,
            data_dir: data_dir.map(PathBuf::from),
        };
        for (text, read) in [
            ("ssh://new.example.com", ssh("new.example.com", None, None)),
            (
                "ssh://root@new.example.com:2222/srv/data",
                ssh("root@new.example.com", Some(2222), Some("/srv/data")),
            ),
            ("/srv/new", Target::Here("/srv/new".into())),
            (
                "exec:ip netns exec b switchboard",
                Target::Command(["ip", "netns", "exec", "b", "switchboard"].map(str::to_owned).into()),
            ),
        ] {
            assert_eq!(text.parse(), Ok(read), "{text}");
        }
        for text in ["", "ssh://", "ssh://-oProxyCommand=x", "ssh://a b", "ssh://a:b", "http://a", "exec:"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }

    #[test]
    fn special_characters_of_a_shell_are_quoted() {
        let target: Target = "ssh://new.example.com:22".parse().expect("a side");
        let beside = Beside { data_dir: Some("/srv/a b".into()), config: None };
        let words = target.command(&beside).expect("words").join(" ");
        assert!(
            words.starts_with("ssh -o BatchMode=yes ")
                && words.contains(" -p 22 new.example.com -- switchboard move serve"),
            "{words}"
        );
        assert!(words.ends_with("--data-dir '/srv/a b'"), "{words}");
    }
}
