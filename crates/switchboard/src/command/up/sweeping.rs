//! When the store is swept: never by a clock that has just jumped ahead, which may be wrong and put right a moment later.

use std::time::Duration;

use ambient::Clock;
use domain::{EventFilter, EventId, Timestamp};
use store::{Store, StoreError};

/// How often the store forgets what is past its time.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

/// How much more may have gone by on the clock of the time of day than on the running one.
const MOST_AHEAD: Duration = Duration::from_hours(24);

/// A moment, by the time of day and by the clock that no one sets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    wall: Timestamp,
    running: Duration,
}

impl Moment {
    fn now(clock: &Clock) -> Self {
        Self { wall: clock.now(), running: clock.running() }
    }
}

/// When the newest event of a store was written, as if it were now; none in a new store. Asked before this program writes any.
pub(super) async fn newest(store: &Store, clock: &Clock) -> Result<Option<Moment>, StoreError> {
    let newest = store.events().newest().borrow().get();
    let before = EventId::new(newest.saturating_sub(1));
    let read = store.events().after(before, &EventFilter::default(), 1).await?;
    Ok(read.events.first().map(|event| Moment { wall: event.at, running: clock.running() }))
}

/// Whether the time of day is believed, by what both clocks said the last time.
fn is_believed(last: Option<Moment>, now: Moment) -> bool {
    last.is_none_or(|last| {
        let ran = now.running.saturating_sub(last.running);
        now.wall.since(last.wall) <= ran.saturating_add(MOST_AHEAD)
    })
}

/// Lets the store forget what is past its time, now and every hour. A clock that jumped is believed an hour later.
pub(super) async fn sweep(store: Store, clock: Clock, mut last: Option<Moment>) {
    loop {
        let now = Moment::now(&clock);
        if is_believed(last, now) {
            let events = store.retention().events;
            let swept =
                async { Ok::<_, StoreError>((store.sweep().await?, store.events().sweep(events).await?)) };
            match swept.await {
                Ok((swept, events)) => tracing::debug!(?swept, events, "past its time"),
                Err(error) => tracing::warn!(%error, "the store could not be swept"),
            }
        } else {
            tracing::info!(time = %now.wall, "the time of day went on by more than a day; old rows are removed an hour later");
        }
        last = Some(now);
        clock.sleep(SWEEP_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn moment(days: u32, running: Duration) -> Moment {
        Moment { wall: Timestamp::from_micros(0).plus(DAY * days), running }
    }

    /// In which of these rounds it sweeps, an hour apart, by how many days the time of day shows.
    fn rounds(newest: Option<u32>, days: &[u32]) -> Vec<bool> {
        let mut last = newest.map(|days| moment(days, Duration::ZERO));
        let mut running = Duration::from_secs(2);
        let mut round = |days: &u32| {
            let now = moment(*days, running);
            let believed = is_believed(last, now);
            last = Some(now);
            running += SWEEP_EVERY;
            believed
        };
        days.iter().map(&mut round).collect()
    }

    #[test]
    fn a_clock_ahead_at_the_start_removes_nothing() {
        assert_eq!(rounds(Some(100), &[140, 100, 100]), [false, true, true]);
        assert_eq!(rounds(Some(100), &[140, 140]), [false, true], "it was off so long");
        assert_eq!(rounds(Some(100), &[101, 101]), [true, true]);
        assert_eq!(rounds(Some(100), &[60, 60]), [true, true], "rows of a wrong clock");
        assert_eq!(rounds(None, &[140]), [true], "a new store");
    }

    #[test]
    fn a_clock_that_jumps_later_removes_nothing_at_first() {
        assert_eq!(rounds(Some(100), &[100, 140, 100]), [true, false, true]);
        assert_eq!(rounds(Some(100), &[100, 140, 140]), [true, false, true]);
    }

    #[test]
    fn time_that_went_by_on_both_clocks_is_believed() {
        let (before, later) = (moment(100, Duration::ZERO), moment(191, DAY * 91));
        assert!(is_believed(Some(before), later));
    }

    #[tokio::test]
    async fn the_newest_event_dates_a_store() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let store = Store::open(store::StoreOptions {
            data_dir: folder.path().join("data"),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: store::MasterKey::File(folder.path().join("data/master.key")),
        })
        .await
        .unwrap();
        assert!(newest(&store, &clock).await.unwrap().is_none());
        let at = clock.now().minus(DAY * 40);
        let change = domain::event::AccountEvent { state: domain::AccountState::Ready, was: None };
        store.events().account_states(vec![("main".parse().unwrap(), change)], at).await.unwrap();
        let found = newest(&store, &clock).await.unwrap();
        assert_eq!(found.map(|found| found.wall), Some(at));
        assert!(!is_believed(found, Moment::now(&clock)));
        store.close().await;
    }
}
