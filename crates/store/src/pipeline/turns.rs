//! Turns: a batch that waited for silence, from the write that takes it to its answer. Each stage is one write, which changes
//! nothing when the turn has left that stage meanwhile.

use std::time::Duration;

use ambient::Ids;
use domain::missing;
use domain::phone::e164;
use domain::{
    AppealMove, Author, ChannelChat, ChatType, ClientId, ContactWish, MessageId, Responder, SpokenText,
    Timestamp, TurnId, TurnStage, contact_wish, spoken,
};

use super::appeals::AppealChange;
use super::outside::{FoundAppeal, FoundClient};
use super::rows::{ClientChat, ClientMessage, PipelineRules, StoredTurn};
use super::{appeals, clients, disclosure, identities, intake, rows, statements as sql, words};
use crate::column::to_json;
use crate::database::params;
use crate::write::{Transaction, Write};
use crate::{StoreError, codes};

/// Why a turn is over that no program answers.
const A_PERSON_ANSWERED: &str = "a person answered";
/// Why a person answers a writer who is not proved to be the client, where a model would close the appeal.
const DOUBTED: &str = "unproved_writer";
/// Why turns are over that were open when the pipeline was switched off.
const SWITCHED_OFF: &str = "switched_off";
/// Why a person is to answer a client that programs have answered too often.
const ANSWERED_OFTEN: &str = "answered_often";
/// Why a person is to answer what no program may answer, such as a mail that came through a list.
const FOR_PEOPLE: &str = "for_people";
/// Why a message of a group gets no answer.
const GROUP_IS_OFF: &str = "group_is_off";
/// Why a person is to judge whether a client wants no more messages.
const MAY_OPT_OUT: &str = "may_opt_out";
/// The channel in which the other end may be a program that answers every mail and marks none.
const EMAIL: &str = "email";
/// The most mails of a client that programs answer within [`A_DAY`].
const MOST_MAILS: i64 = 10;
const A_DAY: Duration = Duration::from_hours(24);
/// The tags of an appeal, where a model adds some.
const MOST_TAGS: usize = 50;

/// How a turn ends that is in the hands of a responder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TurnAnswer {
    /// This is sent. Only the gate for the words of models makes such a text.
    Text {
        text: SpokenText,
        /// After a person has approved it.
        needs_approval: bool,
        /// What it rests on.
        why: Option<String>,
        /// The appeal is over with it.
        closes: bool,
    },
    /// A person is to answer, for this reason.
    HandOver {
        why: String,
        /// What would have been answered.
        proposed: Option<SpokenText>,
    },
    /// Nothing is said; the appeal is over.
    Close { why: String },
    /// Nothing is said.
    Nothing { why: String },
}

/// What a responder found out about a client.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClientFields {
    pub name: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
}

impl ClientFields {
    /// The fields, but for those in which a program wrote a word for no value.
    pub(super) fn known(&self) -> Self {
        let known = |field: Option<&String>| field.filter(|text| !missing::is_missing(text)).cloned();
        Self {
            name: known(self.name.as_ref()),
            phone: known(self.phone.as_ref()),
            email: known(self.email.as_ref()),
        }
    }

    const fn is_empty(&self) -> bool {
        self.name.is_none() && self.phone.is_none() && self.email.is_none()
    }
}

/// What there was to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Batches that were taken.
    pub taken: usize,
    /// Turns that left a stage.
    pub moved: usize,
}

/// Takes the batches that are due and brings turns as far as the store can: at most this number of each.
pub(super) fn advance(
    transaction: &Transaction<'_>,
    rules: &PipelineRules,
    (ids, most): (&Ids, u32),
    now: Timestamp,
) -> Result<Advanced, StoreError> {
    let mut advanced = Advanced::default();
    if !rules.outside.batch {
        for due in transaction.all(sql::DUE, params![now.as_micros(), most], rows::chat)? {
            begin(transaction, &due, TurnId::from_uuid(ids.next()), now)?;
            advanced.taken += 1;
        }
    }
    if !rules.outside.resolve {
        for turn in at_stage(transaction, TurnStage::Resolve, now, most)? {
            resolve(transaction, &turn, &FoundClient::default(), ids, now)?;
            advanced.moved += 1;
        }
    }
    if !rules.outside.appeal {
        for turn in at_stage(transaction, TurnStage::Appeal, now, most)? {
            find_appeal(transaction, &turn, &FoundAppeal::default(), rules, ids, now)?;
            advanced.moved += 1;
        }
    }
    Ok(advanced)
}

pub(super) fn at_stage(
    transaction: &Transaction<'_>,
    stage: TurnStage,
    now: Timestamp,
    most: u32,
) -> Result<Vec<StoredTurn>, StoreError> {
    transaction.all(sql::AT_STAGE, params![codes::of_turn(stage), now.as_micros(), most], rows::turn)
}

pub(super) fn begin(
    transaction: &Transaction<'_>,
    due: &ClientChat,
    id: TurnId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (channel, account, chat) =
        (due.chat.channel.as_str(), due.chat.account.as_str(), due.chat.chat.as_str());
    let key = id.as_uuid().as_bytes();
    transaction.run(sql::ADD_TURN, params![key, channel, account, chat, due.discards, now.as_micros()])?;
    transaction.run(sql::FILL_TURN, params![key, channel, account, chat])?;
    transaction.run(sql::BEGIN_TURN, params![key, channel, account, chat])
}

/// Finds out whose messages they are; who is not known becomes a client.
pub(super) fn resolve(
    transaction: &Transaction<'_>,
    turn: &StoredTurn,
    found: &FoundClient,
    ids: &Ids,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(chat) = intake::chat(transaction, &turn.chat)? else { return Ok(()) };
    let chat = found.of(chat);
    let client = identities::of_chat(transaction, &chat, found.client, ids, now)?;
    let (turn_key, client_key) = (turn.id.as_uuid().as_bytes(), client.as_uuid().as_bytes());
    transaction.run(sql::SET_CLIENT, params![now.as_micros(), client_key, turn_key])?;
    transaction.run(sql::CLIENT_OF_MESSAGES, params![client_key, turn_key])?;
    let batch = transaction.all(sql::OF_TURN, params![turn_key], rows::message)?;
    for message in &batch {
        identities::written(transaction, client, message.text.as_str(), now)?;
    }
    let texts = batch.iter().map(|message| message.text.as_str());
    let contacts = [&chat.phone, &chat.email].into_iter().flatten().map(|contact| contact.value.as_str());
    // What a message claims about a client does not lead to that client.
    let known = chat.name.as_deref().into_iter().chain(contacts).filter(|_| found.client.is_none());
    words::add(transaction, &client, texts.chain(known))
}

/// Finds the appeal that the messages belong to, or opens one, and says who answers.
pub(super) fn find_appeal(
    transaction: &Transaction<'_>,
    turn: &StoredTurn,
    found: &FoundAppeal,
    rules: &PipelineRules,
    ids: &Ids,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (Some(client), Some(chat)) = (turn.client, intake::chat(transaction, &turn.chat)?) else {
        return Ok(());
    };
    let is_silent = is_silent(transaction, turn, &client)?;
    let appeal = match &found.appeal {
        _ if is_silent => appeals::overheard(transaction, &client, &chat, ids, now)?,
        Some(appeal) => appeals::goes_on(transaction, appeal.clone(), now)?,
        None => appeals::client_wrote(transaction, &client, &chat, rules.reopen_within, ids, now)?,
    };
    let rule = rules.of(&turn.chat.channel, &turn.chat.account);
    let person = chat.answered_by.map(|_| Responder::Human);
    let responder = person.or(appeal.responder).or(found.responder).or(rule.map(|rule| rule.responder));
    let responder = if is_silent { Responder::Off } else { responder.unwrap_or_default() };
    let (responder, why) = if is_silent {
        (responder, GROUP_IS_OFF)
    } else if may_opt_out(transaction, turn, &chat)? {
        (Responder::Human, MAY_OPT_OUT)
    } else if is_answered_often(transaction, turn, &client, responder, now)? {
        (Responder::Human, ANSWERED_OFTEN)
    } else if is_for_people(transaction, turn, responder)? {
        (Responder::Human, FOR_PEOPLE)
    } else {
        (responder, responder.as_str())
    };
    let key = turn.id.as_uuid().as_bytes();
    let appeal_key = *appeal.id.as_uuid().as_bytes();
    let uncounted =
        transaction.first(sql::UNCOUNTED, params![key], |row| row.get::<i64>(0))?.unwrap_or_default();
    transaction.run(sql::ADD_UNREAD, params![uncounted, appeal_key])?;
    transaction.run(sql::APPEAL_OF_MESSAGES, params![appeal_key, key])?;
    let is_answered = chat.answered_by == Some(Author::Elsewhere);
    let stage = match responder {
        _ if is_answered => TurnStage::Discarded,
        Responder::Ai | Responder::Webhook | Responder::Redis => TurnStage::Respond,
        Responder::Human | Responder::Off => TurnStage::HandedOver,
    };
    let why = if is_answered { A_PERSON_ANSWERED } else { why };
    let reason = (!stage.is_open()).then_some(why);
    let set = params![codes::of_turn(stage), now.as_micros(), appeal_key, responder.as_str(), reason, key];
    transaction.run(sql::SET_APPEAL, set)?;
    if !stage.is_open() {
        free(transaction, turn, 0)?;
        if chat.answered_by.is_some() {
            let (channel, account, chat) =
                (turn.chat.channel.as_str(), turn.chat.account.as_str(), turn.chat.chat.as_str());
            let client = *client.as_uuid().as_bytes();
            transaction.run(sql::OURS_OF_CHAT, params![client, appeal_key, channel, account, chat])?;
            transaction.run(sql::FORGET_PERSON, params![channel, account, chat])?;
        }
        if is_answered {
            appeals::answered(transaction, appeal, Author::Elsewhere, now)?;
        } else if responder == Responder::Human {
            appeals::hand_over(transaction, appeal, why, now)?;
        }
    }
    Ok(())
}

/// Whether the messages are of a group in which they need no answer.
fn is_silent(
    transaction: &Transaction<'_>,
    turn: &StoredTurn,
    client: &ClientId,
) -> Result<bool, StoreError> {
    let Some(client) = clients::get(transaction, client)? else { return Ok(false) };
    if client.chat_type == ChatType::Private {
        return Ok(false);
    }
    let batch = transaction.all(sql::OF_TURN, params![turn.id.as_uuid().as_bytes()], rows::message)?;
    Ok(!client.group_answers.answers(batch.iter().any(|message| message.mentions_us)))
}

/// Whether one of its messages says that no more is wanted, or may.
fn may_opt_out(
    transaction: &Transaction<'_>,
    turn: &StoredTurn,
    chat: &ClientChat,
) -> Result<bool, StoreError> {
    if chat.chat_type != ChatType::Private {
        return Ok(false);
    }
    let batch = transaction.all(sql::OF_TURN, params![turn.id.as_uuid().as_bytes()], rows::message)?;
    let wishes = |message: &ClientMessage| {
        matches!(contact_wish(message.text.as_str()), Some(ContactWish::NoMore | ContactWish::MaybeNoMore))
    };
    Ok(batch.iter().any(wishes))
}

fn is_of_group(transaction: &Transaction<'_>, client: &ClientId) -> Result<bool, StoreError> {
    Ok(clients::get(transaction, client)?.is_some_and(|client| client.chat_type != ChatType::Private))
}

/// Whether a program that is to answer a mail might go on for ever with another one.
fn is_answered_often(
    transaction: &Transaction<'_>,
    turn: &StoredTurn,
    client: &ClientId,
    responder: Responder,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if matches!(responder, Responder::Human | Responder::Off) || turn.chat.channel.as_str() != EMAIL {
        return Ok(false);
    }
    let of_day = params![client.as_uuid().as_bytes(), EMAIL, now.minus(A_DAY).as_micros()];
    let answers = transaction.first(sql::ANSWERS_SINCE, of_day, |row| row.get::<i64>(0))?;
    Ok(answers.unwrap_or_default() >= MOST_MAILS)
}

/// Whether a program is to answer messages of which it may not answer one.
fn is_for_people(
    transaction: &Transaction<'_>,
    turn: &StoredTurn,
    responder: Responder,
) -> Result<bool, StoreError> {
    if matches!(responder, Responder::Human | Responder::Off) {
        return Ok(false);
    }
    Ok(transaction.first(sql::IS_FOR_PEOPLE, params![turn.id.as_uuid().as_bytes()], |_| Ok(()))?.is_some())
}

/// Its chat continues without it.
pub(super) fn free(
    transaction: &Transaction<'_>,
    turn: &StoredTurn,
    discards: u32,
) -> Result<(), StoreError> {
    let (channel, account, chat) =
        (turn.chat.channel.as_str(), turn.chat.account.as_str(), turn.chat.chat.as_str());
    transaction.run(sql::END_TURN, params![discards, channel, account, chat, turn.id.as_uuid().as_bytes()])
}

/// The messages of a turn wait once more, for the batch that follows.
pub(super) fn discard(
    transaction: &Transaction<'_>,
    turn: &TurnId,
    chat: &ClientChat,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(turn) = get(transaction, turn)? else { return Ok(()) };
    end(transaction, &turn, TurnStage::Discarded, Some(why), now)?;
    transaction.run(sql::EMPTY_TURN, params![turn.id.as_uuid().as_bytes()])?;
    free(transaction, &turn, chat.discards + 1)
}

/// A person was faster: no program answers.
pub(super) fn answered_by_a_person(
    transaction: &Transaction<'_>,
    turn: &TurnId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(turn) = get(transaction, turn)? else { return Ok(()) };
    end(transaction, &turn, TurnStage::Discarded, Some(A_PERSON_ANSWERED), now)?;
    free(transaction, &turn, 0)
}

/// A person wrote while messages wait in a chat that have no appeal yet: with one, they are that person's.
pub(super) fn person_wrote(
    transaction: &Transaction<'_>,
    chat: &ChannelChat,
    author: Author,
) -> Result<(), StoreError> {
    let (channel, account, chat) = (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
    transaction.run(sql::PERSON_WROTE, params![codes::of_author(author), channel, account, chat])
}

/// A person answers a client now: no program does any more. False where an answer is leaving at this moment.
pub(super) fn take_over(
    transaction: &Transaction<'_>,
    client: &ClientId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let chats = transaction.all(sql::CHATS_OF, [*client.as_uuid().as_bytes()], rows::chat)?;
    let mut open = Vec::new();
    for id in chats.into_iter().filter_map(|chat| chat.turn) {
        open.extend(get(transaction, &id)?);
    }
    if open.iter().any(|turn| turn.stage == TurnStage::Send) {
        return Ok(false);
    }
    for turn in open {
        if turn.stage < TurnStage::Respond {
            person_wrote(transaction, &turn.chat, Author::Agent)?;
        } else {
            answered_by_a_person(transaction, &turn.id, now)?;
        }
    }
    if let Some(mut appeal) = appeals::last_of(transaction, client)?.filter(|appeal| appeal.state.is_open()) {
        appeal.responder = Some(Responder::Human);
        appeals::save(transaction, &appeal)?;
    }
    Ok(true)
}

pub(super) fn end(
    transaction: &Transaction<'_>,
    turn: &StoredTurn,
    stage: TurnStage,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = turn.id.as_uuid().as_bytes();
    transaction.run(sql::SET_STAGE, params![codes::of_turn(stage), now.as_micros(), why, key])
}

pub(super) fn get(transaction: &Transaction<'_>, id: &TurnId) -> Result<Option<StoredTurn>, StoreError> {
    transaction.first(sql::TURN, [*id.as_uuid().as_bytes()], rows::turn)
}

/// Notes what a responder says; false where the turn is not in its hands any more.
pub(super) fn answer(
    transaction: &Transaction<'_>,
    id: &TurnId,
    answer: &TurnAnswer,
    fields: &ClientFields,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(turn) = get(transaction, id)?.filter(|turn| turn.stage == TurnStage::Respond) else {
        return Ok(false);
    };
    let (key, fields) = (turn.id.as_uuid().as_bytes(), fields.known());
    // Who is not proved to be the client changes nothing of it.
    let is_doubted = disclosure::is_doubted(transaction, &turn)?;
    // What a member of a group says is not the group's.
    if let Some(client) = turn.client.filter(|_| !fields.is_empty() && !is_doubted)
        && !is_of_group(transaction, &client)?
    {
        let phone = fields.phone.as_deref().map(|typed| e164(typed).unwrap_or_else(|| typed.to_owned()));
        let (name, phone, email) = (&fields.name, &phone, &fields.email);
        identities::stated(transaction, &client, [phone.as_deref(), email.as_deref()], now)?;
        let fill = params![name, phone, email, now.as_micros(), *client.as_uuid().as_bytes()];
        transaction.run(sql::FILL_CLIENT, fill)?;
        words::add(transaction, &client, [name, phone, email].into_iter().flatten().map(String::as_str))?;
    }
    match answer {
        TurnAnswer::Text { text, needs_approval, why, closes } => {
            // Who promises a person closes nothing.
            let closes = *closes && !spoken::promises_a_person(&text.plain());
            let (text, formatted) = columns(Some(text))?;
            let set = params![now.as_micros(), text, formatted, i64::from(*needs_approval), why, key];
            transaction.run(sql::SET_ANSWER, set)?;
            // Before it is approved nothing is over.
            if closes && !*needs_approval && !is_doubted {
                close(transaction, &turn, now)?;
            }
        }
        TurnAnswer::HandOver { why, proposed } => {
            let (text, formatted) = columns(proposed.as_ref())?;
            transaction.run(sql::SET_PROPOSED, params![text, formatted, key])?;
            hand_over(transaction, &turn, why, now)?;
        }
        TurnAnswer::Close { .. } if is_doubted => hand_over(transaction, &turn, DOUBTED, now)?,
        TurnAnswer::Close { why } => {
            end(transaction, &turn, TurnStage::Answered, Some(why), now)?;
            close(transaction, &turn, now)?;
            free(transaction, &turn, 0)?;
        }
        TurnAnswer::Nothing { why } => {
            end(transaction, &turn, TurnStage::HandedOver, Some(why), now)?;
            free(transaction, &turn, 0)?;
        }
    }
    Ok(true)
}

/// The words of an answer, and the same as JSON where something in it is bold, a link and so on.
fn columns(answer: Option<&SpokenText>) -> Result<(Option<String>, Option<String>), StoreError> {
    let is_formatted = |answer: &&SpokenText| !answer.formatted().entities.is_empty();
    let formatted = answer.filter(is_formatted).map(|answer| to_json("pipeline_turns", answer.formatted()));
    Ok((answer.map(SpokenText::plain), formatted.transpose()?))
}

/// Adds the tags to the appeal of a turn that it does not have.
pub(super) fn tag(
    transaction: &Transaction<'_>,
    id: &TurnId,
    tags: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    let appeal = get(transaction, id)?.and_then(|turn| turn.appeal);
    let Some(appeal) = appeal.map(|id| appeals::get(transaction, &id)).transpose()?.flatten() else {
        return Ok(());
    };
    let mut all = appeal.tags;
    for tag in tags {
        if !all.contains(tag) {
            all.push(tag.clone());
        }
    }
    all.truncate(MOST_TAGS);
    let change = AppealChange { tags: Some(all), ..AppealChange::default() };
    appeals::change(transaction, &appeal.id, &change, now).map(drop)
}

fn close(transaction: &Transaction<'_>, turn: &StoredTurn, now: Timestamp) -> Result<(), StoreError> {
    let Some(appeal) = turn.appeal.map(|id| appeals::get(transaction, &id)).transpose()?.flatten() else {
        return Ok(());
    };
    appeals::moved(transaction, appeal, AppealMove::Closed, None, now).map(drop)
}

/// A person is to answer this turn; false where it is over.
pub(super) fn give_to_a_person(
    transaction: &Transaction<'_>,
    id: &TurnId,
    why: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(turn) = get(transaction, id)?.filter(|turn| turn.stage.is_open()) else { return Ok(false) };
    hand_over(transaction, &turn, why, now)?;
    Ok(true)
}

fn hand_over(
    transaction: &Transaction<'_>,
    turn: &StoredTurn,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    end(transaction, turn, TurnStage::HandedOver, Some(why), now)?;
    free(transaction, turn, 0)?;
    if let Some(appeal) = turn.appeal.map(|id| appeals::get(transaction, &id)).transpose()?.flatten() {
        appeals::hand_over(transaction, appeal, why, now)?;
    }
    Ok(())
}

/// The outbox has the answer.
pub(super) fn submitted(
    transaction: &Transaction<'_>,
    id: &TurnId,
    message: MessageId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(turn) = get(transaction, id)?.filter(|turn| turn.stage == TurnStage::Send) else {
        return Ok(false);
    };
    let key = turn.id.as_uuid().as_bytes();
    transaction.run(sql::SET_OUTBOX, params![message.as_uuid().as_bytes(), key])?;
    end(transaction, &turn, TurnStage::Answered, None, now)?;
    free(transaction, &turn, 0)?;
    Ok(true)
}

/// Gives at most this number of turns to people, as no program answers any more. Returns how many there were. What has no appeal yet
/// waits for the next message of its chat.
pub(super) fn switch_off(
    transaction: &Transaction<'_>,
    most: u32,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let open = transaction.all(sql::OPEN_TURNS, params![most], rows::turn)?;
    for turn in &open {
        if turn.appeal.is_some() {
            hand_over(transaction, turn, SWITCHED_OFF, now)?;
        } else {
            end(transaction, turn, TurnStage::Discarded, Some(SWITCHED_OFF), now)?;
            transaction.run(sql::EMPTY_TURN, params![turn.id.as_uuid().as_bytes()])?;
            free(transaction, turn, 0)?;
        }
    }
    if open.is_empty() {
        transaction.run(sql::HOLD_CHATS, ())?;
    }
    Ok(open.len())
}

/// For a restored store: what was not answered is for a person, as the server that went on may have answered it.
pub(crate) struct HoldTurns {
    pub(crate) at: Timestamp,
}

impl Write for HoldTurns {
    type Answer = ();

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let at = self.at.as_micros();
        transaction.run(sql::HOLD_TURNS, params![at])?;
        transaction.run(sql::HOLD_CHATS, ())?;
        transaction.run(sql::HOLD_APPEALS, params![at])?;
        if intake::cursor(transaction)?.is_some() {
            intake::skip(transaction)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_is_nothing_that_is_known_of_a_client() {
        let text = |text: &str| Some(text.to_owned());
        let said =
            ClientFields { name: text("undefined"), phone: text("[object Object]"), email: text("None") };
        assert!(said.known().is_empty());
        let said = ClientFields { name: text("Anna"), ..ClientFields::default() };
        assert_eq!(said.known(), said);
    }
}
