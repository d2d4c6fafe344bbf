//! Updates posted to the webhook of a bot: one after the other, again after a failure, until they are taken.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::telegram::world::{Telegram, now};

/// What one delivery may take.
const AT_MOST: Duration = Duration::from_secs(10);
/// The task looks again after this long in any case.
const LOOK: Duration = Duration::from_millis(250);

/// Whether a webhook may be set there. Addresses of this machine are taken without TLS and with any port, as a Bot API server of
/// one's own takes them; all others have the rules of Telegram's.
pub(super) fn checked(url: &str) -> Result<(), &'static str> {
    let read: Uri = url.parse().map_err(|_| "invalid webhook URL specified")?;
    let host = read.host().unwrap_or_default();
    if host == "127.0.0.1" || host == "localhost" {
        return if read.scheme_str() == Some("http") { Ok(()) } else { Err("invalid webhook URL specified") };
    }
    if read.scheme_str() != Some("https") {
        return Err("An HTTPS URL must be provided for webhook");
    }
    let port = read.port_u16().unwrap_or(443);
    let allowed = [80, 88, 443, 8443].contains(&port);
    allowed.then_some(()).ok_or("Webhook can be set up only on ports 80, 88, 443 or 8443")
}

/// An update on its way.
struct Parcel {
    bot: i64,
    update: i64,
    url: String,
    secret: Option<String>,
    body: String,
}

impl Telegram {
    /// Posts updates to webhooks until the token is cancelled.
    pub(crate) async fn keep_webhooks(self: Arc<Self>, stop: CancellationToken) {
        let posted = Arc::clone(&self.lock().bots.posted);
        loop {
            while let Some(parcel) = self.next_parcel() {
                let done = tokio::select! {
                    () = stop.cancelled() => return,
                    done = tokio::time::timeout(AT_MOST, post(&parcel)) => done,
                };
                let error = match done {
                    Ok(Ok(200..=299)) => None,
                    Ok(Ok(status)) => Some(format!("Wrong response from the webhook: {status}")),
                    Ok(Err(error)) => Some(error.to_string()),
                    Err(_) => Some("Connection timed out".to_owned()),
                };
                self.delivered(&parcel, error);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = posted.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn next_parcel(&self) -> Option<Parcel> {
        let state = self.lock();
        let at = now().0;
        state.bots.api.iter().find_map(|(bot, api)| {
            let hook = api.hook.as_ref().filter(|hook| hook.after <= at)?;
            let (update, body) = api.updates.front()?;
            let (url, secret, body) = (hook.url.clone(), hook.secret.clone(), body.to_string());
            Some(Parcel { bot: *bot, update: *update, url, secret, body })
        })
    }

    fn delivered(&self, parcel: &Parcel, error: Option<String>) {
        let mut state = self.lock();
        let Some(api) = state.bots.api.get_mut(&parcel.bot) else { return };
        let Some(hook) = api.hook.as_mut() else { return };
        match error {
            None => {
                hook.failures = 0;
                api.updates.retain(|(id, _)| *id != parcel.update);
            }
            Some(error) => {
                hook.failures += 1;
                let wait = 250_000_i64 << hook.failures.min(8);
                hook.after = now().0 + wait;
                hook.last_error = Some((now().date(), error));
            }
        }
    }
}

/// Posts over plain HTTP and returns the status. TLS is not spoken: a webhook elsewhere is never reached.
async fn post(parcel: &Parcel) -> std::io::Result<u16> {
    let url: Uri = parcel.url.parse().map_err(std::io::Error::other)?;
    if url.scheme_str() != Some("http") {
        return Err(std::io::Error::other("the sandbox posts to addresses of this machine alone"));
    }
    let host = url.host().unwrap_or("127.0.0.1");
    let port = url.port_u16().unwrap_or(80);
    let mut stream = TcpStream::connect((host, port)).await?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let secret = parcel.secret.as_deref().map(|it| format!("X-Telegram-Bot-Api-Secret-Token: {it}\r\n"));
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\
         Connection: close\r\n\r\n",
        parcel.body.len(),
        secret.unwrap_or_default(),
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(parcel.body.as_bytes()).await?;
    let mut response = Vec::new();
    let mut piece = [0; 256];
    while !response.contains(&b'\n') && response.len() < 1_024 {
        match stream.read(&mut piece).await? {
            0 => break,
            read => response.extend_from_slice(&piece[..read]),
        }
    }
    let line = String::from_utf8_lossy(&response);
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| std::io::Error::other("the answer is no HTTP"))
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn webhooks_are_on_https_and_few_ports_or_on_this_machine() {
        for url in ["https://example.com/x", "https://example.com:8443/", "http://127.0.0.1:4000/hook"] {
            assert_eq!(checked(url), Ok(()), "{url}");
        }
        for url in ["http://example.com/", "https://example.com:4000/", "https://127.0.0.1/", "nonsense", ""]
        {
            assert!(checked(url).is_err(), "{url}");
        }
    }
}
