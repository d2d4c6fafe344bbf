//! Files of the server that a caller names: opened only inside one folder, whatever is or is swapped there.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

/// An open file that was inside the folder when it was opened.
#[derive(Debug)]
pub struct Opened {
    pub file: File,
    /// Its size in bytes at that moment.
    pub size: u64,
}

/// Why a path is not read.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    #[error("files of the server are read only inside the media folder")]
    Outside,
    #[error("symbolic links are not followed in the media folder")]
    Link,
    #[error("there is no such file in the media folder")]
    NotFound,
    #[error("this is no regular file")]
    NotAFile,
    #[error("the file cannot be read: {0}")]
    Unreadable(io::Error),
}

/// Opens a file inside `folder` for reading. `path` is relative to the folder, or absolute and in it.
///
/// The path is walked one name at a time from the open folder, no link is followed and no step goes up. What is
/// checked is what was opened, so nothing can be swapped between the two. The folder itself may be a link: it is the
/// owner's word. Blocks for as long as the disk does.
pub fn inside(folder: &Path, path: &Path) -> Result<Opened, PathError> {
    let relative = relative(folder, path)?;
    let mut names = Vec::new();
    for component in relative.components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(PathError::Outside);
            }
        }
    }
    let (last, folders) = names.split_last().ok_or(PathError::NotAFile)?;
    let step = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = rustix::fs::open(folder, step, Mode::empty()).map_err(|error| unreadable(error.into()))?;
    for name in folders {
        at = open(&at, name, step | OFlags::NOFOLLOW)?;
    }
    // A pipe would wait for its writer, a terminal would become ours.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(open(&at, last, flags)?);
    let found = file.metadata().map_err(unreadable)?;
    if !found.is_file() {
        return Err(PathError::NotAFile);
    }
    Ok(Opened { file, size: found.len() })
}

fn relative(folder: &Path, path: &Path) -> Result<PathBuf, PathError> {
    if !path.is_absolute() {
        return Ok(path.to_owned());
    }
    if let Ok(relative) = path.strip_prefix(folder) {
        return Ok(relative.to_owned());
    }
    let real = folder.canonicalize().map_err(unreadable)?;
    path.strip_prefix(real).map(Path::to_owned).map_err(|_| PathError::Outside)
}

fn open(at: &OwnedFd, name: &OsStr, flags: OFlags) -> Result<OwnedFd, PathError> {
    rustix::fs::openat(at, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::LOOP => PathError::Link,
        Errno::NOTDIR if is_link(at, name) => PathError::Link,
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::INVAL => PathError::NotFound,
        // What a socket, or a device without a driver, answers.
        Errno::NXIO | Errno::NODEV => PathError::NotAFile,
        error => PathError::Unreadable(error.into()),
    })
}

/// Only for the words of the error: nothing was opened.
fn is_link(at: &OwnedFd, name: &OsStr) -> bool {
    rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Symlink)
}

fn unreadable(error: io::Error) -> PathError {
    match error.kind() {
        io::ErrorKind::NotFound => PathError::NotFound,
        _ => PathError::Unreadable(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use proptest::prelude::*;

    use super::*;

    /// A folder `media` with files in it, beside a secret.
    fn world() -> (tempfile::TempDir, PathBuf) {
        let world = tempfile::tempdir().unwrap();
        let media = world.path().join("media");
        fs::create_dir_all(media.join("a/b")).unwrap();
        fs::write(media.join("a/b/c.txt"), "inside").unwrap();
        fs::write(world.path().join("secret"), "outside").unwrap();
        fs::create_dir(world.path().join("media2")).unwrap();
        fs::write(world.path().join("media2/x"), "outside").unwrap();
        (world, media)
    }

    fn read(media: &Path, path: impl AsRef<Path>) -> Result<String, PathError> {
        let mut text = String::new();
        inside(media, path.as_ref())?.file.read_to_string(&mut text).unwrap();
        Ok(text)
    }

    #[test]
    fn files_inside_are_read_by_relative_and_absolute_paths() {
        let (world, media) = world();
        assert_eq!(read(&media, "a/b/c.txt").unwrap(), "inside");
        assert_eq!(read(&media, "./a//b/./c.txt").unwrap(), "inside");
        assert_eq!(read(&media, media.join("a/b/c.txt")).unwrap(), "inside");
        assert_eq!(inside(&media, Path::new("a/b/c.txt")).unwrap().size, 6);
        // The folder itself may be a link, and its files may be named by its real place.
        let link = world.path().join("link");
        symlink(&media, &link).unwrap();
        assert_eq!(read(&link, "a/b/c.txt").unwrap(), "inside");
        assert_eq!(read(&link, media.canonicalize().unwrap().join("a/b/c.txt")).unwrap(), "inside");
    }

    #[test]
    fn files_outside_the_folder_are_not_read() {
        let (world, media) = world();
        let elsewhere = [
            PathBuf::from("../secret"),
            PathBuf::from("a/../../secret"),
            PathBuf::from("a/../a/b/c.txt"),
            PathBuf::from("/etc/passwd"),
            world.path().join("secret"),
            world.path().join("media2/x"),
            media.join("../secret"),
        ];
        for path in elsewhere {
            assert!(matches!(read(&media, &path), Err(PathError::Outside)), "{}", path.display());
        }
    }

    #[test]
    fn links_are_not_followed_wherever_they_lead() {
        let (world, media) = world();
        symlink(world.path().join("secret"), media.join("file")).unwrap();
        symlink(world.path(), media.join("folder")).unwrap();
        symlink("a/b/c.txt", media.join("kind")).unwrap();
        for path in ["file", "folder/secret", "kind"] {
            assert!(matches!(read(&media, path), Err(PathError::Link)), "{path}");
        }
    }

    #[test]
    fn only_regular_files_are_read() {
        let (_world, media) = world();
        let _socket = UnixListener::bind(media.join("socket")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, media.join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        for path in ["a", "", ".", "socket", "pipe"] {
            assert!(matches!(read(&media, path), Err(PathError::NotAFile)), "{path:?}");
        }
        for path in ["none", "a/b/c.txt/d", "a/none/c", "a\0b", &"n".repeat(300)] {
            assert!(matches!(read(&media, path), Err(PathError::NotFound)), "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_reads_what_is_outside(path in "(/?(\\.\\.|\\.|a|b|c\\.txt|folder|secret|media2|x)){0,6}/?") {
            let (world, media) = world();
            symlink(world.path(), media.join("folder")).unwrap();
            if let Ok(text) = read(&media, &path) {
                prop_assert_eq!(text, "inside");
            }
        }
    }
}
