//! The write that keeps what a provider reported: messages, their events and where asking goes on, or nothing of it.

use domain::event::ReceivedEvent;
use domain::{
    ChannelChat, EarlyChanges, Event, ExternalChat, GivenReactions, InboundChange, InboundEvent, InboundId,
    InboundMedia, InboundMessage, MessageOrigin, Reactions, Timestamp, Words,
};

use super::{ChannelTaken, StoredInbound, TABLE, TakenFromChannel, files, row, statements as sql};
use sha2::{Digest, Sha256};

use crate::column::{Columns, to_json};
use crate::database::{Row, params};
use crate::events::NewEvent;
use crate::point::{self, Point};
use crate::received::row::{UNSETTLED, code};
use crate::write::{Transaction, Write};
use crate::{StoreError, do_not_contact};

/// A message that is younger came at once.
const AT_ONCE_MICROS: u64 = 5_000_000;
const EARLY: &str = "early_changes";
/// As much of a key is kept.
const LONGEST_KEY: usize = 512;

pub(super) struct Take {
    pub(super) taken: TakenFromChannel,
    pub(super) at: Timestamp,
}

/// The channel of forms on sites. Some give one id to all that visitors send.
const FORM: &str = "form";

/// What a form says, and who.
fn said_by(message: &InboundMessage) -> (&str, Option<&str>, [Option<&str>; 2]) {
    let contacts = [&message.phone, &message.email]
        .map(|contact| contact.as_ref().map(|contact| contact.value.as_str()));
    (message.text.as_str(), message.name.as_deref(), contacts)
}

/// The message of a form whose id another one has, under an id of its own: the same one each time it is posted.
fn renamed(message: &InboundMessage) -> Option<InboundEvent> {
    let digest = Sha256::digest(format!("{:?}", said_by(message)));
    let id = format!("{}~{}", message.external_id, hex::encode(&digest[..6]));
    if message.external_id.contains('~') {
        return None;
    }
    let chat = ExternalChat::new(&id)?;
    let other = InboundMessage { external_id: id.clone(), chat, ..message.clone() };
    Some(InboundEvent { key: id, change: InboundChange::Message(Box::new(other)) })
}

impl Write for Take {
    type Answer = ChannelTaken;
    const POINT: Option<Point> = Some(point::TAKE_FROM_CHANNEL);
    /// Without room it is refused, and its provider reports it again.
    const INTAKE: bool = true;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<ChannelTaken, StoreError> {
        if !transaction.intake_open() {
            return Err(StoreError::StorageFull);
        }
        let mut taken = ChannelTaken::default();
        self.settle(transaction, &mut taken)?;
        for event in &self.taken.events {
            self.event(transaction, event, &mut taken)?;
        }
        if let Some(cursor) = &self.taken.cursor {
            let at = self.at.as_micros();
            transaction.run(sql::SAVE_CURSOR, params![self.channel(), self.account(), cursor, at])?;
        }
        Ok(taken)
    }
}

impl Take {
    /// Takes one event; returns what is new.
    pub(super) fn one(
        &self,
        transaction: &Transaction<'_>,
        event: &InboundEvent,
    ) -> Result<ChannelTaken, StoreError> {
        let mut taken = ChannelTaken::default();
        self.event(transaction, event, &mut taken)?;
        Ok(taken)
    }

    fn channel(&self) -> &str {
        self.taken.channel.as_str()
    }

    fn account(&self) -> &str {
        self.taken.account.as_str()
    }

    fn event(
        &self,
        transaction: &Transaction<'_>,
        event: &InboundEvent,
        taken: &mut ChannelTaken,
    ) -> Result<(), StoreError> {
        let key = cut(&event.key, LONGEST_KEY);
        let params = params![self.channel(), self.account(), key, self.at.as_micros()];
        if transaction.execute(sql::NOTE_EVENT, params)? == 0 {
            if let InboundChange::Message(message) = &event.change
                && self.channel() == FORM
                && self.differs(transaction, message)?
                && let Some(other) = renamed(message)
            {
                return self.event(transaction, &other, taken);
            }
            taken.repeated += 1;
            return match &event.change {
                InboundChange::Message(message) => self.note_conflict(transaction, message, taken),
                _ => Ok(()),
            };
        }
        match &event.change {
            InboundChange::Message(message) => self.keep(transaction, message, taken),
            InboundChange::Edited { external_id, text, at } => {
                let params =
                    params![text.as_str(), at.as_micros(), self.channel(), self.account(), external_id];
                let is_changed = transaction.execute(sql::EDIT, params)? > 0;
                if !is_changed && !self.is_stored(transaction, external_id)? {
                    return self.keep_early(transaction, external_id, |early| early.edit(text.clone(), *at));
                }
                if is_changed {
                    self.hear_edited(transaction, external_id)?;
                }
                self.changed(transaction, is_changed, external_id, Event::MessageEdited)
            }
            InboundChange::Deleted { external_id, at } => {
                let params = params![at.as_micros(), self.channel(), self.account(), external_id];
                let is_changed = transaction.execute(sql::DELETED, params)? > 0;
                if !is_changed && !self.is_stored(transaction, external_id)? {
                    return self.keep_early(transaction, external_id, |early| early.delete(*at));
                }
                self.changed(transaction, is_changed, external_id, Event::MessageDeleted)
            }
            InboundChange::Reacted { external_id, given } => self.react(transaction, external_id, given),
            InboundChange::Reachable { chat, can, at } => {
                let since = (!can).then_some(at.as_micros());
                transaction
                    .run(sql::SET_REACHABLE, params![self.channel(), self.account(), chat.as_str(), since])
            }
            InboundChange::Receipt { .. }
            | InboundChange::ReadUpTo { .. }
            | InboundChange::SignedIn(_)
            | InboundChange::Unread(_) => Ok(()),
        }
    }

    /// Does what a message says about further messages, as it is now.
    fn hear_edited(&self, transaction: &Transaction<'_>, external_id: &str) -> Result<(), StoreError> {
        let key = params![self.channel(), self.account(), external_id];
        let Some(stored) = transaction.first(sql::BY_EXTERNAL_ID, key, row::read)? else { return Ok(()) };
        do_not_contact::heard_in(transaction, &stored.address, stored.message.contact_wish(), self.at)
    }

    /// Reports a message whose id is that of a customer's message in another chat or with other words.
    fn note_conflict(
        &self,
        transaction: &Transaction<'_>,
        message: &InboundMessage,
        taken: &mut ChannelTaken,
    ) -> Result<(), StoreError> {
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, TABLE);
            Ok((columns.get::<String>(0)?, columns.get::<String>(1)?))
        };
        let params = params![self.channel(), self.account(), message.external_id];
        let Some((chat, known)) = transaction.first(sql::UNCHANGED, params, read)? else { return Ok(()) };
        let text = message.text.as_str();
        let has_other_words = !text.is_empty() && !known.is_empty() && known != text;
        if has_other_words || chat != message.chat.as_str() {
            taken.conflicts.push(message.kept_raw().map(|raw| Words::from(raw.into_owned())));
        }
        Ok(())
    }

    /// Whether a form's message has other words or another person than the one that has its id.
    fn differs(&self, transaction: &Transaction<'_>, message: &InboundMessage) -> Result<bool, StoreError> {
        let key = params![self.channel(), self.account(), message.external_id];
        let Some(stored) = transaction.first(sql::BY_EXTERNAL_ID, key, row::read)? else { return Ok(false) };
        Ok(said_by(&stored.message) != said_by(message))
    }

    /// Whether a message came in.
    fn is_stored(&self, transaction: &Transaction<'_>, external_id: &str) -> Result<bool, StoreError> {
        let params = params![self.channel(), self.account(), external_id];
        Ok(transaction.first(sql::IS_STORED, params, |_| Ok(()))?.is_some())
    }

    /// Keeps what became of a message until it comes in.
    fn keep_early(
        &self,
        transaction: &Transaction<'_>,
        external_id: &str,
        change: impl FnOnce(&mut EarlyChanges),
    ) -> Result<(), StoreError> {
        let (channel, account) = (self.channel(), self.account());
        let read = |row: &Row<'_>| Columns::new(row, EARLY).json::<EarlyChanges>(0);
        let known = transaction.first(sql::EARLY, params![channel, account, external_id], read)?;
        let mut early = known.unwrap_or_default();
        change(&mut early);
        let changes = to_json(EARLY, &early)?;
        transaction.run(sql::SAVE_EARLY, params![channel, account, external_id, changes, self.at.as_micros()])
    }

    /// Applies what became of a message before it came in.
    fn apply_early(
        &self,
        transaction: &Transaction<'_>,
        external_id: &str,
        early: &EarlyChanges,
    ) -> Result<(), StoreError> {
        let (channel, account) = (self.channel(), self.account());
        if let Some((text, at)) = &early.edited {
            let params = params![text.as_str(), at.as_micros(), channel, account, external_id];
            transaction.run(sql::EDIT, params)?;
        }
        if let Some(at) = early.deleted {
            transaction.run(sql::DELETED, params![at.as_micros(), channel, account, external_id])?;
        }
        if early.reactions != Reactions::default() {
            let reactions = to_json(TABLE, &early.reactions)?;
            transaction.run(sql::SAVE_REACTIONS, params![reactions, channel, account, external_id])?;
        }
        transaction.run(sql::REMOVE_EARLY, params![channel, account, external_id])
    }

    /// Changes the reactions to a message of either side.
    fn react(
        &self,
        transaction: &Transaction<'_>,
        external_id: &str,
        given: &GivenReactions,
    ) -> Result<(), StoreError> {
        let sides = [(sql::REACTIONS, sql::SAVE_REACTIONS), (sql::SENT_REACTIONS, sql::SAVE_SENT_REACTIONS)];
        for (read, save) in sides {
            let params = params![self.channel(), self.account(), external_id];
            let known = transaction.first(read, params, |row| Columns::new(row, TABLE).maybe_json(0))?;
            let Some(known) = known else { continue };
            let mut reactions: Reactions = known.unwrap_or_default();
            if reactions.give(given.clone()) {
                let params =
                    params![to_json(TABLE, &reactions)?, self.channel(), self.account(), external_id];
                transaction.run(save, params)?;
            }
            return Ok(());
        }
        self.keep_early(transaction, external_id, |early| early.react(given.clone()))
    }

    /// Keeps a message that was not known.
    fn keep(
        &self,
        transaction: &Transaction<'_>,
        message: &InboundMessage,
        taken: &mut ChannelTaken,
    ) -> Result<(), StoreError> {
        let origin = match message.origin {
            MessageOrigin::Owner => match self.whose(transaction, message)? {
                Whose::Program => return Ok(()),
                Whose::Unclear => UNSETTLED,
                Whose::Owner => code(MessageOrigin::Owner),
            },
            other => code(other),
        };
        let key = params![self.channel(), self.account(), message.external_id];
        let read = |row: &Row<'_>| {
            let columns = Columns::new(row, EARLY);
            Ok((columns.get::<i64>(0)?, columns.maybe_json::<EarlyChanges>(1)?))
        };
        let (last, early) = transaction.first(sql::LAST, key, read)?.unwrap_or_default();
        let seq = last.saturating_add(1).max(self.at.as_micros());
        if !self.insert(transaction, seq, message, origin)? {
            return self.note_conflict(transaction, message, taken);
        }
        if let Some(early) = &early {
            self.apply_early(transaction, &message.external_id, early)?;
            self.hear_edited(transaction, &message.external_id)?;
        }
        let is_customer = message.origin == MessageOrigin::Person;
        transaction.run(
            sql::SAVE_CHAT,
            params![
                self.channel(),
                self.account(),
                message.chat.as_str(),
                message.user,
                message.name,
                message.phone.as_ref().map(|phone| phone.value.as_str()),
                is_customer.then_some(message.sent_at.as_micros()),
                i64::from(message.sender_proof.is_proved())
            ],
        )?;
        if origin == UNSETTLED {
            taken.unsettled += 1;
            return Ok(());
        }
        do_not_contact::heard_in(transaction, &self.address(message), message.contact_wish(), self.at)?;
        if let Some(id) = InboundId::new(seq) {
            taken.new.push(id);
            self.want_files(transaction, id, message)?;
            self.tell(transaction, id, message, message.origin, Event::MessageReceived);
            let early = early.unwrap_or_default();
            if early.edited.is_some() {
                self.tell(transaction, id, message, message.origin, Event::MessageEdited);
            }
            if early.deleted.is_some() {
                self.tell(transaction, id, message, message.origin, Event::MessageDeleted);
            }
        }
        Ok(())
    }

    fn insert(
        &self,
        transaction: &Transaction<'_>,
        seq: i64,
        message: &InboundMessage,
        origin: i64,
    ) -> Result<bool, StoreError> {
        let media = if message.media.is_empty() { None } else { Some(to_json(TABLE, &message.media)?) };
        let ad = message.ad.as_ref().map(|ad| to_json(TABLE, ad)).transpose()?;
        let raw = message.kept_raw();
        let rows = transaction.execute(
            sql::INSERT,
            params![
                seq,
                self.channel(),
                self.account(),
                message.chat.as_str(),
                message.external_id,
                origin,
                message.user,
                message.name,
                message.phone.as_ref().map(|phone| phone.value.as_str()),
                message.email.as_ref().map(|email| email.value.as_str()),
                message.text.as_str(),
                media,
                message.reply_to,
                ad,
                raw.as_deref(),
                message.sent_at.as_micros(),
                place(seq, message.sent_at),
                message.phone.as_ref().map(|phone| phone.proof.as_str()),
                message.email.as_ref().map(|email| email.proof.as_str()),
                message.sender_proof.as_str(),
                message.chat_type.as_str(),
                message.group.as_ref().map(ExternalChat::as_str),
                i64::from(message.mentions_us),
                message.title,
                message.subject,
                message.whole_text.as_ref().map(Words::as_str),
                i64::from(message.is_for_people)
            ],
        )?;
        Ok(rows > 0)
    }

    /// Has the files of a message fetched, where the account stores them.
    fn want_files(
        &self,
        transaction: &Transaction<'_>,
        id: InboundId,
        message: &InboundMessage,
    ) -> Result<(), StoreError> {
        let files = |(_, media): &(u32, &InboundMedia)| self.taken.stores_files && media.kind.is_file();
        let places = (0_u32..).zip(&message.media).filter(files);
        for (place, _) in places {
            let (channel, account, due_at) = (self.channel(), self.account(), self.at.as_micros());
            transaction.run(files::WANT, params![id.get(), place, channel, account, due_at])?;
        }
        Ok(())
    }

    /// Decides about messages that might have been this program's.
    fn settle(&self, transaction: &Transaction<'_>, taken: &mut ChannelTaken) -> Result<(), StoreError> {
        let unsettled =
            transaction.all(sql::UNSETTLED, params![self.channel(), self.account()], row::read)?;
        for StoredInbound { id, message, .. } in unsettled {
            match self.whose(transaction, &message)? {
                Whose::Program => transaction.run(sql::REMOVE, [id.get()])?,
                Whose::Unclear => taken.unsettled += 1,
                Whose::Owner => {
                    transaction.run(sql::SETTLE, [id.get()])?;
                    taken.new.push(id);
                    self.want_files(transaction, id, &message)?;
                    self.tell(transaction, id, &message, MessageOrigin::Owner, Event::MessageReceived);
                }
            }
        }
        Ok(())
    }

    /// Whether this program sent what the account is said to have written.
    fn whose(&self, transaction: &Transaction<'_>, message: &InboundMessage) -> Result<Whose, StoreError> {
        let params = params![self.channel(), self.account(), message.external_id];
        if transaction.first(sql::IS_OURS, params, |_| Ok(()))?.is_some() {
            return Ok(Whose::Program);
        }
        let address = self.address(message).to_string();
        let is_sending = transaction.first(sql::IS_SENDING, [address], |_| Ok(()))?.is_some();
        Ok(if is_sending { Whose::Unclear } else { Whose::Owner })
    }

    fn changed(
        &self,
        transaction: &Transaction<'_>,
        is_changed: bool,
        external_id: &str,
        event: impl FnOnce(ReceivedEvent) -> Event,
    ) -> Result<(), StoreError> {
        if !is_changed {
            return Ok(());
        }
        let params = params![self.channel(), self.account(), external_id];
        if let Some(stored) = transaction.first(sql::BY_EXTERNAL_ID, params, row::read)? {
            self.tell(transaction, stored.id, &stored.message, stored.message.origin, event);
        }
        Ok(())
    }

    fn address(&self, message: &InboundMessage) -> ChannelChat {
        let (channel, account) = (self.taken.channel.clone(), self.taken.account.clone());
        ChannelChat { channel, account, chat: message.chat.clone() }
    }

    fn tell(
        &self,
        transaction: &Transaction<'_>,
        id: InboundId,
        message: &InboundMessage,
        origin: MessageOrigin,
        event: impl FnOnce(ReceivedEvent) -> Event,
    ) {
        let data = ReceivedEvent {
            message_id: id.into(),
            telegram_id: None,
            external_id: Some(message.external_id.clone()),
            origin,
            from: message.user.clone(),
            media: message.media.first().map(|media| media.kind.as_str().to_owned()),
            album: None,
        };
        transaction.tell(NewEvent {
            at: self.at,
            account: Some(self.taken.account.clone()),
            chat: Some(self.address(message).to_string()),
            event: event(data),
        });
    }
}

/// Who wrote a message of an account.
enum Whose {
    Program,
    Owner,
    /// A send into the chat is not over.
    Unclear,
}

/// The place of a message in its conversation: beside what was sent, whose times are not whole seconds.
fn place(seq: i64, sent_at: Timestamp) -> i64 {
    let came_at_once = seq.saturating_sub(sent_at.as_micros()).unsigned_abs() < AT_ONCE_MICROS;
    if came_at_once { seq } else { sent_at.as_micros() }
}

fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
