//! Signing in and out, and taking an authorization to another data centre.

use grammers_tl_types::{enums, functions, types};

use crate::telegram::context::Context;
use crate::telegram::rpc::{Result, bad_request, not_acceptable, see_other, unauthorized};
use crate::telegram::state::{MadeSession, State, count, digits};

/// Codes have five digits.
const CODE_LENGTH: usize = 5;

pub(super) fn send_code(
    context: &mut Context<'_>,
    request: &functions::auth::SendCode,
) -> Result<enums::auth::SentCode> {
    if request.api_id <= 0 || request.api_hash.is_empty() {
        return Err(bad_request("API_ID_INVALID"));
    }
    let phone = digits(&request.phone_number);
    if !(7..=15).contains(&phone.len()) {
        return Err(not_acceptable("PHONE_NUMBER_INVALID"));
    }
    stay_home(context, &phone)?;
    let hash = context.state.next_secret("phone code");
    context.state.sign_ins.insert(hash.clone(), phone);
    Ok(sent_code(hash))
}

pub(super) fn resend_code(
    context: &mut Context<'_>,
    request: &functions::auth::ResendCode,
) -> Result<enums::auth::SentCode> {
    waiting(context.state, &request.phone_number, &request.phone_code_hash)?;
    Ok(sent_code(request.phone_code_hash.clone()))
}

pub(super) fn cancel_code(context: &mut Context<'_>, request: &functions::auth::CancelCode) -> Result<bool> {
    waiting(context.state, &request.phone_number, &request.phone_code_hash)?;
    context.state.sign_ins.remove(&request.phone_code_hash);
    Ok(true)
}

pub(super) fn sign_in(
    context: &mut Context<'_>,
    request: &functions::auth::SignIn,
) -> Result<enums::auth::Authorization> {
    let phone = waiting(context.state, &request.phone_number, &request.phone_code_hash)?;
    let code = request.phone_code.as_deref().filter(|code| !code.is_empty());
    let code = code.ok_or(bad_request("PHONE_CODE_EMPTY"))?;
    stay_home(context, &phone)?;
    let Some(user) = context.state.by_phone(&phone) else {
        let terms_of_service = None;
        return Ok(types::auth::AuthorizationSignUpRequired { terms_of_service }.into());
    };
    if context.state.account_of(user).is_none_or(|account| account.login_code != code) {
        return Err(bad_request("PHONE_CODE_INVALID"));
    }
    context.state.sign_ins.remove(&request.phone_code_hash);
    sign_in_here(context, user, false);
    Ok(authorization(context.state, user))
}

/// Accounts come from the control port alone.
pub(super) fn sign_up(
    context: &mut Context<'_>,
    request: &functions::auth::SignUp,
) -> Result<enums::auth::Authorization> {
    waiting(context.state, &request.phone_number, &request.phone_code_hash)?;
    Err(bad_request("PHONE_NUMBER_INVALID"))
}

pub(super) fn log_out(
    context: &mut Context<'_>,
    _: &functions::auth::LogOut,
) -> Result<enums::auth::LoggedOut> {
    context.me()?;
    context.state.sign_out(context.caller.key);
    Ok(types::auth::LoggedOut { future_auth_token: None }.into())
}

pub(super) fn export_authorization(
    context: &mut Context<'_>,
    request: &functions::auth::ExportAuthorization,
) -> Result<enums::auth::ExportedAuthorization> {
    let me = context.me()?;
    let known = context.state.centres.iter().any(|centre| centre.dc_id == request.dc_id);
    if !known || request.dc_id == context.caller.dc_id {
        return Err(bad_request("DC_ID_INVALID"));
    }
    let bytes = context.state.next_secret("export").into_bytes();
    context.state.exported.insert(bytes.clone(), (me, request.dc_id));
    Ok(types::auth::ExportedAuthorization { id: me, bytes }.into())
}

pub(super) fn import_authorization(
    context: &mut Context<'_>,
    request: &functions::auth::ImportAuthorization,
) -> Result<enums::auth::Authorization> {
    match context.state.exported.get(&request.bytes) {
        Some((user, dc_id)) if *user == request.id && *dc_id == context.caller.dc_id => {
            context.state.exported.remove(&request.bytes);
            sign_in_here(context, request.id, true);
            Ok(authorization(context.state, request.id))
        }
        Some(_) | None => Err(bad_request("AUTH_BYTES_INVALID")),
    }
}

/// Signing in with a QR code is not served.
pub(super) fn export_login_token(
    _: &mut Context<'_>,
    _: &functions::auth::ExportLoginToken,
) -> Result<enums::auth::LoginToken> {
    Err(bad_request("AUTH_TOKEN_INVALID"))
}

/// No account has a password.
pub(super) fn check_password(
    _: &mut Context<'_>,
    _: &functions::auth::CheckPassword,
) -> Result<enums::auth::Authorization> {
    Err(unauthorized("AUTH_KEY_UNREGISTERED"))
}

/// The phone that waits for a code under this hash.
fn waiting(state: &State, phone: &str, hash: &str) -> Result<String> {
    match state.sign_ins.get(hash) {
        Some(waiting) if *waiting == digits(phone) => Ok(waiting.clone()),
        Some(_) | None if hash.is_empty() => Err(bad_request("PHONE_CODE_HASH_EMPTY")),
        Some(_) | None => Err(bad_request("PHONE_CODE_EXPIRED")),
    }
}

/// An account signs in at the data centre it lives in.
fn stay_home(context: &Context<'_>, phone: &str) -> Result<()> {
    let account = context.state.by_phone(phone).and_then(|user| context.state.account_of(user));
    match account {
        Some(account) if account.dc_id != context.caller.dc_id => Err(see_other("PHONE", account.dc_id)),
        Some(_) | None => Ok(()),
    }
}

fn sign_in_here(context: &mut Context<'_>, user: i64, imported: bool) {
    let (key, dc_id) = (context.caller.key, context.caller.dc_id);
    context.state.sign_in(MadeSession { key, dc_id, user, imported });
}

fn sent_code(phone_code_hash: String) -> enums::auth::SentCode {
    types::auth::SentCode {
        r#type: types::auth::SentCodeTypeApp { length: count(CODE_LENGTH) }.into(),
        phone_code_hash,
        next_type: None,
        timeout: None,
    }
    .into()
}

fn authorization(state: &State, user: i64) -> enums::auth::Authorization {
    types::auth::Authorization {
        setup_password_required: false,
        otherwise_relogin_days: None,
        tmp_sessions: None,
        future_auth_token: None,
        user: state.user(user, user),
    }
    .into()
}
