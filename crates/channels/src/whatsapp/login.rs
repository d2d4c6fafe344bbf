//! Logging the number in: the QR code that the phone scans, starting again, logging out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::client::Client;
use crate::error::CallError;
use crate::http::ANSWER;
use crate::login::LogIn;

/// What each PNG begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What the owner does to log in: nothing, or scans the code that is shown now.
pub(super) async fn log_in(client: &Client) -> Result<LogIn, CallError> {
    if is_logged_in(client).await? {
        return Ok(LogIn::Done);
    }
    match client.get("/api/sync/qr/get", &[]).await {
        Ok(reply) => picture(&reply).map(LogIn::Picture),
        // The phone may have scanned the last code meanwhile: there is none then.
        Err(_) if is_logged_in(client).await.unwrap_or(false) => Ok(LogIn::Done),
        Err(refused) => Err(refused),
    }
}

async fn is_logged_in(client: &Client) -> Result<bool, CallError> {
    Ok(client.status().await?.get("authorized").and_then(Value::as_bool) == Some(true))
}

/// Has the cabinet start the profile again, or log the number out: `restart`, `logout`.
pub(super) async fn profile(client: &Client, call: &str) -> Result<(), CallError> {
    client.post(&format!("/api/profile/{call}"), &[], &Value::Null, ANSWER).await.map(drop)
}

/// The picture of an answer: base64, or an address that has it, under one of two names.
fn picture(reply: &Value) -> Result<Vec<u8>, CallError> {
    let unreadable = || CallError::Unreadable("200 without the picture of a QR code".to_owned());
    let given =
        ["qrCode", "detail"].iter().find_map(|name| reply.get(name)?.as_str()).ok_or_else(unreadable)?;
    let coded =
        given.strip_prefix("data:").and_then(|rest| rest.split_once("base64,")).map_or(given, |(_, it)| it);
    let picture = STANDARD.decode(coded.trim()).map_err(|_| unreadable())?;
    if picture.starts_with(PNG) { Ok(picture) } else { Err(unreadable()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_picture_is_one() {
        let coded = STANDARD.encode([PNG, b"rest"].concat());
        for reply in [
            json!({"qrCode": coded}),
            json!({"detail": coded}),
            json!({"qrCode": format!("data:image/png;base64,{coded}")}),
        ] {
            assert_eq!(picture(&reply).unwrap(), [PNG, b"rest"].concat());
        }
        for reply in [
            json!({}),
            json!({"qrCode": ""}),
            json!({"qrCode": "%"}),
            json!({"qrCode": STANDARD.encode("x")}),
        ] {
            assert!(matches!(picture(&reply), Err(CallError::Unreadable(_))), "{reply}");
        }
    }
}
