//! The control socket: a Unix socket in the data directory that only its owner can open, with all rights.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::UnixListener;
use tokio::sync::Semaphore;

use super::board::ListenerId;
use super::{Floor, Serving, connection};
use crate::auth::{ConnectionInfo, ListenerKind};

/// More than any command line needs.
const CONNECTIONS: usize = 64;

/// After an error of the system, how long until the next connection is taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the socket until the stop, then takes it away.
pub(super) async fn keep(floor: Floor, id: ListenerId, path: PathBuf, router: Router) {
    let now = floor.state.clock().now();
    let listener = match bind(&path) {
        Ok(listener) => listener,
        Err(error) => {
            let detail = format!("the control socket {} cannot be made: {error}", path.display());
            tracing::error!("{detail}");
            floor.state.board().refused(id, detail, now);
            return;
        }
    };
    floor.state.board().listening(id, None, now);
    serve(&floor, &listener, &router).await;
    drop(listener);
    if let Err(error) = fs::remove_file(&path) {
        tracing::debug!(path = %path.display(), %error, "the control socket was gone already");
    }
}

async fn serve(floor: &Floor, listener: &UnixListener, router: &Router) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = floor.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let via = ConnectionInfo { listener: ListenerKind::Control, peer: None, is_encrypted: false };
                let serving = Serving::by(router.clone());
                floor.tasks.spawn(connection::run(floor.clone(), stream, via, serving, None, permit));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the control socket could not be taken");
                floor.state.clock().sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Binds under another name and moves it into place when its mode is right, so that there is no instant at which
/// someone else could open it. What an earlier run left there is replaced.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let unfinished = PathBuf::from(name);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&unfinished)?;
    fs::set_permissions(&unfinished, Permissions::from_mode(0o600))?;
    fs::rename(&unfinished, path)?;
    Ok(listener)
}
