//! Reading foreign text: never more of it than is good for us.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Reads at most `limit` bytes of a regular file; what is no UTF-8 is replaced. A pipe or a device is no text.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
