//! The clearing of flood waits that runs, kept over restarts: what it does, what is left, who is paused.

use domain::{AccountName, Service, Timestamp};

use crate::column::Columns;
use crate::database::params;
use crate::statement::statements;
use crate::write::{Transaction, Write};
use crate::{Store, StoreError, point, services};

statements! {
    RUN = "
        SELECT how, phase, asked_by, started_at, until, hurry, waiting, done, silent FROM flood_clearing WHERE id = 1";
    SAVE = "
        INSERT INTO flood_clearing (id, how, phase, asked_by, started_at, until, hurry, waiting, done, silent)
        VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (id) DO UPDATE SET
            how = excluded.how, phase = excluded.phase, asked_by = excluded.asked_by,
            started_at = excluded.started_at, until = excluded.until, hurry = excluded.hurry,
            waiting = excluded.waiting, done = excluded.done, silent = excluded.silent";
    FORGET = "DELETE FROM flood_clearing";
    PAUSES = "SELECT account, until FROM flood_pauses ORDER BY until, account";
    PAUSE = "INSERT INTO flood_pauses (account, until) VALUES ($1, $2)";
    FORGET_PAUSES = "DELETE FROM flood_pauses";
    STOPPED = "SELECT waiting FROM flood_clearing WHERE id = 1";
    /// One that was stopped altogether meanwhile stays so.
    RESUME_PAUSED = "
        UPDATE telegram_switches SET switch = 'on'
        WHERE switch = 'paused' AND account IN (SELECT account FROM flood_pauses)";
}

const TABLE: &str = "flood_clearing";

/// A clearing as it is stored. What the words mean is known to the code that carries it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredClearing {
    /// How it is done: one of the words of the code that carries it out.
    pub how: String,
    /// How far it is, in such a word.
    pub phase: String,
    /// Who asked for it.
    pub by: String,
    /// When that was.
    pub started_at: Timestamp,
    /// When the next thing is due.
    pub until: Option<Timestamp>,
    /// What is left is done at once.
    pub hurry: bool,
    /// Services that are still to be started, in this order.
    pub waiting: Vec<Service>,
    /// Services that run again.
    pub done: Vec<Service>,
    /// Services that nothing is asked of Telegram for.
    pub silent: Vec<Service>,
    /// Accounts that are paused, each until when.
    pub pauses: Vec<(AccountName, Timestamp)>,
}

/// The clearing's part of a store.
#[derive(Clone, Copy)]
pub struct ClearingRun<'a> {
    pub(crate) store: &'a Store,
}

impl ClearingRun<'_> {
    /// The clearing that runs.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn get(&self) -> Result<Option<StoredClearing>, StoreError> {
        self.store
            .read(|connection| {
                let run = connection.first(RUN, (), |row| {
                    let columns = Columns::new(row, TABLE);
                    Ok(StoredClearing {
                        how: columns.get(0)?,
                        phase: columns.get(1)?,
                        by: columns.get(2)?,
                        started_at: columns.time(3)?,
                        until: columns.maybe_time(4)?,
                        hurry: columns.get(5)?,
                        waiting: columns.word(6, "waiting", services)?,
                        done: columns.word(7, "done", services)?,
                        silent: columns.word(8, "silent", services)?,
                        pauses: Vec::new(),
                    })
                })?;
                let Some(mut run) = run else { return Ok(None) };
                run.pauses = connection.all(PAUSES, (), |row| {
                    let columns = Columns::new(row, "flood_pauses");
                    Ok((columns.account(0)?, columns.time(1)?))
                })?;
                Ok(Some(run))
            })
            .await
    }

    /// The services that nothing may be asked of Telegram for; none while no clearing runs.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn silent(&self) -> Result<Vec<Service>, StoreError> {
        Ok(self.get().await?.map_or_else(Vec::new, |run| run.silent))
    }

    /// Keeps how far the clearing is; `None` when it is over.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn save(&self, run: Option<StoredClearing>) -> Result<(), StoreError> {
        self.store
            .change(point::SAVE_CLEARING, move |transaction| {
                transaction.run(FORGET_PAUSES, ())?;
                let Some(run) = &run else { return transaction.run(FORGET, ()) };
                transaction.run(
                    SAVE,
                    params![
                        run.how,
                        run.phase,
                        run.by,
                        run.started_at.as_micros(),
                        run.until.map(Timestamp::as_micros),
                        run.hurry,
                        joined(&run.waiting),
                        joined(&run.done),
                        joined(&run.silent),
                    ],
                )?;
                for (account, until) in &run.pauses {
                    transaction.run(PAUSE, params![account.as_str(), until.as_micros()])?;
                }
                Ok(())
            })
            .await
    }
}

/// Ends a clearing as one that is cancelled ends: the services that it stopped run, the accounts that it paused work.
/// No one carries it on, and without it nothing would ever start them; what waits for them is held back elsewhere.
pub(crate) struct EndClearing;

impl Write for EndClearing {
    type Answer = ();

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        // By their words: a service that this program does not know must not stay stopped either.
        let stopped = transaction.first(STOPPED, (), |row| Columns::new(row, TABLE).get::<String>(0))?;
        for service in stopped.iter().flat_map(|words| words.split('+')) {
            transaction.run(services::START, [service])?;
        }
        transaction.run(RESUME_PAUSED, ())?;
        transaction.run(FORGET_PAUSES, ())?;
        transaction.run(FORGET, ())
    }
}

fn joined(services: &[Service]) -> String {
    services.iter().map(|service| service.as_str()).collect::<Vec<_>>().join("+")
}

fn services(text: &str) -> Option<Vec<Service>> {
    text.split('+').filter(|word| !word.is_empty()).map(Service::from_word).collect()
}
