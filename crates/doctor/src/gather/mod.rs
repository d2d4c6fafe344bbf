//! Gathering: the thin shell between the machine and the checks. What blocks runs where it may.

pub(super) mod backups;
pub(super) mod errors;
pub(super) mod files;
pub(super) mod reach;
pub(super) mod registrations;
pub(super) mod sessions;
pub(crate) mod units;

use config::Settings;

use super::check::ports::Wanted;

/// The addresses that settings want to listen on.
pub(super) fn wanted(settings: &Settings) -> Vec<Wanted> {
    let main = Wanted { name: "main".to_owned(), address: settings.listen, key: "listen" };
    let old = settings.legacy.addresses().map(|(address, key)| Wanted {
        name: address.port().to_string(),
        address,
        key,
    });
    std::iter::once(main).chain(old).collect()
}
