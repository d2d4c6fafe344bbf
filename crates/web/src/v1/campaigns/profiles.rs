//! `/v1/campaign-profiles`: browsers in which a person has logged in at Telegram Web K.

use std::time::Duration;

use ::campaigns::{ControlError, InvalidProfileLocation, LogIn, ProfileError, ProfileKind, ProfileLocation};
use api::{CampaignLogIn, CampaignProfile};
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{ProfileName, slug};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use outbound::Allowed;
use serde::Deserialize;
use serde_json::Value;
use store::{NewProfile, StoreError, StoredProfile};
use utoipa::ToSchema;

use crate::answer::json;
use crate::auth::{Authorized, CanArrangeAccounts, CanOperate, CanRead, CanStartSending};
use crate::extract::{PathParameter, Unchecked};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::{Page, PageParameters, PageRequest};

/// Where the browser of a profile is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutProfile {
    /// `chromium` or `firefox` (a browser of this machine, on a directory of its own), `donut` or `endpoint` (a driver elsewhere).
    #[schema(value_type = String, example = "chromium")]
    kind: ProfileKind,
    /// Of `chromium` and `firefox`: one of `/v1/campaign-proxies`.
    #[schema(example = "socks5://demo@proxy.example.com:1080")]
    proxy: Option<String>,
    /// Of `donut`: the address of its local API. `campaigns.allow_private` must list its network.
    #[schema(example = "http://127.0.0.1:10108")]
    api: Option<String>,
    /// Of `donut`: the token in its settings. It is never shown.
    token: Option<String>,
    /// Of `donut`: the profile's id there.
    id: Option<String>,
    /// Of `endpoint`: the address of the driver. If it is not public, `campaigns.allow_private` must list its network.
    #[schema(example = "http://127.0.0.1:9515")]
    driver: Option<String>,
    /// Of `endpoint`: the capabilities that are asked for.
    #[schema(value_type = Option<Object>)]
    capabilities: Option<Value>,
}

impl PutProfile {
    fn place(self, allowed: &Allowed) -> Result<ProfileLocation, InvalidProfileLocation> {
        let text = |text: Option<String>| text.unwrap_or_default();
        let place = match self.kind {
            ProfileKind::Chromium => ProfileLocation::Chromium,
            ProfileKind::Firefox => ProfileLocation::Firefox,
            ProfileKind::Donut => {
                ProfileLocation::Donut { api: text(self.api), token: text(self.token), id: text(self.id) }
            }
            ProfileKind::Endpoint => ProfileLocation::Endpoint {
                driver: text(self.driver),
                capabilities: self.capabilities.unwrap_or_default(),
            },
        };
        if self.proxy.is_some() && !matches!(place, ProfileLocation::Chromium | ProfileLocation::Firefox) {
            let why =
                "is of profiles of the kinds chromium and firefox: other browsers have proxies of their own";
            return Err(InvalidProfileLocation { field: "proxy", why: why.to_owned() });
        }
        place.checked(allowed)
    }
}

/// Lists the browser profiles that send for campaigns.
#[utoipa::path(
    get, path = "/v1/campaign-profiles", tag = "campaigns", operation_id = "list_campaign_profiles",
    params(PageParameters),
    responses((status = 200, description = "The profiles", body = Page<CampaignProfile>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let profiles = state.store().campaigns().profiles().await?;
    let page = wanted.cut(profiles, |profile| profile.name.to_string())?;
    let mut items = Vec::with_capacity(page.items.len());
    for profile in page.items {
        items.push(shown(&state, profile).await?);
    }
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}

/// Shows a browser profile.
#[utoipa::path(
    get, path = "/v1/campaign-profiles/{name}", tag = "campaigns", operation_id = "get_campaign_profile",
    params(("name" = String, Path, description = "The profile's name")),
    responses((status = 200, description = "The profile", body = CampaignProfile))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(name): PathParameter<String>,
) -> Result<Response, Problem> {
    let profile = find_profile(&state, &name).await?;
    Ok(json(StatusCode::OK, &shown(&state, profile).await?))
}

/// Makes or changes a browser profile. One that is there keeps its login and its state.
#[utoipa::path(
    put, path = "/v1/campaign-profiles/{name}", tag = "campaigns", operation_id = "put_campaign_profile",
    params(("name" = String, Path, description = "The profile's name: letters a-z, digits, _ and -")),
    request_body = PutProfile,
    responses(
        (status = 200, description = "It is kept; its owner logs in there", body = CampaignProfile),
        (status = 409, description = "Another profile has its proxy: `campaign_not_ready`"),
    )
)]
pub(crate) async fn put(
    Shared(state): Shared<State>,
    _: Authorized<CanArrangeAccounts>,
    PathParameter(name): PathParameter<String>,
    body: Unchecked<PutProfile>,
) -> Result<Response, Problem> {
    let given = name;
    let name = slug(&given)
        .parse::<ProfileName>()
        .map_err(|error| field("name", &format!("cannot be used: {error}")))?;
    if given != name.as_str() && find_profile(&state, name.as_str()).await.is_ok() {
        let why = format!("is written {name} here, which is another profile; choose another name");
        return Err(field("name", &why));
    }
    let (place, proxy) = body.checked(|body: PutProfile| {
        let proxy = body.proxy.clone();
        let place = body.place(state.campaigns().allowed());
        Ok((place.map_err(|error| field(error.field, &error.why))?, proxy))
    })?;
    let campaigns = state.store().campaigns();
    if let Some(proxy) = &proxy
        && campaigns.proxy(proxy).await?.is_none()
    {
        return Err(field("proxy", "names no proxy; see GET /v1/campaign-proxies"));
    }
    let kind = place.kind().to_string();
    let record = serde_json::to_string(&place)
        .map_err(|error| StoreError::Unavailable(format!("campaign_profiles: {error}")))?;
    let now = state.clock().now();
    let new = NewProfile { name: name.clone(), kind, record: record.into(), proxy, now };
    campaigns.put_profile(new).await.map_err(|error| match error {
        StoreError::Conflict { what, .. } => {
            Problem::new(Code::CampaignNotReady, format!("Nothing was changed: {what}."))
        }
        other => other.into(),
    })?;
    let profile = find_profile(&state, name.as_str()).await?;
    Ok(json(StatusCode::OK, &shown(&state, profile).await?))
}

/// Removes a browser profile, from its campaigns too. The directory of its browser stays, and so does what it sent.
#[utoipa::path(
    delete, path = "/v1/campaign-profiles/{name}", tag = "campaigns", operation_id = "remove_campaign_profile",
    params(("name" = String, Path, description = "The profile's name")),
    responses((status = 204, description = "It is removed"))
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    _: Authorized<CanArrangeAccounts>,
    PathParameter(name): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let profile = find_profile(&state, &name).await?;
    state.store().campaigns().remove_profile(&profile.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a browser profile send again, in each of its campaigns.
#[utoipa::path(
    post, path = "/v1/campaign-profiles/{name}/unblock", tag = "campaigns", operation_id = "unblock_campaign_profile",
    params(("name" = String, Path, description = "The profile's name")),
    responses((status = 200, description = "It is not blocked", body = CampaignProfile))
)]
pub(crate) async fn unblock(
    Shared(state): Shared<State>,
    _: Authorized<CanStartSending>,
    PathParameter(name): PathParameter<String>,
) -> Result<Response, Problem> {
    let profile = find_profile(&state, &name).await?;
    state.store().campaigns().unblock_profile(&profile.name, state.clock().now()).await?;
    Ok(json(StatusCode::OK, &shown(&state, find_profile(&state, &name).await?).await?))
}

/// Opens a browser profile and tests whether its page is the one that is known. Sends nothing; what is wrong is in `last_error`.
#[utoipa::path(
    post, path = "/v1/campaign-profiles/{name}/check", tag = "campaigns", operation_id = "check_campaign_profile",
    params(("name" = String, Path, description = "The profile's name")),
    responses(
        (status = 200, description = "What came of it", body = CampaignProfile),
        (status = 409, description = "Its browser cannot be opened, or a campaign has it: `campaign_not_ready`"),
    )
)]
pub(crate) async fn check(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    PathParameter(name): PathParameter<String>,
) -> Result<Response, Problem> {
    let profile = find_profile(&state, &name).await?;
    let checked = state.campaigns().check_profile(&profile.name).await;
    checked.map_err(|error| not_opened(&name, error))?;
    Ok(json(StatusCode::OK, &shown(&state, find_profile(&state, &name).await?).await?))
}

/// Shows what the owner of a browser profile sees who logs in there: a code to be scanned with the phone. Ask again every few
/// seconds; once it says `done` the profile may send, unless Telegram blocked it.
#[utoipa::path(
    post, path = "/v1/campaign-profiles/{name}/log-in", tag = "campaigns", operation_id = "log_in_campaign_profile",
    params(("name" = String, Path, description = "The profile's name")),
    responses(
        (status = 200, description = "What its window shows", body = CampaignLogIn),
        (status = 409, description = "Its browser cannot be opened, or a campaign has it: `campaign_not_ready`"),
    )
)]
pub(crate) async fn log_in(
    Shared(state): Shared<State>,
    _: Authorized<CanArrangeAccounts>,
    PathParameter(name): PathParameter<String>,
) -> Result<Response, Problem> {
    let profile = find_profile(&state, &name).await?;
    let seen = state.campaigns().log_in(&profile.name).await;
    let (state, picture, user_id) = match seen.map_err(|error| not_opened(&name, error))? {
        LogIn::Code(png) => ("code", Some(STANDARD.encode(png)), None),
        LogIn::Requested(what) => (what, None, None),
        LogIn::Loading => ("loading", None, None),
        LogIn::Done(user) => ("done", None, Some(user.into())),
    };
    Ok(json(StatusCode::OK, &CampaignLogIn { state: state.to_owned(), picture, user_id }))
}

/// Shows a picture of a page where something went wrong, as `picture` of profiles and attempts names it. The same name with `.html` in
/// the place of `.png` is the page itself, as text. Codes and what other people write are masked in both.
#[utoipa::path(
    get, path = "/v1/campaign-pictures/{file}", tag = "campaigns", operation_id = "read_campaign_picture",
    params(("file" = String, Path, description = "The picture's file")),
    responses(
        (status = 200, description = "The picture, or the page", content((String = "image/png"), (String = "text/plain"))),
        (status = 404, description = "It is gone: `file_not_found`"),
    )
)]
pub(crate) async fn picture(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(file): PathParameter<String>,
) -> Result<Response, Problem> {
    let read = state.campaigns().picture(&file).await;
    let content = read.map_err(|error| StoreError::Unavailable(format!("pictures: {error}")))?;
    let Some(content) = content else {
        let detail = format!("There is no picture {:?}: pictures are kept for 30 days.", shorten(&file));
        return Err(Problem::new(Code::FileNotFound, detail));
    };
    // As HTML it would run here.
    let is_page = std::path::Path::new(&file).extension().is_some_and(|extension| extension == "html");
    let kind = if is_page { "text/plain; charset=utf-8" } else { "image/png" };
    let headers = [
        (CONTENT_TYPE, kind),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "private, max-age=86400"),
    ];
    Ok((headers, content).into_response())
}

/// The profile of a name.
async fn find_profile(state: &State, name: &str) -> Result<StoredProfile, Problem> {
    let profile = match name.parse::<ProfileName>() {
        Ok(parsed) => state.store().campaigns().profile(&parsed).await?,
        Err(_) => None,
    };
    profile.ok_or_else(|| no_such_profile(name))
}

async fn shown(state: &State, profile: StoredProfile) -> Result<CampaignProfile, Problem> {
    let campaigns = state.store().campaigns();
    let picture = campaigns.picture_of_profile(&profile.name).await?;
    let used_by = campaigns.campaigns_of_profile(&profile.name).await?;
    let since = state.clock().now().minus(Duration::from_hours(1));
    let sent = campaigns.sent_by_profile(&profile.name, since).await?;
    Ok(CampaignProfile::of(profile, picture, used_by, sent))
}

fn no_such_profile(name: &str) -> Problem {
    let detail =
        format!("No profile has the name {:?}; GET /v1/campaign-profiles lists them.", shorten(name));
    Problem::new(Code::CampaignProfileNotFound, detail)
}

fn not_opened(name: &str, error: ProfileError) -> Problem {
    match error {
        ProfileError::Unknown => no_such_profile(name),
        ProfileError::Store(error) | ProfileError::Control(ControlError::Store(error)) => error.into(),
        error @ (ProfileError::NotOpened(_) | ProfileError::Control(_)) => {
            Problem::new(Code::CampaignNotReady, format!("The profile is not opened: {error}."))
        }
    }
}

fn field(name: &'static str, why: &str) -> Problem {
    Problem::fields(vec![FieldError::new(name, why.to_owned())])
}
