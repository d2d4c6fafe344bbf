//! Mail servers that no one here wrote: Dovecot has the mailbox, aiosmtpd takes what is sent.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use channels::{Deed, Polled, Provider};
use config::ChannelKind;
use domain::{MessageOrigin, Outcome};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::it::proxies::Proxy;
use crate::it::support::{content_of, id_of, lone, messages, text};

/// The Python that has aiosmtpd.
const PYTHON: &str = "SWITCHBOARD_TEST_PYTHON";
const TIMEOUT: Duration = Duration::from_secs(30);
/// What the certificate of both servers is for.
const HOST: &str = "mail.example.com";
/// A mail of a customer, with a file, as a mail program writes it.
const MAIL: &str = "From: =?utf-8?B?0JDQvdC90LA=?= <anna@example.org>\r\nTo: shop@example.com\r\nSubject: Price\r\n\
    Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <q1@example.org>\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHow much?\r\n\
    --b\r\nContent-Type: application/pdf; name=\"list.pdf\"\r\nContent-Disposition: attachment; filename=\"list.pdf\"\r\n\
    Content-Transfer-Encoding: base64\r\n\r\ncHJpY2Vz\r\n--b--\r\n";

/// Both servers, ended when dropped, and the folder of their mails.
struct Servers {
    folder: TempDir,
    _running: [Child; 2],
    imap: u16,
    /// Where mails are taken: without TLS, or with STARTTLS and with TLS.
    smtp: Vec<u16>,
}

fn python() -> Command {
    Command::new(std::env::var_os(PYTHON).unwrap_or_else(|| {
        panic!("{PYTHON} is not set: run `cargo xtask test`, which makes a Python and sets it")
    }))
}

impl Servers {
    async fn start(with_tls: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut certificate = Vec::new();
        if with_tls {
            let mut making = python();
            making.args(["-m", "trustme", "-q", "-i", HOST, "-d"]).arg(folder.path());
            assert!(making.status().await.unwrap().success());
            certificate = ["server.pem", "server.key"].map(|name| folder.path().join(name)).to_vec();
        }
        for maildir in ["shop", "customer"] {
            for part in ["new", "cur", "tmp"] {
                fs::create_dir_all(folder.path().join(maildir).join(part)).unwrap();
            }
        }
        let (dovecot, imap) = dovecot(folder.path(), &certificate).await;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outsiders/mail_server.py");
        let mut command = python();
        command.arg(script).arg(folder.path().join("customer")).args(certificate);
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut aiosmtpd = command.spawn().unwrap();
        let mut lines = BufReader::new(aiosmtpd.stdout.take().unwrap()).lines();
        let ports = tokio::time::timeout(TIMEOUT, lines.next_line()).await.expect("a port in time").unwrap();
        let smtp = ports.expect("a port").split(' ').map(|port| port.parse().unwrap()).collect();
        Self { folder, _running: [dovecot, aiosmtpd], imap, smtp }
    }

    /// A mail comes into the mailbox, as a delivery agent puts it there.
    fn comes(&self, name: &str, mail: &str) {
        let maildir = self.folder.path().join("shop");
        let written = maildir.join("tmp").join(name);
        fs::write(&written, mail).unwrap();
        given_to_mail_user(&written);
        fs::rename(written, maildir.join("new").join(name)).unwrap();
    }

    /// The names of the mails that a folder has.
    fn names(&self, folder: &str) -> Vec<PathBuf> {
        let all = fs::read_dir(self.folder.path().join(folder)).unwrap();
        all.map(|entry| entry.unwrap().path()).collect()
    }
}

/// The user whose mails Dovecot reads: it reads none of root's.
const fn mail_user() -> (u32, u32) {
    (65_534, 65_534)
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn given_to_mail_user(path: &Path) {
    if is_root() {
        let (uid, gid) = mail_user();
        std::os::unix::fs::chown(path, Some(uid), Some(gid)).unwrap();
    }
}

async fn dovecot(folder: &Path, certificate: &[PathBuf]) -> (Child, u16) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let me = fs::metadata("/proc/self").unwrap();
    let (uid, gid) = if is_root() { mail_user() } else { (me.uid(), me.gid()) };
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for part in ["shop", "shop/new", "shop/cur", "shop/tmp"] {
        given_to_mail_user(&folder.join(part));
    }
    // Not as root it may be no other user than who runs it.
    let users = if is_root() {
        String::new()
    } else {
        let name = std::env::var("USER").unwrap_or_else(|_| uid.to_string());
        format!(
            "default_internal_user = {name}\ndefault_login_user = {name}\ndefault_internal_group = {gid}\n"
        )
    };
    let (ssl, imap, imaps) = match certificate {
        [chain, key] => {
            let (chain, key) = (chain.display(), key.display());
            (format!("required\nssl_cert = <{chain}\nssl_key = <{key}"), 0, port)
        }
        _ => ("no".to_owned(), port, 0),
    };
    let base = folder.display();
    let settings = format!(
        "{users}protocols = imap\nlisten = 127.0.0.1\nssl = {ssl}\ndisable_plaintext_auth = no\nauth_mechanisms = plain\n\
         base_dir = {base}/run\nstate_dir = {base}/state\nlog_path = {base}/dovecot.log\nmail_location = maildir:{base}/shop\n\
         first_valid_uid = 1\nmailbox_list_index = no\n\
         passdb {{\n driver = static\n args = password=planted-word\n}}\n\
         userdb {{\n driver = static\n args = uid={uid} gid={gid} home={base}/shop\n}}\n\
         service anvil {{\n chroot =\n}}\nservice imap-login {{\n chroot =\n inet_listener imap {{\n  port = {imap}\n }}\n \
         inet_listener imaps {{\n  port = {imaps}\n  ssl = yes\n }}\n}}\n\
         namespace inbox {{\n inbox = yes\n mailbox Sent {{\n  special_use = \\Sent\n  auto = create\n }}\n}}\n"
    );
    let file = folder.join("dovecot.conf");
    fs::write(&file, settings).unwrap();
    let mut command = Command::new("/usr/sbin/dovecot");
    command.arg("-F").arg("-c").arg(&file).kill_on_drop(true);
    let child = command.spawn().expect("Dovecot is installed by `cargo xtask test`");
    let since = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        let log = || fs::read_to_string(folder.join("dovecot.log")).unwrap_or_default();
        assert!(since.elapsed() < TIMEOUT, "it does not start: {}", log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (child, port)
}

/// Dovecot reports a mail that comes in while it is waited for.
async fn received_mail(servers: &Servers, provider: &dyn Provider) -> Polled {
    let mut polled = provider.poll(None).unwrap().await.unwrap();
    servers.comes("1.one.test", MAIL);
    let since = Instant::now();
    while messages(&polled.events).is_empty() {
        assert!(since.elapsed() < TIMEOUT, "{polled:?}");
        polled = provider.poll(polled.cursor.as_deref()).unwrap().await.unwrap();
    }
    polled
}

#[tokio::test]
async fn dovecot_and_aiosmtpd_and_we_understand_each_other() {
    let servers = Servers::start(false).await;
    let keys = |password: &str| {
        format!(
            "address = \"shop@example.com\"\nimap = \"imap://shop:{password}@127.0.0.1:{}\"\n\
             smtp = \"smtp://shop:{password}@127.0.0.1:{}\"",
            servers.imap, servers.smtp[0]
        )
    };
    lone(ChannelKind::Email, &keys("wrong")).check().await.unwrap_err();
    let provider = lone(ChannelKind::Email, &keys("planted-word"));
    assert_eq!(provider.check().await.unwrap().id, "shop@example.com");

    let polled = received_mail(&servers, &*provider).await;
    let received = messages(&polled.events)[0].clone();
    assert_eq!((received.text.as_str(), received.name.as_deref()), ("How much?", Some("Анна")));
    assert_eq!((received.origin, received.external_id.as_str()), (MessageOrigin::Person, "q1@example.org"));
    let fetched = provider.fetch(&received.media[0], 1_000).await.unwrap();
    assert_eq!(content_of(fetched).await, b"prices");
    let seen = Deed::MarkRead { external_id: Some(received.external_id.clone()) };
    provider.act(&received.chat, &seen).await.unwrap();
    assert!(
        servers.names("shop/cur").iter().any(|path| path.to_string_lossy().ends_with('S')),
        "it is marked"
    );

    let id = id_of(&provider.send(&text(received.chat.as_str(), "Сто рублей", 7)).await);
    let [sent] = &servers.names("customer/new")[..] else { panic!("one mail is sent") };
    let mail = fs::read(sent).unwrap();
    let mail = mail_parser::MessageParser::new().parse(&mail).unwrap();
    assert_eq!(
        (mail.message_id(), mail.in_reply_to().as_text()),
        (Some(id.as_str()), Some("q1@example.org"))
    );
    assert_eq!(mail.body_text(0).unwrap().trim_end(), "Сто рублей");
    assert_eq!(mail.subject(), Some("Re: Price"));
}

#[tokio::test]
async fn mail_over_tls_is_trusted_by_the_authority_that_is_named() {
    let (servers, proxy) = (Servers::start(true).await, Proxy::start().await);
    // Behind the proxy no server is near: smtp:// goes on with STARTTLS.
    let account = |scheme: &str, port: u16, more: &str| {
        let keys = format!(
            "address = \"shop@example.com\"\nproxy = \"{}\"\nimap = \"imaps://shop:planted-word@{HOST}:{}\"\n\
             smtp = \"{scheme}://shop:planted-word@{HOST}:{port}\"\n{more}",
            proxy.address, servers.imap
        );
        lone(ChannelKind::Email, &keys)
    };
    let names = |why: &str| why.contains("certificate") && why.contains("ca_file");
    let ca_file = format!("ca_file = \"{}\"", servers.folder.path().join("client.pem").display());
    for (sent, (scheme, &port)) in ["smtp", "smtps"].into_iter().zip(&servers.smtp).enumerate() {
        let unknown = account(scheme, port, "");
        let error = unknown.check().await.unwrap_err().to_string();
        assert!(names(&error), "{scheme}: {error}");
        let refused = unknown.send(&text("anna@example.org", "Hello", 1)).await;
        assert!(matches!(&refused, Outcome::Unavailable(why) if names(why)), "{scheme}: {refused:?}");
        assert_eq!(servers.names("customer/new").len(), sent);

        let trusting = account(scheme, port, &ca_file);
        trusting.check().await.unwrap();
        id_of(&trusting.send(&text("anna@example.org", "Hello", 1)).await);
        assert_eq!(servers.names("customer/new").len(), sent + 1);
    }
    let provider = account("smtps", servers.smtp[1], &ca_file);
    let polled = received_mail(&servers, &*provider).await;
    assert_eq!(messages(&polled.events)[0].text.as_str(), "How much?");
}
