//! Bans: crates that must not be in the tree, and sets of which the product may hold only one.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::program;
use crate::workspace::Workspace;

/// Crates that may not be there at all, each with why.
const BANNED: [(&str, &str); 6] = [
    ("openssl", "TLS is rustls: no C library of the system is linked"),
    ("openssl-sys", "TLS is rustls: no C library of the system is linked"),
    ("native-tls", "TLS is rustls: no C library of the system is linked"),
    (
        "libsql",
        "its SQLite clashes with ours at link time; turn the default features of grammers-session off",
    ),
    (
        "libsql-ffi",
        "its SQLite clashes with ours at link time; turn the default features of grammers-session off",
    ),
    ("tokio-cron-scheduler", "it keeps time by itself; schedules run on our clock"),
];

/// The crates of which the product may hold only one: with two of them rustls cannot choose and panics at run time.
const TLS_PROVIDERS: [&str; 2] = ["aws-lc-rs", "ring"];

const PRODUCT: &str = "switchboard";

/// Looks through the whole tree, then through what the product itself links.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings: Vec<_> =
        workspace.packages.iter().filter_map(|package| banned(&package.name, &package.version)).collect();
    // Not the graph of `cargo metadata`: that also has what a feature would add that is never turned on.
    let tree = program::output(program::cargo(&workspace.root).args([
        "tree",
        "--locked",
        "--package",
        PRODUCT,
        "--edges",
        "no-dev",
        "--target",
        "all",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    findings.extend(two_providers(&linked(&String::from_utf8_lossy(&tree))));
    Ok(findings)
}

fn banned(name: &str, version: &str) -> Option<String> {
    let (_, why) = BANNED.iter().find(|(banned, _)| *banned == name)?;
    Some(format!("{name} {version} is banned: {why}"))
}

fn two_providers(linked: &BTreeSet<&str>) -> Option<String> {
    let present: Vec<_> = TLS_PROVIDERS.into_iter().filter(|provider| linked.contains(provider)).collect();
    (present.len() > 1)
        .then(|| format!("{PRODUCT} links {} TLS providers: {}", present.len(), present.join(", ")))
}

/// The names of all packages in a tree that has one of them a line, as `name v1.2.3`.
fn linked(tree: &str) -> BTreeSet<&str> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_providers_and_banned_crates_are_named() {
        let tree = "switchboard v0.1.0 (/nowhere)\nring v0.17.14\nweb v0.1.0 (/nowhere/web) (*)\naws-lc-rs v1.19.0\n";
        let found = two_providers(&linked(tree)).unwrap();
        assert_eq!(found, "switchboard links 2 TLS providers: aws-lc-rs, ring");
        assert!(banned("libsql", "0.10.0").unwrap().starts_with("libsql 0.10.0 is banned: its SQLite"));
        assert_eq!(two_providers(&linked("switchboard v0.1.0\nring v0.17.14\n")), None);
        assert_eq!(banned("rusqlite", "0.41.0"), None);
    }
}
