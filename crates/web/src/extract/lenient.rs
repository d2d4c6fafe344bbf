//! JSON read as forms of automation tools write it: where a number or a flag belongs it may be text, where text belongs a
//! number or a flag, and what may be left out may be empty text. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};
use serde_json::{Number, Value};

use super::fault::{Fault, join};
use super::node::Node;
use crate::problem::FieldError;

/// How often a body is read, and so how many faults of it are named.
const MOST_READINGS: usize = 64;

/// What stands for a text that has to be there and cannot be read.
const STAND_IN: &str = "stand_in";

pub(super) struct Read<T> {
    /// The value; where something is wrong, what could be read of it: enough to find what else is wrong.
    pub(super) value: Option<T>,
    pub(super) wrong: Vec<FieldError>,
}

/// Reads a value. What is wrong is set aside and the rest is read again, so that all of it is named. Empty text that does
/// not fit is set aside without a word: it is as if it were not there, which is wrong only where it has to be, and in a list, where it stands for something that is missing.
pub(super) fn read<T: DeserializeOwned>(node: &Node) -> Read<T> {
    let mut aside = Aside::default();
    let mut blank = BTreeMap::new();
    let mut wrong = Vec::new();
    for _ in 0..MOST_READINGS {
        let fault = match T::deserialize(Reader { node, path: String::new(), aside: &aside }) {
            Ok(value) => return Read { value: Some(value), wrong },
            Err(fault) => fault.within("", false),
        };
        if fault.is_of_stand_in() {
            break;
        }
        if aside.has(fault.path()) {
            wrong.extend(blank.remove(fault.path()));
        } else if fault.is_blank() && !fault.path().ends_with(']') {
            blank.insert(fault.path().to_owned(), fault.field_error());
        } else {
            wrong.push(fault.field_error());
        }
        if !aside.put(fault.path()) {
            break;
        }
    }
    if wrong.is_empty() {
        wrong.extend(blank.into_values());
    }
    Read { value: None, wrong }
}

/// Reads a text that means something when it is empty: `null` alone counts as absent.
pub(crate) fn kept_when_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(flag) => Ok(Some(flag.to_string())),
        Value::Array(_) | Value::Object(_) => Err(D::Error::custom("write text")),
    }
}

/// What is not read, as it is wrong already.
#[derive(Default)]
struct Aside {
    /// The paths of values that are left out.
    left_out: BTreeSet<String>,
    /// The fields that must be there and are not, by the path of their object: something else stands for them.
    stood_in: BTreeMap<String, Vec<String>>,
}

impl Aside {
    fn has(&self, path: &str) -> bool {
        self.left_out.contains(path)
    }

    /// Leaves a value out; what is missing then gets a stand-in. False when nothing is left to try.
    fn put(&mut self, path: &str) -> bool {
        if path.is_empty() {
            return false;
        }
        if self.left_out.insert(path.to_owned()) {
            return true;
        }
        let (object, field) = path.rsplit_once('.').unwrap_or(("", path));
        let fields = self.stood_in.entry(object.to_owned()).or_default();
        let is_new = !fields.iter().any(|known| known == field);
        fields.push(field.to_owned());
        is_new
    }
}

#[derive(Clone)]
struct Reader<'a> {
    node: &'a Node,
    path: String,
    aside: &'a Aside,
}

impl Reader<'_> {
    /// Reads the value within another one, and says where it was if it is wrong.
    fn read<'de, S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        let (path, blank) = (self.path.clone(), self.is_blank());
        seed.deserialize(self).map_err(|fault| fault.within(&path, blank))
    }

    /// Text without the space around it, if it is text.
    fn trimmed(&self) -> Option<&str> {
        match self.node {
            Node::Text(text) => Some(text.trim()),
            _ => None,
        }
    }

    /// The value is not what belongs here.
    fn wrong(&self, write: &str) -> Fault {
        match self.node {
            Node::Null => Fault::value("is missing"),
            _ => Fault::value(format!("is wrong: write {write}")),
        }
    }

    fn is_blank(&self) -> bool {
        self.trimmed() == Some("")
    }
}

/// Whole numbers of each size, as a number or as text.
macro_rules! whole_numbers {
    ($($method:ident, $visit:ident, $type:ty;)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
                let number = match self.node {
                    Node::Number(number) => number.to_string().parse::<$type>().ok(),
                    _ => self.trimmed().and_then(|text| text.parse().ok()),
                };
                let number = number.ok_or_else(|| match (<$type>::MIN, <$type>::MAX) {
                    (0, most) if <$type>::BITS < 32 => self.wrong(&format!("a whole number from 0 to {most}")),
                    (0, _) => self.wrong("a whole number from 0"),
                    _ => self.wrong("a whole number"),
                })?;
                visitor.$visit(number)
            }
        )*
    };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node {
            Node::Null => visitor.visit_unit(),
            Node::Bool(flag) => visitor.visit_bool(*flag),
            Node::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., number) => visitor.visit_f64(number.unwrap_or_default()),
            },
            Node::Text(text) => visitor.visit_str(text),
            Node::List(_) => self.deserialize_seq(visitor),
            Node::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let flag = match self.node {
            Node::Bool(flag) => Some(*flag),
            _ => self.trimmed().and_then(|text| text.to_ascii_lowercase().parse().ok()),
        };
        visitor.visit_bool(flag.ok_or_else(|| self.wrong("true or false"))?)
    }

    whole_numbers! {
        deserialize_i8, visit_i8, i8;
        deserialize_i16, visit_i16, i16;
        deserialize_i32, visit_i32, i32;
        deserialize_i64, visit_i64, i64;
        deserialize_u8, visit_u8, u8;
        deserialize_u16, visit_u16, u16;
        deserialize_u32, visit_u32, u32;
        deserialize_u64, visit_u64, u64;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let number = match self.node {
            Node::Number(number) => number.as_f64(),
            // As JSON writes numbers: no "inf", no "NaN".
            _ => self
                .trimmed()
                .and_then(|text| serde_json::from_str::<Number>(text).ok())
                .and_then(|number| number.as_f64()),
        };
        visitor.visit_f64(number.ok_or_else(|| self.wrong("a number"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node {
            Node::Text(text) => visitor.visit_str(text),
            Node::Number(number) => visitor.visit_string(number.to_string()),
            Node::Bool(flag) => visitor.visit_str(if *flag { "true" } else { "false" }),
            Node::Null | Node::List(_) | Node::Object(_) => Err(self.wrong("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node {
            Node::Null => visitor.visit_none(),
            _ if self.is_blank() => Err(Fault::value("is empty")),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Node::List(items) = self.node else { return Err(self.wrong("a list")) };
        let items = Items { left: items.iter().enumerate(), path: &self.path, aside: self.aside };
        visitor.visit_seq(items)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Node::Object(fields) = self.node else { return Err(self.wrong("an object")) };
        let stood_in = self.aside.stood_in.get(&self.path).map(Vec::as_slice).unwrap_or_default();
        let fields = Fields {
            left: fields.iter(),
            stood_in: stood_in.iter(),
            value: None,
            path: &self.path,
            aside: self.aside,
        };
        visitor.visit_map(fields)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Some(word) = self.trimmed() else { return Err(self.wrong("one of the words that are known")) };
        let word: StrDeserializer<'_, Fault> = word.into_deserializer();
        visitor.visit_enum(word)
    }

    serde::forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct tuple tuple_struct ignored_any
    }
}

struct Items<'a> {
    left: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    path: &'a str,
    aside: &'a Aside,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        for (index, node) in self.left.by_ref() {
            let path = format!("{}[{index}]", self.path);
            if !self.aside.has(&path) {
                return Reader { node, path, aside: self.aside }.read(seed).map(Some);
            }
        }
        Ok(None)
    }
}

/// The fields of an object, then those that something stands for.
struct Fields<'a> {
    left: std::slice::Iter<'a, (String, Node)>,
    stood_in: std::slice::Iter<'a, String>,
    /// The field whose name was read last.
    value: Option<Reader<'a>>,
    path: &'a str,
    aside: &'a Aside,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        for (name, node) in self.left.by_ref() {
            let path = join(self.path, name);
            if self.aside.has(&path) {
                continue;
            }
            let key = seed.deserialize(StrDeserializer::<Fault>::new(name));
            let key = key.map_err(|fault| fault.within(&path, false))?;
            self.value = Some(Reader { node, path, aside: self.aside });
            return Ok(Some(key));
        }
        self.value = None;
        let Some(name) = self.stood_in.next() else { return Ok(None) };
        seed.deserialize(StrDeserializer::<Fault>::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        match self.value.take() {
            Some(reader) => reader.read(seed),
            None => seed.deserialize(StandIn).map_err(|_| Fault::of_stand_in()),
        }
    }
}

/// Something that stands for a value that is missing or wrong, so that the rest can be read. It reaches no one: a body with
/// one is refused.
struct StandIn;

macro_rules! stand_ins {
    ($($method:ident => $visit:ident($value:expr);)*) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
                visitor.$visit($value)
            }
        )*
    };
}

impl<'de> Deserializer<'de> for StandIn {
    type Error = Fault;

    stand_ins! {
        deserialize_any => visit_str(STAND_IN);
        deserialize_bool => visit_bool(false);
        deserialize_i8 => visit_i8(1);
        deserialize_i16 => visit_i16(1);
        deserialize_i32 => visit_i32(1);
        deserialize_i64 => visit_i64(1);
        deserialize_u8 => visit_u8(1);
        deserialize_u16 => visit_u16(1);
        deserialize_u32 => visit_u32(1);
        deserialize_u64 => visit_u64(1);
        deserialize_f32 => visit_f32(1.0);
        deserialize_f64 => visit_f64(1.0);
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(serde::de::value::SeqDeserializer::new(std::iter::empty::<u8>()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let word: StrDeserializer<'_, Fault> = words.first().copied().unwrap_or_default().into_deserializer();
        visitor.visit_enum(word)
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Wait,
        Fail,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        user_id: Option<i64>,
        names: Option<Vec<String>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        text: String,
        name: String,
        count: Option<u8>,
        seconds: Option<f64>,
        silent: Option<bool>,
        word: Option<Word>,
        inner: Option<Inner>,
    }

    fn of(json: &str) -> Read<Outer> {
        read(&serde_json::from_str(json).expect("JSON"))
    }

    fn outer(fields: &str) -> Outer {
        let read = of(&format!(r#"{{"text":"a","name":"b",{fields}}}"#));
        assert_eq!(read.wrong, [], "{fields}");
        read.value.expect("a value")
    }

    fn wrong(json: &str) -> Vec<(String, String)> {
        of(json).wrong.into_iter().map(|error| (error.field, error.message)).collect()
    }

    #[test]
    fn text_stands_for_numbers_and_flags() {
        let typed = outer(r#""count":7,"seconds":1.5,"silent":true,"word":"fail","inner":{"user_id":-8}"#);
        let as_text =
            outer(r#""count":"7 ","seconds":"1.5","silent":"True","word":" fail","inner":{"user_id":"-8"}"#);
        assert_eq!(as_text, typed);
    }

    #[test]
    fn numbers_and_flags_stand_for_text() {
        let read = of(r#"{"text":-100500,"name":true,"inner":{"names":[1.5,"a"]}}"#).value.expect("a value");
        assert_eq!((read.text.as_str(), read.name.as_str()), ("-100500", "true"));
        assert_eq!(read.inner.expect("inner").names.expect("names"), ["1.5", "a"]);
    }

    #[test]
    fn empty_text_is_absent_where_it_may_be() {
        let empty = outer(r#""count":"","seconds":" ","silent":"","word":"","inner":"""#);
        assert_eq!(empty, outer(r#""count":null"#));
        assert_eq!(of(r#"{"text":"","name":"b"}"#).value.expect("a value").text, "", "it must be there");
    }

    #[test]
    fn all_that_is_wrong_is_named_in_words() {
        let found = wrong(
            r#"{"text":["a"],"count":300,"seconds":"NaN","silent":1,"word":"explode","txt":1,"count":2,
                "inner":{"user_id":"x","names":["a",[1],{}],"user":1}}"#,
        );
        let expected = [
            ("text", "is wrong: write text"),
            ("count", "is wrong: write a whole number from 0 to 255"),
            ("seconds", "is wrong: write a number"),
            ("silent", "is wrong: write true or false"),
            ("word", "is wrong: write wait or fail"),
            ("txt", "is not known; did you mean \"text\"?"),
            ("inner.user_id", "is wrong: write a whole number"),
            ("inner.names[1]", "is wrong: write text"),
            ("inner.names[2]", "is wrong: write text"),
            ("inner.user", "is not known; did you mean \"user_id\"?"),
            ("name", "is missing"),
        ];
        let expected: Vec<_> =
            expected.iter().map(|(field, message)| ((*field).to_owned(), (*message).to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn readable_fields_are_returned_despite_errors() {
        let read = of(r#"{"text":{},"seconds":"soon","count":"9"}"#);
        assert_eq!(read.wrong.len(), 3);
        assert_eq!(read.value.expect("a value").count, Some(9));
    }

    #[test]
    fn a_field_that_is_there_twice_is_named() {
        assert_eq!(
            wrong(r#"{"text":"a","text":"b","name":"c"}"#),
            [("text".to_owned(), "is there twice".to_owned())]
        );
        for no_object in ["[]", "1", "null", "\"x\""] {
            assert_eq!(wrong(no_object).len(), 1, "{no_object}");
        }
    }

    proptest! {
        #[test]
        fn numbers_mean_the_same_as_text(number: i64, seconds in -1e9_f64..1e9, flag: bool) {
            let inner = |number: &str| outer(&format!(r#""inner":{{"user_id":{number}}}"#));
            prop_assert_eq!(inner(&number.to_string()), inner(&format!("\"{number}\"")));
            let rest = |quote: &str| {
                outer(&format!(r#""seconds":{quote}{seconds}{quote},"silent":{quote}{flag}{quote}"#))
            };
            prop_assert_eq!(rest(""), rest("\""));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let node = Node::Object(
                ["text", "name", "count", "seconds", "silent", "word", "inner"]
                    .map(|name| (name.to_owned(), Node::Text(text.clone())))
                    .to_vec(),
            );
            let read: Read<Outer> = read(&node);
            prop_assert!(read.value.is_some());
            let known = ["count", "seconds", "silent", "word", "inner"];
            prop_assert!(read.wrong.iter().all(|error| known.contains(&error.field.as_str())));
        }
    }
}
