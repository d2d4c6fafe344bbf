//! Bans: crates that must not be in the tree, and sets of which the product may hold only one.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::workspace::{Kind, Workspace};

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
    findings.extend(two_providers(&linked(workspace, PRODUCT)?));
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

/// The names of all packages that a member reaches without its tests.
fn linked<'a>(workspace: &'a Workspace, member: &str) -> Result<BTreeSet<&'a str>> {
    let start = workspace
        .members()
        .find(|package| package.name == member)
        .with_context(|| format!("there is no crate `{member}` in the workspace"))?;
    let mut seen = BTreeSet::from([start.id.as_str()]);
    let mut open = vec![start.id.as_str()];
    while let Some(id) = open.pop() {
        let edges = workspace.resolve.nodes.iter().filter(|node| node.id == id).flat_map(|node| &node.deps);
        for edge in edges.filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind != Some(Kind::Dev))) {
            if seen.insert(&edge.pkg) {
                open.push(&edge.pkg);
            }
        }
    }
    Ok(seen.into_iter().filter_map(|id| workspace.package(id)).map(|package| package.name.as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::package;
    use crate::workspace::{Edge, EdgeKind, Node, Resolve};

    fn edge(name: &str, kind: Option<Kind>) -> Edge {
        Edge { name: name.to_owned(), pkg: format!("{name}#1.0.0"), dep_kinds: vec![EdgeKind { kind }] }
    }

    #[test]
    fn what_tests_alone_reach_is_not_linked() {
        let node = |name: &str, deps| Node { id: format!("{name}#1.0.0"), deps };
        let workspace = Workspace {
            packages: ["switchboard", "web", "ring", "aws-lc-rs"]
                .map(|name| package(name, Some("MIT")))
                .into(),
            member_ids: vec!["switchboard#1.0.0".to_owned(), "web#1.0.0".to_owned()],
            root: "/nowhere".into(),
            target_directory: "/nowhere/target".into(),
            resolve: Resolve {
                nodes: vec![
                    node("switchboard", vec![edge("web", None), edge("aws-lc-rs", Some(Kind::Dev))]),
                    node("web", vec![edge("ring", Some(Kind::Build)), edge("switchboard", Some(Kind::Dev))]),
                ],
            },
        };
        let linked = linked(&workspace, "switchboard").unwrap();
        assert_eq!(linked, BTreeSet::from(["switchboard", "web", "ring"]));
        assert_eq!(two_providers(&linked), None);
    }

    #[test]
    fn two_providers_and_banned_crates_are_named() {
        let found = two_providers(&BTreeSet::from(["ring", "aws-lc-rs", "web"])).unwrap();
        assert_eq!(found, "switchboard links 2 TLS providers: aws-lc-rs, ring");
        assert!(banned("libsql", "0.10.0").unwrap().starts_with("libsql 0.10.0 is banned: its SQLite"));
        assert_eq!(banned("rusqlite", "0.41.0"), None);
    }
}
