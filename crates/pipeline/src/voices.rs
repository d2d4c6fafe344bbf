//! Voices of clients, written down while their batches wait.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::time::Duration;

use ambient::Handle;
use channels::{OpenError, ReceivedFiles};
use config::PipelineTranscriptionSettings;
use domain::secret::ExposeSecret;
use domain::{InboundId, InboundKind, ReceivedId, Timestamp, Words};
use outbound::Body;
use store::StoreError;
use telegram::{DownloadError, DownloadOf, DownloadRange};

use crate::ai::{Recording, Transcriber, TranscriptionError};
use crate::model::{WrongModel, endpoint};
use crate::rules::rules;
use crate::service::Inner;

/// Voices that are written down at the same time, at most.
const AT_ONCE: usize = 8;
/// How long until it is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// How often is looked whether a voice waits, whatever happens.
const LOOK: Duration = Duration::from_secs(30);

/// What hears voices.
pub(crate) struct Voices {
    transcriber: Transcriber,
    received: ReceivedFiles,
}

/// Why a voice is not written down.
#[derive(Debug, thiserror::Error)]
enum HearError {
    /// Trying again changes nothing.
    #[error("{0}")]
    Final(String),
    #[error("{0}")]
    Passing(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<TranscriptionError> for HearError {
    fn from(error: TranscriptionError) -> Self {
        match error {
            TranscriptionError::TooLarge(_) | TranscriptionError::Format | TranscriptionError::Empty => {
                Self::Final(error.to_string())
            }
            TranscriptionError::File(_) | TranscriptionError::Ask(_) => Self::Passing(error.to_string()),
        }
    }
}

impl From<OpenError> for HearError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Gone(why) => Self::Final(why),
            OpenError::Store(error) => Self::Store(error),
            OpenError::Busy | OpenError::Fetch(_) => Self::Passing(error.to_string()),
        }
    }
}

impl From<DownloadError> for HearError {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::NotFound { .. }
            | DownloadError::NoSuchMessage
            | DownloadError::NoMedia
            | DownloadError::NoRights { .. }
            | DownloadError::OutOfRange { .. }
            | DownloadError::HandedOutElsewhere => Self::Final(error.to_string()),
            DownloadError::NoAccount { .. } | DownloadError::FloodWait { .. } | DownloadError::Failed(_) => {
                Self::Passing(error.to_string())
            }
        }
    }
}

impl Voices {
    /// # Errors
    /// The settings cannot be used.
    pub(crate) fn new(
        settings: &PipelineTranscriptionSettings,
        clock: ambient::Clock,
        received: ReceivedFiles,
    ) -> Result<Self, WrongModel> {
        let PipelineTranscriptionSettings { url, model, key, ca_file } = settings;
        let key = key.as_ref().map(ExposeSecret::expose_secret);
        let endpoint = endpoint(clock, "pipeline.transcription", (url, key), ca_file.as_deref())?;
        Ok(Self { transcriber: Transcriber::new(endpoint, model.clone()), received })
    }
}

/// Has voices written down until the program ends.
pub(crate) async fn run(inner: Handle<Inner>) {
    loop {
        let wait = match Inner::hear_all(&inner).await {
            Ok(()) => None,
            Err(error) => {
                tracing::warn!(%error, "voices wait for the store");
                Some(TRY_AGAIN)
            }
        };
        let clock = &inner.parts.clock;
        tokio::select! {
            () = inner.closing().cancelled() => return,
            // The pipeline takes what came in, and says so.
            () = inner.voices_changed.notified() => {}
            () = clock.sleep(wait.unwrap_or(LOOK)) => {}
        }
    }
}

impl Inner {
    /// Begins with each voice that no one listens to, as long as there is room.
    async fn hear_all(inner: &Handle<Self>) -> Result<(), StoreError> {
        let waiting = inner.parts.store.pipeline().voices(100).await?;
        for (message, until) in waiting {
            {
                let mut transcribing = inner.transcribing();
                if transcribing.len() >= AT_ONCE {
                    return Ok(());
                }
                if !transcribing.insert(message.clone()) {
                    continue;
                }
            }
            let task = inner.clone();
            inner.spawn(async move {
                if let Err(error) = task.hear(&message, until).await {
                    tracing::warn!(message, %error, "what a voice says is not noted");
                    task.parts.clock.sleep(TRY_AGAIN).await;
                }
                task.transcribing().remove(&message);
                task.voices_changed.notify_one();
            });
        }
        Ok(())
    }

    /// Has one voice written down, or gives up when its batch waits no longer.
    async fn hear(&self, message: &str, until: Timestamp) -> Result<(), StoreError> {
        let clock = &self.parts.clock;
        let text = loop {
            let left = until.since(clock.now());
            let error = match clock.timeout(left, self.try_to_hear(message, left)).await {
                Ok(Ok(text)) => break Some(text),
                Ok(Err(HearError::Store(error))) => return Err(error),
                Ok(Err(error)) => error,
                Err(_) => HearError::Final("there was no answer in time".to_owned()),
            };
            let is_final = matches!(error, HearError::Final(_)) || clock.now().plus(TRY_AGAIN) >= until;
            tracing::warn!(message, %error, is_final, "a voice is not written down");
            if is_final {
                break None;
            }
            clock.sleep(TRY_AGAIN).await;
        };
        let rules = rules(&self.parts.settings, clock.now());
        self.parts.store.pipeline().heard(&rules, message, text).await?;
        self.moved();
        Ok(())
    }

    async fn try_to_hear(&self, message: &str, limit: Duration) -> Result<Words, HearError> {
        let gone = || HearError::Final("its file is not there".to_owned());
        let Some(voices) = &self.voices else { return Err(gone()) };
        if let Ok(id) = message.parse::<ReceivedId>() {
            return self.try_to_hear_account(voices, &id, limit).await;
        }
        let id: InboundId = message.parse().map_err(|_| gone())?;
        let stored = self.parts.store.channels().get(id).await?.ok_or_else(gone)?;
        let mut media = stored.message.media.iter().zip(0_u32..);
        let (media, place) = media.find(|(media, _)| media.kind == InboundKind::Voice).ok_or_else(gone)?;
        let opened = voices.received.open(&stored, place).await?.ok_or_else(gone)?;
        let path = voices.received.path(&opened);
        let mime = opened.file.mime.as_deref().or(media.mime.as_deref());
        let name = media.name.as_deref().unwrap_or_default();
        Ok(voices.transcriber.transcribe(Recording { path: &path, name, mime }, limit).await?)
    }

    /// The same of what was written to an account of Telegram.
    async fn try_to_hear_account(
        &self,
        voices: &Voices,
        id: &ReceivedId,
        limit: Duration,
    ) -> Result<Words, HearError> {
        let stored = self.parts.store.received().get(id).await?;
        let message = stored.ok_or_else(|| HearError::Final("its message is not there".to_owned()))?.message;
        let (account, chat_id, message_id) = (message.account, message.chat_id, message.message_id);
        let of = DownloadOf::Counted { account, chat_id, message_id };
        let file = Box::pin(self.parts.pool.download(of, DownloadRange::default())).await?;
        let sound = (file.size, Body::wrap_stream(file.stream));
        Ok(voices.transcriber.transcribe_stream((&file.name, Some(&file.mime)), sound, limit).await?)
    }

    fn transcribing(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.transcribing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
