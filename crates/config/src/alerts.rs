//! Who is notified when something stays broken: chats, webhooks, mailboxes.

use std::{fmt, str::FromStr, time::Duration};

use domain::{ChatRef, account::AccountName};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    keys::settings,
    secret,
    value_kind::{ACCOUNT, NAME, SIGNING_SECRET, http_url, one_word, reads, secret, word, words},
};

/// The fewest characters of a webhook's secret.
const SHORTEST_SECRET: usize = 16;
/// Mailboxes of one target at most.
const MOST_MAILBOXES: usize = 20;

settings! {
    /// The section `[alerts]`.
    pub section AlertSettings at "alerts." {
        /// How often the targets of an alert are reminded of it while it lasts; 0s for never.
        #[serde(with = "crate::duration")]
        remind_every: Duration = "6h", duration("0s", "30d") => live;
        /// Who is notified.
        targets: Vec<AlertTargetFields> => live;
    }
}

/// What a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, strum::VariantNames)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum AlertTargetKind {
    /// A Telegram chat.
    Telegram,
    /// A program that is posted to.
    Webhook,
    /// Mailboxes.
    Email,
}

domain::enum_words!(AlertTargetKind);

impl AlertTargetKind {
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
}

settings! {
    /// A target as it is written down: a name, a kind, and the fields of that kind.
    pub item AlertTargetFields at "alerts.targets[]." {
        /// Your name for a person or system that is notified when something stays broken.
        name: String, like(NAME), "\"owner\"";
        /// What it is; the other keys depend on it.
        kind: AlertTargetKind, choice(AlertTargetKind::NAMES), "\"webhook\"";
        /// `telegram`: the chat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chat: Option<String>,
            optional(word("the id of a chat or a username", reads::<ChatRef>)), "\"@demo_main\"";
        /// `telegram`: the account that writes there, unless the alert is about it; left out: any that can.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<String>, optional(ACCOUNT), "\"backup_1\"";
        /// `webhook`: where alerts are posted to, as JSON.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        url: Option<SecretString>,
            optional(secret("an http or https address", http_url)), "{ env = \"ALERT_HOOK\" }";
        /// `webhook`: what posts are signed with, as Standard Webhooks do (header `webhook-signature`).
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        secret: Option<SecretString>,
            optional(secret(SIGNING_SECRET, one_word)), "{ env = \"ALERT_HOOK_SECRET\" }";
        /// `email`: the server that takes the mail.
        #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "secret::optional_redacted")]
        smtp: Option<SecretString>,
            optional(secret(
                "smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST (STARTTLS) or smtp+plain://127.0.0.1:PORT",
                reads::<SmtpAddress>
            )),
            "{ env = \"ALERT_SMTP\" }";
        /// `email`: the sender.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
            optional(word("the address of a mailbox", mailbox)), "\"alerts@example.com\"";
        /// `email`: who gets it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        to: Vec<String>,
            optional(words("the address of a mailbox such as \"owner@example.com\"", mailbox)),
            "[\"owner@example.com\"]";
    }
}

/// A target that can be notified.
#[derive(Debug, Clone)]
pub enum AlertTarget {
    /// A Telegram chat.
    Telegram {
        /// The chat.
        chat: ChatRef,
        /// The account that writes there.
        account: Option<AccountName>,
    },
    /// A program that is posted to.
    Webhook {
        /// Its address.
        url: SecretString,
        /// What posts are signed with: the bytes of the key.
        secret: Option<WebhookSecret>,
    },
    /// Mailboxes.
    Email {
        /// The server that takes the mail.
        smtp: SmtpAddress,
        /// Who it is from.
        from: String,
        /// Who gets it.
        to: Vec<String>,
    },
}

/// One field of a target that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongField {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it and what to write instead; follows the field's name in a sentence.
    pub message: String,
}

impl AlertTargetFields {
    /// The target, if every field is there and right.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn check(&self) -> Result<AlertTarget, Vec<WrongField>> {
        let mut wrong = Vec::new();
        if !target_name(&self.name) {
            refuse(&mut wrong, "name", "is wrong: write 1 to 64 of the letters a-z, digits, _ and -");
        }
        self.refuse_strangers(&mut wrong);
        let target = match self.kind {
            AlertTargetKind::Telegram => self.telegram(&mut wrong),
            AlertTargetKind::Webhook => self.webhook(&mut wrong),
            AlertTargetKind::Email => self.email(&mut wrong),
        };
        match target {
            Some(target) if wrong.is_empty() => Ok(target),
            _ => Err(wrong),
        }
    }

    /// Refuses the fields of other kinds.
    fn refuse_strangers(&self, wrong: &mut Vec<WrongField>) {
        use AlertTargetKind::{Email, Telegram, Webhook};
        let given = [
            ("chat", self.chat.is_some(), Telegram),
            ("account", self.account.is_some(), Telegram),
            ("url", self.url.is_some(), Webhook),
            ("secret", self.secret.is_some(), Webhook),
            ("smtp", self.smtp.is_some(), Email),
            ("from", self.from.is_some(), Email),
            ("to", !self.to.is_empty(), Email),
        ];
        for (field, _, owner) in
            given.into_iter().filter(|(_, is_there, owner)| *is_there && *owner != self.kind)
        {
            let (owner, kind) = (owner.as_str(), self.kind.as_str());
            refuse(
                wrong,
                field,
                &format!("belongs to targets of kind {owner}; this one is {kind}, take it out"),
            );
        }
    }

    fn telegram(&self, wrong: &mut Vec<WrongField>) -> Option<AlertTarget> {
        let chat =
            self.chat.as_ref().map(|chat| ChatRef::named(chat).map_err(|error| format!("is wrong: {error}")));
        let missing = "is missing: write the id of a chat or a username, such as \"@demo_main\"";
        let chat = needed(wrong, "chat", chat, missing);
        let account = self.account.as_deref().map(str::parse::<AccountName>).transpose();
        let account =
            account.map_err(|error| refuse(wrong, "account", &format!("is wrong: {error}"))).ok()?;
        Some(AlertTarget::Telegram { chat: chat?, account })
    }

    fn webhook(&self, wrong: &mut Vec<WrongField>) -> Option<AlertTarget> {
        let url = self.url.as_ref().map(|url| {
            let message = "is no address: write one like https://example.com/hook";
            http_url(url.expose_secret()).then(|| url.clone()).ok_or(message.to_owned())
        });
        let url = needed(wrong, "url", url, "is missing: write an address like https://example.com/hook");
        let secret = self.secret.as_ref().map(|text| WebhookSecret::read(text.expose_secret())).transpose();
        let secret = secret.map_err(|message| refuse(wrong, "secret", message)).ok()?;
        Some(AlertTarget::Webhook { url: url?, secret })
    }

    fn email(&self, wrong: &mut Vec<WrongField>) -> Option<AlertTarget> {
        let smtp = self
            .smtp
            .as_ref()
            .map(|text| text.expose_secret().parse::<SmtpAddress>().map_err(|why| why.to_string()));
        let smtp = needed(wrong, "smtp", smtp, "is missing: write smtps://USER:PASSWORD@HOST");
        let from = self.from.as_ref().map(|from| {
            let message = "is no address of a mailbox: write one like alerts@example.com";
            mailbox(from).then(|| from.clone()).ok_or(message.to_owned())
        });
        let from = needed(wrong, "from", from, "is missing: write the sender, such as alerts@example.com");
        if self.to.is_empty() || self.to.len() > MOST_MAILBOXES {
            let message = format!("must be a list of 1 to {MOST_MAILBOXES} mailboxes");
            refuse(wrong, "to", &message);
        }
        for _ in self.to.iter().filter(|to| !mailbox(to)) {
            refuse(
                wrong,
                "to",
                "has an entry that is no address of a mailbox: write one like owner@example.com",
            );
        }
        Some(AlertTarget::Email { smtp: smtp?, from: from?, to: self.to.clone() })
    }
}

/// A field that the target cannot do without; noted as wrong where it is or is missing.
fn needed<T>(
    wrong: &mut Vec<WrongField>,
    field: &'static str,
    given: Option<Result<T, String>>,
    missing: &str,
) -> Option<T> {
    given.unwrap_or_else(|| Err(missing.to_owned())).map_err(|message| refuse(wrong, field, &message)).ok()
}

fn refuse(wrong: &mut Vec<WrongField>, field: &'static str, message: &str) {
    wrong.push(WrongField { field, message: message.to_owned() });
}

/// Whether a text can name a target.
pub(crate) fn target_name(text: &str) -> bool {
    text.parse::<AccountName>().is_ok()
}

/// Whether a text is the address of a mailbox; what the server thinks of it is found out by writing there.
pub(crate) fn mailbox(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\\\"@".contains(c);
    !local.is_empty()
        && text.len() <= 254
        && local.chars().all(plain)
        && !domain.is_empty()
        && domain.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '.')
}

/// The key that a webhook's posts are signed with.
#[derive(Debug, Clone)]
pub struct WebhookSecret(SecretString);

/// Whether a text is the secret of a webhook.
pub(crate) fn webhook_secret(text: &str) -> bool {
    WebhookSecret::read(text).is_ok()
}

impl WebhookSecret {
    /// The key as it was given: after `whsec_` in base64, else the text itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(crate) fn read(text: &str) -> Result<Self, &'static str> {
        let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        match text.strip_prefix("whsec_") {
            Some(key) if key.len() < SHORTEST_SECRET || key.len() % 4 != 0 || !key.chars().all(base64) => {
                Err("is wrong: after whsec_ comes a key in base64")
            }
            None if text.len() < SHORTEST_SECRET || !one_word(text) => {
                Err("is wrong: write whsec_ and a key in base64, or one word of 16 characters or more")
            }
            _ => Ok(Self(text.into())),
        }
    }
}

/// How mail is brought to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the first byte.
    Tls,
    /// TLS after STARTTLS; without it nothing is sent.
    StartTls,
    /// None: only within this machine.
    Plain,
}

/// The server that takes mail. It holds a password, so only its host and port are ever printed.
#[derive(Clone)]
pub struct SmtpAddress {
    /// How it is spoken to.
    pub security: SmtpSecurity,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who we are there: a name and a password.
    pub login: Option<(String, SecretString)>,
}

/// A text that is no address of a mail server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be smtps://USER:PASSWORD@HOST[:465] or smtp://USER:PASSWORD@HOST[:587] (STARTTLS), special characters \
     as %XX; smtp+plain://HOST:PORT is for a server on this machine, without a password"
)]
pub struct InvalidSmtp;

impl FromStr for SmtpAddress {
    type Err = InvalidSmtp;

    fn from_str(text: &str) -> Result<Self, InvalidSmtp> {
        let (scheme, rest) = text.split_once("://").ok_or(InvalidSmtp)?;
        let (security, usual) = match scheme {
            "smtps" => (SmtpSecurity::Tls, 465),
            "smtp" => (SmtpSecurity::StartTls, 587),
            "smtp+plain" => (SmtpSecurity::Plain, 25),
            _ => return Err(InvalidSmtp),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(|c: char| c.is_whitespace() || c.is_control() || "/?#".contains(c)) {
            return Err(InvalidSmtp);
        }
        let (login, server) = match rest.rsplit_once('@') {
            Some((login, server)) => (Some(read_login(login)?), server),
            None => (None, rest),
        };
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| InvalidSmtp)?),
            _ => (server, usual),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let near = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let safe = security != SmtpSecurity::Plain || (near && login.is_none());
        let named = !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || "-.:".contains(c));
        if named && port > 0 && safe {
            Ok(Self { security, host: host.to_owned(), port, login })
        } else {
            Err(InvalidSmtp)
        }
    }
}

fn read_login(text: &str) -> Result<(String, SecretString), InvalidSmtp> {
    let (user, password) = text.split_once(':').ok_or(InvalidSmtp)?;
    let decode = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
    let (user, password) =
        (decode(user).map_err(|_| InvalidSmtp)?, decode(password).map_err(|_| InvalidSmtp)?);
    if user.is_empty() || password.is_empty() { Err(InvalidSmtp) } else { Ok((user, password.into())) }
}

impl fmt::Display for SmtpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for SmtpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(kind: AlertTargetKind) -> AlertTargetFields {
        AlertTargetFields {
            name: "owner".into(),
            kind,
            chat: None,
            account: None,
            url: None,
            secret: None,
            smtp: None,
            from: None,
            to: Vec::new(),
        }
    }

    fn wrong(fields: &AlertTargetFields) -> Vec<&'static str> {
        fields.check().expect_err("wrong").into_iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn each_kind_needs_its_own_fields_and_no_others() {
        let chat = AlertTargetFields { chat: Some("@demo_main".into()), ..fields(AlertTargetKind::Telegram) };
        assert!(matches!(chat.check(), Ok(AlertTarget::Telegram { account: None, .. })));
        assert_eq!(wrong(&fields(AlertTargetKind::Telegram)), ["chat"]);
        assert_eq!(
            wrong(&AlertTargetFields { url: Some("https://example.com".into()), ..chat.clone() }),
            ["url"]
        );
        assert_eq!(wrong(&AlertTargetFields { account: Some("A b".into()), ..chat.clone() }), ["account"]);
        assert_eq!(wrong(&AlertTargetFields { name: "Über uns".into(), ..chat }), ["name"]);

        let hook = AlertTargetFields {
            url: Some("https://example.com/x".into()),
            ..fields(AlertTargetKind::Webhook)
        };
        assert!(matches!(hook.check(), Ok(AlertTarget::Webhook { secret: None, .. })));
        let signed = |secret: &str| AlertTargetFields { secret: Some(secret.into()), ..hook.clone() };
        assert!(signed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").check().is_ok());
        assert!(signed("sixteen-letters!").check().is_ok());
        for bad in ["short", "whsec_not base64 at all", "whsec_short", "two words of some length"] {
            assert_eq!(wrong(&signed(bad)), ["secret"], "{bad}");
        }
        assert_eq!(
            wrong(&AlertTargetFields { url: Some("ftp://example.com".into()), ..hook.clone() }),
            ["url"]
        );

        let mail = AlertTargetFields {
            smtp: Some("smtps://demo:word@mail.example.com".into()),
            from: Some("alerts@example.com".into()),
            to: vec!["owner@example.com".into()],
            ..fields(AlertTargetKind::Email)
        };
        assert!(matches!(mail.check(), Ok(AlertTarget::Email { .. })));
        assert_eq!(wrong(&fields(AlertTargetKind::Email)), ["smtp", "from", "to"]);
        assert_eq!(wrong(&AlertTargetFields { to: vec!["a b@example.com".into()], ..mail }), ["to"]);
    }

    #[test]
    fn addresses_of_mail_servers_are_checked() {
        let read = |text: &str| text.parse::<SmtpAddress>();
        let full = read("smtps://demo%40example.com:wo%3Ard@mail.example.com").unwrap();
        assert_eq!((full.security, full.port), (SmtpSecurity::Tls, 465));
        let (user, password) = full.login.clone().unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("demo@example.com", "wo:rd"));
        assert_eq!(format!("{full:?} {full}"), "SmtpAddress(mail.example.com:465) mail.example.com:465");
        assert_eq!(read("smtp://mail.example.com").unwrap().port, 587);
        assert_eq!(read("smtp://[::1]:2525").unwrap().host, "::1");
        assert_eq!(read("smtp+plain://127.0.0.1:2525").unwrap().security, SmtpSecurity::Plain);
        for text in [
            "",
            "mail.example.com",
            "https://mail.example.com",
            "smtps://",
            "smtps://demo@mail.example.com",
            "smtps://mail.example.com:0",
            "smtps://mail.example.com/path",
            "smtp+plain://mail.example.com:25",
            "smtp+plain://demo:word@127.0.0.1:25",
        ] {
            assert_eq!(read(text).unwrap_err(), InvalidSmtp, "{text}");
        }
    }

    #[test]
    fn printing_a_target_shows_no_secret() {
        let target = AlertTargetFields {
            url: Some("https://example.com/planted-in-url".into()),
            secret: Some("planted-in-secret".into()),
            ..fields(AlertTargetKind::Webhook)
        };
        let printed =
            format!("{target:?} {:?} {}", target.check().unwrap(), toml::to_string(&target).unwrap());
        assert!(!printed.contains("planted"), "{printed}");
    }
}
