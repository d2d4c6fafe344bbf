//! Which part of the product a line comes from.

/// A word that is no service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no service; there are {names}", names = Service::ALL.map(Service::as_str).join(", "))]
pub struct InvalidService(String);

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal;)*) => {
        /// Which part of the product a line comes from: the four services that callers know, and the parts below them.
        /// The words are stable; new ones may come.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Service {
            $($(#[$doc])* $name,)*
        }

        impl Service {
            /// Every service.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            /// The word in the API and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The number in files, below 64.
            pub(crate) const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)* }
            }

            /// The service of a number in a file. A number of a later version counts as [`Service::Other`].
            pub(crate) const fn from_code(code: u8) -> Self {
                match code { $($code => Self::$name,)* _ => Self::Other }
            }
        }
    };
}

services! {
    /// What nobody else says it is.
    Other = 0, "other";
    /// Creating chats.
    CreateChat = 1, "create_chat";
    /// Sending texts.
    SendText = 2, "send_text";
    /// Sending files.
    SendMedia = 3, "send_media";
    /// Leaving chats.
    LeaveChat = 4, "leave_chat";
    /// Telegram accounts, their lines and what they know.
    Telegram = 5, "telegram";
    /// Requests over HTTP.
    Web = 6, "web";
    /// The way of messages and of work on chats.
    Delivery = 7, "delivery";
    /// The database.
    Store = 8, "store";
    /// Callbacks to other programs.
    Events = 9, "events";
    /// Files on their way in and out.
    Media = 10, "media";
    /// Beats, strips and cards.
    Health = 11, "health";
    /// Alerts and their targets.
    Alerts = 12, "alerts";
    /// People of the dashboard.
    Access = 13, "access";
    /// The doctor and the service units.
    Ops = 14, "ops";
    /// The dashboard's pages.
    Dashboard = 15, "dashboard";
    /// The log store itself.
    Logs = 16, "logs";
    /// The program: start, settings, end.
    Switchboard = 17, "switchboard";
}

impl Service {
    /// The part that a target belongs to: a module's path, of which the crate counts.
    pub fn of_target(target: &str) -> Self {
        let root = target.split("::").next().unwrap_or(target);
        root.parse().unwrap_or(Self::Other)
    }
}

crate::word::is_a_word!(Service, InvalidService);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_read_back_and_are_there_once() {
        let mut codes = Vec::new();
        for service in Service::ALL {
            assert_eq!(service.as_str().parse(), Ok(service));
            assert_eq!(Service::from_code(service.code()), service);
            assert!(service.code() < 64 && !codes.contains(&service.code()), "{service}");
            codes.push(service.code());
        }
        assert_eq!(Service::from_code(63), Service::Other);
        assert!("sendtext".parse::<Service>().is_err());
    }

    #[test]
    fn a_module_belongs_to_its_crate() {
        assert_eq!(Service::of_target("delivery::saga::run"), Service::Delivery);
        assert_eq!(Service::of_target("hyper::proto"), Service::Other);
        assert_eq!(Service::of_target(""), Service::Other);
    }
}
