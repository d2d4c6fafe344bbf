//! What a control bot says, in English and Russian.

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

    pub(crate) const fn say(self, english: &'static str, russian: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Russian => russian,
        }
    }

    pub(crate) const fn help(self) -> &'static str {
        self.say(
            "/flows – all flows, to start and stop them\n/status – how each one is\n/stats – how many runs there were\n\
             /log – the last runs\n/start NAME, /stop NAME – one flow\n/help – this",
            "/flows – все сценарии, запуск и остановка\n/status – состояние каждого\n/stats – сколько было запусков\n\
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

    pub(crate) const fn no_flows(self) -> &'static str {
        self.say("There are no flows.", "Сценариев нет.")
    }

    pub(crate) const fn no_runs(self) -> &'static str {
        self.say(
            "There were no runs since the program started.",
            "С запуска программы сценарии не выполнялись.",
        )
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
