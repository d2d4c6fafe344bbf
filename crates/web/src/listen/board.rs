//! How each listener is: what the log, `GET /v1/listeners` and `/health/ready` report.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::holder::Holder;
use crate::options::Options;

/// A listener as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Listener)]
pub struct ListenerView {
    /// `main`, the number of a legacy port, or `control`.
    #[schema(example = "main")]
    pub name: String,
    /// Where it listens or tries to: an address with a port, or a path.
    #[schema(example = "127.0.0.1:5099")]
    pub address: String,
    /// How it is.
    pub state: ListenerState,
    /// Who holds the address, where the system shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// What is wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Since when it is so.
    pub since: Timestamp,
}

/// How a listener is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ListenerState {
    /// Not tried yet.
    Starting,
    /// It takes connections.
    Listening,
    /// Another program has the address; it is tried again every few seconds.
    Taken,
    /// The system refuses the address for another reason; it is tried again every few seconds.
    Refused,
}

impl From<ListenerView> for health::Port {
    fn from(view: ListenerView) -> Self {
        Self {
            name: view.name,
            address: view.address,
            state: match view.state {
                ListenerState::Starting => health::PortState::Starting,
                ListenerState::Listening => health::PortState::Listening,
                ListenerState::Taken => health::PortState::Taken,
                ListenerState::Refused => health::PortState::Refused,
            },
            holder: view.holder.map(|holder| holder.to_string()),
            detail: view.detail,
            since: view.since,
            load: health::PortLoad::default(),
        }
    }
}

/// A listener, by a number that no other gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenerId(usize);

impl ListenerId {
    pub(super) const MAIN: Self = Self(0);

    /// That of a legacy port of the start, by its place in the settings.
    pub(super) const fn legacy(number: usize) -> Self {
        Self(Self::MAIN.0 + 1 + number)
    }
}

pub(crate) struct Board {
    views: Mutex<Vec<(ListenerId, ListenerView)>>,
    /// The number of the next listener.
    next: AtomicUsize,
    legacy_ports: usize,
    has_control: bool,
    changes: watch::Sender<()>,
}

impl Board {
    pub(crate) fn new(options: &Options, now: Timestamp) -> Self {
        let mut views = vec![starting("main".to_owned(), options.listen.to_string(), now)];
        for (address, _) in options.legacy.addresses() {
            views.push(starting(address.port().to_string(), address.to_string(), now));
        }
        if let Some(path) = &options.control_socket {
            views.push(starting("control".to_owned(), path.display().to_string(), now));
        }
        Self {
            next: AtomicUsize::new(views.len()),
            views: Mutex::new(
                views.into_iter().enumerate().map(|(id, view)| (ListenerId(id), view)).collect(),
            ),
            legacy_ports: options.legacy.addresses().count(),
            has_control: options.control_socket.is_some(),
            changes: watch::Sender::new(()),
        }
    }

    pub(super) fn control(&self) -> Option<ListenerId> {
        self.has_control.then_some(ListenerId::legacy(self.legacy_ports))
    }

    /// Adds a legacy port, before the control socket.
    pub(super) fn add(&self, name: String, address: SocketAddr, now: Timestamp) -> ListenerId {
        let id = ListenerId(self.next.fetch_add(1, Ordering::Relaxed));
        let mut views = self.lock();
        let end = views.len() - usize::from(self.has_control);
        views.insert(end, (id, starting(name, address.to_string(), now)));
        drop(views);
        self.changes.send_replace(());
        id
    }

    pub(super) fn remove(&self, id: ListenerId) {
        self.lock().retain(|(of, _)| *of != id);
        self.changes.send_replace(());
    }

    pub(super) fn listening(&self, id: ListenerId, address: Option<SocketAddr>, now: Timestamp) {
        self.change(id, now, |view| {
            view.state = ListenerState::Listening;
            view.holder = None;
            view.detail = None;
            if let Some(address) = address {
                view.address = address.to_string();
            }
        });
    }

    pub(super) fn taken(&self, id: ListenerId, holder: Option<Holder>, detail: String, now: Timestamp) {
        self.change(id, now, |view| {
            view.state = ListenerState::Taken;
            view.holder = holder;
            view.detail = Some(detail);
        });
    }

    pub(super) fn refused(&self, id: ListenerId, detail: String, now: Timestamp) {
        self.change(id, now, |view| {
            view.state = ListenerState::Refused;
            view.holder = None;
            view.detail = Some(detail);
        });
    }

    pub(crate) fn views(&self) -> Vec<ListenerView> {
        self.lock().iter().map(|(_, view)| view.clone()).collect()
    }

    pub(super) fn view(&self, id: ListenerId) -> Option<ListenerView> {
        self.lock().iter().find(|(of, _)| *of == id).map(|(_, view)| view.clone())
    }

    pub(crate) async fn changed(&self) {
        // The sender lives as long as this board.
        let _ = self.changes.subscribe().changed().await;
    }

    fn change(&self, id: ListenerId, now: Timestamp, change: impl FnOnce(&mut ListenerView)) {
        if let Some((_, view)) = self.lock().iter_mut().find(|(of, _)| *of == id) {
            change(view);
            view.since = now;
        }
        self.changes.send_replace(());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(ListenerId, ListenerView)>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that was not tried yet.
const fn starting(name: String, address: String, since: Timestamp) -> ListenerView {
    ListenerView { name, address, state: ListenerState::Starting, holder: None, detail: None, since }
}
