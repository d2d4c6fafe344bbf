//! Mentions as Telethon writes them: the user is named as a peer where the schema has a user. Telegram takes both.

use grammers_tl_types::{Identifiable, types};

/// Bytes of a constructor id, and of each word round it.
const WORD: usize = 4;
/// The constructor, offset and length come before the user.
const BEFORE_USER: usize = 3 * WORD;

/// The peers that are users, and the same users as the schema wants them; their fields are the same.
const USERS: [(u32, u32); 3] = [
    (types::InputPeerUser::CONSTRUCTOR_ID, types::InputUser::CONSTRUCTOR_ID),
    (types::InputPeerSelf::CONSTRUCTOR_ID, types::InputUserSelf::CONSTRUCTOR_ID),
    (types::InputPeerUserFromMessage::CONSTRUCTOR_ID, types::InputUserFromMessage::CONSTRUCTOR_ID),
];

/// The same request with each mentioned peer written as a user; none when there is nothing to change.
///
/// To be asked only about a request that cannot be read as it is: no text can be mistaken for a mention then.
pub(crate) fn with_users(body: &[u8]) -> Option<Vec<u8>> {
    let mut changed = None;
    for start in (0..body.len().saturating_sub(BEFORE_USER)).step_by(WORD) {
        if word(body, start) != Some(types::InputMessageEntityMentionName::CONSTRUCTOR_ID) {
            continue;
        }
        let place = start + BEFORE_USER;
        let peer = word(body, place);
        if let Some((_, user)) = USERS.iter().find(|(known, _)| Some(*known) == peer) {
            let copy = changed.get_or_insert_with(|| body.to_vec());
            copy[place..place + WORD].copy_from_slice(&user.to_le_bytes());
        }
    }
    changed
}

fn word(body: &[u8], place: usize) -> Option<u32> {
    body.get(place..)?.first_chunk::<WORD>().map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::{Deserializable, Serializable, enums};
    use proptest::prelude::*;

    use super::*;

    fn mention(user_id: enums::InputUser) -> enums::MessageEntity {
        types::InputMessageEntityMentionName { offset: 0, length: 4, user_id }.into()
    }

    fn as_peer(mention: &enums::MessageEntity, user: u32, peer: u32) -> Vec<u8> {
        let mut bytes = mention.to_bytes();
        assert_eq!(word(&bytes, BEFORE_USER), Some(user));
        bytes[BEFORE_USER..BEFORE_USER + WORD].copy_from_slice(&peer.to_le_bytes());
        bytes
    }

    #[test]
    fn a_mentioned_peer_becomes_the_user() {
        for user in
            [types::InputUser { user_id: 6_000_000_001, access_hash: -5 }.into(), enums::InputUser::UserSelf]
        {
            let right = mention(user);
            let user = word(&right.to_bytes(), BEFORE_USER).unwrap();
            let (peer, _) = USERS.iter().find(|(_, known)| *known == user).unwrap();
            let written = as_peer(&right, user, *peer);
            assert!(enums::MessageEntity::from_bytes(&written).is_err());
            let read = with_users(&written).unwrap();
            assert_eq!(enums::MessageEntity::from_bytes(&read), Ok(right.clone()));
            assert_eq!(with_users(&right.to_bytes()), None);
        }
    }

    proptest! {
        #[test]
        fn bytes_without_a_mention_are_unchanged(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(with_users(&bytes), None);
        }
    }
}
