//! A file that its server packed on the way, with gzip.

use std::io::Write;

use bytes::Bytes;
use flate2::write::GzDecoder;
use futures::stream::{self, Stream, TryStreamExt};

/// The most packed bytes that are unpacked at a time: a thousand times as many may come of them.
const STEP: usize = 4 * 1024;

/// Unpacks the pieces of a file as they come.
pub(super) fn unpacked(
    packed: impl Stream<Item = Result<Bytes, String>>,
) -> impl Stream<Item = Result<Bytes, String>> {
    let steps = packed.map_ok(|piece| {
        let steps: Vec<Bytes> = piece.chunks(STEP).map(Bytes::copy_from_slice).collect();
        stream::iter(steps.into_iter().map(Ok::<_, String>))
    });
    let state = (Box::pin(steps.try_flatten()), Some(GzDecoder::new(Vec::new())));
    stream::try_unfold(state, |(mut steps, decoder)| async move {
        let Some(mut decoder) = decoder else { return Ok(None) };
        let broken = |error: std::io::Error| format!("it cannot be unpacked: {error}");
        while let Some(step) = steps.try_next().await? {
            decoder.write_all(&step).map_err(broken)?;
            let unpacked = std::mem::take(decoder.get_mut());
            if !unpacked.is_empty() {
                return Ok(Some((Bytes::from(unpacked), (steps, Some(decoder)))));
            }
        }
        let rest = decoder.finish().map_err(broken)?;
        Ok(Some((Bytes::from(rest), (steps, None))))
    })
}
