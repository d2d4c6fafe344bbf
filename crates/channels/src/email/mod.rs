//! A mailbox: mails go out over SMTP and come in over IMAP.
//!
//! Every mail gets its Message-ID before the first attempt and keeps it in each further one. A mail server takes the same mail
//! twice all the same. An attempt without an answer stays in doubt, until its mail is seen among those that were sent: some servers
//! keep them there, so that its absence proves nothing.

mod authentication;
mod automatic;
mod compose;
mod decoding;
mod inbound;
mod mailbox;
mod plain;
mod smtp;
mod thread;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ambient::lock::Mutex;
use delivery::{Action, Album, Capabilities, Dedup, MediaKind, MessageLookup};
use domain::outcome::SentIds;
use domain::secret::ExposeSecret;
use domain::text::{ParseMode, TextLimit, Unit};
use domain::{ContactProof, ExternalChat, InboundEvent, InboundMedia, Outcome, Timestamp};
use futures::future::{BoxFuture, FutureExt};
use lettre::message::Mailbox as Writer;
use mail_parser::MessageParser;

use self::inbound::{Found, MailLocation, Own};
use self::mailbox::{LARGEST, Mailbox, quoted};
use self::thread::{ChatParts, OwnIds, Threads, bare};
use crate::error::CallError;
use crate::http::NoClient;
use crate::nature::{self, Nature, Posts};
use crate::provider::{
    Deed, Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Polled, Provider,
};
use crate::server::Server;
use crate::setup::{Setup, SetupError};
use crate::stored_values::StoredValues;
use crate::wire::Dial;

/// What is known of threads, among the kept values.
const THREADS: &str = "threads";
/// The ids of the last mails, among the kept values.
const IDS: &str = "mail_ids";
/// The most mails that a poll brings.
const PAGE: usize = 20;
/// How long a poll waits for a mail.
const WAIT: Duration = Duration::from_secs(30);
/// How many days back is looked once the mailbox has other numbers. What was brought before is known by its Message-ID.
const DAYS_AGAIN: u64 = 7;
/// The longest text, in characters.
const TEXT: TextLimit = TextLimit::new(50_000, Unit::Characters);

/// A mailbox.
struct Email {
    dial: Dial,
    smtp: Server,
    imap: Server,
    folder: String,
    sender: compose::Sender,
    own: Own,
    stored: StoredValues,
    threads: Mutex<Threads>,
    /// The connection of the last poll.
    open: Mutex<Option<Mailbox>>,
}

/// What its owner does at the provider, step by step, in English and in Russian.
const STEPS: &[[&str; 2]] = &[
    [
        "At the provider of the mailbox allow IMAP and SMTP, and make a password for programs.",
        "У почтового сервиса разрешите IMAP и SMTP и создайте пароль для внешних приложений.",
    ],
    [
        "Write both servers with that password as smtp and imap.",
        "Укажите оба сервера с этим паролем в smtp и imap.",
    ],
    [
        "Write the name that the receiving server has in Authentication-Results as authserv_id; without it no sender is proved.",
        "Укажите в authserv_id имя принимающего сервера из заголовка Authentication-Results; без него отправители не подтверждаются.",
    ],
];

/// What is true of all its accounts.
pub(crate) const NATURE: Nature = Nature {
    steps: STEPS,
    chat_type: nature::of_one,
    posts: Posts::Never,
    sender_proof: ContactProof::Mail,
    ..Nature::PLAIN
};

/// An account of it.
///
/// # Errors
/// A key is missing or wrong.
pub(crate) fn make(setup: &Setup) -> Result<Arc<dyn Provider>, SetupError> {
    let fields = &setup.fields;
    let wrong = |field: &'static str, message: &str| SetupError::Field { field, message: message.to_owned() };
    let smtp = setup.needed("smtp", &fields.smtp)?;
    let smtp = Server::smtp(smtp.expose_secret()).map_err(|message| wrong("smtp", message))?;
    let imap = setup.needed("imap", &fields.imap)?;
    let imap = Server::imap(imap.expose_secret()).map_err(|message| wrong("imap", message))?;
    let writer = |field: &'static str, text: &str| {
        Writer::from_str(text)
            .map_err(|_| wrong(field, "must be an address for email, such as shop@example.com"))
    };
    let address = setup.needed("address", &fields.address)?;
    let from = writer("address", &address)?;
    let reply_to = fields.reply_to.as_ref().map(|text| writer("reply_to", text)).transpose()?;
    let ca = fields.ca_file.as_ref().map(std::fs::read).transpose();
    let ca = ca.map_err(|error| NoClient::Certificate(error.to_string()))?;
    let dial = Dial::new(setup.clock.clone(), fields, ca, &[&smtp, &imap])?;
    let login = imap.login.as_ref().map(|(user, _)| user.clone());
    let addresses = [Some(from.email.to_string()), reply_to.as_ref().map(|it| it.email.to_string()), login];
    let own = Own {
        addresses: addresses.into_iter().flatten().filter_map(|address| inbound::sound(&address)).collect(),
        ids: OwnIds { domain: from.email.domain().to_lowercase() },
        authserv_id: fields.authserv_id.clone(),
    };
    let kept = |name: &str| setup.kept.text(name).unwrap_or_default();
    let threads = Threads::read(&kept(THREADS)).with_ids(&kept(IDS));
    Ok(Arc::new(Email {
        dial,
        smtp,
        imap,
        folder: fields.folder.clone().unwrap_or_else(|| "INBOX".to_owned()),
        sender: compose::Sender { from, reply_to },
        own,
        stored: setup.kept.clone(),
        threads: Mutex::new(threads),
        open: Mutex::new(None),
    }))
}

/// How far the mailbox was read: up to a mail of the folder, and to one of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    folder: MailLocation,
    sent: Option<MailLocation>,
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let (folder, sent) = text.split_once(' ').unwrap_or((text, ""));
        Some(Self { folder: MailLocation::read(folder)?, sent: MailLocation::read(sent) })
    }

    fn write(self) -> String {
        let sent = self.sent.map(|sent| format!(" {sent}"));
        format!("{}{}", self.folder, sent.unwrap_or_default())
    }
}

impl Provider for Email {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TEXT,
            caption: Some(TEXT),
            sends: true,
            reply: true,
            album: Album { mixed: true, bytes: Some(compose::LARGEST_FILE), ..Album::of_one_kind(20) },
            parse_modes: &[ParseMode::Html, ParseMode::Markdown],
            media: &[
                MediaKind::Photo,
                MediaKind::Video,
                MediaKind::Animation,
                MediaKind::Voice,
                MediaKind::Audio,
                MediaKind::Document,
            ],
            actions: &[Action::MarkRead],
            states: &[],
            dedup: Dedup::None,
        }
    }

    fn receives(&self) -> &'static [Incoming] {
        &[
            Incoming::Poll,
            Incoming::Text,
            Incoming::Image,
            Incoming::Audio,
            Incoming::Video,
            Incoming::Document,
            Incoming::Reply,
            Incoming::Owner,
            Incoming::Undelivered,
        ]
    }

    fn first_chat(&self, who: &str) -> Result<crate::FirstChat, crate::NoFirstChat> {
        const WRONG: crate::NoFirstChat =
            crate::NoFirstChat::Wrong("no address of email; write it as anna@example.com");
        let address = who.trim().to_lowercase();
        let is_address = address.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty() && domain.contains('.') && !address.contains([' ', '#', '<', '>', ','])
        });
        let chat = ExternalChat::new(&address).filter(|_| is_address).ok_or(WRONG)?;
        Ok(crate::FirstChat { chat, phone: None, email: Some(address) })
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::from_secs(1), chat: Duration::from_secs(1), burst: 5 }
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        async move {
            match self.sent(outgoing).await {
                Ok(id) => Outcome::Sent(SentIds::one(Some(id.as_str()))),
                Err(outcome) => outcome,
            }
        }
        .boxed()
    }

    fn find<'a>(&'a self, outgoing: &'a Outgoing, _since: Timestamp) -> BoxFuture<'a, MessageLookup> {
        async move {
            match self.sent_copy(outgoing).await {
                Ok(Some(id)) => MessageLookup::Here(SentIds::one(Some(id.as_str()))),
                Ok(None) | Err(_) => MessageLookup::CannotTell,
            }
        }
        .boxed()
    }

    fn act<'a>(&'a self, chat: &'a ExternalChat, deed: &'a Deed) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            match deed {
                Deed::MarkRead { external_id } => self.mark_read(chat, external_id.as_deref()).await,
                _ => Err(CallError::refused("not_supported", "a mail that was sent cannot be changed")),
            }
        }
        .boxed()
    }

    fn hook(&self, _: &HookPost) -> Result<Hook, HookRefusal> {
        Err(HookRefusal::Unreadable("mails are read from the mailbox, nothing posts them".to_owned()))
    }

    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> Option<BoxFuture<'a, Result<Polled, CallError>>> {
        Some(self.polled(cursor).boxed())
    }

    fn fetch<'a>(&'a self, media: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        self.fetched(media, most).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        async move {
            self.mailbox().await?.close().await;
            smtp::check(&self.dial, &self.smtp, &self.sender.from.email).await?;
            let address = self.sender.from.email.to_string();
            Ok(Identity { name: address.clone(), id: address, ..Identity::default() })
        }
        .boxed()
    }
}

impl Email {
    async fn mailbox(&self) -> Result<Mailbox, CallError> {
        Mailbox::open(&self.dial, &self.imap, &self.folder).await
    }

    async fn sent(&self, outgoing: &Outgoing) -> Result<String, Outcome> {
        let now = self.dial.clock.now();
        let id = self.own.ids.make(outgoing.key, &outgoing.chat);
        let thread = self.threads.lock().of(&outgoing.chat).cloned();
        let mail = compose::write(outgoing, &self.sender, &id, thread.as_ref(), now).await?;
        let address = ChatParts::of(&outgoing.chat).address;
        let to =
            address.parse().map_err(|_| Outcome::NotFound(format!("{address:?} is no address for email")))?;
        let ends = (&self.sender.from.email, &to);
        let delivered = smtp::deliver(&self.dial, &self.smtp, ends, &mail.formatted()).await;
        delivered.map_err(|error| error.outcome(self.dial.clock.now()))?;
        Ok(id)
    }

    /// The id of a mail of ours, if the server keeps it among those that were sent. Not every server keeps what it takes.
    async fn sent_copy(&self, outgoing: &Outgoing) -> Result<Option<String>, CallError> {
        let id = self.own.ids.make(outgoing.key, &outgoing.chat);
        let mut mailbox = self.mailbox().await?;
        let (Some(name), Some(wanted)) = (mailbox.sent.clone(), quoted(&id)) else { return Ok(None) };
        mailbox.select(&name).await?;
        let found = mailbox.search(&format!("HEADER MESSAGE-ID {wanted}")).await?;
        mailbox.close().await;
        Ok(Some(id).filter(|_| !found.is_empty()))
    }

    async fn polled(&self, cursor: Option<&str>) -> Result<Polled, CallError> {
        let mut kept = self.open.lock().take().filter(|_| cursor.is_some());
        if let Some(open) = &mut kept
            && !open.is_alive().await
        {
            kept = None;
        }
        let mut mailbox = match kept {
            Some(open) => open,
            None => self.mailbox().await?,
        };
        let known = cursor.and_then(Cursor::read);
        let mut sent = known.and_then(|known| known.sent);
        let (mut events, mut more) = (Vec::new(), false);
        if let Some(name) = mailbox.sent.clone() {
            match mailbox.select(&name).await {
                Ok(()) => {
                    let (brought, location, waits) = self.look(&mut mailbox, true, sent).await?;
                    (events, sent, more) = (brought, Some(location), waits);
                }
                // What was sent may be closed to us: what comes in is read all the same.
                Err(CallError::Account(_)) => mailbox.sent = None,
                Err(error) => return Err(error),
            }
            mailbox.select(&self.folder).await?;
        }
        // This one last: IDLE reports only what came after it.
        let looking = self.look(&mut mailbox, false, known.map(|known| known.folder));
        let (brought, mut folder, waits) = looking.await?;
        events.extend(brought);
        more |= waits;
        // Copies of our own mails bring no events. The place that was read to is still kept before the wait.
        let is_at_rest = known == Some(Cursor { folder, sent });
        if is_at_rest && mailbox.idles {
            mailbox = mailbox.idle(WAIT).await?;
            (events, folder, more) = self.look(&mut mailbox, false, Some(folder)).await?;
        }
        // With IDLE the next poll waits by itself.
        more |= mailbox.idles;
        *self.open.lock() = Some(mailbox);
        Ok(Polled { events, cursor: Some(Cursor { folder, sent }.write()), more })
    }

    /// What is in the open folder after a mail, a page of it; how far that goes, and whether there is more.
    async fn look(
        &self,
        mailbox: &mut Mailbox,
        is_sent: bool,
        known: Option<MailLocation>,
    ) -> Result<(Vec<InboundEvent>, MailLocation, bool), CallError> {
        let validity = mailbox.validity;
        let at = |uid| MailLocation { is_sent, validity, uid };
        let from = match known {
            // What was there before belongs to the time before.
            None => return Ok((Vec::new(), at(mailbox.next.saturating_sub(1)), false)),
            Some(known) if known.validity == validity => known.uid,
            Some(_) => self.again_from(mailbox).await?,
        };
        let mut uids = mailbox.after(from).await?;
        let more = uids.len() > PAGE;
        uids.truncate(PAGE);
        let events = self.read(mailbox, is_sent, &uids).await?;
        Ok((events, at(uids.last().copied().unwrap_or(from)), more))
    }

    /// The number of the mail after which is read once the mailbox has other numbers.
    async fn again_from(&self, mailbox: &mut Mailbox) -> Result<u32, CallError> {
        let since = self.dial.clock.now().minus(Duration::from_hours(24 * DAYS_AGAIN));
        let first = mailbox.search(&format!("SINCE {}", day(since))).await?.first().copied();
        Ok(first.unwrap_or(mailbox.next).saturating_sub(1))
    }

    async fn read(
        &self,
        mailbox: &mut Mailbox,
        is_sent: bool,
        uids: &[u32],
    ) -> Result<Vec<InboundEvent>, CallError> {
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let mut threads = self.threads.lock().clone();
        let mut events = Vec::new();
        for entry in mailbox.entries(uids).await? {
            let whole = if entry.size > LARGEST { None } else { mailbox.body(entry.uid).await? };
            let too_large = whole.is_none().then_some(u64::from(entry.size));
            let raw = match whole {
                Some(whole) => whole,
                None => mailbox.header(entry.uid).await?.ok_or_else(|| {
                    CallError::Unreadable("a mail of which the server has not even the header".to_owned())
                })?,
            };
            let location = MailLocation { is_sent, validity: mailbox.validity, uid: entry.uid };
            let found = Found { raw: &raw, location, at: entry.at, too_large };
            events.extend(inbound::read(&found, &self.own, &mut threads));
        }
        if threads != *self.threads.lock() {
            let values = vec![(THREADS, threads.write().into()), (IDS, threads.write_ids().into())];
            self.stored.put(values).await.map_err(|error| {
                CallError::Unreached(format!("what is known of threads cannot be kept: {error}"))
            })?;
            *self.threads.lock() = threads;
        }
        Ok(events)
    }

    async fn fetched(&self, media: &InboundMedia, most: u64) -> Result<Fetched, CallError> {
        let gone = || CallError::NotFound("the mail is not in the mailbox any more".to_owned());
        let named = media.file_id.as_deref().and_then(|id| id.rsplit_once(':'));
        let named = named.and_then(|(location, number)| {
            Some((MailLocation::read(location)?, number.parse::<u32>().ok()?))
        });
        let (location, number) = named.ok_or_else(|| {
            CallError::NotFound("the mail is too large, it is read in the mailbox".to_owned())
        })?;
        let mut mailbox = self.mailbox().await?;
        if location.is_sent {
            let sent = mailbox.sent.clone().ok_or_else(gone)?;
            mailbox.select(&sent).await?;
        }
        if mailbox.validity != location.validity {
            return Err(gone());
        }
        let raw = mailbox.body(location.uid).await?.ok_or_else(gone)?;
        mailbox.close().await;
        let raw = decoding::mended(&raw);
        let mail = MessageParser::default().parse(&raw).ok_or_else(gone)?;
        let part = mail.attachment(number).ok_or_else(gone)?;
        let content = inbound::content(part);
        if content.len() as u64 > most {
            return Err(CallError::too_large(most));
        }
        Ok(Fetched::whole(content.to_vec(), Some(inbound::mime(part))))
    }

    async fn mark_read(&self, chat: &ExternalChat, id: Option<&str>) -> Result<(), CallError> {
        let odd = || CallError::NotFound("no mail is named so".to_owned());
        let parts = ChatParts::of(chat);
        let query = match (id, parts.root) {
            (Some(id), _) => format!("UNSEEN HEADER MESSAGE-ID {}", quoted(&bare(id)).ok_or_else(odd)?),
            (None, root) => {
                let from = format!("UNSEEN FROM {}", quoted(parts.address).ok_or_else(odd)?);
                match root.filter(|root| root.contains('@')).and_then(quoted) {
                    Some(root) => format!("{from} OR HEADER MESSAGE-ID {root} HEADER REFERENCES {root}"),
                    None => from,
                }
            }
        };
        let mut mailbox = self.mailbox().await?;
        let found = mailbox.search(&query).await?;
        if !found.is_empty() {
            mailbox.mark_seen(&found).await?;
        }
        mailbox.close().await;
        Ok(())
    }
}

/// A day as IMAP writes it.
fn day(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
    at.strftime("%d-%b-%Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_the_mailbox_and_the_mail() {
        let folder = MailLocation { is_sent: false, validity: 1_700_000_000, uid: 42 };
        let sent = Some(MailLocation { is_sent: true, validity: 7, uid: 0 });
        for cursor in [Cursor { folder, sent }, Cursor { folder, sent: None }] {
            assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        }
        assert_eq!(Cursor::read("42"), None);
        assert_eq!(day(Timestamp::from_micros(1_767_312_000_000_000)), "02-Jan-2026");
    }
}
