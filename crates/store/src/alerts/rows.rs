//! The rows of alerts: written as they are now, read back, listed.

use domain::event::AlertEvent;
use domain::{AccountName, AlertId, Event, Timestamp};
use uuid::Uuid;

use super::deliveries::{self, NewNotice};
use super::{alert_id, cut, micros, statements as sql};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, Row, params};
use crate::events::NewEvent;
use crate::paging::{Page, Paged};
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

pub(super) const TABLE: &str = "alerts";

/// How an alert is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertState {
    /// The card is still in trouble.
    Open,
    /// The card is well again.
    Cleared,
    /// The card is a part of another one that is in trouble too, whose alert speaks for it.
    Joined,
    /// There is no such card any more.
    Gone,
}

domain::enum_words!(AlertState);

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAlert {
    /// Its id.
    pub id: AlertId,
    /// The card, such as `account:main`.
    pub card: String,
    /// What the card is, such as `account`.
    pub kind: String,
    /// What people call it.
    pub name: String,
    /// The card it is a part of.
    pub parent: Option<String>,
    /// How the alert is.
    pub state: AlertState,
    /// Why the card is red: a word.
    pub reason: String,
    /// Why it is red, in words.
    pub detail: Option<String>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Since when it is not open any more.
    pub closed_at: Option<Timestamp>,
    /// The alert that speaks for this one.
    pub joined_to: Option<AlertId>,
    /// When the targets were notified that it was raised.
    pub notified_at: Option<Timestamp>,
    /// When they were reminded last.
    pub reminded_at: Option<Timestamp>,
    /// Since when there is nothing left to report about it.
    pub finished_at: Option<Timestamp>,
}

/// Which alerts to list; all of them without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only those that are open, or only those that are not.
    pub open: Option<bool>,
    /// Only those of this card.
    pub card: Option<String>,
}

pub(super) fn read(row: &Row<'_>) -> Result<StoredAlert, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(StoredAlert {
        id: alert_id(&columns, 0)?,
        card: columns.get(1)?,
        kind: columns.get(2)?,
        name: columns.get(3)?,
        parent: columns.get(4)?,
        state: columns.word(5, "state of an alert", AlertState::from_word)?,
        reason: columns.get(6)?,
        detail: columns.get(7)?,
        raised_at: columns.time(8)?,
        closed_at: columns.maybe_time(9)?,
        joined_to: columns
            .get::<Option<[u8; 16]>>(10)?
            .map(|bytes| AlertId::from_uuid(Uuid::from_bytes(bytes))),
        notified_at: columns.maybe_time(11)?,
        reminded_at: columns.maybe_time(12)?,
        finished_at: columns.maybe_time(13)?,
    })
}

pub(super) fn list(
    connection: &Connection,
    filter: &AlertFilter,
    page: &Page,
) -> Result<Paged<StoredAlert>, StoreError> {
    let before = page.after::<AlertId>()?.map_or([u8::MAX; 16], |id| *id.as_uuid().as_bytes());
    let params = params![before, filter.open, filter.card, page.rows()];
    Ok(page.cut(connection.all(sql::LIST, params, read)?, |alert| alert.id.to_string()))
}

pub(super) struct Save {
    pub(super) alerts: Vec<StoredAlert>,
    pub(super) notice: Option<NewNotice>,
}

impl Write for Save {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAVE_ALERTS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        for alert in &self.alerts {
            tell(transaction, alert)?;
            transaction.run(
                sql::SAVE,
                params![
                    alert.id.as_uuid().as_bytes(),
                    alert.card,
                    alert.kind,
                    alert.name,
                    alert.parent,
                    alert.state.as_str(),
                    cut(&alert.reason),
                    alert.detail.as_deref().map(cut),
                    alert.raised_at.as_micros(),
                    micros(alert.closed_at),
                    alert.joined_to.as_ref().map(|id| id.as_uuid().as_bytes()),
                    micros(alert.notified_at),
                    micros(alert.reminded_at),
                    micros(alert.finished_at),
                ],
            )?;
        }
        match &self.notice {
            Some(notice) => deliveries::save(transaction, notice),
            None => Ok(()),
        }
    }
}

/// Adds the event that an alert was raised or is over, where its row does not say so yet.
fn tell(transaction: &Transaction<'_>, alert: &StoredAlert) -> Result<(), StoreError> {
    let before =
        transaction.first(sql::GET, [alert.id.as_uuid().as_bytes()], read)?.map(|before| before.state);
    let data = || AlertEvent {
        alert_id: alert.id,
        card: alert.card.clone(),
        name: alert.name.clone(),
        reason: cut(&alert.reason).to_owned(),
    };
    let account: Option<AccountName> = alert.card.strip_prefix("account:").and_then(|name| name.parse().ok());
    let tell = |at, event| transaction.tell(NewEvent { at, account: account.clone(), chat: None, event });
    if before.is_none() {
        tell(alert.raised_at, Event::AlertRaised(data()));
    }
    if alert.state != AlertState::Open && before.is_none_or(|before| before == AlertState::Open) {
        tell(alert.closed_at.unwrap_or(alert.raised_at), Event::AlertCleared(data()));
    }
    Ok(())
}
