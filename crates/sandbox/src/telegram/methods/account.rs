//! `account.*`: an account looks at itself.

use grammers_tl_types::{enums, functions, types};

use crate::telegram::context::Context;
use crate::telegram::render::notify_settings;
use crate::telegram::rpc::{Result, unauthorized};

/// How the password is to be proved, for a user that is signed in or half so.
pub(super) fn get_password(
    context: &mut Context<'_>,
    _: &functions::account::GetPassword,
) -> Result<enums::account::Password> {
    let key = context.caller.key;
    let half = context.state.signing.half.get(&key).copied();
    let user = half.or(context.user).ok_or(unauthorized("AUTH_KEY_UNREGISTERED"))?;
    let password = context.state.password_of(user);
    let seed = context.state.seed;
    let challenge = password.as_deref().map(|password| {
        let secret = |number| seed.auth_key(&format!("password {} {number}", key.0));
        context.state.signing.challenge(key, password, secret)
    });
    Ok(types::account::Password {
        has_recovery: false,
        has_secure_values: false,
        has_password: password.is_some(),
        current_algo: password.as_deref().map(|password| password.algorithm().into()),
        srp_b: challenge.as_ref().map(|challenge| challenge.public.to_vec()),
        srp_id: challenge.as_ref().map(|challenge| challenge.id),
        hint: password.as_deref().and_then(|password| password.hint.clone()),
        email_unconfirmed_pattern: None,
        new_algo: enums::PasswordKdfAlgo::Unknown,
        new_secure_algo: enums::SecurePasswordKdfAlgo::Unknown,
        secure_random: context.state.seed.auth_key("secure random").to_vec(),
        pending_reset_date: None,
        login_email_pattern: None,
    }
    .into())
}

pub(super) fn get_notify_settings(
    _: &mut Context<'_>,
    _: &functions::account::GetNotifySettings,
) -> enums::PeerNotifySettings {
    notify_settings()
}

pub(super) fn get_account_ttl(
    _: &mut Context<'_>,
    _: &functions::account::GetAccountTtl,
) -> enums::AccountDaysTtl {
    types::AccountDaysTtl { days: 365 }.into()
}

pub(super) fn get_authorizations(
    context: &mut Context<'_>,
    _: &functions::account::GetAuthorizations,
) -> Result<enums::account::Authorizations> {
    let me = context.me()?;
    let date = context.at.date();
    let api_id = context.state.account_of(me).map_or(0, |account| account.api_id);
    let keys = context.state.authorizations.keys_of(me);
    let authorizations = keys
        .iter()
        .map(|key| {
            let current = *key == context.caller.key;
            types::Authorization {
                current,
                official_app: false,
                password_pending: false,
                encrypted_requests_disabled: false,
                call_requests_disabled: false,
                unconfirmed: false,
                hash: if current { 0 } else { key.0 },
                device_model: "Sandbox".to_owned(),
                platform: String::new(),
                system_version: String::new(),
                api_id,
                app_name: "Sandbox".to_owned(),
                app_version: "1".to_owned(),
                date_created: date,
                date_active: date,
                ip: "127.0.0.1".to_owned(),
                country: String::new(),
                region: String::new(),
            }
            .into()
        })
        .collect();
    Ok(types::account::Authorizations { authorization_ttl_days: 365, authorizations }.into())
}
