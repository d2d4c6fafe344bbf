//! Results and messages that report changes, in the form in which updates are taken. Pure.

use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{Deserializable, Identifiable, enums, functions, types};

use super::message::split;

/// What a message that came by itself reports. One that cannot be read is a gap, so that the difference is asked for.
pub(super) fn by_itself(object: &[u8]) -> UpdatesLike {
    enums::Updates::from_bytes(object).map_or(UpdatesLike::MalformedUpdates, UpdatesLike::Updates)
}

/// What the result of a request reports, if it is of the kind that does: what an account does itself does not come to
/// it in any other way. `request` is what was asked, as far as that is still known.
pub(super) fn with_result(request: Option<&[u8]>, object: &[u8]) -> Option<UpdatesLike> {
    let (constructor, fields) = split(object)?;
    let update = match constructor {
        types::UpdateShortSentMessage::CONSTRUCTOR_ID => short_sent(request, fields),
        types::UpdateShortMessage::CONSTRUCTOR_ID
        | types::UpdateShortChatMessage::CONSTRUCTOR_ID
        | types::UpdateShort::CONSTRUCTOR_ID
        | types::UpdatesCombined::CONSTRUCTOR_ID
        | types::Updates::CONSTRUCTOR_ID => Some(by_itself(object)),
        types::messages::AffectedMessages::CONSTRUCTOR_ID => affected(request, fields),
        types::messages::InvitedUsers::CONSTRUCTOR_ID => {
            types::messages::InvitedUsers::from_bytes(fields).ok().map(UpdatesLike::InvitedUsers)
        }
        types::messages::ChatInviteJoinResultOk::CONSTRUCTOR_ID => {
            let joined = types::messages::ChatInviteJoinResultOk::from_bytes(fields);
            joined.ok().map(UpdatesLike::ChatInviteJoinResult)
        }
        _ => return None,
    };
    Some(update.unwrap_or(UpdatesLike::MalformedUpdates))
}

/// The message itself is in the request only.
fn short_sent(request: Option<&[u8]>, fields: &[u8]) -> Option<UpdatesLike> {
    let update = types::UpdateShortSentMessage::from_bytes(fields).ok()?;
    let request = request_as::<functions::messages::SendMessage>(request?)?;
    Some(UpdatesLike::ShortSentMessage { request, update })
}

/// Messages of a channel are counted apart, and only the request shows that it was one.
fn affected(request: Option<&[u8]>, fields: &[u8]) -> Option<UpdatesLike> {
    let affected = types::messages::AffectedMessages::from_bytes(fields).ok()?;
    let Some(deleted) = request_as::<functions::channels::DeleteMessages>(request?) else {
        return Some(UpdatesLike::AffectedMessages(affected));
    };
    Some(match deleted.channel {
        enums::InputChannel::Channel(channel) => UpdatesLike::AffectedChannelMessages {
            affected,
            channel_id: channel.channel_id,
            message_ids: deleted.id,
        },
        _ => UpdatesLike::AffectedMessages(affected),
    })
}

fn request_as<T: Identifiable + Deserializable>(request: &[u8]) -> Option<T> {
    let (constructor, fields) = split(request)?;
    if constructor == T::CONSTRUCTOR_ID { T::from_bytes(fields).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::Serializable as _;

    use super::*;

    fn affected_one() -> Vec<u8> {
        enums::messages::AffectedMessages::Messages(types::messages::AffectedMessages {
            pts: 5,
            pts_count: 1,
        })
        .to_bytes()
    }

    #[test]
    fn deleting_in_a_channel_is_distinguished() {
        let channel = types::InputChannel { channel_id: 7, access_hash: 1 }.into();
        let request = functions::channels::DeleteMessages { channel, id: vec![3, 4] }.to_bytes();
        match with_result(Some(&request), &affected_one()) {
            Some(UpdatesLike::AffectedChannelMessages { channel_id: 7, message_ids, affected }) => {
                assert_eq!((message_ids, affected.pts), (vec![3, 4], 5));
            }
            _ => panic!("not distinguished"),
        }
        let request = functions::messages::DeleteMessages { revoke: true, id: vec![3] }.to_bytes();
        let update = with_result(Some(&request), &affected_one());
        assert!(matches!(update, Some(UpdatesLike::AffectedMessages(affected)) if affected.pts == 5));
        assert!(matches!(with_result(None, &affected_one()), Some(UpdatesLike::MalformedUpdates)));
    }

    #[test]
    fn a_short_answer_is_put_together_with_its_request() {
        let request = functions::messages::SendMessage {
            no_webpage: false,
            silent: false,
            background: false,
            clear_draft: false,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: enums::InputPeer::PeerSelf,
            reply_to: None,
            message: "hello".to_owned(),
            random_id: 9,
            reply_markup: None,
            entities: None,
            schedule_date: None,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
            rich_message: None,
        };
        let update = types::UpdateShortSentMessage {
            out: true,
            id: 3,
            pts: 4,
            pts_count: 1,
            date: 5,
            media: None,
            entities: None,
            ttl_period: None,
        };
        let object = enums::Updates::UpdateShortSentMessage(update).to_bytes();
        match with_result(Some(&request.to_bytes()), &object) {
            Some(UpdatesLike::ShortSentMessage { request, update }) => {
                assert_eq!((request.message.as_str(), update.id), ("hello", 3));
            }
            _ => panic!("not put together"),
        }
        assert!(matches!(with_result(None, &object), Some(UpdatesLike::MalformedUpdates)));
    }

    #[test]
    fn unreadable_updates_are_gaps_and_empty_ones_are_none() {
        let broken = types::Updates::CONSTRUCTOR_ID.to_le_bytes();
        assert!(matches!(with_result(Some(&[]), &broken), Some(UpdatesLike::MalformedUpdates)));
        assert!(matches!(by_itself(&broken), UpdatesLike::MalformedUpdates));
        assert!(matches!(by_itself(&[1, 2, 3]), UpdatesLike::MalformedUpdates));
        assert!(with_result(None, &true.to_bytes()).is_none());
        let too_long = enums::Updates::TooLong.to_bytes();
        assert!(matches!(by_itself(&too_long), UpdatesLike::Updates(enums::Updates::TooLong)));
    }
}
