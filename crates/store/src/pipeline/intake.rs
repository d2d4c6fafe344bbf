//! What was said in conversations, taken out of the events: one write for what is taken and how far that is, so that nothing is
//! passed over and nothing is taken twice.

use domain::event::{MessageEvent, ReceivedEvent};
use domain::{
    AccountName, AdSource, AnyReceivedId, AppealMove, Author, ChannelChat, ChatId, ChatRef, ChatType,
    ContactProof, EventId, EventType, ExternalChat, InboundId, InboundKind, InboundMedia, MessageId,
    MessageOrigin, MessageState, ProvedContact, Timestamp, TurnStage, VOICE_MARK, Words, contact_wish,
    is_opt_out,
};

use super::sifting::Sifted;
use super::taken_back::{says_nothing, taken_back};
use super::{
    CURSOR, TABLE, TELEGRAM_ACCOUNT, Took, answered, appeals, rows, statements as sql, turns, words,
};
use crate::column::{Columns, to_json};
use crate::database::{Row, params};
use crate::events::{event as read_event, statements as events};
use crate::outbox::{read_message, statements as outbox};
use crate::pipeline::answers::{self, Ours, written};
use crate::pipeline::rows::{ClientChat, PipelineRules};
use crate::point::{self, Point};
use crate::write::{Durability, Transaction, Write};
use crate::{StoreError, StoredEvent, channels, do_not_contact, received};

/// The most turns in a row that are discarded because more was written; then the answer leaves.
const MOST_DISCARDS: u32 = 2;
/// The most numbers that are tried for one that is free.
const NUMBERS: i64 = 100;
/// The channel whose messages wait for no silence.
const FORM: &str = "form";

/// What a client wrote.
pub(super) struct Wrote {
    pub(super) chat: ChannelChat,
    message: String,
    external_id: String,
    pub(super) chat_type: ChatType,
    group: Option<ExternalChat>,
    title: Option<String>,
    mentions_us: bool,
    user: Option<String>,
    sender_proof: ContactProof,
    name: Option<String>,
    phone: Option<ProvedContact>,
    email: Option<ProvedContact>,
    ad: Option<AdSource>,
    subject: Option<String>,
    pub(super) text: Words,
    media: Vec<InboundMedia>,
    /// The provider's id of the message that it answers.
    reply_to: Option<String>,
    pub(super) origin: MessageOrigin,
}

impl Wrote {
    /// Whether its writer wants no more messages. In a group no one speaks for the others.
    pub(super) fn opts_out(&self) -> bool {
        self.chat_type == ChatType::Private && is_opt_out(self.text.as_str())
    }
}

/// Takes what was found in the next events.
pub(super) struct TakeIn {
    pub(super) rules: PipelineRules,
    pub(super) sifted: Sifted,
    pub(super) now: Timestamp,
}

impl Write for TakeIn {
    type Answer = Took;
    const POINT: Option<Point> = Some(point::PIPELINE_TAKE_IN);

    /// After a power cut the same events are taken again.
    fn durability(&self) -> Durability {
        Durability::Soon
    }

    fn apply(&self, transaction: &Transaction<'_>) -> Result<Took, StoreError> {
        let Sifted { from, up_to, events } = &self.sifted;
        let moved = params![up_to.get().to_be_bytes(), CURSOR, from.get().to_be_bytes()];
        if transaction.execute(sql::MOVE_CURSOR, moved)? == 0 {
            return Ok(Took { up_to: *from, took: 0 });
        }
        let mut took = Took { up_to: *up_to, took: 0 };
        for event in events {
            took.took += usize::from(one(transaction, &self.rules, event, self.now)?);
        }
        Ok(took)
    }
}

pub(super) fn cursor(transaction: &Transaction<'_>) -> Result<Option<EventId>, StoreError> {
    transaction.first(sql::CURSOR, [CURSOR], |row| {
        Ok(EventId::new(i64::from_be_bytes(Columns::new(row, "store_facts").get::<[u8; 8]>(0)?)))
    })
}

/// Goes on at the newest event.
pub(super) fn skip(transaction: &Transaction<'_>) -> Result<EventId, StoreError> {
    let newest = transaction.first(events::LAST, (), |row| row.get::<i64>(0))?;
    let newest = EventId::new(newest.unwrap_or_default());
    save_cursor(transaction, newest)?;
    Ok(newest)
}

fn save_cursor(transaction: &Transaction<'_>, up_to: EventId) -> Result<(), StoreError> {
    transaction.run(sql::SAVE_CURSOR, params![CURSOR, up_to.get().to_be_bytes()])
}

/// Takes one event; says whether it was about a conversation with a client.
fn one(
    transaction: &Transaction<'_>,
    rules: &PipelineRules,
    event: &StoredEvent,
    now: Timestamp,
) -> Result<bool, StoreError> {
    match event.kind {
        EventType::MessageReceived => {
            let Some(wrote) = wrote(transaction, event)? else { return Ok(false) };
            client_wrote(transaction, rules, event.id, &wrote, now)
        }
        EventType::MessageFailed | EventType::MessageInDoubt => {
            sent(transaction, event, now)?;
            answers::unsent(transaction, event, now)
        }
        EventType::MessageCancelled => answers::unsent(transaction, event, now),
        EventType::MessageEdited | EventType::MessageDeleted => changed(transaction, event, now),
        // Where it is written is known when the message is taken in; in Telegram, without a pin, once an account did or could not.
        EventType::MessageAccepted => sent(transaction, event, now),
        EventType::MessageSent => {
            Ok(sent(transaction, event, now)? || answers::arrived(transaction, event, now)?)
        }
        _ => Ok(false),
    }
}

/// The message that an event is about, where it is still stored.
fn wrote(transaction: &Transaction<'_>, event: &StoredEvent) -> Result<Option<Wrote>, StoreError> {
    let Ok(data) = serde_json::from_str::<ReceivedEvent>(&event.data) else { return Ok(None) };
    let Some(mut wrote) = received_as(transaction, &data.message_id)? else { return Ok(None) };
    // Some providers give the id of the answered message alone.
    if let Some(id) = wrote.reply_to.take()
        && InboundMedia::reply_text(&wrote.media).is_none()
        && let Some(words) = answered::words_of(transaction, &wrote.chat, &id)?
    {
        wrote.media.extend(InboundMedia::reply(Some(id), &words));
    }
    Ok(Some(wrote))
}

/// The message of an id, where it is still stored and can be a client's.
pub(super) fn received_as(
    transaction: &Transaction<'_>,
    id: &AnyReceivedId,
) -> Result<Option<Wrote>, StoreError> {
    match id {
        AnyReceivedId::Channel(id) => of_channel(transaction, *id),
        AnyReceivedId::Telegram(id) => {
            let key = params![received::owner(id), id.message_id().get(), id.chat_id().get()];
            let Some(stored) = transaction.first(received::statements::GET, key, received::row::read)? else {
                return Ok(None);
            };
            let message = stored.message;
            let Some((user, chat)) =
                message.chat_id.user_id().zip(ExternalChat::new(&message.chat_id.to_string()))
            else {
                return Ok(None);
            };
            let Ok(channel) = TELEGRAM_ACCOUNT.parse() else { return Ok(None) };
            Ok(Some(Wrote {
                chat: ChannelChat { channel, account: message.account, chat },
                message: id.to_string(),
                external_id: message.message_id.to_string(),
                // Of the chats of accounts those with one person alone are conversations.
                chat_type: ChatType::Private,
                group: None,
                title: None,
                mentions_us: false,
                user: Some(user.to_string()),
                sender_proof: ContactProof::ChannelId,
                name: message.sender_name,
                phone: None,
                email: None,
                ad: None,
                subject: None,
                text: message.text,
                media: message.media.iter().map(InboundMedia::from).collect(),
                reply_to: message.reply_to.map(|id| id.to_string()),
                origin: message.origin,
            }))
        }
    }
}

fn of_channel(transaction: &Transaction<'_>, id: InboundId) -> Result<Option<Wrote>, StoreError> {
    let stored = transaction.first(channels::statements::GET, [id.get()], channels::row::read)?;
    let Some(stored) = stored else { return Ok(None) };
    let message = stored.message;
    Ok(Some(Wrote {
        message: id.to_string(),
        external_id: message.external_id,
        chat_type: message.chat_type,
        group: message.group,
        title: message.title,
        mentions_us: message.mentions_us,
        user: message.user,
        sender_proof: message.sender_proof,
        name: message.name,
        phone: message.phone,
        email: message.email,
        ad: message.ad,
        subject: message.subject,
        text: message.text,
        media: message.media,
        reply_to: message.reply_to,
        origin: message.origin,
        chat: stored.address,
    }))
}

pub(super) fn client_wrote(
    transaction: &Transaction<'_>,
    rules: &PipelineRules,
    event: EventId,
    wrote: &Wrote,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(rule) = rules.of(&wrote.chat.channel, &wrote.chat.account).filter(|rule| rule.is_on) else {
        return Ok(false);
    };
    // What goes to readers gets no answer.
    if !wrote.chat_type.is_conversation() {
        return Ok(false);
    }
    let known = chat(transaction, &wrote.chat)?;
    match wrote.origin {
        MessageOrigin::Person => {
            if !is_customer(transaction, rules, &wrote.chat)? {
                return Ok(false);
            }
        }
        MessageOrigin::Owner => {
            let Some(known) = known else { return Ok(false) };
            let entry = NewEntry {
                external_id: Some(&wrote.external_id),
                media: &wrote.media,
                ..NewEntry::ours(&wrote.message, &wrote.text, Author::Elsewhere)
            };
            return ours(transaction, &known, event, &entry, now);
        }
        MessageOrigin::Bot | MessageOrigin::Service => return Ok(false),
    }
    // What its provider has written down is not waited for.
    let has_voice = wrote.media.iter().any(|media| media.kind == InboundKind::Voice);
    let transcript = wrote.media.iter().find_map(|media| media.transcript.as_ref());
    let is_awaited = has_voice && transcript.is_none();
    let voice_until = rules.hears_within.filter(|_| is_awaited).map(|within| now.plus(within));
    let text = Words::from(with_subject(wrote.subject.as_deref(), with_voice(&wrote.text, transcript)));
    // A chat that is a group once stays one, whatever is said of it.
    let was_private = known.as_ref().is_some_and(|known| known.chat_type == ChatType::Private);
    let is_group = wrote.chat_type == ChatType::Group || known.is_some() && !was_private;
    let known = known.filter(|_| !(is_group && was_private));
    let entry = NewEntry {
        message: &wrote.message,
        external_id: Some(&wrote.external_id),
        text: &text,
        media: &wrote.media,
        author: Author::Client,
        voice_until,
        sender: wrote.name.as_deref().filter(|_| is_group),
        sender_proof: wrote.sender_proof,
        mentions_us: wrote.mentions_us,
        is_of_turn: false,
    };
    if !add(transaction, &wrote.chat, event, &entry, None, now)? {
        return Ok(false);
    }
    if says_nothing(text.as_str(), &wrote.media) {
        return Ok(true);
    }
    if wrote.opts_out() {
        // It is on the do-not-contact list since it came in, and waits for no answer.
        return Ok(true);
    }
    if let Some(known) = &known
        && let Some(turn) = known.turn
        && known.stage.is_some_and(|stage| stage <= TurnStage::Respond)
        && known.discards < MOST_DISCARDS
    {
        turns::discard(transaction, &turn, known, "the client wrote more", now)?;
        let key = params![wrote.chat.channel.as_str(), wrote.chat.account.as_str(), wrote.chat.chat.as_str()];
        transaction.run(sql::WAIT_AGAIN, key)?;
    }
    let longest = i64::try_from(rule.longest.as_micros()).unwrap_or(i64::MAX / 2);
    let silence = if wrote.chat.channel.as_str() == FORM { std::time::Duration::ZERO } else { rule.silence };
    let silent_at = now.plus(silence.min(rule.longest));
    let due_at =
        silent_at.max(voices_until(transaction, rules, &wrote.chat)?.unwrap_or(silent_at)).as_micros();
    let ad = wrote.ad.as_ref().map(|ad| to_json(TABLE, ad)).transpose()?;
    // A message whose sender is not proved changes nothing that is known of a proved one. A group has no contacts.
    let was_proved = known.as_ref().is_some_and(|known| known.sender_proof.is_proved());
    let is_doubted = was_proved && !wrote.sender_proof.is_proved();
    let user = user_of_chat(known.as_ref(), wrote);
    let proof = known.filter(|_| is_doubted).map_or(wrote.sender_proof, |known| known.sender_proof);
    let contact = |contact: &'_ Option<ProvedContact>| {
        let contact = contact.clone().filter(|_| !is_doubted && !is_group);
        contact.map(|ProvedContact { value, proof }| (value, proof.as_str())).unzip()
    };
    let ((phone, phone_proof), (email, email_proof)) = (contact(&wrote.phone), contact(&wrote.email));
    let name = if is_group { &wrote.title } else { &wrote.name };
    if is_group && was_private {
        // Whose private chat it was has no part in it.
        let ChannelChat { channel, account, chat } = &wrote.chat;
        transaction.run(sql::BECOME_GROUP, params![channel.as_str(), account.as_str(), chat.as_str()])?;
    }
    let chat_type = if is_group { ChatType::Group } else { ChatType::Private };
    transaction.run(
        sql::SAVE_CHAT,
        params![
            wrote.chat.channel.as_str(),
            wrote.chat.account.as_str(),
            wrote.chat.chat.as_str(),
            user,
            name.as_ref().filter(|_| !is_doubted),
            phone,
            phone_proof,
            email,
            email_proof,
            ad,
            now.as_micros(),
            due_at,
            proof.as_str(),
            chat_type.as_str(),
            wrote.group.as_ref().map(ExternalChat::as_str),
            longest
        ],
    )?;
    Ok(true)
}

/// Returns the user of a chat after a message. A message without proof names the user of a chat that has none and is not proved. A
/// proved one keeps no user that was not proved.
fn user_of_chat(known: Option<&ClientChat>, wrote: &Wrote) -> Option<String> {
    let was_proved = known.is_some_and(|known| known.sender_proof.is_proved());
    let (before, named) = (known.and_then(|known| known.user.clone()), wrote.user.clone());
    match (was_proved, wrote.sender_proof.is_proved()) {
        (true, true) => named.or(before),
        (false, true) => named,
        (true, false) => before,
        (false, false) => before.or(named),
    }
}

/// Whether a chat is one with a customer. Of private chats of Telegram accounts the rule says it.
fn is_customer(
    transaction: &Transaction<'_>,
    rules: &PipelineRules,
    chat: &ChannelChat,
) -> Result<bool, StoreError> {
    if chat.channel.as_str() != TELEGRAM_ACCOUNT {
        return Ok(true);
    }
    let Ok(person) = chat.chat.as_str().parse::<ChatId>() else { return Ok(true) };
    rules.customers.takes(person, || -> Result<bool, StoreError> {
        let read = |row: &Row<'_>| Columns::new(row, "telegram_peers").get::<bool>(0);
        let key = params![chat.account.as_str(), person.get()];
        Ok(transaction.first(crate::peers::CONTACT, key, read)?.unwrap_or_default())
    })
}

/// Something that was said in a conversation.
pub(super) struct NewEntry<'a> {
    pub(super) message: &'a str,
    pub(super) external_id: Option<&'a str>,
    pub(super) text: &'a Words,
    pub(super) media: &'a [InboundMedia],
    pub(super) author: Author,
    /// Until when the text of its voice is waited for.
    pub(super) voice_until: Option<Timestamp>,
    /// What its writer is called, where several people write.
    pub(super) sender: Option<&'a str>,
    pub(super) sender_proof: ContactProof,
    pub(super) mentions_us: bool,
    /// Whether it is ours and answers a turn.
    pub(super) is_of_turn: bool,
}

impl<'a> NewEntry<'a> {
    /// Returns a text of ours.
    pub(super) const fn ours(message: &'a str, text: &'a Words, author: Author) -> Self {
        Self {
            message,
            external_id: None,
            text,
            media: &[],
            author,
            voice_until: None,
            sender: None,
            sender_proof: ContactProof::ChannelId,
            mentions_us: false,
            is_of_turn: false,
        }
    }
}

/// Adds it to the conversation; says whether it is new there.
pub(super) fn add(
    transaction: &Transaction<'_>,
    chat: &ChannelChat,
    event: EventId,
    entry: &NewEntry<'_>,
    known: Option<&ClientChat>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let media = if entry.media.is_empty() { None } else { Some(to_json(TABLE, &entry.media)?) };
    let client = known.and_then(|known| known.client);
    let appeal = match client {
        Some(client) => appeals::last_of(transaction, &client)?.map(|appeal| appeal.id),
        None => None,
    };
    let rows = transaction.execute(
        sql::ADD_MESSAGE,
        params![
            event.get(),
            chat.channel.as_str(),
            chat.account.as_str(),
            chat.chat.as_str(),
            crate::codes::of_author(entry.author),
            client.as_ref().map(|id| *id.as_uuid().as_bytes()),
            appeal.as_ref().map(|id| *id.as_uuid().as_bytes()),
            entry.message,
            entry.external_id,
            entry.text.as_str(),
            media,
            now.as_micros(),
            entry.voice_until.map(Timestamp::as_micros),
            entry.sender,
            entry.sender_proof.as_str(),
            i64::from(entry.mentions_us)
        ],
    )?;
    if let Some(client) = client.filter(|_| rows > 0) {
        words::add(transaction, &client, [entry.text.as_str()])?;
    }
    Ok(rows > 0)
}

fn changed(transaction: &Transaction<'_>, event: &StoredEvent, now: Timestamp) -> Result<bool, StoreError> {
    let Ok(data) = serde_json::from_str::<ReceivedEvent>(&event.data) else { return Ok(false) };
    let (message, at) = (data.message_id.to_string(), event.at.as_micros());
    let rows = if event.kind == EventType::MessageDeleted {
        let rows = transaction.execute(sql::DELETE_MESSAGE, params![at, message])?;
        taken_back(transaction, &message, now)?;
        rows
    } else {
        let Some(wrote) = wrote(transaction, event)? else { return Ok(false) };
        if let Some(client) =
            transaction.first(sql::CLIENT_OF_MESSAGE, params![&message], rows::only_client)?
        {
            words::add(transaction, &client, [wrote.text.as_str()])?;
        }
        transaction.execute(sql::EDIT_MESSAGE, params![wrote.text.as_str(), at, message])?
    };
    Ok(rows > 0)
}

/// Something of ours is on its way, or did not arrive.
fn sent(transaction: &Transaction<'_>, event: &StoredEvent, now: Timestamp) -> Result<bool, StoreError> {
    let Ok(data) = serde_json::from_str::<MessageEvent>(&event.data) else { return Ok(false) };
    let id: MessageId = data.message_id;
    let key = [*id.as_uuid().as_bytes()];
    let is_unsent = matches!(event.kind, EventType::MessageFailed | EventType::MessageInDoubt);
    let account = match &event.account {
        Some(account) => Some(account.clone()),
        // It failed before an account had it.
        None if is_unsent => {
            transaction.first(outbox::GET, key, read_message)?.and_then(|message| message.pin)
        }
        None => None,
    };
    let Some(place) = chat_of(event, account) else { return Ok(false) };
    let Some(known) = chat(transaction, &place)? else { return Ok(false) };
    let Some(Ours { text, author, is_pinned, is_of_campaign, is_of_turn, .. }) = written(transaction, id)?
    else {
        return Ok(false);
    };
    let is_early =
        event.kind == EventType::MessageAccepted && known.chat.channel.as_str() == TELEGRAM_ACCOUNT;
    if is_early && (is_of_campaign || !is_pinned) {
        return Ok(false);
    }
    let message = id.to_string();
    let entry = NewEntry { is_of_turn, ..NewEntry::ours(&message, &text, author) };
    if is_of_campaign {
        // It answers nothing, and no person has to look at one that failed.
        return if is_unsent {
            Ok(false)
        } else {
            add(transaction, &known.chat, event.id, &entry, Some(&known), now)
        };
    }
    if data.state == MessageState::AwaitingApproval {
        return awaits_approval(transaction, &known, event.id, &entry, now);
    }
    ours(transaction, &known, event.id, &entry, now)
}

/// Adds what leaves once a person has approved it: who waits goes on waiting, for that person, and no program stops.
fn awaits_approval(
    transaction: &Transaction<'_>,
    known: &ClientChat,
    event: EventId,
    entry: &NewEntry<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !add(transaction, &known.chat, event, entry, Some(known), now)? {
        return Ok(false);
    }
    if let Some(client) = known.client
        && let Some(appeal) = appeals::last_of(transaction, &client)?
        && appeal.waiting_since.is_some()
    {
        appeals::moved(transaction, appeal, AppealMove::HandedOver, Some(appeals::APPROVAL), now)?;
    }
    Ok(true)
}

/// The chat of a message, where it can be one with a client.
pub(super) fn chat_of(event: &StoredEvent, account: Option<AccountName>) -> Option<ChannelChat> {
    let chat = event.chat.as_deref()?;
    match (event.kind, chat.parse().ok()?) {
        (EventType::MessageAccepted | EventType::MessageReceived, ChatRef::Channel(chat)) => Some(chat),
        (_, ChatRef::Id(id)) if id.user_id().is_some() => Some(ChannelChat {
            channel: TELEGRAM_ACCOUNT.parse().ok()?,
            account: account?,
            chat: ExternalChat::new(chat)?,
        }),
        _ => None,
    }
}

/// Adds what is ours, with what follows from it: where a person answered, no program does.
fn ours(
    transaction: &Transaction<'_>,
    known: &ClientChat,
    event: EventId,
    entry: &NewEntry<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !add(transaction, &known.chat, event, entry, Some(known), now)? {
        return Ok(false);
    }
    let is_person = matches!(entry.author, Author::Agent | Author::Elsewhere);
    if is_person
        && let Some(turn) = known.turn
        && known.stage == Some(TurnStage::Respond)
    {
        turns::answered_by_a_person(transaction, &turn, now)?;
    }
    if is_person {
        turns::person_wrote(transaction, &known.chat, entry.author)?;
    }
    if let Some(client) = known.client
        && let Some(appeal) = appeals::last_of(transaction, &client)?
    {
        let beside = if is_person { appeals::open_beside(transaction, &appeal)? } else { Vec::new() };
        for other in beside {
            appeals::answered(transaction, other, entry.author, now)?;
        }
        if entry.is_of_turn {
            appeals::answered_in_words(transaction, appeal, (entry.author, entry.text), now)?;
        } else {
            appeals::answered(transaction, appeal, entry.author, now)?;
        }
    }
    Ok(true)
}

/// The last number before now that neither an event nor a message has, for what no event is about.
pub(super) fn free_number(
    transaction: &Transaction<'_>,
    now: Timestamp,
) -> Result<Option<EventId>, StoreError> {
    for distance in 1..NUMBERS {
        let number = now.as_micros() - distance;
        let next = transaction.first(events::AFTER, params![number - 1, 1], read_event)?;
        let is_taken = next.is_some_and(|event| event.id.get() == number)
            || transaction.first(sql::HAS_NUMBER, [number], |_| Ok(()))?.is_some();
        if !is_taken {
            return Ok(Some(EventId::new(number)));
        }
    }
    Ok(None)
}

pub(super) fn chat(
    transaction: &Transaction<'_>,
    chat: &ChannelChat,
) -> Result<Option<ClientChat>, StoreError> {
    let key = params![chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str()];
    transaction.first(sql::CHAT, key, rows::chat)
}

/// Until when the text of a voice is waited for that waits in a chat.
fn voices_until(
    transaction: &Transaction<'_>,
    rules: &PipelineRules,
    chat: &ChannelChat,
) -> Result<Option<Timestamp>, StoreError> {
    if rules.hears_within.is_none() {
        return Ok(None);
    }
    let key = params![chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str()];
    transaction.first(sql::VOICE_UNTIL, key, |row| Columns::new(row, TABLE).time(0))
}

/// When what waits in a chat was last written, and until when the text of a voice is waited for.
fn waits(
    transaction: &Transaction<'_>,
    chat: &ChannelChat,
) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
    let key = params![chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str()];
    let read = |row: &Row<'_>| {
        let columns = Columns::new(row, TABLE);
        Ok((columns.maybe_time(0)?, columns.maybe_time(1)?))
    };
    Ok(transaction.first(sql::WAITS_UNTIL, key, read)?.unwrap_or_default())
}

/// A text below what it is about: lists, searches and models see one text.
fn with_subject(subject: Option<&str>, text: String) -> String {
    match subject {
        Some(subject) if text.is_empty() => subject.to_owned(),
        Some(subject) => format!("{subject}\n\n{text}"),
        None => text,
    }
}

/// A text, and what is said in its voice message.
fn with_voice(text: &str, transcript: Option<&Words>) -> String {
    // A program that writes a voice down may hand the same words in as the text.
    let transcript = transcript
        .map(Words::as_str)
        .filter(|transcript| !transcript.is_empty() && !text.contains(transcript));
    let voice = transcript.map(|transcript| format!("{VOICE_MARK}{transcript}"));
    let parts = [Some(text.to_owned()), voice].into_iter().flatten().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n\n")
}

/// Notes what is said in a voice, if anything: its batch waits for it no longer. False where it was not waited for.
pub(super) fn transcribed(
    transaction: &Transaction<'_>,
    rules: &PipelineRules,
    message: &str,
    transcript: Option<&Words>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let read = |row: &Row<'_>| {
        let columns = Columns::new(row, TABLE);
        Ok((rows::address(&columns, 0)?, columns.get::<String>(3)?))
    };
    let Some((chat, text)) = transaction.first(sql::VOICE, params![message], read)? else {
        return Ok(false);
    };
    let client = transaction.first(sql::CLIENT_OF_MESSAGE, params![message], rows::only_client)?;
    if let (Some(client), Some(transcript)) = (client, transcript) {
        words::add(transaction, &client, [transcript.as_str()])?;
    }
    let is_private = self::chat(transaction, &chat)?.is_some_and(|chat| chat.chat_type == ChatType::Private);
    let wish = transcript.filter(|_| is_private).and_then(|words| contact_wish(words.as_str()));
    do_not_contact::heard_in(transaction, &chat, wish, now)?;
    transaction.run(sql::TRANSCRIBED, params![with_voice(&text, transcript), message])?;
    let (written_at, voices_until) = waits(transaction, &chat)?;
    if let (Some(written_at), Some(rule)) = (written_at, rules.of(&chat.channel, &chat.account)) {
        let due_at = written_at.plus(rule.silence).max(voices_until.unwrap_or(now)).max(now);
        let longest = i64::try_from(rule.longest.as_micros()).unwrap_or(i64::MAX / 2);
        let (channel, account, chat) = (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
        transaction.run(sql::SET_DUE, params![longest, due_at.as_micros(), channel, account, chat])?;
    }
    Ok(true)
}
