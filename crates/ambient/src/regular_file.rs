//! Regular files. A pipe in the place of one would make the program wait until another program writes into it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Opens a regular file for reading.
///
/// # Errors
/// As [`open_with`].
pub fn open(path: &Path) -> io::Result<File> {
    open_with(OpenOptions::new().read(true), path)
}

/// Opens a regular file without waiting for another program.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] for a pipe, a socket, a device or a folder; or what the system says.
pub fn open_with(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    // The flag changes nothing for a regular file.
    let opened = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let is_pipe = |error: &io::Error| error.raw_os_error() == Some(Errno::NXIO.raw_os_error());
    match opened {
        Ok(file) if file.metadata()?.is_file() => Ok(file),
        Err(error) if !is_pipe(&error) => Err(error),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
    }
}

/// Reads a regular file whole.
///
/// # Errors
/// As [`open_with`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn only_a_regular_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        let ways = [(true, false), (false, true), (true, true)];
        for path in [&*pipe, &*link, folder.path(), Path::new("/dev/null")] {
            for (read, write) in ways {
                let refused = open_with(OpenOptions::new().read(read).write(write), path).unwrap_err();
                let is_folder = refused.kind() == io::ErrorKind::IsADirectory;
                assert!(is_folder || refused.kind() == io::ErrorKind::InvalidInput, "{path:?} {refused:?}");
            }
        }
        let file = folder.path().join("file");
        assert_eq!(open(&file).unwrap_err().kind(), io::ErrorKind::NotFound);
        open_with(OpenOptions::new().write(true).create(true).truncate(false), &file).unwrap();
        std::fs::write(&file, "text").unwrap();
        assert_eq!(read(&file).unwrap(), b"text");
    }
}
