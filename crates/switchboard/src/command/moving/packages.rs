//! What the program uses of the machine, with the versions that the package manager has.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// How long a package manager may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What each is, and what it is called by Debian and by Red Hat. The line of a move, services, certificates of others, time zones,
/// and the libraries that the program and its helpers are linked with.
const WANTED: [(&str, &[&str]); 7] = [
    ("C library", &["libc6", "glibc"]),
    ("CA certificates", &["ca-certificates"]),
    ("Chromium", &["chromium", "chromium-headless"]),
    ("OpenSSH", &["openssh-client", "openssh-clients"]),
    ("OpenSSL", &["openssl"]),
    ("systemd", &["systemd"]),
    ("time zones", &["tzdata"]),
];

/// What asks each package manager, and makes a line of name and version of what is installed.
const MANAGERS: [&[&str]; 2] = [
    &["dpkg-query", "--show", "--showformat=${db:Status-Status}\\t${Package}\\t${Version}\\n"],
    &["rpm", "--query", "--queryformat=installed\\t%{NAME}\\t%{VERSION}-%{RELEASE}\\n"],
];

/// All that is installed of it; nothing where there is no package manager that we know.
pub(super) async fn installed() -> BTreeMap<String, String> {
    let names = WANTED.iter().flat_map(|(_, names)| *names);
    for words in MANAGERS {
        let Some((program, options)) = words.split_first() else { continue };
        let mut command = Command::new(program);
        command.args(options).args(names.clone()).stdin(Stdio::null()).kill_on_drop(true);
        // One that is not installed makes it fail; the others are still reported.
        if let Ok(Ok(ran)) = tokio::time::timeout(TIMEOUT, command.output()).await {
            return read(&String::from_utf8_lossy(&ran.stdout));
        }
    }
    BTreeMap::new()
}

fn read(listing: &str) -> BTreeMap<String, String> {
    let rows = listing.lines().filter_map(|line| {
        let mut words = line.strip_prefix("installed\t")?.split('\t');
        let (name, version) = (words.next()?, words.next()?);
        let (what, _) = WANTED.iter().find(|(_, names)| names.contains(&name))?;
        Some(((*what).to_owned(), version.to_owned()))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_packages_are_read_by_their_purpose() {
        let debian =
            "installed\tlibc6\t2.41-12\ninstalled\topenssh-client\t1:10.0p1-7\nnot-installed\topenssl\t\n";
        let red_hat = "installed\tglibc\t2.39-46.el10\npackage tzdata is not installed\n";
        let is = |listing: &str, what: &str| read(listing).get(what).cloned();
        assert_eq!(is(debian, "C library").as_deref(), Some("2.41-12"));
        assert_eq!(is(red_hat, "C library").as_deref(), Some("2.39-46.el10"));
        assert_eq!((is(debian, "OpenSSL"), is(red_hat, "time zones")), (None, None));
        assert_eq!(read(debian).len(), 2);
    }
}
