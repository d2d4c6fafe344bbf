//! Services that were stopped by hand, kept over restarts.

use domain::{Service, Timestamp};

use crate::column::Columns;
use crate::database::params;
use crate::statement::statements;
use crate::{Store, StoreError, point};

statements! {
    STOPPED = "SELECT service, stopped_at FROM service_switches ORDER BY service";
    STOP = "
        INSERT INTO service_switches (service, stopped_at) VALUES ($1, $2)
        ON CONFLICT (service) DO NOTHING";
    START = "DELETE FROM service_switches WHERE service = $1";
}

/// The services' part of a store.
#[derive(Clone, Copy)]
pub struct Services<'a> {
    pub(crate) store: &'a Store,
}

impl Services<'_> {
    /// The services that are stopped, each since when.
    pub async fn stopped(&self) -> Result<Vec<(Service, Timestamp)>, StoreError> {
        self.store
            .all(STOPPED, (), |row| {
                let columns = Columns::new(row, "service_switches");
                Ok((columns.word(0, "service", Service::from_word)?, columns.time(1)?))
            })
            .await
    }

    /// Keeps that a service was stopped, or started again. One that was stopped before keeps its time.
    pub async fn save(&self, service: Service, stopped: bool, at: Timestamp) -> Result<(), StoreError> {
        let service = service.as_str();
        self.store
            .change(point::SAVE_SERVICE, move |transaction| {
                if stopped {
                    transaction.run(STOP, params![service, at.as_micros()])?;
                } else {
                    transaction.run(START, [service])?;
                }
                Ok(())
            })
            .await
    }
}
