//! Licences: every crate in the tree may be used in a program under MIT or Apache-2.0.

use super::spdx::Expression;
use crate::workspace::{Package, Workspace};

/// Licences that any crate may have.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Licences that one crate alone may have, as (crate, licence): MPL-2.0 binds changes to that crate's own files only.
const ALLOWED_FOR: [(&str, &str); 2] = [("cssparser", "MPL-2.0"), ("dtoa-short", "MPL-2.0")];

/// Judges the licence of every package.
pub(super) fn check(workspace: &Workspace) -> Vec<String> {
    workspace.packages.iter().filter_map(judge).collect()
}

/// What is wrong with the licence of a package, if something is.
fn judge(package: &Package) -> Option<String> {
    let Package { name, version, .. } = package;
    let Some(text) = &package.license else {
        return Some(format!("{name} {version} names no licence"));
    };
    let allowed =
        |licence: &str| ALLOWED.contains(&licence) || ALLOWED_FOR.contains(&(name.as_str(), licence));
    match Expression::parse(text) {
        Ok(expression) => {
            let refused = expression.refused(&allowed);
            (!refused.is_empty())
                .then(|| format!("{name} {version}: {} is not allowed (`{text}`)", refused.join(", ")))
        }
        Err(error) => Some(format!("{name} {version}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::package;

    #[test]
    fn a_package_is_judged_by_its_expression_and_its_name() {
        assert_eq!(judge(&package("a", Some("MIT OR Apache-2.0"))), None);
        assert_eq!(judge(&package("dtoa-short", Some("MPL-2.0"))), None);
        assert_eq!(
            judge(&package("a", Some("MPL-2.0"))).unwrap(),
            "a 1.0.0: MPL-2.0 is not allowed (`MPL-2.0`)"
        );
        assert_eq!(judge(&package("a", None)).unwrap(), "a 1.0.0 names no licence");
        assert!(judge(&package("a", Some("MIT AND"))).unwrap().contains("no licence expression"));
    }
}
