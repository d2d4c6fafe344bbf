//! A flow as it is run: its settings with every expression compiled.

use std::collections::BTreeMap;
use std::time::Duration;

use config::{
    ActiveHours, ExpectSettings, FlowLimits, FlowSender, FlowSettings, FlowStep, InvalidFlowRegex, OnFail,
    PressSettings, TriggerSettings, WaitSettings,
};
use domain::{AccountName, ChatRef, Keyboard};

use crate::pattern::{ButtonPattern, TextPattern, compared};

/// What a run found in texts: the values of named groups.
pub type Captures = BTreeMap<String, String>;

/// A flow that can be run.
#[derive(Debug, Clone)]
pub struct Flow {
    pub name: String,
    pub accounts: Vec<AccountName>,
    /// The chat whose messages are watched.
    pub watch: ChatRef,
    /// Whose messages begin runs; none where the settings leave it out.
    pub(crate) senders: Vec<FlowSender>,
    pub(crate) trigger: Trigger,
    pub(crate) active: Option<ActiveHours>,
    /// An older message or edit is not acted upon.
    pub(crate) fresh: Duration,
    pub limits: FlowLimits,
    pub(crate) steps: Vec<Step>,
}

/// Which message begins a run: all of it must hold.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    texts: Vec<TextPattern>,
    has_button: Option<String>,
}

/// One step.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) deed: Deed,
    /// How long the button or the text may take to come.
    pub(crate) within: Duration,
    pub(crate) expect: Option<(TextPattern, Duration)>,
    pub(crate) on_fail: OnFail,
}

#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Press(ButtonPattern),
    Send(String),
    Wait(TextPattern),
}

/// A flow that cannot be run; settings that were loaded have none.
#[derive(Debug, thiserror::Error)]
pub enum InvalidFlow {
    #[error("flow {0}: {1}")]
    Pattern(String, InvalidFlowRegex),
    #[error("flow {0}: step {1} does nothing")]
    Step(String, usize),
}

impl Flow {
    /// Compiles a flow of the settings.
    ///
    /// # Errors
    /// It has an expression that is none, or a step that does nothing.
    pub fn of(settings: &FlowSettings) -> Result<Self, InvalidFlow> {
        let name = &settings.name;
        let wrong = |error| InvalidFlow::Pattern(name.clone(), error);
        let mut steps = Vec::with_capacity(settings.steps.len());
        for (index, step) in settings.steps.iter().enumerate() {
            let step = compile(step).map_err(wrong)?;
            steps.push(step.ok_or_else(|| InvalidFlow::Step(name.clone(), index + 1))?);
        }
        Ok(Self {
            name: name.clone(),
            accounts: settings.accounts().cloned().collect(),
            watch: settings.watch.clone(),
            senders: settings.senders().collect(),
            trigger: Trigger::of(&settings.trigger).map_err(wrong)?,
            active: settings.active_hours(),
            fresh: settings.fresh,
            limits: settings.limits.clone(),
            steps,
        })
    }

    /// How many steps it has.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }
}

impl Trigger {
    fn of(settings: &TriggerSettings) -> Result<Self, InvalidFlowRegex> {
        let mut texts = Vec::new();
        texts.extend(settings.text.as_deref().map(TextPattern::text));
        if let Some(regex) = &settings.regex {
            texts.push(TextPattern::regex(regex)?);
        }
        if !settings.keywords.is_empty() {
            texts.push(TextPattern::any_word(&settings.keywords));
        }
        let has_button = settings.has_button.as_deref().map(compared);
        Ok(Self { texts, has_button })
    }

    /// What a text has in it, and what is on a button.
    pub(crate) fn parts(&self) -> (&[TextPattern], Option<&str>) {
        (&self.texts, self.has_button.as_deref())
    }

    /// What a message that begins a run has in it.
    pub(crate) fn fits(&self, text: &str, keyboard: Option<&Keyboard>) -> Option<Captures> {
        let mut found = Captures::new();
        for pattern in &self.texts {
            found.extend(pattern.find(text, &Captures::new())?);
        }
        if let Some(wanted) = &self.has_button {
            keyboard?.buttons().find(|(_, _, button)| compared(&button.label).contains(wanted))?;
        }
        Some(found)
    }
}

fn compile(step: &FlowStep) -> Result<Option<Step>, InvalidFlowRegex> {
    let deed = match (&step.press, &step.send, &step.wait) {
        (Some(press), None, None) => press_of(press)?.map(Deed::Press),
        (None, Some(text), None) => Some(Deed::Send(text.clone())),
        (None, None, Some(wait)) => wait_of(wait)?.map(Deed::Wait),
        _ => None,
    };
    let expect = match &step.expect {
        Some(expect) => expect_of(expect)?.map(|pattern| (pattern, expect.within)),
        None => None,
    };
    Ok(deed.map(|deed| Step { deed, within: step.within, expect, on_fail: step.on_fail }))
}

fn press_of(press: &PressSettings) -> Result<Option<ButtonPattern>, InvalidFlowRegex> {
    let PressSettings { text, contains, regex, position, keywords, first } = press;
    Ok(match (text, contains, regex, position.as_deref()) {
        (Some(text), ..) => Some(ButtonPattern::Label(text.clone())),
        (_, Some(text), ..) => Some(ButtonPattern::Contains(text.clone())),
        (.., Some(regex), _) => Some(ButtonPattern::regex(regex)?),
        (.., Some([row, column])) => Some(ButtonPattern::Position((*row).into(), (*column).into())),
        _ if !keywords.is_empty() => Some(ButtonPattern::Words(keywords.clone())),
        _ => first.then_some(ButtonPattern::First),
    })
}

fn wait_of(wait: &WaitSettings) -> Result<Option<TextPattern>, InvalidFlowRegex> {
    text_of(wait.text.as_deref(), wait.regex.as_deref())
}

fn expect_of(expect: &ExpectSettings) -> Result<Option<TextPattern>, InvalidFlowRegex> {
    text_of(expect.text.as_deref(), expect.regex.as_deref())
}

fn text_of(text: Option<&str>, regex: Option<&str>) -> Result<Option<TextPattern>, InvalidFlowRegex> {
    regex.map(TextPattern::regex).transpose().map(|regex| regex.or_else(|| text.map(TextPattern::text)))
}
