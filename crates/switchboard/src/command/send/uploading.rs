//! A file of this machine, brought to the server.

use std::path::{Path, PathBuf};

use anyhow::Context;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::bars::Bars;
use crate::control::Control;
use crate::outgoing_file::OutgoingFile;
use crate::terminal::WrongUsage;

/// A file that can be sent.
#[derive(Debug)]
pub(super) struct LocalFile {
    path: PathBuf,
    name: String,
    size: u64,
}

impl LocalFile {
    /// Looks whether it can be sent, before anything else is done.
    pub(super) fn look(path: &PathBuf) -> Result<Self, WrongUsage> {
        let shown = path.display();
        let found = std::fs::metadata(path)
            .map_err(|error| WrongUsage(format!("the file {shown} cannot be read: {error}")))?;
        if !found.is_file() {
            return Err(WrongUsage(format!("{shown} is no file; name a file")));
        }
        if found.len() == 0 {
            return Err(WrongUsage(format!("the file {shown} is empty; Telegram takes no empty files")));
        }
        Ok(Self { name: name_of(path), path: path.clone(), size: found.len() })
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Streams it to the server with a bar; the id of the upload. Dropping this leaves nothing on the server.
    pub(super) async fn upload(
        &self,
        server: &Control,
        bars: &Bars,
        key: Option<&str>,
    ) -> anyhow::Result<Value> {
        let named = || format!("the file {}", self.path.display());
        let file = tokio::fs::File::open(&self.path).await.with_context(named)?;
        let bar = bars.bytes(&format!("{} to the server", self.name), self.size);
        let name = utf8_percent_encode(&self.name, NON_ALPHANUMERIC);
        let path = format!("/v1/uploads?filename={name}");
        let taken = server.post_file(&path, key, OutgoingFile::new(file, self.size, bar.clone())).await;
        match &taken {
            Ok(_) => bar.finish_and_clear(),
            Err(_) => bar.abandon(),
        }
        let taken = taken.with_context(named)?;
        let id =
            taken.get("id").filter(|id| id.is_string()).context("the server's answer names no upload")?;
        Ok(id.clone())
    }
}

/// The last part of a path, as far as it is text.
fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsendable_files_are_refused_with_a_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("full.txt"), "a").expect("writes");
        std::fs::write(path("empty.txt"), "").expect("writes");
        let file = LocalFile::look(&path("full.txt")).expect("it can be sent");
        assert_eq!((file.name(), file.size), ("full.txt", 1));
        for (name, word) in [("empty.txt", "empty"), ("missing.txt", "cannot be read"), (".", "no file")] {
            let wrong = LocalFile::look(&path(name)).expect_err(name);
            assert!(wrong.to_string().contains(word), "{wrong}");
        }
    }
}
