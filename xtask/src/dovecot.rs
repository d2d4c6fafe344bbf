//! Dovecot, a server of mailboxes that no one here wrote: the channel of email reads one in its tests.

use std::process::Command;

use crate::program;
use crate::system_packages::Wanted;

/// `dovecot` with IMAP.
pub(crate) const DOVECOT: Wanted = Wanted {
    name: "Dovecot",
    packages: &["dovecot-imapd"],
    is_there: || program::is_fine(Command::new("/usr/sbin/dovecot").arg("--version")),
};
