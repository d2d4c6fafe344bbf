//! Who is in a supergroup or channel.

use grammers_tl_types::{enums, functions, types};

use crate::telegram::chats::{Channel, Kicked, Member, Role};
use crate::telegram::context::Context;
use crate::telegram::peer::Peer;
use crate::telegram::render::Cast;
use crate::telegram::rights::{banned_rights, every_right};
use crate::telegram::rpc::{Result, bad_request};
use crate::telegram::state::{State, count, page};

/// The most members in one answer.
const PAGE: usize = 200;

pub(super) fn get_participants(
    context: &mut Context<'_>,
    request: &functions::channels::GetParticipants,
) -> Result<enums::channels::ChannelParticipants> {
    let me = context.me()?;
    let state = &*context.state;
    let id = state.input_channel(me, &request.channel)?;
    state.may_read(me, Peer::Channel(id))?;
    let channel = state.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    let admin = channel.members.get(&me).is_some_and(Member::is_admin);
    let secret = matches!(
        request.filter,
        enums::ChannelParticipantsFilter::ChannelParticipantsKicked(_)
            | enums::ChannelParticipantsFilter::ChannelParticipantsBanned(_)
    );
    if (secret || !channel.megagroup) && !admin {
        return Err(bad_request("CHAT_ADMIN_REQUIRED"));
    }
    let rows = matching(state, channel, &request.filter, me);
    let offset = usize::try_from(request.offset).unwrap_or(0);
    let shown: Vec<&Row> = rows.iter().skip(offset).take(page(request.limit, PAGE)).collect();
    let mut cast = Cast::of(Peer::Channel(id));
    for row in &shown {
        cast.user(row.0);
    }
    let participants = shown.iter().map(|row| row.1.clone()).collect();
    let (users, chats) = state.introduce(me, &cast);
    Ok(types::channels::ChannelParticipants { count: count(rows.len()), participants, chats, users }.into())
}

/// A user and its standing.
type Row = (i64, enums::ChannelParticipant);

fn matching(
    state: &State,
    channel: &Channel,
    filter: &enums::ChannelParticipantsFilter,
    me: i64,
) -> Vec<Row> {
    use enums::ChannelParticipantsFilter as Filter;
    let members = |wanted: &dyn Fn(i64, &Member) -> bool| {
        let chosen = channel.members.iter().filter(|(user, member)| wanted(**user, member));
        chosen.map(|(user, member)| (*user, participant(*user, member, me))).collect::<Vec<Row>>()
    };
    let named = |text: &str| {
        let wanted = text.to_lowercase();
        move |user: i64| {
            state.people.get(&user).is_some_and(|person| {
                let last = person.last_name.as_deref().unwrap_or_default();
                let username = person.username.as_deref().unwrap_or_default();
                [person.first_name.as_str(), last, username]
                    .iter()
                    .any(|name| name.to_lowercase().contains(&wanted))
            })
        }
    };
    match filter {
        Filter::ChannelParticipantsRecent | Filter::ChannelParticipantsMentions(_) => members(&|_, _| true),
        Filter::ChannelParticipantsAdmins => members(&|_, member| member.is_admin()),
        Filter::ChannelParticipantsBots => {
            members(&|user, _| state.people.get(&user).is_some_and(|person| person.bot))
        }
        Filter::ChannelParticipantsSearch(search) => {
            let fits = named(&search.q);
            members(&|user, _| fits(user))
        }
        Filter::ChannelParticipantsContacts(search) => {
            let fits = named(&search.q);
            members(&|user, _| {
                let contact = state.people.get(&me).is_some_and(|one| one.contacts.contains(&user));
                contact && fits(user)
            })
        }
        Filter::ChannelParticipantsBanned(search) => {
            let fits = named(&search.q);
            members(&|user, member| member.muted && fits(user))
        }
        Filter::ChannelParticipantsKicked(search) => {
            let fits = named(&search.q);
            let kicked = channel.kicked.iter().filter(|(user, _)| fits(**user));
            kicked.map(|(user, kicked)| (*user, thrown_out(*user, *kicked))).collect()
        }
    }
}

fn thrown_out(user: i64, kicked: Kicked) -> enums::ChannelParticipant {
    types::ChannelParticipantBanned {
        left: true,
        peer: Peer::User(user).to_tl(),
        kicked_by: kicked.by,
        date: kicked.date,
        banned_rights: banned_rights(true).into(),
        rank: None,
    }
    .into()
}

fn participant(user: i64, member: &Member, viewer: i64) -> enums::ChannelParticipant {
    let (user_id, date) = (user, member.date);
    match &member.role {
        Role::Creator => {
            types::ChannelParticipantCreator { user_id, admin_rights: every_right().into(), rank: None }
                .into()
        }
        Role::Admin { rights, promoted_by, rank } => types::ChannelParticipantAdmin {
            can_edit: *promoted_by == viewer,
            is_self: user == viewer,
            user_id,
            inviter_id: (user == viewer).then_some(member.invited_by),
            promoted_by: *promoted_by,
            date,
            admin_rights: (**rights).clone().into(),
            rank: rank.clone(),
        }
        .into(),
        Role::Member if member.muted => types::ChannelParticipantBanned {
            left: false,
            peer: Peer::User(user).to_tl(),
            kicked_by: member.invited_by,
            date,
            banned_rights: banned_rights(false).into(),
            rank: None,
        }
        .into(),
        Role::Member if user == viewer => types::ChannelParticipantSelf {
            via_request: false,
            user_id,
            inviter_id: member.invited_by,
            date,
            subscription_until_date: None,
            rank: None,
        }
        .into(),
        Role::Member => {
            types::ChannelParticipant { user_id, date, subscription_until_date: None, rank: None }.into()
        }
    }
}

pub(super) fn get_participant(
    context: &mut Context<'_>,
    request: &functions::channels::GetParticipant,
) -> Result<enums::channels::ChannelParticipant> {
    let me = context.me()?;
    let state = &*context.state;
    let id = state.input_channel(me, &request.channel)?;
    let Peer::User(user) = state.input_peer(me, &request.participant)? else {
        return Err(bad_request("PARTICIPANT_ID_INVALID"));
    };
    let channel = state.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    // A user that was thrown out may still ask about itself.
    if user != me || !channel.kicked.contains_key(&me) {
        state.may_read(me, Peer::Channel(id))?;
    }
    let participant = match (channel.members.get(&user), channel.kicked.get(&user)) {
        (Some(member), _) => participant(user, member, me),
        (None, Some(kicked)) => thrown_out(user, *kicked),
        (None, None) => return Err(bad_request("USER_NOT_PARTICIPANT")),
    };
    let mut cast = Cast::of(Peer::Channel(id));
    cast.user(user);
    let (users, chats) = state.introduce(me, &cast);
    Ok(types::channels::ChannelParticipant { participant, chats, users }.into())
}
