//! Which part of the product a line comes from.

/// A word that is no service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no service; there are {names}", names = Service::ALL.map(Service::as_str).join(", "))]
pub struct InvalidService(String);

/// Which part of the product a line comes from: the four services that callers know, and the parts below them.
/// The words are stable; new ones may come. The numbers, below 64, are those in files.
#[derive(strum::IntoStaticStr, strum::VariantArray, strum::FromRepr)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Service {
    /// Anything else.
    Other = 0,
    CreateChat = 1,
    SendText = 2,
    SendMedia = 3,
    LeaveChat = 4,
    /// Telegram accounts, their lines and what they know.
    Telegram = 5,
    Web = 6,
    /// The delivery of messages and of work on chats.
    Delivery = 7,
    Store = 8,
    Events = 9,
    /// Files on their way in and out.
    Media = 10,
    /// Beats, strips and cards.
    Health = 11,
    Alerts = 12,
    /// People of the dashboard.
    Access = 13,
    Ops = 14,
    Dashboard = 15,
    Logs = 16,
    /// The program: start, settings, end.
    Switchboard = 17,
}

impl Service {
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// The service of a number in a file. A number of a later version counts as [`Service::Other`].
    pub(crate) fn from_code(code: u8) -> Self {
        Self::from_repr(code).unwrap_or(Self::Other)
    }

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
