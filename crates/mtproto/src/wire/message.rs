//! What Telegram says in a packet: containers and packed objects are taken apart, service messages are read. Pure.
//!
//! After <https://core.telegram.org/mtproto/service_messages>.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::bufread::GzDecoder;
use grammers_tl_types::{Cursor, Deserializable, Identifiable, deserialize, types};

use super::envelope::Opened;
use super::error::{Garbled, RequestError, RpcError};

/// `msg_container`: a count, then messages without a type.
pub(super) const CONTAINER: u32 = 0x73f1_f8dc;

/// `gzip_packed`: bytes.
const GZIP: u32 = 0x3072_cfa1;

/// `rpc_result`: the message that asked, and an object.
const RESULT: u32 = 0xf35c_6d01;

/// A packed object may unpack to no more than this.
const LONGEST_UNPACKED: u64 = 32 * 1024 * 1024;

/// Room for so much is made at once, if that is the length that a packed object says it has.
const ROOM: usize = 16 * 1024;

const MOST_MESSAGES: usize = 4_096;

/// Containers hold messages and no containers; packed ones may hold either.
const DEEPEST: u8 = 3;

#[derive(Debug, PartialEq)]
pub(super) struct Message<'a> {
    /// Its id; the upper half is the time of the data centre.
    pub(super) id: i64,
    /// Whether Telegram wants to know that it came.
    pub(super) is_content: bool,
    pub(super) what: Content<'a>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Content<'a> {
    /// The result of a request.
    Result {
        request: i64,
        body: Cow<'a, [u8]>,
    },
    Failed {
        request: i64,
        error: RequestError,
    },
    /// A message, or a container, was not taken, and why; with the salt that is right from now on if it was that.
    NotTaken {
        message: i64,
        reason: i32,
        salt: Option<i64>,
    },
    /// Telegram begins to remember this session.
    NewSession {
        salt: i64,
    },
    /// A request was answered by this message, which was sent or can be asked for.
    Answered {
        request: Option<i64>,
        by: i64,
    },
    /// Nothing that would change anything.
    Nothing,
    /// Anything else comes by itself.
    Update(Cow<'a, [u8]>),
}

/// Reads all messages of a packet, in their order.
pub(super) fn read<'a>(opened: &Opened<'a>) -> Result<Vec<Message<'a>>, Garbled> {
    let mut all = Vec::new();
    let Opened { message, sequence, body, .. } = *opened;
    take(Raw { id: message, sequence, body: Cow::Borrowed(body) }, DEEPEST, &mut all)?;
    Ok(all)
}

struct Raw<'a> {
    id: i64,
    sequence: i32,
    body: Cow<'a, [u8]>,
}

fn take<'a>(raw: Raw<'a>, deeper: u8, all: &mut Vec<Message<'a>>) -> Result<(), Garbled> {
    let Raw { id, sequence, body } = raw;
    let (constructor, fields) = split(&body).ok_or(Garbled::Message)?;
    let deeper = deeper.checked_sub(1).ok_or(Garbled::Message)?;
    let what = match constructor {
        CONTAINER => {
            return match body {
                Cow::Borrowed(body) => {
                    contents(&body[4..])?.into_iter().try_for_each(|raw| take(raw, deeper, all))
                }
                Cow::Owned(body) => contents(&body[4..])?.into_iter().try_for_each(|raw| {
                    take(Raw { body: Cow::Owned(raw.body.into_owned()), ..raw }, deeper, all)
                }),
            };
        }
        GZIP => {
            let body = Cow::Owned(unpacked(fields)?);
            return take(Raw { id, sequence, body }, deeper, all);
        }
        RESULT => result(&body).ok_or(Garbled::Message)?,
        types::BadMsgNotification::CONSTRUCTOR_ID => {
            let types::BadMsgNotification { bad_msg_id: message, error_code: reason, .. } = bare(fields)?;
            Content::NotTaken { message, reason, salt: None }
        }
        types::BadServerSalt::CONSTRUCTOR_ID => {
            let notice: types::BadServerSalt = bare(fields)?;
            let salt = Some(notice.new_server_salt);
            Content::NotTaken { message: notice.bad_msg_id, reason: notice.error_code, salt }
        }
        types::NewSessionCreated::CONSTRUCTOR_ID => {
            let types::NewSessionCreated { server_salt: salt, .. } = bare(fields)?;
            Content::NewSession { salt }
        }
        types::Pong::CONSTRUCTOR_ID => {
            let types::Pong { msg_id: request, .. } = bare(fields)?;
            Content::Result { request, body }
        }
        types::MsgDetailedInfo::CONSTRUCTOR_ID => {
            let types::MsgDetailedInfo { msg_id, answer_msg_id: by, .. } = bare(fields)?;
            Content::Answered { request: Some(msg_id), by }
        }
        types::MsgNewDetailedInfo::CONSTRUCTOR_ID => {
            let types::MsgNewDetailedInfo { answer_msg_id: by, .. } = bare(fields)?;
            Content::Answered { request: None, by }
        }
        types::MsgsAck::CONSTRUCTOR_ID
        | types::MsgsStateReq::CONSTRUCTOR_ID
        | types::MsgsStateInfo::CONSTRUCTOR_ID
        | types::MsgsAllInfo::CONSTRUCTOR_ID
        | types::MsgResendReq::CONSTRUCTOR_ID
        | types::MsgResendAnsReq::CONSTRUCTOR_ID
        | types::FutureSalts::CONSTRUCTOR_ID
        | types::FutureSalt::CONSTRUCTOR_ID
        | types::DestroySessionOk::CONSTRUCTOR_ID
        | types::DestroySessionNone::CONSTRUCTOR_ID
        | types::HttpWait::CONSTRUCTOR_ID => Content::Nothing,
        _ => Content::Update(body),
    };
    all.push(Message { id, is_content: sequence & 1 == 1, what });
    Ok(())
}

/// The result of a request, whatever is inside: what cannot be read concerns that request alone.
fn result<'a>(body: &Cow<'a, [u8]>) -> Option<Content<'a>> {
    let fields = body.get(4..)?;
    let (request, object) = fields.split_first_chunk()?;
    let request = i64::from_le_bytes(*request);
    let failed = |error| Content::Failed { request, error };
    let Some((constructor, fields)) = split(object) else {
        return Some(failed(deserialize::Error::UnexpectedEof.into()));
    };
    Some(match constructor {
        types::RpcError::CONSTRUCTOR_ID => match types::RpcError::from_bytes(fields) {
            Ok(error) => failed(RpcError::from(error).into()),
            Err(error) => failed(error.into()),
        },
        GZIP => match unpacked(fields) {
            Ok(object) => Content::Result { request, body: Cow::Owned(object) },
            Err(_) => failed(RequestError::Unpackable),
        },
        _ => {
            let body = match body {
                Cow::Borrowed(body) => Cow::Borrowed(body.get(12..)?),
                Cow::Owned(_) => Cow::Owned(object.to_vec()),
            };
            Content::Result { request, body }
        }
    })
}

fn contents(fields: &[u8]) -> Result<Vec<Raw<'_>>, Garbled> {
    let (count, mut rest) = fields.split_first_chunk().ok_or(Garbled::Message)?;
    let count = usize::try_from(i32::from_le_bytes(*count)).ok().filter(|count| *count <= MOST_MESSAGES);
    let mut raw = || {
        let (id, after) = rest.split_first_chunk()?;
        let (sequence, after) = after.split_first_chunk()?;
        let (length, after) = after.split_first_chunk()?;
        let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
        let (body, after) = after.split_at_checked(length)?;
        rest = after;
        let (id, sequence) = (i64::from_le_bytes(*id), i32::from_le_bytes(*sequence));
        Some(Raw { id, sequence, body: Cow::Borrowed(body) })
    };
    (0..count.ok_or(Garbled::Message)?).map(|_| raw().ok_or(Garbled::Message)).collect()
}

fn unpacked(fields: &[u8]) -> Result<Vec<u8>, Garbled> {
    let packed = Vec::<u8>::from_bytes(fields).map_err(|_| Garbled::Message)?;
    // It ends with its length.
    let claimed = packed.last_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    let mut object = Vec::with_capacity(usize::try_from(claimed).unwrap_or(ROOM).min(ROOM));
    let mut unpacking = GzDecoder::new(&packed[..]).take(LONGEST_UNPACKED + 1);
    let length = unpacking.read_to_end(&mut object).map_err(|_| Garbled::Message)?;
    let fits = u64::try_from(length).is_ok_and(|length| length <= LONGEST_UNPACKED);
    if fits { Ok(object) } else { Err(Garbled::Unpacked) }
}

pub(super) fn split(object: &[u8]) -> Option<(u32, &[u8])> {
    let (constructor, fields) = object.split_first_chunk()?;
    Some((u32::from_le_bytes(*constructor), fields))
}

fn bare<T: Deserializable>(fields: &[u8]) -> Result<T, Garbled> {
    T::deserialize(&mut Cursor::from_slice(fields)).map_err(|_| Garbled::Message)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use grammers_tl_types::Serializable;
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn container(messages: &[(i64, i32, Vec<u8>)]) -> Vec<u8> {
        let mut body = CONTAINER.to_le_bytes().to_vec();
        body.extend(i32::try_from(messages.len()).expect("few").to_le_bytes());
        for (id, sequence, message) in messages {
            body.extend(id.to_le_bytes());
            body.extend(sequence.to_le_bytes());
            body.extend(i32::try_from(message.len()).expect("short").to_le_bytes());
            body.extend(message);
        }
        body
    }

    pub(crate) fn packed(object: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(object).expect("memory");
        let mut body = GZIP.to_le_bytes().to_vec();
        encoder.finish().expect("memory").serialize(&mut body);
        body
    }

    pub(crate) fn result_of(request: i64, object: &[u8]) -> Vec<u8> {
        [&RESULT.to_le_bytes()[..], &request.to_le_bytes(), object].concat()
    }

    pub(crate) fn boxed<T: Identifiable + Serializable>(fields: &T) -> Vec<u8> {
        let mut body = T::CONSTRUCTOR_ID.to_le_bytes().to_vec();
        fields.serialize(&mut body);
        body
    }

    fn contents(body: &[u8]) -> Result<Vec<Content<'_>>, Garbled> {
        let opened = Opened { session: 1, message: 5, sequence: 1, body };
        Ok(read(&opened)?.into_iter().map(|message| message.what).collect())
    }

    #[test]
    fn messages_of_a_container_are_read_in_order() {
        let salt =
            types::BadServerSalt { bad_msg_id: 8, bad_msg_seqno: 1, error_code: 48, new_server_salt: 77 };
        let body = container(&[
            (1, 1, boxed(&types::NewSessionCreated { first_msg_id: 0, unique_id: 0, server_salt: 9 })),
            (2, 0, boxed(&salt)),
            (3, 1, packed(&result_of(8, &packed(&[1, 2, 3, 4])))),
            (4, 1, vec![9; 8]),
        ]);
        let opened = Opened { session: 1, message: 5, sequence: 0, body: &body };
        let read = read(&opened).expect("readable");
        assert_eq!(read.iter().map(|message| message.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(
            read.iter().map(|message| message.is_content).collect::<Vec<_>>(),
            [true, false, true, true]
        );
        let what: Vec<_> = read.into_iter().map(|message| message.what).collect();
        let not_taken = Content::NotTaken { message: 8, reason: 48, salt: Some(77) };
        let result = Content::Result { request: 8, body: vec![1, 2, 3, 4].into() };
        assert_eq!(
            what,
            [Content::NewSession { salt: 9 }, not_taken, result, Content::Update(vec![9; 8].into())]
        );
    }

    #[test]
    fn an_unreadable_result_concerns_its_request_alone() {
        let eof = deserialize::Error::UnexpectedEof;
        for (object, error) in [
            (vec![], RequestError::Unreadable(eof.clone())),
            (types::RpcError::CONSTRUCTOR_ID.to_le_bytes().to_vec(), RequestError::Unreadable(eof)),
            (GZIP.to_le_bytes().to_vec(), RequestError::Unpackable),
            ([&GZIP.to_le_bytes()[..], &[3, 1, 2, 3]].concat(), RequestError::Unpackable),
        ] {
            assert_eq!(contents(&result_of(4, &object)), Ok(vec![Content::Failed { request: 4, error }]));
        }
    }

    #[test]
    fn oversized_packed_content_is_not_unpacked() {
        let bomb = vec![0; usize::try_from(LONGEST_UNPACKED).expect("fits") + 4];
        assert_eq!(contents(&packed(&bomb)), Err(Garbled::Unpacked));
        let failed = Content::Failed { request: 4, error: RequestError::Unpackable };
        assert_eq!(contents(&result_of(4, &packed(&bomb))), Ok(vec![failed]));
    }

    #[test]
    fn repeatedly_packed_content_is_refused() {
        let mut body = vec![9; 4];
        for _ in 0..DEEPEST {
            body = packed(&body);
        }
        assert_eq!(contents(&body), Err(Garbled::Message));
        assert_eq!(
            contents(&container(&[(1, 0, container(&[(2, 0, container(&[(3, 0, vec![9; 4])]))]))])),
            Err(Garbled::Message)
        );
    }

    #[test]
    fn irrelevant_messages_change_nothing() {
        for body in [
            boxed(&types::MsgsAck { msg_ids: vec![1] }),
            boxed(&types::FutureSalt { valid_since: 1, valid_until: 2, salt: 3 }),
            boxed(&types::MsgsStateReq { msg_ids: vec![1] }),
        ] {
            assert_eq!(contents(&body), Ok(vec![Content::Nothing]));
        }
        assert_eq!(contents(&[]), Err(Garbled::Message));
        assert_eq!(contents(&types::Pong::CONSTRUCTOR_ID.to_le_bytes()), Err(Garbled::Message));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            which in 0..7_usize, bytes in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let head = [
                CONTAINER, GZIP, RESULT, types::BadServerSalt::CONSTRUCTOR_ID, types::Pong::CONSTRUCTOR_ID,
                types::MsgDetailedInfo::CONSTRUCTOR_ID, types::NewSessionCreated::CONSTRUCTOR_ID,
            ][which];
            let body = [&head.to_le_bytes()[..], &bytes].concat();
            let _ = contents(&body);
            let _ = contents(&bytes);
        }
    }
}
