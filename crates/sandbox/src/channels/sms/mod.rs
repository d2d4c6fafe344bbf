//! Pretend gateways for short messages: one account at each, and phones.

mod smpp;
mod sms_ru;
mod smsc;
mod twilio;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use domain::Timestamp;
use serde_json::json;

use super::fake::{ChannelEffect, CustomerAction, CustomerDeed, CustomerDone, Fake, HookOrder, Outside};
use super::request::{Reply, Request};

pub(crate) use smpp::serve_smpp;

const CHANNEL: &str = "sms";
/// What messages of smsc.ru and SMS.ru may come from.
const NAME: &str = "DEMO";
/// Our number.
const NUMBER: &str = "+70000000009";

/// The accounts, each at a gateway of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gateway {
    Smsc,
    SmsRu,
    Twilio,
    Smpp,
}

const GATEWAYS: [Gateway; 4] = [Gateway::Smsc, Gateway::SmsRu, Gateway::Twilio, Gateway::Smpp];

impl Gateway {
    const fn account(self) -> &'static str {
        match self {
            Self::Smsc => "texts",
            Self::SmsRu => "texts_ru",
            Self::Twilio => "texts_twilio",
            Self::Smpp => "texts_smpp",
        }
    }
}

pub(super) struct Sms {
    /// Where the message centre listens.
    port: SocketAddr,
    centre: smpp::Centre,
    hooks: BTreeMap<Gateway, String>,
    sent: Vec<Sent>,
    /// Phones that take no messages of an account.
    closed: BTreeSet<(Gateway, String)>,
    have_credentials_ended: bool,
    /// How many ids were made.
    made: u64,
}

/// A message of ours.
struct Sent {
    gateway: Gateway,
    /// The gateway's id.
    id: String,
    /// Digits.
    phone: String,
    text: String,
    at: Timestamp,
    /// Where its states are posted, if not at the address of the account.
    callback: Option<String>,
}

impl Sms {
    pub(super) fn new(port: SocketAddr) -> Self {
        Self {
            port,
            centre: smpp::Centre::default(),
            hooks: BTreeMap::new(),
            sent: Vec::new(),
            closed: BTreeSet::new(),
            have_credentials_ended: false,
            made: 0,
        }
    }

    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn is_closed(&self, gateway: Gateway, phone: &str) -> bool {
        self.closed.contains(&(gateway, phone.to_owned()))
    }

    /// Takes a message of ours.
    fn take(&mut self, sent: Sent, effect: ChannelEffect, outside: &mut Outside) {
        outside.record(ChannelEffect {
            provider: CHANNEL.to_owned(),
            account: sent.gateway.account().to_owned(),
            chat_id: format!("+{}", sent.phone),
            text: sent.text.clone(),
            ..effect
        });
        self.sent.push(sent);
    }

    /// The message of ours that a deed is about.
    fn meant(&self, gateway: Gateway, phone: &str, deed: &CustomerDeed) -> Result<usize, String> {
        let is_meant = |sent: &&Sent| {
            let is_of = sent.gateway == gateway && (phone.is_empty() || sent.phone == phone);
            // What the product keeps may have the phone after the id.
            is_of
                && deed
                    .message_id
                    .as_ref()
                    .is_none_or(|id| id.split('-').next() == Some(&sent.id) || *id == sent.id)
        };
        let place = self.sent.iter().rposition(|sent| is_meant(&sent));
        place.ok_or_else(|| "message_id: there is no such message".to_owned())
    }
}

/// The digits of a number, if it is one.
fn digits(text: &str) -> Option<String> {
    let digits = text.trim().trim_start_matches('+');
    let is_number = (5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.to_owned())
}

impl Fake for Sms {
    fn answer(&mut self, request: &Request, outside: &mut Outside) -> Option<Reply> {
        let path = request.path.as_str();
        if let Some(step) = path.strip_prefix("/smpp/").filter(|_| request.method == "SMPP") {
            return Some(self.smpp(step, request, outside));
        }
        if let Some(call) = path.strip_prefix("/sys/") {
            return Some(self.smsc(call, request, outside));
        }
        if let Some(rest) = path.strip_prefix("/2010-04-01/Accounts/") {
            return Some(self.twilio(rest, request, outside));
        }
        matches!(path, "/sms/send" | "/auth/check" | "/my/balance").then(|| self.sms_ru(request, outside))
    }

    fn fetches(&self, request: &Request) -> Option<String> {
        request.form().remove("MediaUrl")
    }

    fn type_hook(&mut self, order: &HookOrder, _outside: &mut Outside) -> Result<(), String> {
        let gateway = GATEWAYS.into_iter().find(|gateway| gateway.account() == order.account);
        let gateway = gateway.ok_or("account: there is none of that name")?;
        if gateway == Gateway::Smpp {
            return Err("account: a message centre posts nothing, it delivers over its connection".to_owned());
        }
        self.hooks.insert(gateway, order.url.clone());
        Ok(())
    }

    fn typed_hook(&self, account: &str) -> Option<String> {
        self.hooks.iter().find(|(gateway, _)| gateway.account() == account).map(|(_, url)| url.clone())
    }

    fn customer(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        let account = deed.account.clone().unwrap_or_default();
        let gateway = GATEWAYS.into_iter().find(|gateway| gateway.account() == account);
        let gateway = gateway.ok_or("account: there is none of that name")?;
        let phone = if deed.from.is_empty() {
            "70000000001".to_owned()
        } else {
            digits(&deed.from).ok_or("from: it is no number of a phone")?
        };
        let message_id = match deed.action {
            CustomerAction::Write => match gateway {
                Gateway::Smsc => Some(self.smsc_incoming(&phone, deed, outside)),
                Gateway::Twilio => Some(self.twilio_incoming(&phone, deed, outside)),
                Gateway::Smpp => {
                    self.smpp_incoming(&phone, deed, outside);
                    // A centre gives what it delivers no id.
                    None
                }
                Gateway::SmsRu => return Err("account: SMS.ru posts no messages that come in".to_owned()),
            },
            CustomerAction::Deliver | CustomerAction::Undeliver => {
                let is_delivered = deed.action == CustomerAction::Deliver;
                let place = self.meant(gateway, &phone, deed)?;
                let sent = &self.sent[place];
                let id = sent.id.clone();
                match gateway {
                    Gateway::Smsc => self.smsc_status(sent, is_delivered, deed, outside),
                    Gateway::SmsRu => self.sms_ru_status(sent, is_delivered, deed, outside),
                    Gateway::Twilio => Self::twilio_status(sent, is_delivered, deed, outside),
                    Gateway::Smpp => self.smpp_status(place, is_delivered, deed, outside),
                }
                Some(id)
            }
            CustomerAction::Block | CustomerAction::Unblock => {
                let is_closed = deed.action == CustomerAction::Block;
                if is_closed {
                    self.closed.insert((gateway, phone.clone()));
                } else {
                    self.closed.remove(&(gateway, phone.clone()));
                }
                let word = if is_closed { "STOP" } else { "START" };
                let deed = CustomerDeed { text: Some(word.to_owned()), ..deed.clone() };
                (gateway == Gateway::Twilio).then(|| self.twilio_incoming(&phone, &deed, outside))
            }
            _ => return Err("action: short messages have no such thing".to_owned()),
        };
        Ok(CustomerDone { channel: CHANNEL.to_owned(), account, chat_id: format!("+{phone}"), message_id })
    }

    fn too_many(&self, seconds: u64) -> Reply {
        let body = json!({"code": 20_429, "message": "Too Many Requests", "status": 429});
        let mut reply = Reply::json(429, &body);
        reply.headers.push(("retry-after", seconds.to_string()));
        reply
    }

    fn expire_tokens(&mut self) {
        self.have_credentials_ended = true;
    }

    fn settings(&self) -> Vec<toml::Table> {
        let address = format!("smpp://{}:{}@{}", smpp::SYSTEM_ID, smpp::PASSWORD, self.port);
        let gateways = [
            toml::toml! { gateway = "smsc" login = "demo" token = "planted-password" client_secret = "planted-signing" sender = NAME },
            toml::toml! { gateway = "sms_ru" token = "planted-api-id" sender = NAME },
            toml::toml! { gateway = "twilio" login = "ACplanted" token = "planted-auth-token" sender = NUMBER },
            toml::toml! { gateway = "smpp" smpp = address sender = NUMBER },
        ];
        GATEWAYS
            .into_iter()
            .zip(gateways)
            .map(|(gateway, more)| {
                let account = gateway.account();
                let mut table = toml::toml! { name = account channel = CHANNEL };
                table.extend(more);
                table
            })
            .collect()
    }

    fn accounts(&self) -> Vec<String> {
        GATEWAYS.map(|gateway| gateway.account().to_owned()).to_vec()
    }
}
