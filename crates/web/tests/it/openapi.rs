//! The OpenAPI document is whole, and says of bodies what is read.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

fn read() -> Value {
    serde_json::from_str(&web::openapi_json()).expect("JSON")
}

#[test]
fn it_is_openapi_3_1_and_the_same_each_time() {
    let document = read();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(web::openapi_json(), web::openapi_json());
    assert!(document["components"]["securitySchemes"]["api_key"].is_object());
}

#[test]
fn every_operation_has_its_own_id_and_says_who_may_call_it() {
    let document = read();
    let mut ids = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let id = operation["operationId"].as_str().expect("an id").to_owned();
            assert!(!ids.contains(&id), "{id} is there twice");
            ids.push(id);
            assert_eq!(operation["security"].is_array(), path.starts_with("/v1"), "{method} {path}");
        }
    }
    assert!(ids.len() >= 16, "{ids:?}");
}

/// The rules are read as text: a unit test that asked the routes would compile every handler once more.
#[test]
fn calls_that_rules_name_exist() {
    let document = read();
    let methods = document["paths"].as_object().expect("paths").values().filter_map(Value::as_object);
    let known: Vec<&str> = methods
        .flat_map(|of_path| of_path.values())
        .filter_map(|call| call["operationId"].as_str())
        .collect();
    for (rules, begin, end) in [
        (include_str!("../../src/auth/reach.rs"), "fn of(", "_ =>"),
        (include_str!("../../src/audit.rs"), "const NEVER", "static OPERATIONS"),
    ] {
        let named = rules.split(begin).nth(1).and_then(|rest| rest.split(end).next());
        let named: Vec<&str> = named.expect("the names").split('"').skip(1).step_by(2).collect();
        assert!(named.len() >= 15, "{named:?}");
        for operation in named {
            assert!(known.contains(&operation), "{operation}");
        }
    }
}

#[test]
fn every_reference_has_its_schema() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str() {
                        Some(target) if name == "$ref" => found.push(target.to_owned()),
                        _ => references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = read();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let path = reference.trim_start_matches('#');
        assert!(document.pointer(path).is_some(), "{reference} leads nowhere");
    }
}

/// Two types of one name would overwrite each other in the document without a word.
#[test]
fn no_two_schemas_share_a_name() {
    fn names(folder: &Path, found: &mut Vec<String>) {
        for file in fs::read_dir(folder).expect("a folder").flatten() {
            let path = file.path();
            if path.is_dir() {
                names(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a file");
            for derived in text.split("#[derive(").skip(1) {
                let Some((traits, rest)) = derived.split_once(")]") else { continue };
                if !traits.split(", ").any(|name| name == "ToSchema") {
                    continue;
                }
                let item = |line: &&str| ["pub", "struct", "enum"].iter().any(|word| line.starts_with(word));
                let renamed = rest
                    .lines()
                    .take_while(|line| !item(line))
                    .find_map(|line| line.split("schema(as = ").nth(1)?.split(')').next());
                let own = rest.lines().find(item).and_then(|line| {
                    let mut words = line.split_whitespace();
                    words.find(|word| *word == "struct" || *word == "enum")?;
                    words.next()?.split('<').next()
                });
                found.push(renamed.or(own).expect("a name").to_owned());
            }
        }
    }
    let mut found = Vec::new();
    names(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    let count = found.len();
    found.sort();
    found.dedup();
    assert_eq!(found.len(), count, "{found:?}");
    assert!(count > 15, "{found:?}");
}

#[test]
fn bodies_are_described_as_they_are_read_and_answers_are_not() {
    let document = read();
    let schemas = &document["components"]["schemas"];
    let types = |path: &str| schemas.pointer(path).unwrap_or_else(|| panic!("{path}"))["type"].clone();
    assert_eq!(types("/NewMessage/properties/wait"), json!(["number", "null", "string"]));
    assert_eq!(types("/NewMessage/properties/silent"), json!(["boolean", "null", "string"]));
    assert_eq!(types("/NewMessage/properties/text"), json!(["string", "null", "number", "boolean"]));
    assert_eq!(types("/NewMessage/properties/chat"), json!(["string", "integer"]));
    assert_eq!(types("/NewMessage/properties/send_at"), json!(["string", "null"]));
    assert_eq!(types("/Mention/properties/user_id"), json!(["integer", "null", "string"]));
    assert_eq!(schemas["ChatChange"]["properties"]["title"].get("minLength"), None);
    assert!(schemas["NewChat"]["properties"]["title"].get("minLength").is_some());
    assert_eq!(types("/HistoryMessage/properties/message_id"), "integer");
    assert_eq!(types("/Problem/properties/status"), "integer");
}
