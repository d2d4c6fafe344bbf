//! The certificate authorities that tests trust: one of the system's. Each client of a test and each program that it starts reads
//! all there are, which are hundreds, and none of them is met on loopback.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};

/// Where clients look for a file with all authorities, and for a folder of them.
const FILE: &str = "SSL_CERT_FILE";
const FOLDER: &str = "SSL_CERT_DIR";

/// Where systems have it.
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

const END: &str = "-----END CERTIFICATE-----\n";

/// Gives the tests one authority, in a file of this folder; where none is found, they have what there is.
pub(super) fn give(command: &mut Command, folder: &Path) -> Result<()> {
    let named = env::var_os(FILE).into_iter();
    let mut bundles = named.chain(BUNDLES.map(Into::into)).filter_map(|path| fs::read_to_string(path).ok());
    if let Some(one) = bundles.find_map(|bundle| Some(bundle.split_once(END)?.0.to_owned() + END)) {
        let file = folder.join("authority.pem");
        fs::write(&file, one).with_context(|| format!("cannot write {}", file.display()))?;
        command.env(FILE, file).env_remove(FOLDER);
    }
    Ok(())
}
