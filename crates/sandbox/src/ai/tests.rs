//! What the endpoint refuses, and what it answers.

use super::*;

fn call(method: &str, path: &str, key: Option<&str>, body: &[u8]) -> Answered {
    let mut headers = vec![("content-type".to_owned(), "multipart/form-data; boundary=x".to_owned())];
    headers.extend(key.map(|key| ("authorization".to_owned(), format!("Bearer {key}"))));
    let (method, path) = (method.to_owned(), path.to_owned());
    let request = Request { method, path, headers, body: body.to_vec(), number: 7, ..Request::default() };
    answer(&request, 1_760_000_000, None)
}

fn parsed(answered: &Answered) -> (u16, Value) {
    (answered.reply.status, serde_json::from_slice(&answered.reply.body).unwrap_or_default())
}

/// A request that is answered, with these changes.
fn chat(changes: &Value) -> Answered {
    let user = json!([{ "role": "user", "content": "Hello" }]);
    let mut body = json!({ "model": "demo-chat", "messages": user });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    call("POST", "/chat/completions", Some(KEY), body.to_string().as_bytes())
}

fn tool(name: &str, properties: &Value) -> Value {
    let schema = json!({ "type": "object", "properties": properties });
    json!({ "type": "function", "function": { "name": name, "parameters": schema } })
}

#[test]
fn wrong_keys_paths_and_methods_are_refused() {
    for (method, path, key, status, code) in [
        ("POST", "/chat/completions", None, 401, Value::Null),
        ("POST", "/chat/completions", Some("other"), 401, json!("invalid_api_key")),
        ("GET", "/models", Some("other"), 401, json!("invalid_api_key")),
        ("GET", "/chat/completions", Some(KEY), 405, json!("method_not_supported")),
        ("POST", "/completions", Some(KEY), 404, Value::Null),
        ("GET", "/models/other", Some(KEY), 404, json!("model_not_found")),
    ] {
        let (got, response) = parsed(&call(method, path, key, b"{}"));
        assert_eq!((got, &response["error"]["code"]), (status, &code), "{method} {path} {key:?}");
        assert_eq!(response["error"]["type"], "invalid_request_error");
    }
    let (_, models) = parsed(&call("GET", "/models", Some(KEY), b""));
    assert_eq!(models["data"].as_array().map(Vec::len), Some(3));
}

#[test]
fn invalid_chat_requests_name_the_wrong_parameter() {
    let say = |role: &str| json!([{ "role": role, "content": "x" }]);
    let calling = json!({ "role": "assistant", "content": null, "tool_calls": [
        { "id": "a", "type": "function", "function": { "name": "f", "arguments": "{}" } },
    ] });
    let result = json!({ "role": "tool", "tool_call_id": "a", "content": "done" });
    let long = "x".repeat(4 * 128_000);
    for (changes, status, param) in [
        (json!({ "model": null }), 400, None),
        (json!({ "model": "other" }), 404, None),
        (json!({ "model": "demo-whisper" }), 404, Some("model")),
        (json!({ "colour": 1 }), 400, None),
        (json!({ "messages": null }), 400, Some("messages")),
        (json!({ "messages": [] }), 400, Some("messages")),
        (json!({ "messages": "Hello" }), 400, Some("messages")),
        (json!({ "messages": say("customer") }), 400, Some("messages[0].role")),
        (json!({ "messages": [{ "role": "user", "content": null }] }), 400, Some("messages[0].content")),
        (json!({ "messages": [result] }), 400, Some("messages[0].role")),
        (json!({ "messages": [calling] }), 400, Some("messages")),
        (json!({ "messages": [calling, say("user")[0]] }), 400, Some("messages")),
        (json!({ "messages": [{ "role": "user", "content": long }] }), 400, Some("messages")),
        (json!({ "max_tokens": 0 }), 400, Some("max_tokens")),
        (json!({ "max_tokens": 1_000_000 }), 400, Some("max_tokens")),
        (json!({ "max_tokens": "5" }), 400, Some("max_tokens")),
        (json!({ "max_tokens": 5, "max_completion_tokens": 5 }), 400, Some("max_tokens")),
        (json!({ "model": "demo-reasoner", "max_tokens": 5 }), 400, Some("max_tokens")),
        (json!({ "model": "demo-reasoner", "temperature": 1 }), 400, Some("temperature")),
        (json!({ "temperature": 2.1 }), 400, Some("temperature")),
        (json!({ "tools": [] }), 400, Some("tools")),
        (json!({ "tools": [tool("a b", &json!({}))] }), 400, Some("tools[0].function.name")),
        (json!({ "tool_choice": "auto" }), 400, Some("tool_choice")),
        (json!({ "stream_options": { "include_usage": true } }), 400, Some("stream_options")),
        (json!({ "messages": [say("user")[0], calling, result] }), 200, None),
        (json!({ "model": "demo-reasoner", "max_completion_tokens": 50 }), 200, None),
    ] {
        let (got, response) = parsed(&chat(&changes));
        assert_eq!((got, response["error"]["param"].as_str()), (status, param), "{changes:.200}");
    }
    for body in ["{", "[]"] {
        let (status, response) = parsed(&call("POST", "/chat/completions", Some(KEY), body.as_bytes()));
        assert_eq!((status, &response["error"]["type"]), (400, &json!("invalid_request_error")));
    }
}

#[test]
fn the_users_text_determines_the_answer() {
    let properties = json!({ "name": { "type": "string" }, "device": { "type": "string" }, "phone": {} });
    let sources = json!({ "type": "array", "items": { "enum": ["prices"] } });
    let reply =
        json!({ "text": { "type": "string" }, "confidence": { "type": "number" }, "sources": sources });
    let tools = json!([
        tool("reply", &reply),
        tool("hand_over", &json!({ "reason": { "type": "string" } })),
        tool("close", &json!({})),
        tool("set_fields", &properties),
    ]);
    let ask = |text: &str| {
        let (_, response) =
            parsed(&chat(&json!({ "tools": tools, "messages": [{ "role": "user", "content": text }] })));
        assert_eq!(response["choices"][0]["finish_reason"], "tool_calls");
        let function = &response["choices"][0]["message"]["tool_calls"][0]["function"];
        let arguments: Value = serde_json::from_str(function["arguments"].as_str().unwrap()).unwrap();
        (function["name"].as_str().unwrap().to_owned(), arguments)
    };
    for (text, name, arguments) in [
        (
            "Hello",
            "reply",
            json!({ "text": "You wrote: \"Hello\".", "confidence": 0.9, "sources": ["prices"] }),
        ),
        (
            "{\"client\":7}\n{\"text\":\"Не уверен, без источника\"}",
            "reply",
            json!({ "text": "Вы написали: «Не уверен, без источника».", "confidence": 0.2, "sources": [] }),
        ),
        ("Позовите оператора", "hand_over", json!({ "reason": "Позовите оператора" })),
        ("Please close it", "close", json!({})),
        (
            "My name is Anna, модель X100, +70000000001.",
            "set_fields",
            json!({ "name": "Anna", "device": "X100", "phone": "+70000000001" }),
        ),
        ("Now call refund {\"sum\": 1} at once", "refund", json!({ "sum": 1 })),
    ] {
        assert_eq!(ask(text), (name.to_owned(), arguments), "{text}");
    }
}

#[test]
fn an_answer_is_cut_at_its_token_limit() {
    let (_, response) = parsed(&chat(&json!({ "max_tokens": 2 })));
    let choice = &response["choices"][0];
    assert_eq!(
        (&choice["message"]["content"], &choice["finish_reason"]),
        (&json!("You wrot"), &json!("length"))
    );
    // Three beside "Hello", which is two.
    assert_eq!(response["usage"], json!({ "prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7 }));
}

#[test]
fn a_voice_file_is_transcribed_in_full() {
    let form = |name: &str, model: &str, content: &[u8]| {
        let head = format!(
            "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n\
             --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        );
        let body = [head.as_bytes(), content, b"\r\n--x--\r\n"].concat();
        call("POST", "/audio/transcriptions", Some(KEY), &body)
    };
    let (status, response) = parsed(&form("voice.ogg", "demo-whisper", "Есть доставка?".as_bytes()));
    assert_eq!((status, response), (200, json!({ "text": "Есть доставка?" })));
    let answered = form("voice.OGA", "demo-whisper", &[0xff; 9]);
    assert_eq!(parsed(&answered).1["text"], "voice of 9 bytes");
    let effect = answered.effect.unwrap();
    assert_eq!((effect.method.as_str(), effect.media.as_deref()), ("audio.transcriptions", Some("voice")));
    for (name, model, content, status) in [
        ("voice.txt", "demo-whisper", b"x".as_slice(), 400),
        ("voice", "demo-whisper", b"x", 400),
        ("voice.ogg", "demo-whisper", b"", 400),
        ("voice.ogg", "", b"x", 400),
        ("voice.ogg", "demo-chat", b"x", 404),
        ("voice.ogg", "demo-whisper", &vec![0; 26 * 1024 * 1024], 413),
    ] {
        assert_eq!(parsed(&form(name, model, content)).0, status, "{name} {model}");
    }
}
