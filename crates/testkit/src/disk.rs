//! A disk of a program's own, small and real: a file system in memory, in a mount namespace that goes with the program.

use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::program::Start;
use crate::world::World;

/// Runs the program with its data directory on a file system in memory. A link leads from outside to where it is inside.
const ON_ITS_OWN_DISK: &str = r#"#!/bin/sh
exec unshare {flags} sh -ec '
  mount -t tmpfs -o size={size}m,mode=0700 tmpfs "{disk}"
  ln -s "/proc/$$/root{disk}" "{data}"
  exec "{binary}" "$@"
' sh "$@"
"#;

/// Keeps such a file system for programs outside, until its standard input ends.
const HELD: &str = r#"
  mount -t tmpfs -o size={size}m,mode=0700 tmpfs "{disk}"
  ln -s "/proc/$$/root{disk}" "{data}"
  echo mounted
  exec cat
"#;

/// A disk for one run of the program.
pub struct Disk {
    script: PathBuf,
    data: PathBuf,
    /// What keeps it; it ends with this.
    holder: Option<Child>,
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(holder) = &mut self.holder {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

impl Disk {
    /// A disk of so many MiB, beside a world. Fails the test where mounting one is not allowed.
    pub fn of(world: &World, binary: &Path, mebibytes: u32) -> Self {
        let [folder, script, data] = ["disk", "on-its-own-disk", "data"].map(|name| world.data_dir(name));
        std::fs::create_dir(&folder).expect("a folder");
        let text = ON_ITS_OWN_DISK
            .replace("{flags}", namespaces(&folder))
            .replace("{size}", &mebibytes.to_string())
            .replace("{disk}", &folder.display().to_string())
            .replace("{data}", &data.display().to_string())
            .replace("{binary}", &binary.display().to_string());
        std::fs::write(&script, text).expect("written");
        std::fs::set_permissions(&script, Permissions::from_mode(0o700)).expect("can be run");
        Self { script, data, holder: None }
    }

    /// A disk of so many MiB for any number of programs, as long as this lives; a link at `data` leads to it from outside.
    pub fn held(data: &Path, binary: &Path, mebibytes: u32) -> Self {
        let folder = data.with_extension("disk");
        std::fs::create_dir(&folder).expect("a folder");
        let flags = namespaces(&folder);
        let script = HELD
            .replace("{size}", &mebibytes.to_string())
            .replace("{disk}", &folder.display().to_string())
            .replace("{data}", &data.display().to_string());
        let mut holder = Command::new("unshare")
            .args(flags.split(' '))
            .args(["sh", "-ec", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare runs");
        let mut line = String::new();
        let out = holder.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("it says when it is there");
        assert_eq!(line.trim(), "mounted");
        let pid = holder.id();
        let enter = if flags.contains("user") {
            format!("nsenter --user=/proc/{pid}/ns/user --preserve-credentials --mount=/proc/{pid}/ns/mnt")
        } else {
            format!("nsenter --mount=/proc/{pid}/ns/mnt")
        };
        let script = data.with_extension("enter");
        std::fs::write(&script, format!("#!/bin/sh\nexec {enter} '{}' \"$@\"\n", binary.display()))
            .expect("written");
        std::fs::set_permissions(&script, Permissions::from_mode(0o700)).expect("can be run");
        Self { script, data: data.to_owned(), holder: Some(holder) }
    }

    /// The program where this disk is, and where it is there.
    pub fn inside(&self) -> (PathBuf, PathBuf) {
        (self.script.clone(), self.data.with_extension("disk"))
    }

    /// How to start the program on it.
    pub fn start(&self, world: &World) -> Start<'_> {
        Start { data_dir: self.data.clone(), ..Start::on(world, &self.script, "data") }
    }

    /// A path in the data directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }

    /// How many bytes are free.
    pub fn free(&self) -> u64 {
        let stat = rustix::fs::statvfs(&self.data).expect("the disk tells");
        stat.f_bavail * stat.f_frsize
    }

    /// Another writer takes what there is, to the last byte; where its file is.
    pub fn fill(&self) -> PathBuf {
        self.write_until(|| false)
    }

    /// Another writer takes what there is, until fewer bytes than these are free; where its file is.
    pub fn fill_below(&self, bytes: u64) -> PathBuf {
        self.write_until(|| self.free() < bytes)
    }

    fn write_until(&self, enough: impl Fn() -> bool) -> PathBuf {
        let path = self.path("of-another-writer");
        let mut file = File::create(&path).expect("a file");
        let bytes = vec![1; 64 * 1024];
        for size in [bytes.len(), 512, 1] {
            while !enough() {
                match file.write_all(&bytes[..size]) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("the disk cannot be filled: {error}"),
                }
            }
        }
        path
    }
}

/// With which of its flags `unshare` lets this user mount a file system in memory.
fn namespaces(folder: &Path) -> &'static str {
    let mut refusals = Vec::new();
    for flags in ["--mount", "--map-root-user --mount"] {
        let tried = Command::new("unshare")
            .args(flags.split(' '))
            .args(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder)
            .output();
        match tried {
            Ok(tried) if tried.status.success() => return flags,
            Ok(tried) => {
                refusals.push(format!("unshare {flags}: {}", String::from_utf8_lossy(&tried.stderr).trim()));
            }
            Err(error) => refusals.push(format!("unshare {flags}: {error}")),
        }
    }
    panic!(
        "this machine lets no one mount a file system in a namespace, so that no disk can be filled ({}); run the test as root, \
         or where users may make namespaces",
        refusals.join("; ")
    );
}
