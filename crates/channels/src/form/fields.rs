//! A form that was posted by any builder of sites: as JSON, as a form or as parts, of any depth. Pure.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::role::Role;
use crate::charset;
use crate::provider::HookPost;

/// The most names and values that are read, and how deep they lie.
const MOST: usize = 2_000;
const DEEPEST: usize = 8;

/// The fields as a tree; none where the body cannot be read.
pub(super) fn read(post: &HookPost) -> Option<Map<String, Value>> {
    Some(parsed(post)?.0)
}

/// The fields as a tree, and all that says something, in the order of the post.
pub(super) fn in_order(post: &HookPost) -> Option<(Map<String, Value>, Vec<Field>)> {
    let (tree, names) = parsed(post)?;
    let position = |name: &String| names.iter().position(|known| known == name).unwrap_or(names.len());
    let mut fields = all(&tree);
    fields.sort_by_cached_key(|field| field.path.iter().map(position).collect::<Vec<_>>());
    Some((tree, fields))
}

/// The fields as a tree, and their names in the order of the post.
fn parsed(post: &HookPost) -> Option<(Map<String, Value>, Vec<String>)> {
    let kind =
        post.header("content-type").and_then(|kind| std::str::from_utf8(kind).ok()).unwrap_or_default();
    let body = post.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&post.body).trim_ascii();
    let label = parameter(kind, "charset");
    if kind.get(..19).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data")) {
        return Some(tree(parts(kind, &post.body)?, label));
    }
    if kind.contains("json") || body.starts_with(b"{") || body.starts_with(b"[") {
        let text = label.map_or_else(|| charset::text(body), |label| charset::labelled(label, body));
        let tree = match serde_json::from_str(&text).ok()? {
            Value::Object(fields) => fields,
            // As a list of names and values, or of one form.
            Value::Array(all) if !all.is_empty() => Map::from_iter([("fields".to_owned(), all.into())]),
            _ => return None,
        };
        let mut names = Vec::new();
        Names(&mut names).deserialize(&mut serde_json::Deserializer::from_str(&text)).ok()?;
        return Some((tree, names));
    }
    Some(tree(charset::fields(body), label))
}

/// Collects the names of a JSON text in their order, which its tree does not keep.
struct Names<'a>(&'a mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while all.next_element_seed(Names(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while let Some(name) = all.next_key::<String>()? {
            if self.0.len() < MOST && !self.0.contains(&name) {
                self.0.push(name);
            }
            all.next_value_seed(Names(self.0))?;
        }
        Ok(())
    }
}

/// A parameter of a header.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let value = header.split(';').skip(1).find_map(|one| {
        let (known, value) = one.split_once('=')?;
        known.trim().eq_ignore_ascii_case(name).then_some(value)
    })?;
    Some(value.trim().trim_matches('"')).filter(|value| !value.is_empty())
}

/// The parts of a body. A file is there by its name.
fn parts(kind: &str, body: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let boundary = parameter(kind, "boundary").filter(|boundary| boundary.len() <= 70)?;
    let boundary = format!("--{boundary}").into_bytes();
    let mut fields = Vec::new();
    let mut rest = &body[find(body, &boundary).map_or(body.len(), |start| start + boundary.len())..];
    while let Some(end) = find(rest, &boundary) {
        let (part, after) = (&rest[..end], &rest[end + boundary.len()..]);
        rest = after;
        // Some programs end lines with a line feed alone.
        let Some((head, content)) = [b"\r\n".as_slice(), b"\n"].into_iter().find_map(|end| {
            let blank = [end, end].concat();
            let start = find(part, &blank)?;
            let content = &part[start + blank.len()..];
            Some((charset::text(&part[..start]), content.strip_suffix(end).unwrap_or(content)))
        }) else {
            continue;
        };
        let named = |name: &str| {
            let value = head.split([';', '\r', '\n']).find_map(|one| {
                let one = one.trim();
                one.get(..name.len())
                    .filter(|start| start.eq_ignore_ascii_case(name))
                    .map(|_| &one[name.len()..])
            });
            value.map(|value| value.trim().trim_matches('"'))
        };
        let Some(name) = named("name=") else { continue };
        let file = named("filename=").or_else(|| named("filename*="));
        let value = file.map_or(content, str::as_bytes);
        fields.push((name.to_owned(), value.to_vec()));
    }
    Some(fields)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Pairs such as `fields[phone][value]=…` as a tree, with the names in their order. Values of one name are a list.
fn tree(pairs: Vec<(String, Vec<u8>)>, label: Option<&str>) -> (Map<String, Value>, Vec<String>) {
    // A page names its charset in a field of this name, where it has one.
    let stated = pairs.iter().find(|(name, _)| name == "_charset_").map(|(_, value)| charset::text(value));
    let label = stated.as_deref().or(label);
    let mut tree = Map::new();
    let mut names: Vec<String> = Vec::new();
    for (name, value) in pairs.into_iter().take(MOST) {
        for part in path(&name) {
            if !names.iter().any(|known| known == part) {
                names.push(part.to_owned());
            }
        }
        let text = label.map_or_else(|| charset::text(&value), |label| charset::labelled(label, &value));
        insert(&mut tree, &path(&name), text.into());
    }
    (tree, names)
}

/// The names in `fields[phone][value]`. An empty one, as in `model[]`, says that there are several values.
fn path(name: &str) -> Vec<&str> {
    let name = name.trim();
    let Some((first, rest)) = name.strip_suffix(']').and_then(|name| name.split_once('[')) else {
        return vec![name];
    };
    let names = std::iter::once(first).chain(rest.split("][")).map(str::trim);
    names.filter(|name| !name.is_empty()).take(DEEPEST).collect()
}

fn insert(tree: &mut Map<String, Value>, path: &[&str], value: Value) {
    let [name, rest @ ..] = path else { return };
    let known = tree.entry((*name).to_owned()).or_insert(Value::Null);
    if !rest.is_empty() {
        if known.is_null() {
            *known = Value::Object(Map::new());
        }
        if let Value::Object(inner) = known {
            return insert(inner, rest, value);
        }
    }
    match known {
        Value::Null => *known = value,
        Value::Object(inner) => insert(inner, &["value"], value),
        Value::Array(all) => all.push(value),
        one => *one = Value::Array(vec![one.take(), value]),
    }
}

/// One thing that a visitor wrote or chose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Field {
    /// What it is called: in the page, and by what its builder adds. The last one is that of the page.
    pub(super) names: Vec<String>,
    /// Its label, where that is known.
    pub(super) label: Option<String>,
    /// Its type, such as `tel`, where its builder states it.
    pub(super) kind: String,
    /// The names of all that it lies in, the outermost first, and its own.
    pub(super) path: Vec<String>,
    pub(super) value: String,
    /// Whether it answers a question of a quiz.
    pub(super) is_answer: bool,
}

impl Field {
    /// The names of all that it lies in, the outermost first.
    pub(super) fn containers(&self) -> &[String] {
        self.path.split_last().map_or(&[], |(_, containers)| containers)
    }

    /// What it is called where it is shown.
    pub(super) fn title(&self) -> &str {
        let name = || self.names.last().map(String::as_str);
        self.label.as_deref().or_else(name).unwrap_or_default()
    }
}

/// All that says something in a form.
pub(super) fn all(tree: &Map<String, Value>) -> Vec<Field> {
    let mut found = Vec::new();
    for (name, value) in tree {
        walk(name, &[], value, 0, &mut found);
    }
    found
}

fn walk(name: &str, of: &[&str], value: &Value, depth: usize, found: &mut Vec<Field>) {
    if depth > DEEPEST || found.len() >= MOST {
        return;
    }
    let inside = |value: &Value, found: &mut Vec<Field>| walk(name, of, value, depth + 1, found);
    match value {
        Value::Object(inner) => match Inside::of(name, of, inner) {
            Inside::Field(field) => found.extend(Some(field).filter(|field| !field.value.is_empty())),
            Inside::Question => {}
            Inside::Fields => {
                // The name of a form is no field, where its fields are elsewhere.
                let is_named = !matches!(name, "form" | "quiz") || !has_contacts(inner);
                let of = if is_named { [of, &[name]].concat() } else { Vec::new() };
                for (inner_name, value) in inner {
                    walk(inner_name, &of, value, depth + 1, found);
                }
            }
        },
        Value::Array(all) if all.iter().any(Value::is_object) => {
            for value in all {
                inside(value, found);
            }
        }
        // Some builders write what is deeper as a text.
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            match serde_json::from_str::<Value>(text) {
                Ok(deeper) => inside(&deeper, found),
                Err(_) => found.extend(Some(plain(name, of, value)).filter(|field| !field.value.is_empty())),
            }
        }
        value => found.extend(Some(plain(name, of, value)).filter(|field| !field.value.is_empty())),
    }
}

/// The names of all that a field lies in, and its own.
fn path_of(name: &str, of: &[&str]) -> Vec<String> {
    of.iter().copied().chain([name]).map(str::to_owned).collect()
}

fn plain(name: &str, of: &[&str], value: &Value) -> Field {
    Field {
        names: vec![name.to_owned()],
        path: path_of(name, of),
        value: shown(value).unwrap_or_default(),
        ..Field::default()
    }
}

/// What an object is.
enum Inside {
    /// A field with what its builder says of it, or an answer to a question.
    Field(Field),
    /// A question without an answer.
    Question,
    /// Other fields.
    Fields,
}

impl Inside {
    fn of(name: &str, of: &[&str], inner: &Map<String, Value>) -> Self {
        let text = |names: &[&str]| names.iter().find_map(|name| shown(inner.get(*name)?));
        if has_contacts(inner) {
            return Self::Fields;
        }
        // A system for customers gives a field several values.
        let is_named = ["name", "field_name", "code"].iter().any(|name| inner.contains_key(*name));
        let several = inner.get("values").and_then(Value::as_array).filter(|_| is_named);
        let one_of = |value: &Value| value.get("value").unwrap_or(value).clone();
        let several = several.map(|all| all.iter().map(one_of).collect::<Value>());
        if let Some(value) = inner.get("value").or(several.as_ref()) {
            let label = text(&["title", "label", "name", "field_name", "question", "field"]);
            let names = [label.clone(), text(&["id", "key", "code", "field_code"]), Some(name.to_owned())];
            let names = names.into_iter().flatten().filter(|name| name.parse::<u32>().is_err());
            return Self::Field(Field {
                names: names.collect(),
                path: path_of(name, of),
                label,
                kind: text(&["type"]).unwrap_or_default().to_lowercase(),
                value: shown(value).unwrap_or_default(),
                ..Field::default()
            });
        }
        if let Some(answer) = inner.get("a").or_else(|| inner.get("answer")) {
            return Self::Field(Field {
                label: text(&["q", "question", "question_id"]),
                path: path_of(name, of),
                value: shown(answer).unwrap_or_default(),
                is_answer: true,
                ..Field::default()
            });
        }
        let is_question =
            |name: &String| ["q", "t", "question", "question_id", "type"].contains(&name.as_str());
        if !inner.is_empty() && inner.keys().all(is_question) { Self::Question } else { Self::Fields }
    }
}

/// Whether an object has contacts of a visitor under their names, and so is no field.
fn has_contacts(inner: &Map<String, Value>) -> bool {
    inner.keys().any(|name| matches!(Role::named(name, ""), Role::Phone | Role::Email))
}

/// A value as it is shown; none of one that says nothing.
pub(super) fn shown(value: &Value) -> Option<String> {
    let text = match value {
        // A page's program writes this for a field that it does not find.
        Value::String(text) if matches!(text.trim(), "undefined" | "[object Object]") => return None,
        Value::String(text) => text.trim().to_owned(),
        Value::Null => return None,
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(all) => {
            let mut values: Vec<String> = Vec::new();
            for value in all.iter().filter_map(shown) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            values.join(", ")
        }
        Value::Object(all) => {
            let pair = |(name, value): (&String, &Value)| Some(format!("{name}: {}", shown(value)?));
            all.iter().filter_map(pair).collect::<Vec<_>>().join(", ")
        }
    };
    (!text.is_empty()).then_some(text)
}
