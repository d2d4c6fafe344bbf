//! A program that is posted to: it keeps every post, and answers as it is set to.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A post that came.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) headers: String,
    pub(crate) raw: String,
    pub(crate) body: Value,
}

impl Post {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn id(&self) -> String {
        self.header("webhook-id").expect("an id").to_owned()
    }

    /// The cards of one of its lists.
    pub(crate) fn cards(&self, list: &str) -> Vec<String> {
        let lines = self.body["data"][list].as_array().expect("a list").iter();
        lines.map(|line| line["card"].as_str().expect("a card").to_owned()).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Status(u16),
    /// It reads the post and says nothing.
    Nothing,
}

/// Listens until it is dropped.
pub(crate) struct Hook {
    pub(crate) address: String,
    answer: Arc<Mutex<Answer>>,
    posts: Arc<Mutex<Vec<Post>>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Hook {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = format!("http://{}/planted-path", listener.local_addr().expect("an address"));
        let answer = Arc::new(Mutex::new(Answer::Status(200)));
        let posts = Arc::new(Mutex::new(Vec::new()));
        let (reply, kept) = (Arc::clone(&answer), Arc::clone(&posts));
        let listening = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&reply), Arc::clone(&kept)));
            }
        });
        Self { address, answer, posts, listening }
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock().expect("lock") = answer;
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.posts.lock().expect("lock").clone()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(mut connection: TcpStream, answer: Arc<Mutex<Answer>>, posts: Arc<Mutex<Vec<Post>>>) {
    let mut request = Vec::new();
    let mut part = [0_u8; 4_096];
    let (headers, raw) = loop {
        match connection.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&part[..read]),
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let body = serde_json::from_str(&raw).unwrap_or(Value::Null);
    posts.lock().expect("lock").push(Post { headers, raw, body });
    let reply = *answer.lock().expect("lock");
    match reply {
        Answer::Status(status) => {
            let answer =
                format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
            // A caller that hung up has no use for the answer.
            let _ = connection.write_all(answer.as_bytes()).await;
        }
        Answer::Nothing => std::future::pending().await,
    }
}
