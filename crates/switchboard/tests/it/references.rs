//! The references in `docs/` are what the program prints.

use std::path::Path;
use std::process::Command;

use crate::binary;

fn is_fresh(command: &str, file: &str) {
    let output = Command::new(binary()).args(command.split(' ')).output().expect("runs");
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(file);
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        printed == kept,
        "docs/{file} is not what `switchboard {command}` prints; run `cargo xtask docs`"
    );
}

#[test]
fn the_settings_reference_is_fresh() {
    is_fresh("settings", "settings.md");
}

#[test]
fn the_reference_of_events_is_fresh() {
    is_fresh("events --types", "events.md");
}

#[test]
fn the_reference_of_rights_is_fresh() {
    is_fresh("key rights", "rights.md");
}
