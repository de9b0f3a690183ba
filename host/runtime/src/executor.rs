//! Lets hyper spawn on the worker's own thread.

use std::future::Future;

use hyper::rt::Executor;

/// Spawns on the current `LocalSet`, so that nothing on the request path has to be `Send`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LocalExecutor;

impl<F> Executor<F> for LocalExecutor
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
