//! The calls that send media, what their answers say, and what a refusal of the media means.

use std::time::Duration;

use domain::Outcome;
use grammers_tl_types::{Serializable as _, enums, functions, types};

use super::file_state::{Origin, Ready};
use super::{input, prepare, upload};
use crate::account::Account;
use crate::calls::classify::CallError;
use crate::sending::Attempt;
use crate::sending::entities;

/// A reference that was used is kept again when it was saved so long ago, so that it is not dropped as unused.
const KEEP_AGAIN: Duration = Duration::from_hours(24);

/// The call that sends a part with media; nothing when not all of it is ready.
pub(crate) fn request(
    account: &Account,
    attempt: &Attempt<'_>,
    peer: enums::InputPeer,
    reply_to: Option<enums::InputReplyTo>,
) -> Option<Vec<u8>> {
    let now = account.now();
    let text = &attempt.part.text;
    let entities = || entities::to_telegram(&text.entities, |user_id| account.peers.input_user(user_id));
    let silent = attempt.content.silent;
    if let [item] = attempt.part.items.as_slice() {
        let request = functions::messages::SendMedia {
            silent,
            background: false,
            clear_draft: false,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer,
            reply_to,
            media: account.file_state.ready(item.random_id, now)?.input,
            message: text.text.clone(),
            random_id: item.random_id,
            reply_markup: None,
            entities: entities(),
            schedule_date: None,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
        };
        return Some(request.to_bytes());
    }
    let mut multi_media = Vec::with_capacity(attempt.part.items.len());
    for (place, item) in attempt.part.items.iter().enumerate() {
        // The caption of the first is shown as that of the album.
        let (message, entities) =
            if place == 0 { (text.text.clone(), entities()) } else { (String::new(), None) };
        let media = account.file_state.ready(item.random_id, now)?.input;
        multi_media
            .push(types::InputSingleMedia { media, random_id: item.random_id, message, entities }.into());
    }
    let request = functions::messages::SendMultiMedia {
        silent,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer,
        reply_to,
        multi_media,
        schedule_date: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
    };
    Some(request.to_bytes())
}

/// A part was sent: its files are named by what the answer says about them from now on.
pub(crate) async fn sent(account: &Account, attempt: &Attempt<'_>, answer: Option<&enums::Updates>) {
    let now = account.now();
    for item in &attempt.part.items {
        let ready = account.file_state.peek(item.random_id);
        account.file_state.take(item.random_id);
        let Some(Ready { origin, .. }) = ready else { continue };
        let media = answer.and_then(|answer| media_of(answer, item.random_id));
        let new_reference = media.and_then(|media| input::reference(media, now));
        match origin {
            Origin::Upload { sha256, form } => {
                if let Some(reference) = new_reference {
                    prepare::save(account, sha256, &form, reference).await;
                }
            }
            Origin::Reference { sha256, form, reference: known } => {
                let reference = new_reference.unwrap_or_else(|| known.clone());
                if reference.file_reference != known.file_reference || now.since(known.saved_at) >= KEEP_AGAIN
                {
                    let reference = store::FileReference { saved_at: now, ..reference };
                    prepare::save(account, sha256, &form, reference).await;
                }
            }
            Origin::Post | Origin::FileId => {}
        }
    }
}

/// The media of the message that went out under this `random_id`.
fn media_of(answer: &enums::Updates, random_id: i64) -> Option<&enums::MessageMedia> {
    let updates = match answer {
        enums::Updates::UpdateShortSentMessage(sent) => return sent.media.as_ref(),
        enums::Updates::Updates(answer) => &answer.updates,
        enums::Updates::Combined(answer) => &answer.updates,
        _ => return None,
    };
    let id = updates.iter().find_map(|update| match update {
        enums::Update::MessageId(sent) if sent.random_id == random_id => Some(sent.id),
        _ => None,
    })?;
    updates.iter().find_map(|update| {
        let message = match update {
            enums::Update::NewMessage(new) => &new.message,
            enums::Update::NewChannelMessage(new) => &new.message,
            _ => return None,
        };
        match message {
            enums::Message::Message(message) if message.id == id => message.media.as_ref(),
            _ => None,
        }
    })
}

/// What Telegram refused about the media of a part. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A reference ran out, or was never good: of one item, or of any.
    Reference(Option<usize>),
    /// What was uploaded is not there any more, or not whole.
    Upload,
}

impl Refused {
    /// What an error says about media; nothing for an error that is about something else.
    pub(crate) fn of(error: &CallError) -> Option<Self> {
        let (name, value) = error.name_and_value()?;
        match name {
            name if name.starts_with("FILE_REFERENCE") => {
                Some(Self::Reference(value.and_then(|place| usize::try_from(place).ok())))
            }
            // A session that is new, or another's: what was kept names nothing there.
            "MEDIA_EMPTY" | "MEDIA_INVALID" | "MEDIA_FILE_INVALID" | "DOCUMENT_INVALID" | "PHOTO_INVALID"
            | "PHOTO_ID_INVALID" => Some(Self::Reference(None)),
            name if upload::is_about_parts(name) => Some(Self::Upload),
            _ => None,
        }
    }
}

/// Forgets what was refused, so that it is prepared again; the outcome says so, or that it was tried often enough.
pub(crate) async fn refused(
    account: &Account,
    attempt: &Attempt<'_>,
    refused: Refused,
    error: &CallError,
) -> Outcome {
    let code = error.name().unwrap_or("MEDIA_INVALID").to_owned();
    let mut outcome = None;
    for (place, item) in attempt.part.items.iter().enumerate() {
        if matches!(refused, Refused::Reference(Some(named)) if named != place) {
            continue;
        }
        let Some(ready) = account.file_state.peek(item.random_id) else { continue };
        let forgotten = match (refused, ready.origin) {
            (_, Origin::FileId) if code.starts_with("FILE_REFERENCE") => {
                return Outcome::MediaExpired(format!(
                    "Telegram answered {code}; take a newer id of the file"
                ));
            }
            (_, Origin::FileId) => return Outcome::Rejected { code: code.into() },
            (_, Origin::Reference { sha256, form, .. }) => {
                forget_reference(account, sha256, &form).await;
                // The parts that it was made of are as old, and may be gone as well.
                upload::forget(account, sha256).await;
                true
            }
            (Refused::Upload, Origin::Upload { sha256, .. }) => {
                upload::forget(account, sha256).await;
                true
            }
            (_, Origin::Post) => true,
            (Refused::Reference(_), Origin::Upload { .. }) => false,
        };
        if forgotten {
            let again = account.file_state.strike(item.random_id);
            let next = if again {
                Outcome::Unprepared(format!("Telegram no longer has a file ({code}); it is brought up again"))
            } else {
                Outcome::Rejected { code: code.as_str().into() }
            };
            // One item that was refused too often is enough.
            if !matches!(outcome, Some(Outcome::Rejected { .. })) {
                outcome = Some(next);
            }
        }
    }
    outcome.unwrap_or_else(|| Outcome::Rejected { code: code.into() })
}

/// Telegram answered with an error of its own. What it has of the files is brought up again once that has happened a few
/// times: the fault may be in what it has.
pub(crate) async fn failed(account: &Account, attempt: &Attempt<'_>) {
    for item in &attempt.part.items {
        let Some(ready) = account.file_state.peek(item.random_id) else { continue };
        if let Origin::Upload { sha256, .. } | Origin::Reference { sha256, .. } = ready.origin {
            account.file_state.failed(sha256);
            // It is looked at before the next attempt whether that was often enough.
            account.file_state.drop_ready(item.random_id);
        }
    }
}

pub(super) async fn forget_reference(account: &Account, sha256: domain::media::Sha256, form: &str) {
    if let Err(error) = account.store.files().forget_reference(&account.name, sha256, form).await {
        tracing::warn!(account = %account.name, %error, "a reference to a file could not be forgotten in the store");
    }
}
