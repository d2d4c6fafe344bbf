//! What can be done for a part before it is sent: its files brought up, its posts read, its ids understood.

use std::sync::Arc;

use domain::account::Operation;
use domain::media::{FileKey, Media, MediaSource, Sha256};
use domain::outcome::{HoldScope, Unclear};
use domain::{ChatId, Outcome, Purpose};
use grammers_tl_types::{enums, functions};
use store::FileReference;

use super::file_state::{Origin, Ready, SharedUploads, Watched};
use super::upload::{self, Source};
use super::{file_id, input, post, sending};
use crate::account::Account;
use crate::peers::lookup;
use crate::routing::router::Usable;
use crate::sending::Attempt;
use crate::sending::part;

/// How long Telegram may take to make a file of what was uploaded.
const MAKE: std::time::Duration = std::time::Duration::from_mins(1);

/// Makes all items of a part ready. What is ready already is left as it is.
pub(crate) async fn prepare(
    account: &Account,
    depot: &SharedUploads,
    attempt: Attempt<'_>,
) -> Result<(), Outcome> {
    match account.usable() {
        Usable::Now => {}
        Usable::Connecting => return Err(Outcome::Unavailable("connecting".to_owned())),
        Usable::No(..) => return Err(part::unusable(account)),
    }
    let is_album = attempt.part.items.len() > 1;
    for item in &attempt.part.items {
        if account.file_state.ready(item.random_id, account.now()).is_some() {
            continue;
        }
        let media = item.media.and_then(|place| attempt.content.media.get(usize::from(place)));
        let Some(media) = media else { return Err(Outcome::Rejected { code: "MEDIA_EMPTY".into() }) };
        let ready = match &media.source {
            MediaSource::File { key, size, sha256 } => {
                let file = StoredFile { key, size: *size, sha256: *sha256 };
                file.prepare(account, depot, attempt.chat_id, media, is_album).await?
            }
            MediaSource::Post { channel, message_id } => post::read(account, channel, *message_id).await?,
            MediaSource::FileId { file_id } => by_file_id(account, file_id)?,
        };
        account.file_state.put(item.random_id, ready);
    }
    Ok(())
}

fn by_file_id(account: &Account, text: &str) -> Result<Ready, Outcome> {
    let file = file_id::decode(text).map_err(|_| Outcome::Rejected { code: "FILE_ID_INVALID".into() })?;
    Ok(Ready {
        input: input::named(file.kind, file.id, file.access_hash, file.file_reference),
        origin: Origin::FileId,
        at: account.now(),
    })
}

/// A file in the folder of outgoing files.
struct StoredFile<'a> {
    key: &'a FileKey,
    size: u64,
    sha256: Sha256,
}

impl StoredFile<'_> {
    async fn prepare(
        &self,
        account: &Account,
        depot: &SharedUploads,
        chat_id: ChatId,
        media: &Media,
        is_album: bool,
    ) -> Result<Ready, Outcome> {
        let form = input::form_of(media);
        // Anyone who uploads the same content is waited for; its reference serves this one too.
        let turn = account.file_state.turn_for(self.sha256);
        let _turn = turn.lock().await;
        self.forget_failing(account, &form).await;
        if let Some(reference) = self.stored_reference(account, &form).await {
            return Ok(self.by_reference(account, form, reference));
        }
        if let Some(until) = account.file_state.flooded(account.now()) {
            return Err(Outcome::held(until));
        }
        let brought = self.bring(account, depot, chat_id, media, form, is_album).await;
        if let Err(Outcome::Held { until, scope: HoldScope::Account }) = &brought {
            account.file_state.flood(*until);
        }
        brought
    }

    /// Brings up what Telegram does not have.
    async fn bring(
        &self,
        account: &Account,
        depot: &SharedUploads,
        chat_id: ChatId,
        media: &Media,
        form: String,
        is_album: bool,
    ) -> Result<Ready, Outcome> {
        let watched = account.file_state.watched(self.sha256);
        let file = self.upload(account, depot, media, &watched).await?;
        if !is_album {
            let origin = Origin::Upload { sha256: self.sha256, form };
            return Ok(Ready { input: input::uploaded(media, file), origin, at: account.now() });
        }
        // An album takes no uploads, only files that are there.
        let reference = match self.make(account, chat_id, input::uploaded(media, file)).await {
            Err(Outcome::Rejected { code }) if upload::is_about_parts(&code.to_string()) => {
                upload::forget(account, self.sha256).await;
                let file = self.upload(account, depot, media, &watched).await?;
                self.make(account, chat_id, input::uploaded(media, file)).await?
            }
            made => made?,
        };
        save(account, self.sha256, &form, reference.clone()).await;
        Ok(self.by_reference(account, form, reference))
    }

    /// What Telegram has of the file is worth nothing when it answered with errors of its own again and again.
    async fn forget_failing(&self, account: &Account, form: &str) {
        if account.file_state.take_failing(self.sha256) {
            upload::forget(account, self.sha256).await;
            sending::forget_reference(account, self.sha256, form).await;
        }
    }

    async fn stored_reference(&self, account: &Account, form: &str) -> Option<FileReference> {
        match account.store.files().reference(&account.name, self.sha256, form).await {
            Ok(known) => known,
            Err(error) => {
                tracing::warn!(account = %account.name, %error, "a reference to a file could not be read");
                None
            }
        }
    }

    fn by_reference(&self, account: &Account, form: String, reference: FileReference) -> Ready {
        let input = input::by_reference(&reference);
        Ready { input, origin: Origin::Reference { sha256: self.sha256, form, reference }, at: account.now() }
    }

    async fn upload(
        &self,
        account: &Account,
        depot: &SharedUploads,
        media: &Media,
        watched: &Watched<'_>,
    ) -> Result<enums::InputFile, Outcome> {
        let Some(outgoing) = &depot.outgoing else {
            return Err(Outcome::MediaGone("this program keeps no files".to_owned()));
        };
        let closed = |_| Outcome::Unavailable("the program ends".to_owned());
        let _own = account.file_state.turns.acquire().await.map_err(closed)?;
        let _common = depot.turns.acquire().await.map_err(closed)?;
        let (outgoing, key) = (outgoing.clone(), self.key.clone());
        let opened = upload::in_background(move || outgoing.open_file(&key)).await;
        let file = Arc::new(opened.map_err(|error| upload::unreadable(&error))?);
        let source = Source { file, size: self.size, sha256: self.sha256, name: &media.name };
        upload::upload(account, &source, watched).await
    }

    /// Lets Telegram make a file of an upload, which no one sees.
    async fn make(
        &self,
        account: &Account,
        chat_id: ChatId,
        media: enums::InputMedia,
    ) -> Result<FileReference, Outcome> {
        let Some(peer) = lookup::input(account, chat_id).await else {
            return Err(Outcome::NotFound("this account does not know the chat".to_owned()));
        };
        let Some(line) = account.line_for(Purpose::SendMedia) else {
            return Err(Outcome::Unavailable("connecting".to_owned()));
        };
        let request = functions::messages::UploadMedia { business_connection_id: None, peer, media };
        let made = line.call(Operation::SendMessage, &request, MAKE).await;
        let made = made.map_err(|error| match part::judged_before(account, Some(chat_id), &error) {
            // No one sees what came of it, and it can be made again.
            Outcome::Unknown(Unclear::ServerError(why)) => {
                account.file_state.failed(self.sha256);
                Outcome::Unknown(Unclear::ServerError(why))
            }
            Outcome::Unknown(why) => Outcome::Unavailable(why.to_string()),
            Outcome::InProgress => Outcome::Unavailable("the file is being made".to_owned()),
            outcome => outcome,
        })?;
        let made = input::reference(&made, account.now());
        made.ok_or_else(|| Outcome::Rejected { code: "MEDIA_INVALID".into() })
    }
}

pub(super) async fn save(account: &Account, sha256: Sha256, form: &str, reference: FileReference) {
    if let Err(error) = account.store.files().save_reference(&account.name, sha256, form, reference).await {
        tracing::warn!(account = %account.name, %error, "a reference to a file could not be stored");
    }
}
