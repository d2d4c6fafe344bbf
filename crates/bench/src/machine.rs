//! The machine: what a reader must know of it to judge the numbers.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::latency::{Latencies, Summary};

/// How many appends are timed.
const APPENDS: usize = 300;

/// What SQLite writes at least.
const PAGE: [u8; 4096] = [0x5a; 4096];

/// Facts of the machine.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) kernel: String,
    /// The kind of file system that the data directories are on.
    pub(crate) file_system: String,
    /// The time it takes to append 4 KiB and have them on the disk, in microseconds.
    pub(crate) append_to_disk: Summary,
}

impl Machine {
    /// Looks, and times appends in the folder.
    pub(crate) fn look(folder: &Path) -> Result<Self> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let folder = folder.canonicalize().with_context(|| format!("cannot find {}", folder.display()))?;
        Ok(Self {
            cores: available_parallelism().map_or(1, Into::into),
            processor: processor(&read("/proc/cpuinfo")).to_owned(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(&read("/proc/mounts"), &folder).to_owned(),
            append_to_disk: time_appends(&folder)?,
        })
    }
}

fn time_appends(folder: &Path) -> Result<Summary> {
    let path = folder.join("appends");
    let mut file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut latencies = Latencies::default();
    for _ in 0..APPENDS {
        let started = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        latencies.add(started.elapsed());
    }
    fs::remove_file(&path)?;
    Ok(latencies.summary())
}

fn processor(cpuinfo: &str) -> &str {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name.trim())
}

/// The kind of the innermost mount that holds the path.
fn file_system<'a>(mounts: &'a str, path: &Path) -> &'a str {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    mounts
        .filter(|(place, _)| path.starts_with(place))
        .max_by_key(|(place, _)| place.len())
        .map_or("unknown", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "/dev/sda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/sdb /tmpfiles xfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/tmp/x")), "tmpfs");
        assert_eq!(file_system(mounts, Path::new("/tmpfiles/x")), "xfs");
        assert_eq!(file_system(mounts, Path::new("/home")), "ext4");
        assert_eq!(file_system("", Path::new("/home")), "unknown");
    }

    #[test]
    fn the_processor_has_a_name_or_none() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: A Fine Chip @ 2 GHz\n"), "A Fine Chip @ 2 GHz");
        assert_eq!(processor(""), "unknown");
    }
}
