//! What mends a webhook: a command where the secrets that it needs stand outside of the settings, else words.

use config::{SecretOrigin, WebhookFields, WebhookProvider};

use super::{Asked, Failure};
use crate::check::sessions::quoted;
use crate::finding::Fix;

/// How the expected address is registered. With `takes_over`, something else is registered now.
pub(super) fn register(webhook: &WebhookFields, takes_over: bool) -> Fix {
    let advice = match (webhook.provider, takes_over) {
        (WebhookProvider::Telegram, true) => {
            "a bot has one webhook, so this takes it from its present receiver: find out first what that is and whether it is still needed; if it is right, write its address as `expect`; a receiver that registers itself, as \
             n8n does when a workflow is activated, does it best; one that checks a secret_token needs \
             --data-urlencode \"secret_token=…\" too"
        }
        (WebhookProvider::Telegram, false) => {
            "where a program fetches the updates itself (getUpdates), nothing may be registered: take the webhook out of the \
             settings; a receiver that registers itself, as n8n does when a workflow is activated, does it best; one that \
             checks a secret_token needs --data-urlencode \"secret_token=…\" too"
        }
        (_, true) => {
            "find out first whose the registered address is and whether it is still needed; if it is right, write that address as `expect`"
        }
        (_, false) => "the receiver may do it itself when it is switched on",
    };
    let words = match webhook.provider {
        WebhookProvider::Telegram => "call setWebhook of the Bot API with the expected address",
        WebhookProvider::Avito => "post the expected address to /messenger/v3/webhook of Avito's API",
        WebhookProvider::Max => {
            "post the expected address, and the secret that its receiver checks, to /subscriptions of MAX"
        }
        WebhookProvider::Vk => {
            "add the expected address as a server under Manage, API usage, Callback API of the community"
        }
        WebhookProvider::Whatsapp => {
            "set the expected address as the webhook of the profile in the cabinet of Wappi"
        }
    };
    match command(webhook) {
        Some(command) => Fix::command_and(command, advice),
        None if takes_over => Fix::advice(format!("{advice}; then {words}")),
        None => Fix::advice(format!("{words}; {advice}")),
    }
}

/// The command that registers the expected address: one call is enough, and it can take its secrets from elsewhere.
fn command(webhook: &WebhookFields) -> Option<String> {
    let (token, expect) = (in_a_shell(&webhook.token_origin)?, in_a_shell(&webhook.expect_origin)?);
    let api = webhook.api();
    match webhook.provider {
        WebhookProvider::Telegram => {
            Some(format!(r#"curl --silent "{api}/bot{token}/setWebhook" --data-urlencode "url={expect}""#))
        }
        WebhookProvider::Max => Some(format!(
            r#"curl --silent "{api}/subscriptions" --header "Authorization: {token}" --header "Content-Type: application/json" --data "{{\"url\":\"{expect}\"}}""#
        )),
        WebhookProvider::Avito | WebhookProvider::Vk | WebhookProvider::Whatsapp => None,
    }
}

/// What a shell makes the secret of, between double quotes; nothing for one that stands in the settings.
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

/// What to do where the provider did not tell.
pub(super) fn ask_again(asked: &Asked, failure: &Failure) -> Fix {
    let (webhook, key) = (&asked.webhook, asked.key);
    let name = &webhook.name;
    match failure {
        Failure::Refused { field, .. } => {
            let source = match webhook.provider {
                WebhookProvider::Telegram => {
                    "the token that @BotFather shows; one that was revoked is gone for good"
                }
                WebhookProvider::Avito => "what Avito's cabinet shows for the application",
                WebhookProvider::Max => "the token that business.max.ru shows under Chat-bots, Integration",
                WebhookProvider::Vk => {
                    "what the community shows under Manage, API usage: its number, and a key with the right `manage`"
                }
                WebhookProvider::Whatsapp => "what the cabinet of Wappi shows for the profile",
            };
            Fix::setting(key, format!("give {name} another {field}: {source}"))
        }
        Failure::Barred(_) => Fix::advice(
            "what it says tells what is missing: pay for the account, give it the right, or correct the webhook in the settings",
        ),
        Failure::Unreached(_) if webhook.provider == WebhookProvider::Max => Fix::advice(
            "look at the network; the certificate of MAX is issued by the Russian Ministry of Digital Development, whose root this machine must trust",
        ),
        Failure::Unreached(_) => Fix::advice(
            "look at the network and the firewall's rules for outgoing connections; if the provider is blocked, name another address as `api`",
        ),
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
