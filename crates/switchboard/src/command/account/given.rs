//! Secrets that a command is given: from the environment, from a file, or asked for; never from its arguments, which
//! other users of the machine can read.

use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::{ExposeSecret, SecretText};

use crate::terminal::{self, Lines, WrongUsage};

/// The largest file a secret is read from, in bytes.
const LARGEST: u64 = 64 * 1024;

/// Where the application's secret is.
#[derive(clap::Args, Clone, Debug, Default)]
#[group(required = false, multiple = false)]
pub(super) struct ApiHash {
    /// The environment variable that holds the `api_hash` of the application
    #[arg(long, value_name = "NAME")]
    api_hash_env: Option<String>,
    /// The file that holds the `api_hash` of the application
    #[arg(long, value_name = "FILE")]
    api_hash_file: Option<PathBuf>,
}

/// Where the address of the proxy is.
#[derive(clap::Args, Clone, Debug, Default)]
#[group(required = false, multiple = false)]
pub(super) struct ProxyGiven {
    /// The proxy to connect through, without a password: socks5://HOST:PORT
    #[arg(long, value_name = "ADDRESS")]
    proxy: Option<String>,
    /// The environment variable that holds the address of the proxy, with a password if it has one
    #[arg(long, value_name = "NAME")]
    proxy_env: Option<String>,
    /// The file that holds the address of the proxy
    #[arg(long, value_name = "FILE")]
    proxy_file: Option<PathBuf>,
}

impl ApiHash {
    /// The secret, if the arguments say where it is.
    pub(super) fn read(&self) -> anyhow::Result<Option<SecretText>> {
        read(self.api_hash_env.as_deref(), self.api_hash_file.as_deref())
    }

    /// The secret; without arguments it is asked for at the terminal.
    pub(super) async fn read_or_ask(&self, lines: &mut Option<Lines>) -> anyhow::Result<SecretText> {
        if let Some(given) = self.read()? {
            return Ok(given);
        }
        if !terminal::is_interactive() {
            return Err(WrongUsage(
                "the api_hash is missing: name where it is with --api-hash-env NAME or --api-hash-file FILE"
                    .to_owned(),
            )
            .into());
        }
        let lines = lines.get_or_insert_with(Lines::of_standard_input);
        let given = lines.ask_hidden("api_hash (from my.telegram.org, not shown): ").await?;
        given.filter(|given| !given.expose_secret().is_empty()).context("no api_hash was given")
    }
}

impl ProxyGiven {
    /// The address, if the arguments name one.
    pub(super) fn read(&self) -> anyhow::Result<Option<SecretText>> {
        match &self.proxy {
            Some(address) => without_password(address).map(Some),
            None => read(self.proxy_env.as_deref(), self.proxy_file.as_deref()),
        }
    }
}

/// An address that may be an argument. Errors do not show it.
fn without_password(address: &str) -> anyhow::Result<SecretText> {
    if address.contains('@') {
        let detail = "--proxy has a password in it, which every user of this machine could read there; name where \
                      the address is with --proxy-env NAME or --proxy-file FILE";
        return Err(WrongUsage(detail.to_owned()).into());
    }
    let wrong = |error: config::InvalidProxy| WrongUsage(format!("--proxy {error}"));
    address.parse::<config::ProxyAddress>().map_err(wrong)?;
    Ok(address.into())
}

/// The secret that a variable or a file holds, if one of them is named.
pub(crate) fn read(variable: Option<&str>, file: Option<&Path>) -> anyhow::Result<Option<SecretText>> {
    let (source, text) = match (variable, file) {
        (Some(name), _) => {
            let text = std::env::var(name)
                .map_err(|_| WrongUsage(format!("the environment variable {name} is not set")))?;
            (format!("the environment variable {name}"), text)
        }
        (None, Some(file)) => (format!("the file {}", file.display()), read_file(file)?),
        (None, None) => return Ok(None),
    };
    let secret = SecretText::from(text.trim());
    if secret.expose_secret().is_empty() {
        return Err(WrongUsage(format!("{source} is empty")).into());
    }
    Ok(Some(secret))
}

fn read_file(file: &Path) -> anyhow::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    let open = std::fs::File::open(file).with_context(|| format!("the file {}", file.display()))?;
    open.take(LARGEST).read_to_string(&mut text).with_context(|| format!("the file {}", file.display()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_no_place_in_an_argument() {
        assert!(without_password("socks5://127.0.0.1:1080").is_ok());
        let refused =
            without_password("socks5://demo:word@127.0.0.1:1080").expect_err("a password").to_string();
        assert!(refused.contains("--proxy-env") && !refused.contains("word@"), "{refused}");
        assert!(without_password("http://127.0.0.1:1080").is_err());
    }

    #[test]
    fn a_secret_comes_from_a_file_and_must_be_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("api_hash");
        std::fs::write(&file, "0123456789abcdef\n").expect("writes");
        let given = ApiHash { api_hash_env: None, api_hash_file: Some(file.clone()) };
        assert_eq!(given.read().expect("reads").expect("is there").expose_secret(), "0123456789abcdef");
        std::fs::write(&file, "\n").expect("writes");
        assert!(given.read().expect_err("empty").downcast_ref::<WrongUsage>().is_some());
        assert!(ApiHash::default().read().expect("fine").is_none());
        let unset = ApiHash { api_hash_env: Some("SWITCHBOARD_NOT_SET".into()), api_hash_file: None };
        assert!(unset.read().expect_err("not set").to_string().contains("SWITCHBOARD_NOT_SET"));
    }
}
