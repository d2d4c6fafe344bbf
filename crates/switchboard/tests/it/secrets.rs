//! What must not be found in what the program says, writes and shows.

use std::path::Path;

use memchr::memmem::Finder;

/// Secrets, each with what it is.
#[derive(Default)]
pub(crate) struct Secrets(Vec<(&'static str, Finder<'static>)>);

impl Secrets {
    pub(crate) fn plant(&mut self, what: &'static str, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref();
        assert!(secret.len() >= 5, "{what} would be found by chance");
        self.0.push((what, Finder::new(secret).into_owned()));
    }

    /// The first of them that is somewhere.
    pub(crate) fn found(&self, bytes: &[u8]) -> Option<&'static str> {
        self.0.iter().find(|(_, secret)| secret.find(bytes).is_some()).map(|(what, _)| *what)
    }

    pub(crate) fn not_in(&self, place: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let text = || String::from_utf8_lossy(bytes).get(..4000).unwrap_or_default().to_owned();
        assert_eq!(self.found(bytes), None, "{place}: {}", text());
    }

    /// Looks at every file below a folder; how many these are.
    pub(crate) fn not_below(&self, folder: &Path) -> usize {
        let files = files(folder);
        for (path, bytes) in &files {
            self.not_in(path, bytes);
        }
        files.len()
    }
}

/// Every file below a folder, with its bytes.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("reads").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            found.push((path.display().to_string(), bytes));
        }
    }
    found
}
