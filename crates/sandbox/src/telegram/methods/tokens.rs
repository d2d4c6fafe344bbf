//! Signing in with a QR code: a token is shown by one device and accepted by another.

use grammers_tl_types::{enums, functions, types};

use super::auth::{authorization, owe_the_password, sign_in_here};
use crate::telegram::context::Context;
use crate::telegram::rpc::{Result, bad_request};

pub(super) fn export_login_token(
    context: &mut Context<'_>,
    request: &functions::auth::ExportLoginToken,
) -> Result<enums::auth::LoginToken> {
    if request.api_id <= 0 || request.api_hash.is_empty() {
        return Err(bad_request("API_ID_INVALID"));
    }
    let (key, at) = (context.caller.key, context.at);
    if let Some((token, user)) = context.state.signing.tokens.accepted_for(key, at) {
        let home = context.state.account_of(user).map_or(2, |account| account.dc_id);
        if home != context.caller.dc_id {
            return Ok(types::auth::LoginTokenMigrateTo { dc_id: home, token }.into());
        }
        return success(context, &token, user);
    }
    let token = context.state.next_secret("login token").into_bytes();
    let expires = context.state.signing.tokens.show(token.clone(), key, at).date();
    Ok(types::auth::LoginToken { expires, token }.into())
}

/// Signs in at the data centre of the user, with the token of another one.
pub(super) fn import_login_token(
    context: &mut Context<'_>,
    request: &functions::auth::ImportLoginToken,
) -> Result<enums::auth::LoginToken> {
    let user = context.state.signing.tokens.user(&request.token, context.at)?;
    let dc_id = context.state.account_of(user).map_or(2, |account| account.dc_id);
    if dc_id != context.caller.dc_id {
        let token = request.token.clone();
        return Ok(types::auth::LoginTokenMigrateTo { dc_id, token }.into());
    }
    success(context, &request.token, user)
}

pub(super) fn accept_login_token(
    context: &mut Context<'_>,
    request: &functions::auth::AcceptLoginToken,
) -> Result<enums::Authorization> {
    let me = context.me()?;
    context.state.accept_token(&request.token, me, context.at)?;
    let date = context.at.date();
    Ok(types::Authorization {
        current: false,
        official_app: false,
        password_pending: context.state.password_of(me).is_some(),
        encrypted_requests_disabled: false,
        call_requests_disabled: false,
        unconfirmed: false,
        hash: 1,
        device_model: "Sandbox".to_owned(),
        platform: String::new(),
        system_version: String::new(),
        api_id: context.state.account_of(me).map_or(0, |account| account.api_id),
        app_name: "Sandbox".to_owned(),
        app_version: "1".to_owned(),
        date_created: date,
        date_active: date,
        ip: "127.0.0.1".to_owned(),
        country: String::new(),
        region: String::new(),
    }
    .into())
}

fn success(context: &mut Context<'_>, token: &[u8], user: i64) -> Result<enums::auth::LoginToken> {
    owe_the_password(context, user)?;
    context.state.signing.tokens.forget(context.caller.key, token);
    sign_in_here(context, user, false);
    let authorization = authorization(context.state, user);
    Ok(types::auth::LoginTokenSuccess { authorization }.into())
}
