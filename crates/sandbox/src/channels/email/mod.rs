//! A pretend mail server with one mailbox: it takes mails over SMTP, shows those of customers over IMAP, and brings back what
//! does not arrive.

mod ports;
mod search;
mod talk;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use mail_parser::{MessageParser, MimeHeaders};
use md5::{Digest, Md5};

use super::fake::{ChannelEffect, CustomerAction, CustomerDeed, CustomerDone, Fake, Outside};
use super::request::{Reply, Request};
use writing::Mail;

pub(crate) use ports::{MailPorts, serve_imap, serve_smtp};

/// The account.
const ACCOUNT: &str = "mail";
/// Its address.
const ADDRESS: &str = "shop@example.com";
const USER: &str = "shop";
const PASSWORD: &str = "pretend-mail-password";
/// The greatest mail that is taken.
const LARGEST: usize = 25 * 1024 * 1024;
/// The longest line of a mail (RFC 5322).
const LONGEST_LINE: usize = 998;
/// The most mails of the mailbox.
const MOST: usize = 10_000;
/// The most mails that are known as sent.
const MOST_SENT: usize = 10_000;

/// The mail server.
pub(super) struct Email {
    ports: MailPorts,
    inbox: Folder,
    /// What the owner sent with a mail program.
    outbox: Folder,
    made: u64,
    /// What the product sent.
    sent: Vec<Sent>,
    /// The last mail of each customer's thread.
    threads: BTreeMap<String, Last>,
    blocked: BTreeSet<String>,
    greylisted: BTreeSet<String>,
    /// The password is refused once.
    refuses: bool,
}

/// A folder of the mailbox.
struct Folder {
    letters: Vec<Letter>,
    validity: u32,
    next: u32,
}

/// A mail in a folder.
struct Letter {
    uid: u32,
    raw: Vec<u8>,
    at: Timestamp,
    seen: bool,
    /// The size that is announced, where it is another one.
    size: Option<usize>,
}

/// A mail of the product.
#[derive(Clone)]
struct Sent {
    id: String,
    to: String,
}

/// The end of a thread.
#[derive(Clone)]
struct Last {
    chat: String,
    subject: String,
    ids: Vec<String>,
}

impl Email {
    pub(super) const fn new(ports: MailPorts) -> Self {
        Self {
            ports,
            inbox: Folder { letters: Vec::new(), validity: 1_700_000_000, next: 1 },
            outbox: Folder { letters: Vec::new(), validity: 1_600_000_000, next: 1 },
            made: 0,
            sent: Vec::new(),
            threads: BTreeMap::new(),
            blocked: BTreeSet::new(),
            greylisted: BTreeSet::new(),
            refuses: false,
        }
    }

    fn signs_in(&mut self, request: &Request) -> bool {
        let is_right = request.header("user") == Some(USER) && request.header("password") == Some(PASSWORD);
        is_right && !std::mem::take(&mut self.refuses)
    }

    /// Whether a mail may go to this address, as a step of SMTP answers.
    fn receiver(&mut self, to: &str) -> Reply {
        let to = to.to_lowercase();
        let local = to.split('@').next().unwrap_or_default();
        if !to.contains('@') {
            return Reply::text(501, "5.1.3 no address");
        }
        if self.blocked.contains(&to) {
            return Reply::text(550, "5.7.1 the receiver takes no mail from you");
        }
        match local {
            "unknown" => Reply::text(550, "5.1.1 no such mailbox"),
            "full" => Reply::text(552, "5.2.2 the mailbox is full"),
            "greylist" if self.greylisted.insert(to.clone()) => {
                Reply::text(451, "4.7.1 greylisted, try again later")
            }
            _ => Reply::text(250, "2.1.5 ok"),
        }
    }

    /// Takes a mail.
    fn take(&mut self, to: &str, raw: &[u8], outside: &mut Outside) -> Reply {
        if raw.len() > LARGEST {
            return Reply::text(552, "5.3.4 the mail is too big");
        }
        if raw.split(|one| *one == b'\n').any(|line| line.len() > LONGEST_LINE + 1) {
            return Reply::text(550, "5.6.0 a line is too long");
        }
        let Some(mail) = MessageParser::default().parse(raw) else {
            return Reply::text(550, "5.6.0 this is no mail");
        };
        let from = mail.from().and_then(|from| from.first()).and_then(|from| from.address());
        if from != Some(ADDRESS) || mail.date().is_none() {
            return Reply::text(550, "5.7.1 From and Date are missing or not yours");
        }
        let list = |value: &mail_parser::HeaderValue<'_>| -> Vec<String> {
            match (value.as_text_list(), value.as_text()) {
                (Some(all), _) => all.iter().map(ToString::to_string).collect(),
                (None, Some(one)) => vec![one.to_owned()],
                (None, None) => Vec::new(),
            }
        };
        let Some(id) = mail.message_id().map(str::to_owned) else {
            return Reply::text(550, "5.6.0 Message-ID is missing");
        };
        let to = to.to_lowercase();
        let earlier = list(mail.references());
        let chat = self.chat(&to, earlier.first().map(String::as_str));
        let file = mail.attachments().next();
        let kind = file.and_then(|file| file.content_type()).map(|kind| match kind.ctype() {
            kind @ ("image" | "audio" | "video") => kind.to_owned(),
            _ => "document".to_owned(),
        });
        outside.record(ChannelEffect {
            provider: "email".to_owned(),
            account: ACCOUNT.to_owned(),
            method: "DATA".to_owned(),
            chat_id: chat.clone(),
            text: mail.body_text(0).unwrap_or_default().trim_end().to_owned(),
            external_id: Some(id.clone()),
            reply_to: list(mail.in_reply_to()).pop(),
            media: kind,
            md5: file.is_some().then(|| {
                let all = mail.attachments().map(|file| hex::encode(Md5::digest(file.contents())));
                all.collect::<Vec<_>>().join(",")
            }),
            ..ChannelEffect::default()
        });
        let ids = earlier.into_iter().chain([id.clone()]).collect();
        let subject = mail.subject().unwrap_or_default().to_owned();
        self.threads.insert(to.clone(), Last { chat, subject, ids });
        if self.sent.len() >= MOST_SENT {
            self.sent.remove(0);
        }
        self.sent.push(Sent { id, to });
        Reply::text(250, "2.0.0 taken")
    }

    /// The chat of a thread, as the product names it.
    fn chat(&self, address: &str, root: Option<&str>) -> String {
        match root.filter(|root| !self.sent.iter().any(|sent| sent.id == *root)) {
            Some(root) => format!("{address}#{root}"),
            None => address.to_owned(),
        }
    }

    fn new_id(&mut self, domain: &str) -> String {
        self.made += 1;
        format!("pretend-{}@{domain}", self.made)
    }

    /// A customer writes, or the owner does from a mail program.
    fn write(&mut self, deed: &CustomerDeed, outside: &Outside) -> Result<CustomerDone, String> {
        let address = deed.from.to_lowercase();
        let (local, domain) = address.rsplit_once('@').ok_or("from: it must be an address for email")?;
        if local.is_empty() || domain.is_empty() {
            return Err("from: it must be an address for email".to_owned());
        }
        if deed.extra["renumber"] == true {
            self.inbox.renumber();
        }
        let is_owner = deed.action == CustomerAction::OwnerWrites;
        let begins =
            deed.extra["new_thread"] == true || (deed.subject.is_some() && deed.message_id.is_none());
        let last = self.threads.get(&address).filter(|_| !begins).cloned();
        let id = match deed.extra["id"].as_str() {
            Some(id) => id.to_owned(),
            None => self.new_id(if is_owner { "example.com" } else { domain }),
        };
        let mut earlier = last.as_ref().map(|last| last.ids.clone()).unwrap_or_default();
        earlier.extend(deed.message_id.clone().filter(|id| !earlier.contains(id)));
        let chat = match &last {
            Some(last) => last.chat.clone(),
            None => self.chat(&address, Some(earlier.first().unwrap_or(&id))),
        };
        let subject = match (&last, &deed.subject) {
            (_, Some(subject)) => subject.clone(),
            (Some(last), None) if last.subject.starts_with("Re:") => last.subject.clone(),
            (Some(last), None) => format!("Re: {}", last.subject),
            (None, None) => "A question".to_owned(),
        };
        let name = deed.name.clone().unwrap_or_default();
        let customer = (name.as_str(), address.as_str());
        let (from, to) = if is_owner { (("", ADDRESS), customer) } else { (customer, ("", ADDRESS)) };
        let mail = Mail { from, to, subject: &subject, id: &id, earlier: &earlier, at: outside.now };
        let raw = match deed.extra["raw"].as_str() {
            Some(raw) => raw.replace('\n', "\r\n").into_bytes(),
            None => mail.write(deed),
        };
        let size = deed.extra["size"].as_u64().and_then(|size| usize::try_from(size).ok());
        for _ in 0..deed.times.unwrap_or(1).min(100) {
            let folder = if is_owner { &mut self.outbox } else { &mut self.inbox };
            folder.put(raw.clone(), outside.now, size);
        }
        let ids = earlier.into_iter().chain([id.clone()]).collect();
        self.threads.insert(address, Last { chat: chat.clone(), subject, ids });
        Ok(done(chat, Some(id)))
    }

    /// A mail of the product comes back.
    fn bring_back(&mut self, deed: &CustomerDeed, outside: &Outside) -> Result<CustomerDone, String> {
        let address = deed.from.to_lowercase();
        let is_it = |sent: &&Sent| match &deed.message_id {
            Some(id) => sent.id == *id,
            None => sent.to == address,
        };
        let sent = self.sent.iter().rev().find(is_it).cloned().ok_or("message_id: no such mail was sent")?;
        let id = self.new_id("example.com");
        let raw = writing::report(&sent.id, &sent.to, &id, outside.now);
        self.inbox.put(raw, outside.now, None);
        let chat = self.threads.get(&sent.to).map_or_else(|| sent.to.clone(), |last| last.chat.clone());
        Ok(done(chat, Some(sent.id)))
    }
}

impl Folder {
    fn put(&mut self, raw: Vec<u8>, at: Timestamp, size: Option<usize>) {
        if self.letters.len() >= MOST {
            self.letters.remove(0);
        }
        self.letters.push(Letter { uid: self.next, raw, at, seen: false, size });
        self.next += 1;
    }

    /// The mailbox gets another number, and so do all mails.
    fn renumber(&mut self) {
        self.validity += 1;
        self.next = 1;
        for letter in &mut self.letters {
            letter.uid = self.next;
            self.next += 1;
        }
    }
}

fn done(chat_id: String, message_id: Option<String>) -> CustomerDone {
    CustomerDone { channel: "email".to_owned(), account: ACCOUNT.to_owned(), chat_id, message_id }
}

impl Fake for Email {
    /// Each step of SMTP and each command of IMAP is a call: `SMTP /smtp/rcpt`, `IMAP /imap/uid fetch`.
    fn answer(&mut self, request: &Request, outside: &mut Outside) -> Option<Reply> {
        match (request.method.as_str(), request.path.as_str()) {
            ("SMTP", "/smtp/auth") if self.signs_in(request) => Some(Reply::text(235, "2.7.0 signed in")),
            ("SMTP", "/smtp/auth") => Some(Reply::text(535, "5.7.8 wrong name or password")),
            ("SMTP", "/smtp/mail") => Some(match request.header("from") {
                Some(ADDRESS) => Reply::text(250, "2.1.0 ok"),
                _ => Reply::text(553, "5.7.1 the sender is not yours"),
            }),
            ("SMTP", "/smtp/rcpt") => Some(self.receiver(request.header("to").unwrap_or_default())),
            ("SMTP", "/smtp/data") => {
                Some(self.take(request.header("to").unwrap_or_default(), &request.body, outside))
            }
            ("IMAP", path) => {
                let reply = self.command(path.trim_start_matches("/imap/"), request);
                if path == "/imap/uid store" && reply.status == 200 {
                    let (provider, account) = ("email".to_owned(), ACCOUNT.to_owned());
                    let method = "STORE".to_owned();
                    outside.record(ChannelEffect { provider, account, method, ..ChannelEffect::default() });
                }
                Some(reply)
            }
            _ => None,
        }
    }

    fn customer(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String> {
        let address = deed.from.to_lowercase();
        match deed.action {
            CustomerAction::Write | CustomerAction::OwnerWrites => self.write(deed, outside),
            CustomerAction::Undeliver => self.bring_back(deed, outside),
            CustomerAction::Block => {
                self.blocked.insert(address.clone());
                Ok(done(address, None))
            }
            CustomerAction::Unblock => {
                self.blocked.remove(&address);
                Ok(done(address, None))
            }
            CustomerAction::Edit
            | CustomerAction::Delete
            | CustomerAction::Read
            | CustomerAction::Deliver
            | CustomerAction::React
            | CustomerAction::Press => Err("action: mails have no such thing".to_owned()),
        }
    }

    fn too_many(&self, _: u64) -> Reply {
        Reply::text(421, "4.7.0 too many, try again later")
    }

    fn expire_tokens(&mut self) {
        self.refuses = true;
    }

    fn settings(&self) -> Vec<toml::Table> {
        let MailPorts { smtp, imap } = self.ports;
        let entry = [
            ("name", ACCOUNT.to_owned()),
            ("channel", "email".to_owned()),
            ("address", ADDRESS.to_owned()),
            ("smtp", format!("smtp://{USER}:{PASSWORD}@{smtp}")),
            ("imap", format!("imap://{USER}:{PASSWORD}@{imap}")),
            ("authserv_id", writing::SERVER.to_owned()),
        ];
        vec![entry.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()]
    }

    fn accounts(&self) -> Vec<String> {
        vec![ACCOUNT.to_owned()]
    }
}
