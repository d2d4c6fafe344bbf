//! A port that serves HTTP until the sandbox stops.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What open connections get to finish when the sandbox stops.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Serves until the token is cancelled. `port` names it in the log.
pub(crate) async fn serve(
    port: &'static str,
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) {
    let ending = stop.clone();
    let serving =
        axum::serve(listener, router).with_graceful_shutdown(async move { ending.cancelled().await });
    let deadline = async {
        stop.cancelled().await;
        tokio::time::sleep(TIMEOUT).await;
    };
    tokio::select! {
        ended = serving.into_future() => {
            if let Err(error) = ended {
                tracing::error!(%error, "{port} ended");
            }
        }
        () = deadline => {}
    }
}
