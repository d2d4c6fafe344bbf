//! The load: callers that send one text after the other, and what each of them saw.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::http::{self, Connection};
use crate::latency::Latencies;
use crate::ledger::Claim;

/// A caller that has seen so many failures gives up: there is nothing left to measure.
const MOST_FAILURES: usize = 20;

/// What is asked for, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The legacy `POST /send_text`.
    SendText,
    /// `POST /v1/messages`.
    Messages,
}

#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) address: SocketAddr,
    pub(crate) door: Door,
    /// Header lines, each with its end.
    pub(crate) headers: String,
    pub(crate) callers: usize,
    /// Keep connections, or make one for each request.
    pub(crate) keep: bool,
    /// Ends when this time is over …
    pub(crate) lasts: Duration,
    /// … or when each caller has sent so many.
    pub(crate) at_most: usize,
    /// Makes the texts of this stretch different from all others.
    pub(crate) label: String,
}

/// What the callers of a stretch saw.
#[derive(Debug, Default)]
pub(crate) struct LoadReport {
    pub(crate) took: Duration,
    pub(crate) latencies: Latencies,
    pub(crate) claims: Vec<Claim>,
    /// Requests that were not answered with "sent".
    pub(crate) failures: usize,
    pub(crate) first_failure: Option<String>,
}

impl LoadReport {
    fn add(&mut self, other: Self) {
        self.latencies.extend(&other.latencies);
        self.claims.extend(other.claims);
        self.failures += other.failures;
        self.first_failure = self.first_failure.take().or(other.first_failure);
    }
}

/// Runs all callers of a stretch at once.
pub(crate) async fn run(stretch: Stretch, chats: &[i64]) -> Result<LoadReport> {
    run_paced(stretch, chats, Duration::ZERO).await
}

/// The same, each caller asking no sooner than this after it asked before.
pub(crate) async fn run_paced(stretch: Stretch, chats: &[i64], every: Duration) -> Result<LoadReport> {
    let stretch = Arc::new(stretch);
    let chats: Arc<[i64]> = chats.into();
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for number in 0..stretch.callers {
        callers.spawn(caller(Arc::clone(&stretch), Arc::clone(&chats), number, (started, every)));
    }
    let mut report = LoadReport::default();
    while let Some(caller) = callers.join_next().await {
        report.add(caller.context("a caller broke off")?);
    }
    report.took = started.elapsed();
    Ok(report)
}

async fn caller(
    stretch: Arc<Stretch>,
    chats: Arc<[i64]>,
    number: usize,
    (started, every): (Instant, Duration),
) -> LoadReport {
    let mut report = LoadReport::default();
    let mut connection = None;
    // Not all at the same moment.
    let callers = u32::try_from(stretch.callers.max(1)).unwrap_or(u32::MAX);
    let mut due = started + every / callers * u32::try_from(number).unwrap_or_default();
    for turn in 0..stretch.at_most {
        if !every.is_zero() {
            tokio::time::sleep_until(due.into()).await;
            due = Instant::now().max(due) + every;
        }
        if started.elapsed() >= stretch.lasts || report.failures >= MOST_FAILURES {
            break;
        }
        let text = format!("Message {}-{number}-{turn}: your parcel is on its way.", stretch.label);
        let body = body(stretch.door, chats[chat_of(number, turn, chats.len())], &text);
        let request = http::request("POST", path(stretch.door), &stretch.headers, Some(&body), stretch.keep);
        let requested_at = Instant::now();
        match exchange(&stretch, &mut connection, &request).await {
            Ok(message_id) => {
                report.latencies.add(requested_at.elapsed());
                report.claims.push(Claim { text, message_id });
            }
            Err(error) => {
                report.failures += 1;
                report.first_failure.get_or_insert_with(|| format!("{error:#}"));
                connection = None;
            }
        }
    }
    report
}

/// One request, on the connection that is kept or on a new one. Returns the id of the message sent.
async fn exchange(stretch: &Stretch, kept: &mut Option<Connection>, request: &[u8]) -> Result<i64> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Connection::open(stretch.address).await?,
    };
    let answer = connection.exchange(request).await?;
    if !stretch.keep {
        connection.finish().await?;
    } else if !answer.closes {
        *kept = Some(connection);
    }
    sent(stretch.door, answer.status, &answer.body)
        .with_context(|| format!("answered {} {}", answer.status, http::excerpt(&answer.body)))
}

fn path(door: Door) -> &'static str {
    match door {
        Door::SendText => "/send_text",
        Door::Messages => "/v1/messages",
    }
}

fn body(door: Door, chat: i64, text: &str) -> Vec<u8> {
    let body = match door {
        Door::SendText => serde_json::json!({ "chat": chat, "text": text }),
        Door::Messages => serde_json::json!({ "chat": chat.to_string(), "text": text }),
    };
    body.to_string().into_bytes()
}

/// Each caller goes through all chats in an order of its own, so that two sometimes meet in one, as in life.
fn chat_of(caller: usize, turn: usize, chats: usize) -> usize {
    (caller * 2 + turn * 7) % chats
}

#[derive(Deserialize)]
struct SendTextAnswer {
    status: String,
    message_id: i64,
}

#[derive(Deserialize)]
struct MessagesAnswer {
    state: String,
    message_ids: Vec<i64>,
}

/// The id of the message, if the answer says that it was sent.
fn sent(door: Door, status: u16, body: &[u8]) -> Option<i64> {
    if status != 200 {
        return None;
    }
    match door {
        Door::SendText => {
            let answer: SendTextAnswer = serde_json::from_slice(body).ok()?;
            (answer.status == "ok").then_some(answer.message_id)
        }
        Door::Messages => {
            let answer: MessagesAnswer = serde_json::from_slice(body).ok()?;
            (answer.state == "sent").then_some(())?;
            answer.message_ids.first().copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn only_an_explicit_success_counts_as_sent() {
        let ok = br#"{"status":"ok","chat_id":5,"message_id":45,"chat_type":"private"}"#;
        assert_eq!(sent(Door::SendText, 200, ok), Some(45));
        assert_eq!(sent(Door::SendText, 500, ok), None);
        assert_eq!(sent(Door::SendText, 200, br#"{"status":"skipped","reason":"chat already left"}"#), None);
        let v1 = br#"{"id":"msg_1","state":"sent","account":"main","chat_id":"5","message_ids":[7],"attempts":[]}"#;
        assert_eq!(sent(Door::Messages, 200, v1), Some(7));
        assert_eq!(sent(Door::Messages, 202, v1), None);
        assert_eq!(sent(Door::Messages, 200, br#"{"state":"queued","message_ids":[]}"#), None);
        assert_eq!(sent(Door::Messages, 200, b"no JSON"), None);
    }

    #[test]
    fn a_caller_goes_through_all_chats() {
        let chats: BTreeSet<_> = (0..64).map(|turn| chat_of(5, turn, 64)).collect();
        assert_eq!(chats.len(), 64);
    }

    #[test]
    fn each_endpoint_gets_the_chat_in_its_own_format() {
        assert_eq!(body(Door::SendText, 5, "x"), br#"{"chat":5,"text":"x"}"#);
        assert_eq!(body(Door::Messages, 5, "x"), br#"{"chat":"5","text":"x"}"#);
    }

    /// A server that answers each request on a connection, and every third one with a failure.
    async fn server(listener: TcpListener, close: bool) {
        let mut served = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 4096];
            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                served += 1;
                let body = if served % 3 == 0 {
                    "{}".to_owned()
                } else {
                    format!(r#"{{"status":"ok","message_id":{served}}}"#)
                };
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                if stream.write_all(answer.as_bytes()).await.is_err() || close {
                    break;
                }
            }
        }
    }

    #[tokio::test]
    async fn callers_count_results_on_reused_and_new_connections() {
        for keep in [true, false] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let server = tokio::spawn(server(listener, !keep));
            let stretch = Stretch {
                address,
                door: Door::SendText,
                headers: String::new(),
                callers: 1,
                keep,
                lasts: Duration::from_mins(1),
                at_most: 6,
                label: "x".to_owned(),
            };
            let report = run(stretch, &[1, 2]).await.unwrap();
            server.abort();
            assert_eq!((report.claims.len(), report.failures), (4, 2), "{:?}", report.first_failure);
            assert_eq!(report.claims[0].message_id, 1);
            assert_eq!(report.latencies.summary().count, 4);
            assert!(report.first_failure.unwrap().contains("answered 200 {}"));
        }
    }
}
