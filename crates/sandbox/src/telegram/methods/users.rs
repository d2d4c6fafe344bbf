//! `users.*`: who someone is.

use grammers_tl_types::{enums, functions, types};

use crate::telegram::context::Context;
use crate::telegram::mailbox::Mailbox;
use crate::telegram::peer::Peer;
use crate::telegram::render::{Cast, notify_settings};
use crate::telegram::rpc::Result;
use crate::telegram::state::count;

pub(super) fn get_users(
    context: &mut Context<'_>,
    request: &functions::users::GetUsers,
) -> Result<Vec<enums::User>> {
    let me = context.me()?;
    let state = &context.state;
    // A user that is not known is left out, as Telegram does; a single wrong one is an error.
    let found: Vec<_> = request.id.iter().map(|input| state.input_user(me, input)).collect();
    if let [only] = found.as_slice() {
        return Ok(vec![state.user(me, only.clone()?)]);
    }
    Ok(found.into_iter().flatten().map(|user| state.user(me, user)).collect())
}

pub(super) fn get_full_user(
    context: &mut Context<'_>,
    request: &functions::users::GetFullUser,
) -> Result<enums::users::UserFull> {
    let me = context.me()?;
    let state = &context.state;
    let id = state.input_user(me, &request.id)?;
    let blocked = state.people.get(&me).is_some_and(|person| person.blocked.contains(&id));
    let full_user = types::UserFull {
        blocked,
        phone_calls_available: false,
        phone_calls_private: false,
        can_pin_message: true,
        has_scheduled: false,
        video_calls_available: false,
        voice_messages_forbidden: false,
        translations_disabled: false,
        stories_pinned_available: false,
        blocked_my_stories_from: false,
        wallpaper_overridden: false,
        contact_require_premium: false,
        read_dates_private: false,
        sponsored_enabled: false,
        can_view_revenue: false,
        bot_can_manage_emoji_status: false,
        display_gifts_button: false,
        noforwards_my_enabled: false,
        noforwards_peer_enabled: false,
        unofficial_security_risk: false,
        id,
        about: None,
        settings: peer_settings(),
        personal_photo: None,
        profile_photo: None,
        fallback_photo: None,
        notify_settings: notify_settings(),
        bot_info: None,
        pinned_msg_id: None,
        common_chats_count: count(common_chats(context, me, id).len()),
        folder_id: None,
        ttl_period: None,
        theme: None,
        private_forward_name: None,
        bot_group_admin_rights: None,
        bot_broadcast_admin_rights: None,
        wallpaper: None,
        stories: None,
        business_work_hours: None,
        business_location: None,
        business_greeting_message: None,
        business_away_message: None,
        business_intro: None,
        birthday: None,
        personal_channel_id: None,
        personal_channel_message: None,
        stargifts_count: None,
        starref_program: None,
        bot_verification: None,
        send_paid_messages_stars: None,
        disallowed_gifts: None,
        stars_rating: None,
        stars_my_pending_rating: None,
        stars_my_pending_rating_date: None,
        main_tab: None,
        saved_music: None,
        note: None,
        bot_manager_id: None,
    }
    .into();
    let (users, chats) = state.introduce(me, &Cast::of(Peer::User(id)));
    Ok(types::users::UserFull { full_user, chats, users }.into())
}

pub(super) fn get_user_photos(
    context: &mut Context<'_>,
    request: &functions::photos::GetUserPhotos,
) -> Result<enums::photos::Photos> {
    let me = context.me()?;
    context.state.input_user(me, &request.user_id)?;
    Ok(types::photos::Photos { photos: Vec::new(), users: Vec::new() }.into())
}

/// The groups and channels that two users are both in.
pub(super) fn common_chats(context: &Context<'_>, one: i64, other: i64) -> Vec<Peer> {
    let state = &context.state;
    let dialogs = state.mailboxes.get(&one).into_iter().flat_map(Mailbox::shown);
    let both = |peer: &Peer| match peer {
        Peer::User(_) => false,
        Peer::Group(id) => state.groups.get(id).is_some_and(|group| group.members.contains_key(&other)),
        Peer::Channel(id) => {
            let channel = state.channels.get(id).filter(|channel| channel.megagroup);
            channel.is_some_and(|channel| channel.members.contains_key(&other))
        }
    };
    dialogs.map(|dialog| dialog.peer).filter(both).collect()
}

pub(super) fn peer_settings() -> enums::PeerSettings {
    types::PeerSettings {
        report_spam: false,
        add_contact: false,
        block_contact: false,
        share_contact: false,
        need_contacts_exception: false,
        report_geo: false,
        autoarchived: false,
        invite_members: false,
        request_chat_broadcast: false,
        business_bot_paused: false,
        business_bot_can_reply: false,
        geo_distance: None,
        request_chat_title: None,
        request_chat_date: None,
        business_bot_id: None,
        business_bot_manage_url: None,
        charge_paid_message_stars: None,
        registration_month: None,
        phone_country: None,
        name_change_date: None,
        photo_change_date: None,
    }
    .into()
}
