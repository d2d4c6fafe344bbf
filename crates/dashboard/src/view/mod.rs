//! What pages and their words are both made from: the language, the look, the zone, and the kinds of things that are shown.

mod backup;
mod language;
mod link_target;
mod pill;
mod section;
mod tab;
mod theme;
mod zone;

pub(crate) use backup::{BackupState, BackupsVerdict, DrillOf};
pub(crate) use language::Language;
pub(crate) use link_target::LinkTarget;
pub(crate) use pill::{Pill, Tint};
pub(crate) use section::{GROUPS, Group, Section};
pub(crate) use tab::Tab;
pub(crate) use theme::Theme;
pub(crate) use zone::Zone;

/// What has a page of its own.
pub(crate) trait Linked {
    fn path(&self) -> String;
}
