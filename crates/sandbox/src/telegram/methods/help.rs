//! `help.*` and `langpack.*`: what clients ask while they start.

use grammers_tl_types::{enums, functions, types};

use super::auth::{terms, terms_id};
use crate::telegram::context::Context;
use crate::telegram::rpc::Result;

pub(super) fn get_config(context: &mut Context<'_>, _: &functions::help::GetConfig) -> enums::Config {
    let date = context.at.date();
    types::Config {
        default_p2p_contacts: false,
        preload_featured_stickers: false,
        revoke_pm_inbox: true,
        blocked_mode: false,
        force_try_ipv6: false,
        date,
        expires: date.saturating_add(3_600),
        test_mode: false,
        this_dc: context.caller.dc_id,
        dc_options: context
            .state
            .centres
            .iter()
            .map(|centre| {
                types::DcOption {
                    ipv6: false,
                    media_only: false,
                    tcpo_only: false,
                    cdn: false,
                    r#static: false,
                    this_port_only: false,
                    id: centre.dc_id,
                    ip_address: centre.address.ip().to_string(),
                    port: i32::from(centre.address.port()),
                    secret: None,
                }
                .into()
            })
            .collect(),
        dc_txt_domain_name: String::new(),
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: 100,
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5_000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1_500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: 172_800,
        revoke_time_limit: i32::MAX,
        revoke_pm_time_limit: i32::MAX,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: 90_000,
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: "https://t.me/".to_owned(),
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: 1_024,
        message_length_max: 4_096,
        webfile_dc_id: 4,
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    }
    .into()
}

pub(super) fn get_nearest_dc(
    context: &mut Context<'_>,
    _: &functions::help::GetNearestDc,
) -> enums::NearestDc {
    let this_dc = context.caller.dc_id;
    types::NearestDc { country: "NL".to_owned(), this_dc, nearest_dc: 2 }.into()
}

pub(super) fn get_app_config(
    _: &mut Context<'_>,
    _: &functions::help::GetAppConfig,
) -> enums::help::AppConfig {
    let config = types::JsonObject { value: Vec::new() }.into();
    types::help::AppConfig { hash: 1, config }.into()
}

pub(super) fn get_terms_of_service_update(
    context: &mut Context<'_>,
    _: &functions::help::GetTermsOfServiceUpdate,
) -> enums::help::TermsOfServiceUpdate {
    let demanded = context.user.and_then(|user| context.state.signing.demands.get(&user)?.terms.as_deref());
    let expires = context.at.date().saturating_add(3_600);
    if let Some(text) = demanded {
        return types::help::TermsOfServiceUpdate { expires, terms_of_service: terms(text) }.into();
    }
    types::help::TermsOfServiceUpdateEmpty { expires: context.at.date().saturating_add(86_400) }.into()
}

pub(super) fn accept_terms_of_service(
    context: &mut Context<'_>,
    request: &functions::help::AcceptTermsOfService,
) -> Result<bool> {
    let me = context.me()?;
    let enums::DataJson::Json(id) = &request.id;
    let Some(demands) = context.state.signing.demands.get_mut(&me) else { return Ok(false) };
    let accepted = demands.terms.as_deref().is_some_and(|text| terms_id(text) == id.data);
    if accepted {
        demands.terms = None;
    }
    Ok(accepted)
}

pub(super) fn get_promo_data(
    context: &mut Context<'_>,
    _: &functions::help::GetPromoData,
) -> enums::help::PromoData {
    types::help::PromoDataEmpty { expires: context.at.date().saturating_add(86_400) }.into()
}

pub(super) fn get_app_update(
    _: &mut Context<'_>,
    _: &functions::help::GetAppUpdate,
) -> enums::help::AppUpdate {
    enums::help::AppUpdate::NoAppUpdate
}

pub(super) fn get_invite_text(
    _: &mut Context<'_>,
    _: &functions::help::GetInviteText,
) -> enums::help::InviteText {
    types::help::InviteText { message: "Come in".to_owned() }.into()
}

pub(super) fn get_countries_list(
    _: &mut Context<'_>,
    _: &functions::help::GetCountriesList,
) -> enums::help::CountriesList {
    types::help::CountriesList { countries: Vec::new(), hash: 1 }.into()
}

pub(super) fn get_peer_colors(
    _: &mut Context<'_>,
    _: &functions::help::GetPeerColors,
) -> enums::help::PeerColors {
    types::help::PeerColors { hash: 1, colors: Vec::new() }.into()
}

fn nothing_translated(lang_code: &str, from_version: i32) -> enums::LangPackDifference {
    types::LangPackDifference {
        lang_code: lang_code.to_owned(),
        from_version,
        version: from_version.max(1),
        strings: Vec::new(),
    }
    .into()
}

pub(super) fn get_lang_difference(
    _: &mut Context<'_>,
    request: &functions::langpack::GetDifference,
) -> enums::LangPackDifference {
    nothing_translated(&request.lang_code, request.from_version)
}

pub(super) fn get_lang_pack(
    _: &mut Context<'_>,
    request: &functions::langpack::GetLangPack,
) -> enums::LangPackDifference {
    nothing_translated(&request.lang_code, 0)
}

pub(super) fn get_lang_strings(
    _: &mut Context<'_>,
    _: &functions::langpack::GetStrings,
) -> Vec<enums::LangPackString> {
    Vec::new()
}

pub(super) fn get_languages(
    _: &mut Context<'_>,
    _: &functions::langpack::GetLanguages,
) -> Vec<enums::LangPackLanguage> {
    Vec::new()
}
