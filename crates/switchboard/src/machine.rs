//! What the program says of the machine it runs on.

/// The longest name of a machine.
const LONGEST: usize = 64;

/// The name of this machine, for those who have several.
pub(crate) fn name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if name.is_empty() { "server".to_owned() } else { name }
}
