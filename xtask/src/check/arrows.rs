//! Crate arrows: a crate knows the ones below it, never its neighbours or the ones above.

use crate::workspace::{Kind, Package, Workspace};

/// The house from the ground up. Crates on one floor do not know each other.
const FLOORS: [&[&str]; 11] = [
    &["domain", "failpoint"],
    &["ambient", "session-files", "switchboard-config"],
    &["store", "media", "logs"],
    &["queue"],
    &["delivery"],
    &["telegram", "channels", "browser"],
    &["pipeline", "campaigns", "flows", "ops", "events", "health", "access"],
    &["alerts"],
    &["web"],
    &["dashboard"],
    &["switchboard"],
];

/// Crates beside the house, and whom of it they may know.
const BESIDE: [(&str, &[&str]); 4] = [
    ("sandbox", &["domain", "switchboard-config"]),
    (
        "testkit",
        &["domain", "ambient", "switchboard-config", "failpoint", "store", "queue", "delivery", "sandbox"],
    ),
    // It asks the router itself how quick it is, and fills a log store and the file of beats.
    ("bench", &["ambient", "store"]),
    ("xtask", &[]),
];

/// The one arrow from the house to what stands beside it: the first look runs both in one process.
const OUTWARD: [(&str, &str); 1] = [("switchboard", "sandbox")];

/// Judges each dependency between our crates, tests left out: those may use what stands beside the house.
pub(super) fn check(workspace: &Workspace) -> Vec<String> {
    workspace.members().flat_map(judge).collect()
}

fn judge(package: &Package) -> Vec<String> {
    let from = package.name.as_str();
    if floor(from).is_none() && beside(from).is_none() {
        return vec![format!("{from} has no place in the house; give it one in this check's table")];
    }
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.path.is_some() && dependency.kind != Some(Kind::Dev))
        .filter(|dependency| !may_know(from, &dependency.name))
        .map(|dependency| format!("{from} → {} is not an arrow of the house", dependency.name))
        .collect()
}

/// Whether one crate may depend on another outside its tests.
fn may_know(from: &str, to: &str) -> bool {
    if OUTWARD.contains(&(from, to)) {
        return true;
    }
    match (floor(from), floor(to)) {
        (Some(from), Some(to)) => to < from,
        _ => beside(from).is_some_and(|known| known.contains(&to)),
    }
}

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&name))
}

fn beside(name: &str) -> Option<&'static [&'static str]> {
    BESIDE.iter().find(|(beside, _)| *beside == name).map(|(_, known)| *known)
}

/// The crates that are the product: all of the house but the binary, which also carries the first look.
pub(super) fn is_product(name: &str) -> bool {
    floor(name).is_some_and(|floor| floor + 1 < FLOORS.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::{inside, package};

    #[test]
    fn arrows_point_down() {
        assert!(may_know("web", "telegram"));
        assert!(may_know("switchboard", "domain"));
        assert!(may_know("switchboard", "sandbox"));
        assert!(may_know("sandbox", "switchboard-config"));
        assert!(may_know("bench", "store"));
        for (from, to) in [
            ("domain", "store"),
            ("telegram", "channels"),
            ("campaigns", "flows"),
            ("web", "sandbox"),
            ("sandbox", "store"),
            ("bench", "web"),
            ("store", "testkit"),
            ("domain", "domain"),
        ] {
            assert!(!may_know(from, to), "{from} → {to}");
        }
    }

    #[test]
    fn no_arrow_points_both_ways() {
        let names: Vec<_> = FLOORS.concat().into_iter().chain(BESIDE.iter().map(|(name, _)| *name)).collect();
        for from in &names {
            for to in &names {
                assert!(!(may_know(from, to) && may_know(to, from)), "{from} ⇄ {to}");
            }
        }
    }

    #[test]
    fn tests_may_look_outside_and_strangers_are_named() {
        let mut store = package("store", None);
        store.dependencies =
            vec![inside("domain", None), inside("testkit", Some(Kind::Dev)), inside("web", None)];
        assert_eq!(judge(&store), ["store → web is not an arrow of the house"]);
        assert_eq!(judge(&package("newcomer", None)).len(), 1);
    }

    #[test]
    fn the_product_is_the_house_without_its_roof() {
        assert!(is_product("web") && is_product("domain"));
        assert!(!is_product("switchboard") && !is_product("sandbox") && !is_product("xtask"));
    }
}
