//! Taking in all files that a message names, several at once, or none of them.

use std::io::ErrorKind;
use std::time::Duration;

use domain::media::{Media, MediaForm, MediaSource, Sha256};
use futures::stream::{self, StreamExt, TryStreamExt};
use media::{FileName, TakeError, Taken, kind};

use super::form::form;
use super::load::{Carried, Load};
use super::named::{Named, Source};
use super::refused::{Untaken, Why};
use super::slots::Asker;
use super::{BoundedFiles, Files, Uploads};
use crate::state::State;

/// How many files of one message are taken in at once.
const AT_ONCE: usize = 4;

/// How long a file waits for its turn while others are taken in.
const TURN: Duration = Duration::from_mins(1);

/// On which terms the files of a message are taken in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) asker: Asker,
    pub(crate) uploads: Uploads,
    /// How long those from addresses may take, all together and with the wait for their turn; nothing where the whole of
    /// it has a bound already.
    pub(crate) addresses_within: Option<Duration>,
}

/// A wait that many share, by the monotonic clock.
#[derive(Debug, Clone, Copy)]
struct Until {
    end: Duration,
    within: Duration,
}

/// Takes in every file, in the order in which they are named. When one is not taken, none is.
pub(crate) async fn take(state: &State, named: Vec<Named>, terms: Terms) -> Result<Load, Untaken> {
    let began = state.clock().running();
    let until = terms.addresses_within.map(|within| Until { end: began.saturating_add(within), within });
    let taking = stream::iter(named.into_iter().enumerate())
        .map(|(index, named)| {
            let state = state.clone();
            async move {
                let one = tokio::select! {
                    biased;
                    () = state.stopping() => Err(Why::Stopping),
                    one = take_one(&state, &named, terms, until) => one,
                };
                one.map_err(|why| Untaken::new(index, &named.source, why))
            }
        })
        .buffered(AT_ONCE)
        .try_collect();
    // Much state for each of them, which the caller need not carry within its own.
    Box::pin(taking).await.map(Load::new)
}

async fn take_one(state: &State, named: &Named, terms: Terms, until: Option<Until>) -> Result<Carried, Why> {
    let files = state.files();
    let given_name = named.name.as_deref();
    let Files { outgoing, fetcher, folder, .. } = &files.files;
    match &named.source {
        Source::Post { channel, message_id } => {
            let source = MediaSource::Post { channel: channel.clone(), message_id: *message_id };
            Ok(from_telegram(source, given_name))
        }
        Source::FileId(file_id) => {
            Ok(from_telegram(MediaSource::FileId { file_id: file_id.clone() }, given_name))
        }
        Source::Url(address) => {
            let fetching = async {
                let _turn = turn(state, files.slots.away(terms.asker)).await?;
                Ok::<_, Why>(fetcher.fetch(address, given_name).await?)
            };
            let fetched = match until {
                None => fetching.await?,
                Some(Until { end, within }) => {
                    let left = end.saturating_sub(state.clock().running());
                    state.clock().timeout(left, fetching).await.map_err(|_| Why::Late { within })??
                }
            };
            carried(files, named, fetched.taken, &fetched.name)
        }
        Source::Upload(id) => {
            let _turn = turn(state, files.slots.here()).await?;
            let upload = files.upload(*id, terms.uploads).ok_or(Why::NoUpload)?;
            let taken = outgoing.intake().adopt(&upload.taken).await.map_err(|error| match error {
                // Its time was over a moment ago.
                TakeError::Disk(error) if error.kind() == ErrorKind::NotFound => Why::NoUpload,
                error => Why::Take(error),
            })?;
            carried(files, named, taken, &given_name.and_then(FileName::new).unwrap_or(upload.name))
        }
        Source::Path(path) => {
            let _turn = turn(state, files.slots.here()).await?;
            let taken = outgoing.intake().path(folder, path).await?;
            let own = path.file_name().map(|name| name.to_string_lossy());
            let name = FileName::choose(given_name.or(own.as_deref()), None, None, taken.facts.content);
            carried(files, named, taken, &name)
        }
    }
}

/// A slot among the files that come in at once.
async fn turn<P>(state: &State, slot: impl Future<Output = Option<P>>) -> Result<P, Why> {
    state.clock().timeout(TURN, slot).await.map_err(|_| Why::Busy)?.ok_or(Why::Stopping)
}

/// What it is, and what it is called, is known to Telegram alone.
fn from_telegram(source: MediaSource, given_name: Option<&str>) -> Carried {
    let name = given_name.and_then(FileName::new).map(|name| name.to_string()).unwrap_or_default();
    Carried { media: Media { source, form: MediaForm::Document, name, mime: String::new() }, held: None }
}

/// Decides as what a file is sent. It is held before anything can go wrong with it.
fn carried(files: &BoundedFiles, named: &Named, taken: Taken, name: &FileName) -> Result<Carried, Why> {
    let outgoing = files.outgoing();
    let held = outgoing.hold(taken).map_err(TakeError::from)?;
    let facts = held.taken().facts;
    let kind = kind::choose(&facts, name.as_str(), named.wish, outgoing.intake().limits().most)?;
    let source = MediaSource::File {
        key: held.key().clone(),
        size: held.taken().size,
        sha256: Sha256(held.taken().sha256),
    };
    let media = Media {
        source,
        form: form(kind, &facts, named.streamable),
        name: name.to_string(),
        mime: kind::mime(facts.content, name.as_str()).to_owned(),
    };
    Ok(Carried { media, held: Some(held) })
}
