//! Flows: which message begins one, and what is pressed then.

use std::{num::NonZeroU32, time::Duration};

use domain::{AccountName, ChatRef};
use serde::{Deserialize, Serialize};

use crate::flow_regex::FlowRegex;
use crate::{
    active_hours::ActiveHours,
    keys::settings,
    value_kind::{ACCOUNT, NAME, ValueKind, hours, integer, integers, not_blank, reads, word, words},
};

/// A regular expression, by the rules of the crate `regex`: its time is linear in the text.
const REGEX: ValueKind =
    word("a regular expression without look-around and back-references, and of a moderate size", is_regex);

/// A text to be looked for.
const TEXT: ValueKind = word("a text", not_blank);

/// Texts to be looked for.
const TEXTS: ValueKind = words("a word", not_blank);

settings! {
    /// A flow.
    #[derive(PartialEq, Eq)]
    pub item FlowSettings at "flows[]." {
        /// Your name for the flow.
        name: String, like(NAME), "\"trip\"";
        /// The account that watches and presses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountName>, optional(ACCOUNT), "\"main\"";
        /// The accounts, where there are several: each watches and presses by itself, with limits of its own.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        accounts: Vec<AccountName> = Vec::new(),
            words("the name of an account", reads::<AccountName>), "[\"main\", \"backup_1\"]";
        /// The bot, group or channel whose messages are watched.
        watch: ChatRef, word("the id of a chat or a username", reads::<ChatRef>), "\"@demo_trips_bot\"";
        /// Whose messages begin runs: `bots`, `anyone`, usernames and ids. Left out: in groups those of bots, elsewhere all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        from: Vec<String> = Vec::new(),
            words("bots, anyone, a username or an id", reads::<FlowSender>), "[\"@demo_trips_bot\"]";
        /// Which message begins a run; all that is said must hold.
        #[serde(default)]
        trigger: TriggerSettings;
        /// The hours in which runs begin, with their time zone; left out: always.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        active: Option<String>, optional(hours()), "\"06:00-23:30 Europe/Moscow\"";
        /// An older message or edit is not acted upon.
        #[serde(with = "crate::duration", default = "FlowSettings::default_fresh")]
        fresh: Duration = "10s", duration("1s", "5m");
        /// How often it may run.
        #[serde(default)]
        limits: FlowLimits;
        /// What is done, one after the other.
        #[serde(default)]
        steps: Vec<FlowStep>;
    }
}

settings! {
    /// Which message begins a run.
    #[derive(PartialEq, Eq)]
    pub section TriggerSettings at "flows[].trigger." {
        /// The message has this text in it, whatever the case.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>, optional(TEXT), "\"New trip\"";
        /// The message fits this expression; what its named groups find is written `{name}` in steps.
        #[serde(skip_serializing_if = "Option::is_none")]
        regex: Option<String>, optional(REGEX), "'New trip .* (?P<from>\\w+)'";
        /// The message has one of these words, whatever the case.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        keywords: Vec<String> = Vec::new(), like(TEXTS), "[\"trip\", \"ride\"]";
        /// The message has a button on whose label this text is, whatever the case.
        #[serde(skip_serializing_if = "Option::is_none")]
        has_button: Option<String>, optional(TEXT), "\"Book\"";
    }
}

settings! {
    /// How often a flow may run, on each of its accounts.
    #[derive(PartialEq, Eq)]
    pub section FlowLimits at "flows[].limits." {
        /// How many runs may be under way at once. A message that comes meanwhile waits while it is fresh.
        at_once: u8 = 5, integer(1, 50);
        /// How many runs that press or send something may begin within any hour.
        #[serde(skip_serializing_if = "Option::is_none")]
        per_hour: Option<NonZeroU32>, optional(integer(1, 10_000)), "6";
        /// How long after the end of such a run no other begins.
        #[serde(with = "crate::duration")]
        cooldown: Duration = "0s", duration("0s", "30d");
        /// After so many runs that came to their end it stops, until someone starts it.
        #[serde(skip_serializing_if = "Option::is_none")]
        stop_after: Option<NonZeroU32>, optional(integer(1, 1_000_000)), "3";
    }
}

settings! {
    /// One step: it presses, sends or waits.
    #[derive(PartialEq, Eq)]
    pub item FlowStep at "flows[].steps[]." {
        /// The button that is pressed, described in one way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        press: Option<PressSettings>;
        /// A text that is sent to the chat instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        send: Option<String>, optional(TEXT), "\"/trips\"";
        /// A text that is waited for instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wait: Option<WaitSettings>;
        /// How long the button, or the text that is waited for, may take to come.
        #[serde(with = "crate::duration", default = "FlowStep::default_within")]
        within: Duration = "5s", duration("100ms", "1h");
        /// What must be read afterwards, in the chat or in what the bot answers to the press.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expect: Option<ExpectSettings>;
        /// What becomes of the run when the step fails: it begins again, goes on with the next step, or ends; `alert` also
        /// notifies the alert targets.
        #[serde(default)]
        on_fail: OnFail = OnFail::default(), choice(OnFail::NAMES);
    }
}

settings! {
    /// A button.
    #[derive(PartialEq, Eq)]
    pub section PressSettings at "flows[].steps[].press." {
        /// Its label is this, whatever the case.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>, optional(TEXT), "\"Book\"";
        /// Its label has this in it, whatever the case.
        #[serde(skip_serializing_if = "Option::is_none")]
        contains: Option<String>, optional(TEXT), "\"{from}\"";
        /// Its label fits this expression.
        #[serde(skip_serializing_if = "Option::is_none")]
        regex: Option<String>, optional(REGEX), "'Confirm|Yes'";
        /// It stands in this row and column, both from 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        position: Option<Vec<u8>>, optional(integers(1, 100)), "[1, 2]";
        /// Of all labels its has most of these words.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        keywords: Vec<String> = Vec::new(), like(TEXTS), "[\"window\", \"morning\"]";
        /// It is the first that can be pressed.
        first: bool = false, boolean();
    }
}

settings! {
    /// What must be read after a step.
    #[derive(PartialEq, Eq)]
    pub section ExpectSettings at "flows[].steps[].expect." {
        /// The message has this text in it, whatever the case.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>, optional(TEXT), "\"booked\"";
        /// The message fits this expression.
        #[serde(skip_serializing_if = "Option::is_none")]
        regex: Option<String>, optional(REGEX), "'booked|reserved'";
        /// How long it may take.
        #[serde(with = "crate::duration")]
        within: Duration = "20s", duration("100ms", "1h");
    }
}

settings! {
    /// A text that a step waits for.
    #[derive(PartialEq, Eq)]
    pub section WaitSettings at "flows[].steps[].wait." {
        /// The message has this text in it, whatever the case.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>, optional(TEXT), "\"places\"";
        /// The message fits this expression; what its named groups find is written `{name}` in later steps.
        #[serde(skip_serializing_if = "Option::is_none")]
        regex: Option<String>, optional(REGEX), "'(?P<place>\\w+) is free'";
    }
}

/// Whose messages begin runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowSender {
    /// Any bot.
    Bots,
    /// Anybody.
    Anyone,
    /// This user, or this chat where one writes in its own name.
    One(ChatRef),
}

impl std::str::FromStr for FlowSender {
    type Err = <ChatRef as std::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "bots" => Ok(Self::Bots),
            "anyone" => Ok(Self::Anyone),
            other => other.parse().map(Self::One),
        }
    }
}

/// What becomes of a run whose step failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OnFail {
    /// It begins again with the first step, a few times.
    Restart,
    /// It goes on with the next step.
    Next,
    /// It ends.
    #[default]
    Stop,
    /// It ends, and the alert targets are notified.
    Alert,
}

impl OnFail {
    const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;
}

impl FlowSettings {
    fn default_fresh() -> Duration {
        Duration::from_secs(10)
    }

    /// The accounts that run it.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountName> {
        self.account.iter().chain(&self.accounts)
    }

    /// The flow as a file of flows has it.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&std::collections::BTreeMap::from([("flows", [self])]))
    }

    /// Whose messages begin runs; none where it is left out.
    pub fn senders(&self) -> impl Iterator<Item = FlowSender> {
        self.from.iter().filter_map(|sender| sender.parse().ok())
    }

    /// The hours in which runs begin.
    pub fn active_hours(&self) -> Option<ActiveHours> {
        self.active.as_deref().and_then(|hours| hours.parse().ok())
    }
}

impl FlowStep {
    fn default_within() -> Duration {
        Duration::from_secs(5)
    }
}

/// Whether a text is an expression once its placeholders are filled.
fn is_regex(text: &str) -> bool {
    FlowRegex::new(&filled(text, |_| Some("x".to_owned())).unwrap_or_default()).is_ok()
}

/// The names that are written `{name}` in a text.
pub fn placeholders(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        rest = after;
        if let Some((name, after)) = after.split_once('}')
            && is_name(name)
        {
            names.push(name);
            rest = after;
        }
    }
    names
}

/// A text with its placeholders filled; nothing when one of them has no value.
pub fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        whole.push_str(before);
        match after.split_once('}') {
            Some((name, after)) if is_name(name) => {
                whole.push_str(&value(name)?);
                rest = after;
            }
            // A brace of its own, such as one of an expression.
            _ => {
                whole.push('{');
                rest = after;
            }
        }
    }
    whole.push_str(rest);
    Some(whole)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn placeholders_are_names_and_other_braces_stay() {
        assert_eq!(placeholders("{from} to {to}, \\w{2,3} {} {"), ["from", "to"]);
        let value = |name: &str| (name == "from").then(|| "Tver".to_owned());
        assert_eq!(filled("{from}: \\d{2} {", value).as_deref(), Some("Tver: \\d{2} {"));
        assert_eq!(filled("{to}", value), None);
    }

    #[test]
    fn an_expression_is_of_the_linear_kind_and_small() {
        for right in ["Confirm|Yes", "(a+)+$", "{from} \\d{2}", "(?i)ТВЕРЬ"] {
            assert!(is_regex(right), "{right}");
        }
        for wrong in ["(", "(?=a)", "(a)\\1", "(\\w{1000}){1000}"] {
            assert!(!is_regex(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_text_without_placeholders_is_filled_with_itself(text in "\\PC{0,60}") {
            if placeholders(&text).is_empty() {
                prop_assert_eq!(filled(&text, |_| None), Some(text));
            }
        }
    }
}
