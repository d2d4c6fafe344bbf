//! Tasks behind a pointer: the runtime's code for a task is compiled once, not for each future.

use std::pin::Pin;

use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

/// Spawns a task that no caller waits for.
pub fn spawn_detached<F>(tasks: &TaskTracker, work: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let work: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(work);
    tasks.spawn(work);
}

/// Starts work that runs to its end even if the caller drops the returned future.
///
/// The future returns `None` if the work panicked or the runtime ended.
pub fn run_detached<T, F>(tasks: &TaskTracker, work: F) -> impl Future<Output = Option<T>> + Send + use<T, F>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (done, ended) = oneshot::channel();
    spawn_detached(tasks, async move {
        // A caller that is gone needs no result.
        let _ = done.send(work.await);
    });
    async { ended.await.ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_runs_to_its_end_without_its_caller() {
        let tasks = TaskTracker::new();
        let (sender, receiver) = oneshot::channel();
        drop(run_detached(&tasks, async move { sender.send(7) }));
        assert_eq!(receiver.await, Ok(7));
    }

    #[tokio::test]
    async fn work_that_panics_has_no_result() {
        let tasks = TaskTracker::new();
        assert_eq!(run_detached(&tasks, async { 7 }).await, Some(7));
        assert_eq!(run_detached::<u8, _>(&tasks, async { panic!("a mistake") }).await, None);
    }
}
