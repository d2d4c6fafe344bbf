//! Serving a file: from the folder of outgoing files or of backups, or as it comes down from Telegram, piece by piece.

use std::io::{self, SeekFrom};
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use domain::media::{FileKey, Sha256};
use futures::stream::{self, BoxStream, StreamExt};
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use media::Outgoing;
use telegram::{DownloadOf, DownloadRange};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::condition::Has;
use super::disposition::{BYTES, attachment, content_type};
use super::range::{Span, Unsatisfiable, Wanted};
use super::unread;
use crate::problem::{Code, Problem};
use crate::state::State;

/// How much of a file is read from the disk at once, in bytes.
const PIECE: usize = 64 * 1024;

/// How long a reader waits for its turn while others read.
const TURN: std::time::Duration = std::time::Duration::from_secs(30);

/// A file as it is described to its reader.
struct Whole<'a> {
    name: &'a str,
    mime: &'a str,
    size: u64,
    etag: Option<HeaderValue>,
}

pub(crate) struct FileRequest {
    wanted: Wanted,
    has: Has,
    only_of: Option<HeaderValue>,
}

impl FileRequest {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let wanted =
            headers.get(RANGE).and_then(|range| range.to_str().ok()).map_or(Wanted::All, Wanted::read);
        Self { wanted, has: Has::read(headers), only_of: headers.get(IF_RANGE).cloned() }
    }

    /// The range, unless it is meant for another state of the file.
    fn of(&self, etag: Option<&HeaderValue>) -> Wanted {
        match &self.only_of {
            Some(only_of) if Some(only_of) != etag => Wanted::All,
            _ => self.wanted,
        }
    }
}

/// A file in one of the folders of files; nothing if it is not there any more.
pub(crate) async fn stored(
    state: &State,
    folder: &Outgoing,
    (key, sha256): (&FileKey, Sha256),
    (name, mime): (&str, &str),
    request: &FileRequest,
) -> Result<Option<Response>, Problem> {
    let Some((file, size)) = opened(state, folder, key).await? else { return Ok(None) };
    whole_or_part(state, (file, size), (name, mime), &sha256.to_string(), request).await.map(Some)
}

/// An outgoing file, for anyone who has its link; nothing if it is not there any more. Its type is what its message says.
pub(crate) async fn linked(
    state: &State,
    key: &FileKey,
    mime: &str,
    request: &FileRequest,
) -> Result<Option<Response>, Problem> {
    let Some((file, size)) = opened(state, state.files().outgoing(), key).await? else { return Ok(None) };
    // A file is written once.
    let tag = key.to_string();
    let mut response = whole_or_part(state, (file, size), ("", mime), &tag, request).await?;
    if response.headers().contains_key(CONTENT_DISPOSITION) {
        let kind = HeaderValue::from_str(mime).ok().filter(|kind| !kind.is_empty());
        response.headers_mut().insert(CONTENT_TYPE, kind.unwrap_or(BYTES));
        response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    Ok(Some(response))
}

/// A file of a folder, and its size.
async fn opened(state: &State, folder: &Outgoing, key: &FileKey) -> Result<Option<(File, u64)>, Problem> {
    let _turn = turn(state, state.files().disk()).await?;
    let opened = async {
        let file = File::open(folder.path(key)).await?;
        let size = file.metadata().await?.len();
        Ok::<_, io::Error>((file, size))
    };
    match opened.await {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&error)),
    }
}

/// A backup, out of its file; `size` is in bytes. It is nothing to be kept by what is between: anyone who has it and the
/// master key has the accounts.
pub(crate) async fn backup(
    state: &State,
    (file, size): (std::fs::File, u64),
    name: &str,
    request: &FileRequest,
) -> Result<Response, Problem> {
    // One name is one backup: a file is written once, and given its name when it is whole.
    let tag = format!("{name}-{size}");
    let mut response =
        whole_or_part(state, (File::from_std(file), size), (name, "application/gzip"), &tag, request).await?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What is asked for of a file on the disk, read piece by piece as its reader takes it.
async fn whole_or_part(
    state: &State,
    (mut file, size): (File, u64),
    (name, mime): (&str, &str),
    tag: &str,
    request: &FileRequest,
) -> Result<Response, Problem> {
    let etag = HeaderValue::from_str(&format!("\"{tag}\"")).ok();
    if request.has.is(tag) {
        return Ok(unchanged(etag));
    }
    let Ok(span) = request.of(etag.as_ref()).within(size) else { return Ok(nothing_of(size)) };
    let Span { start, length } = span.unwrap_or(Span { start: 0, length: size });
    file.seek(SeekFrom::Start(start)).await.map_err(|error| unreadable(&error))?;
    let pieces = stream::try_unfold((file.take(length), state.files().disk()), async |(mut file, places)| {
        // Only while it is read: its reader may take minutes to write it on.
        let place = places.acquire().await.map_err(io::Error::other)?;
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await?;
        drop(place);
        Ok::<_, io::Error>((read > 0).then(|| (piece.freeze(), (file, places))))
    });
    Ok(answer(&Whole { name, mime, size, etag }, span, pieces.boxed()))
}

pub(crate) async fn from_telegram(
    state: &State,
    what: DownloadOf,
    request: &FileRequest,
) -> Result<Response, Problem> {
    let place = turn(state, state.files().telegram()).await?;
    let now = || state.clock().now();
    let download = async |range| state.pool().download(what.clone(), range).await;
    let mut wanted = request.of(None);
    // Files from there have no tag; anyone who wants none at all learns whether there is one.
    if request.has == Has::Any {
        let first = DownloadRange { offset: 0, limit: Some(1) };
        download(first).await.map_err(|error| unread::problem(error, now()))?;
        return Ok(unchanged(None));
    }
    if let Wanted::Last(_) = wanted {
        // Where that begins is known only when the size is.
        let first = DownloadRange { offset: 0, limit: Some(1) };
        let size = download(first).await.map_err(|error| unread::problem(error, now()))?.size;
        match wanted.within(size) {
            Ok(Some(span)) => wanted = Wanted::From(span.start),
            Ok(None) | Err(Unsatisfiable) => return Ok(nothing_of(size)),
        }
    }
    let range = match wanted {
        Wanted::All | Wanted::Last(_) => DownloadRange::default(),
        Wanted::From(first) => DownloadRange { offset: first, limit: None },
        Wanted::Between(first, last) => {
            DownloadRange { offset: first, limit: Some((last - first).saturating_add(1)) }
        }
    };
    let found = match download(range).await {
        Ok(found) => found,
        Err(telegram::DownloadError::OutOfRange { size }) => return Ok(nothing_of(size)),
        Err(error) => return Err(unread::problem(error, now())),
    };
    let Ok(span) = wanted.within(found.size) else { return Ok(nothing_of(found.size)) };
    let name = if found.name.is_empty() { unnamed(&found.mime) } else { found.name.as_str() };
    let whole = Whole { name, mime: &found.mime, size: found.size, etag: None };
    drop(place);
    let pieces = stream::unfold((found.stream, state.files().telegram()), async |(mut pieces, places)| {
        let place = places.acquire().await;
        let piece = pieces.next().await?;
        drop(place);
        Some((piece, (pieces, places)))
    });
    Ok(answer(&whole, span, pieces.boxed()))
}

/// What a file is called whose sender gave it no name.
pub(crate) fn unnamed(mime: &str) -> &'static str {
    match mime {
        "image/jpeg" => "photo.jpg",
        "audio/ogg" => "voice.ogg",
        "video/mp4" => "video.mp4",
        _ => "file",
    }
}

async fn turn(state: &State, places: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let turn = state.clock().timeout(TURN, places.acquire_owned()).await;
    turn.ok().and_then(Result::ok).ok_or_else(|| {
        Problem::new(Code::QueueFull, "Too many files are being read already; try again in a moment.")
            .retry_after(5)
    })
}

fn answer(whole: &Whole<'_>, span: Option<Span>, pieces: BoxStream<'static, io::Result<Bytes>>) -> Response {
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type(whole.mime));
    headers.insert(CONTENT_DISPOSITION, attachment(whole.name));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(etag) = &whole.etag {
        headers.insert(ETAG, etag.clone());
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(span.map_or(whole.size, |span| span.length)));
    if let Some(Span { start, length }) = span {
        put(headers, CONTENT_RANGE, &format!("bytes {start}-{}/{}", start + length - 1, whole.size));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

fn unchanged(etag: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    if let Some(etag) = etag {
        response.headers_mut().insert(ETAG, etag);
    }
    response
}

/// The file has none of the bytes that were asked for.
fn nothing_of(size: u64) -> Response {
    let detail = format!("The file has {size} bytes, and none of those that the header Range asks for.");
    let mut response = Problem::new(Code::RangeNotSatisfiable, detail).into_response();
    put(response.headers_mut(), CONTENT_RANGE, &format!("bytes */{size}"));
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn unreadable(error: &io::Error) -> Problem {
    tracing::error!(%error, "a file cannot be read");
    Problem::new(Code::StoreUnavailable, "The file cannot be read now. Try again; the log says why.")
        .retry_after(5)
}
