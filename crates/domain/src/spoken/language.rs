//! The scripts of a conversation and of an answer. Models think in a language of their own, and some change the language of their answers.
//!
//! A sentence counts that has one script alone, and the conversation must not have that script. [`FunctionWords`] has the languages of one
//! script.

use std::collections::BTreeMap;

use super::function_words::FunctionWords;

/// The fewest words of a sentence, and of those in small letters: names of products have fewer.
const FEWEST_WORDS: usize = 3;
const FEWEST_SMALL: usize = 2;
/// The fewest letters of a sentence in a script without small letters.
const FEWEST_LETTERS: usize = 6;
/// The most letters of a short word. Sentences in Latin letters have several; names of products have none.
const SHORT: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Hebrew,
    Arabic,
    Indic,
    Thai,
    Georgian,
    Hangul,
    Chinese,
}

impl Script {
    /// The script of a letter; none for other signs and for letters of other scripts.
    const fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'a'..='z' | 'A'..='Z' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => Self::Latin,
            '\u{370}'..='\u{3FF}' => Self::Greek,
            '\u{400}'..='\u{52F}' => Self::Cyrillic,
            '\u{531}'..='\u{587}' => Self::Armenian,
            '\u{5D0}'..='\u{5EA}' => Self::Hebrew,
            '\u{620}'..='\u{64A}' | '\u{66E}'..='\u{6D3}' => Self::Arabic,
            '\u{900}'..='\u{DFF}' => Self::Indic,
            '\u{E01}'..='\u{E46}' => Self::Thai,
            '\u{10A0}'..='\u{10FF}' => Self::Georgian,
            '\u{1100}'..='\u{11FF}' | '\u{AC00}'..='\u{D7A3}' => Self::Hangul,
            '\u{3041}'..='\u{30FA}' | '\u{3400}'..='\u{9FFF}' | '\u{20000}'..='\u{3FFFF}' => Self::Chinese,
            _ => return None,
        })
    }

    const fn has_small_letters(self) -> bool {
        matches!(self, Self::Latin | Self::Greek | Self::Cyrillic | Self::Armenian)
    }
}

/// A set of scripts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Scripts(u16);

impl Scripts {
    const fn has(self, script: Script) -> bool {
        self.0 & (1 << script as u16) != 0
    }

    const fn add(&mut self, script: Script) {
        self.0 |= 1 << script as u16;
    }
}

/// The scripts in which a conversation is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Languages {
    /// Those of the customer and of the business.
    all: Scripts,
    /// Those of the business alone.
    ours: Scripts,
    words: FunctionWords,
}

impl Languages {
    /// Adds a text that the customer wrote.
    pub fn add_theirs(&mut self, text: &str) {
        add(&mut self.all, text);
        self.words.add(text);
    }

    /// Adds a text of the business: an answer, an instruction, a text for answers.
    pub fn add_ours(&mut self, text: &str) {
        add(&mut self.all, text);
        add(&mut self.ours, text);
        self.words.add(text);
    }

    /// Says whether an answer has a sentence in a language or a script that the conversation does not have: beside sentences in one
    /// that it has; of scripts also as a whole where the business is known to write another one. What is known of a conversation in Latin letters says less: names
    /// of products have them in all languages.
    pub fn are_left_by(&self, answer: &str) -> bool {
        let found: Vec<Script> = sentences(answer).iter().filter_map(|words| script_of(words)).collect();
        let is_known = |script: &Script| self.all.has(*script);
        let is_certain = self.ours.0 & !(1 << Script::Latin as u16) != 0;
        self.words.are_left_by(answer)
            || !found.iter().all(is_known) && (is_certain || found.iter().any(is_known))
    }
}

/// Adds the script of most letters of a text, and those of its sentences.
fn add(scripts: &mut Scripts, text: &str) {
    let mut counts = BTreeMap::<Script, usize>::new();
    let sentences = sentences(text);
    for letter in sentences.iter().flatten().flat_map(|word| word.chars()).filter_map(Script::of) {
        *counts.entry(letter).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count).map(|(script, _)| script);
    sentences.iter().filter_map(|words| script_of(words)).chain(most).for_each(|script| scripts.add(script));
}

/// The words of each sentence; addresses, numbers and codes are none.
fn sentences(text: &str) -> Vec<Vec<&str>> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut sentence = Vec::new();
        for piece in line.split_whitespace().filter(|piece| is_of_words(piece)) {
            for word in piece.split_inclusive(['。', '！', '？']) {
                let bare = word.trim_matches(|sign: char| !sign.is_alphabetic());
                if !bare.is_empty() {
                    sentence.push(bare);
                }
                let last = word.trim_end_matches(|sign: char| ")»”\"'*_".contains(sign));
                if last.ends_with(['.', '!', '?', '…', '。', '！', '？']) {
                    found.push(std::mem::take(&mut sentence));
                }
            }
        }
        found.push(sentence);
    }
    found
}

fn is_of_words(piece: &str) -> bool {
    let inner = piece.trim_matches(|sign: char| !sign.is_alphanumeric());
    !piece.contains(['/', '@', '\\', '=', '<', '>'])
        && !inner.contains(['_', '.'])
        && !inner.contains(|sign: char| sign.is_ascii_digit())
}

/// The script of a sentence that has no other.
fn script_of(words: &[&str]) -> Option<Script> {
    let script = words.first()?.chars().find_map(Script::of)?;
    if words.iter().flat_map(|word| word.chars()).filter_map(Script::of).any(|other| other != script) {
        return None;
    }
    let count = |is: &dyn Fn(&str) -> bool| words.iter().filter(|word| is(word)).count();
    let is_small = |word: &str| word.chars().all(|letter| !letter.is_uppercase());
    let is_sentence = if script.has_small_letters() {
        let is_short = |word: &str| {
            let is_one_of_several = is_small(word) || words.first() == Some(&word);
            is_one_of_several && (word.chars().count() <= SHORT || !word.is_ascii())
        };
        words.len() >= FEWEST_WORDS
            && count(&is_small) >= FEWEST_SMALL
            && (script != Script::Latin || count(&is_short) >= FEWEST_SMALL)
    } else {
        words.iter().map(|word| word.chars().count()).sum::<usize>() >= FEWEST_LETTERS
    };
    is_sentence.then_some(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn languages(theirs: &[&str], ours: &[&str]) -> Languages {
        let mut found = Languages::default();
        for text in theirs {
            found.add_theirs(text);
        }
        for text in ours {
            found.add_ours(text);
        }
        found
    }

    #[test]
    fn thoughts_in_another_language_leave_the_conversation() {
        let russian = languages(&["Сколько стоит iPhone 15?"], &[]);
        for answer in [
            "Der Kunde ist sauer. Ich antworte höflich.\nДа, есть в наличии.",
            "El cliente quiere saber el precio.\n\nЦена 500 ₽, доставка бесплатно.",
            "Le client demande le prix.\nДа, есть в наличии.",
            "O cliente quer saber o preço. Да, есть в наличии.",
            "Müşteri çok kızgın görünüyor. Да, есть в наличии.",
            "客户很生气,我会礼貌地回答。Да, есть в наличии.",
            "客户很生气。\nДа, есть в наличии.\n我会礼貌地回答。",
            "고객이 화가 났습니다.\nДа, есть в наличии.",
            "العميل غاضب جدا.\nДа, есть в наличии.",
            "ग्राहक बहुत गुस्से में है।\nДа, есть в наличии.",
            "The user is angry so I keep it short. Да, есть в наличии.",
        ] {
            assert!(russian.are_left_by(answer), "{answer}");
        }
        let english = languages(&["How much is it?"], &[]);
        for answer in [
            "Клиент спрашивает цену.\nIt is 500 dollars with the delivery.",
            "顾客在问价格。\nIt is 500 for the set.",
        ] {
            assert!(english.are_left_by(answer), "{answer}");
        }
    }

    #[test]
    fn names_and_addresses_are_no_language() {
        let russian = languages(&["Сколько стоит?"], &["Мы продаём телефоны и чехлы."]);
        for answer in [
            "iPhone 15 Pro Max",
            "Есть такие:\n- Apple AirPods Pro\n- Sony noise cancelling wireless headphones\n- Crème brûlée",
            "Пишите на anna@example.com или https://example.com/how-to-get-to-us и t.me/our_shop",
            "WhatsApp, Telegram, VK — в любое время.",
            "Откройте Settings, затем нажмите «Open in the browser» и подождите.",
            "Модель 小米 есть в наличии.",
            "Ok",
            "",
            "12:00 – 18:00",
        ] {
            assert!(!russian.are_left_by(answer), "{answer}");
        }
    }

    #[test]
    fn a_language_of_either_side_is_of_the_conversation() {
        let both = languages(&["Hello there"], &["Мы продаём телефоны и чехлы."]);
        assert!(
            !both.are_left_by("Hello! It is 500 and it is here.")
                && !both.are_left_by("Да, он есть в наличии.")
        );
        // A whole answer in another language is doubted only where the business is known to write one.
        let whole = "您好!我们有货,欢迎光临。";
        assert!(both.are_left_by(whole) && both.are_left_by("It is here. 我们有现货在这里。"));
        assert!(!languages(&["iphone 15 pro max"], &[]).are_left_by("Да, он есть в наличии."));
        assert!(!languages(&["+"], &[]).are_left_by("It is 500 and it is here."));
        assert!(!languages(&["Сколько стоит?"], &[]).are_left_by("It is 500 and it is here."));
        assert!(
            languages(&["Сколько стоит?"], &["Здравствуйте! Чем помочь?"])
                .are_left_by("It is 500 and it is here.")
        );
    }
}
