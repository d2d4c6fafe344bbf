//! The ports of SMTP and IMAP: lines in, answers out, without TLS and on loopback only.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::super::fake::ChannelEffect;
use super::super::request::{Reply, Request};
use super::super::{Called, Channels, serve};
use super::LARGEST;
use crate::telegram::Telegram;

/// How often an idle client's mailbox is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// The longest line of a command.
const LONGEST_LINE: u64 = 64 * 1024;

/// Where the mail server listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MailPorts {
    pub(crate) smtp: SocketAddr,
    pub(crate) imap: SocketAddr,
}

/// Takes mails until the token is cancelled.
pub(crate) async fn serve_smtp(
    listener: TcpListener,
    channels: Arc<Channels>,
    world: Arc<Telegram>,
    stop: CancellationToken,
) {
    serve(listener, stop, move |stream| {
        let talk = Talk::new(stream, Arc::clone(&channels), Arc::clone(&world));
        async move { talk.smtp().await }
    })
    .await;
}

/// Shows the mailbox until the token is cancelled.
pub(crate) async fn serve_imap(
    listener: TcpListener,
    channels: Arc<Channels>,
    world: Arc<Telegram>,
    stop: CancellationToken,
) {
    serve(listener, stop, move |stream| {
        let talk = Talk::new(stream, Arc::clone(&channels), Arc::clone(&world));
        async move { talk.imap().await }
    })
    .await;
}

/// A folder that a client has open.
struct Opened {
    folder: String,
    validity: String,
    /// How many mails the client knows of.
    count: usize,
}

/// A connection.
struct Talk {
    stream: BufReader<TcpStream>,
    channels: Arc<Channels>,
    world: Arc<Telegram>,
}

impl Talk {
    fn new(stream: TcpStream, channels: Arc<Channels>, world: Arc<Telegram>) -> Self {
        Self { stream: BufReader::new(stream), channels, world }
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await
    }

    /// The next line without its end; none at the end of the connection.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        Ok((read > 0).then_some(line))
    }

    /// A call of the fake. An error is the end of the connection.
    async fn call(&mut self, request: Request) -> io::Result<Reply> {
        let record = |effect: ChannelEffect| self.world.record_outside(effect);
        match self.channels.call("email", &request, &record).await {
            Some(Called::Answer(reply)) => Ok(reply),
            Some(Called::Silence) => std::future::pending().await,
            Some(Called::Cut) | None => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    async fn smtp(mut self) -> io::Result<()> {
        self.say("220 mail.example.com ESMTP").await?;
        let (mut is_in, mut from, mut to) = (false, None, None);
        while let Some(line) = self.line().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let address = || {
                let address = rest.split(['<', '>']).nth(1).unwrap_or_default();
                address.to_owned()
            };
            let step = match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => {
                    let lines = format!(
                        "250-mail.example.com\r\n250-8BITMIME\r\n250-SIZE {LARGEST}\r\n250 AUTH PLAIN LOGIN"
                    );
                    self.say(&lines).await?;
                    continue;
                }
                "NOOP" | "RSET" => {
                    (from, to) = (None, None);
                    self.say("250 2.0.0 ok").await?;
                    continue;
                }
                "QUIT" => return self.say("221 2.0.0 bye").await,
                "AUTH" => {
                    let (user, password) = self.login(rest).await?;
                    smtp(
                        "auth",
                        vec![("user".to_owned(), user), ("password".to_owned(), password)],
                        Vec::new(),
                    )
                }
                "MAIL" | "RCPT" | "DATA" if !is_in => {
                    self.say("530 5.7.0 sign in first").await?;
                    continue;
                }
                "MAIL" => smtp("mail", vec![("from".to_owned(), address())], Vec::new()),
                "RCPT" if from.is_some() => smtp("rcpt", vec![("to".to_owned(), address())], Vec::new()),
                "DATA" if to.is_some() => {
                    self.say("354 go on").await?;
                    let body = self.mail().await?;
                    smtp("data", vec![("to".to_owned(), to.clone().unwrap_or_default())], body)
                }
                "RCPT" | "DATA" => {
                    self.say("503 5.5.1 not now").await?;
                    continue;
                }
                _ => {
                    self.say("502 5.5.1 no such command").await?;
                    continue;
                }
            };
            let path = step.path.clone();
            let reply = self.call(step).await?;
            match (path.as_str(), reply.status) {
                ("/smtp/auth", 235) => is_in = true,
                ("/smtp/mail", 250) => from = Some(address()),
                ("/smtp/rcpt", 250) => to = Some(address()),
                ("/smtp/data", _) => (from, to) = (None, None),
                _ => {}
            }
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            // A page for people has no number before it.
            let line =
                if reply.content_type == "text/html" { text } else { format!("{} {text}", reply.status) };
            self.say(&line).await?;
            if reply.status == 421 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The name and the password of `AUTH`.
    async fn login(&mut self, rest: &str) -> io::Result<(String, String)> {
        let decoded = |text: &str| {
            let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (method, first) = rest.split_once(' ').unwrap_or((rest, ""));
        if method.eq_ignore_ascii_case("PLAIN") {
            let words = decoded(first);
            let mut words = words.split('\0').skip(1).map(str::to_owned);
            return Ok((words.next().unwrap_or_default(), words.next().unwrap_or_default()));
        }
        self.say("334 VXNlcm5hbWU6").await?;
        let user = self.line().await?.unwrap_or_default();
        self.say("334 UGFzc3dvcmQ6").await?;
        let password = self.line().await?.unwrap_or_default();
        Ok((decoded(&user), decoded(&password)))
    }

    /// A mail up to the line with a dot. What is beyond the limit is read and left out.
    async fn mail(&mut self) -> io::Result<Vec<u8>> {
        let mut mail = Vec::new();
        loop {
            let mut line = Vec::new();
            let read = (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == b".\r\n" {
                return Ok(mail);
            }
            if mail.len() <= LARGEST {
                mail.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
        }
    }

    async fn imap(mut self) -> io::Result<()> {
        self.say("* OK IMAP4rev1 mail.example.com").await?;
        let mut is_in = false;
        let mut opened: Option<Opened> = None;
        while let Some(line) = self.line().await? {
            let words = words(&line);
            let Some((tag, words)) = words.split_first() else { continue };
            let mut command = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
            let mut rest = words.get(1..).unwrap_or_default().to_vec();
            if command == "uid" && !rest.is_empty() {
                command = format!("uid {}", rest.remove(0).to_ascii_lowercase());
            }
            match command.as_str() {
                "capability" => {
                    self.say("* CAPABILITY IMAP4rev1 IDLE SPECIAL-USE").await?;
                    self.say(&format!("{tag} OK done")).await?;
                    continue;
                }
                "logout" => {
                    self.say("* BYE").await?;
                    return self.say(&format!("{tag} OK done")).await;
                }
                "login" | "noop" => {}
                "select" | "examine" | "list" if is_in => {}
                _ if !is_in || opened.is_none() => {
                    self.say(&format!("{tag} BAD not now")).await?;
                    continue;
                }
                _ => {}
            }
            if let Some(open) = &mut opened {
                let now = self.state(&open.folder)?;
                if now.validity != open.validity {
                    return self.say("* BYE the mailbox has other numbers now").await;
                }
                if command != "idle" {
                    open.count = now.count;
                }
            }
            let folder = opened.as_ref().map(|open| open.folder.as_str()).unwrap_or_default();
            let mut request = imap(&command, &rest, folder);
            if command == "login" {
                let word = |place: usize| rest.get(place).cloned().unwrap_or_default();
                request.headers = vec![("user".to_owned(), word(0)), ("password".to_owned(), word(1))];
                request.body.clear();
            }
            let reply = self.call(request).await?;
            match (command.as_str(), reply.status) {
                ("login", 200) => is_in = true,
                ("select" | "examine", 200) => {
                    opened = Some(self.state(rest.first().map(String::as_str).unwrap_or_default())?);
                }
                ("select" | "examine", _) => opened = None,
                ("idle", 200) if reply.content_type.is_empty() => {
                    // What came since the last command is reported at once.
                    let Some(open) = opened.take() else { return Ok(()) };
                    opened = self.idle(open).await?;
                    if opened.is_none() {
                        return Ok(());
                    }
                }
                _ => {}
            }
            if reply.content_type == "text/html" || (reply.status == 200 && !reply.body.is_empty()) {
                self.stream.write_all(&reply.body).await?;
            }
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            let line = match reply.status {
                _ if reply.content_type == "text/html" => String::new(),
                200 => format!("{tag} OK done"),
                400 => format!("{tag} BAD {text}"),
                _ => format!("{tag} NO {text}"),
            };
            self.say(&line).await?;
        }
        Ok(())
    }

    /// How a folder is. No fault strikes this.
    fn state(&self, folder: &str) -> io::Result<Opened> {
        let reply = self.channels.answer("email", &imap("state", &[], folder), &|_: ChannelEffect| {});
        let reply = reply.ok_or(io::ErrorKind::NotFound)?;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        let (validity, count) = text.split_once(' ').unwrap_or_default();
        let count = count.parse().unwrap_or(0);
        Ok(Opened { folder: folder.to_owned(), validity: validity.to_owned(), count })
    }

    /// Reports new mails until the client is done; none where it has to come again.
    async fn idle(&mut self, mut open: Opened) -> io::Result<Option<Opened>> {
        self.say("+ idling").await?;
        loop {
            let now = self.state(&open.folder)?;
            if now.validity != open.validity {
                self.say("* BYE the mailbox has other numbers now").await?;
                return Ok(None);
            }
            if now.count > open.count {
                self.say(&format!("* {} EXISTS", now.count)).await?;
                open.count = now.count;
            }
            match tokio::time::timeout(LOOK, self.stream.fill_buf()).await {
                Err(_) => {}
                Ok(read) if read.as_ref().is_ok_and(|read| !read.is_empty()) => {
                    self.line().await?;
                    return Ok(Some(open));
                }
                Ok(_) => return Ok(None),
            }
        }
    }
}

fn smtp(step: &str, headers: Vec<(String, String)>, body: Vec<u8>) -> Request {
    Request { method: "SMTP".to_owned(), path: format!("/smtp/{step}"), headers, body, ..Request::default() }
}

fn imap(command: &str, words: &[String], folder: &str) -> Request {
    let body = words.join("\n").into_bytes();
    let headers = vec![("folder".to_owned(), folder.to_owned())];
    Request {
        method: "IMAP".to_owned(),
        path: format!("/imap/{command}"),
        headers,
        body,
        ..Request::default()
    }
}

/// The words of a command; one in quotes may have spaces.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut signs = line.chars().peekable();
    while let Some(first) = signs.next() {
        let mut word = String::new();
        match first {
            ' ' => continue,
            '"' => {
                while let Some(sign) = signs.next() {
                    match sign {
                        '"' => break,
                        '\\' => word.extend(signs.next()),
                        sign => word.push(sign),
                    }
                }
            }
            sign => {
                word.push(sign);
                while let Some(sign) = signs.next_if(|sign| *sign != ' ') {
                    word.push(sign);
                }
            }
        }
        words.push(word);
    }
    words
}
