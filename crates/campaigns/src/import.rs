//! Lists of chats and messages as files: read leniently, each line that says nothing usable named.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use domain::missing::{MISSING, is_missing};
use domain::text::{ParseMode, announced_separator};
use domain::{ChatRef, NamedChatError};
use hashbrown::HashTable;
use serde_json::Value;
use store::{NewCampaignMessage, NewCampaignTask};

use crate::template::{self, TemplateError};

/// Bad lines that are named; more are counted alone.
const NAMED: usize = 1000;

/// Files of one message: as many as Telegram shows together.
const MOST_MEDIA: usize = 10;

/// The fields in which files name what a message carries.
pub const MEDIA: [&str; 4] = ["media", "file", "photo", "image"];

/// A line, or an item of a list, that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// From 1.
    pub line: usize,
    pub message: String,
}

/// A message of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileMessage {
    /// Its line, or its place in the list, from 1.
    pub line: usize,
    /// It carries nothing yet.
    pub message: NewCampaignMessage,
    /// What it is to carry, as the file names it.
    pub media: Vec<Value>,
}

/// What a file has in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported<T> {
    pub items: Vec<T>,
    /// The first thousand.
    pub bad: Vec<BadLine>,
    /// How many bad lines there are.
    pub all_bad: usize,
}

impl<T> Default for Imported<T> {
    fn default() -> Self {
        Self { items: Vec::new(), bad: Vec::new(), all_bad: 0 }
    }
}

impl<T> Imported<T> {
    /// Counts a bad line, and names it while there is room.
    pub fn refuse(&mut self, line: usize, message: String) {
        self.all_bad += 1;
        if self.bad.len() < NAMED {
            self.bad.push(BadLine { line, message });
        }
    }
}

/// A list of chats, read one after the other: a chat a line, or a table whose first line names its columns, one of them `chat`,
/// `username`, `link` or `chat_username`; the others are variables. Empty lines and those that begin with `#` say nothing.
pub struct ChatList<'a> {
    text: &'a str,
    /// Where the next line begins, and its number.
    next: (usize, usize),
    table: Table,
    lines_read: HashTable<ReadChat>,
    hashes: RandomState,
    bad: Imported<NewCampaignTask>,
}

/// A chat that was read: where its line begins, and its number. A list of a million has no room for the chats themselves.
struct ReadChat {
    at: usize,
    line: usize,
}

/// What the columns of a list are.
struct Table {
    separator: Option<char>,
    /// Empty where each line is a chat.
    header: Vec<String>,
    chat_column: usize,
}

impl Table {
    /// The columns that the first line of a list names. A line before it may announce what separates them.
    fn of(first: &str, announced: Option<char>) -> Self {
        let separator = announced.or_else(|| first.chars().find(|sign| ",;\t".contains(*sign)));
        let header: Vec<_> = fields(first, separator).into_iter().map(|name| name.to_lowercase()).collect();
        match header.iter().position(|name| is_chat(name)) {
            Some(chat_column) => Self { separator, header, chat_column },
            None => Self { separator: None, header: Vec::new(), chat_column: 0 },
        }
    }

    fn chat(&self, fields: &[String]) -> Result<ChatRef, NamedChatError> {
        ChatRef::named(fields.get(self.chat_column).map(String::as_str).unwrap_or_default())
    }

    fn variables(&self, fields: Vec<String>) -> BTreeMap<String, String> {
        let named =
            self.header.iter().zip(fields).filter(|(name, value)| !is_chat(name) && !is_missing(value));
        named.map(|(name, value)| (name.clone(), value)).collect()
    }
}

impl<'a> ChatList<'a> {
    pub fn of(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let announced = text.lines().next().and_then(announced_separator);
        let first = text.lines().nth(usize::from(announced.is_some())).unwrap_or_default();
        let table = Table::of(first.trim(), announced);
        let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let mut list = Self {
            text,
            next: (0, 1),
            lines_read: HashTable::with_capacity(lines),
            hashes: RandomState::new(),
            bad: Imported::default(),
            table,
        };
        if announced.is_some() {
            list.line();
        }
        if !list.table.header.is_empty() {
            list.line();
        }
        list
    }

    /// The lines that said nothing usable so far.
    pub fn bad(self) -> Imported<NewCampaignTask> {
        self.bad
    }

    /// The next line: where it begins, its number and what it says.
    fn line(&mut self) -> Option<(usize, usize, &'a str)> {
        let (at, number) = self.next;
        let (line, end) = line_at(self.text, at)?;
        self.next = (end, number + 1);
        Some((at, number, line))
    }

    /// The line in which a chat was before this one.
    fn before(&mut self, chat: &ChatRef, read: ReadChat) -> Option<usize> {
        let Self { text, table, hashes, .. } = self;
        let chat_at = |read: &ReadChat| {
            let (line, _) = line_at(text, read.at)?;
            table.chat(&fields(line, table.separator)).ok()
        };
        let hash = hashes.hash_one(chat);
        if let Some(before) = self.lines_read.find(hash, |before| chat_at(before).as_ref() == Some(chat)) {
            return Some(before.line);
        }
        self.lines_read
            .insert_unique(hash, read, |read| chat_at(read).map_or(0, |chat| hashes.hash_one(chat)));
        None
    }
}

impl Iterator for ChatList<'_> {
    type Item = NewCampaignTask;

    fn next(&mut self) -> Option<NewCampaignTask> {
        while let Some((at, line, content)) = self.line() {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let fields = fields(content, self.table.separator);
            match self.table.chat(&fields) {
                Err(error) => self.bad.refuse(line, error.to_string()),
                Ok(chat) => match self.before(&chat, ReadChat { at, line }) {
                    Some(before) => self.bad.refuse(line, format!("{chat} is in line {before} already")),
                    None => return Some(NewCampaignTask { variables: self.table.variables(fields), chat }),
                },
            }
        }
        None
    }
}

/// The line that begins there, and where the next one does.
fn line_at(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
    let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
    Some((rest.get(..end)?.trim(), at + end))
}

fn is_chat(column: &str) -> bool {
    matches!(column, "chat" | "username" | "link" | "chat_username")
}

/// The fields of a line; a quoted one may have the separator in it.
fn fields(line: &str, separator: Option<char>) -> Vec<String> {
    let Some(separator) = separator else { return vec![line.to_owned()] };
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut signs = line.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '"' if quoted && signs.peek() == Some(&'"') => {
                signs.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            sign if sign == separator && !quoted => fields.push(std::mem::take(&mut field).trim().to_owned()),
            sign => field.push(sign),
        }
    }
    fields.push(field.trim().to_owned());
    fields
}

/// Reads messages: a JSON list of texts or of objects with `text`, `weight`, `active`, `parse_mode` and `media`, as it is or under
/// `messages`; or, where it is no JSON, one text whose lines are its own, several separated by lines of `---`.
pub fn read_messages(text: &str) -> Imported<FileMessage> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let items: Vec<Value> = match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(items)) => items,
        Ok(Value::Object(mut object)) => match object.remove("messages") {
            Some(Value::Array(items)) => items,
            _ => vec![Value::Object(object)],
        },
        Ok(other) => vec![other],
        Err(error) if text.trim_start().starts_with(['[', '{']) => {
            let mut read = Imported::default();
            read.refuse(error.line(), format!("this is no JSON: {error}"));
            return read;
        }
        Err(_) => {
            let text = text.replace("\r\n", "\n");
            let texts = text.split("\n---\n").map(str::trim).filter(|text| !text.is_empty());
            texts.map(|text| Value::String(text.to_owned())).collect()
        }
    };
    let mut read = Imported::default();
    for (number, item) in (1..).zip(items) {
        match message(&item) {
            Ok((message, media)) => read.items.push(FileMessage { line: number, message, media }),
            Err(why) => read.refuse(number, why),
        }
    }
    read
}

fn message(item: &Value) -> Result<(NewCampaignMessage, Vec<Value>), String> {
    let field = |names: &[&str]| names.iter().find_map(|name| item.get(name));
    let text = item.as_str().or_else(|| field(&["text", "message", "content"])?.as_str());
    let text = text.ok_or("has no text")?.to_owned();
    if !text.is_empty() && is_missing(&text) {
        return Err(MISSING.to_owned());
    }
    let weight = field(&["weight"]).map_or(Ok(1), |weight| {
        let weight = weight.as_u64().and_then(|weight| u32::try_from(weight).ok());
        weight.filter(|weight| *weight <= 1000).ok_or("weight is no whole number from 0 to 1000")
    })?;
    let is_active = field(&["active", "is_active"]).is_none_or(|active| active.as_bool().unwrap_or(true));
    let mode = field(&["parse_mode"]).and_then(Value::as_str).unwrap_or_default();
    let parse_mode: ParseMode = mode.parse().map_err(|error| format!("{error}"))?;
    check(&text, parse_mode).map_err(|error| error.to_string())?;
    let media = match field(&MEDIA) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(named)) if named.trim().is_empty() => Vec::new(),
        Some(Value::Array(all)) if all.len() > MOST_MEDIA => {
            return Err(format!("has {} files; a message has {MOST_MEDIA} at most", all.len()));
        }
        Some(Value::Array(all)) => all.clone(),
        Some(one) => vec![one.clone()],
    };
    Ok((NewCampaignMessage { text, parse_mode, weight, is_active, media: Vec::new() }, media))
}

/// Whether a template makes a message once each of its variables has a value.
fn check(text: &str, mode: ParseMode) -> Result<(), TemplateError> {
    let values = template::variables(text)?.into_iter().map(|name| (name, "x".to_owned())).collect();
    template::render(text, mode, &values).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_chats(text: &str) -> Imported<NewCampaignTask> {
        let mut list = ChatList::of(text);
        let items = list.by_ref().collect();
        Imported { items, ..list.bad() }
    }

    #[test]
    fn chats_are_read_from_windows_files_with_links_and_doubles() {
        let read = read_chats(
            "\u{feff}@client_1\r\nhttps://t.me/Client_2\r\n\r\n# note\r\nnot a chat\r\n@CLIENT_1\r\n-1001234567890\r\n",
        );
        let chats: Vec<_> = read.items.iter().map(|task| task.chat.to_string()).collect();
        assert_eq!(chats, ["@client_1", "@client_2", "-1001234567890"]);
        let bad: Vec<_> = read.bad.iter().map(|bad| bad.line).collect();
        assert_eq!(bad, [5, 6]);
        assert!(read.bad[1].message.contains("line 1"), "{:?}", read.bad);
    }

    #[test]
    fn a_million_lines_are_read_and_a_thousand_bad_ones_named() {
        const LINES: usize = 1_000_000;
        let mut text = String::from("\u{feff}");
        for line in 0..LINES {
            let form = if line % 2 == 0 { "@client_" } else { "https://t.me/Client_" };
            text.extend([form, &(line % 900_000).to_string(), "\r\n"]);
        }
        let read = read_chats(&text);
        assert_eq!((read.items.len(), read.all_bad, read.bad.len()), (900_000, 100_000, NAMED));
        assert_eq!(read.bad[0].line, 900_001);
    }

    #[test]
    fn a_table_of_chats_brings_variables() {
        let read = read_chats("sep=;\r\nName;chat;city\n\"Anna; B\";@client_1;\nBoris;@client_2;Tver\n");
        assert_eq!(read.all_bad, 0);
        assert_eq!(read.items[0].variables, BTreeMap::from([("name".to_owned(), "Anna; B".to_owned())]));
        assert_eq!(read.items[1].variables.len(), 2);
        let read = read_chats("\"sep=|\"\nchat|name, surname\n@client_1|Anna, B\n");
        assert_eq!(read.items[0].variables["name, surname"], "Anna, B");
    }

    #[test]
    fn messages_are_read_as_texts_and_as_objects() {
        let read = read_messages(
            r#"{"messages": ["Hi {name}", {"text": "<b>Yes</b>", "weight": 3, "parse_mode": "html", "active": false}, {"text": "<b>"}, {"text": "<b>", "parse_mode": "html"}, 5, "undefined"]}"#,
        );
        assert_eq!(read.items.len(), 3);
        assert_eq!((read.items[1].message.weight, read.items[1].message.is_active), (3, false));
        let bad: Vec<_> = read.bad.iter().map(|bad| bad.line).collect();
        assert_eq!(bad, [4, 5, 6]);
        assert_eq!(read_messages("One\nline\n---\nTwo").items.len(), 2);
        assert_eq!(read_messages("[\"a\",").all_bad, 1);
    }

    #[test]
    fn messages_name_one_file_or_several() {
        let read = read_messages(
            r#"[{"text": "A", "media": "a.jpg"}, {"text": "B", "photo": ["a.jpg", {"url": "https://example.com/b"}]}, {"text": "C", "media": null}]"#,
        );
        let counts: Vec<_> = read.items.iter().map(|item| (item.line, item.media.len())).collect();
        assert_eq!(counts, [(1, 1), (2, 2), (3, 0)]);
        let many = format!(r#"[{{"text": "A", "media": {:?}}}]"#, ["a"; 11]);
        assert_eq!(read_messages(&many).all_bad, 1);
    }

    proptest! {
        #[test]
        fn any_file_is_read_and_each_line_counts_once(text: String) {
            let read = read_chats(&text);
            let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
            prop_assert!(read.items.len() + read.all_bad <= lines);
            read_messages(&text);
        }
    }
}
