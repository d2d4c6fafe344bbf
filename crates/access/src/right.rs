//! What each role may do.

use domain::Role;

/// Something that depends on the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// See conversations with clients.
    ReadInbox,
    /// Answer clients, and let answers of programs out; assign, close and note what they write about.
    Answer,
    /// See everything that works: cards, messages, chats, logs, accounts, alerts.
    Look,
    /// Keep it running: start, stop, pause, try again, cancel, decide what is in doubt, sign an account in, clear flood
    /// waits, mute an alert, plan maintenance.
    Operate,
    Send,
    ArrangeAccounts,
    /// Take sessions out, which is as good as taking the accounts.
    ExportSessions,
    /// Change who is notified of alerts.
    ArrangeAlerts,
    ManageKeys,
    /// See, add, change and remove users, and end their sessions.
    ManagePeople,
    ReadAudit,
    /// Whatever has no right of its own yet.
    Administer,
}

impl Right {
    pub const ALL: [Self; 12] = [
        Self::ReadInbox,
        Self::Answer,
        Self::Look,
        Self::Operate,
        Self::Send,
        Self::ArrangeAccounts,
        Self::ExportSessions,
        Self::ArrangeAlerts,
        Self::ManageKeys,
        Self::ManagePeople,
        Self::ReadAudit,
        Self::Administer,
    ];

    /// The least role that has it. Agents have those of the inbox beside it.
    pub const fn least(self) -> Role {
        match self {
            Self::ReadInbox | Self::Look => Role::Viewer,
            Self::Answer | Self::Operate | Self::Send => Role::Operator,
            Self::ArrangeAccounts
            | Self::ExportSessions
            | Self::ArrangeAlerts
            | Self::ManageKeys
            | Self::ManagePeople
            | Self::ReadAudit
            | Self::Administer => Role::Admin,
        }
    }
}

pub const fn may(role: Role, right: Right) -> bool {
    match role {
        Role::Agent => matches!(right, Right::ReadInbox | Right::Answer),
        _ => role as u8 >= right.least() as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn viewers_only_look_and_admins_may_everything() {
        for right in Right::ALL {
            let looks = matches!(right, Right::Look | Right::ReadInbox);
            assert_eq!(may(Role::Viewer, right), looks, "{right:?}");
            let is_of_inbox = matches!(right, Right::ReadInbox | Right::Answer);
            assert_eq!(may(Role::Agent, right), is_of_inbox, "{right:?}");
            assert!(may(Role::Admin, right), "{right:?}");
        }
        assert!(may(Role::Operator, Right::Operate) && may(Role::Operator, Right::Send));
        for right in [Right::ManageKeys, Right::ManagePeople, Right::ReadAudit, Right::ExportSessions] {
            assert!(!may(Role::Operator, right), "{right:?}");
        }
    }

    proptest! {
        #[test]
        fn a_greater_role_never_may_less(
            a in select(Role::ALL.to_vec()), b in select(Role::ALL.to_vec()), right in select(Right::ALL.to_vec()),
        ) {
            // An agent is beside the others: it answers where a viewer looks.
            prop_assert!(a > b || a == Role::Agent || !may(a, right) || may(b, right));
        }
    }
}
