//! What a service is given beside its data directory, as its unit says.

use std::path::PathBuf;

use super::systemd::{Systemd, SystemdError};

/// Files and limits of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Credentials: the name, and the file that the service manager reads.
    pub credentials: Vec<(String, PathBuf)>,
    /// Files of variables.
    pub environment: Vec<PathBuf>,
    /// The most memory it may take, as it is written.
    pub memory_max: Option<String>,
}

impl Systemd {
    /// What a unit gives its service, with what the owner wrote beside the unit.
    ///
    /// # Errors
    /// See [`SystemdError`].
    pub async fn given(&self, unit: &str) -> Result<Given, SystemdError> {
        self.check()?;
        Ok(read(&self.run(&["cat", "--", unit]).await?))
    }
}

fn read(text: &str) -> Given {
    let mut given = Given::default();
    for line in text.lines() {
        let Some((key, value)) = line.trim().split_once('=') else { continue };
        let path = |text: &str| PathBuf::from(text.trim_start_matches('-').replace("%%", "%"));
        match (key, value.split_once(':')) {
            ("LoadCredential", Some((name, file))) => given.credentials.push((name.to_owned(), path(file))),
            ("EnvironmentFile", _) => given.environment.push(path(value)),
            ("MemoryMax", _) => given.memory_max = Some(value.to_owned()),
            _ => {}
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_of_ours_is_read_with_what_was_written_beside_it() {
        let given = read(
            "# /etc/systemd/system/switchboard.service\n[Service]\nExecStart=/bin/a --b c:d\nMemoryMax=512M\n\
             LoadCredential=master.key:/etc/switchboard/50%%/master.key\nEnvironmentFile=-/etc/switchboard/env\n\
             # /etc/systemd/system/switchboard.service.d/more.conf\n[Service]\nMemoryMax=1G\n",
        );
        assert_eq!(
            given,
            Given {
                credentials: vec![("master.key".into(), "/etc/switchboard/50%/master.key".into())],
                environment: vec!["/etc/switchboard/env".into()],
                memory_max: Some("1G".into()),
            }
        );
    }
}
