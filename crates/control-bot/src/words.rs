//! What a control bot says, in English and Russian.

use config::ControlLanguage;
use domain::FlowRunState;
use flows::{FlowState, FlowView};

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Russian,
}

impl Language {
    /// Of a person, by the tag that Telegram gives.
    pub(crate) fn of(tag: Option<&str>) -> Self {
        match tag {
            Some(tag) if tag == "ru" || tag.starts_with("ru-") => Self::Russian,
            _ => Self::English,
        }
    }

    /// Of a command: Russian ones are in Cyrillic.
    pub(crate) fn of_command(text: &str) -> Self {
        let is_cyrillic = |letter: char| ('\u{400}'..='\u{4ff}').contains(&letter);
        if text.split_whitespace().next().is_some_and(|word| word.contains(is_cyrillic)) {
            Self::Russian
        } else {
            Self::English
        }
    }

    /// Of the settings.
    pub(crate) const fn set(language: ControlLanguage) -> Self {
        match language {
            ControlLanguage::En => Self::English,
            ControlLanguage::Ru => Self::Russian,
        }
    }

    pub(crate) const fn say(self, english: &'static str, russian: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Russian => russian,
        }
    }

    pub(crate) const fn help(self) -> &'static str {
        self.say(
            "/flows – all flows, to start and stop them\n/status – how each one is\n/stats – the runs of the last 24 hours\n\
             /log – the last runs\n/start NAME, /stop NAME – one flow\n/help – this",
            "/flows – все сценарии, запуск и остановка\n/status – состояние каждого\n/stats – запуски за последние 24 часа\n\
             /log – последние запуски\n/start ИМЯ, /stop ИМЯ – один сценарий\n/help – эта справка",
        )
    }

    pub(crate) const fn state(self, state: FlowState) -> &'static str {
        match state {
            FlowState::Watching => self.say("watching", "ждёт сообщения"),
            FlowState::Running => self.say("running", "выполняется"),
            FlowState::Waiting => self.say("cannot watch yet", "пока не может следить"),
            FlowState::Stopped => self.say("stopped", "остановлен"),
        }
    }

    pub(crate) const fn run(self, state: FlowRunState) -> &'static str {
        match state {
            FlowRunState::Running => self.say("running", "выполняется"),
            FlowRunState::Done => self.say("done", "выполнен"),
            FlowRunState::Failed => self.say("failed", "не удался"),
            FlowRunState::Stopped => self.say("stopped", "остановлен"),
            FlowRunState::Cut => self.say("cut", "оборван"),
            FlowRunState::Skipped => self.say("skipped", "пропущен"),
        }
    }

    pub(crate) const fn no_flows(self) -> &'static str {
        self.say("There are no flows.", "Сценариев нет.")
    }

    pub(crate) const fn no_runs(self) -> &'static str {
        self.say("There were no runs.", "Запусков не было.")
    }

    pub(crate) fn unknown(self, name: &str) -> String {
        match self {
            Self::English => format!("There is no flow named {name}. /flows shows those there are."),
            Self::Russian => format!("Сценария {name} нет. /flows покажет все."),
        }
    }

    pub(crate) fn sure(self, what: &str) -> String {
        match self {
            Self::English => format!("Stop {what}? A run that is under way ends."),
            Self::Russian => format!("Остановить {what}? Текущий запуск прервётся."),
        }
    }

    pub(crate) fn done(self, flow: &FlowView) -> String {
        let states: Vec<_> =
            flow.on.iter().map(|on| format!("{}: {}", on.account, self.state(on.state))).collect();
        format!("{} – {}", flow.name, states.join(", "))
    }

    pub(crate) const fn all(self) -> &'static str {
        self.say("all flows", "все сценарии")
    }

    pub(crate) const fn failed(self) -> &'static str {
        self.say(
            "That did not work; the log of the program says why.",
            "Не получилось; причина в журнале программы.",
        )
    }

    pub(crate) const fn kept(self) -> &'static str {
        self.say("Nothing was stopped.", "Ничего не остановлено.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_speaks_the_language_of_the_person_or_of_the_command() {
        for (tag, language) in [
            (Some("ru"), Language::Russian),
            (Some("ru-RU"), Language::Russian),
            (Some("run"), Language::English),
            (Some("en"), Language::English),
            (None, Language::English),
        ] {
            assert_eq!(Language::of(tag), language, "{tag:?}");
        }
        assert_eq!(Language::of_command("/стоп trip"), Language::Russian);
        assert_eq!(Language::of_command("/stop поездка"), Language::English);
    }
}
