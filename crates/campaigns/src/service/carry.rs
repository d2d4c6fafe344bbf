//! One attempt, from its claim to its end: what it says, the outbox, and what follows.
//!
//! Its key against doubles is made of its id. So an attempt that was claimed before a crash is handed to the outbox once more, which
//! has one message for it, whether that was taken in before or not.

use std::time::Duration;

use browser::Incoming;
use delivery::{Query, Submission, SubmitError, takes_files};
use domain::media::Media;
use domain::message::{Content, OnFlood, OutboundMessage};
use domain::text::{ParseMode, parse};
use domain::{
    AccountState, Address, AttemptState, CampaignAttemptId, ChatId, ChatRef, Contact, ContactSource,
    ContactWish, DoNotContactId, MessageId, SenderState, Service, Suppression, Timestamp, contact_wish,
};
use sha2::{Digest, Sha256};
use store::{
    AttemptEnd, CampaignMessage, DoNotContactEntry, Idempotency, NextTurn, Origin, Readied, SameBy,
    StoreError, StoredAttempt,
};

use super::load::NoLoad;
use super::{Inner, log_files};
use crate::draw::draw_for;
use crate::judge::{Judgement, judge};
use crate::plan::CampaignSettings;
use crate::template::render;

/// The name of campaigns among those who ask for messages.
const LISTENER: &str = "campaigns";
/// How long the outbox surely knows the key of an attempt.
const KEY_LIFETIME: Duration = Duration::from_hours(23);
/// How long is waited for a message before it is looked at again.
const LOOK: Duration = Duration::from_secs(30);
/// How long until the outbox is asked again that has no room.
const NO_ROOM: Duration = Duration::from_secs(5);
/// How long until a file is looked for again that cannot be read.
const NO_FILE: Duration = Duration::from_mins(1);

/// What the sender of an attempt does next.
pub(super) enum Carried {
    /// It rests as the settings say.
    Sent,
    /// Nothing left: it goes on.
    Nothing,
    RestUntil(Timestamp),
    /// It must not send any more.
    Stopped,
    /// The program ends; the next start goes on with this attempt.
    Closing,
}

/// What an attempt says.
struct Ready {
    text: String,
    parse_mode: ParseMode,
    media: Vec<Media>,
}

impl Ready {
    /// The text that is stored, with the files of the message of this number.
    fn of(messages: &[CampaignMessage], number: u32, text: String, parse_mode: ParseMode) -> Self {
        let own = messages.iter().find(|message| message.number == number);
        Self { text, parse_mode, media: own.map(|message| message.media.clone()).unwrap_or_default() }
    }
}

/// The person has its turn again once all campaigns together may write to it.
pub(super) fn too_often(until: Timestamp) -> Judgement {
    let until_then = format!("campaigns may write to this person again at {}", until.to_the_second());
    Judgement::new(AttemptState::Skipped, "too_often", NextTurn::Later(until)).because(until_then)
}

impl Inner {
    /// Carries an attempt of an account to its end.
    pub(super) async fn carry(&self, attempt: StoredAttempt) -> Result<Carried, StoreError> {
        // Without its account the outbox would choose one.
        if attempt.sender.account().is_none() {
            return Ok(Carried::Nothing);
        }
        let known = attempt.text.clone().zip(attempt.parse_mode).zip(attempt.message);
        let ready = match known {
            Some(((text, parse_mode), number)) => {
                let messages = self.parts.store.campaigns().messages(&attempt.campaign).await?;
                Ok(Ready::of(&messages, number, text, parse_mode))
            }
            None => self.make_ready(&attempt).await?,
        };
        let ready = match ready {
            Ok(ready) => ready,
            Err(judgement) => return self.end(&attempt, None, *judgement).await,
        };
        let key = key(attempt.id);
        let now = self.parts.clock.now();
        if attempt.claimed_at.plus(KEY_LIFETIME) < now {
            let before = self.parts.delivery.repeated(key).await;
            if !matches!(before, Ok(Some(_))) {
                let lost = Judgement::new(AttemptState::Unknown, "key_expired", NextTurn::NextCycle);
                return self.end(&attempt, None, lost).await;
            }
        }
        let id = match self.submit(&attempt, &ready, key).await? {
            Ok(Some(id)) => id,
            Ok(None) => return Ok(Carried::Closing),
            Err(judgement) => return self.end(&attempt, None, *judgement).await,
        };
        let Some(ended) = self.ended(id).await? else { return Ok(Carried::Closing) };
        let judgement = match ended {
            Ended::Gone => Judgement::new(AttemptState::Unknown, "message_gone", NextTurn::NextCycle),
            Ended::Message(message) => {
                let tries = self.tries(&attempt).await?;
                let account = self.account_state(&attempt);
                judge(message.state, message.failure.as_ref(), account, tries, self.parts.clock.now())
            }
        };
        self.end(&attempt, Some(id), judgement).await
    }

    /// Finds out whose chat it is and what it gets, and keeps both.
    async fn make_ready(&self, attempt: &StoredAttempt) -> Result<Result<Ready, Box<Judgement>>, StoreError> {
        let campaigns = self.parts.store.campaigns();
        let refused = |code: &str, detail: String| {
            let next = NextTurn::Never(code.to_owned());
            Ok(Err(Box::new(Judgement::new(AttemptState::Failed, code, next).because(detail))))
        };
        let messages = campaigns.messages(&attempt.campaign).await?;
        let Some(task) = campaigns.task(&attempt.campaign, &attempt.chat).await? else {
            return refused("task_gone", "the recipient was removed".to_owned());
        };
        let Some(message) = draw_for(&messages, &task.variables, self.drawn()) else {
            let none = Judgement::new(AttemptState::Skipped, "no_message", NextTurn::NextCycle);
            return Ok(Err(Box::new(none)));
        };
        let text = match render(&message.text, message.parse_mode, &task.variables) {
            Ok(text) => text,
            Err(error) => return refused("template", error.to_string()),
        };
        let query = Query {
            chat: attempt.chat.clone(),
            pin: attempt.sender.account().cloned(),
            service: Some(if message.media.is_empty() { Service::SendText } else { Service::SendMedia }),
        };
        let found = self.parts.delivery.candidates(&query).await;
        let person =
            found.address.as_ref().and_then(Address::chat_id).filter(|chat| chat.user_id().is_some());
        if let Some(person) = person
            && self.opts_out(person).await?
        {
            let out = Judgement::new(AttemptState::Skipped, "opt_out", NextTurn::NextCycle);
            return Ok(Err(Box::new(out)));
        }
        let peer = found.address.map_or_else(|| attempt.chat.clone(), ChatRef::from);
        let (number, mode) = (message.number, message.parse_mode);
        match campaigns.ready(attempt.id, peer.to_string(), number, text, mode).await? {
            // Another worker of the sender may have drawn another message for it before.
            Readied::Ready(number, text, parse_mode) => {
                Ok(Ok(Ready::of(&messages, number, text, parse_mode)))
            }
            Readied::TooOften(until) => Ok(Err(Box::new(too_often(until)))),
            Readied::Duplicate(other) => {
                let twice = Judgement::new(AttemptState::Skipped, "duplicate", NextTurn::NextCycle);
                Ok(Err(Box::new(twice.because(format!("it is the same chat as {other}")))))
            }
        }
    }

    /// Whether a person wrote that no more is wanted. The outbox refuses them in any case; this says why.
    async fn opts_out(&self, person: ChatId) -> Result<bool, StoreError> {
        let entry = self.parts.store.do_not_contact().find(&Contact::ChatId(person)).await?;
        Ok(entry.is_some_and(|entry| entry.source == ContactSource::OptOut))
    }

    /// Puts a person on the do-not-contact list if the latest wish among these messages, in their order, is to get no more. A near miss
    /// pauses campaigns, and a START takes an older refusal back. A browser reads the same messages again: an entry that refuses as much
    /// stays as it is. Returns whether the campaign must leave the person out.
    pub(super) async fn hears(&self, person: ChatId, messages: &[Incoming]) -> Result<bool, StoreError> {
        let (list, contact) = (self.parts.store.do_not_contact(), Contact::ChatId(person));
        let wish = |message: &Incoming| Some((contact_wish(&message.text)?, message.at));
        let level = match messages.iter().rev().find_map(wish) {
            Some((ContactWish::NoMore, _)) => Suppression::Advertising,
            Some((ContactWish::MaybeNoMore, _)) => Suppression::Paused,
            Some((ContactWish::Again, Some(at))) => {
                list.take_back(contact, Timestamp::from_micros(at.saturating_mul(1_000_000))).await?;
                return Ok(false);
            }
            Some((ContactWish::Again, None)) | None => return Ok(false),
        };
        if list.find(&contact).await?.is_some_and(|known| known.level >= level) {
            return Ok(true);
        }
        let entry = DoNotContactEntry {
            id: DoNotContactId::from_uuid(self.parts.ids.next()),
            contact,
            source: ContactSource::OptOut,
            added_by: LISTENER.to_owned(),
            reason: None,
            added_at: self.parts.clock.now(),
            level,
        };
        list.add(vec![entry]).await.map(|_| true)
    }

    /// Hands it to the outbox; nothing when the program ends first.
    async fn submit(
        &self,
        attempt: &StoredAttempt,
        ready: &Ready,
        key: Idempotency,
    ) -> Result<Result<Option<MessageId>, Box<Judgement>>, StoreError> {
        let text = match parse(ready.parse_mode, &ready.text) {
            Ok(text) => text,
            Err(error) => {
                let next = NextTurn::Never("template".to_owned());
                let broken = Judgement::new(AttemptState::Failed, "template", next);
                return Ok(Err(Box::new(broken.because(error.to_string()))));
            }
        };
        let load = match self.load(&ready.media).await {
            Ok(load) => load,
            // What was taken in before a crash needs its files no more.
            Err(why) => {
                return match self.parts.delivery.repeated(key).await {
                    Ok(Some(submitted)) => Ok(Ok(Some(submitted.id))),
                    Ok(None) => Ok(Err(Box::new(self.without_files(&why)))),
                    Err(SubmitError::Store(error)) => Err(error),
                    Err(_) => Ok(Ok(None)),
                };
            }
        };
        let submission = Submission {
            chat: attempt.chat.clone(),
            content: Content {
                text,
                parse_mode: ready.parse_mode,
                reply_to: None,
                mention: None,
                mention_optional: false,
                written_by: domain::message::Writer::Program,
                silent: false,
                preview: true,
                media: load.media.clone(),
                provider_options: None,
            },
            pin: attempt.sender.account().cloned(),
            // What must wait leaves its place in the outbox to others.
            on_flood: OnFlood::Fail,
            send_at: None,
            needs_approval: false,
            origin: Origin { listener: LISTENER.to_owned(), api_key: None, address: None },
            idempotency: Some(key),
            join: None,
        };
        let submitted = loop {
            let submitted = self.parts.delivery.submit(submission.clone()).await;
            if !matches!(submitted, Err(SubmitError::TooMany(_))) {
                break submitted;
            }
            tokio::select! {
                () = self.parts.clock.sleep(NO_ROOM) => {}
                () = self.closing.cancelled() => return Ok(Ok(None)),
            }
        };
        if takes_files(&submitted) {
            load.keep();
        }
        let error = match submitted {
            Ok(submitted) => return Ok(Ok(Some(submitted.id))),
            Err(error) => error,
        };
        let judgement = match error {
            SubmitError::ShuttingDown | SubmitError::TooMany(_) | SubmitError::OutcomeUnknown { .. } => {
                return Ok(Ok(None));
            }
            SubmitError::Store(StoreError::DoNotContact { entry }) => {
                Judgement::new(AttemptState::Skipped, "do_not_contact", NextTurn::NextCycle)
                    .because(entry.to_string())
            }
            SubmitError::Store(error) => return Err(error),
            SubmitError::UnknownAccount(_) => Judgement::stopped(SenderState::Blocked, "unknown_account"),
            SubmitError::Conflict => Judgement::new(AttemptState::Unknown, "conflict", NextTurn::NextCycle),
            error @ (SubmitError::Empty
            | SubmitError::TooManyMedia { .. }
            | SubmitError::NotCarried(_)
            | SubmitError::NotServed(_)
            | SubmitError::UnreadNumber(_)) => {
                let next = NextTurn::Never("rejected".to_owned());
                Judgement::new(AttemptState::Failed, "rejected", next).because(error.to_string())
            }
        };
        Ok(Err(Box::new(judgement)))
    }

    /// While a file cannot be read its sender rests, and no recipient loses its turn.
    pub(super) fn without_files(&self, why: &NoLoad) -> Judgement {
        let no_file = Judgement::new(AttemptState::Skipped, "media_gone", NextTurn::Back);
        let rest_until = Some(self.parts.clock.now().plus(NO_FILE));
        Judgement { rest_until, ..no_file.because(why.to_string()) }
    }

    /// Waits for the end of a message; nothing when the program ends first.
    async fn ended(&self, id: MessageId) -> Result<Option<Ended>, StoreError> {
        loop {
            let settled = tokio::select! {
                settled = self.parts.delivery.settled(id, LOOK) => settled?,
                () = self.closing.cancelled() => return Ok(None),
            };
            match settled {
                None => return Ok(Some(Ended::Gone)),
                Some(message) if message.state.is_final() => {
                    return Ok(Some(Ended::Message(Box::new(message))));
                }
                Some(_) => {}
            }
        }
    }

    pub(super) async fn end(
        &self,
        attempt: &StoredAttempt,
        outbox_id: Option<MessageId>,
        judgement: Judgement,
    ) -> Result<Carried, StoreError> {
        let Judgement { state, code, detail, next, sender, rest_until } = judgement;
        let carried = match (&sender, rest_until, state) {
            (Some(_), _, _) => Carried::Stopped,
            (None, Some(until), _) => Carried::RestUntil(until),
            (None, None, _) if outbox_id.is_some() => Carried::Sent,
            (None, None, _) => Carried::Nothing,
        };
        if let Some((state, why)) = &sender {
            let name = &attempt.campaign;
            tracing::warn!(campaign = %name, sender = %attempt.sender, state = state.as_str(), %why, "the sender stops");
        }
        let now = self.parts.clock.now();
        let sender = match sender {
            Some((state, why)) => Some(self.stop_of(&attempt.sender, state, why).await?),
            None => None,
        };
        let end = AttemptEnd { attempt: attempt.clone(), state, code, detail, outbox_id, next, sender, now };
        let line = log_files::Line::of(attempt, &end);
        self.parts.store.campaigns().end(end).await?;
        self.log_files.write(line).await;
        self.changed.notify_waiters();
        Ok(carried)
    }

    /// How often the recipient failed before, and how often it may.
    pub(super) async fn tries(&self, attempt: &StoredAttempt) -> Result<(u32, u32), StoreError> {
        let campaigns = self.parts.store.campaigns();
        let settings = campaigns.get(&attempt.campaign).await?.map(|row| row.settings);
        let settings: CampaignSettings =
            settings.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let task = campaigns.task(&attempt.campaign, &attempt.chat).await?;
        Ok((task.map_or(0, |task| task.tries), settings.retries))
    }

    fn account_state(&self, attempt: &StoredAttempt) -> AccountState {
        let account = attempt.sender.account().and_then(|name| self.parts.pool.account(name));
        account.map_or(AccountState::Offline, |account| account.state)
    }
}

/// What became of a message.
enum Ended {
    Message(Box<OutboundMessage>),
    Gone,
}

/// The key of an attempt against doubles. What it says is written down before, so the request is always the same.
fn key(id: CampaignAttemptId) -> Idempotency {
    let mut hash = Sha256::new();
    hash.update(b"attempt of a campaign\0");
    hash.update(id.as_uuid().as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    Idempotency { scope: hash, fingerprint: hash, same_by: SameBy::Key }
}

#[cfg(test)]
mod tests {
    use domain::media::{MediaForm, MediaSource};

    use super::*;

    #[test]
    fn a_text_goes_with_the_files_of_its_own_message() {
        let picture = Media {
            source: MediaSource::FileId { file_id: "7".into() },
            form: MediaForm::Document,
            name: "price.pdf".into(),
            mime: String::new(),
        };
        let message = |number, media| CampaignMessage {
            number,
            text: "Hi".into(),
            parse_mode: ParseMode::None,
            weight: 1,
            is_active: true,
            uses: 0,
            media,
        };
        let messages = [message(1, Vec::new()), message(2, vec![picture.clone()])];
        let files = |number| Ready::of(&messages, number, "Hi".into(), ParseMode::None).media;
        assert_eq!([files(1), files(2), files(3)], [Vec::new(), vec![picture], Vec::new()]);
    }
}
