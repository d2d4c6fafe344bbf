//! What a test does not try because the kernel does not let it: said aloud, and counted by `cargo xtask test`.

use std::io::Write;

/// Says what is not tried, and why. A program that could be installed is no reason: without it a test fails.
pub fn not_tried(what: &str) {
    // Not by `println!`, whose words a test that passes keeps to itself. A failed write cannot be reported.
    let _ = writeln!(std::io::stdout(), "NOT TRIED: {what}");
}
