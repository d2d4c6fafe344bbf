//! The folders of files: opened at the start, and cleared of files that are no longer needed.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use config::Settings;
use delivery::Ambient;
use domain::MessageId;
use media::shelf::Rules;
use media::{Fetcher, Limits, Outgoing, Shelf, Timeouts};
use outbound::{Allowed, Names};
use store::Store;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use web::Files;

/// The files of messages that are not over, in the data directory.
const OUTGOING: &str = "outgoing";

/// The files of messages that came in, in the data directory.
const RECEIVED: &str = "received";

/// Uploads that wait to be named, in the data directory.
const UPLOADS: &str = "uploads";

/// How many uploads are kept at most, however small they are.
const MOST_UPLOADS: usize = 10_000;

/// The longest that the connection to the server of an address may take.
const CONNECTION: Duration = Duration::from_secs(10);

/// How often the folders are swept.
const SWEEP_EVERY: Duration = Duration::from_mins(15);

/// An unused file is removed this long after the longest upload.
const MARGIN: Duration = Duration::from_mins(10);

/// Opens the folders of files. `private_sources` may be fetched from beside the public internet.
pub(crate) async fn open(
    settings: &Settings,
    data_dir: &Path,
    ambient: &Ambient,
    private_sources: Allowed,
) -> anyhow::Result<Files> {
    let Settings { media: settings, backup, .. } = settings;
    let folder = settings.folder_in(
        data_dir,
        &[
            Path::new(OUTGOING),
            Path::new(RECEIVED),
            Path::new(UPLOADS),
            Path::new(campaigns::BROWSERS),
            &backup.folder,
        ],
    )?;
    if settings.folder.is_relative() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("the media folder {}", folder.display()))?;
    }
    let limits = Limits { most: settings.max_size, idle: settings.silence, total: settings.file_within };
    let rules = Rules {
        keep: settings.uploads_keep,
        most_bytes: settings.uploads_max_size,
        most_files: MOST_UPLOADS,
    };
    let (ids, clock) = (&ambient.ids, &ambient.clock);
    let place = data_dir.join(OUTGOING);
    let outgoing = Outgoing::open(place.clone(), ids.clone(), clock.clone(), limits)
        .await
        .with_context(|| format!("the folder of outgoing files {}", place.display()))?;
    let place = data_dir.join(RECEIVED);
    let received = Outgoing::open(place.clone(), ids.clone(), clock.clone(), limits)
        .await
        .with_context(|| format!("the folder of received files {}", place.display()))?;
    let place = data_dir.join(UPLOADS);
    let shelf = Shelf::open(place.clone(), ids.clone(), clock.clone(), limits, rules)
        .await
        .with_context(|| format!("the folder of uploads {}", place.display()))?;
    let names = Names::of_system(private_sources);
    let timeouts =
        Timeouts { connection: CONNECTION.min(settings.answer_within), answer: settings.answer_within };
    let fetcher = Fetcher::new(names, outgoing.intake().clone(), timeouts)?;
    Ok(Files { outgoing, received, shelf, fetcher, folder })
}

/// Removes the files of messages once they are sent. What it misses is left to [`keep_clear`].
pub(crate) async fn remove_spent(files: Files, store: Store, mut spent: Receiver<MessageId>) {
    loop {
        let id = match spent.recv().await {
            Ok(id) => id,
            Err(RecvError::Lagged(missed)) => {
                tracing::debug!(missed, "messages whose files go later");
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        let done_with = match store.outbox().files_done_with(id).await {
            Ok(done_with) => done_with,
            Err(error) => {
                tracing::warn!(subject = %id, %error, "which files are done with could not be asked");
                continue;
            }
        };
        for key in done_with {
            if let Err(error) = files.outgoing.remove(&key).await {
                tracing::warn!(subject = %id, %error, "an outgoing file could not be removed");
            }
        }
    }
}

/// Removes the files of ended messages, those of messages that are not kept any more, and expired uploads, now and whenever the next one may expire.
pub(crate) async fn keep_clear(files: Files, store: Store, clock: ambient::Clock) {
    let young = files.outgoing.intake().limits().total.saturating_add(MARGIN);
    loop {
        let began = clock.now();
        // In this order: what is held now and given to a message meanwhile is in neither answer the other way round.
        let mut keep = files.outgoing.held();
        let needed = async {
            let mut needed = store.outbox().files_in_use().await?;
            needed.extend(store.campaigns().message_files().await?);
            Ok::<_, store::StoreError>(needed)
        };
        match needed.await {
            Ok(needed) => {
                keep.extend(needed);
                match files.outgoing.sweep(keep, young).await {
                    Ok(removed) => tracing::debug!(removed, "outgoing files that are over"),
                    Err(error) => tracing::warn!(%error, "the folder of outgoing files could not be swept"),
                }
            }
            Err(error) => tracing::warn!(%error, "which files are in use could not be asked"),
        }
        let kept = async {
            let mut kept = store.received().kept_files().await?;
            kept.extend(store.channels().stored_files().await?);
            Ok::<_, store::StoreError>(kept)
        };
        match kept.await {
            Ok(kept) => match files.received.sweep(kept.into_iter().collect(), young).await {
                Ok(removed) => tracing::debug!(removed, "received files that are over"),
                Err(error) => tracing::warn!(%error, "the folder of received files could not be swept"),
            },
            Err(error) => tracing::warn!(%error, "which received files are kept could not be asked"),
        }
        if let Err(error) = files.shelf.sweep().await {
            tracing::warn!(%error, "the folder of uploads could not be swept");
        }
        let next = began.plus(SWEEP_EVERY);
        // What cannot be removed is tried again later, not at once.
        let soonest = began.plus(Duration::from_mins(1));
        let next = files.shelf.next_expiry().map_or(next, |expiry| expiry.clamp(soonest, next));
        clock.sleep_until(next).await;
    }
}
