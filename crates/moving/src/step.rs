//! The steps of a move: which of the ten stages each belongs to, and which side does it.

use serde::{Deserialize, Serialize};

/// One of the two sides.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Where the installation is before the move.
    Old,
    /// Where it goes.
    New,
}

domain::enum_words!(Role);

impl Role {
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Old => Self::New,
            Self::New => Self::Old,
        }
    }
}

/// One step. Each may be done again after a kill: what is there already is left as it is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    AuditOld,
    AuditNew,
    FirstBackup,
    Transfer,
    Environment,
    Check,
    Install,
    /// From here on no one is served.
    Stop,
    LastBackup,
    /// The fence: the old side's store says that the new side holds the sessions.
    GiveUp,
    TransferRest,
    /// From its beginning on the new side may have worked: going back takes its data along.
    Place,
    Start,
    /// The accounts are opened one by one, the least important first.
    Open,
    Validate,
    Monitor,
    Compare,
    /// After this there is no way back.
    Retire,

    StopNew,
    /// The fence in the other direction.
    GiveBack,
    TransferBack,
    PlaceBack,
    /// The same where the new side never had the data in place.
    Renounce,
    TakeBack,
    Restart,
    /// What the new side was brought is removed.
    Clear,
}

domain::enum_words!(Step);

impl Step {
    /// The way there, in this order.
    pub const FORWARD: [Self; 18] = [
        Self::AuditOld,
        Self::AuditNew,
        Self::FirstBackup,
        Self::Transfer,
        Self::Environment,
        Self::Check,
        Self::Install,
        Self::Stop,
        Self::LastBackup,
        Self::GiveUp,
        Self::TransferRest,
        Self::Place,
        Self::Start,
        Self::Open,
        Self::Validate,
        Self::Monitor,
        Self::Compare,
        Self::Retire,
    ];

    /// The stage of the report, 1 to 10; those that undo belong to that which they undo.
    pub const fn stage(self) -> u8 {
        match self {
            Self::AuditOld | Self::AuditNew => 1,
            Self::FirstBackup | Self::Stop | Self::LastBackup | Self::GiveUp => 2,
            Self::Transfer | Self::TransferRest | Self::TransferBack => 3,
            Self::Environment | Self::Clear => 4,
            Self::Check | Self::Place | Self::PlaceBack | Self::Renounce | Self::TakeBack => 5,
            Self::Install | Self::Start | Self::Open | Self::StopNew | Self::GiveBack | Self::Restart => 6,
            Self::Validate => 7,
            Self::Monitor => 8,
            Self::Compare => 9,
            Self::Retire => 10,
        }
    }

    /// The side that does it; a transfer is done by the one that receives.
    pub const fn role(self) -> Role {
        match self {
            Self::AuditOld
            | Self::FirstBackup
            | Self::Stop
            | Self::LastBackup
            | Self::GiveUp
            | Self::Retire
            | Self::TransferBack
            | Self::PlaceBack
            | Self::TakeBack
            | Self::Restart => Role::Old,
            Self::AuditNew
            | Self::Transfer
            | Self::Environment
            | Self::Check
            | Self::Install
            | Self::TransferRest
            | Self::Place
            | Self::Start
            | Self::Open
            | Self::Validate
            | Self::Monitor
            | Self::Compare
            | Self::StopNew
            | Self::GiveBack
            | Self::Renounce
            | Self::Clear => Role::New,
        }
    }

    /// What it is, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::AuditOld => "audit of the old side",
            Self::AuditNew => "audit of the new side",
            Self::FirstBackup => "backup while the old side serves",
            Self::Transfer => "transfer while the old side serves",
            Self::Environment => "settings and keys",
            Self::Check => "check without a session",
            Self::Install => "service of the new side",
            Self::Stop => "stop of the old side",
            Self::LastBackup => "backup at rest",
            Self::GiveUp => "old side gives its sessions up",
            Self::TransferRest => "transfer of the difference",
            Self::Place => "data put in place",
            Self::Start => "start of the new side",
            Self::Open => "accounts opened one by one",
            Self::Validate => "validation",
            Self::Monitor => "monitoring",
            Self::Compare => "comparison with the old side",
            Self::Retire => "retirement of the old side",
            Self::StopNew => "stop of the new side",
            Self::GiveBack => "new side gives the sessions back",
            Self::TransferBack => "transfer back",
            Self::PlaceBack => "data put in place on the old side",
            Self::Renounce => "new side renounces the sessions",
            Self::TakeBack => "old side takes its sessions back",
            Self::Restart => "start of the old side",
            Self::Clear => "removal of what the new side was brought",
        }
    }

    /// The points before and after it where a test can end the program.
    pub(crate) const fn points(self) -> (&'static str, &'static str) {
        macro_rules! points {
            ($($step:ident = $name:literal;)*) => {
                match self {
                    $(Self::$step => (concat!("moving.", $name, ".before"), concat!("moving.", $name, ".after")),)*
                }
            };
        }
        points! {
            AuditOld = "audit_old"; AuditNew = "audit_new"; FirstBackup = "first_backup"; Transfer = "transfer";
            Environment = "environment"; Check = "check"; Install = "install"; Stop = "stop"; LastBackup = "last_backup";
            GiveUp = "give_up"; TransferRest = "transfer_rest"; Place = "place"; Start = "start"; Open = "open";
            Validate = "validate"; Monitor = "monitor"; Compare = "compare"; Retire = "retire"; StopNew = "stop_new";
            GiveBack = "give_back"; TransferBack = "transfer_back"; PlaceBack = "place_back"; Renounce = "renounce";
            TakeBack = "take_back"; Restart = "restart"; Clear = "clear";
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_named_after_its_step() {
        for step in Step::ALL {
            let (before, after) = step.points();
            assert_eq!(before, format!("moving.{}.before", step.as_str()));
            assert_eq!(after, format!("moving.{}.after", step.as_str()));
        }
    }

    #[test]
    fn stages_are_one_to_ten() {
        let mut stages: Vec<u8> = Step::FORWARD.iter().map(|step| step.stage()).collect();
        stages.sort_unstable();
        stages.dedup();
        assert_eq!(stages, (1..=10).collect::<Vec<u8>>());
    }
}
