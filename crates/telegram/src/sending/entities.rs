//! Our entities as Telegram writes them. Pure.

use domain::UserId;
use domain::text::{Entity, EntityKind};
use grammers_tl_types::{enums, types};

/// Converts the entities of a text. A mention of someone this account cannot name stays plain text.
pub(crate) fn to_telegram(
    entities: &[Entity],
    user: impl Fn(UserId) -> Option<enums::InputUser>,
) -> Option<Vec<enums::MessageEntity>> {
    if entities.is_empty() {
        return None;
    }
    Some(entities.iter().filter_map(|entity| convert(entity, &user)).collect())
}

fn convert(
    entity: &Entity,
    user: impl Fn(UserId) -> Option<enums::InputUser>,
) -> Option<enums::MessageEntity> {
    let offset = i32::try_from(entity.offset).ok()?;
    let length = i32::try_from(entity.length).ok()?;
    Some(match &entity.kind {
        EntityKind::Bold => types::MessageEntityBold { offset, length }.into(),
        EntityKind::Italic => types::MessageEntityItalic { offset, length }.into(),
        EntityKind::Underline => types::MessageEntityUnderline { offset, length }.into(),
        EntityKind::Strikethrough => types::MessageEntityStrike { offset, length }.into(),
        EntityKind::Spoiler => types::MessageEntitySpoiler { offset, length }.into(),
        EntityKind::Code => types::MessageEntityCode { offset, length }.into(),
        EntityKind::Pre { language } => {
            types::MessageEntityPre { offset, length, language: language.clone() }.into()
        }
        EntityKind::TextLink { url } => {
            types::MessageEntityTextUrl { offset, length, url: url.clone() }.into()
        }
        EntityKind::MentionUser { user_id } => {
            types::InputMessageEntityMentionName { offset, length, user_id: user(UserId::new(*user_id)?)? }
                .into()
        }
        EntityKind::Blockquote { expandable } => {
            types::MessageEntityBlockquote { offset, length, collapsed: *expandable }.into()
        }
        EntityKind::CustomEmoji { id } => {
            types::MessageEntityCustomEmoji { offset, length, document_id: *id }.into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(kind: EntityKind) -> Entity {
        Entity { offset: 1, length: 2, kind }
    }

    #[test]
    fn a_mention_needs_a_user_the_account_knows() {
        let entities = [
            entity(EntityKind::Bold),
            entity(EntityKind::MentionUser { user_id: 7 }),
            entity(EntityKind::MentionUser { user_id: 8 }),
        ];
        let seven: enums::InputUser = types::InputUser { user_id: 7, access_hash: 5 }.into();
        let known = |user_id: UserId| (user_id.get() == 7).then(|| seven.clone());
        let user_id = seven.clone();
        assert_eq!(
            to_telegram(&entities, known),
            Some(vec![
                types::MessageEntityBold { offset: 1, length: 2 }.into(),
                types::InputMessageEntityMentionName { offset: 1, length: 2, user_id }.into(),
            ])
        );
    }

    #[test]
    fn a_text_without_entities_sends_none() {
        assert_eq!(to_telegram(&[], |_| None), None);
    }

    #[test]
    fn entities_keep_their_values() {
        let entities = [
            entity(EntityKind::Pre { language: "rust".into() }),
            entity(EntityKind::TextLink { url: "https://example.com".into() }),
            entity(EntityKind::Blockquote { expandable: true }),
            entity(EntityKind::CustomEmoji { id: 9 }),
        ];
        assert_eq!(
            to_telegram(&entities, |_| None).expect("some"),
            [
                types::MessageEntityPre { offset: 1, length: 2, language: "rust".into() }.into(),
                types::MessageEntityTextUrl { offset: 1, length: 2, url: "https://example.com".into() }
                    .into(),
                types::MessageEntityBlockquote { offset: 1, length: 2, collapsed: true }.into(),
                types::MessageEntityCustomEmoji { offset: 1, length: 2, document_id: 9 }.into(),
            ]
        );
    }
}
