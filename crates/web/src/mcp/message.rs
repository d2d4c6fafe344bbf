//! Messages that clients post to `/mcp`: their headers as the library demands them, and errors in JSON-RPC for what it cannot read. Pure.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The body is no JSON (JSON-RPC 2.0).
const PARSE_ERROR: i32 = -32_700;
/// The JSON is no message (JSON-RPC 2.0).
const INVALID_REQUEST: i32 = -32_600;

/// Returns the body without its byte order mark, and sets the headers that the library demands. It answers in JSON, whatever
/// types the client accepts, and the body decides whether it is JSON, whatever type the client states.
pub(super) fn prepared(headers: &mut HeaderMap, body: Bytes) -> Bytes {
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if body.starts_with(BYTE_ORDER_MARK) { body.slice(BYTE_ORDER_MARK.len()..) } else { body }
}

/// Returns the error for a body that the library could not read.
pub(super) fn unread(body: &[u8]) -> Value {
    let message = match serde_json::from_slice::<Value>(body) {
        Ok(message) => message,
        Err(_) if body.is_empty() => return error(&Value::Null, PARSE_ERROR, "The body is empty."),
        Err(why) => {
            return error(&Value::Null, PARSE_ERROR, &format!("The body is not JSON in UTF-8: {why}."));
        }
    };
    let why = if message.is_array() {
        "This revision of the protocol has no batches; send each message in a request of its own."
    } else {
        "The body is no message of JSON-RPC 2.0 that this server knows; it needs jsonrpc, a method, and params that fit it."
    };
    error(&message, INVALID_REQUEST, why)
}

/// Returns the error for a request that the library refused with these words.
pub(super) fn refused(body: &[u8], words: &str) -> Value {
    let message = serde_json::from_slice(body).unwrap_or_default();
    error(&message, INVALID_REQUEST, words.trim_start_matches("Bad Request: "))
}

/// Whether the library refused a request with plain words, and not with an error of JSON-RPC.
pub(super) fn is_in_words(status: StatusCode, headers: &HeaderMap) -> bool {
    let is_json =
        headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    status == StatusCode::BAD_REQUEST && !is_json
}

/// An error with the id of the message that it is about, where that has one.
fn error(message: &Value, code: i32, why: &str) -> Value {
    let id = message.get("id").filter(|id| id.is_string() || id.is_number());
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": why } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_demands_is_there_whatever_the_client_sent() {
        for kind in [None, Some("text/plain"), Some("application/json; charset=utf-8")] {
            let mut headers = HeaderMap::new();
            if let Some(kind) = kind {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
                headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
            }
            assert_eq!(prepared(&mut headers, Bytes::from_static(b"\xEF\xBB\xBF{}")), "{}");
            assert_eq!(headers[CONTENT_TYPE], "application/json");
            assert_eq!(headers[ACCEPT], "application/json, text/event-stream");
        }
    }

    #[test]
    fn what_is_no_message_gets_an_error_of_json_rpc() {
        let utf_16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for body in [b"".as_slice(), b"{", b"text", b"\xff", &utf_16] {
            let error = unread(body);
            assert_eq!((&error["error"]["code"], &error["id"]), (&json!(-32_700), &Value::Null), "{body:?}");
        }
        for (body, id) in [
            ("[]", Value::Null),
            ("1", Value::Null),
            ("null", Value::Null),
            ("{\"id\":7}", json!(7)),
            ("{\"id\":{},\"method\":1}", Value::Null),
        ] {
            let error = unread(body.as_bytes());
            assert_eq!((&error["error"]["code"], &error["id"]), (&json!(-32_600), &id), "{body}");
        }
        let error = refused(b"{\"id\":\"a\"}", "Bad Request: Unsupported MCP-Protocol-Version: 1");
        assert_eq!(error["error"]["message"], "Unsupported MCP-Protocol-Version: 1");
        assert_eq!(error["id"], "a");
    }
}
