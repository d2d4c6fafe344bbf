//! What mends a webhook: a command where the secrets that it needs are outside of the settings, else words.

use channels::Registering;
use config::{SecretOrigin, WebhookFields};

use super::{Failure, WebhookQuery, registering};
use crate::check::sessions::quoted;
use crate::finding::Fix;

/// How the expected address is registered. With `takes_over`, something else is registered now.
pub(super) fn register(webhook: &WebhookFields, takes_over: bool) -> Fix {
    let Registering { how, first, instead, .. } = registering(webhook.provider);
    match command(webhook) {
        Some(command) => Fix::command_and(command, if takes_over { instead } else { first }),
        None if takes_over => Fix::advice(format!("{instead}; then {how}")),
        None => Fix::advice(format!("{how}; {first}")),
    }
}

/// The command that registers the expected address: one call is enough, and it can take its secrets from elsewhere.
fn command(webhook: &WebhookFields) -> Option<String> {
    let (token, expect) = (in_a_shell(&webhook.token_origin)?, in_a_shell(&webhook.expect_origin)?);
    registering(webhook.provider).command.map(|command| command(&token, &expect, webhook.api()))
}

/// What a shell makes the secret of, between double quotes; nothing for one that is in the settings.
fn in_a_shell(origin: &SecretOrigin) -> Option<String> {
    match origin {
        SecretOrigin::Written => None,
        SecretOrigin::Variable(name) => {
            let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_ascii_digit());
            is_name.then(|| format!("${{{name}}}"))
        }
        SecretOrigin::File(path) => Some(format!("$(cat {})", quoted(path))),
    }
}

/// What to do where the provider did not report.
pub(super) fn ask_again(query: &WebhookQuery, failure: &Failure) -> Fix {
    let (webhook, key) = (&query.webhook, query.key);
    let Registering { credentials, unreached, .. } = registering(webhook.provider);
    let name = &webhook.name;
    match failure {
        Failure::Refused { field, .. } => {
            Fix::setting(key, format!("give {name} another {field}: {credentials}"))
        }
        Failure::Barred(_) => Fix::advice(
            "what it says tells what is missing: pay for the account, give it the right, or correct the webhook in the settings",
        ),
        Failure::Unreached(_) => Fix::advice(unreached),
        Failure::Unclear(_) => Fix::setting(
            key,
            format!(
                "check that the `api` of {name} is the right address; if it is, the provider has changed its API"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_named_by_where_they_are() {
        for (origin, expected) in [
            (SecretOrigin::Written, None),
            (SecretOrigin::Variable("SHOP_1".to_owned()), Some("${SHOP_1}")),
            (SecretOrigin::Variable("1; id".to_owned()), None),
            (SecretOrigin::Variable("1A".to_owned()), None),
            (SecretOrigin::File("/etc/hook.txt".into()), Some("$(cat /etc/hook.txt)")),
            (SecretOrigin::File("/etc/my hook".into()), Some("$(cat '/etc/my hook')")),
        ] {
            assert_eq!(in_a_shell(&origin).as_deref(), expected, "{origin:?}");
        }
    }
}
