//! The methods of the pretend Telegram, found by constructor id.

mod account;
mod auth;
mod buttons;
mod channels;
mod contacts;
mod dialogs;
mod editing;
mod forwarding;
mod full;
mod governing;
mod groups;
mod help;
mod history;
mod invites;
mod marks;
mod media;
mod ownership;
mod participants;
mod reservation;
mod sending;
mod tokens;
mod updates;
mod uploading;
mod users;

use grammers_tl_types::{Deserializable, Identifiable, RemoteCall, Serializable, functions, name_for_id};

pub(crate) use contacts::is_username;
pub(crate) use groups::normalized_title;
pub(crate) use reservation::{Reservation, release, reserve};

use super::context::Context;
use super::rpc::{Result, read};

/// A method that may refuse.
fn ask<F>(
    context: &mut Context<'_>,
    body: &[u8],
    method: fn(&mut Context<'_>, &F) -> Result<F::Return>,
) -> Result<Vec<u8>>
where
    F: RemoteCall + Deserializable,
    F::Return: Serializable,
{
    let request = read::<F>(body)?;
    method(context, &request).map(|answer| answer.to_bytes())
}

/// A method that always has an answer.
fn tell<F>(
    context: &mut Context<'_>,
    body: &[u8],
    method: fn(&mut Context<'_>, &F) -> F::Return,
) -> Result<Vec<u8>>
where
    F: RemoteCall + Deserializable,
    F::Return: Serializable,
{
    let request = read::<F>(body)?;
    Ok(method(context, &request).to_bytes())
}

/// A method that is noted by answering yes.
fn nod<F>(_: &mut Context<'_>, body: &[u8], answer: bool) -> Result<Vec<u8>>
where
    F: RemoteCall<Return = bool> + Deserializable,
{
    read::<F>(body)?;
    Ok(answer.to_bytes())
}

macro_rules! methods {
    ($($function:ident$(::$rest:ident)* => $style:ident $handler:expr),* $(,)?) => {
        /// Runs a method; none when there is no method with this constructor.
        pub(crate) fn run(context: &mut Context<'_>, id: u32, body: &[u8]) -> Option<Result<Vec<u8>>> {
            match id {
                $(functions::$function$(::$rest)*::CONSTRUCTOR_ID =>
                    Some($style::<functions::$function$(::$rest)*>(context, body, $handler)),)*
                _ => None,
            }
        }

        const CONSTRUCTORS: &[u32] = &[$(functions::$function$(::$rest)*::CONSTRUCTOR_ID),*];
    };
}

methods! {
    help::GetConfig => tell help::get_config,
    help::GetNearestDc => tell help::get_nearest_dc,
    help::GetAppConfig => tell help::get_app_config,
    help::GetTermsOfServiceUpdate => tell help::get_terms_of_service_update,
    help::AcceptTermsOfService => ask help::accept_terms_of_service,
    help::GetPromoData => tell help::get_promo_data,
    help::GetAppUpdate => tell help::get_app_update,
    help::GetInviteText => tell help::get_invite_text,
    help::GetCountriesList => tell help::get_countries_list,
    help::GetPeerColors => tell help::get_peer_colors,
    help::SaveAppLog => nod true,
    langpack::GetDifference => tell help::get_lang_difference,
    langpack::GetLangPack => tell help::get_lang_pack,
    langpack::GetStrings => tell help::get_lang_strings,
    langpack::GetLanguages => tell help::get_languages,

    auth::SendCode => ask auth::send_code,
    auth::ResendCode => ask auth::resend_code,
    auth::CancelCode => ask auth::cancel_code,
    auth::SignIn => ask auth::sign_in,
    auth::SignUp => ask auth::sign_up,
    auth::LogOut => ask auth::log_out,
    auth::ExportAuthorization => ask auth::export_authorization,
    auth::ImportAuthorization => ask auth::import_authorization,
    auth::ExportLoginToken => ask tokens::export_login_token,
    auth::ImportLoginToken => ask tokens::import_login_token,
    auth::AcceptLoginToken => ask tokens::accept_login_token,
    auth::CheckPassword => ask auth::check_password,

    account::GetPassword => ask account::get_password,
    account::UpdateStatus => nod true,
    account::RegisterDevice => nod true,
    account::UnregisterDevice => nod true,
    account::UpdateDeviceLocked => nod true,
    account::GetNotifySettings => tell account::get_notify_settings,
    account::GetAuthorizations => ask account::get_authorizations,
    account::GetAccountTtl => tell account::get_account_ttl,

    users::GetUsers => ask users::get_users,
    users::GetFullUser => ask users::get_full_user,
    photos::GetUserPhotos => ask users::get_user_photos,

    contacts::ResolveUsername => ask contacts::resolve_username,
    contacts::ResolvePhone => ask contacts::resolve_phone,
    contacts::GetContacts => ask contacts::get_contacts,
    contacts::GetStatuses => ask contacts::get_statuses,
    contacts::ImportContacts => ask contacts::import_contacts,
    contacts::AddContact => ask contacts::add_contact,
    contacts::DeleteContacts => ask contacts::delete_contacts,
    contacts::Search => ask contacts::search,
    contacts::GetTopPeers => tell contacts::get_top_peers,
    contacts::Block => ask contacts::block,
    contacts::Unblock => ask contacts::unblock,
    contacts::GetBlocked => ask contacts::get_blocked,

    updates::GetState => ask updates::get_state,
    updates::GetDifference => ask updates::get_difference,
    updates::GetChannelDifference => ask updates::get_channel_difference,

    messages::GetDialogs => ask dialogs::get_dialogs,
    messages::GetPeerDialogs => ask dialogs::get_peer_dialogs,
    messages::GetPinnedDialogs => ask dialogs::get_pinned_dialogs,
    messages::GetDialogFilters => tell dialogs::get_dialog_filters,
    messages::GetDialogUnreadMarks => tell dialogs::get_dialog_unread_marks,
    messages::GetPeerSettings => ask dialogs::get_peer_settings,
    messages::GetHistory => ask history::get_history,
    messages::Search => ask history::search,
    messages::SearchGlobal => ask history::search_global,
    messages::GetMessages => ask history::get_messages,
    channels::GetMessages => ask history::get_channel_messages,
    messages::GetMessagesViews => ask history::get_messages_views,

    messages::SendMessage => ask sending::send_message,
    messages::SendMedia => ask media::send_media,
    messages::UploadMedia => ask media::upload_media,
    messages::SendMultiMedia => ask media::send_multi_media,
    upload::SaveFilePart => ask uploading::save_file_part,
    upload::SaveBigFilePart => ask uploading::save_big_file_part,
    upload::GetFile => ask uploading::get_file,
    messages::ForwardMessages => ask forwarding::forward_messages,
    messages::EditMessage => ask editing::edit_message,
    messages::GetBotCallbackAnswer => ask buttons::get_bot_callback_answer,
    messages::DeleteMessages => ask editing::delete_messages,
    channels::DeleteMessages => ask editing::delete_channel_messages,
    messages::DeleteHistory => ask editing::delete_history,
    messages::ReadHistory => ask marks::read_history,
    channels::ReadHistory => ask marks::read_channel_history,
    messages::ReadMentions => ask marks::read_mentions,
    messages::ReadMessageContents => ask marks::read_message_contents,
    channels::ReadMessageContents => ask marks::read_channel_message_contents,
    messages::ReceivedMessages => tell marks::received_messages,
    messages::SetTyping => ask marks::set_typing,
    messages::GetOnlines => ask marks::get_onlines,

    messages::GetChats => ask full::get_chats,
    messages::GetFullChat => ask full::get_full_chat,
    messages::GetCommonChats => ask full::get_common_chats,
    channels::GetChannels => ask full::get_channels,
    channels::GetFullChannel => ask full::get_full_channel,
    channels::GetParticipants => ask participants::get_participants,
    channels::GetParticipant => ask participants::get_participant,

    messages::CreateChat => ask groups::create_chat,
    messages::AddChatUser => ask groups::add_chat_user,
    messages::DeleteChatUser => ask groups::delete_chat_user,
    messages::EditChatTitle => ask groups::edit_chat_title,
    messages::EditChatAdmin => ask groups::edit_chat_admin,
    messages::DeleteChat => ask groups::delete_chat,
    messages::MigrateChat => ask groups::migrate_chat,
    channels::CreateChannel => ask channels::create_channel,
    channels::InviteToChannel => ask channels::invite_to_channel,
    channels::JoinChannel => ask channels::join_channel,
    channels::LeaveChannel => ask channels::leave_channel,
    channels::DeleteChannel => ask channels::delete_channel,
    channels::EditTitle => ask governing::edit_title,
    channels::EditAdmin => ask governing::edit_admin,
    channels::EditBanned => ask governing::edit_banned,
    channels::TogglePreHistoryHidden => ask governing::toggle_pre_history_hidden,
    channels::UpdateUsername => ask governing::update_username,
    channels::CheckUsername => ask governing::check_username,
    messages::EditChatCreator => ask ownership::edit_chat_creator,
    messages::EditChatAbout => ask governing::edit_chat_about,
    messages::ExportChatInvite => ask invites::export_chat_invite,
    messages::CheckChatInvite => ask invites::check_chat_invite,
    messages::ImportChatInvite => ask invites::import_chat_invite,
}

/// Whether the sandbox has the method with this constructor.
pub(crate) fn serves(id: u32) -> bool {
    CONSTRUCTORS.contains(&id)
}

/// Whether the sandbox has a method of this name.
pub(crate) fn is_known(name: &str) -> bool {
    CONSTRUCTORS.iter().any(|id| name_for_id(*id) == name)
}

/// Methods that a key without an account may call.
pub(crate) fn is_open_to_anyone(name: &str) -> bool {
    name.starts_with("help.") || name.starts_with("langpack.") || name.starts_with("auth.")
}

/// Methods for a key that came from another data centre.
pub(crate) fn is_open_to_visitors(name: &str) -> bool {
    is_open_to_anyone(name) || name.starts_with("upload.") || name == "users.getUsers"
}
