//! `cargo xtask docs`: writes the references in `docs/` from what the program prints, takes the pictures of its pages,
//! and makes the book.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::workspace::Workspace;
use crate::{browser, program, test_build};

/// Which command prints which file of `docs/`. A test of the program compares them.
const REFERENCES: [(&str, &str); 3] =
    [("settings", "settings.md"), ("events --types", "events.md"), ("key rights", "rights.md")];

/// The description of the API, which git does not keep.
const DESCRIPTION: (&str, &str) = ("openapi", "openapi.json");

/// Makes a book of `docs/`. Where it is not installed, the pages are read as they are.
const BOOK_MAKER: &str = "mdbook";

/// Has the test that compares the table of channels write it.
const CHANNEL_TABLE: &str = "SWITCHBOARD_CHANNEL_TABLE";

/// Where the test that takes the pictures puts them.
const PICTURES: &str = "SWITCHBOARD_PICTURES";

/// What `cargo xtask docs` takes.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Leave the pictures of the dashboard as they are
    #[arg(long)]
    no_pictures: bool,
}

/// Writes the references and the pictures, then makes the book if that can be done here.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<bool> {
    write_channel_table(workspace)?;
    for (command, file) in REFERENCES {
        write_printed(workspace, command, &workspace.root.join("docs").join(file))?;
    }
    if !arguments.no_pictures {
        take_pictures(workspace)?;
    }
    let book = workspace.target_directory.join("book");
    if program::is_fine(Command::new(BOOK_MAKER).arg("--version")) {
        program::run(Command::new(BOOK_MAKER).arg("build").arg(workspace.root.join("docs")))?;
        println!("{}", book.join("index.html").display());
    } else {
        println!(
            "no book was made: `cargo install mdbook` gives the program for it; the pages in docs/ can be read without"
        );
        fs::create_dir_all(&book).with_context(|| format!("cannot make {}", book.display()))?;
    }
    // After the book, which empties its folder.
    let (command, file) = DESCRIPTION;
    write_printed(workspace, command, &book.join(file))?;
    Ok(true)
}

/// Writes what a command of the program prints. The program is built with the test that writes the table of channels.
fn write_printed(workspace: &Workspace, command: &str, path: &Path) -> Result<()> {
    let switchboard = workspace.target_directory.join("debug/switchboard");
    let printed = program::output(Command::new(&switchboard).args(command.split(' ')))?;
    fs::write(path, printed).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

/// A test writes what each channel carries, because it has an account of each.
fn write_channel_table(workspace: &Workspace) -> Result<()> {
    let mut cargo = one_test(workspace, &["--lib"], "it::table::the_book_has_the_table")?;
    program::run(cargo.env(CHANNEL_TABLE, "1"))?;
    println!("docs/channels.md");
    Ok(())
}

/// A test takes the pictures, because it has a world, a day of work in it, and a browser.
fn take_pictures(workspace: &Workspace) -> Result<()> {
    let mut cargo =
        one_test(workspace, &["--test", "browser"], "pictures::the_pictures_of_the_book_are_taken")?;
    browser::give(workspace, &mut cargo, true)?;
    cargo.env(PICTURES, workspace.root.join("docs").join("images"));
    program::run(&mut cargo)?;
    println!("docs/images");
    Ok(())
}

/// A test, of all test programs of these targets: with the packages and features of `cargo xtask test`, nothing is built twice.
fn one_test(workspace: &Workspace, targets: &[&str], name: &str) -> Result<Command> {
    let mut cargo = program::cargo(&workspace.root);
    cargo.arg("test").args(targets);
    test_build::choose(workspace, None, &mut cargo)?;
    cargo.args(["--", "--include-ignored", "--exact", name]);
    Ok(cargo)
}
