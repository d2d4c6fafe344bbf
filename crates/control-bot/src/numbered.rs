//! Buttons for those who are answered with texts: what can be chosen has a number, and a number is an answer for a while. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use channels::telegram_bot::LONGEST_TEXT;
use domain::TelegramMessageId;

use crate::answer::{Message, cut};
use crate::ask::Ask;
use crate::words::Language;

/// How long a number stands for what was offered.
const VALID: Duration = Duration::from_mins(5);
/// The messages that are remembered, so that none is followed twice.
const REMEMBERED: usize = 64;

/// What a person was offered last.
#[derive(Debug)]
struct Offer {
    asks: Vec<Ask>,
    language: Language,
    until: Duration,
}

/// What is known of the talks.
#[derive(Debug, Default)]
pub(crate) struct Talks {
    offers: BTreeMap<i64, Offer>,
    read_ids: VecDeque<TelegramMessageId>,
}

impl Talks {
    /// Reads a message: a command, or the number of what was offered a while ago, which stands for it once. Nothing of any
    /// other text, nor of a message that was read before.
    pub(crate) fn read(
        &mut self,
        person: i64,
        message_id: TelegramMessageId,
        text: &str,
        now: Duration,
    ) -> Option<(Ask, Language)> {
        if self.read_ids.contains(&message_id) {
            return None;
        }
        if self.read_ids.len() >= REMEMBERED {
            self.read_ids.pop_front();
        }
        self.read_ids.push_back(message_id);
        if let Some(ask) = Ask::of_command(text) {
            return Some((ask, Language::of_command(text)));
        }
        let number: usize = text.trim().parse().ok()?;
        let offer = self.offers.get(&person).filter(|offer| now < offer.until)?;
        let chosen = (offer.asks.get(number.checked_sub(1)?)?.clone(), offer.language);
        self.offers.remove(&person);
        Some(chosen)
    }

    /// The text that offers a person what a message has buttons for; what was offered before is no longer.
    pub(crate) fn offer(
        &mut self,
        person: i64,
        message: &Message,
        language: Language,
        now: Duration,
    ) -> String {
        let (text, asks) = numbered(message, language);
        if asks.is_empty() {
            self.offers.remove(&person);
        } else {
            self.offers.insert(person, Offer { asks, language, until: now.saturating_add(VALID) });
        }
        text
    }
}

/// A message without buttons: what they ask has a number, but for what has a command.
pub(crate) fn numbered(message: &Message, language: Language) -> (String, Vec<Ask>) {
    let (mut lines, mut commands, mut asks) = (Vec::new(), Vec::new(), Vec::new());
    for button in message.keyboard.rows.iter().flatten() {
        let Some(ask) = Ask::of_data(button.data()) else { continue };
        if let Some(command) = ask.command() {
            commands.push(command);
        } else {
            asks.push(ask);
            lines.push(format!("{} – {}", asks.len(), button.text()));
        }
    }
    let mut below = String::new();
    if !lines.is_empty() {
        let how = language.say("Answer with a number:", "Ответьте номером:");
        below = format!("\n\n{how}\n{}", lines.join("\n"));
    }
    if !commands.is_empty() {
        below = format!("{below}\n\n{}", commands.join(" "));
    }
    let room = LONGEST_TEXT.saturating_sub(below.encode_utf16().count());
    (cut(message.text.clone(), room) + &below, asks)
}

#[cfg(test)]
mod tests {
    use channels::telegram_bot::Button;

    use super::*;
    use crate::ask::Which;

    const OWNER: i64 = 7;
    const NOW: Duration = Duration::from_secs(100);

    fn id(number: i32) -> TelegramMessageId {
        TelegramMessageId::new(number).unwrap()
    }

    fn sure() -> Message {
        let button = |text: &str, data: &str| Button::new(text, data).unwrap();
        let rows =
            vec![vec![button("Yes, stop", "now:trip"), button("No", "keep")], vec![button("Log", "log")]];
        Message::new("Stop trip?", rows)
    }

    #[test]
    fn a_number_stands_for_what_was_offered_once_and_for_a_while() {
        let mut talks = Talks::default();
        let text = talks.offer(OWNER, &sure(), Language::English, NOW);
        assert_eq!(text, "Stop trip?\n\nAnswer with a number:\n1 – Yes, stop\n2 – No\n\n/log");
        let stop = Ask::StopNow(Which::One("trip".to_owned()));
        // No one else was offered anything, and there is no such number.
        assert_eq!(talks.read(8, id(1), "1", NOW), None);
        for (number, text) in [(2, "0"), (3, "3"), (4, "yes"), (5, "-1")] {
            assert_eq!(talks.read(OWNER, id(number), text, NOW), None, "{text}");
        }
        assert_eq!(talks.read(OWNER, id(6), " 1 ", NOW), Some((stop, Language::English)));
        assert_eq!(talks.read(OWNER, id(7), "1", NOW), None);
        talks.offer(OWNER, &sure(), Language::English, NOW);
        assert_eq!(talks.read(OWNER, id(8), "1", NOW + VALID), None);
    }

    #[test]
    fn no_message_is_followed_twice() {
        let mut talks = Talks::default();
        let stop = Some((Ask::Stop(Which::One("trip".to_owned())), Language::Russian));
        assert_eq!(talks.read(OWNER, id(1), "/стоп trip", NOW), stop);
        assert_eq!(talks.read(OWNER, id(1), "/стоп trip", NOW), None);
    }
}
