//! Crate arrows: a crate knows the ones on floors below its own, as the tables of ARCHITECTURE.md have them. One alone makes HTTP clients.

use std::fs;

use anyhow::{Context, Result};

use crate::workspace::{Kind, Package, Workspace};

/// The page with the tables, beside the workspace's manifest.
const PAGE: &str = "ARCHITECTURE.md";

/// The one arrow from the house to what is beside it: the first look runs both in one process.
const OUTWARD: (&str, &str) = ("switchboard", "sandbox");

/// The crate that makes all HTTP clients, and what it makes them with.
const DOOR: &str = "outbound";
const CLIENT: &str = "reqwest";

/// The crates of the house with their floors, and those beside it with what they may know of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct House {
    floors: Vec<(String, usize)>,
    beside: Vec<(String, Vec<String>)>,
}

impl House {
    /// Reads the tables of the workspace's page.
    pub(super) fn of(workspace: &Workspace) -> Result<Self> {
        let page = workspace.root.join(PAGE);
        Ok(Self::read(&fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?))
    }

    /// A row of the house begins with the number of its floor and the crate, one beside it with the crate and all it knows.
    fn read(page: &str) -> Self {
        let mut house = Self::default();
        for line in page.lines().filter(|line| line.starts_with('|')) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let names = |cell: &str| -> Vec<String> {
                cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
            };
            match cells[..] {
                [floor, names_of, _, _] if floor.parse::<usize>().is_ok() => {
                    let floor = floor.parse().unwrap_or_default();
                    house.floors.extend(names(names_of).into_iter().map(|name| (name, floor)));
                }
                [name, _, known] => {
                    house.beside.extend(names(name).into_iter().map(|name| (name, names(known))));
                }
                _ => {}
            }
        }
        house
    }

    /// The crates that are the product: all of the house but its roof, which also carries the first look.
    pub(super) fn is_product(&self, name: &str) -> bool {
        let roof = self.floors.iter().map(|(_, floor)| *floor).max();
        self.floor(name).is_some_and(|floor| Some(floor) < roof)
    }

    fn judge(&self, package: &Package) -> Vec<String> {
        let from = package.name.as_str();
        if self.floor(from).is_none() && self.known(from).is_none() {
            return vec![format!("{from} has no row in the tables of {PAGE}; give it one")];
        }
        package
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some() && dependency.kind != Some(Kind::Dev))
            .filter(|dependency| !self.may_know(from, &dependency.name))
            .map(|dependency| format!("{from} → {} is no arrow that {PAGE} has", dependency.name))
            .collect()
    }

    /// A crate of the house that could make an HTTP client past the guard for addresses.
    fn callers(&self, package: &Package) -> Option<String> {
        let is_known = |name: &str| {
            package.dependencies.iter().any(|one| one.name == name && one.kind != Some(Kind::Dev))
        };
        let is_caller = self.floor(&package.name).is_some() && package.name != DOOR && is_known(CLIENT);
        is_caller.then(|| format!("{} → {CLIENT}: HTTP clients are made by {DOOR} alone", package.name))
    }

    /// Whether one crate may depend on another outside its tests.
    fn may_know(&self, from: &str, to: &str) -> bool {
        if (from, to) == OUTWARD {
            return true;
        }
        match (self.floor(from), self.floor(to)) {
            (Some(from), Some(to)) => to < from,
            _ => self.known(from).is_some_and(|known| known.iter().any(|name| name == to)),
        }
    }

    fn floor(&self, name: &str) -> Option<usize> {
        self.floors.iter().find(|(one, _)| one == name).map(|(_, floor)| *floor)
    }

    fn known(&self, name: &str) -> Option<&[String]> {
        self.beside.iter().find(|(one, _)| one == name).map(|(_, known)| known.as_slice())
    }
}

/// Judges each dependency between our crates, tests left out: those may use what is beside the house. A row without a
/// crate is a finding too.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let house = House::of(workspace)?;
    let mut findings: Vec<_> = workspace.members().flat_map(|package| house.judge(package)).collect();
    let names = house.floors.iter().map(|(name, _)| name).chain(house.beside.iter().map(|(name, _)| name));
    let gone = names.filter(|name| !workspace.members().any(|package| package.name == **name));
    findings.extend(workspace.members().filter_map(|package| house.callers(package)));
    findings.extend(gone.map(|name| format!("{PAGE} has a row for {name}, which is no crate")));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::{inside, package};

    fn house() -> House {
        House::read(
            "| floor | crate | what it is | what it must not know |\n|---|---|---|---|\n\
             | 0 | `domain` | words | I/O |\n| 1 | `store` | truth | HTTP |\n| 1 | `media` | files | HTTP |\n\
             | 2 | `web` | HTTP | SQL |\n| 3 | `switchboard` | the binary | logic |\n\n\
             | crate | what it is | what it may know |\n|---|---|---|\n| `sandbox` | the world | `domain` |\n\
             | `xtask` | chores | |\n",
        )
    }

    #[test]
    fn arrows_point_down() {
        let house = house();
        for (from, to, may) in [
            ("web", "store", true),
            ("switchboard", "domain", true),
            ("switchboard", "sandbox", true),
            ("sandbox", "domain", true),
            ("domain", "store", false),
            ("store", "media", false),
            ("web", "sandbox", false),
            ("sandbox", "store", false),
            ("domain", "domain", false),
        ] {
            assert_eq!(house.may_know(from, to), may, "{from} → {to}");
        }
    }

    #[test]
    fn tests_may_look_outside_and_strangers_are_named() {
        let mut store = package("store");
        store.dependencies =
            vec![inside("domain", None), inside("sandbox", Some(Kind::Dev)), inside("web", None)];
        assert_eq!(house().judge(&store), ["store → web is no arrow that ARCHITECTURE.md has"]);
        assert_eq!(house().judge(&package("newcomer")).len(), 1);
    }

    #[test]
    fn one_crate_makes_http_clients() {
        let client = |name: &str, kind| {
            let mut package = package(name);
            package.dependencies = vec![inside(CLIENT, kind)];
            house().callers(&package)
        };
        assert!(client("store", None).is_some_and(|found| found.contains("store → reqwest")));
        assert_eq!(client("store", Some(Kind::Dev)), None, "a test");
        assert_eq!(client("sandbox", None), None, "not of the house");
        assert_eq!(client(DOOR, None), None);
    }

    #[test]
    fn the_product_is_the_house_without_its_roof() {
        let house = house();
        assert!(house.is_product("web") && house.is_product("domain"));
        assert!(!house.is_product("switchboard") && !house.is_product("sandbox"));
    }
}
