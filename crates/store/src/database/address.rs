//! Where the store is, as the settings write it.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::OpenError;

/// The address of a store.
#[derive(Debug, Clone)]
pub(crate) enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A server. It holds a password.
    Postgres(Box<Config>),
}

impl Address {
    /// Reads `sqlite:FILE`, relative to the data directory, or `postgres://…`.
    pub(crate) fn parse(url: &str, data_dir: &Path) -> Result<Self, OpenError> {
        let scheme = url.split(':').next().unwrap_or_default();
        match scheme {
            "sqlite" => {
                let path = url.trim_start_matches("sqlite:");
                let path = path.strip_prefix("//").unwrap_or(path);
                if path.is_empty() || path.starts_with(':') || path.contains('?') {
                    return Err(unsupported(scheme));
                }
                Ok(Self::Sqlite(data_dir.join(path)))
            }
            "postgres" | "postgresql" => {
                // What is wrong with it is said without it: it holds a password.
                let url = ["verify-full", "verify-ca"].iter().fold(url.to_owned(), |url, mode| {
                    url.replace(&format!("sslmode={mode}"), "sslmode=require")
                });
                let config: Config = url.parse().map_err(|_| OpenError::Server {
                    what: "the address cannot be read; it is postgres://USER:PASSWORD@HOST:PORT/DATABASE"
                        .to_owned(),
                })?;
                Ok(Self::Postgres(Box::new(config)))
            }
            _ => Err(unsupported(scheme)),
        }
    }

    /// The file, for what only looks at files.
    pub(crate) fn file(self) -> Result<PathBuf, OpenError> {
        match self {
            Self::Sqlite(file) => Ok(file),
            Self::Postgres(_) => Err(unsupported("postgres")),
        }
    }
}

/// Without the password.
impl Display for Address {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(to, "{}", file.display()),
            Self::Postgres(config) => {
                let name = config.get_dbname().or(config.get_user()).unwrap_or_default();
                match config.get_hosts().first() {
                    Some(Host::Tcp(host)) => write!(to, "the database {name} of PostgreSQL on {host}"),
                    Some(Host::Unix(folder)) => {
                        write!(to, "the database {name} of PostgreSQL in {}", folder.display())
                    }
                    None => write!(to, "the database {name} of PostgreSQL"),
                }
            }
        }
    }
}

fn unsupported(scheme: &str) -> OpenError {
    OpenError::UnsupportedUrl { scheme: scheme.chars().take(32).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_files_or_servers() {
        let dir = Path::new("/data");
        for (url, file) in [
            ("sqlite:switchboard.db", "/data/switchboard.db"),
            ("sqlite://switchboard.db", "/data/switchboard.db"),
            ("sqlite:/srv/other.db", "/srv/other.db"),
        ] {
            assert_eq!(Address::parse(url, dir).and_then(Address::file).unwrap(), Path::new(file), "{url}");
        }
        let server = Address::parse("postgres://user:secret@example.com/db", dir).unwrap();
        assert!(matches!(server, Address::Postgres(_)));
        assert_eq!(server.to_string(), "the database db of PostgreSQL on example.com");
        for url in ["switchboard.db", "sqlite:", "sqlite::memory:", "postgres://user:secret@[/db"] {
            let refused = Address::parse(url, dir).unwrap_err().to_string();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
