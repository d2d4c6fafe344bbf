//! A Redis of a test's own, on loopback, with all that it holds gone afterwards.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::free_port;

/// How long a server may take to answer.
const START: Duration = Duration::from_secs(30);

/// A server. It is killed when this is dropped.
pub struct RedisServer {
    child: Option<Child>,
    port: u16,
    options: Vec<String>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts one.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with more options, such as `--requirepass word`.
    pub fn with(options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Self { child: None, port: free_port(), options, folder };
        server.start_again();
        server
    }

    /// Kills it, as a machine without power does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kills");
            child.wait().expect("ends");
        }
    }

    /// Starts it where it was, with what it had written down, and waits until it has read that.
    pub fn start_again(&mut self) {
        self.kill();
        let port = self.port.to_string();
        let folder = self.folder.path();
        let mut command = Command::new("redis-server");
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(folder);
        command.args(&self.options).stdin(Stdio::null()).stdout(Stdio::null());
        let started = command.spawn();
        self.child = Some(started.unwrap_or_else(|error| {
            panic!("redis-server does not start ({error}): run `cargo xtask test`, which installs it")
        }));
        let since = Instant::now();
        // It listens before it serves, and answers that it is loading before it has read what it wrote.
        while !self.try_ask(&["PING"]).is_ok_and(|answer| !answer.to_string().contains("LOADING")) {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().expect("waits"));
            assert!(ended.is_none(), "redis-server ended: {ended:?}");
            assert!(since.elapsed() < START, "redis-server does not answer");
            std::thread::yield_now();
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Runs a command; errors are texts.
    pub fn ask(&self, words: &[&str]) -> Value {
        self.try_ask(words).expect("an answer")
    }

    fn try_ask(&self, words: &[&str]) -> io::Result<Value> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(START))?;
        let texts: String =
            words.iter().map(|word| ["$", &word.len().to_string(), "\r\n", word, "\r\n"].concat()).collect();
        let request = ["*", &words.len().to_string(), "\r\n", &texts].concat();
        (&stream).write_all(request.as_bytes())?;
        answer(&mut BufReader::new(&stream))
    }

    /// A list.
    pub fn list(&self, name: &str) -> Vec<String> {
        let items = self.ask(&["LRANGE", name, "0", "-1"]);
        let items = items.as_array().cloned().unwrap_or_else(|| panic!("{name}: {items}"));
        items.into_iter().map(|item| item.as_str().expect("a text").to_owned()).collect()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads an answer of the protocol.
fn answer(from: &mut impl BufRead) -> io::Result<Value> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or(ErrorKind::UnexpectedEof)?;
    let number = || rest.parse::<i64>().expect("a number");
    Ok(match kind {
        ":" => number().into(),
        "$" if number() < 0 => Value::Null,
        "$" => {
            let length = usize::try_from(number()).expect("a length");
            let mut bytes = vec![0; length + 2];
            from.read_exact(&mut bytes)?;
            String::from_utf8_lossy(&bytes[..length]).into_owned().into()
        }
        "*" => (0..number()).map(|_| answer(from)).collect::<io::Result<_>>()?,
        _ => rest.into(),
    })
}
