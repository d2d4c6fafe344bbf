//! What a tool takes and answers, as JSON Schema, from the description of its call in the OpenAPI document. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use store::Scope;

use super::call::{ApiCall, IDEMPOTENCY_KEY, ParameterLocation};

type Schema = Map<String, Value>;

const COMPONENTS: &str = "#/components/schemas/";

/// How the call of this name is made, and the schemas of what it takes and answers. None where the document has no such call.
pub(super) fn of(document: &Value, operation: &str) -> Option<(ApiCall, Schema, Schema)> {
    let (path, method, described) = find(document, operation)?;
    let call = ApiCall::new(method, path, described)?;
    let input = input(document, described, &call);
    Some((call, input, output(document, described)))
}

/// Each set of scopes that the call of this name takes.
pub(super) fn scopes(document: &Value, operation: &str) -> Vec<Vec<Scope>> {
    let security = find(document, operation).map_or(&Value::Null, |(_, _, described)| &described["security"]);
    let sets = security.as_array().into_iter().flatten().filter_map(|set| set["api_key"].as_array());
    sets.map(|set| set.iter().filter_map(|word| Scope::from_word(word.as_str()?)).collect()).collect()
}

/// The path, the method and the description of the call of this name.
fn find<'a>(document: &'a Value, operation: &str) -> Option<(&'a str, &'a str, &'a Value)> {
    let routes = document["paths"].as_object()?.iter();
    let mut calls = routes.flat_map(|(path, route)| {
        let methods = route.as_object().into_iter().flatten();
        methods.map(move |(method, call)| (path.as_str(), method.as_str(), call))
    });
    calls.find(|(_, _, call)| call["operationId"] == operation)
}

/// One object of all parameters and of the fields of the body.
fn input(document: &Value, described: &Value, call: &ApiCall) -> Schema {
    let body = &described["requestBody"]["content"]["application/json"]["schema"];
    let body = body["$ref"].as_str().map_or(body, |name| component(document, name));
    let mut fields = body["properties"].as_object().cloned().unwrap_or_default();
    let mut required = body["required"].as_array().cloned().unwrap_or_default();
    for (parameter, described) in call.parameters().iter().zip(parameters(described)) {
        let mut schema = described["schema"].clone();
        for word in ["description", "example"] {
            if let Some(text) = described.get(word) {
                schema[word] = text.clone();
            }
        }
        if parameter.location == ParameterLocation::Header {
            schema =
                json!({ "type": "string", "pattern": schema["pattern"], "description": IDEMPOTENCY_KEY });
        }
        if parameter.required {
            required.push(parameter.argument.clone().into());
        }
        fields.insert(parameter.argument.clone(), schema);
    }
    let schema = json!({
        "type": "object", "properties": fields, "required": required, "additionalProperties": false,
    });
    complete(document, schema)
}

/// Whatever the call answers when it went well.
fn output(document: &Value, described: &Value) -> Schema {
    let answers = described["responses"].as_object().into_iter().flatten();
    let good = answers.filter(|(status, _)| status.starts_with('2'));
    let mut kinds: Vec<Value> =
        good.map(|(_, answer)| answer["content"]["application/json"]["schema"].clone()).collect();
    kinds.dedup();
    let mut schema = json!({ "type": "object", "anyOf": kinds });
    without_prose(&mut schema);
    let mut schema = complete(document, schema);
    schema.get_mut("$defs").into_iter().for_each(without_prose);
    schema
}

fn parameters(described: &Value) -> impl Iterator<Item = &Value> {
    described["parameters"].as_array().into_iter().flatten()
}

fn component<'a>(document: &'a Value, reference: &str) -> &'a Value {
    &document["components"]["schemas"][reference.trim_start_matches(COMPONENTS)]
}

/// The schema with all that it refers to, which then is in it.
fn complete(document: &Value, mut schema: Value) -> Schema {
    let (mut found, mut defined) = (BTreeSet::new(), Map::new());
    move_references(&mut schema, &mut found);
    while let Some(name) = found.pop_first() {
        if defined.contains_key(&name) {
            continue;
        }
        let mut part = component(document, &name).clone();
        move_references(&mut part, &mut found);
        defined.insert(name, part);
    }
    if !defined.is_empty() {
        schema["$defs"] = defined.into();
    }
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// Has references lead into the schema itself, and notes where.
fn move_references(schema: &mut Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().and_then(|text| text.strip_prefix(COMPONENTS)) {
                    Some(target) if name == "$ref" => {
                        found.insert(target.to_owned());
                        *value = format!("#/$defs/{target}").into();
                    }
                    _ => move_references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| move_references(item, found)),
        _ => {}
    }
}

/// Shapes and words stay. Names of fields say what a model has to know, and prose would more than double what each list of tools
/// takes of its context.
fn without_prose(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for word in ["description", "example", "examples"] {
                // A field that is called so has a schema.
                if fields.get(word).is_some_and(|value| !is_schema(value)) {
                    fields.remove(word);
                }
            }
            fields.values_mut().for_each(without_prose);
        }
        Value::Array(items) => items.iter_mut().for_each(without_prose),
        _ => {}
    }
}

fn is_schema(value: &Value) -> bool {
    ["type", "$ref", "oneOf", "anyOf", "allOf"].iter().any(|word| value.get(word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "paths": { "/v1/chats/{chat_id}/notes": {
                "get": { "operationId": "list_notes", "responses": {} },
                "post": {
                    "operationId": "write_note",
                    "parameters": [
                        { "name": "chat_id", "in": "path", "required": true, "description": "The chat", "schema": { "type": "string" } },
                        { "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": ["string", "null"], "pattern": "a" } },
                    ],
                    "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/NewNote" } } } },
                    "responses": {
                        "201": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Note" } } } },
                        "202": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Note" } } } },
                        "422": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } } },
                    },
                },
            } },
            "components": { "schemas": {
                "NewNote": { "type": "object", "required": ["text"], "properties": {
                    "text": { "type": "string" }, "by": { "$ref": "#/components/schemas/Person" },
                } },
                "Person": { "type": "object", "properties": { "friend": { "$ref": "#/components/schemas/Person" } } },
                "Note": { "type": "object", "description": "A note", "properties": {
                    "text": { "type": "string", "example": "hello" }, "description": { "type": "string" },
                } },
            } },
        })
    }

    #[test]
    fn parameters_and_fields_form_one_self_contained_schema() {
        let (_, input, output) = of(&document(), "write_note").expect("a call");
        let input = Value::Object(input);
        assert_eq!(input["required"], json!(["text", "chat_id", "idempotency_key"]));
        assert_eq!(input["properties"]["chat_id"], json!({ "type": "string", "description": "The chat" }));
        assert_eq!(input["properties"]["by"], json!({ "$ref": "#/$defs/Person" }));
        assert_eq!(
            input["$defs"],
            json!({ "Person": { "type": "object", "properties": { "friend": { "$ref": "#/$defs/Person" } } } })
        );
        let expected = json!({
            "type": "object", "anyOf": [{ "$ref": "#/$defs/Note" }],
            "$defs": { "Note": { "type": "object", "properties": {
                "text": { "type": "string" }, "description": { "type": "string" },
            } } },
        });
        assert_eq!(Value::Object(output), expected);
        assert!(of(&document(), "no_such_call").is_none());
    }
}
