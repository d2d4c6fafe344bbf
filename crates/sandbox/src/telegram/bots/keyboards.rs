//! Keyboards: made from orders, and remembered with their versions for as long as presses of old ones may come.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use base64::Engine;
use grammers_tl_types::{enums, types};

use super::orders::Key;
use crate::telegram::ledger::PressNote;
use crate::telegram::orders::{Button, OutsideError};

/// How many messages are remembered.
const MESSAGES_BOUND: usize = 20_000;
/// How many keyboards of one message are.
const VERSIONS_BOUND: usize = 128;

/// The keyboards that messages have had, by the origin of the message.
#[derive(Debug, Default)]
pub(crate) struct Keyboards {
    past: HashMap<u64, Past>,
    order: VecDeque<u64>,
}

#[derive(Debug, Default)]
struct Past {
    newest: u32,
    versions: VecDeque<Version>,
}

#[derive(Debug)]
struct Version {
    number: u32,
    markup: Option<Arc<enums::ReplyMarkup>>,
    /// In Unix microseconds, as the next.
    shown_at: i64,
    replaced_at: Option<i64>,
}

/// A button of an inline keyboard that calls back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Callback<'a> {
    pub(crate) text: &'a str,
    pub(crate) data: &'a [u8],
    pub(crate) requires_password: bool,
}

/// The buttons of an inline keyboard that call back.
pub(crate) fn callbacks(markup: Option<&enums::ReplyMarkup>) -> impl Iterator<Item = Callback<'_>> {
    let rows = match markup {
        Some(enums::ReplyMarkup::ReplyInlineMarkup(markup)) => markup.rows.as_slice(),
        _ => &[],
    };
    rows.iter().flat_map(|enums::KeyboardInlineButtonRow::Row(row)| {
        row.buttons.iter().filter_map(|enums::KeyboardInlineButton::Button(button)| match &button.r#type {
            enums::InlineButtonType::Callback(callback) => Some(Callback {
                text: &button.text,
                data: &callback.data,
                requires_password: callback.requires_password,
            }),
            _ => None,
        })
    })
}

impl Keyboards {
    /// A message is shown with this keyboard from now on.
    pub(crate) fn shown(&mut self, origin: u64, markup: Option<&Arc<enums::ReplyMarkup>>, at: i64) {
        let known = self.past.contains_key(&origin);
        if !known && !matches!(markup.map(Arc::as_ref), Some(enums::ReplyMarkup::ReplyInlineMarkup(_))) {
            return;
        }
        if !known {
            if self.order.len() == MESSAGES_BOUND
                && let Some(oldest) = self.order.pop_front()
            {
                self.past.remove(&oldest);
            }
            self.order.push_back(origin);
        }
        let past = self.past.entry(origin).or_default();
        if let Some(last) = past.versions.back_mut() {
            if last.markup.as_ref() == markup {
                return;
            }
            last.replaced_at = Some(at);
        }
        past.newest += 1;
        if past.versions.len() == VERSIONS_BOUND {
            past.versions.pop_front();
        }
        past.versions.push_back(Version {
            number: past.newest,
            markup: markup.cloned(),
            shown_at: at,
            replaced_at: None,
        });
    }

    /// Which keyboard of a message a press is of: the newest that has a button with this data.
    pub(crate) fn pressed(&self, origin: Option<u64>, data: &[u8], at: i64) -> PressNote {
        let gone = PressNote { stale: true, ..PressNote::default() };
        let Some(origin) = origin else { return gone };
        let Some(past) = self.past.get(&origin) else { return PressNote::default() };
        let hit = past.versions.iter().rev().find_map(|version| {
            let button = callbacks(version.markup.as_deref()).find(|button| button.data == data)?;
            Some((version, button.text.to_owned()))
        });
        let Some((version, button)) = hit else { return PressNote { newest: Some(past.newest), ..gone } };
        PressNote {
            version: Some(version.number),
            newest: Some(past.newest),
            stale: version.number != past.newest,
            shown_us_ago: Some(at.saturating_sub(version.shown_at)),
            wire_us: None,
            replaced_us_ago: version.replaced_at.map(|replaced| at.saturating_sub(replaced)),
            button: Some(button),
            refused: None,
        }
    }
}

/// An inline keyboard; none without buttons.
pub(crate) fn keyboard(rows: &[Vec<Button>]) -> Result<Option<Arc<enums::ReplyMarkup>>, OutsideError> {
    if rows.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    let button = |button: &Button| {
        let (text, r#type) = (button.text.clone(), calling(button)?);
        Ok::<_, OutsideError>(types::KeyboardInlineButton { style: None, text, r#type }.into())
    };
    let rows: Result<Vec<_>, _> = rows
        .iter()
        .map(|row| {
            let buttons: Result<Vec<_>, _> = row.iter().map(button).collect();
            buttons.map(|buttons| types::KeyboardInlineButtonRow { buttons }.into())
        })
        .collect();
    let markup = types::ReplyInlineMarkup { force_reply: false, rows: rows? };
    Ok(Some(Arc::new(markup.into())))
}

/// What an inline button does.
fn calling(button: &Button) -> Result<enums::InlineButtonType, OutsideError> {
    let invalid = |rule: &str| Err(OutsideError::Invalid(rule.to_owned()));
    let bytes = match (&button.data, &button.data_base64) {
        (Some(data), None) => Some(data.clone().into_bytes()),
        (None, Some(text)) => match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(bytes) => Some(bytes),
            Err(_) => return invalid("data_base64 is no base64"),
        },
        (None, None) => None,
        (Some(_), Some(_)) => return invalid("a button has either data or data_base64"),
    };
    let url = || button.url.clone().unwrap_or_else(|| "https://example.com/".to_owned());
    Ok(match (bytes, &button.url, button.kind.as_deref()) {
        (Some(data), None, None) if data.len() <= 64 => {
            types::InlineButtonTypeCallback { requires_password: button.password, data }.into()
        }
        (None, Some(url), None) => types::InlineButtonTypeUrl { url: url.clone() }.into(),
        (None, _, Some("web_app")) => types::InlineButtonTypeWebView { url: url() }.into(),
        (None, None, Some("switch_inline")) => {
            types::InlineButtonTypeSwitchInline { same_peer: false, query: String::new(), peer_types: None }
                .into()
        }
        (None, None, Some("buy")) => enums::InlineButtonType::Buy,
        (None, None, Some("game")) => enums::InlineButtonType::Game,
        (None, None, Some("copy")) => types::InlineButtonTypeCopy { copy_text: button.text.clone() }.into(),
        (None, None, Some("disabled")) => enums::InlineButtonType::Disabled,
        _ => {
            return invalid(
                "a button needs one of data (at most 64 bytes), data_base64, url, \
                 and kind: web_app, switch_inline, buy, game, copy or disabled",
            );
        }
    })
}

/// A reply keyboard; none without buttons.
pub(crate) fn reply_keyboard(rows: &[Vec<Key>]) -> Result<Option<Arc<enums::ReplyMarkup>>, OutsideError> {
    if rows.iter().all(Vec::is_empty) {
        return Ok(None);
    }
    let key = |key: &Key| {
        let (text, r#type): (&String, enums::ButtonType) = match key {
            Key::Text(text) => (text, enums::ButtonType::Default),
            Key::Asking { text, kind } => {
                let asks = match kind.as_str() {
                    "contact" => enums::ButtonType::RequestPhone,
                    "location" => enums::ButtonType::RequestGeoLocation,
                    "poll" => types::ButtonTypeRequestPoll { quiz: None }.into(),
                    "web_app" => {
                        types::ButtonTypeSimpleWebView { url: "https://example.com/".to_owned() }.into()
                    }
                    _ => {
                        let rule = "the kind of a key is contact, location, poll or web_app";
                        return Err(OutsideError::Invalid(rule.to_owned()));
                    }
                };
                (text, asks)
            }
        };
        Ok(types::KeyboardButton { style: None, text: text.clone(), r#type }.into())
    };
    let rows: Result<Vec<_>, _> = rows
        .iter()
        .map(|row| {
            let buttons: Result<Vec<_>, _> = row.iter().map(key).collect();
            buttons.map(|buttons| types::KeyboardButtonRow { buttons }.into())
        })
        .collect();
    let markup = types::ReplyKeyboardMarkup {
        resize: true,
        single_use: false,
        selective: false,
        persistent: false,
        force_reply: false,
        rows: rows?,
        placeholder: None,
    };
    Ok(Some(Arc::new(markup.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buttons(data: &[&str]) -> Option<Arc<enums::ReplyMarkup>> {
        let row = data.iter().map(|data| Button {
            text: data.to_uppercase(),
            data: Some((*data).to_owned()),
            ..Button::default()
        });
        keyboard(&[row.collect()]).unwrap()
    }

    #[test]
    fn a_press_is_of_the_newest_keyboard_with_its_data() {
        let mut keyboards = Keyboards::default();
        for (at, data) in [(10, ["a", "b"].as_slice()), (20, &["b", "a"]), (30, &["b", "c"])] {
            keyboards.shown(1, buttons(data).as_ref(), at);
        }
        // The same once more is no other.
        keyboards.shown(1, buttons(&["b", "c"]).as_ref(), 40);
        let note = |data: &str| keyboards.pressed(Some(1), data.as_bytes(), 50);
        let fresh = note("c");
        assert_eq!((fresh.version, fresh.newest, fresh.stale), (Some(3), Some(3), false));
        assert_eq!((fresh.button.as_deref(), fresh.replaced_us_ago), (Some("C"), None));
        let old = note("a");
        assert_eq!((old.version, old.stale, old.replaced_us_ago), (Some(2), true, Some(20)));
        assert_eq!((old.shown_us_ago, fresh.shown_us_ago), (Some(30), Some(20)));
        let never = note("z");
        assert_eq!((never.version, never.newest, never.stale), (None, Some(3), true));
        assert!(keyboards.pressed(None, b"a", 50).stale);
        keyboards.shown(1, None, 60);
        assert!(keyboards.pressed(Some(1), b"c", 61).stale);
    }

    #[test]
    fn messages_without_buttons_are_not_remembered() {
        let mut keyboards = Keyboards::default();
        keyboards.shown(1, None, 1);
        keyboards.shown(2, reply_keyboard(&[vec![Key::Text("Yes".to_owned())]]).unwrap().as_ref(), 1);
        assert!(keyboards.past.is_empty());
    }
}
