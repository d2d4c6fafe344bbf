//! The queues that other programs share with this one.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{
    keys::settings,
    secret,
    value_kind::{not_blank, one_word, secret, word},
};

settings! {
    /// The section `[queue]`: lists in Redis that other programs push to and take from.
    pub section QueueSettings at "queue." {
        /// Where Redis is, with its password and the number of its database; `rediss://` for TLS. Left out: the queues are the
        /// store's alone.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        redis: Option<SecretString>,
            optional(secret("redis://USER:PASSWORD@HOST:PORT/DATABASE or rediss://…", redis_url)), "{ env = \"REDIS_URL\" }";
        /// Certificates of the authority that signs its certificate, in place of those of the system.
        #[serde(skip_serializing_if = "Option::is_none")]
        ca_file: Option<PathBuf>, optional(word("the path of a file", not_blank)), "\"/etc/ssl/redis.pem\"";
        /// What a program was offered and does not bring back is offered again after so long.
        #[serde(with = "crate::duration")]
        offer_again: Duration = "60s", duration("100ms", "1h");
    }
}

/// Who does a stage of the pipeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageBy {
    /// This program.
    #[default]
    Internal,
    /// Another one, over Redis.
    External,
}

impl StageBy {
    /// The words of the settings.
    pub(crate) const WORDS: &'static [&'static str] = &["internal", "external"];

    pub const fn is_external(self) -> bool {
        matches!(self, Self::External)
    }
}

/// An address of Redis, without looking it up.
fn redis_url(text: &str) -> bool {
    let rest = ["redis://", "rediss://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    one_word(text) && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_addresses_are_checked() {
        for good in
            ["redis://127.0.0.1", "rediss://demo:word@example.com:6380/4", "redis://:word@example.com"]
        {
            assert!(redis_url(good), "{good}");
        }
        for wrong in ["", "redis://", "redis:///0", "http://127.0.0.1", "redis://127.0.0.1/ 4"] {
            assert!(!redis_url(wrong), "{wrong}");
        }
    }
}
