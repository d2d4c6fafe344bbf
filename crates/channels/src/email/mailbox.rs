//! A mailbox, read over IMAP. Nothing in it changes but the mark that a mail was seen, where that is wanted.

use std::time::Duration;

use ambient::Clock;
use async_imap::error::Error;
use async_imap::imap_proto::{MailboxDatum, Response, Status};
use async_imap::types::{Fetch, NameAttribute};
use async_imap::{Client, Session};
use domain::Timestamp;
use domain::secret::ExposeSecret;
use futures::TryStreamExt;

use crate::error::{CallError, NO_NUMBER};
use crate::http::{ANSWER, UPLOAD};
use crate::server::Server;
use crate::wire::{Dial, Wire};

/// A larger mail stays where it is: only its header is read.
pub(super) const LARGEST: u32 = 25 * 1024 * 1024;
/// As much of an answer is said.
const LONGEST_REPLY: usize = 300;

/// A folder that is open.
pub(super) struct Mailbox {
    session: Session<Wire>,
    clock: Clock,
    /// The folder of what was sent, if there is one.
    pub(super) sent: Option<String>,
    /// The number of the folder: with another one all numbers of mails are others.
    pub(super) validity: u32,
    /// The number that the next mail gets.
    pub(super) next: u32,
    /// Whether the server reports new mails by itself.
    pub(super) idles: bool,
}

/// A mail of a folder, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) uid: u32,
    pub(super) size: u32,
    pub(super) at: Timestamp,
}

impl Mailbox {
    /// Signs in and opens a folder.
    ///
    /// # Errors
    /// The server refuses it, or no answer came.
    pub(super) async fn open(dial: &Dial, server: &Server, folder: &str) -> Result<Self, CallError> {
        let clock = dial.clock.clone();
        let mut client = Client::new(dial.open(server).await?);
        let greeting = within(&clock, ANSWER, client.read_response()).await?;
        greeting.map_err(|error| failed(error.into()))?.ok_or_else(|| failed(Error::ConnectionLost))?;
        let (user, password) =
            server.login.as_ref().ok_or_else(|| CallError::Token("there is none".to_owned()))?;
        let signing = client.login(user, password.expose_secret());
        let mut session =
            within(&clock, ANSWER, signing).await?.map_err(|(error, _)| not_signed_in(error))?;
        let capabilities = within(&clock, ANSWER, session.capabilities()).await?.map_err(failed)?;
        let sent = within(&clock, ANSWER, sent_folder(&mut session)).await?.map_err(failed)?;
        let idles = capabilities.has_str("IDLE");
        let sent = sent.filter(|sent| sent != folder);
        let mut mailbox = Self { session, clock, sent, validity: 0, next: 0, idles };
        mailbox.select(folder).await?;
        Ok(mailbox)
    }

    /// Opens another folder.
    pub(super) async fn select(&mut self, folder: &str) -> Result<(), CallError> {
        let opened = within(&self.clock, ANSWER, self.session.select(folder)).await?;
        let opened = opened.map_err(|error| match error {
            Error::No(why) => {
                CallError::Account(format!("the folder {folder:?} cannot be opened: {}", short(&why)))
            }
            error => failed(error),
        })?;
        self.validity = opened.uid_validity.unwrap_or(0);
        self.next = match opened.uid_next {
            Some(next) => next,
            // A server may leave it out.
            None => self.search("ALL").await?.last().map_or(1, |last| last.saturating_add(1)),
        };
        Ok(())
    }

    /// Whether the connection still works.
    pub(super) async fn is_alive(&mut self) -> bool {
        let asking = self.session.run_command_and_check_ok("NOOP");
        matches!(within(&self.clock, ANSWER, asking).await, Ok(Ok(())))
    }

    /// The numbers of the mails that a search finds, in their order.
    pub(super) async fn search(&mut self, query: &str) -> Result<Vec<u32>, CallError> {
        let session = &mut self.session;
        let mut found = within(&self.clock, ANSWER, searched(session, query)).await?.map_err(failed)?;
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The numbers of the mails after this one.
    pub(super) async fn after(&mut self, uid: u32) -> Result<Vec<u32>, CallError> {
        let mut found = self.search(&format!("UID {}:*", uid.saturating_add(1))).await?;
        // Where there is none, `n:*` means the last one.
        found.retain(|one| *one > uid);
        Ok(found)
    }

    /// Sizes and times of mails; what is gone is left out.
    pub(super) async fn entries(&mut self, uids: &[u32]) -> Result<Vec<Entry>, CallError> {
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let now = self.clock.now();
        let fetched = self.fetch(&set, "(UID RFC822.SIZE INTERNALDATE)", ANSWER).await?;
        let entry = |row: Fetch| {
            let at = row.internal_date().map_or(now, |at| Timestamp::from_micros(at.timestamp_micros()));
            Some(Entry { uid: row.uid?, size: row.size?, at })
        };
        let mut entries: Vec<Entry> = fetched.into_iter().filter_map(entry).collect();
        entries.sort_unstable_by_key(|entry| entry.uid);
        if entries.is_empty() && !uids.is_empty() {
            return Err(CallError::Unreadable("no mail among those that were just found".to_owned()));
        }
        Ok(entries)
    }

    /// The content of a mail, as long as it is not too large.
    pub(super) async fn body(&mut self, uid: u32) -> Result<Option<Vec<u8>>, CallError> {
        let fetched = self.fetch(&uid.to_string(), "(UID BODY.PEEK[])", UPLOAD).await?;
        let row = fetched.iter().find(|row| row.uid == Some(uid) && row.body().is_some());
        Ok(row.and_then(Fetch::body).map(<[u8]>::to_vec))
    }

    /// The header of a mail.
    pub(super) async fn header(&mut self, uid: u32) -> Result<Option<Vec<u8>>, CallError> {
        let fetched = self.fetch(&uid.to_string(), "(UID BODY.PEEK[HEADER])", ANSWER).await?;
        let row = fetched.iter().find(|row| row.uid == Some(uid) && row.header().is_some());
        Ok(row.and_then(Fetch::header).map(<[u8]>::to_vec))
    }

    async fn fetch(&mut self, set: &str, what: &str, limit: Duration) -> Result<Vec<Fetch>, CallError> {
        let session = &mut self.session;
        let fetching = async { session.uid_fetch(set, what).await?.try_collect::<Vec<_>>().await };
        within(&self.clock, limit, fetching).await?.map_err(failed)
    }

    /// Marks mails as seen.
    pub(super) async fn mark_seen(&mut self, uids: &[u32]) -> Result<(), CallError> {
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let command = format!("UID STORE {set} +FLAGS.SILENT (\\Seen)");
        let storing = self.session.run_command_and_check_ok(command);
        within(&self.clock, ANSWER, storing).await?.map_err(failed)
    }

    /// Waits until the server reports something, at most so long.
    pub(super) async fn idle(self, limit: Duration) -> Result<Self, CallError> {
        let Self { session, clock, sent, validity, next, idles } = self;
        let mut handle = session.idle();
        within(&clock, ANSWER, handle.init()).await?.map_err(failed)?;
        {
            let (waiting, stop) = handle.wait_with_timeout(limit);
            // What it reports is looked for in any case.
            if let Ok(Err(error)) = clock.timeout(limit, waiting).await {
                return Err(failed(error));
            }
            drop(stop);
        }
        let session = within(&clock, ANSWER, handle.done()).await?.map_err(failed)?;
        Ok(Self { session, clock, sent, validity, next, idles })
    }

    /// Signs out.
    pub(super) async fn close(mut self) {
        let _ = self.clock.timeout(Duration::from_secs(2), self.session.logout()).await;
    }
}

/// The folder that the server marks as that of sent mails (RFC 6154).
async fn sent_folder(session: &mut Session<Wire>) -> Result<Option<String>, Error> {
    let mut folders = std::pin::pin!(session.list(None, Some("*")).await?);
    let mut sent = None;
    while let Some(folder) = folders.try_next().await? {
        if folder.attributes().contains(&NameAttribute::Sent) {
            sent = Some(folder.name().to_owned());
        }
    }
    Ok(sent)
}

/// The library's own search finds nothing where the server refuses it.
async fn searched(session: &mut Session<Wire>, query: &str) -> Result<Vec<u32>, Error> {
    let tag = session.run_command(format!("UID SEARCH {query}")).await?;
    let mut found = Vec::new();
    while let Some(answer) = session.read_response().await? {
        match answer.parsed() {
            Response::MailboxData(MailboxDatum::Search(uids)) => found.extend_from_slice(uids),
            Response::Done { tag: done, status, outcome } if *done == tag => {
                let detail = || outcome.information.as_deref().unwrap_or_default().to_owned();
                return match status {
                    Status::Ok => Ok(found),
                    Status::No => Err(Error::No(detail())),
                    _ => Err(Error::Bad(detail())),
                };
            }
            _ => {}
        }
    }
    Err(Error::ConnectionLost)
}

/// A text for a search, in quotes; none where it cannot be written there.
pub(super) fn quoted(text: &str) -> Option<String> {
    let is_sound = text.bytes().all(|one| one == b' ' || one.is_ascii_graphic());
    is_sound.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

async fn within<T>(clock: &Clock, limit: Duration, work: impl Future<Output = T>) -> Result<T, CallError> {
    clock.timeout(limit, work).await.map_err(|_| CallError::NoAnswer(limit))
}

fn short(text: &str) -> String {
    super::thread::one_line(text, LONGEST_REPLY)
}

fn not_signed_in(error: Error) -> CallError {
    match error {
        Error::No(why) => {
            let later = ["UNAVAILABLE", "Unavailable", "Too many", "too many", "LIMIT", "INUSE"];
            if later.iter().any(|word| why.contains(word)) {
                CallError::wait(NO_NUMBER)
            } else {
                CallError::Token(short(&why))
            }
        }
        error => failed(error),
    }
}

/// The library's words may have what mails say in them: only the kind of an error of reading is given.
fn failed(error: Error) -> CallError {
    match error {
        Error::No(why) => CallError::refused("imap", short(&why)),
        Error::Bad(why) => CallError::Unreadable(short(&why)),
        Error::Io(error) if error.kind() == std::io::ErrorKind::Other => {
            CallError::Unreadable("no answer of IMAP".to_owned())
        }
        Error::Io(error) => CallError::Broken(error.kind().to_string()),
        Error::ConnectionLost => CallError::Broken("the server closed it".to_owned()),
        Error::Validate(_) => CallError::refused("imap", "a name that IMAP cannot have"),
        _ => CallError::Unreadable("an answer of another form".to_owned()),
    }
}
