//! Processes that outlive the test that started them: they are known by the scratch folder in their environment, named and killed.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

/// The variable that gives programs the scratch folder.
pub(super) const SCRATCH: &str = "TMPDIR";

/// Kills what runs in a scratch folder once the tests are over.
pub(super) fn end(scratch: &Path) {
    for (pid, line) in left(scratch) {
        eprintln!("warning: a test left a process, which is killed: {line}");
        let _ = Command::new("kill").args(["-KILL", &pid]).status();
    }
}

/// The processes that run in it, with their command lines.
fn left(scratch: &Path) -> Vec<(String, String)> {
    let variable = [SCRATCH.as_bytes(), b"=", scratch.as_os_str().as_bytes()].concat();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_scratch = processes.filter(|process| {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|one| one == variable)
    });
    let named = of_scratch.map(|process| {
        let line = fs::read_to_string(process.path().join("cmdline")).unwrap_or_default();
        (process.file_name().to_string_lossy().into_owned(), line.replace('\0', " "))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_of_the_scratch_folder_are_leftovers() {
        let scratch = Path::new("/tmp/scratch-of-leftovers");
        let mut left_one = Command::new("sleep").arg("61").env(SCRATCH, scratch).spawn().expect("it starts");
        let mut other = Command::new("sleep").arg("62").env(SCRATCH, "/tmp").spawn().expect("it starts");
        // A process that has just begun may show no environment yet.
        let found = (0..1_000).map(|_| left(scratch)).find(|found| !found.is_empty());
        let pids: Vec<String> = found.into_iter().flatten().map(|(pid, _)| pid).collect();
        assert_eq!(pids, [left_one.id().to_string()]);
        for child in [&mut left_one, &mut other] {
            child.kill().and_then(|()| child.wait()).expect("it ends");
        }
    }
}
