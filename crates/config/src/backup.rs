//! Backups: how often, how many, where, and what is copied elsewhere.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use bech32::{Bech32, primitives::decode::CheckedHrpstring};
use secrecy::SecretString;

use crate::{
    document::Document,
    keys::settings,
    secret,
    value_kind::{http_url, not_blank, one_word, secret, word},
};

/// More often would only wear the disk.
const SHORTEST: Duration = Duration::from_hours(1);

settings! {
    /// The section `[backup]`.
    pub section BackupSettings at "backup." {
        /// How often the running program makes a backup; 0s for never by itself.
        #[serde(with = "crate::duration")]
        every: Duration = "1d", duration("0s", "30d") => live;
        /// How many backups are kept; older ones are removed, but never the last that was proven.
        keep: usize = 7, integer(1, 1000) => live;
        /// How old backups may become; older ones are removed, but neither the newest nor the last that was proven. 0s for any age.
        #[serde(with = "crate::duration")]
        keep_for: Duration = "0s", duration("0s", "3650d") => live;
        /// Where backups are stored; a relative folder is relative to the data directory.
        folder: PathBuf = PathBuf::from("backups"), word("the path of a folder", not_blank);
        /// How often a restore is practised in a temporary folder: on the newest copy where there are copies, else on the newest
        /// backup. One that fails raises an alert. 0s for never.
        #[serde(with = "crate::duration")]
        drill_every: Duration = "7d", duration("0s", "90d") => live;
        /// A copy of each backup, elsewhere.
        copy: BackupCopySettings => live;
    }
}

settings! {
    /// The section `[backup.copy]`.
    pub section BackupCopySettings at "backup.copy." {
        /// Copies go to this folder, on another disk. It must be there: an unmounted disk has none.
        #[serde(skip_serializing_if = "Option::is_none")]
        folder: Option<PathBuf>,
            optional(word("the path of a folder", not_blank)), "\"/mnt/elsewhere/switchboard\"";
        /// Copies go to this bucket of S3, or of a store that speaks as S3 does.
        #[serde(skip_serializing_if = "Option::is_none")]
        bucket: Option<String>, optional(word("the name of a bucket", one_word)), "\"demo-backups\"";
        /// What the names of copies in the bucket begin with, as a folder.
        #[serde(skip_serializing_if = "Option::is_none")]
        prefix: Option<String>, optional(word("a word such as switchboard", one_word)), "\"switchboard\"";
        /// The address of the store; left out: that of Amazon for the region.
        #[serde(skip_serializing_if = "Option::is_none")]
        endpoint: Option<String>,
            optional(word("an http or https address", http_url)), "\"https://s3.example.com\"";
        /// The region of the bucket.
        region: String = "us-east-1".to_owned(), word("the name of a region", one_word);
        /// Who this program is there.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        access_key_id: Option<SecretString>,
            optional(secret("the id of an access key", one_word)), "{ env = \"BACKUP_KEY_ID\" }";
        /// The secret of the access key.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        secret_access_key: Option<SecretString>,
            optional(secret("the secret of an access key", one_word)), "{ env = \"BACKUP_SECRET_KEY\" }";
        /// Copies are encrypted to this recipient of age; only its identity opens them, which this program does not need.
        #[serde(skip_serializing_if = "Option::is_none")]
        recipient: Option<String>,
            optional(word("a recipient of age: age1 and 58 letters and digits", recipient)),
            "\"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\"";
        /// How many copies are kept there; of those that this installation made the older ones are removed, but never the last that was
        /// proven.
        keep: usize = 30, integer(1, 500);
        /// How old copies may become, as `backup.keep_for` says of backups. 0s for any age.
        #[serde(with = "crate::duration")]
        keep_for: Duration = "0s", duration("0s", "3650d");
    }
}

/// Whether a text is an X25519 recipient of age, mistyped letters noticed.
fn recipient(text: &str) -> bool {
    CheckedHrpstring::new::<Bech32>(text)
        .is_ok_and(|checked| checked.hrp().as_str() == "age" && checked.byte_iter().count() == 32)
}

/// Whether what is sent to an address can be read on the way.
fn is_open(endpoint: &str) -> bool {
    let Some(rest) = endpoint.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host != "localhost" && !host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What no single key shows.
pub(crate) fn check(settings: &BackupSettings, document: &mut Document) {
    let BackupSettings { every, folder, copy, .. } = settings;
    if !every.is_zero() && *every < SHORTEST {
        document.refuse("backup.every", "is shorter than 1h; make it longer, or \"0s\" for none by itself");
    }
    if copy.folder.as_ref() == Some(folder) {
        document.refuse("backup.copy.folder", "is `backup.folder` itself; name one on another disk");
    }
    let Some(_) = &copy.bucket else { return };
    if copy.folder.is_some() {
        document.refuse("backup.copy.bucket", "stands beside `backup.copy.folder`; keep one");
    }
    if copy.access_key_id.is_none() || copy.secret_access_key.is_none() {
        document.refuse(
            "backup.copy.bucket",
            "needs `backup.copy.access_key_id` and `backup.copy.secret_access_key` beside it",
        );
    }
    if copy.recipient.is_none() && copy.endpoint.as_deref().is_some_and(is_open) {
        document.refuse(
            "backup.copy.endpoint",
            "is read by everyone on the way; write https://, or encrypt the copies with `backup.copy.recipient`",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_recipient_is_none() {
        let well = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
        assert!(recipient(well));
        for wrong in [&well.replace("ql3z", "q13z"), &well.replace("54pw", "54wp"), &well[..40], "age1", ""] {
            assert!(!recipient(wrong), "{wrong}");
        }
    }

    #[test]
    fn plain_http_is_open_beyond_this_machine() {
        for (endpoint, open) in [
            ("http://s3.example.com", true),
            ("http://192.0.2.7:9000/x", true),
            ("http://127.0.0.1:5000", false),
            ("http://[::1]:5000", false),
            ("http://localhost", false),
            ("https://s3.example.com", false),
        ] {
            assert_eq!(is_open(endpoint), open, "{endpoint}");
        }
    }
}
