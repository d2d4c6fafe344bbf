//! A mail server within this machine: it keeps what it takes, and refuses when it is set to.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Listens until it is dropped.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    refuses: Arc<Mutex<bool>>,
    mails: Arc<Mutex<Vec<String>>>,
    lines: Arc<Mutex<Vec<String>>>,
    listening: tokio::task::JoinHandle<()>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let port = listener.local_addr().expect("an address").port();
        let (refuses, mails, lines) = (Arc::default(), Arc::default(), Arc::default());
        let (refusing, kept, received) = (Arc::clone(&refuses), Arc::clone(&mails), Arc::clone(&lines));
        let listening = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(
                    connection,
                    Arc::clone(&refusing),
                    Arc::clone(&kept),
                    Arc::clone(&received),
                ));
            }
        });
        Self { port, refuses, mails, lines, listening }
    }

    pub(crate) fn refuse(&self, refuses: bool) {
        *self.refuses.lock().expect("lock") = refuses;
    }

    /// The mails it took, headers and all.
    pub(crate) fn mails(&self) -> Vec<String> {
        self.mails.lock().expect("lock").clone()
    }

    /// Everything that was said to it.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("lock").clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(
    connection: TcpStream,
    refuses: Arc<Mutex<bool>>,
    mails: Arc<Mutex<Vec<String>>>,
    received: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let (read, mut write) = connection.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.example.com\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        received.lock().expect("lock").push(line.clone());
        let answer = match line.split(' ').next().unwrap_or_default() {
            "EHLO" | "HELO" => "250 mail.example.com",
            "RCPT" if *refuses.lock().expect("lock") => "550 no such mailbox",
            "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 ok",
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut mail = String::new();
                while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                    mail.push_str(&line);
                    mail.push('\n');
                }
                mails.lock().expect("lock").push(mail);
                "250 taken"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return Some(());
            }
            _ => "502 not here",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    Some(())
}
