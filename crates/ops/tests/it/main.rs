//! What the operator's tools do to a machine, on folders that stand for one.

#[cfg(test)]
mod service;
#[cfg(test)]
mod troubles;
#[cfg(test)]
mod verified;
