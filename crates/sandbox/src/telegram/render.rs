//! What the world looks like to one account, in TL.

use std::collections::BTreeSet;

use grammers_tl_types::{enums, types};

use super::chats::{Channel, Group, Role};
use super::mailbox::Dialog;
use super::message::{Body, Forward, Stored};
use super::peer::Peer;
use super::privacy::Invites;
use super::rights::{admin_rights, banned_rights, no_ban};
use super::state::{State, count};

/// The users and chats an answer mentions, which it must bring along.
#[derive(Debug, Default)]
pub(crate) struct Cast {
    users: BTreeSet<i64>,
    chats: BTreeSet<Peer>,
}

impl Cast {
    pub(crate) fn of(peer: Peer) -> Self {
        let mut cast = Self::default();
        cast.peer(peer);
        cast
    }

    pub(crate) fn user(&mut self, user: i64) {
        self.users.insert(user);
    }

    pub(crate) fn peer(&mut self, peer: Peer) {
        match peer {
            Peer::User(user) => self.user(user),
            Peer::Group(_) | Peer::Channel(_) => {
                self.chats.insert(peer);
            }
        }
    }

    pub(crate) fn message(&mut self, peer: Peer, message: &Stored) {
        self.peer(peer);
        self.user(message.from);
        for entity in message.body.entities.iter().flat_map(|entities| entities.iter()) {
            if let enums::MessageEntity::MentionName(mention) = entity {
                self.user(mention.user_id);
            }
        }
        if let Some(forward) = &message.body.forward {
            self.peer(forward.from);
        }
        match message.body.service.as_deref() {
            Some(enums::MessageAction::ChatAddUser(add)) => self.users.extend(&add.users),
            Some(enums::MessageAction::ChatCreate(create)) => self.users.extend(&create.users),
            Some(enums::MessageAction::ChatDeleteUser(delete)) => self.user(delete.user_id),
            Some(enums::MessageAction::ChatMigrateTo(new)) => self.peer(Peer::Channel(new.channel_id)),
            Some(enums::MessageAction::ChannelMigrateFrom(old)) => self.peer(Peer::Group(old.chat_id)),
            _ => {}
        }
    }
}

/// How often each emoji was given.
pub(crate) fn reactions(given: &[(String, i32)]) -> enums::MessageReactions {
    let counted = given.iter().map(|(emoticon, count)| {
        let reaction = types::ReactionEmoji { emoticon: emoticon.clone() }.into();
        types::ReactionCount { chosen_order: None, reaction, count: *count }.into()
    });
    types::MessageReactions {
        min: false,
        can_see_list: false,
        reactions_as_tags: false,
        results: counted.collect(),
        recent_reactions: None,
        top_reactors: None,
    }
    .into()
}

impl State {
    /// The users and chats of a cast, as the viewer sees them.
    pub(crate) fn introduce(&self, viewer: i64, cast: &Cast) -> (Vec<enums::User>, Vec<enums::Chat>) {
        let users = cast.users.iter().map(|user| self.user(viewer, *user)).collect();
        let chats = cast.chats.iter().map(|peer| self.chat(viewer, *peer)).collect();
        (users, chats)
    }

    pub(crate) fn user(&self, viewer: i64, id: i64) -> enums::User {
        let Some(person) = self.people.get(&id) else { return types::UserEmpty { id }.into() };
        let has = |who: i64, whom: i64| self.people.get(&who).is_some_and(|one| one.contacts.contains(&whom));
        types::User {
            is_self: id == viewer,
            contact: has(viewer, id),
            mutual_contact: has(viewer, id) && has(id, viewer),
            deleted: false,
            bot: person.bot,
            bot_chat_history: false,
            bot_nochats: person.bot && person.invites == Invites::NoOne,
            verified: false,
            restricted: false,
            min: false,
            bot_inline_geo: false,
            support: false,
            scam: false,
            apply_min_photo: false,
            fake: false,
            bot_attach_menu: false,
            premium: false,
            attach_menu_enabled: false,
            bot_can_edit: false,
            close_friend: false,
            stories_hidden: false,
            stories_unavailable: true,
            contact_require_premium: false,
            bot_business: false,
            bot_has_main_app: false,
            bot_forum_view: false,
            bot_forum_can_manage_topics: false,
            bot_can_manage_bots: false,
            bot_guestchat: false,
            bot_guard: false,
            id,
            access_hash: Some(self.seed.access_hash(viewer, Peer::User(id))),
            first_name: Some(person.first_name.clone()),
            last_name: person.last_name.clone(),
            username: person.username.clone(),
            phone: match &person.account {
                Some(account) if id == viewer => Some(account.phone.trim_start_matches('+').to_owned()),
                _ => None,
            },
            photo: None,
            status: (!person.bot).then(|| types::UserStatusRecently { by_me: false }.into()),
            bot_info_version: person.bot.then_some(1),
            restriction_reason: None,
            bot_inline_placeholder: None,
            lang_code: None,
            emoji_status: None,
            usernames: None,
            stories_max_id: None,
            color: None,
            profile_color: None,
            bot_active_users: None,
            bot_verification_icon: None,
            send_paid_messages_stars: None,
            linked_community_id: None,
        }
        .into()
    }

    pub(crate) fn chat(&self, viewer: i64, peer: Peer) -> enums::Chat {
        match peer {
            Peer::Group(id) => match self.groups.get(&id) {
                Some(group) => self.group(viewer, group),
                None => types::ChatEmpty { id }.into(),
            },
            Peer::User(id) => types::ChatEmpty { id }.into(),
            Peer::Channel(id) => match self.channels.get(&id) {
                Some(channel) => self.channel(viewer, channel),
                None => types::ChannelForbidden {
                    broadcast: false,
                    megagroup: true,
                    monoforum: false,
                    id,
                    access_hash: self.seed.access_hash(viewer, peer),
                    title: String::new(),
                    until_date: None,
                }
                .into(),
            },
        }
    }

    fn group(&self, viewer: i64, group: &Group) -> enums::Chat {
        let Some(member) = group.members.get(&viewer) else {
            return types::ChatForbidden { id: group.id, title: group.title.clone() }.into();
        };
        let migrated_to = group.migrated_to.map(|channel_id| {
            let access_hash = self.seed.access_hash(viewer, Peer::Channel(channel_id));
            types::InputChannel { channel_id, access_hash }.into()
        });
        types::Chat {
            creator: member.role == Role::Creator,
            left: false,
            deactivated: group.deactivated,
            call_active: false,
            call_not_empty: false,
            noforwards: false,
            id: group.id,
            title: group.title.clone(),
            photo: enums::ChatPhoto::Empty,
            participants_count: count(group.members.len()),
            date: member.date,
            version: group.version,
            migrated_to,
            admin_rights: admin_rights(member),
            default_banned_rights: Some(no_ban().into()),
        }
        .into()
    }

    fn channel(&self, viewer: i64, channel: &Channel) -> enums::Chat {
        let access_hash = self.seed.access_hash(viewer, Peer::Channel(channel.id));
        let member = channel.members.get(&viewer);
        if !channel.readable_by(viewer) {
            return types::ChannelForbidden {
                broadcast: !channel.megagroup,
                megagroup: channel.megagroup,
                monoforum: false,
                id: channel.id,
                access_hash,
                title: channel.title.clone(),
                until_date: None,
            }
            .into();
        }
        types::Channel {
            creator: member.is_some_and(|member| member.role == Role::Creator),
            left: member.is_none(),
            broadcast: !channel.megagroup,
            verified: false,
            megagroup: channel.megagroup,
            restricted: false,
            signatures: false,
            min: false,
            scam: false,
            has_link: false,
            has_geo: false,
            slowmode_enabled: false,
            call_active: false,
            call_not_empty: false,
            fake: false,
            gigagroup: false,
            noforwards: false,
            join_to_send: false,
            join_request: false,
            forum: false,
            stories_hidden: false,
            stories_hidden_min: false,
            stories_unavailable: true,
            signature_profiles: false,
            autotranslation: false,
            broadcast_messages_allowed: false,
            monoforum: false,
            forum_tabs: false,
            id: channel.id,
            access_hash: Some(access_hash),
            title: channel.title.clone(),
            username: channel.username.clone(),
            photo: enums::ChatPhoto::Empty,
            date: member.map_or(channel.date, |member| member.date),
            restriction_reason: None,
            admin_rights: member.and_then(admin_rights),
            banned_rights: member
                .filter(|member| member.muted)
                .map(|_| enums::ChatBannedRights::Rights(banned_rights(false))),
            default_banned_rights: channel.megagroup.then(|| {
                types::ChatBannedRights { change_info: true, pin_messages: true, ..no_ban() }.into()
            }),
            participants_count: Some(count(channel.members.len())),
            usernames: None,
            stories_max_id: None,
            color: None,
            profile_color: None,
            emoji_status: None,
            level: None,
            subscription_until_date: None,
            bot_verification_icon: None,
            send_paid_messages_stars: None,
            linked_monoforum_id: None,
            linked_community_id: None,
        }
        .into()
    }

    /// A message as the viewer, whose copy it is or who reads the channel, sees it.
    pub(crate) fn message(&self, viewer: i64, peer: Peer, message: &Stored) -> enums::Message {
        let out = message.from == viewer;
        let post = self.is_broadcast(peer);
        let from_id = match peer {
            _ if post => None,
            // In a private chat the other side is known.
            Peer::User(_) if !out => None,
            _ => Some(Peer::User(message.from).to_tl()),
        };
        let reply_to = message.reply_to.map(reply_header);
        if let Some(action) = &message.body.service {
            return types::MessageService {
                out,
                mentioned: false,
                media_unread: false,
                reactions_are_possible: false,
                silent: message.silent,
                post,
                legacy: false,
                id: message.id,
                from_id,
                peer_id: peer.to_tl(),
                saved_peer_id: None,
                reply_to,
                date: message.date,
                action: (**action).clone(),
                reactions: None,
                ttl_period: None,
            }
            .into();
        }
        types::Message {
            out,
            mentioned: false,
            media_unread: false,
            silent: message.silent,
            post,
            from_scheduled: false,
            legacy: false,
            edit_hide: false,
            pinned: false,
            noforwards: false,
            invert_media: false,
            offline: false,
            video_processing_pending: false,
            paid_suggested_post_stars: false,
            paid_suggested_post_ton: false,
            id: message.id,
            from_id,
            from_boosts_applied: None,
            from_rank: None,
            peer_id: peer.to_tl(),
            saved_peer_id: None,
            fwd_from: message.body.forward.as_deref().map(forward_header),
            via_bot_id: None,
            via_business_bot_id: None,
            guestchat_via_from: None,
            reply_to,
            date: message.date,
            message: message.body.text.to_string(),
            media: message.body.media.and_then(|media| self.media(viewer, media)),
            reply_markup: message.body.markup.as_deref().cloned(),
            entities: message.body.entities.as_ref().map(|entities| entities.to_vec()),
            views: post.then_some(1),
            forwards: post.then_some(0),
            replies: None,
            edit_date: message.edit_date,
            post_author: None,
            grouped_id: message.body.group,
            reactions: message.body.reactions.as_deref().map(reactions),
            restriction_reason: None,
            ttl_period: None,
            quick_reply_shortcut_id: None,
            effect: None,
            factcheck: None,
            report_delivery_until_date: None,
            paid_message_stars: None,
            suggested_post: None,
            schedule_repeat_period: None,
            summary_from_language: None,
            rich_message: None,
        }
        .into()
    }

    pub(crate) fn is_broadcast(&self, peer: Peer) -> bool {
        match peer {
            Peer::Channel(id) => self.channels.get(&id).is_some_and(|channel| !channel.megagroup),
            Peer::User(_) | Peer::Group(_) => false,
        }
    }

    /// How many messages of a chat its reader has not read.
    pub(crate) fn unread(&self, viewer: i64, dialog: &Dialog) -> usize {
        match dialog.peer {
            Peer::Channel(id) => {
                let channel = self.channels.get(&id);
                channel.map_or(0, |channel| channel.history.count_after(dialog.read_inbox))
            }
            Peer::User(_) | Peer::Group(_) => dialog.unread(viewer),
        }
    }

    /// A line of the list of dialogs.
    pub(crate) fn dialog(&self, viewer: i64, dialog: &Dialog) -> enums::Dialog {
        let channel = match dialog.peer {
            Peer::Channel(id) => self.channels.get(&id),
            Peer::User(_) | Peer::Group(_) => None,
        };
        types::Dialog {
            pinned: false,
            unread_mark: false,
            view_forum_as_messages: false,
            peer: dialog.peer.to_tl(),
            top_message: self.top(dialog).map_or(0, |message| message.id),
            read_inbox_max_id: dialog.read_inbox,
            read_outbox_max_id: dialog.read_outbox,
            unread_count: count(self.unread(viewer, dialog)),
            unread_mentions_count: 0,
            unread_reactions_count: 0,
            unread_poll_votes_count: 0,
            notify_settings: notify_settings(),
            pts: channel.map(|channel| channel.log.pts()),
            draft: None,
            folder_id: None,
            ttl_period: None,
        }
        .into()
    }

    /// The newest message of a dialog.
    pub(crate) fn top<'a>(&'a self, dialog: &'a Dialog) -> Option<&'a Stored> {
        match dialog.peer {
            Peer::Channel(id) => self.channels.get(&id)?.history.last(),
            Peer::User(_) | Peer::Group(_) => dialog.history.last(),
        }
    }
}

fn forward_header(forward: &Forward) -> enums::MessageFwdHeader {
    types::MessageFwdHeader {
        imported: false,
        saved_out: false,
        from_id: Some(forward.from.to_tl()),
        from_name: None,
        date: forward.date,
        channel_post: forward.post,
        post_author: None,
        saved_from_peer: None,
        saved_from_msg_id: None,
        saved_from_id: None,
        saved_from_name: None,
        saved_date: None,
        psa_type: None,
    }
    .into()
}

/// A plain text of a private chat in its short form, which introduces no one; none of what has more to say.
pub(crate) fn short_form(
    viewer: i64,
    peer: Peer,
    message: &Stored,
    pts: i32,
) -> Option<types::UpdateShortMessage> {
    let Peer::User(user_id) = peer else { return None };
    let Body {
        text,
        entities: None,
        markup: None,
        service: None,
        forward: None,
        media: None,
        group: None,
        reactions: None,
    } = &message.body
    else {
        return None;
    };
    (user_id != viewer).then(|| types::UpdateShortMessage {
        out: message.from == viewer,
        mentioned: false,
        media_unread: false,
        silent: message.silent,
        id: message.id,
        user_id,
        message: text.to_string(),
        pts,
        pts_count: 1,
        date: message.date,
        fwd_from: None,
        via_bot_id: None,
        reply_to: message.reply_to.map(reply_header),
        entities: None,
        ttl_period: None,
    })
}

fn reply_header(id: i32) -> enums::MessageReplyHeader {
    types::MessageReplyHeader {
        reply_to_scheduled: false,
        forum_topic: false,
        quote: false,
        reply_to_ephemeral: false,
        reply_to_msg_id: Some(id),
        reply_to_peer_id: None,
        reply_from: None,
        reply_media: None,
        reply_to_top_id: None,
        quote_text: None,
        quote_entities: None,
        quote_offset: None,
        todo_item_id: None,
        poll_option: None,
    }
    .into()
}

pub(crate) fn notify_settings() -> enums::PeerNotifySettings {
    types::PeerNotifySettings {
        show_previews: None,
        silent: None,
        mute_until: None,
        ios_sound: None,
        android_sound: None,
        other_sound: None,
        stories_muted: None,
        stories_hide_sender: None,
        stories_ios_sound: None,
        stories_android_sound: None,
        stories_other_sound: None,
    }
    .into()
}
