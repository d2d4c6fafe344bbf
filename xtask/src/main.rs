//! What a person runs while working on Switchboard: `cargo xtask check`, `advisories`, `test`, `bench`, `n8n`, `docs` and `dist`.

mod advisories;
mod age;
mod bench;
mod browser;
mod check;
mod dist;
mod docs;
mod dovecot;
mod iproute2;
mod n8n;
mod npm;
mod postgres;
mod program;
mod python;
mod redis;
mod source;
mod system_packages;
mod systemd;
mod test;
mod test_build;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The chores of this workspace")]
struct CommandLine {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Formatting, lints, dependencies, crate arrows, tidiness and the book
    Check(check::Arguments),
    /// Fetch the newest advisories and check the dependencies against them; needs the network
    Advisories,
    /// All tests, after installing what they need beside Rust
    Test(test::Arguments),
    /// Side-by-side benchmarks against the Python baseline, from release builds
    Bench(bench::Arguments),
    /// Run the workflows of deploy/n8n in the real n8n, against a demo world
    N8n,
    /// Write the references in docs/ again from what the program prints, and take its pictures
    Docs(docs::Arguments),
    /// Make the released files: static programs, packages, checksums and the installer
    Dist(dist::Arguments),
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let outcome = Workspace::load().and_then(|workspace| match command_line.chore {
        Chore::Check(arguments) => check::run(&workspace, &arguments),
        Chore::Advisories => advisories::run(&workspace),
        Chore::Test(arguments) => test::run(&workspace, &arguments),
        Chore::Bench(arguments) => bench::run(&workspace, &arguments),
        Chore::N8n => n8n::run(&workspace),
        Chore::Docs(arguments) => docs::run(&workspace, &arguments),
        Chore::Dist(arguments) => dist::run(&workspace, &arguments),
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
