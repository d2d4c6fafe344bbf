//! One attempt of a browser profile, from its claim to its end.
//!
//! What it says and to whom is written before the button is pressed, in the write that reads the do-not-contact list. So an attempt
//! without that was never sent; one with it may have been, and is looked up in the chat, never sent again.

use browser::{Attachment, Failure, Order, Outcome, WebK};
use domain::media::{Media, MediaForm, MediaSource};
use domain::text::{ParseMode, parse};
use domain::{AttemptState, ChatId, ChatRef, SenderState};
use store::{NextTurn, Readied, StoreError, StoredAttempt};

use crate::browsers::{Trouble, chat_of, judge, peer_of, target_of, trouble};
use crate::draw::{draw, draw_for};
use crate::judge::Judgement;
use crate::service::Inner;
use crate::service::carry::too_often;
use crate::service::load::NoLoad;
use crate::template::render;

/// What a profile does after an attempt.
#[derive(Debug)]
pub(super) enum Carried {
    /// It rests as the settings say; why it was not sent, if it was not.
    Ended(Option<String>),
    /// The page was not looked at: it goes on.
    Nothing,
    /// It must not send any more.
    Stopped,
    /// Its browser is opened again; the attempt has ended.
    Reopen(String),
    /// Its browser is opened again; what became of the attempt is not known yet.
    Open(String),
}

/// What an attempt says.
struct Drawn {
    number: u32,
    text: String,
    file: Option<Attachment>,
}

impl Inner {
    /// Carries an attempt to its end in the page.
    pub(super) async fn carry_in_page(
        &self,
        web_k: &WebK<'_>,
        attempt: &StoredAttempt,
    ) -> Result<Carried, StoreError> {
        let left = attempt.peer.as_deref().and_then(|peer| peer.parse::<ChatId>().ok());
        if let Some((text, chat)) = attempt.text.as_deref().zip(left) {
            return self.look_up(web_k, attempt, chat, (text, self.has_file(attempt).await?)).await;
        }
        let (drawn, known) = match self.drawn_for(attempt).await? {
            Ok(drawn) => drawn,
            Err(judgement) => return self.ended_in_page(attempt, *judgement, None).await,
        };
        let Some(target) = target_of(&attempt.chat) else {
            let judgement = never("not_served").because("a browser opens chats of Telegram alone");
            return self.ended_in_page(attempt, judgement, None).await;
        };
        let peer = match web_k.find(&target, known).await {
            Ok(peer) => peer,
            Err(failure) => return self.failed(web_k, attempt, failure).await,
        };
        let Some(chat) = chat_of(&attempt.chat, peer) else {
            return self.failed(web_k, attempt, Failure::NotOpened).await;
        };
        let mut is_first = false;
        if chat.user_id().is_some() {
            let messages = match web_k.incoming(peer).await {
                Ok(messages) => messages,
                Err(failure) => return self.failed(web_k, attempt, failure).await,
            };
            if self.hears(chat, &messages).await? {
                let out = skipped("opt_out");
                return self.ended_in_page(attempt, out, None).await;
            }
            is_first = messages.is_empty();
        }
        let Drawn { number, text, file } = drawn;
        let has_file = file.is_some();
        let target = browser::Target::Peer(peer);
        let order = Order { target, text: text.clone(), file, known: Some(peer) };
        let prepared = match web_k.prepare(&order).await {
            Ok(prepared) => prepared,
            Err(failure) => return self.failed(web_k, attempt, failure).await,
        };
        // The list may have the chat by a name that the page alone shows.
        let name = match web_k.facts().await {
            Ok(facts) => facts.public_name().and_then(|name| format!("@{name}").parse::<ChatRef>().ok()),
            Err(error) => return self.failed(web_k, attempt, error.into()).await,
        };
        let listed = match name {
            Some(name) => self.listed(name).await?,
            None => None,
        };
        let limited = if is_first { self.first_contact(attempt, chat).await? } else { None };
        let refused = match listed.or(limited) {
            Some(judgement) => Some(judgement),
            None => self.readied(attempt, chat, number, &text).await?,
        };
        if let Some(judgement) = refused {
            // A draft that stays is replaced by the next text.
            if let Err(error) = web_k.take_back().await {
                tracing::warn!(sender = %attempt.sender, %error, "a text that is not sent stays in its field");
            }
            return self.ended_in_page(attempt, judgement, None).await;
        }
        match web_k.send(&prepared).await {
            Outcome::Unknown => self.look_up(web_k, attempt, chat, (&text, has_file)).await,
            Outcome::Failed(failure) => self.failed(web_k, attempt, failure).await,
            sent @ Outcome::Sent { .. } => {
                let tries = self.tries(attempt).await?;
                let mut judgement = judge(&sent, tries, self.parts.clock.now());
                // Limits and warnings come as a notice behind a message.
                if web_k.notice().await.unwrap_or(false) {
                    self.keep_profile_picture(web_k, attempt).await?;
                    judgement.sender = Some((SenderState::Blocked, "notice".to_owned()));
                }
                self.ended_in_page(attempt, judgement, None).await
            }
        }
    }

    /// Writes down what is about to leave, or says why it must not.
    async fn readied(
        &self,
        attempt: &StoredAttempt,
        chat: ChatId,
        number: u32,
        text: &str,
    ) -> Result<Option<Judgement>, StoreError> {
        let campaigns = self.parts.store.campaigns();
        let ready =
            campaigns.ready(attempt.id, chat.to_string(), number, text.to_owned(), ParseMode::None).await;
        match ready {
            Ok(Readied::Ready(..)) => Ok(None),
            Ok(Readied::TooOften(until)) => Ok(Some(too_often(until))),
            Ok(Readied::Duplicate(other)) => {
                Ok(Some(skipped("duplicate").because(format!("it is the same chat as {other}"))))
            }
            Err(StoreError::DoNotContact { entry }) => {
                Ok(Some(skipped("do_not_contact").because(entry.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    /// Counts a message to a person who has not written here. The profile rests where it may make no first contact now.
    async fn first_contact(
        &self,
        attempt: &StoredAttempt,
        chat: ChatId,
    ) -> Result<Option<Judgement>, StoreError> {
        if self.parts.store.campaigns().has_written_to(&attempt.sender, chat).await? {
            return Ok(None);
        }
        let contacts = self.parts.store.first_contacts();
        let until = contacts.count(attempt.sender.to_string(), chat.to_string()).await?;
        Ok(until.map(|until| Judgement {
            rest_until: Some(until),
            ..Judgement::new(AttemptState::Skipped, "limit_reached", NextTurn::Back)
        }))
    }

    /// Why a chat gets nothing that is on the do-not-contact list.
    async fn listed(&self, chat: ChatRef) -> Result<Option<Judgement>, StoreError> {
        let listed = self.parts.store.do_not_contact().listed(vec![(chat, None)]).await?;
        let entry = listed.into_iter().flatten().next();
        Ok(entry.map(|entry| skipped("do_not_contact").because(entry.id.to_string())))
    }

    /// Looks whether an attempt that may have left is in its chat: on the page as it is, then on the page loaded again, on which
    /// nothing can be on its way any more. What is not found stays unknown.
    async fn look_up(
        &self,
        web_k: &WebK<'_>,
        attempt: &StoredAttempt,
        chat: ChatId,
        content: (&str, bool),
    ) -> Result<Carried, StoreError> {
        let peer = peer_of(chat);
        let since = attempt.claimed_at.as_micros().div_euclid(1_000_000);
        let looked = async {
            if let Ok(Some(found)) = web_k.look_for(peer, content, since).await {
                return Ok(Some(found));
            }
            web_k.start_over().await?;
            web_k.look_for(peer, content, since).await
        };
        let now = self.parts.clock.now();
        match looked.await {
            Ok(Some((message_id, at))) => {
                let judgement = judge(&Outcome::Sent { message_id, at }, (0, 0), now);
                self.ended_in_page(attempt, judgement, None).await
            }
            Ok(None) => {
                self.keep_profile_picture(web_k, attempt).await?;
                let judgement = judge(&Outcome::Unknown, (0, 0), now);
                self.ended_in_page(attempt, judgement, None).await
            }
            Err(failure) => {
                let judgement = judge(&Outcome::Unknown, (0, 0), now).because(failure.to_string());
                match trouble(&failure) {
                    Some(Trouble::Passes) => Ok(Carried::Open(failure.to_string())),
                    Some(Trouble::Stops(state, why)) => {
                        let judgement = Judgement { sender: Some((state, why.to_owned())), ..judgement };
                        self.ended_in_page(attempt, judgement, None).await
                    }
                    None => self.ended_in_page(attempt, judgement, None).await,
                }
            }
        }
    }

    /// Ends an attempt of which it is proved that nothing was sent.
    async fn failed(
        &self,
        web_k: &WebK<'_>,
        attempt: &StoredAttempt,
        failure: Failure,
    ) -> Result<Carried, StoreError> {
        self.keep_profile_picture(web_k, attempt).await?;
        let reopen = (trouble(&failure) == Some(Trouble::Passes)).then(|| failure.to_string());
        let tries = self.tries(attempt).await?;
        let judgement = judge(&Outcome::Failed(failure), tries, self.parts.clock.now());
        self.ended_in_page(attempt, judgement, reopen).await
    }

    async fn ended_in_page(
        &self,
        attempt: &StoredAttempt,
        judgement: Judgement,
        reopen: Option<String>,
    ) -> Result<Carried, StoreError> {
        let stopped = judgement.sender.clone();
        let not_looked = judgement.state == AttemptState::Skipped && reopen.is_none();
        let code = judgement.code.clone();
        self.end(attempt, None, judgement).await?;
        Ok(match (stopped, reopen) {
            (Some(_), _) => Carried::Stopped,
            (None, Some(why)) => Carried::Reopen(why),
            (None, None) if not_looked => Carried::Nothing,
            (None, None) => Carried::Ended(code),
        })
    }

    async fn keep_profile_picture(
        &self,
        web_k: &WebK<'_>,
        attempt: &StoredAttempt,
    ) -> Result<(), StoreError> {
        match attempt.sender.profile() {
            Some(profile) => self.keep_picture(web_k, profile, Some(attempt.id)).await,
            None => Ok(()),
        }
    }

    /// What a recipient gets, as the page takes it: without markup; and whose chat it was before. Who is on the do-not-contact list
    /// gets nothing.
    async fn drawn_for(
        &self,
        attempt: &StoredAttempt,
    ) -> Result<Result<(Drawn, Option<i64>), Box<Judgement>>, StoreError> {
        let refused = |judgement: Judgement| Ok(Err(Box::new(judgement)));
        let campaigns = self.parts.store.campaigns();
        if let Some(judgement) = self.listed(attempt.chat.clone()).await? {
            return refused(judgement);
        }
        let messages = campaigns.messages(&attempt.campaign).await?;
        let carried: Vec<_> = messages.into_iter().filter(|message| carries(&message.media)).collect();
        let Some(task) = campaigns.task(&attempt.campaign, &attempt.chat).await? else {
            return refused(never("task_gone").because("the recipient was removed"));
        };
        let Some(message) = draw_for(&carried, &task.variables, self.drawn()) else {
            return refused(skipped("no_message"));
        };
        let file = match message.media.first() {
            Some(media) => match self.attachment(media).await {
                Ok(file) => Some(file),
                Err(why) => return refused(self.without_files(&why)),
            },
            None => None,
        };
        let known = task.peer.as_deref().and_then(|peer| peer.parse().ok()).map(peer_of);
        let rendered = render(&message.text, message.parse_mode, &task.variables);
        let text = match rendered {
            Ok(text) => parse(message.parse_mode, &text).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match text {
            Ok(text) => {
                let text = text.text.as_str().to_owned();
                Ok(Ok((Drawn { number: message.number, text, file }, known)))
            }
            Err(error) => refused(never("template").because(error)),
        }
    }

    /// A file of a message, as the page takes it.
    async fn attachment(&self, media: &Media) -> Result<Attachment, NoLoad> {
        // Held while it is read: the message may be removed meanwhile.
        let load = self.load(std::slice::from_ref(media)).await?;
        let outgoing = self.parts.files.as_ref().ok_or(NoLoad::NoFolder)?;
        let mut keys = load.media.iter().filter_map(|media| match &media.source {
            MediaSource::File { key, .. } => Some(outgoing.path(key)),
            MediaSource::Post { .. } | MediaSource::FileId { .. } => None,
        });
        let path = keys.next_back().ok_or(NoLoad::NoFolder)?;
        let unread = |source| NoLoad::Unread { name: media.name.clone(), source };
        let content = tokio::fs::read(path).await.map_err(unread)?;
        let is_shown = matches!(media.form, MediaForm::Photo { .. } | MediaForm::Video { .. });
        let mime = if is_shown { media.mime.as_str() } else { "application/octet-stream" };
        Ok(Attachment { name: media.name.clone(), mime: mime.to_owned(), content })
    }

    /// Whether what an attempt says is the caption of a file.
    async fn has_file(&self, attempt: &StoredAttempt) -> Result<bool, StoreError> {
        let messages = self.parts.store.campaigns().messages(&attempt.campaign).await?;
        let own = messages.iter().find(|message| Some(message.number) == attempt.message);
        Ok(own.is_some_and(|message| !message.media.is_empty()))
    }

    /// Whether no message in use of a campaign is one that a browser profile sends.
    pub(super) async fn has_nothing_for_a_page(&self, campaign: &str) -> Result<bool, StoreError> {
        let messages = self.parts.store.campaigns().messages(campaign).await?;
        let mut carried = messages.clone();
        carried.retain(|message| carries(&message.media));
        Ok(draw(&messages, 0).is_some() && draw(&carried, 0).is_none())
    }

    /// Whose outcome nothing can show any more: the profile is gone or stopped.
    pub(super) async fn leave_open(&self, attempt: &StoredAttempt) -> Result<(), StoreError> {
        let judgement = match attempt.text {
            Some(_) => Judgement::new(AttemptState::Unknown, "in_doubt", NextTurn::NextCycle),
            None => Judgement::new(AttemptState::Skipped, "browser", NextTurn::Back),
        };
        self.end(attempt, None, judgement).await.map(drop)
    }
}

/// Whether a page sends a message with these: none, or one picture, film or file that is not too large.
fn carries(media: &[Media]) -> bool {
    match media {
        [] => true,
        [Media { source: MediaSource::File { size, .. }, form, .. }] => {
            let form =
                matches!(form, MediaForm::Photo { .. } | MediaForm::Video { .. } | MediaForm::Document);
            form && *size <= Attachment::LARGEST
        }
        _ => false,
    }
}

fn skipped(code: &str) -> Judgement {
    Judgement::new(AttemptState::Skipped, code, NextTurn::NextCycle)
}

fn never(code: &str) -> Judgement {
    Judgement::new(AttemptState::Failed, code, NextTurn::Never(code.to_owned()))
}
