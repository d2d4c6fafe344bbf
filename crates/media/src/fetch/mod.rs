//! Fetching: from an address that a caller gave to a file, with nothing taken on trust.

mod redirect;
mod unpacking;

use std::time::Duration;

use ambient::Clock;
use futures::stream;
use outbound::guard::{self, AddressError, Refused};
use outbound::header::{ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_ENCODING, HeaderMap, HeaderValue};
use outbound::{Client, NamedBy, Names, Response, SendError, StatusCode, Url, innermost};

use crate::intake::{Intake, TakeError, Taken, Wait};
use crate::name::FileName;

pub use redirect::RedirectError;

/// How servers call the one encoding that is taken although it was not asked for.
const GZIP: [&str; 2] = ["gzip", "x-gzip"];

/// How long a server may take before the first byte of a file. What follows has the limits of the [`Intake`], whose
/// total is that of the whole call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the look-up of the name, the connection and TLS; again after each redirect.
    pub connection: Duration,
    /// For all of that and the headers of the answer; again after each redirect.
    pub answer: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    pub taken: Taken,
    /// What it is called: as the caller said, else as its server says.
    pub name: FileName,
}

/// Why an address did not become a file. Nothing of it is left on disk.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("the address leads to a place that is not allowed: {0}")]
    Refused(#[from] Refused),
    #[error("the host of the address cannot be found")]
    UnknownHost,
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the server answered {0}")]
    Status(StatusCode),
    #[error(transparent)]
    Redirect(#[from] RedirectError),
    #[error("the server sent the file compressed ({0}), which was not asked for")]
    Encoded(String),
    #[error(transparent)]
    Take(#[from] TakeError),
}

/// No file can be fetched.
#[derive(Debug, thiserror::Error)]
#[error("files cannot be fetched; install the system's certificates (ca-certificates)")]
pub struct ClientError(#[from] SendError);

/// Fetches files into the folder of an [`Intake`].
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    names: Names,
    clock: Clock,
    intake: Intake,
    timeouts: Timeouts,
}

impl Fetcher {
    /// A fetcher whose every address passes the guard in `names`.
    pub fn new(names: Names, intake: Intake, timeouts: Timeouts) -> Result<Self, ClientError> {
        let clock = intake.clock().clone();
        let client = Client::builder(NamedBy::Caller(names.clone()))
            .connect_by(clock.clone(), timeouts.connection)
            .build()?;
        Ok(Self { client, names, clock, intake, timeouts })
    }

    /// Fetches a file. `requested` is the name that the caller wants it to have.
    pub async fn fetch(&self, address: &str, requested: Option<&str>) -> Result<Fetched, FetchError> {
        let url = guard::address(address, self.names.allowed())?;
        let limit = self.intake.limits().total;
        let slow = |_| TakeError::TooSlow { wait: Wait::WholeFile, limit };
        // Many kilobytes of state, which a caller need not carry within its own.
        self.clock.timeout(limit, Box::pin(self.follow(url, requested))).await.map_err(slow)?
    }

    async fn follow(&self, mut url: Url, requested: Option<&str>) -> Result<Fetched, FetchError> {
        let mut followed = 0;
        loop {
            let answer = self.ask(&url).await?;
            if let Some(next) = redirect::next(&url, answer.status(), answer.headers(), followed)? {
                url = guard::check(next, self.names.allowed())?;
                followed += 1;
                continue;
            }
            return self.take(&url, answer, requested).await;
        }
    }

    /// Asks one server, and returns when the headers of its answer are there.
    async fn ask(&self, url: &Url) -> Result<Response, FetchError> {
        let limit = self.timeouts.answer;
        let request = self.client.get(url.as_str()).header(ACCEPT_ENCODING, "identity");
        let slow = |_| TakeError::TooSlow { wait: Wait::Answer, limit };
        let answer = self
            .clock
            .timeout(limit, self.client.send(request))
            .await
            .map_err(slow)?
            .map_err(|error| self.unreached(error))?;
        Ok(answer)
    }

    /// Why there is no answer.
    fn unreached(&self, error: SendError) -> FetchError {
        match error {
            SendError::Refused(AddressError::Refused(refused)) => FetchError::Refused(refused),
            SendError::Refused(error) => FetchError::Address(error),
            SendError::UnknownHost => FetchError::UnknownHost,
            SendError::Late => {
                let limit = self.timeouts.connection;
                TakeError::TooSlow { wait: Wait::Connection, limit }.into()
            }
            SendError::Http(error) => FetchError::Unreachable(innermost(&error)),
        }
    }

    async fn take(
        &self,
        url: &Url,
        answer: Response,
        requested: Option<&str>,
    ) -> Result<Fetched, FetchError> {
        // 206 would be a part that no one asked for.
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        // An archive that its server calls encoded is the file itself.
        let encoding = encoding(answer.headers()).filter(|_| !is_packed(url));
        let is_gzip = encoding.as_deref().is_some_and(|encoding| GZIP.contains(&encoding));
        if let Some(encoding) = encoding.filter(|_| !is_gzip) {
            return Err(FetchError::Encoded(encoding));
        }
        let disposition =
            answer.headers().get(CONTENT_DISPOSITION).map(HeaderValue::as_bytes).map(ToOwned::to_owned);
        let declared = answer.content_length().filter(|_| !is_gzip);
        let pieces = stream::try_unfold(answer, |mut answer| async move {
            let piece = answer.chunk().await.map_err(|error| innermost(&error))?;
            Ok::<_, String>(piece.map(|piece| (piece, answer)))
        });
        let taken = if is_gzip {
            self.intake.stream(declared, unpacking::unpacked(pieces)).await?
        } else {
            self.intake.stream(declared, pieces).await?
        };
        let name = FileName::choose(requested, disposition.as_deref(), Some(url), taken.facts.content);
        Ok(Fetched { taken, name })
    }
}

/// The encoding of an answer, where it is not the file as it is.
fn encoding(headers: &HeaderMap) -> Option<String> {
    let encoding = headers.get(CONTENT_ENCODING)?.as_bytes();
    let plain = encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity");
    let shown = || String::from_utf8_lossy(encoding).chars().filter(|c| !c.is_control()).take(64).collect();
    (!plain).then(shown).map(|encoding: String| encoding.to_ascii_lowercase())
}

/// Whether an address is that of a file which is packed itself.
fn is_packed(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    [".gz", ".tgz"].iter().any(|ending| path.ends_with(ending))
}
