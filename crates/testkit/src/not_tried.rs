//! What a test does not try because the kernel does not let it: `cargo xtask test` shows it at its end.

use std::fs::OpenOptions;
use std::io::Write;

use crate::shared;

/// Notes what is not tried, and why. A program that could be installed is no reason: without it a test fails.
pub fn not_tried(what: &str) {
    println!("NOT TRIED: {what}");
    // A note that cannot be written cannot be reported either.
    if let Some(folder) = shared::folder()
        && let Ok(mut notes) = OpenOptions::new().append(true).create(true).open(folder.join("not-tried"))
    {
        let _ = writeln!(notes, "{}", what.replace('\n', " "));
    }
}
