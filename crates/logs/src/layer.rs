//! The tracing layer: each event becomes a line that waits for the writer.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::{self, Write};
use std::sync::Arc;

use ambient::Clock;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::draft::Draft;
use crate::intake::Intake;

/// Hands events over to a log store. Never waits, whatever becomes of the store.
pub struct StoreLayer {
    clock: Clock,
    intake: Arc<Intake>,
}

/// The lines that gather until a [`LogStore`](crate::LogStore) writes them: those of the start, when it is not known yet
/// where they belong.
pub struct Gathered {
    pub(crate) clock: Clock,
    pub(crate) intake: Arc<Intake>,
}

impl Gathered {
    /// The clock that says when lines are written.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }
}

/// The layer, and the other end of it.
pub fn layer(clock: Clock) -> (StoreLayer, Gathered) {
    let intake = Arc::new(Intake::default());
    (StoreLayer { clock: clock.clone(), intake: Arc::clone(&intake) }, Gathered { clock, intake })
}

thread_local! {
    /// The line that a thread puts together, and its bytes.
    static BUFFERS: RefCell<(Draft, Vec<u8>)> = RefCell::default();
}

impl<S: Subscriber> Layer<S> for StoreLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let whole = BUFFERS.try_with(|buffers| {
            let Ok(mut buffers) = buffers.try_borrow_mut() else { return false };
            self.put(event, &mut buffers);
            true
        });
        // A value that logs while it is written, or a thread that is ending.
        if whole != Ok(true) {
            self.put(event, &mut (Draft::default(), Vec::new()));
        }
    }
}

impl StoreLayer {
    fn put(&self, event: &Event<'_>, (draft, row): &mut (Draft, Vec<u8>)) {
        draft.clear();
        row.clear();
        event.record(&mut Fields(draft));
        let meta = event.metadata();
        draft.finish(self.clock.now().as_micros(), (*meta.level()).into(), meta.target(), row);
        self.intake.put(row);
    }
}

struct Fields<'a>(&'a mut Draft);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.add(field.name(), |out| out.write_str(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.0.add(field.name(), |out| write!(out, "{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.add(field.name(), |out: &mut dyn Write| write!(out, "{value:?}"));
    }
}
