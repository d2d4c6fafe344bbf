//! `cargo xtask docs`: writes the references in `docs/` anew from what the program prints.

use anyhow::{Context, Result};

use crate::program;
use crate::workspace::Workspace;

/// Which command prints which file. A test of the program compares them.
const REFERENCES: [(&str, &str); 2] = [("settings", "settings.md"), ("openapi", "openapi.json")];

/// Writes them.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    for (command, file) in REFERENCES {
        let mut cargo = program::cargo(&workspace.root);
        cargo.args([
            "run",
            "--quiet",
            "--package",
            "switchboard",
            "--features",
            "switchboard/testing",
            "--",
            command,
        ]);
        let printed = program::output(&mut cargo)?;
        let path = workspace.root.join("docs").join(file);
        std::fs::write(&path, printed).with_context(|| format!("cannot write {}", path.display()))?;
        println!("docs/{file}");
    }
    Ok(true)
}
