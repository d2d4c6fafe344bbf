//! A message of a channel as a row.

use domain::{ChannelChat, ExternalChat, InboundId, InboundMessage, MessageOrigin, Words};

use super::{StoredChannelChat, StoredInbound, TABLE};
use crate::StoreError;
use crate::column::Columns;
use crate::database::Row;
use crate::received::row::code;

/// Reads a row of the columns `seq, channel, account, chat, external_id, origin, user_id, name, phone, email, text, media, reply_to,
/// ad, raw, sent_at, edited_at, deleted_at, place, reactions, phone_proof, email_proof, sender_proof, chat_type, chat_group,
/// mentions_us, chat_title, subject, whole_text, is_for_people`.
pub(crate) fn read(row: &Row<'_>) -> Result<StoredInbound, StoreError> {
    let columns = Columns::new(row, TABLE);
    let seq: i64 = columns.get(0)?;
    let chat = external_chat(&columns, 3)?;
    let origin = |number| MessageOrigin::ALL.into_iter().find(|origin| code(*origin) == number);
    Ok(StoredInbound {
        id: InboundId::new(seq).ok_or_else(|| columns.strange(0, "number of a message", seq))?,
        address: ChannelChat {
            channel: columns.parsed(1)?,
            account: columns.account(2)?,
            chat: chat.clone(),
        },
        message: InboundMessage {
            chat,
            chat_type: columns.parsed(23)?,
            group: (!columns.is_null(24)).then(|| external_chat(&columns, 24)).transpose()?,
            mentions_us: columns.get::<i64>(25)? == 1,
            title: columns.get(26)?,
            external_id: columns.get(4)?,
            origin: columns.coded(5, "origin of a message", origin)?,
            user: columns.get(6)?,
            name: columns.get(7)?,
            sender_proof: columns.parsed(22)?,
            phone: columns.maybe_contact(8, 20)?,
            email: columns.maybe_contact(9, 21)?,
            subject: columns.get(27)?,
            text: Words::from(columns.get::<String>(10)?),
            whole_text: columns.get::<Option<String>>(28)?.map(Words::from),
            is_for_people: columns.get::<i64>(29)? == 1,
            media: columns.maybe_json(11)?.unwrap_or_default(),
            reply_to: columns.get(12)?,
            ad: columns.maybe_json(13)?,
            raw: columns.get(14)?,
            sent_at: columns.time(15)?,
        },
        edited_at: columns.maybe_time(16)?,
        deleted_at: columns.maybe_time(17)?,
        reactions: columns.maybe_json(19)?.unwrap_or_default(),
    })
}

/// Reads a row of the columns `chat, user_id, name, phone, last_in_at, unreachable_at`.
pub(super) fn chat(row: &Row<'_>) -> Result<StoredChannelChat, StoreError> {
    let columns = Columns::new(row, "channel_chats");
    Ok(StoredChannelChat {
        chat: external_chat(&columns, 0)?,
        user: columns.get(1)?,
        name: columns.get(2)?,
        phone: columns.get(3)?,
        last_in_at: columns.maybe_time(4)?,
        unreachable_at: columns.maybe_time(5)?,
    })
}

fn external_chat(columns: &Columns<'_>, index: usize) -> Result<ExternalChat, StoreError> {
    let text: String = columns.get(index)?;
    ExternalChat::new(&text).ok_or_else(|| columns.strange(index, "chat of a channel", &text))
}
