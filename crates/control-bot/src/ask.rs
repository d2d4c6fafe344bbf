//! What a person asks of a control bot: a command, or a button of one of its messages.

/// A thing that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// What there is to ask.
    Help,
    /// All flows, with buttons to start and stop them.
    Flows,
    /// How each flow is.
    Status,
    /// How many runs there were.
    Stats,
    /// The last runs.
    Log,
    /// Which flow to start.
    WhichToStart,
    /// Which flow to stop.
    WhichToStop,
    Start(Which),
    /// To stop, once it is confirmed.
    Stop(Which),
    /// To stop, confirmed.
    StopNow(Which),
    /// Not to stop after all.
    Keep,
}

/// Which flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    One(String),
    All,
}

/// What stands for all flows: no name of a flow.
const ALL: &str = "*";
/// The most bytes of a button's data.
const LONGEST: usize = 64;

impl Which {
    fn read(text: &str) -> Self {
        if text == ALL { Self::All } else { Self::One(text.to_owned()) }
    }

    fn word(&self) -> &str {
        match self {
            Self::One(name) => name,
            Self::All => ALL,
        }
    }
}

impl Ask {
    /// Reads a text to a bot. What is no command asks for help.
    pub fn of_text(text: &str) -> Self {
        Self::of_command(text).unwrap_or(Self::Help)
    }

    /// Reads a command in English or Russian, with or without the name of the bot, and what follows it.
    pub fn of_command(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let command = words.next().unwrap_or_default().to_lowercase();
        let command = command.split_once('@').map_or(&*command, |(command, _)| command);
        let which = words.next().map(Which::read);
        Some(match (command, which) {
            ("/flows" | "/сценарии", _) => Self::Flows,
            ("/status" | "/состояние", _) => Self::Status,
            ("/stats" | "/статистика", _) => Self::Stats,
            ("/log" | "/журнал", _) => Self::Log,
            ("/start" | "/старт", Some(which)) => Self::Start(which),
            // What a client sends by itself when it opens the bot: nothing is started by that.
            ("/start" | "/старт", None) => Self::WhichToStart,
            ("/stop" | "/стоп", Some(which)) => Self::Stop(which),
            ("/stop" | "/стоп", None) => Self::WhichToStop,
            ("/help" | "/помощь", _) => Self::Help,
            _ => return None,
        })
    }

    /// The command that asks the same; none of what is only chosen.
    pub(crate) const fn command(&self) -> Option<&'static str> {
        Some(match self {
            Self::Help => "/help",
            Self::Flows => "/flows",
            Self::Status => "/status",
            Self::Stats => "/stats",
            Self::Log => "/log",
            _ => return None,
        })
    }

    /// Reads the data of a button.
    pub fn of_data(data: &str) -> Option<Self> {
        let (word, rest) = data.split_once(':').unwrap_or((data, ""));
        Some(match (word, rest) {
            ("help", "") => Self::Help,
            ("flows", "") => Self::Flows,
            ("status", "") => Self::Status,
            ("stats", "") => Self::Stats,
            ("log", "") => Self::Log,
            ("keep", "") => Self::Keep,
            (_, "") => return None,
            ("start", name) => Self::Start(Which::read(name)),
            ("stop", name) => Self::Stop(Which::read(name)),
            ("now", name) => Self::StopNow(Which::read(name)),
            _ => return None,
        })
    }

    /// As the data of a button; none where it is too long for one, or belongs to no button.
    pub(crate) fn data(&self) -> Option<String> {
        let data = match self {
            Self::Help => "help".to_owned(),
            Self::Flows => "flows".to_owned(),
            Self::Status => "status".to_owned(),
            Self::Stats => "stats".to_owned(),
            Self::Log => "log".to_owned(),
            Self::Keep => "keep".to_owned(),
            Self::Start(which) => format!("start:{}", which.word()),
            Self::Stop(which) => format!("stop:{}", which.word()),
            Self::StopNow(which) => format!("now:{}", which.word()),
            Self::WhichToStart | Self::WhichToStop => return None,
        };
        (data.len() <= LONGEST).then_some(data)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_read_with_and_without_the_bots_name() {
        let one = || Which::One("trip".to_owned());
        for (text, ask) in [
            ("/start", Ask::WhichToStart),
            ("/start trip", Ask::Start(one())),
            ("/stop@control_bot  trip", Ask::Stop(one())),
            ("/stop *", Ask::Stop(Which::All)),
            ("/stop", Ask::WhichToStop),
            (" /log", Ask::Log),
            ("/stats@x", Ask::Stats),
            ("/Стоп trip", Ask::Stop(one())),
            ("/журнал", Ask::Log),
            ("hello", Ask::Help),
            ("", Ask::Help),
        ] {
            assert_eq!(Ask::of_text(text), ask, "{text:?}");
        }
    }

    #[test]
    fn only_a_command_is_one() {
        for text in ["hello", "1", "", "stop trip", "/stopp trip"] {
            assert_eq!(Ask::of_command(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_button_carries_the_request_of_its_press(name in "[a-z0-9_-]{1,64}", kind in 0..3_u8) {
            let which = Which::One(name);
            let ask = match kind { 0 => Ask::Start(which), 1 => Ask::Stop(which), _ => Ask::StopNow(which) };
            if let Some(data) = ask.data() {
                prop_assert!(data.len() <= 64);
                prop_assert_eq!(Ask::of_data(&data), Some(ask));
            }
        }

        #[test]
        fn no_press_stops_anything_but_a_confirmed_one(data in ".{0,70}") {
            let stops = matches!(Ask::of_data(&data), Some(Ask::StopNow(_)));
            prop_assert_eq!(stops, data.strip_prefix("now:").is_some_and(|name| !name.is_empty()));
        }
    }
}
