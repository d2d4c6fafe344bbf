//! What no single value of a flow shows. Pure.

use std::collections::BTreeSet;

use domain::{AccountName, ChatRef};

use crate::flow_regex::FlowRegex;
use crate::flows::{FlowSender, FlowSettings, FlowStep, PressSettings, placeholders};
use crate::key_table::closest;

/// Steps of one flow, and accounts that run it, at most.
const MOST: usize = 50;

/// The most known accounts that a fault names.
const MOST_NAMED: usize = 10;

/// Something that is wrong with a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowFault {
    /// Where, inside the flow: `steps[1].press`.
    pub key: String,
    /// What is wrong and what to do; follows the key in a sentence.
    pub message: String,
}

impl FlowSettings {
    /// All that is wrong beyond single values.
    pub fn faults(&self) -> Vec<FlowFault> {
        let mut faults = Faults(Vec::new());
        self.judge_accounts(&mut faults);
        if matches!(self.watch, ChatRef::Channel(_)) {
            faults.add(
                "watch",
                "is no chat of Telegram; write a username such as \"@demo_trips_bot\" or an id",
            );
        }
        if self.senders().any(|sender| matches!(sender, FlowSender::One(ChatRef::Channel(_)))) {
            faults.add("from", "has a chat that is not in Telegram; write bots, anyone, a username or an id");
        }
        if self.from.iter().any(|sender| is_slip(sender)) {
            faults.add(
                "from",
                "has a word that is close to bots or anyone and would be a username; write bots, anyone, or a username with its @",
            );
        }
        let trigger = &self.trigger;
        if trigger.text.is_none()
            && trigger.regex.is_none()
            && trigger.keywords.is_empty()
            && trigger.has_button.is_none()
        {
            faults.add(
                "trigger",
                "says nothing; write text, regex, keywords or has_button, such as { text = \"New trip\" }",
            );
        }
        if self.steps.is_empty() || self.steps.len() > MOST {
            faults.add("steps", &format!("must be 1 to {MOST} sections, each written [[flows.steps]]"));
        }
        let mut known: BTreeSet<String> = trigger.regex.as_deref().map(groups).unwrap_or_default();
        for (index, step) in self.steps.iter().enumerate() {
            judge_step(step, &format!("steps[{index}]"), &known, &mut faults);
            let found = step.wait.as_ref().and_then(|wait| wait.regex.as_deref());
            known.extend(found.map(groups).unwrap_or_default());
        }
        faults.0
    }

    /// What is said of its accounts that are none of these.
    pub fn unknown_accounts(&self, known: &[AccountName]) -> Vec<FlowFault> {
        let key = if self.account.is_some() { "account" } else { "accounts" };
        let unknown = self.accounts().filter(|account| !known.contains(account));
        let fault = |account: &AccountName| {
            let names = known.iter().map(|name| (name.as_str(), name));
            let way_out = match closest(account.as_str(), names) {
                Some(near) => format!("did you mean {near}?"),
                None if known.is_empty() => "switchboard account add adds one".to_owned(),
                None => {
                    let names: Vec<_> = known.iter().take(MOST_NAMED).map(AccountName::as_str).collect();
                    format!("there are {}", names.join(", "))
                }
            };
            let message = format!("is \"{account}\", and there is no account of this name; {way_out}");
            FlowFault { key: key.to_owned(), message }
        };
        unknown.map(fault).collect()
    }

    fn judge_accounts(&self, faults: &mut Faults) {
        let all: Vec<_> = self.accounts().collect();
        let distinct: BTreeSet<_> = all.iter().collect();
        match (&self.account, all.len()) {
            (_, 0) => {
                faults.add("name", "has no account; write account = \"main\", or accounts = [\"main\", …]");
            }
            (Some(_), 2..) => faults.add("accounts", "is there beside `account`; keep one of the two"),
            (_, MOST..) => faults.add("accounts", &format!("has more than {MOST} accounts")),
            (_, count) if distinct.len() < count => faults.add("accounts", "names an account twice"),
            _ => {}
        }
    }
}

/// Whether a sender is a slip for one of the words that are no usernames: `bot`, `any`.
fn is_slip(sender: &str) -> bool {
    const WORDS: [&str; 2] = ["bots", "anyone"];
    const OTHERS: [&str; 6] = ["all", "any", "anybody", "everyone", "everybody", "users"];
    let word = sender.trim().to_lowercase();
    !WORDS.contains(&sender.trim())
        && !word.starts_with('@')
        && (OTHERS.contains(&word.as_str())
            || closest(&word, WORDS.map(|word| (word, ())).into_iter()).is_some())
}

struct Faults(Vec<FlowFault>);

impl Faults {
    fn add(&mut self, key: &str, message: &str) {
        self.0.push(FlowFault { key: key.to_owned(), message: message.to_owned() });
    }
}

/// The named groups of an expression.
fn groups(regex: &str) -> BTreeSet<String> {
    let regex = FlowRegex::new(regex).ok();
    regex.iter().flat_map(FlowRegex::names).map(str::to_owned).collect()
}

fn judge_step(step: &FlowStep, key: &str, known: &BTreeSet<String>, faults: &mut Faults) {
    let deeds = [step.press.is_some(), step.send.is_some(), step.wait.is_some()];
    match deeds.iter().filter(|is_there| **is_there).count() {
        1 => {}
        0 => faults.add(
            key,
            "does nothing; write press = { text = \"…\" }, send = \"…\" or wait = { text = \"…\" }",
        ),
        _ => faults.add(key, "has more than one of press, send and wait; make each a step of its own"),
    }
    if let Some(press) = &step.press {
        judge_press(press, &format!("{key}.press"), faults);
    }
    if let Some(wait) = &step.wait {
        one_text(wait.text.is_some(), wait.regex.is_some(), &format!("{key}.wait"), faults);
    }
    if let Some(expect) = &step.expect {
        one_text(expect.text.is_some(), expect.regex.is_some(), &format!("{key}.expect"), faults);
        if step.wait.is_some() {
            faults.add(
                &format!("{key}.expect"),
                "stands beside wait, which says the same; take one of them out",
            );
        }
    }
    for (place, text) in texts(step) {
        for name in placeholders(text).into_iter().filter(|name| !known.contains(*name)) {
            let message = format!(
                "has {{{name}}}, which nothing before it finds; name a group of the trigger's regex so: (?P<{name}>…)"
            );
            faults.add(&format!("{key}.{place}"), &message);
        }
    }
}

fn one_text(text: bool, regex: bool, key: &str, faults: &mut Faults) {
    if text == regex {
        faults.add(key, "must have either text or regex");
    }
}

fn judge_press(press: &PressSettings, key: &str, faults: &mut Faults) {
    let ways = [
        press.text.is_some(),
        press.contains.is_some(),
        press.regex.is_some(),
        press.position.is_some(),
        !press.keywords.is_empty(),
        press.first,
    ];
    if press.position.as_ref().is_some_and(|position| position.len() != 2) {
        faults.add(&format!("{key}.position"), "must be a row and a column, both from 1, such as [1, 2]");
    }
    if ways.iter().filter(|is_there| **is_there).count() != 1 {
        faults.add(key, "must have exactly one of text, contains, regex, position, keywords and first");
    }
}

/// The texts of a step that may have placeholders, each with its key.
fn texts(step: &FlowStep) -> Vec<(&'static str, &str)> {
    let mut texts = vec![("send", step.send.as_deref())];
    if let Some(press) = &step.press {
        texts.push(("press.text", press.text.as_deref()));
        texts.push(("press.contains", press.contains.as_deref()));
        texts.push(("press.regex", press.regex.as_deref()));
        texts.extend(press.keywords.iter().map(|word| ("press.keywords", Some(word.as_str()))));
    }
    if let Some(expect) = &step.expect {
        texts.push(("expect.text", expect.text.as_deref()));
        texts.push(("expect.regex", expect.regex.as_deref()));
    }
    if let Some(wait) = &step.wait {
        texts.push(("wait.text", wait.text.as_deref()));
        texts.push(("wait.regex", wait.regex.as_deref()));
    }
    texts.into_iter().filter_map(|(key, text)| Some((key, text?))).collect()
}

#[cfg(test)]
mod tests {
    use super::is_slip;

    #[test]
    fn a_sender_that_is_nearly_a_word_is_a_slip() {
        for slip in ["bot", "Bots", "any", "anyon", "everyone", " all "] {
            assert!(is_slip(slip), "{slip}");
        }
        for sender in
            ["bots", "anyone", "@bot", "@anyone1", "demo_trips_bot", "@demo_trips_bot", "5000000001"]
        {
            assert!(!is_slip(sender), "{sender}");
        }
    }
}
