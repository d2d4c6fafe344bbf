//! What admins may do, and what those who are muted or thrown out may not.

use grammers_tl_types::{enums, types};

use super::chats::{Member, Role};

pub(crate) fn admin_rights(member: &Member) -> Option<enums::ChatAdminRights> {
    match &member.role {
        Role::Creator => Some(every_right().into()),
        Role::Admin { rights, .. } => Some((**rights).clone().into()),
        Role::Member => None,
    }
}

/// What a creator may do.
pub(crate) fn every_right() -> types::ChatAdminRights {
    types::ChatAdminRights {
        change_info: true,
        post_messages: true,
        edit_messages: true,
        delete_messages: true,
        ban_users: true,
        invite_users: true,
        pin_messages: true,
        add_admins: true,
        anonymous: false,
        manage_call: true,
        other: true,
        manage_topics: true,
        post_stories: true,
        edit_stories: true,
        delete_stories: true,
        manage_direct_messages: false,
        manage_ranks: false,
        manage_linked_peers: false,
        manage_welcome_messages: false,
    }
}

pub(crate) fn no_ban() -> types::ChatBannedRights {
    types::ChatBannedRights {
        view_messages: false,
        send_messages: false,
        send_media: false,
        send_stickers: false,
        send_gifs: false,
        send_games: false,
        send_inline: false,
        embed_links: false,
        send_polls: false,
        change_info: false,
        invite_users: false,
        pin_messages: false,
        manage_topics: false,
        send_photos: false,
        send_videos: false,
        send_roundvideos: false,
        send_audios: false,
        send_voices: false,
        send_docs: false,
        send_plain: false,
        edit_rank: false,
        send_reactions: false,
        manage_linked_peers: false,
        until_date: 0,
    }
}

/// The ban of someone who may not write, or not even read.
pub(crate) fn banned_rights(view: bool) -> types::ChatBannedRights {
    types::ChatBannedRights {
        view_messages: view,
        send_messages: true,
        send_media: true,
        send_plain: true,
        until_date: i32::MAX,
        ..no_ban()
    }
}

/// No right at all: a plain member.
pub(crate) fn no_right() -> types::ChatAdminRights {
    types::ChatAdminRights {
        change_info: false,
        post_messages: false,
        edit_messages: false,
        delete_messages: false,
        ban_users: false,
        invite_users: false,
        pin_messages: false,
        add_admins: false,
        anonymous: false,
        manage_call: false,
        other: false,
        manage_topics: false,
        post_stories: false,
        edit_stories: false,
        delete_stories: false,
        manage_direct_messages: false,
        manage_ranks: false,
        manage_linked_peers: false,
        manage_welcome_messages: false,
    }
}
