//! A file as the body of a request: read in pieces, which are counted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use indicatif::ProgressBar;
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};

/// The largest piece that is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// The body of a request that is a file.
pub(crate) struct OutgoingFile {
    file: File,
    size: u64,
    sent: Arc<AtomicU64>,
    bar: ProgressBar,
    piece: Box<[u8]>,
}

impl OutgoingFile {
    /// Sends `size` bytes, even if the file grows meanwhile.
    pub(crate) fn new(file: File, size: u64, bar: ProgressBar) -> Self {
        Self { file, size, sent: Arc::default(), bar, piece: vec![0; PIECE].into() }
    }

    /// How many bytes were taken so far.
    pub(crate) fn sent(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.sent)
    }

    fn left(&self) -> u64 {
        self.size.saturating_sub(self.sent.load(Ordering::Relaxed))
    }
}

impl Body for OutgoingFile {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        let left = this.left();
        if left == 0 {
            return Poll::Ready(None);
        }
        let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = ReadBuf::new(this.piece.get_mut(..wanted).unwrap_or_default());
        if let Err(error) = ready!(Pin::new(&mut this.file).poll_read(context, &mut piece)) {
            return Poll::Ready(Some(Err(error)));
        }
        let read = Bytes::copy_from_slice(piece.filled());
        if read.is_empty() {
            let shorter = "the file became shorter while it was read";
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, shorter))));
        }
        let sent = this.size - left + read.len() as u64;
        this.sent.store(sent, Ordering::Relaxed);
        this.bar.set_position(sent);
        Poll::Ready(Some(Ok(Frame::data(read))))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn body(bytes: usize, size: u64) -> OutgoingFile {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(bytes as u64).expect("it grows");
        OutgoingFile::new(File::from_std(file), size, ProgressBar::hidden())
    }

    #[tokio::test]
    async fn a_file_comes_in_small_pieces_and_each_is_counted() {
        let size = 3 * PIECE as u64 + 7;
        let mut body = body(3 * PIECE + 7, size);
        let sent = body.sent();
        assert_eq!(body.size_hint().exact(), Some(size));
        let mut total = 0;
        while let Some(frame) = body.frame().await {
            let piece = frame.expect("reads").into_data().expect("data");
            assert!(piece.len() <= PIECE);
            total += piece.len() as u64;
            assert_eq!(sent.load(Ordering::Relaxed), total);
        }
        assert_eq!(total, size);
    }

    #[tokio::test]
    async fn a_growing_file_is_cut_and_a_shrinking_one_is_an_error() {
        let grown = body(100, 60);
        assert_eq!(grown.collect().await.expect("reads").to_bytes().len(), 60);
        let shrunk = body(60, 100);
        let error = shrunk.collect().await.expect_err("too short");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
