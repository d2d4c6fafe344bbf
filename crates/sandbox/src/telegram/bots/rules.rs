//! Which rule applies to a press or a text, and the words it fills in.

use super::Bots;
use super::orders::{AnswerOrder, Deed, Rule, Words};
use crate::telegram::orders::Button;

/// What a bot hears.
#[derive(Debug, Clone, Copy)]
pub(super) enum BotInput<'a> {
    Press { data: &'a str, button: &'a str },
    Text(&'a str),
}

/// What it does about that.
#[derive(Debug, Clone, Default)]
pub(super) struct Reaction {
    pub(super) answer: AnswerOrder,
    pub(super) then: Vec<Deed>,
}

/// The data of a button without the number that a storm gave it.
pub(super) fn unnumbered(data: &str) -> &str {
    match data.rsplit_once('#') {
        Some((plain, number)) if !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit()) => plain,
        _ => data,
    }
}

impl Rule {
    /// What follows the prefix, if the rule is about this.
    fn fits<'a>(&self, account: Option<&str>, input: BotInput<'a>) -> Option<&'a str> {
        if self.times == Some(0) || self.account.as_deref().is_some_and(|wanted| account != Some(wanted)) {
            return None;
        }
        match (input, &self.data, &self.prefix, &self.text) {
            (BotInput::Text(text), None, None, Some(wanted)) => (text == wanted).then_some(text),
            (BotInput::Press { data, .. }, Some(wanted), None, None) => {
                (unnumbered(data) == wanted).then_some(data)
            }
            (BotInput::Press { data, .. }, None, Some(prefix), None) => {
                unnumbered(data).strip_prefix(prefix.as_str())
            }
            (BotInput::Press { data, .. }, None, None, None) => Some(data),
            _ => None,
        }
    }
}

impl Bots {
    /// What a bot does about a press or a text; none without a rule for it.
    pub(super) fn react(&mut self, bot: i64, account: Option<&str>, input: BotInput<'_>) -> Option<Reaction> {
        let rules = self.rules.get_mut(&bot).map(Vec::as_mut_slice).unwrap_or_default();
        let (rule, rest) = rules.iter_mut().find_map(|rule| {
            let rest = rule.fits(account, input)?;
            Some((rule, rest))
        })?;
        rule.times = rule.times.map(|left| left.saturating_sub(1));
        let button = match input {
            BotInput::Press { button, .. } => button,
            BotInput::Text(text) => text,
        };
        let then = rule.then.iter().map(|deed| filled(deed, rest, button)).collect();
        Some(Reaction { answer: rule.answer.clone(), then })
    }
}

fn filled(deed: &Deed, rest: &str, button: &str) -> Deed {
    let text = |text: &str| text.replace("{rest}", rest).replace("{button}", button);
    let words = |words: &Words| Words {
        text: text(&words.text),
        buttons: words
            .buttons
            .iter()
            .map(|row| {
                let one = |it: &Button| Button {
                    text: text(&it.text),
                    data: it.data.as_deref().map(text),
                    ..it.clone()
                };
                row.iter().map(one).collect()
            })
            .collect(),
        keyboard: words.keyboard.clone(),
    };
    Deed { edit: deed.edit.as_ref().map(words), send: deed.send.as_ref().map(words), ..deed.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bots(rules: serde_json::Value) -> Bots {
        let mut bots = Bots::default();
        bots.rules.insert(1, serde_json::from_value(rules).unwrap());
        bots
    }

    #[test]
    fn the_first_rule_that_fits_applies_as_often_as_it_may() {
        let mut bots = bots(serde_json::json!([
            {"data": "book", "times": 1, "answer": {"text": "once"}},
            {"prefix": "place:", "then": [{"edit": {"text": "{button}", "buttons": [[{"text": "Yes {rest}", "data": "yes:{rest}"}]]}}]},
            {"text": "/start", "account": "main", "answer": {"text": "written"}},
            {"answer": {"text": "any"}},
        ]));
        let mut answer = |input| bots.react(1, Some("main"), input)?.answer.text;
        let press = |data| BotInput::Press { data, button: "B" };
        assert_eq!(answer(press("book#12")).as_deref(), Some("once"));
        assert_eq!(answer(press("book")).as_deref(), Some("any"));
        assert_eq!(answer(BotInput::Text("/start")).as_deref(), Some("written"));
        assert_eq!(answer(BotInput::Text("hello")), None);
        assert!(bots.react(1, Some("fifth"), BotInput::Text("/start")).is_none());
        let then = bots.react(1, None, press("place:7#3")).unwrap().then;
        let words = then[0].edit.as_ref().unwrap();
        assert_eq!((words.text.as_str(), words.buttons[0][0].data.as_deref()), ("B", Some("yes:7")));
        assert_eq!(words.buttons[0][0].text, "Yes 7");
    }
}
