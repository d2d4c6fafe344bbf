//! Units installed, uninstalled and verified, on folders that stand for a machine.

#[cfg(test)]
mod service;
#[cfg(test)]
mod verified;
