//! Backups: how they are, the newest first, with what makes, tries and takes one.

mod act;
mod verdict;

use std::path::Path;
use std::time::Duration;

use access::Right;
use api::{Backup, BackupCopyFailing, BackupDrill};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::Method;

use super::Tabs;
use super::people::unread;
use crate::dashboard::Dashboard;
use crate::page::{self, segment};
use crate::view::{BackupState, BackupsVerdict, Linked, Section, Tab};
use crate::visitor::Visitor;
use crate::words::number;
use crate::words::{BackupsWords, Wall};

pub(crate) use act::{check, create, download, drill};

const HERE: &str = "/settings/backups";
/// The call that lists and makes them.
const API: &str = "/v1/backups";
/// How soon a browser without script asks again while one is made or tried, in seconds.
const RENEWED: u16 = 5;

impl Linked for Backup {
    fn path(&self) -> String {
        format!("{HERE}/{}", segment(&self.name))
    }
}

#[derive(Template)]
#[template(path = "settings/backups.html")]
pub(super) struct Backups<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static BackupsWords,
    pub(super) wall: Wall,
    pub(super) tabs: Tabs,
    pub(super) list: &'a api::Backups,
    pub(super) verdict: BackupsVerdict,
}

impl<'a> Backups<'a> {
    pub(super) fn new(visitor: &'a Visitor, list: &'a api::Backups) -> Self {
        Self {
            visitor,
            words: BackupsWords::of(visitor.language),
            wall: visitor.wall(),
            tabs: Tabs::new(visitor, Tab::Backups),
            list,
            verdict: BackupsVerdict::of(list, visitor.now),
        }
    }

    /// Whether the page is another soon.
    fn is_moving(&self) -> bool {
        let moves = |backup: &Backup| matches!(backup.state, BackupState::Making | BackupState::Proving);
        self.list.drills.running || self.list.items.iter().any(moves)
    }

    fn may_act(&self) -> bool {
        self.visitor.may(Right::Administer)
    }

    fn size(&self, bytes: u64) -> String {
        number::bytes(self.visitor.language, bytes)
    }

    fn every(&self) -> String {
        self.words.every(&number::span(self.visitor.language, Duration::from_secs(self.list.every_seconds)))
    }

    /// The class of the pill of a backup.
    fn tone(backup: &Backup) -> &'static str {
        match backup.state {
            BackupState::Making | BackupState::Proving => "busy",
            BackupState::Failed | BackupState::Broken => "bad",
            BackupState::Unproven => "",
            BackupState::Proven => "ok",
        }
    }

    fn newest(&self) -> Option<&Backup> {
        self.list.items.iter().find(|backup| backup.bytes.is_some())
    }

    /// The newest that was found to be whole.
    fn whole(&self) -> Option<&Backup> {
        self.list.items.iter().find(|backup| backup.proven_at.is_some())
    }

    fn there(&self) -> usize {
        self.list.items.iter().filter(|backup| backup.bytes.is_some()).count()
    }

    fn copy_failing(&self) -> Option<&BackupCopyFailing> {
        self.list.copies.as_ref()?.failing.as_ref()
    }

    /// The last restore for practice, if something was wrong.
    fn drill_failed(&self) -> Option<&BackupDrill> {
        self.list.drills.last.as_ref().filter(|drill| drill.wrong.is_some())
    }

    fn restore(&self) -> String {
        let may_be_whole = |backup: &&Backup| backup.bytes.is_some() && backup.state != BackupState::Broken;
        let best = self.whole().or_else(|| self.list.items.iter().find(may_be_whole));
        let path = Path::new(&self.list.folder).join(best.map_or("FILE", |backup| backup.name.as_str()));
        format!("switchboard restore {}", doctor::quoted(&path))
    }
}

/// `GET /settings/backups`.
pub(crate) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let list = match dashboard.ask::<api::Backups>(&visitor, Method::GET, API, None).await {
        Ok(list) => list,
        Err(why) => return unread(&visitor, &why),
    };
    let body = Backups::new(&visitor, &list);
    let renew = body.is_moving().then_some(RENEWED);
    page::moving_page(&visitor, body.words.title, Section::Settings, body, renew)
}
