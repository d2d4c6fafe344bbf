//! RPC errors, named and numbered as Telegram does.

use std::borrow::Cow;

use grammers_tl_types::Deserializable;

use super::mentions;

/// What a method answers when it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RpcError {
    pub(crate) code: i32,
    pub(crate) message: Cow<'static, str>,
}

/// A method's answer.
pub(crate) type Result<T> = std::result::Result<T, RpcError>;

/// 303: ask at another data centre.
pub(crate) fn see_other(kind: &str, dc_id: i32) -> RpcError {
    RpcError { code: 303, message: format!("{kind}_MIGRATE_{dc_id}").into() }
}

pub(crate) const fn bad_request(message: &'static str) -> RpcError {
    RpcError { code: 400, message: Cow::Borrowed(message) }
}

pub(crate) const fn unauthorized(message: &'static str) -> RpcError {
    RpcError { code: 401, message: Cow::Borrowed(message) }
}

pub(crate) const fn forbidden(message: &'static str) -> RpcError {
    RpcError { code: 403, message: Cow::Borrowed(message) }
}

pub(crate) const fn not_acceptable(message: &'static str) -> RpcError {
    RpcError { code: 406, message: Cow::Borrowed(message) }
}

pub(crate) const fn internal(message: &'static str) -> RpcError {
    RpcError { code: 500, message: Cow::Borrowed(message) }
}

/// Reads a method's arguments, which come bare, after the constructor id.
pub(crate) fn read<F: Deserializable>(body: &[u8]) -> Result<F> {
    F::from_bytes(body)
        .ok()
        .or_else(|| mentions::with_users(body).and_then(|body| F::from_bytes(&body).ok()))
        .ok_or(bad_request("INPUT_REQUEST_INVALID"))
}
