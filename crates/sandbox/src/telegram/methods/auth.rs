//! Signing in and out, and taking an authorization to another data centre.

use grammers_tl_types::{enums, functions, types};

use crate::telegram::context::Context;
use crate::telegram::rpc::{Result, bad_request, not_acceptable, see_other, unauthorized};
use crate::telegram::signing::Way;
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
    let state = &mut *context.state;
    let user = state.by_phone(&phone);
    if user.and_then(|user| state.signing.demands.get(&user)).is_some_and(|demands| demands.banned) {
        return Err(bad_request("PHONE_NUMBER_BANNED"));
    }
    state.signing.codes.ask(&phone, context.at)?;
    let account = user.and_then(|user| state.account_of(user));
    let code = account.map(|account| account.login_code.clone());
    let code = code.unwrap_or_else(|| state.seed.five_digits(&format!("{phone} login code")));
    let hash = state.next_secret("phone code");
    let way = state.signing.codes.send(hash.clone(), &phone, code, context.at);
    Ok(sent_code(hash, way))
}

pub(super) fn resend_code(
    context: &mut Context<'_>,
    request: &functions::auth::ResendCode,
) -> Result<enums::auth::SentCode> {
    let phone = waiting(context, &request.phone_number, &request.phone_code_hash)?;
    let codes = &mut context.state.signing.codes;
    codes.ask(&phone, context.at)?;
    let way = codes.resend(&request.phone_code_hash, context.at)?;
    Ok(sent_code(request.phone_code_hash.clone(), way))
}

pub(super) fn cancel_code(context: &mut Context<'_>, request: &functions::auth::CancelCode) -> Result<bool> {
    waiting(context, &request.phone_number, &request.phone_code_hash)?;
    context.state.signing.codes.forget(&request.phone_code_hash);
    Ok(true)
}

pub(super) fn sign_in(
    context: &mut Context<'_>,
    request: &functions::auth::SignIn,
) -> Result<enums::auth::Authorization> {
    let phone = waiting(context, &request.phone_number, &request.phone_code_hash)?;
    let code = request.phone_code.as_deref().filter(|code| !code.is_empty());
    let code = code.ok_or(bad_request("PHONE_CODE_EMPTY"))?;
    stay_home(context, &phone)?;
    context.state.signing.codes.check(&request.phone_code_hash, code)?;
    let Some(user) = context.state.by_phone(&phone) else {
        let terms_of_service = Some(terms("Be kind to each other."));
        return Ok(types::auth::AuthorizationSignUpRequired { terms_of_service }.into());
    };
    // Until the password is given, the same code may be given again.
    owe_the_password(context, user)?;
    context.state.signing.codes.forget(&request.phone_code_hash);
    context.state.signing.codes.forgive(&phone);
    sign_in_here(context, user, false);
    Ok(authorization(context.state, user))
}

/// A user with a password is signed in only when it is given.
pub(super) fn owe_the_password(context: &mut Context<'_>, user: i64) -> Result<()> {
    if context.state.password_of(user).is_none() {
        return Ok(());
    }
    context.state.signing.half.insert(context.caller.key, user);
    Err(unauthorized("SESSION_PASSWORD_NEEDED"))
}

/// Terms of service, as clients are shown them.
pub(super) fn terms(text: &str) -> enums::help::TermsOfService {
    types::help::TermsOfService {
        popup: true,
        id: types::DataJson { data: terms_id(text) }.into(),
        text: text.to_owned(),
        entities: Vec::new(),
        min_age_confirm: None,
    }
    .into()
}

/// What these terms are accepted by.
pub(super) fn terms_id(text: &str) -> String {
    format!("{{\"terms\":{}}}", text.len())
}

/// Accounts come from the control port alone.
pub(super) fn sign_up(
    context: &mut Context<'_>,
    request: &functions::auth::SignUp,
) -> Result<enums::auth::Authorization> {
    waiting(context, &request.phone_number, &request.phone_code_hash)?;
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

pub(super) fn check_password(
    context: &mut Context<'_>,
    request: &functions::auth::CheckPassword,
) -> Result<enums::auth::Authorization> {
    let key = context.caller.key;
    let half = context.state.signing.half.get(&key).copied();
    let user = half.or(context.user).ok_or(unauthorized("AUTH_KEY_UNREGISTERED"))?;
    let enums::InputCheckPasswordSrp::Srp(answer) = &request.password else {
        return Err(bad_request("PASSWORD_HASH_INVALID"));
    };
    let password = context.state.password_of(user).ok_or(bad_request("PASSWORD_HASH_INVALID"))?;
    let challenge =
        context.state.signing.take_challenge(key, answer.srp_id).ok_or(bad_request("SRP_ID_INVALID"))?;
    password.check(&challenge, &answer.a, &answer.m1)?;
    if half.is_some() {
        let phone = context.state.account_of(user).map(|account| digits(&account.phone));
        context.state.signing.codes.forgive(&phone.unwrap_or_default());
        sign_in_here(context, user, false);
    }
    Ok(authorization(context.state, user))
}

/// The phone that waits for a code under this hash.
fn waiting(context: &Context<'_>, phone: &str, hash: &str) -> Result<String> {
    context.state.signing.codes.phone(phone, hash, context.at).map(str::to_owned)
}

/// An account signs in at the data centre it lives in.
fn stay_home(context: &Context<'_>, phone: &str) -> Result<()> {
    let account = context.state.by_phone(phone).and_then(|user| context.state.account_of(user));
    match account {
        Some(account) if account.dc_id != context.caller.dc_id => Err(see_other("PHONE", account.dc_id)),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn sign_in_here(context: &mut Context<'_>, user: i64, imported: bool) {
    let (key, dc_id) = (context.caller.key, context.caller.dc_id);
    context.state.sign_in(MadeSession { key, dc_id, user, imported });
}

fn sent_code(phone_code_hash: String, way: Way) -> enums::auth::SentCode {
    let length = count(CODE_LENGTH);
    let next_type = way.next().map(|next| match next {
        Way::App | Way::Sms => enums::auth::CodeType::Sms,
        Way::Call => enums::auth::CodeType::Call,
    });
    types::auth::SentCode {
        r#type: match way {
            Way::App => types::auth::SentCodeTypeApp { length }.into(),
            Way::Sms => types::auth::SentCodeTypeSms { length }.into(),
            Way::Call => types::auth::SentCodeTypeCall { length }.into(),
        },
        phone_code_hash,
        timeout: next_type.is_some().then_some(60),
        next_type,
    }
    .into()
}

pub(super) fn authorization(state: &State, user: i64) -> enums::auth::Authorization {
    types::auth::Authorization {
        setup_password_required: false,
        otherwise_relogin_days: None,
        tmp_sessions: None,
        future_auth_token: None,
        user: state.user(user, user),
    }
    .into()
}
