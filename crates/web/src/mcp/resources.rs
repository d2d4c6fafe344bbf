//! The resources: addresses of things that a client reads into a model's context. Pure.

use mcp::ResourceTemplate;
use percent_encoding::percent_decode_str;

use super::call::encoded;

/// A kind of thing that can be read.
struct Kind {
    /// What an address of one begins with.
    prefix: &'static str,
    template: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// The call that shows it, before and after the percent-encoded name.
    path: (&'static str, &'static str),
}

const KINDS: [Kind; 4] = [
    Kind {
        prefix: "switchboard://chats/",
        template: "switchboard://chats/{chat_id}",
        name: "conversation",
        title: "Conversation",
        description: "The last messages of a chat in both directions, newest first. The id is percent-encoded where it has a slash.",
        path: ("/v1/chats/", "/messages"),
    },
    Kind {
        prefix: "switchboard://accounts/",
        template: "switchboard://accounts/{name}",
        name: "account",
        title: "Account",
        description: "A Telegram account and how it is.",
        path: ("/v1/accounts/", ""),
    },
    Kind {
        prefix: "switchboard://conversations/",
        template: "switchboard://conversations/{client_id}",
        name: "client_conversation",
        title: "Conversation with a client",
        description: "The last messages of a client and of the business over all channels, newest first.",
        path: ("/v1/conversations/", "/messages"),
    },
    Kind {
        prefix: "switchboard://clients/",
        template: "switchboard://clients/{client_id}",
        name: "client",
        title: "Client",
        description: "A client with its chats and appeals.",
        path: ("/v1/clients/", ""),
    },
];

pub(super) const MIME_TYPE: &str = "application/json";

pub(super) fn templates() -> Vec<ResourceTemplate> {
    let template = |kind: &Kind| {
        ResourceTemplate::new(kind.template, kind.name)
            .with_title(kind.title)
            .with_description(kind.description)
            .with_mime_type(MIME_TYPE)
    };
    KINDS.iter().map(template).collect()
}

/// The path of the call that shows what is at this address.
pub(super) fn path(address: &str) -> Option<String> {
    KINDS.iter().find_map(|kind| {
        let name = address.strip_prefix(kind.prefix).filter(|name| !name.is_empty())?;
        let name = percent_decode_str(name).decode_utf8().ok()?;
        Some(format!("{}{}{}", kind.path.0, encoded(&name), kind.path.1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_one_call() {
        for (address, expected) in [
            ("switchboard://chats/-1001234567890", Some("/v1/chats/%2D1001234567890/messages")),
            ("switchboard://chats/avito:shop%2Fu2i-1", Some("/v1/chats/avito%3Ashop%2Fu2i%2D1/messages")),
            ("switchboard://chats/avito:shop/u2i-1", Some("/v1/chats/avito%3Ashop%2Fu2i%2D1/messages")),
            ("switchboard://accounts/main", Some("/v1/accounts/main")),
            ("switchboard://conversations/client_1", Some("/v1/conversations/client%5F1/messages")),
            ("switchboard://clients/client_1", Some("/v1/clients/client%5F1")),
            ("switchboard://accounts/../keys", Some("/v1/accounts/%2E%2E%2Fkeys")),
            ("switchboard://accounts/", None),
            ("switchboard://keys/all", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(path(address).as_deref(), expected, "{address}");
        }
    }
}
