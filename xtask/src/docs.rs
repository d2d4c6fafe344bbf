//! `cargo xtask docs`: writes the references in `docs/` anew from what the program prints, and makes the book of pages to look at.

use std::process::Command;

use anyhow::{Context, Result};

use crate::program;
use crate::workspace::Workspace;

/// Which command prints which file. A test of the program compares them.
const REFERENCES: [(&str, &str); 2] = [("settings", "settings.md"), ("openapi", "openapi.json")];

/// Makes a book of `docs/`. Where it is not installed, the pages are read as they are.
const BOOK_MAKER: &str = "mdbook";

/// Writes the references, then makes the book if that can be done here.
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
    if !program::is_fine(Command::new(BOOK_MAKER).arg("--version")) {
        println!(
            "no book was made: `cargo install mdbook` gives the program for it; the pages in docs/ can be read without"
        );
        return Ok(true);
    }
    program::run(Command::new(BOOK_MAKER).arg("build").arg(workspace.root.join("docs")))?;
    println!("target/book/index.html");
    Ok(true)
}
