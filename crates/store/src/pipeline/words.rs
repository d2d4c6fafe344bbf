//! Words by which clients are found: each word of what they wrote and are called leads to them, by its beginning.

use std::collections::{BTreeSet, HashSet};

use domain::phone::{NumberEnd, PhoneDigits, digits_in};
use domain::text::{bare, noun_forms, stem};
use domain::{ClientId, Timestamp};
use uuid::Uuid;

use super::{TABLE, rows, statements as sql};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, ToValue, params};
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

/// Letters of a word that count.
const LONGEST: usize = 32;
/// Words of one text that count.
const MOST: usize = 200;
/// Words that are added at once.
const IN_A_STATEMENT: usize = 8;
/// Words that are looked for.
const MOST_WANTED: usize = 8;
/// The fewest letters that are the beginning of a word; fewer are a whole word.
const BEGINNING: usize = 3;
/// Clients that one word, or a channel, leads to at most.
pub(super) const MOST_CLIENTS: u32 = 500_000;
/// Messages that are read at once, and the most notes and tags, where the words of a client are gathered.
const PAGE: u32 = 1000;
/// The most pages of the latest messages that are gathered.
const MOST_PAGES: usize = 20;

/// The words of a text, bare. A number has the digits that all ways to write it share, and its ends. Stored words have this form. A
/// release that changes it must gather the words of all clients again. No release has been made with another form.
fn of(text: &str) -> BTreeSet<String> {
    let mut found = plain_words(text);
    found.extend(digits_in(text));
    found
}

/// The words of a text, or the number that all of it is.
fn wanted(text: &str) -> Vec<String> {
    let phone = PhoneDigits::read(text).map(|phone| phone.as_str().to_owned());
    let mut words = match phone.or_else(|| Some(NumberEnd::read(text)?.as_str().to_owned())) {
        Some(number) => vec![number],
        None => plain_words(text).into_iter().collect(),
    };
    // The longest one leads to the fewest.
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.truncate(MOST_WANTED);
    words
}

fn plain_words(text: &str) -> BTreeSet<String> {
    let bare = bare(text);
    let words = bare.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(MOST).map(|word| word.chars().take(LONGEST).collect()).collect()
}

/// The stored words that a word is looked for by, each from its first letter to what is behind it: those that begin as most of its
/// forms do, and its other forms, each as a whole.
fn ranges(word: &str) -> Vec<(String, String)> {
    let beginning = stem(word);
    // Each letter of a word is behind a space.
    let wholes = noun_forms(word).into_iter().map(|form| (form.clone(), form + " "));
    std::iter::once((beginning.to_owned(), end_of(beginning))).chain(wholes).collect()
}

/// What is behind all words that a word leads to: those that begin with it, or itself alone where it is short.
fn end_of(word: &str) -> String {
    let is_beginning = word.chars().count() >= BEGINNING;
    // Each letter of a word is behind a space.
    format!("{word}{}", if is_beginning { '\u{10ffff}' } else { ' ' })
}

/// Texts lead to a client from now on.
pub(super) fn add<'a>(
    transaction: &Transaction<'_>,
    client: &ClientId,
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<(), StoreError> {
    add_words(transaction, client, &texts.into_iter().flat_map(of).collect())
}

fn add_words(
    transaction: &Transaction<'_>,
    client: &ClientId,
    words: &BTreeSet<String>,
) -> Result<(), StoreError> {
    let words: Vec<&String> = words.iter().collect();
    let key = client.as_uuid().as_bytes();
    for some in words.chunks(IN_A_STATEMENT) {
        let Some(last) = some.last() else { continue };
        let padded = (0..IN_A_STATEMENT).map(|place| some.get(place).unwrap_or(last) as &dyn ToValue);
        let values: Vec<&dyn ToValue> = std::iter::once(&key as &dyn ToValue).chain(padded).collect();
        transaction.run(sql::ADD_WORDS, values.as_slice())?;
    }
    Ok(())
}

/// What is stored of a client leads to it: after the messages of another became its own.
pub(super) fn of_client(transaction: &Transaction<'_>, client: &ClientId) -> Result<(), StoreError> {
    add_words(transaction, client, &stored(transaction, client)?)
}

/// What is stored of a client that was split off leads to it, and no more to the one that it was a part of.
pub(super) fn part(
    transaction: &Transaction<'_>,
    from: &ClientId,
    client: &ClientId,
) -> Result<(), StoreError> {
    let (stays, leaves) = (stored(transaction, from)?, stored(transaction, client)?);
    add_words(transaction, client, &leaves)?;
    drop_words(transaction, from, leaves.difference(&stays))
}

fn drop_words<'a>(
    transaction: &Transaction<'_>,
    client: &ClientId,
    words: impl IntoIterator<Item = &'a String>,
) -> Result<(), StoreError> {
    for word in words {
        transaction.run(sql::DROP_WORD, params![word, client.as_uuid().as_bytes()])?;
    }
    Ok(())
}

/// Removes old messages with their words, but for those that something else of their client has. All of them are of one client:
/// a write gathers the words of no more.
pub(crate) struct DropMessages {
    pub(crate) before: Timestamp,
    pub(crate) most: u32,
}

impl Write for DropMessages {
    type Answer = u64;
    const POINT: Option<Point> = Some(point::DROP_OLD_ROWS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<u64, StoreError> {
        let params = params![self.before.as_micros(), self.most];
        let mut old = transaction.all(sql::OLD_MESSAGES, params, |row| {
            let columns = Columns::new(row, TABLE);
            let client = rows::maybe_client_id(&columns, 1)?;
            Ok((columns.get::<i64>(0)?, client, columns.get::<String>(2)?))
        })?;
        let Some(&(_, client, _)) = old.first() else { return Ok(0) };
        old.retain(|(_, other, _)| *other == client);
        for (seq, ..) in &old {
            transaction.run(sql::DROP_MESSAGE, params![seq])?;
        }
        if let Some(client) = client {
            let gone: BTreeSet<String> = old.iter().flat_map(|(_, _, text)| of(text)).collect();
            drop_words(transaction, &client, gone.difference(&stored(transaction, &client)?))?;
        }
        Ok(old.len() as u64)
    }
}

/// The words of what is stored of a client.
fn stored(transaction: &Transaction<'_>, client: &ClientId) -> Result<BTreeSet<String>, StoreError> {
    let key = client.as_uuid().as_bytes();
    let known = transaction.first(sql::CLIENT, params![key], rows::client)?;
    let chats = transaction.all(sql::CHATS_OF, params![key], rows::chat)?;
    let fields = known.iter().flat_map(|client| [&client.name, &client.phone, &client.email]);
    let fields = fields.flatten().cloned().chain(chats.into_iter().flat_map(|chat| {
        let contacts = [chat.phone, chat.email].into_iter().flatten().map(|contact| contact.value);
        chat.name.into_iter().chain(contacts)
    }));
    let noted = transaction.all(sql::NOTED_OF, params![key, PAGE], |row| row.get::<String>(0))?;
    let mut words: BTreeSet<String> = fields.chain(noted).flat_map(|text| of(&text)).collect();
    let mut before = i64::MAX;
    for _ in 0..MOST_PAGES {
        let messages = transaction.all(sql::OF_CLIENT, params![key, before, PAGE], rows::message)?;
        words.extend(messages.iter().flat_map(|message| of(message.text.as_str())));
        let Some(last) = messages.last() else { break };
        before = last.seq;
    }
    Ok(words)
}

/// The clients that all words of a text lead to; none for a text without words.
pub(super) fn find(connection: &Connection, text: &str) -> Result<HashSet<ClientId>, StoreError> {
    let mut found: Option<HashSet<ClientId>> = None;
    for word in wanted(text) {
        let mut clients = HashSet::new();
        for (from, end) in ranges(&word) {
            connection.each(sql::WITH_WORD, params![from, end, MOST_CLIENTS], |row| {
                let bytes = Columns::new(row, "pipeline_words").get(0)?;
                let client = ClientId::from_uuid(Uuid::from_bytes(bytes));
                if found.as_ref().is_none_or(|found| found.contains(&client)) {
                    clients.insert(client);
                }
                Ok(std::ops::ControlFlow::Continue(()))
            })?;
        }
        let is_over = clients.is_empty();
        found = Some(clients);
        if is_over {
            break;
        }
    }
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A phone, as a whole and by its ends.
    const WHOLE: [&str; 8] =
        ["0001", "00001", "000001", "0000001", "00000001", "000000001", "0000000001", "70000000001"];

    /// Whether a word leads to one of these, as the store compares them.
    fn leads(word: &str, written: &BTreeSet<String>) -> bool {
        ranges(word).iter().any(|(from, end)| written.iter().any(|known| known >= from && known < end))
    }

    #[test]
    fn words_are_small_and_a_number_is_whole() {
        assert_eq!(of("Зелёный  чай, ЧАЙ!"), ["зеленый", "чай"].map(str::to_owned).into());
        assert_eq!(of("+70000000001"), WHOLE.map(str::to_owned).into());
        assert_eq!(wanted("8 000 000-00-01"), ["0000000001"]);
        assert_eq!(wanted("is it there"), ["there", "is", "it"]);
        assert!(wanted(" ?! ").is_empty());
        // A number in a sentence, and forms of a word.
        let written = of("Мой номер 8 (900) 000-77-11, нет экрана");
        for text in
            ["+79000007711", "8 900 000 77 11", "9000007711", "89000007711", "экраны", "экранов", "номера"]
        {
            assert!(wanted(text).iter().all(|word| leads(word, &written)), "{text}: {:?}", wanted(text));
        }
        // Short words, the end of a number, and letters of other shapes.
        let written = of("Скажите цены на окно за\u{301}мка, чат и ｆａｘ №12-34/567, +7 900 000-77-11");
        for text in [
            "цена",
            "ценами",
            "окна",
            "окон",
            "замка",
            "замки",
            "чаты",
            "fax",
            "7711",
            "…77-11",
            "1234567",
            "４５６７",
        ] {
            assert!(wanted(text).iter().all(|word| leads(word, &written)), "{text}: {:?}", wanted(text));
        }
        for text in ["ценз", "центр", "окоп", "7712"] {
            assert!(!wanted(text).iter().all(|word| leads(word, &written)), "{text}");
        }
        assert!(!leads("цена", &of("центр")));
        for (word, other, is_found) in [("кет", "кеттл", true), ("ке", "кет", false), ("ке", "ке", true)]
        {
            assert_eq!(other >= word && *other < *end_of(word), is_found, "{word} {other}");
        }
    }
}
